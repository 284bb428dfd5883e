//! Deciding orders, refunds and disputes.

use std::time::Duration;

use crate::amount::{AMOUNT_MAX, Cents, Money};
use crate::calendar::{Months, months_after, occurrence};
use crate::command::Reply;
use crate::decide::Draft;
use crate::entry::{Fact, Grant};
use crate::external_id::ExternalId;
use crate::ids::OrderId;
use crate::lot::{Class, Source};
use crate::order::{
    Item, Order, OrderRecord, PLACED_ORDERS_MAX, PaymentState, PlanChangeMode, REVERSALS_MAX, Reversal, ReversalState,
};
use crate::plan::PlanName;
use crate::refusal::{OrderError, Refusal};
use crate::time::Timestamp;
use crate::wallet::Wallet;

impl Draft<'_> {
    pub(super) fn place_order(&mut self, order: &Order) -> Result<Reply, Refusal> {
        if let Some(record) = self.wallet.order(order.id) {
            let same = record.order == *order;
            return if same { Ok(reply(record)) } else { Err(Refusal::BadOrder(OrderError::Exists)) };
        }
        check_order(order).map_err(Refusal::BadOrder)?;
        let placed = self.wallet.orders().iter().filter(|record| record.payment == PaymentState::Placed).count();
        if placed >= PLACED_ORDERS_MAX {
            return Err(Refusal::TooManyOpen { what: "orders", max: PLACED_ORDERS_MAX });
        }
        let unspent: i64 = self.wallet.open_lots.iter().map(|lot| lot.granted - lot.captured).sum();
        if order.credits.micro() + order.bonus.micro() > AMOUNT_MAX - unspent {
            return Err(Refusal::Overflow);
        }
        self.write(Fact::OrderPlaced(order.clone()), self.now);
        self.order_reply(order.id)
    }

    pub(super) fn invoice_order(&mut self, id: OrderId) -> Result<Reply, Refusal> {
        let record = self.order(id)?;
        match record.payment {
            PaymentState::Placed => {}
            PaymentState::Invoiced => return Ok(reply(record)),
            PaymentState::Cancelled => return Err(Refusal::BadOrder(OrderError::Cancelled)),
            PaymentState::Paid => return Err(Refusal::BadOrder(OrderError::Paid)),
        }
        if !self.book.policy_at(self.now).invoice {
            return Err(Refusal::BadOrder(OrderError::NoInvoice));
        }
        let lots = self.fulfil(id);
        self.write(Fact::OrderInvoiced { order: id, lots }, self.now);
        self.order_reply(id)
    }

    pub(super) fn pay_order(&mut self, id: OrderId, amount: Money) -> Result<Reply, Refusal> {
        let record = self.order(id)?;
        if record.payment == PaymentState::Paid {
            return Ok(reply(record));
        }
        let due = record.due();
        if amount != due {
            return Err(Refusal::AmountDiffers { found: amount, due });
        }
        let granted = record.is_granted();
        let lots = if granted { Vec::new() } else { self.fulfil(id) };
        self.write(Fact::OrderPaid { order: id, lots }, self.now);
        self.order_reply(id)
    }

    pub(super) fn cancel_order(&mut self, id: OrderId) -> Result<Reply, Refusal> {
        let record = self.order(id)?;
        match record.payment {
            PaymentState::Placed => self.write(Fact::OrderCancelled { order: id }, self.now),
            PaymentState::Cancelled => {}
            PaymentState::Invoiced | PaymentState::Paid => return Err(Refusal::BadOrder(OrderError::Granted)),
        }
        self.order_reply(id)
    }

    pub(super) fn refund(&mut self, id: OrderId, refund: &ExternalId, asked: Option<Money>) -> Result<Reply, Refusal> {
        let record = self.order(id)?;
        let currency = record.order.cost.currency;
        if let Some(known) = record.reversals.iter().find(|known| known.id == *refund) {
            let amount = Money::new(known.amount, currency);
            let same = known.state.is_refund() && asked.is_none_or(|asked| asked == amount);
            let order = Box::new(record.clone());
            return if same { Ok(Reply::Refunded { amount, order }) } else { Err(Refusal::ReversalExists) };
        }
        if !record.is_granted() {
            return Err(Refusal::BadOrder(OrderError::NotGranted));
        }
        if record.reversals.iter().any(|known| known.state == ReversalState::Disputed) {
            return Err(Refusal::BadOrder(OrderError::Disputed));
        }
        if record.reversals.len() >= REVERSALS_MAX {
            return Err(Refusal::BadOrder(OrderError::TooMany));
        }
        let refundable = Money::new(self.wallet.refundable(record), currency);
        let amount = asked.unwrap_or(refundable);
        if amount.currency != currency || amount.amount > refundable.amount || amount.amount.is_zero() {
            return Err(Refusal::RefundTooMuch { asked: amount, refundable });
        }
        let reversal = Reversal { id: refund.clone(), state: ReversalState::Refunded, amount: amount.amount };
        self.write(Fact::OrderReversed { order: id, reversal }, self.now);
        Ok(Reply::Refunded { amount, order: Box::new(self.order(id)?.clone()) })
    }

    pub(super) fn reverse(&mut self, id: OrderId, reversal: &Reversal) -> Result<Reply, Refusal> {
        let record = self.order(id)?;
        if reversal.amount.minor() > AMOUNT_MAX {
            return Err(Refusal::BadOrder(OrderError::TooLarge));
        }
        match record.reversals.iter().find(|known| known.id == reversal.id) {
            Some(known) if known.state.is_refund() != reversal.state.is_refund() => {
                return Err(Refusal::ReversalExists);
            }
            Some(_) => {}
            None if record.reversals.len() >= REVERSALS_MAX => return Err(Refusal::BadOrder(OrderError::TooMany)),
            None => {}
        }
        if record.clone().merge(reversal) {
            self.write(Fact::OrderReversed { order: id, reversal: reversal.clone() }, self.now);
        }
        self.order_reply(id)
    }

    fn order(&self, id: OrderId) -> Result<&OrderRecord, Refusal> {
        self.wallet.order(id).ok_or(Refusal::UnknownOrder)
    }

    fn order_reply(&self, id: OrderId) -> Result<Reply, Refusal> {
        self.order(id).map(reply)
    }

    /// Returns the lots that an order grants now; books the change of plan that comes before them.
    ///
    /// Never fails: the money is there, whatever has changed since the order was placed.
    fn fulfil(&mut self, id: OrderId) -> Vec<Grant> {
        let record = self.wallet.order(id).expect("it was found");
        let (order, placed_at) = (record.order.clone(), record.placed_at);
        match order.item {
            Item::Packs { expires, .. } => self.pack_lots(&order, expires),
            Item::Period => vec![self.period_lot(&order)],
            Item::PlanChange { plan, mode } => vec![self.changed_lot(&order, plan, mode, placed_at)],
        }
    }

    fn pack_lots(&self, order: &Order, expires: Months) -> Vec<Grant> {
        let lot = self.bought(order, self.now, months_after(self.now, expires), 0, Source::Purchase);
        let bonus = Grant {
            lot: crate::LotNumber(lot.lot.get() + 1),
            class: Class::Promo,
            credits: order.bonus,
            cost: None,
            tax: Cents::ZERO,
            source: Source::Bonus,
            ..lot
        };
        if order.bonus.is_zero() { vec![lot] } else { vec![lot, bonus] }
    }

    /// The first period that is not granted: the one that runs, or one ahead.
    fn period_lot(&self, order: &Order) -> Grant {
        let (running, policy) = self.wallet.period(self.book, self.now).expect("the account is open");
        let number = running.max(self.wallet.next_occurrence);
        let terms = self.wallet.plan_terms(self.book, self.now);
        let months = terms.map_or(1, |terms| terms.expires.get());
        let start = self.wallet.occurrence_start(number, policy);
        let end = self.wallet.occurrence_start(number + u32::from(months), policy);
        let source = Source::Monthly { occurrence: number };
        self.bought(order, start, end, terms.map_or(0, |terms| terms.priority), source)
    }

    /// Books a paid change of plan, and returns the lot that comes with it.
    fn changed_lot(&mut self, order: &Order, plan: PlanName, mode: PlanChangeMode, placed_at: Timestamp) -> Grant {
        let (number, policy) = self.wallet.period(self.book, self.now).expect("the account is open");
        let terms = self.book.plan_at(&plan, self.now).cloned();
        let months = terms.as_ref().map_or(1, |terms| terms.expires.get());
        let priority = terms.as_ref().map_or(0, |terms| terms.priority);
        match mode {
            PlanChangeMode::Prorated => {
                let fact = Fact::PlanChanged { plan, new_anchor: false, anchor_policy: policy, cut: Vec::new() };
                self.write(fact, self.now);
                let mut end = self.wallet.occurrence_start(number + u32::from(months), policy);
                let paid_for = self.wallet.occurrence_at(placed_at, policy);
                if paid_for != Some(number) {
                    // The price was of the rest of an earlier period: no more time than that is paid for.
                    let rest = |period: u32| self.wallet.occurrence_start(period + 1, policy).since(placed_at);
                    let rest = paid_for.map_or(Duration::ZERO, rest).max(Duration::from_micros(1));
                    end = end.min(self.now.plus(rest).unwrap_or(end));
                }
                self.bought(order, self.now, end, priority, Source::PlanChange { occurrence: number })
            }
            PlanChangeMode::FullPrice => {
                // The new period takes the place of the old one's free credits; what was paid for stays.
                let cut = self.wallet.free_slices(number, i64::MAX);
                let anchor_policy = terms.map_or(policy, |terms| terms.anchor_policy);
                self.write(Fact::PlanChanged { plan, new_anchor: true, anchor_policy, cut }, self.now);
                let end = occurrence(self.now, u32::from(months), anchor_policy);
                let source = Source::Monthly { occurrence: self.wallet.next_occurrence };
                self.bought(order, self.now, end, priority, source)
            }
        }
    }

    fn bought(&self, order: &Order, from: Timestamp, until: Timestamp, priority: i8, source: Source) -> Grant {
        Grant {
            lot: self.wallet.next_lot(),
            class: Class::Paid,
            credits: order.credits,
            cost: Some(order.cost),
            tax: order.tax,
            effective_at: from,
            expires_at: Some(until),
            priority,
            source,
        }
    }
}

impl Wallet {
    /// Returns the most that can be given back of an order on the customer's wish, with its tax: what its available
    /// credits stand for.
    #[must_use]
    pub fn refundable(&self, record: &OrderRecord) -> Cents {
        let (order, total) = (&record.order, record.order.total().amount.minor());
        let Some(lot) = record.lot.and_then(|lot| self.record(lot)).filter(|lot| lot.cost > 0) else {
            return Cents::ZERO;
        };
        let held = self.held_of(lot.number);
        let net = lot.kept(held + lot.available(held)) - lot.kept(held);
        if net == 0 {
            return Cents::ZERO;
        }
        // The largest amount whose share without tax, rounded down, is no more than that.
        let most = i128::from(order.net_of(record.reversed).minor() + net + 1) * i128::from(total) - 1;
        let most = i64::try_from(most / i128::from(lot.cost)).map_or(total, |most| most.min(total));
        Cents::from_minor((most - record.reversed.minor()).max(0)).expect("it is at least zero")
    }
}

fn reply(record: &OrderRecord) -> Reply {
    Reply::Order(Box::new(record.clone()))
}

fn check_order(order: &Order) -> Result<(), OrderError> {
    let total = order.cost.amount.checked_add(order.tax).map_or(i64::MAX, Cents::minor);
    if order.credits.is_zero() {
        Err(OrderError::Nothing)
    } else if order.credits.micro() > AMOUNT_MAX || order.bonus.micro() > AMOUNT_MAX || total > AMOUNT_MAX {
        Err(OrderError::TooLarge)
    } else if !order.bonus.is_zero() && !matches!(order.item, Item::Packs { .. }) {
        Err(OrderError::Bonus)
    } else {
        Ok(())
    }
}

//! Orders: placed, invoiced, paid, cancelled, and what they repay.

use medici_ledger::{Currency, Item, Money, Order, PlanChangeMode, ReversalState};

use super::calendar::months_after;
use super::flaw::Flaw;
use super::lots::{NaiveLot, NaiveSource, minor};
use super::model::{Naive, micro};

/// How many orders wait for their payment at most.
const PLACED_MAX: usize = 100;

/// What of an order's debt a lot has repaid.
#[derive(Clone, Copy, Debug)]
pub struct Repayment {
    /// The lot.
    pub lot: u32,
    /// How much.
    pub amount: i64,
}

/// One order.
#[derive(Clone, Debug)]
pub struct NaiveOrder {
    /// What was ordered.
    pub order: Order,
    /// When.
    pub placed_at: i64,
    /// `placed`, `cancelled`, `invoiced` or `paid`.
    pub payment: &'static str,
    /// The lot it granted, and that of its bonus.
    pub lots: (Option<u32>, Option<u32>),
    /// Refunds and disputes: name, state, amount.
    pub reversals: Vec<(String, ReversalState, i64)>,
    /// What of the money is reversed on the books.
    pub reversed: i64,
    /// Credits of its lot that were withdrawn for that.
    pub withdrawn: i64,
    /// Credits of its bonus that were withdrawn for that.
    pub bonus_withdrawn: i64,
    /// The money that left deferred for withdrawn credits.
    pub returned: i64,
    /// Credits that were spent though their money went back.
    pub owed: i64,
    /// Who repaid how much of them.
    pub repayments: Vec<Repayment>,
}

impl NaiveOrder {
    pub(super) fn total(&self) -> i64 {
        self.order.cost.amount.minor() + self.order.tax.minor()
    }

    pub(super) fn currency(&self) -> Currency {
        self.order.cost.currency
    }

    /// The part of an amount that is not tax.
    pub(super) fn net(&self, amount: i64) -> i64 {
        if self.total() == 0 { 0 } else { times(self.order.cost.amount.minor(), amount, self.total()) }
    }

    /// What is repaid of what is owed.
    #[must_use]
    pub fn repaid(&self) -> i64 {
        self.repayments.iter().map(|repayment| repayment.amount).sum()
    }

    /// The customer's debt in money.
    #[must_use]
    pub fn debt(&self) -> i64 {
        if self.owed == 0 {
            return 0;
        }
        times(self.net(self.reversed) - self.returned, self.owed - self.repaid(), self.owed).max(0)
    }

    /// What of the money should be reversed.
    pub(super) fn target(&self) -> i64 {
        let stands = |state| matches!(state, ReversalState::Refunded | ReversalState::Disputed | ReversalState::Lost);
        let standing = self.reversals.iter().filter(|(_, state, _)| stands(*state));
        standing.map(|(_, _, amount)| amount).sum::<i64>().min(self.total())
    }

    /// What became of it, in one word.
    #[must_use]
    pub fn status(&self) -> &'static str {
        let any = |wanted| self.reversals.iter().any(|(_, state, _)| *state == wanted);
        let target = self.target();
        match self.payment {
            "placed" | "cancelled" => self.payment,
            _ if any(ReversalState::Disputed) => "disputed",
            _ if any(ReversalState::Lost) => "lost",
            _ if target > 0 && target == self.total() => "refunded",
            _ if target > 0 => "partly_refunded",
            _ if any(ReversalState::Won) => "won",
            payment => payment,
        }
    }

    pub(super) fn is_granted(&self) -> bool {
        matches!(self.payment, "invoiced" | "paid")
    }

    /// Writes the order as it stands.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!(
            "{} {} reversed {} withdrawn {} returned {} owed {} repaid {} debt {} lot {:?} bonus {:?}",
            self.order.id.as_u128(),
            self.status(),
            self.reversed,
            self.withdrawn,
            self.returned,
            self.owed,
            self.repaid(),
            self.debt(),
            self.lots.0,
            self.lots.1,
        )
    }
}

/// `a × b ÷ c`, rounded down.
pub(super) fn times(a: i64, b: i64, c: i64) -> i64 {
    i64::try_from((i128::from(a) * i128::from(b)).div_euclid(i128::from(c))).expect("a share of something small")
}

impl Naive {
    pub(super) fn place_order(&mut self, order: &Order) -> Result<String, String> {
        if let Ok(known) = self.order(order.id) {
            return if known.order == *order { Ok(order_reply(known)) } else { Err("order_exists".into()) };
        }
        if micro(order.credits) == 0 {
            return Err("order_of_nothing".into());
        }
        if micro(order.bonus) > 0 && !matches!(order.item, Item::Packs { .. }) {
            return Err("order_bonus".into());
        }
        if self.orders.iter().filter(|order| order.payment == "placed").count() >= PLACED_MAX {
            return Err(format!("too many orders: {PLACED_MAX}"));
        }
        self.orders.push(NaiveOrder {
            order: order.clone(),
            placed_at: self.now,
            payment: "placed",
            lots: (None, None),
            reversals: Vec::new(),
            reversed: 0,
            withdrawn: 0,
            bonus_withdrawn: 0,
            returned: 0,
            owed: 0,
            repayments: Vec::new(),
        });
        self.book();
        Ok(order_reply(self.orders.last().expect("it was just added")))
    }

    pub(super) fn invoice_order(&mut self, id: medici_ledger::OrderId, now: i64) -> Result<String, String> {
        let allowed = self.version_at(now).is_some_and(|version| version.invoice);
        let order = self.order(id)?;
        match order.payment {
            "invoiced" => return Ok(order_reply(order)),
            "cancelled" => return Err("order_cancelled".into()),
            "paid" => return Err("order_paid".into()),
            _ if !allowed => return Err("no_invoice".into()),
            _ => {}
        }
        self.grant_order(id, "invoiced", now);
        Ok(order_reply(self.order(id)?))
    }

    pub(super) fn pay_order(&mut self, id: medici_ledger::OrderId, amount: &Money, now: i64) -> Result<String, String> {
        let order = self.order(id)?;
        if order.payment == "paid" {
            return Ok(order_reply(order));
        }
        let due = order.total() - order.reversed;
        let (found, currency) = minor(amount);
        if (found, currency) != (due, order.currency()) {
            let due_currency = order.currency();
            return Err(format!("amount differs: {found} {} of {due} {}", currency.as_str(), due_currency.as_str()));
        }
        if order.payment == "invoiced" {
            order.payment = "paid";
            self.book();
        } else {
            self.grant_order(id, "paid", now);
        }
        Ok(order_reply(self.order(id)?))
    }

    pub(super) fn cancel_order(&mut self, id: medici_ledger::OrderId) -> Result<String, String> {
        let order = self.order(id)?;
        match order.payment {
            "cancelled" => return Ok(order_reply(order)),
            "placed" => order.payment = "cancelled",
            _ => return Err("order_granted".into()),
        }
        self.book();
        Ok(order_reply(self.order(id)?))
    }

    /// Grants an order's lots, repays old debts with them, and acts on what was reversed before.
    fn grant_order(&mut self, id: medici_ledger::OrderId, payment: &'static str, now: i64) {
        let placed = self.order(id).expect("it was looked up");
        let (order, placed_at) = (placed.order.clone(), placed.placed_at);
        let lot = match &order.item {
            Item::Packs { expires, .. } => {
                let mut lot = NaiveLot::new("paid", NaiveSource::Purchase, micro(order.credits), now);
                lot.expires_at = Some(months_after(now, usize::from(expires.get())));
                lot
            }
            Item::Period => self.period_lot(micro(order.credits)),
            Item::PlanChange { plan, mode } => {
                self.change_of_plan(*plan, *mode == PlanChangeMode::FullPrice, micro(order.credits), placed_at)
            }
        };
        let number = self.add(NaiveLot { cost: Some(minor(&order.cost)), ..lot });
        let mut numbers = (Some(number), None);
        if micro(order.bonus) > 0 {
            let mut bonus = NaiveLot::new("promo", NaiveSource::Bonus, micro(order.bonus), now);
            bonus.effective_at = lot.effective_at;
            bonus.expires_at = lot.expires_at;
            numbers.1 = Some(self.add(bonus));
        }
        let record = self.order(id).expect("it was looked up");
        record.payment = payment;
        record.lots = numbers;
        self.repay(number);
        self.act_on_reversals(id);
        self.book();
    }

    /// Repays what is owed with a new lot, the oldest debt first.
    fn repay(&mut self, number: u32) {
        if self.flaw == Flaw::DebtNotRepaid {
            return;
        }
        for index in 0..self.orders.len() {
            let order = &self.orders[index];
            let part = (order.owed - order.repaid()).min(self.lots[number as usize - 1].available);
            if part > 0 {
                self.orders[index].repayments.push(Repayment { lot: number, amount: part });
                let lot = self.lot(number);
                lot.available -= part;
                lot.captured += part;
                lot.repays += part;
            }
        }
    }

    pub(super) fn order(&mut self, id: medici_ledger::OrderId) -> Result<&mut NaiveOrder, String> {
        self.orders.iter_mut().find(|order| order.order.id == id).ok_or_else(|| "unknown order".into())
    }
}

pub(super) fn order_reply(order: &NaiveOrder) -> String {
    format!("order {}", order.in_words())
}

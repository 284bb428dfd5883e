//! Applying orders: what they grant, and what their refunds and disputes take back.
//!
//! Money is a function of state, before and after: cash follows what is reversed, deferred and recognised follow the
//! lots, the customer's debt follows what is owed. What these leave over, from rounding or from prices that differ
//! between the credits owed and those that repay them, is posted on `refunds`.

use crate::amount::{Cents, Credits, Currency};
use crate::broken::Fault;
use crate::entry::Grant;
use crate::ids::{LotNumber, OrderId};
use crate::legs::Legs;
use crate::lot::{Class, LotRecord};
use crate::order::{Order, OrderRecord, PaymentState, REVERSALS_MAX, Reversal};
use crate::posting::{LedgerAccount, Unit};
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// The money legs of one order's settlement, with what is left over.
struct Settlement<'l> {
    legs: &'l mut Legs,
    lot: LotNumber,
    currency: Currency,
    sum: i64,
}

impl Settlement<'_> {
    /// Posts money on this order's lot and counts it.
    fn post(&mut self, account: LedgerAccount, amount: i64) {
        let lot = self.lot;
        self.post_on(account, lot, amount);
    }

    fn post_on(&mut self, account: LedgerAccount, lot: LotNumber, amount: i64) {
        self.legs.add(account, Unit::Money(self.currency), lot, amount);
        self.sum += amount;
    }

    /// Posts money that may be of another currency, where it is a settlement of its own.
    fn settle_on(&mut self, account: LedgerAccount, lot: LotNumber, currency: Currency, amount: i64) {
        if currency == self.currency {
            self.post_on(account, lot, amount);
        } else {
            self.legs.add(account, Unit::Money(currency), lot, amount);
            self.legs.add(LedgerAccount::Refunds, Unit::Money(currency), lot, -amount);
        }
    }

    /// Posts what is left over.
    fn finish(self) {
        self.legs.add(LedgerAccount::Refunds, Unit::Money(self.currency), self.lot, -self.sum);
    }
}

/// What a debt changes by on the lot whose credits are owed.
struct Change {
    lot: LotNumber,
    currency: Currency,
    amount: i64,
}

impl Wallet {
    pub(super) fn place_order(&mut self, order: &Order, at: Timestamp) -> Result<(), Fault> {
        if self.order(order.id).is_some() {
            return Err(Fault::Fact("an order is placed once"));
        }
        self.orders_mut().push(OrderRecord::new(order.clone(), at));
        Ok(())
    }

    pub(super) fn cancel_order(&mut self, id: OrderId) -> Result<(), Fault> {
        let record = self.order_mut(id)?;
        if record.payment != PaymentState::Placed {
            return Err(Fault::Fact("an order is cancelled before it is paid or invoiced"));
        }
        record.payment = PaymentState::Cancelled;
        Ok(())
    }

    pub(super) fn invoice_order(
        &mut self,
        id: OrderId,
        lots: &[Grant],
        at: Timestamp,
        legs: &mut Legs,
    ) -> Result<(), Fault> {
        let record = self.order_mut(id)?;
        if record.payment != PaymentState::Placed {
            return Err(Fault::Fact("an order is invoiced once, before it is paid"));
        }
        record.payment = PaymentState::Invoiced;
        self.grant_order(id, lots, at, legs)
    }

    pub(super) fn pay_order(
        &mut self,
        id: OrderId,
        lots: &[Grant],
        at: Timestamp,
        legs: &mut Legs,
    ) -> Result<(), Fault> {
        let record = self.order_mut(id)?;
        let before = record.payment;
        record.payment = PaymentState::Paid;
        match before {
            // An order that was given up and paid all the same is granted: the money is there.
            PaymentState::Placed | PaymentState::Cancelled => self.grant_order(id, lots, at, legs),
            PaymentState::Invoiced if lots.is_empty() => {
                let record = self.order(id).expect("it was found before");
                // What was reversed of the invoice is not paid.
                let due = record.order.total().amount.minor() - record.reversed.minor();
                let (lot, unit) = (record.lot.expect("it is granted"), Unit::Money(record.order.cost.currency));
                legs.add(LedgerAccount::Cash, unit, lot, due);
                legs.add(LedgerAccount::Receivable, unit, lot, -due);
                Ok(())
            }
            _ => Err(Fault::Fact("an order is paid once, and granted once")),
        }
    }

    /// Issues an order's lots. What the customer owes from earlier orders is repaid first.
    fn grant_order(&mut self, id: OrderId, lots: &[Grant], at: Timestamp, legs: &mut Legs) -> Result<(), Fault> {
        let index = self.order_index(id)?;
        let order = self.orders()[index].order.clone();
        let (lot, bonus) = match lots {
            [lot] if order.bonus.is_zero() => (lot, None),
            [lot, bonus] if !order.bonus.is_zero() => (lot, Some(bonus)),
            _ => return Err(Fault::Fact("an order grants one lot, and one for its bonus")),
        };
        let bought = lot.class == Class::Paid
            && (lot.credits, lot.cost, lot.tax) == (order.credits, Some(order.cost), order.tax)
            && bonus.is_none_or(|bonus| bonus.class == Class::Promo && bonus.credits == order.bonus);
        if !bought || lot.lot != self.next_lot() || lot.credits.is_zero() {
            return Err(Fault::Fact("an order grants what was ordered, at its price"));
        }
        self.note_occurrence(lot.source)?;
        let (repaid, cleared) = self.repay(lot.lot, lot.credits.micro());
        let mut record = LotRecord::new(lot);
        record.captured = repaid;
        let credits = lot.credits.micro();
        legs.credit(LedgerAccount::Issuance(lot.class), lot.lot, -credits);
        legs.credit(LedgerAccount::Lot, lot.lot, credits - repaid);
        legs.credit(LedgerAccount::Debt, lot.lot, repaid);
        let cash = cash_account(&self.orders()[index]);
        let mut money = Settlement { legs, lot: lot.lot, currency: order.cost.currency, sum: 0 };
        money.post(cash, order.total().amount.minor());
        money.post(LedgerAccount::TaxPayable, -order.tax.minor());
        money.post(LedgerAccount::Deferred, -record.money(0).1);
        for Change { lot, currency, amount } in cleared {
            money.settle_on(LedgerAccount::CustomerDebt, lot, currency, amount);
        }
        money.finish();
        self.insert_lot(record);
        self.orders_mut()[index].lot = Some(lot.lot);
        if let Some(bonus) = bonus {
            self.orders_mut()[index].bonus_lot = Some(bonus.lot);
            self.grant(bonus, legs)?;
        }
        let place = self.open_lots.iter().position(|other| other.number == lot.lot).expect("it was just put there");
        self.close_if_done(place);
        // A refund or a dispute may have become known before the payment did.
        self.settle_order(index, at, legs);
        Ok(())
    }

    /// Repays what the customer owes with a new lot's credits, the oldest order first.
    fn repay(&mut self, lot: LotNumber, credits: i64) -> (i64, Vec<Change>) {
        let mut left = credits;
        let mut cleared = Vec::new();
        if self.debt().is_zero() {
            return (0, cleared);
        }
        for record in self.orders_mut() {
            let amount = record.outstanding().micro().min(left);
            if amount == 0 {
                continue;
            }
            left -= amount;
            let before = record.debt().minor();
            record.repayments.push((lot, credits_of(amount)));
            cleared.push(Change {
                lot: record.lot.expect("only a granted order is owed"),
                currency: record.order.cost.currency,
                amount: record.debt().minor() - before,
            });
        }
        (credits - left, cleared)
    }

    pub(super) fn reverse_order(
        &mut self,
        id: OrderId,
        reversal: &Reversal,
        at: Timestamp,
        legs: &mut Legs,
    ) -> Result<(), Fault> {
        let index = self.order_index(id)?;
        let record = &mut self.orders_mut()[index];
        let kind = |other: &&Reversal| other.id == reversal.id;
        let other_kind = record
            .reversals
            .iter()
            .find(kind)
            .is_some_and(|known| known.state.is_refund() != reversal.state.is_refund());
        if other_kind || !record.merge(reversal) || record.reversals.len() > REVERSALS_MAX {
            return Err(Fault::Fact("a reversal is news of a refund or of a dispute"));
        }
        self.settle_order(index, at, legs);
        Ok(())
    }

    /// Acts on the difference between what is to be reversed and what is.
    fn settle_order(&mut self, index: usize, at: Timestamp, legs: &mut Legs) {
        let record = &self.orders()[index];
        let (Some(lot), target, reversed) = (record.lot, record.target(), record.reversed) else { return };
        if target == reversed {
            return;
        }
        let before = record.clone();
        let currency = before.order.cost.currency;
        let mut money = Settlement { legs, lot, currency, sum: 0 };
        let tax = |amount: Cents| amount.minor() - before.order.net_of(amount).minor();
        money.post(cash_account(&before), reversed.minor() - target.minor());
        money.post(LedgerAccount::TaxPayable, tax(target) - tax(reversed));
        let mut after = before.clone();
        after.reversed = target;
        if target > reversed {
            self.take(&before, &mut after, at, &mut money);
        } else {
            self.restore(&mut after, at, &mut money);
        }
        money.post(LedgerAccount::CustomerDebt, after.debt().minor() - before.debt().minor());
        money.finish();
        self.settle_bonus(&after, at, legs);
        self.orders_mut()[index] = after;
    }

    /// Withdraws credits for money that went back; what is spent already is owed.
    fn take(&mut self, before: &OrderRecord, after: &mut OrderRecord, at: Timestamp, money: &mut Settlement<'_>) {
        let lot = money.lot;
        let due = after.order.credits_of(after.reversed);
        let net = after.order.net_of(after.reversed).minor() - before.order.net_of(before.reversed).minor();
        let record = self.record(lot).expect("lots never leave the wallet");
        let held = self.held_of(lot);
        let missing = (due - after.withdrawn.micro() - after.owed.micro()).max(0);
        let amount = missing.max(record.worth(held, net)).min(record.available(held));
        let left = self.change_lot(lot, at, |lot| lot.withdrawn += amount);
        money.legs.credit(LedgerAccount::Lot, lot, -amount);
        money.legs.credit(LedgerAccount::Withdrawn, lot, amount);
        money.post(LedgerAccount::Deferred, left);
        after.withdrawn = credits_of(after.withdrawn.micro() + amount);
        after.returned = Cents::from_minor(after.returned.minor() + left).expect("what left is not negative");
        if net > left {
            let owed = (due - after.withdrawn.micro() - after.owed.micro()).max(0);
            after.owed = credits_of(after.owed.micro() + owed);
            money.legs.credit(LedgerAccount::Debt, lot, -owed);
            money.legs.credit(LedgerAccount::Clawed, lot, owed);
        }
    }

    /// Gives back what was taken: first what is owed, then what was repaid, then what was withdrawn.
    fn restore(&mut self, after: &mut OrderRecord, at: Timestamp, money: &mut Settlement<'_>) {
        let lot = money.lot;
        let due = after.order.credits_of(after.reversed);
        let mut excess = (after.withdrawn.micro() + after.owed.micro() - due).max(0);
        let forgiven = excess.min(after.outstanding().micro());
        excess -= forgiven;
        let mut owed = after.owed.micro() - forgiven;
        money.legs.credit(LedgerAccount::Debt, lot, forgiven);
        money.legs.credit(LedgerAccount::Clawed, lot, -forgiven);
        while excess > 0
            && let Some((by, repaid)) = after.repayments.pop()
        {
            let amount = repaid.micro().min(excess);
            if amount < repaid.micro() {
                after.repayments.push((by, credits_of(repaid.micro() - amount)));
            }
            excess -= amount;
            owed -= amount;
            self.undo_repayment(by, amount, at, money);
            money.legs.credit(LedgerAccount::Debt, lot, amount);
            money.legs.credit(LedgerAccount::Clawed, lot, -amount);
        }
        after.owed = credits_of(owed);
        let amount = excess.min(after.withdrawn.micro());
        if amount > 0 {
            self.undo_withdrawal(after, amount, at, money);
        }
    }

    /// Gives credits back to the lot that had repaid a debt.
    fn undo_repayment(&mut self, by: LotNumber, amount: i64, at: Timestamp, money: &mut Settlement<'_>) {
        let record = self.record(by).expect("lots never leave the wallet");
        let (currency, over) = (record.currency(), record.is_over(at.micros()));
        let before = record.kept(0);
        let left = self.change_lot(by, at, |lot| lot.captured -= amount);
        let earned = before - self.record(by).expect("lots never leave the wallet").kept(0);
        let place = if over { LedgerAccount::Expired } else { LedgerAccount::Lot };
        money.legs.credit(place, by, amount);
        money.legs.credit(LedgerAccount::Debt, by, -amount);
        let Some(currency) = currency else { return };
        // What it was worth there goes back into what is deferred, or is broken if the lot is over.
        money.settle_on(LedgerAccount::Deferred, by, currency, left);
        money.settle_on(LedgerAccount::BreakageRevenue, by, currency, -(left + earned));
    }

    /// Gives credits back to the order's own lot.
    fn undo_withdrawal(&mut self, after: &mut OrderRecord, amount: i64, at: Timestamp, money: &mut Settlement<'_>) {
        let lot = money.lot;
        let over = self.record(lot).expect("lots never leave the wallet").is_over(at.micros());
        let left = self.change_lot(lot, at, |lot| lot.withdrawn -= amount);
        let withdrawn = after.withdrawn.micro();
        let returned = after.returned.minor();
        money.legs.credit(LedgerAccount::Withdrawn, lot, -amount);
        let back = if over {
            let rest = i128::from(returned) * i128::from(withdrawn - amount) / i128::from(withdrawn);
            let back = returned - i64::try_from(rest).expect("a share of what was returned");
            money.legs.credit(LedgerAccount::Expired, lot, amount);
            money.post(LedgerAccount::BreakageRevenue, -back);
            back
        } else {
            money.legs.credit(LedgerAccount::Lot, lot, amount);
            money.post(LedgerAccount::Deferred, left);
            -left
        };
        after.withdrawn = credits_of(withdrawn - amount);
        after.returned = Cents::from_minor((returned - back).max(0)).expect("it is at least zero");
    }

    /// Takes or gives back of the bonus the share that is gone of the purchase.
    fn settle_bonus(&mut self, order: &OrderRecord, at: Timestamp, legs: &mut Legs) {
        let Some(lot) = order.bonus_lot else { return };
        let record = self.record(lot).expect("lots never leave the wallet");
        let gone = i128::from(order.withdrawn.micro() + order.owed.micro());
        let share = i128::from(record.granted) * gone / i128::from(order.order.credits.micro());
        let share = i64::try_from(share).expect("a share of the bonus").min(record.granted);
        let (withdrawn, over) = (record.withdrawn, record.is_over(at.micros()));
        let change = (share - withdrawn).min(record.available(self.held_of(lot)));
        if change == 0 {
            return;
        }
        self.change_lot(lot, at, |lot| lot.withdrawn += change);
        let place = if over { LedgerAccount::Expired } else { LedgerAccount::Lot };
        legs.credit(place, lot, -change);
        legs.credit(LedgerAccount::Withdrawn, lot, change);
    }

    /// Changes a lot, wherever it is kept, and returns the money that leaves deferred for it.
    ///
    /// Credits that come back to a lot that is over are expired.
    fn change_lot(&mut self, number: LotNumber, at: Timestamp, change: impl FnOnce(&mut LotRecord)) -> i64 {
        if self.open_lots.iter().all(|lot| lot.number != number) {
            self.reopen_lot(number);
        }
        let index = self.open_lots.iter().position(|lot| lot.number == number).expect("lots never leave the wallet");
        let held = self.held_of(number);
        let before = self.open_lots[index].money(held).1;
        let lot = &mut self.open_lots[index];
        change(lot);
        lot.expired = lot.is_over(at.micros());
        let left = before - lot.money(held).1;
        self.close_if_done(index);
        left
    }

    fn order_index(&self, id: OrderId) -> Result<usize, Fault> {
        let index = self.orders().iter().position(|record| record.order.id == id);
        index.ok_or(Fault::Fact("an order that was placed"))
    }

    fn order_mut(&mut self, id: OrderId) -> Result<&mut OrderRecord, Fault> {
        let index = self.order_index(id)?;
        Ok(&mut self.orders_mut()[index])
    }
}

/// Where an order's money comes to and goes from: what is invoiced and not paid is only owed.
fn cash_account(record: &OrderRecord) -> LedgerAccount {
    if record.payment == PaymentState::Invoiced { LedgerAccount::Receivable } else { LedgerAccount::Cash }
}

fn credits_of(micro: i64) -> Credits {
    Credits::from_micro(micro).expect("no part of an order is negative")
}

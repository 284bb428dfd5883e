//! Applying entries: the only way a wallet changes.
//!
//! Postings are a function of the wallet and the fact, so an entry read back is checked by computing them anew.

mod agreed;
mod give_back;
mod orders;

pub(crate) use give_back::amount_of as given_back_amount;

use std::sync::Arc;

use crate::amount::Credits;
use crate::broken::{Broken, Fault};
use crate::budget::Spender;
use crate::entry::{Bodies, Entry, Fact, Grant, Replacement};
use crate::hash::Hash;
use crate::hold::{Hold, Slice, VoidReason};
use crate::ids::{HoldId, LotNumber};
use crate::legs::Legs;
use crate::lot::{LotRecord, Source};
use crate::memory::{End, Ended, Slices};
use crate::operation::Operation;
use crate::posting::{LedgerAccount, Posting, Unit};
use crate::time::Timestamp;
use crate::wallet::Wallet;

const SPLIT: &str = "a hold's first slices are captured and the rest released, last first";

/// What becomes of a hold's credits: spent first, the rest released.
#[derive(Clone, Copy)]
struct Ending<'a> {
    captured: &'a [Slice],
    released: &'a [Slice],
    replacements: &'a [Replacement],
}

impl Wallet {
    /// Applies the next entry of this wallet.
    ///
    /// Verifies that it is the next, that it is chained to the last, that its postings follow from its fact,
    /// and what the fact takes for granted. Applying it a second time is broken: it is not the next any more.
    ///
    /// # Errors
    /// [`Broken`] names the account, the entry and what is wrong. The wallet must not be used afterwards.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Broken> {
        self.apply_inner(entry).map_err(|fault| Broken { account: self.account, seq: entry.seq, fault })
    }

    fn apply_inner(&mut self, entry: &Entry) -> Result<(), Fault> {
        if entry.account != self.account {
            return Err(Fault::OtherAccount { found: entry.account });
        }
        if entry.seq != self.seq + 1 {
            return Err(Fault::Sequence { expected: self.seq + 1 });
        }
        if entry.hash != entry.hash_after(&self.head) {
            return Err(Fault::Chain);
        }
        if entry.recorded_at < self.recorded_at || entry.recorded_at < entry.effective_at {
            return Err(Fault::Time);
        }
        let postings = self.transition(&entry.fact, entry.effective_at, entry.recorded_at)?;
        if postings != entry.postings {
            return Err(Fault::Postings);
        }
        self.seal(entry);
        Ok(())
    }

    /// Chains a new entry of this fact to the wallet and applies it. Its bytes are added to `bodies`.
    ///
    /// # Panics
    /// If the fact does not fit the wallet: the decision that made it is wrong, and nothing may be written.
    pub(crate) fn book(
        &mut self,
        fact: Fact,
        effective_at: Timestamp,
        recorded_at: Timestamp,
        bodies: &mut Bodies,
    ) -> Entry {
        let postings = match self.transition(&fact, effective_at, recorded_at) {
            Ok(postings) => postings,
            Err(fault) => panic!("{} decided a {} that cannot be: {fault}", self.account, fact.name()),
        };
        let mut entry = Entry {
            account: self.account,
            seq: self.seq + 1,
            effective_at,
            recorded_at,
            fact,
            postings,
            hash: self.head,
        };
        assert!(entry.is_balanced(), "{} decided a {} that does not sum to zero", self.account, entry.fact.name());
        entry.hash = Hash::chain(&self.head, bodies.push(&entry));
        self.seal(&entry);
        entry
    }

    fn seal(&mut self, entry: &Entry) {
        self.seq = entry.seq;
        self.head = entry.hash;
        self.recorded_at = entry.recorded_at;
    }

    /// Changes the wallet by a fact and returns the postings that follow.
    fn transition(&mut self, fact: &Fact, at: Timestamp, recorded_at: Timestamp) -> Result<Vec<Posting>, Fault> {
        if self.plan.is_some() == matches!(fact, Fact::Opened { .. }) {
            return Err(Fault::Fact("an account is opened once, before everything else"));
        }
        let mut legs = Legs::default();
        match fact {
            Fact::Opened { plan, sandbox } => {
                self.plan = Some(*plan);
                self.anchor = at;
                if *sandbox {
                    self.agreed_mut().clock = Some(at);
                }
            }
            Fact::Granted(grant) => self.grant(grant, &mut legs)?,
            Fact::Held { hold, quote, slices, expires_at, spender } => {
                self.spend_budgets(spender, quote.amount, recorded_at)?;
                let hold = Hold {
                    id: *hold,
                    quote: quote.clone(),
                    amount: quote.amount,
                    slices: slices.clone(),
                    placed_at: at,
                    expires_at: *expires_at,
                    spender: *spender,
                };
                self.place(hold, &mut legs)?;
            }
            Fact::Extended { hold, expires_at } => self.extend(*hold, *expires_at)?,
            Fact::Captured { hold, amount, captured, released } => {
                let placed = self.take_hold(*hold)?;
                if sum(captured) != amount.micro() {
                    return Err(Fault::Fact("captured slices sum to the amount"));
                }
                let ending = Ending { captured, released, replacements: &[] };
                self.end(&placed, ending, at, &mut legs)?;
                self.remember(*hold, recorded_at, End::Captured { slices: Slices::new(captured) });
            }
            Fact::Voided { hold, reason, released, replacements } => {
                let placed = self.take_hold(*hold)?;
                // First: what would replace slices that the hold never had cannot be worked out.
                if !is_split(&placed.slices, &[], released) {
                    return Err(Fault::Fact(SPLIT));
                }
                if *replacements != self.replacements(*reason, released, at) {
                    return Err(Fault::Fact("lots are replaced where the fault is the operator's, and only there"));
                }
                self.end(&placed, Ending { captured: &[], released, replacements }, at, &mut legs)?;
                self.remember(*hold, recorded_at, End::Voided { reason: *reason, released: placed.amount });
            }
            Fact::HoldExpired { hold, released } => {
                let placed = self.take_hold(*hold)?;
                if placed.expires_at != at {
                    return Err(Fault::Fact("a hold expires at its own time"));
                }
                self.end(&placed, Ending { captured: &[], released, replacements: &[] }, at, &mut legs)?;
                self.remember(*hold, recorded_at, End::Expired);
            }
            Fact::Charged { charge, quote, slices, spender, event: _ } => {
                if sum(slices) != quote.amount.micro() {
                    return Err(Fault::Fact("a charge's slices sum to its amount"));
                }
                self.spend_budgets(spender, quote.amount, recorded_at)?;
                for slice in slices {
                    self.spend(slice, &quote.operation, at, &mut legs)?;
                }
                self.remember(*charge, recorded_at, End::Captured { slices: Slices::new(slices) });
            }
            Fact::LotExpired { lot, amount, rollover } => {
                self.expire_lot(*lot, *amount, rollover.as_ref(), at, &mut legs)?;
            }
            Fact::Uncollected { hold, amount } => {
                self.remember(*hold, recorded_at, End::Uncollected { amount: *amount });
            }
            Fact::OrderPlaced(order) => self.place_order(order, at)?,
            Fact::OrderCancelled { order } => self.cancel_order(*order)?,
            Fact::OrderInvoiced { order, lots } => self.invoice_order(*order, lots, at, &mut legs)?,
            Fact::OrderPaid { order, lots } => self.pay_order(*order, lots, at, &mut legs)?,
            Fact::OrderReversed { order, reversal } => self.reverse_order(*order, reversal, at, &mut legs)?,
            Fact::GivenBack { capture, returned, reason, replacements } => {
                self.give_back(capture, returned, *reason, replacements, at, &mut legs)?;
            }
            Fact::Withdrawn { lot, amount } => self.withdraw(*lot, *amount, &mut legs)?,
            Fact::PlanChanged { plan, new_anchor, anchor_policy, cut } => {
                for slice in cut {
                    self.withdraw(slice.lot, slice.amount, &mut legs)?;
                }
                self.change_plan(*plan, *new_anchor, *anchor_policy, at);
            }
            Fact::CohortJoined { cohort, bonus } => {
                self.join_cohort(*cohort)?;
                bonus.iter().try_for_each(|bonus| self.grant(bonus, &mut legs))?;
            }
            Fact::BudgetSet { subject, period, limit } => self.set_budget(*subject, *period, *limit, recorded_at),
            Fact::OverridesSet { overrides } => self.agreed_mut().overrides.clone_from(overrides),
            Fact::AlertSet { below } => self.set_alert(*below),
            Fact::LowBalance { below, available } => self.tell_low_balance(*below, *available, recorded_at)?,
            Fact::Reopened { lot, amount } => self.unexpire(*lot, *amount, at, &mut legs)?,
            Fact::ClockSet => self.set_clock(at)?,
        }
        self.rearm_alert(recorded_at);
        Ok(legs.into_postings())
    }

    fn grant(&mut self, grant: &Grant, legs: &mut Legs) -> Result<(), Fault> {
        if grant.lot != self.next_lot() || grant.credits.is_zero() {
            return Err(Fault::Fact("lots are numbered in order and never empty"));
        }
        self.note_occurrence(grant.source)?;
        let (lot, credits) = (grant.lot, grant.credits.micro());
        legs.credit(LedgerAccount::Issuance(grant.class), lot, -credits);
        legs.credit(LedgerAccount::Lot, lot, credits);
        if let Some(cost) = grant.cost {
            let unit = Unit::Money(cost.currency);
            legs.add(LedgerAccount::Cash, unit, lot, cost.amount.minor() + grant.tax.minor());
            legs.add(LedgerAccount::Deferred, unit, lot, -cost.amount.minor());
            legs.add(LedgerAccount::TaxPayable, unit, lot, -grant.tax.minor());
        }
        self.insert_lot(LotRecord::new(grant));
        Ok(())
    }

    /// Takes note of the period a lot is of, so that it is not granted again.
    fn note_occurrence(&mut self, source: Source) -> Result<(), Fault> {
        match source {
            Source::Monthly { occurrence } if occurrence < self.next_occurrence => {
                return Err(Fault::Fact("a monthly occurrence is granted once"));
            }
            Source::Monthly { occurrence } | Source::PlanChange { occurrence } => {
                let next = occurrence.checked_add(1).ok_or(Fault::Fact("a month within time"))?;
                self.next_occurrence = self.next_occurrence.max(next);
            }
            Source::Purchase | Source::Bonus | Source::Goodwill => {}
            Source::Replacement { .. } | Source::Rollover { .. } => {
                return Err(Fault::Fact("a lot that replaces another comes with that one's end"));
            }
        }
        Ok(())
    }

    fn place(&mut self, hold: Hold, legs: &mut Legs) -> Result<(), Fault> {
        let Hold { id, amount, ref slices, placed_at, expires_at, .. } = hold;
        if sum(slices) != amount.micro() || expires_at <= placed_at || self.open_hold(id).is_some() {
            return Err(Fault::Fact("a hold is placed once, for its amount, for some time"));
        }
        for slice in slices {
            let index = self.live_lot(slice, placed_at)?;
            let lot = self.open_lots[index].number;
            self.change_held(lot, slice.amount.micro());
            legs.credit(LedgerAccount::Lot, lot, -slice.amount.micro());
            legs.credit(LedgerAccount::Held, lot, slice.amount.micro());
        }
        self.busy_mut().holds.push(Arc::new(hold));
        Ok(())
    }

    fn extend(&mut self, id: HoldId, expires_at: Timestamp) -> Result<(), Fault> {
        let holds = &mut self.busy_mut().holds;
        let hold = holds.iter_mut().find(|hold| hold.id == id).ok_or(Fault::Fact("a hold that is open"))?;
        if expires_at <= hold.expires_at || expires_at.since(hold.placed_at) > crate::HOLD_SECONDS_MAX {
            return Err(Fault::Fact("a hold is extended to a later time, of 24 hours in all"));
        }
        Arc::make_mut(hold).expires_at = expires_at;
        Ok(())
    }

    fn take_hold(&mut self, id: HoldId) -> Result<Arc<Hold>, Fault> {
        let holds = &mut self.busy_mut().holds;
        let index = holds.iter().position(|hold| hold.id == id).ok_or(Fault::Fact("a hold that is open"))?;
        Ok(holds.remove(index))
    }

    /// Finds a lot that is live and has the slice available.
    fn live_lot(&self, slice: &Slice, at: Timestamp) -> Result<usize, Fault> {
        let index = self.open_lots.iter().position(|lot| lot.number == slice.lot);
        let index = index.ok_or(Fault::Fact("a slice of a lot that has something left"))?;
        let lot = &self.open_lots[index];
        let amount = slice.amount.micro();
        if amount == 0 || !lot.is_live(at.micros()) || lot.available(self.held_of(lot.number)) < amount {
            return Err(Fault::Fact("a slice of what a live lot has available"));
        }
        Ok(index)
    }

    /// Spends a slice in one step.
    fn spend(&mut self, slice: &Slice, operation: &Operation, at: Timestamp, legs: &mut Legs) -> Result<(), Fault> {
        let index = self.live_lot(slice, at)?;
        let held = self.held_of(slice.lot);
        let before = self.open_lots[index];
        self.open_lots[index].captured += slice.amount.micro();
        legs.credit(LedgerAccount::Lot, slice.lot, -slice.amount.micro());
        legs.credit(LedgerAccount::Used(operation.clone()), slice.lot, slice.amount.micro());
        legs.money(&before, held, &self.open_lots[index], held, Some(operation), None);
        self.close_if_done(index);
        Ok(())
    }

    /// Spends and releases the slices of a hold, lot by lot in the order they were taken.
    fn end(&mut self, hold: &Hold, ending: Ending<'_>, at: Timestamp, legs: &mut Legs) -> Result<(), Fault> {
        let Ending { captured, released, replacements } = ending;
        if !is_split(&hold.slices, captured, released) {
            return Err(Fault::Fact(SPLIT));
        }
        let part = |slices: &[Slice], lot: LotNumber| {
            slices.iter().filter(|slice| slice.lot == lot).map(|slice| slice.amount.micro()).sum::<i64>()
        };
        for slice in &hold.slices {
            let lot = slice.lot;
            let (spent, freed) = (part(captured, lot), part(released, lot));
            let index = self.open_lots.iter().position(|other| other.number == lot);
            let index = index.expect("a lot with something held is open");
            let before = self.open_lots[index];
            let held = self.held_of(lot);
            self.change_held(lot, -(spent + freed));
            self.open_lots[index].captured += spent;

            let operation = &hold.quote.operation;
            legs.credit(LedgerAccount::Held, lot, -(spent + freed));
            legs.credit(LedgerAccount::Used(operation.clone()), lot, spent);
            // A slice of an expired lot stays capturable, but once released it is gone: the lot is over.
            let free = if before.expired { LedgerAccount::Expired } else { LedgerAccount::Lot };
            legs.credit(free, lot, freed);
            let replacement = replacements.iter().find(|replacement| replacement.of == lot);
            let after = &self.open_lots[index];
            legs.money(&before, held, after, held - spent - freed, Some(operation), replacement);
            self.close_if_done(index);
        }
        for replacement in replacements {
            self.replace(replacement, Source::Replacement { of: replacement.of }, at, legs);
        }
        if let Some(busy) = &mut self.busy {
            busy.budgets.release(&hold.spender, sum(released), hold.placed_at);
        }
        Ok(())
    }

    /// Issues the lot in which credits of an ended one live on.
    fn replace(&mut self, replacement: &Replacement, source: Source, at: Timestamp, legs: &mut Legs) {
        let of = self.record(replacement.of).expect("lots never leave the wallet");
        let grant = Grant {
            lot: replacement.lot,
            class: of.class,
            credits: replacement.credits,
            cost: replacement.cost,
            tax: crate::Cents::ZERO,
            effective_at: at,
            expires_at: Some(replacement.expires_at),
            priority: of.priority,
            source,
        };
        // The cost has moved along already, from the old lot's deferred money to the new one's.
        legs.credit(LedgerAccount::Issuance(grant.class), grant.lot, -grant.credits.micro());
        legs.credit(LedgerAccount::Lot, grant.lot, grant.credits.micro());
        self.insert_lot(LotRecord::new(&grant));
    }

    /// The lots that replace what expired while it was held, where the release is the operator's fault.
    pub(crate) fn replacements(&self, reason: VoidReason, released: &[Slice], at: Timestamp) -> Vec<Replacement> {
        if !reason.is_our_fault() {
            return Vec::new();
        }
        let mut replacements = Vec::new();
        let mut number = self.next_lot();
        for slice in released {
            let Some(lot) = self.record(slice.lot).filter(|lot| lot.expired) else { continue };
            let held = self.held_of(slice.lot);
            let carried = lot.money(held).1 - lot.money_after_release(held, slice.amount.micro()).1;
            let amount = crate::Cents::from_minor(carried).expect("deferred money falls with its credits");
            replacements.push(Replacement {
                lot: number,
                of: slice.lot,
                credits: slice.amount,
                cost: lot.currency().map(|currency| crate::Money::new(amount, currency)),
                expires_at: at.plus(crate::REFUND_GRACE).unwrap_or(Timestamp::MAX),
            });
            number = LotNumber(number.get() + 1);
        }
        replacements
    }

    fn expire_lot(
        &mut self,
        lot: LotNumber,
        amount: Credits,
        rollover: Option<&Replacement>,
        at: Timestamp,
        legs: &mut Legs,
    ) -> Result<(), Fault> {
        let index = self.open_lots.iter().position(|other| other.number == lot);
        let index = index.ok_or(Fault::Fact("a lot expires while it has something left"))?;
        let held = self.held_of(lot);
        let before = self.open_lots[index];
        if before.expired || before.expires_at != at.micros() || before.available(held) != amount.micro() {
            return Err(Fault::Fact("a lot expires once, at its own time, with what is available"));
        }
        if rollover.is_some_and(|rollover| {
            let part = rollover.of == lot && rollover.lot == self.next_lot() && rollover.credits <= amount;
            !part || rollover.cost != self.rolled_cost(lot, rollover.credits)
        }) {
            return Err(Fault::Fact("what rolls over is a part of what expires, with its cost"));
        }
        let rolled = rollover.map_or(0, |rollover| rollover.credits.micro());
        self.open_lots[index].expired = true;
        self.open_lots[index].withdrawn += rolled;
        legs.credit(LedgerAccount::Lot, lot, -amount.micro());
        legs.credit(LedgerAccount::Expired, lot, amount.micro() - rolled);
        legs.credit(LedgerAccount::Withdrawn, lot, rolled);
        legs.money(&before, held, &self.open_lots[index], held, None, rollover);
        self.close_if_done(index);
        if let Some(rollover) = rollover {
            self.replace(rollover, Source::Rollover { of: lot }, at, legs);
        }
        Ok(())
    }

    /// The cost that goes along when some of a lot's credits roll over: the money that leaves deferred with them.
    pub(crate) fn rolled_cost(&self, lot: LotNumber, credits: Credits) -> Option<crate::Money> {
        let record = self.record(lot)?;
        let held = self.held_of(lot);
        let all = held + record.available(held);
        let left = record.kept(all) - record.kept(all - credits.micro());
        let amount = crate::Cents::from_minor(left).expect("deferred money falls with its credits");
        record.currency().map(|currency| crate::Money::new(amount, currency))
    }

    /// Whether some of a lot's credits were replaced after it had expired.
    pub(crate) fn is_replaced(&self, lot: LotNumber) -> bool {
        let lots = self.closed_lots().iter().chain(&self.open_lots);
        lots.into_iter().any(|other| other.source() == Source::Replacement { of: lot })
    }

    /// Undoes an expiry. The lot's end has come all the same: it expires again in the same decision.
    fn unexpire(&mut self, lot: LotNumber, amount: Credits, at: Timestamp, legs: &mut Legs) -> Result<(), Fault> {
        if self.open_lots.iter().all(|other| other.number != lot) {
            self.reopen_lot(lot);
        }
        let index = self.open_lots.iter().position(|other| other.number == lot);
        let index = index.ok_or(Fault::Fact("an expiry is undone of a lot that was granted"))?;
        let held = self.held_of(lot);
        let before = self.open_lots[index];
        let expired = before.remaining(held);
        let undone = !before.expired || before.expires_at != at.micros() || expired != amount.micro() || expired == 0;
        // What was replaced is spendable elsewhere already.
        if undone || self.is_replaced(lot) {
            return Err(Fault::Fact("an expiry is undone where there is one, at its own time, with what expired"));
        }
        self.open_lots[index].expired = false;
        legs.credit(LedgerAccount::Expired, lot, -amount.micro());
        legs.credit(LedgerAccount::Lot, lot, amount.micro());
        legs.money(&before, held, &self.open_lots[index], held, None, None);
        Ok(())
    }

    /// Takes back credits that nothing was paid for.
    fn withdraw(&mut self, lot: LotNumber, amount: Credits, legs: &mut Legs) -> Result<(), Fault> {
        let index = self.open_lots.iter().position(|other| other.number == lot);
        let index = index.ok_or(Fault::Fact("credits are withdrawn of a lot that has some"))?;
        let (held, ordered) = (self.held_of(lot), self.is_ordered(lot));
        let record = &mut self.open_lots[index];
        if record.cost != 0 || ordered || amount.is_zero() || record.available(held) < amount.micro() {
            return Err(Fault::Fact("at most what is available is withdrawn, of a lot without a cost"));
        }
        record.withdrawn += amount.micro();
        legs.credit(LedgerAccount::Lot, lot, -amount.micro());
        legs.credit(LedgerAccount::Withdrawn, lot, amount.micro());
        self.close_if_done(index);
        Ok(())
    }

    /// Counts a spend in every budget that covers it.
    fn spend_budgets(&mut self, spender: &Spender, amount: Credits, at: Timestamp) -> Result<(), Fault> {
        let Some(busy) = self.busy.as_mut().filter(|busy| !busy.budgets.is_empty()) else { return Ok(()) };
        if busy.budgets.exceeded(spender, amount, at).is_some() {
            return Err(Fault::Fact("a spend stays within every budget"));
        }
        busy.budgets.spend(spender, amount.micro(), at);
        Ok(())
    }

    fn close_if_done(&mut self, index: usize) {
        let lot = &self.open_lots[index];
        let held = self.held_of(lot.number);
        if held == 0 && lot.available(held) == 0 {
            self.close_lot(index);
        }
    }

    fn remember(&mut self, hold: HoldId, at: Timestamp, end: End) {
        self.busy_mut().memory.remember(Ended { hold, at, end });
    }
}

fn sum(slices: &[Slice]) -> i64 {
    slices.iter().map(|slice| slice.amount.micro()).sum()
}

/// Whether `captured` is a prefix of `slices` and `released` the rest of it, last slice first.
fn is_split(slices: &[Slice], captured: &[Slice], released: &[Slice]) -> bool {
    let (expected_captured, expected_released) = split(slices, sum(captured));
    expected_captured == captured && expected_released == released
}

/// Splits the slices of a hold at an amount: the prefix in order, the rest last slice first.
pub(crate) fn split(slices: &[Slice], amount: i64) -> (Vec<Slice>, Vec<Slice>) {
    let (mut captured, mut released) = (Vec::new(), Vec::new());
    let mut left = amount;
    let credits = |micro| Credits::from_micro(micro).expect("a part of a slice is not negative");
    for slice in slices {
        let spent = slice.amount.micro().min(left);
        let freed = slice.amount.micro() - spent;
        left -= spent;
        if spent > 0 {
            captured.push(Slice { lot: slice.lot, amount: credits(spent) });
        }
        if freed > 0 {
            released.push(Slice { lot: slice.lot, amount: credits(freed) });
        }
    }
    released.reverse();
    (captured, released)
}

#[cfg(test)]
mod tests;

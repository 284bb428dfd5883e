//! Applying that captured credits are given back.

use crate::amount::{Cents, Credits, Money};
use crate::broken::Fault;
use crate::entry::Replacement;
use crate::give_back::{Capture, GiveBackReason};
use crate::hold::Slice;
use crate::ids::{HoldId, LotNumber};
use crate::legs::Legs;
use crate::lot::Source;
use crate::posting::LedgerAccount;
use crate::time::Timestamp;
use crate::wallet::Wallet;

use std::sync::Arc;

impl Wallet {
    pub(super) fn give_back(
        &mut self,
        capture: &Capture,
        returned: &[Slice],
        reason: GiveBackReason,
        replacements: &[Replacement],
        at: Timestamp,
        legs: &mut Legs,
    ) -> Result<(), Fault> {
        let amount = super::sum(returned);
        let given = self.given_back(capture.hold).micro();
        if amount == 0 || given + amount > capture.amount().micro() || returned != capture.backwards(given, amount) {
            return Err(Fault::Fact("what was captured is given back once, the last captured first"));
        }
        if *replacements != self.given_replacements(reason, returned, at) {
            return Err(Fault::Fact("lots are replaced where the fault is the operator's, and only there"));
        }
        for slice in returned {
            let lot = slice.lot;
            if self.open_lots.iter().all(|other| other.number != lot) {
                self.reopen_lot(lot);
            }
            let index = self.open_lots.iter().position(|other| other.number == lot);
            let index = index.ok_or(Fault::Fact("credits are given back to a lot that was granted"))?;
            let held = self.held_of(lot);
            let before = self.open_lots[index];
            let after = &mut self.open_lots[index];
            after.captured -= slice.amount.micro();
            if after.captured < 0 {
                return Err(Fault::Fact("at most what was captured of a lot is given back to it"));
            }
            after.expired = before.is_over(at.micros());
            let place = if after.expired { LedgerAccount::Expired } else { LedgerAccount::Lot };
            legs.credit(LedgerAccount::Used(capture.operation.clone()), lot, -slice.amount.micro());
            legs.credit(place, lot, slice.amount.micro());
            let replacement = replacements.iter().find(|replacement| replacement.of == lot);
            legs.money(&before, held, after, held, Some(&capture.operation), replacement);
            self.close_if_done(index);
        }
        for replacement in replacements {
            self.replace(replacement, Source::Replacement { of: replacement.of }, at, legs);
        }
        let busy = self.busy_mut();
        busy.budgets.give_back(&capture.spender, amount, capture.admitted_at);
        note(Arc::make_mut(busy.given.get_or_insert_default()), capture.hold, amount);
        Ok(())
    }

    /// The lots that replace what has expired meanwhile, where the fault is the operator's.
    pub(crate) fn given_replacements(
        &self,
        reason: GiveBackReason,
        returned: &[Slice],
        at: Timestamp,
    ) -> Vec<Replacement> {
        if reason != GiveBackReason::ServiceFault {
            return Vec::new();
        }
        let mut replacements = Vec::new();
        let mut number = self.next_lot();
        for slice in returned {
            let Some(lot) = self.record(slice.lot).filter(|lot| lot.is_over(at.micros())) else { continue };
            let held = self.held_of(slice.lot);
            // All that stood for the credits moves along, as if they had never been captured.
            let all = lot.kept(held);
            let carried = all - lot.kept(held - slice.amount.micro().min(lot.captured + held));
            let amount = Cents::from_minor(carried).expect("a share grows with its credits");
            replacements.push(Replacement {
                lot: number,
                of: slice.lot,
                credits: slice.amount,
                cost: lot.currency().map(|currency| Money::new(amount, currency)),
                expires_at: at.plus(crate::REFUND_GRACE).unwrap_or(Timestamp::MAX),
            });
            number = LotNumber(number.get() + 1);
        }
        replacements
    }
}

fn note(given: &mut Vec<(HoldId, i64)>, hold: HoldId, amount: i64) {
    match given.iter_mut().find(|(id, _)| *id == hold) {
        Some((_, before)) => *before += amount,
        None => given.push((hold, amount)),
    }
}

/// Returns the sum of what is given back.
pub(crate) fn amount_of(returned: &[Slice]) -> Credits {
    Credits::from_micro(super::sum(returned)).expect("slices are not negative")
}

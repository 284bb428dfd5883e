//! Legs: collects the postings of one entry.

use crate::entry::Replacement;
use crate::ids::LotNumber;
use crate::lot::LotRecord;
use crate::operation::Operation;
use crate::posting::{LedgerAccount, Posting, Unit};

#[derive(Default)]
pub(crate) struct Legs {
    postings: Vec<Posting>,
}

impl Legs {
    /// Adds a posting; nothing for an amount of zero.
    pub(crate) fn add(&mut self, account: LedgerAccount, unit: Unit, lot: LotNumber, amount: i64) {
        if amount != 0 {
            if self.postings.capacity() == 0 {
                self.postings.reserve_exact(4);
            }
            self.postings.push(Posting { account, unit, lot, amount });
        }
    }

    pub(crate) fn credit(&mut self, account: LedgerAccount, lot: LotNumber, micro: i64) {
        self.add(account, Unit::Credits, lot, micro);
    }

    /// Adds what a change of a lot means in money.
    ///
    /// Recognised and deferred money are functions of the lot alone. What leaves deferred and is not earned by
    /// the operation was for credits that expired: breakage, or carried on by the lot that replaces them.
    pub(crate) fn money(
        &mut self,
        before: &LotRecord,
        held_before: i64,
        after: &LotRecord,
        held_after: i64,
        operation: Option<&Operation>,
        replacement: Option<&Replacement>,
    ) {
        let Some(currency) = before.currency() else { return };
        let unit = Unit::Money(currency);
        let (recognised_before, deferred_before) = before.money(held_before);
        let (recognised_after, deferred_after) = after.money(held_after);
        let left = deferred_before - deferred_after;
        let earned = recognised_after - recognised_before;
        let broken = left - earned;
        self.add(LedgerAccount::Deferred, unit, before.number, left);
        if let Some(operation) = operation {
            self.add(LedgerAccount::Revenue(operation.clone()), unit, before.number, -earned);
        }
        let moved = replacement.and_then(|replacement| replacement.cost).map_or(0, |cost| cost.amount.minor());
        if let Some(replacement) = replacement {
            self.add(LedgerAccount::Deferred, unit, replacement.lot, -moved);
        }
        self.add(LedgerAccount::BreakageRevenue, unit, before.number, moved - broken);
    }

    pub(crate) fn into_postings(self) -> Vec<Posting> {
        self.postings
    }
}

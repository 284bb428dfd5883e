//! What time has made true and nobody has booked: ends of holds and lots, months that began.

use crate::amount::{Cents, Credits};
use crate::apply::split;
use crate::calendar::{AnchorPolicy, months_after, occurrence, occurrence_at};
use crate::entry::{Fact, Grant, Replacement};
use crate::lot::{Class, LotRecord, Source};
use crate::plan::{PlanTerms, Rollover};
use crate::price_book::PriceBook;
use crate::time::Timestamp;
use crate::wallet::Wallet;

impl Wallet {
    /// Returns the earliest thing that is due at `now` and not booked; at one instant holds before lots before
    /// grants.
    pub(super) fn due(&self, book: &PriceBook, now: Timestamp) -> Option<(Timestamp, Fact)> {
        let hold = self.open_holds().filter(|hold| hold.expires_at <= now).min_by_key(|hold| hold.expires_at);
        let lot = self.open_lots.iter().filter(|lot| !lot.expired && lot.expires_at <= now.micros());
        let lot = lot.min_by_key(|lot| (lot.expires_at, lot.number));
        let hold = hold.map(|hold| {
            let (_, released) = split(&hold.slices, 0);
            (hold.expires_at, Fact::HoldExpired { hold: hold.id, released })
        });
        let lot = lot.map(|lot| {
            let amount = lot.available(self.held_of(lot.number));
            let amount = Credits::from_micro(amount).expect("what is available is not negative");
            let at = Timestamp::from_micros(lot.expires_at);
            (at, Fact::LotExpired { lot: lot.number, amount, rollover: self.rollover(book, lot, amount, at) })
        });
        let grant = self.due_grant(book, now).map(|grant| (grant.effective_at, Fact::Granted(grant)));
        // Of several that are due at one instant, the first in this order comes first.
        [hold, lot, grant].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Returns what of a period's unspent credits lives on, as the plan has it at the period's end.
    fn rollover(&self, book: &PriceBook, lot: &LotRecord, amount: Credits, at: Timestamp) -> Option<Replacement> {
        lot.source().occurrence()?;
        let Rollover { max, months } = self.plan_terms(book, at)?.rollover?;
        // Several lots of one period share its bound.
        let lots = self.closed_lots().iter().chain(&self.open_lots);
        let rolled =
            lots.filter(|lot| lot.effective_at == at.micros() && matches!(lot.source(), Source::Rollover { .. }));
        let left = max.micro() - rolled.map(|lot| lot.granted).sum::<i64>();
        let credits = Credits::from_micro(left.min(amount.micro())).filter(|credits| !credits.is_zero())?;
        Some(Replacement {
            lot: self.next_lot(),
            of: lot.number,
            credits,
            cost: self.rolled_cost(lot.number, credits),
            expires_at: months_after(at, months),
        })
    }

    /// Returns the plan's terms that hold for this account at an instant, its own terms left out of account.
    pub(crate) fn plan_terms<'b>(&self, book: &'b PriceBook, at: Timestamp) -> Option<&'b PlanTerms> {
        book.terms(&self.plan?, self.plan_since(), at)
    }

    /// Returns the terms that hold for this account at an instant: its plan's, with its own in their place.
    #[must_use]
    pub fn terms(&self, book: &PriceBook, at: Timestamp) -> Option<PlanTerms> {
        let plan = self.plan_terms(book, at)?;
        Some(self.overrides().map_or_else(|| plan.clone(), |overrides| overrides.over(plan)))
    }

    /// Returns the credits of a month on these terms.
    pub(crate) fn monthly(&self, terms: &PlanTerms) -> Credits {
        self.overrides().and_then(|overrides| overrides.monthly).unwrap_or(terms.monthly)
    }

    /// Returns which day of the month the anchor stands for: as the plan had it when the anchor was set, for ever.
    /// A version that changes or ends the plan neither moves months nor takes back the one that runs.
    pub(crate) fn anchor_policy(&self, book: &PriceBook, now: Timestamp) -> Option<AnchorPolicy> {
        let plan = self.plan?;
        if let Some(policy) = self.agreed().and_then(|agreed| agreed.anchor_policy) {
            return Some(policy);
        }
        let terms = book.plan_at(&plan, self.anchor).or_else(|| book.plan_at(&plan, now))?;
        Some(terms.anchor_policy)
    }

    fn anchor_base(&self) -> u32 {
        self.agreed().map_or(0, |agreed| agreed.anchor_base)
    }

    /// Returns the number of the period that runs at an instant.
    pub(crate) fn occurrence_at(&self, at: Timestamp, policy: AnchorPolicy) -> Option<u32> {
        occurrence_at(self.anchor, at, policy)?.checked_add(self.anchor_base())
    }

    /// Returns when a period begins.
    pub(crate) fn occurrence_start(&self, number: u32, policy: AnchorPolicy) -> Timestamp {
        occurrence(self.anchor, number.saturating_sub(self.anchor_base()), policy)
    }

    /// Returns the monthly grant that is live at `now` and was not made. Occurrences that passed are gone. A plan
    /// that costs something grants when it is paid for.
    pub(crate) fn due_grant(&self, book: &PriceBook, now: Timestamp) -> Option<Grant> {
        let policy = self.anchor_policy(book, now)?;
        let index = self.occurrence_at(now, policy)?;
        if index < self.next_occurrence {
            return None;
        }
        let at = self.occurrence_start(index, policy);
        let terms = self.plan_terms(book, at).filter(|terms| !terms.is_paid())?;
        let credits = Some(self.monthly(terms)).filter(|monthly| !monthly.is_zero())?;
        let end = index.checked_add(u32::from(terms.expires.get()))?;
        Some(Grant {
            lot: self.next_lot(),
            class: Class::Free,
            credits,
            cost: None,
            tax: Cents::ZERO,
            effective_at: at,
            expires_at: Some(self.occurrence_start(end, policy)),
            priority: terms.priority,
            source: Source::Monthly { occurrence: index },
        })
    }
}

//! Lots: what one grant leaves.
//!
//! `granted = available + held + captured + expired + withdrawn`, each at least zero, always. What is not captured,
//! held or withdrawn is available until the lot's expiry is booked and expired after: one flag, so no sum can disagree.

use crate::amount::{Cents, Credits, Currency, Money};
use crate::ids::LotNumber;
use crate::time::Timestamp;

/// What kind of credits a lot holds. The order is the burn order's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// Of a plan that costs nothing.
    Free,
    /// Of a bonus or a code.
    Promo,
    /// Bought.
    Paid,
}

impl Class {
    /// All classes in burn order.
    pub const ALL: [Self; 3] = [Self::Free, Self::Promo, Self::Paid];

    /// Returns the name: `free`, `promo`, `paid`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Promo => "promo",
            Self::Paid => "paid",
        }
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a lot comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A plan's monthly occurrence, counted from the account's anchor; the anchor itself is 0.
    Monthly {
        /// Which one. Never granted twice.
        occurrence: u32,
    },
    /// A pack.
    Purchase,
    /// A gift that was promised, such as a cohort's.
    Bonus,
    /// A gift that an operator decided on.
    Goodwill,
    /// A release that was the operator's fault came after the lot had expired; see [`crate::Replacement`].
    Replacement {
        /// The lot that had expired.
        of: LotNumber,
    },
    /// What a month left unspent, as far as the plan lets it live on.
    Rollover {
        /// The month's lot.
        of: LotNumber,
    },
    /// What a better plan gives for the rest of a period.
    PlanChange {
        /// The period's occurrence.
        occurrence: u32,
    },
}

impl Source {
    /// Returns the name: `monthly`, `purchase`, `bonus`, `goodwill`, `replacement`, `rollover`, `plan_change`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monthly { .. } => "monthly",
            Self::Purchase => "purchase",
            Self::Bonus => "bonus",
            Self::Goodwill => "goodwill",
            Self::Replacement { .. } => "replacement",
            Self::Rollover { .. } => "rollover",
            Self::PlanChange { .. } => "plan_change",
        }
    }

    /// Returns the period that the lot's credits belong to.
    #[must_use]
    pub const fn occurrence(self) -> Option<u32> {
        match self {
            Self::Monthly { occurrence } | Self::PlanChange { occurrence } => Some(occurrence),
            _ => None,
        }
    }

    /// Returns the lot whose credits live on in this one.
    #[must_use]
    pub const fn replaces(self) -> Option<LotNumber> {
        match self {
            Self::Replacement { of } | Self::Rollover { of } => Some(of),
            _ => None,
        }
    }
}

/// One lot as it stands. A copy: changing it changes no wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its number in the wallet.
    pub number: LotNumber,
    /// Its class.
    pub class: Class,
    /// Where it comes from.
    pub source: Source,
    /// What was granted.
    pub granted: Credits,
    /// What can be held now, or later where the lot is not effective yet.
    pub available: Credits,
    /// What open holds have set aside.
    pub held: Credits,
    /// What was spent: on operations, or to repay a debt.
    pub captured: Credits,
    /// What expired unspent.
    pub expired: Credits,
    /// What was taken back.
    pub withdrawn: Credits,
    /// What was paid for it, without tax.
    pub cost: Option<Money>,
    /// When it can first be held.
    pub effective_at: Timestamp,
    /// When it can no longer be held; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Its place in the burn order; lower burns first.
    pub priority: i8,
}

impl Lot {
    /// Returns whether the lot is live: `effective_at ≤ at < expires_at`.
    #[must_use]
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.effective_at <= at && self.expires_at.is_none_or(|end| at < end)
    }

    /// Returns the money earned by captures: `floor(cost × captured ÷ granted)`.
    #[must_use]
    pub fn recognised(&self) -> Cents {
        share(self.cost_minor(), self.captured.micro(), self.granted.micro())
    }

    /// Returns the money still owed in credits: the share of captured, available and held together, less what
    /// is recognised.
    #[must_use]
    pub fn deferred(&self) -> Cents {
        let kept = self.captured.micro() + self.available.micro() + self.held.micro();
        share(self.cost_minor(), kept, self.granted.micro())
            .checked_sub(self.recognised())
            .expect("a share grows with its credits")
    }

    /// Returns the money that left otherwise: as breakage, given back, or carried on by replacement lots.
    #[must_use]
    pub fn left_cost(&self) -> Cents {
        Cents::from_minor(self.cost_minor() - self.recognised().minor() - self.deferred().minor())
            .expect("recognised and deferred are shares of the cost")
    }

    fn cost_minor(&self) -> i64 {
        self.cost.map_or(0, |cost| cost.amount.minor())
    }
}

/// Returns `floor(cost × credits ÷ granted)`: the one rule that all revenue follows.
///
/// Any way of splitting the lot adds up to exactly its cost, because the shares telescope.
pub(crate) fn share(cost: i64, credits: i64, granted: i64) -> Cents {
    assert!(0 <= credits && credits <= granted && granted > 0, "{credits} of {granted} credits is no share");
    if cost == 0 {
        return Cents::ZERO;
    }
    let share = i128::from(cost) * i128::from(credits) / i128::from(granted);
    let share = i64::try_from(share).expect("a share never exceeds the cost");
    Cents::from_minor(share).expect("a cost is not negative")
}

/// A lot as the wallet keeps it: 64 bytes. What is held is kept beside, because idle wallets hold nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LotRecord {
    pub(crate) granted: i64,
    pub(crate) captured: i64,
    pub(crate) withdrawn: i64,
    pub(crate) cost: i64,
    pub(crate) effective_at: i64,
    /// `i64::MAX` for never.
    pub(crate) expires_at: i64,
    pub(crate) number: LotNumber,
    /// The occurrence or the lot that `source` speaks of.
    reference: u32,
    /// Zeros where there is no cost.
    currency: [u8; 3],
    source: u8,
    pub(crate) class: Class,
    pub(crate) priority: i8,
    /// Whether the expiry is booked: what is neither captured nor held is then expired, before it available.
    pub(crate) expired: bool,
}

impl LotRecord {
    pub(crate) fn new(grant: &crate::entry::Grant) -> Self {
        let (source, reference) = match grant.source {
            Source::Monthly { occurrence } => (0, occurrence),
            Source::Purchase => (1, 0),
            Source::Bonus => (2, 0),
            Source::Goodwill => (3, 0),
            Source::Replacement { of } => (4, of.get()),
            Source::Rollover { of } => (5, of.get()),
            Source::PlanChange { occurrence } => (6, occurrence),
        };
        Self {
            granted: grant.credits.micro(),
            captured: 0,
            withdrawn: 0,
            cost: grant.cost.map_or(0, |cost| cost.amount.minor()),
            effective_at: grant.effective_at.micros(),
            expires_at: grant.expires_at.map_or(i64::MAX, Timestamp::micros),
            number: grant.lot,
            reference,
            currency: grant.cost.map_or([0; 3], |cost| cost.currency.to_bytes()),
            source,
            class: grant.class,
            priority: grant.priority,
            expired: false,
        }
    }

    pub(crate) fn source(&self) -> Source {
        match self.source {
            0 => Source::Monthly { occurrence: self.reference },
            1 => Source::Purchase,
            2 => Source::Bonus,
            3 => Source::Goodwill,
            4 => Source::Replacement { of: LotNumber(self.reference) },
            5 => Source::Rollover { of: LotNumber(self.reference) },
            _ => Source::PlanChange { occurrence: self.reference },
        }
    }

    pub(crate) fn currency(&self) -> Option<Currency> {
        Currency::from_bytes(self.currency)
    }

    pub(crate) fn cost(&self) -> Option<Money> {
        let amount = Cents::from_minor(self.cost).expect("a cost is not negative");
        self.currency().map(|currency| Money::new(amount, currency))
    }

    /// What is neither captured nor held nor withdrawn.
    pub(crate) fn remaining(&self, held: i64) -> i64 {
        self.granted - self.captured - self.withdrawn - held
    }

    /// Whether its time is over at an instant, booked or not.
    pub(crate) fn is_over(&self, at: i64) -> bool {
        self.expired || self.expires_at <= at
    }

    pub(crate) fn available(&self, held: i64) -> i64 {
        if self.expired { 0 } else { self.remaining(held) }
    }

    pub(crate) fn is_live(&self, at: i64) -> bool {
        !self.expired && self.effective_at <= at && at < self.expires_at
    }

    /// Recognised and deferred money, in minor units.
    pub(crate) fn money(&self, held: i64) -> (i64, i64) {
        if self.cost == 0 {
            return (0, 0);
        }
        let recognised = share(self.cost, self.captured, self.granted).minor();
        let kept = self.captured + self.available(held) + held;
        (recognised, share(self.cost, kept, self.granted).minor() - recognised)
    }

    /// The money that stands for what is captured, and for `rest` more credits: recognised and deferred together.
    pub(crate) fn kept(&self, rest: i64) -> i64 {
        if self.cost == 0 { 0 } else { share(self.cost, self.captured + rest, self.granted).minor() }
    }

    /// The fewest available credits whose withdrawal makes at least this money leave deferred.
    pub(crate) fn worth(&self, held: i64, money: i64) -> i64 {
        if self.cost == 0 || money == 0 {
            return 0;
        }
        let all = self.captured + held + self.available(held);
        let rest = i128::from(self.kept(all - self.captured) - money);
        // The most credits whose share, rounded down, is what is to be left.
        let kept = ((rest + 1) * i128::from(self.granted) - 1).div_euclid(i128::from(self.cost));
        i64::try_from(i128::from(all) - kept.max(0)).map_or(0, |amount| amount.max(0))
    }

    /// Priority, soonest expiry, free before promo before paid, oldest, lot number: total, so replay agrees.
    pub(crate) fn burn_key(&self) -> (i8, i64, Class, i64, LotNumber) {
        (self.priority, self.expires_at, self.class, self.effective_at, self.number)
    }

    pub(crate) fn view(&self, held: i64) -> Lot {
        let credits = |micro| Credits::from_micro(micro).expect("every part of a lot is at least zero");
        let remaining = self.remaining(held);
        let (available, expired) = if self.expired { (0, remaining) } else { (remaining, 0) };
        Lot {
            number: self.number,
            class: self.class,
            source: self.source(),
            granted: credits(self.granted),
            available: credits(available),
            held: credits(held),
            captured: credits(self.captured),
            expired: credits(expired),
            withdrawn: credits(self.withdrawn),
            cost: self.cost(),
            effective_at: Timestamp::from_micros(self.effective_at),
            expires_at: (self.expires_at != i64::MAX).then(|| Timestamp::from_micros(self.expires_at)),
            priority: self.priority,
        }
    }
}

impl LotRecord {
    /// Recognised and deferred money once `freed` of what is held is released; for a lot that has expired.
    pub(crate) fn money_after_release(&self, held: i64, freed: i64) -> (i64, i64) {
        self.money(held - freed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Grant;

    #[test]
    fn a_lot_is_live_from_its_beginning_until_just_before_its_end() {
        let at = Timestamp::from_micros;
        let lot = LotRecord::new(&Grant {
            lot: LotNumber(1),
            class: Class::Free,
            credits: Credits::whole(1),
            cost: None,
            tax: Cents::ZERO,
            effective_at: at(10),
            expires_at: Some(at(20)),
            priority: 0,
            source: Source::Goodwill,
        });
        let live: Vec<i64> = (0..30).filter(|micros| lot.is_live(*micros)).collect();
        assert_eq!(live, (10..20).collect::<Vec<_>>());
        let seen: Vec<i64> = (0..30).filter(|micros| lot.view(0).is_live(at(*micros))).collect();
        assert_eq!(seen, live);
        let over: Vec<i64> = (0..30).filter(|micros| lot.is_over(*micros)).collect();
        assert_eq!(over, (20..30).collect::<Vec<_>>());
    }
}

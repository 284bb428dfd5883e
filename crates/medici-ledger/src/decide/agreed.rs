//! Deciding what is agreed with an account: cohorts, budgets, own terms, alerts, a sandbox's clock.

use std::time::Duration;

use crate::agreed::{Alert, Overrides};
use crate::amount::{AMOUNT_MAX, Cents, Credits};
use crate::budget::{BUDGETS_MAX, BudgetPeriod, Subject};
use crate::calendar::months_after;
use crate::cohort::{CohortName, CohortTerms};
use crate::command::Reply;
use crate::decide::Draft;
use crate::entry::{Fact, Grant};
use crate::give_back::{Capture, GiveBackReason};
use crate::ids::LotNumber;
use crate::lot::{Class, Source};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// How far a sandbox's clock moves at once: ten years.
const CLOCK_STEP_MAX: Duration = Duration::from_secs(3_653 * 24 * 60 * 60);

impl Draft<'_> {
    pub(super) fn join_cohort(&mut self, cohort: CohortName, code: Option<&str>) -> Result<Reply, Refusal> {
        if self.wallet.cohorts().contains(&cohort) {
            return Err(Refusal::CohortJoined);
        }
        let Some(terms) = self.book.cohort_at(&cohort, self.now) else {
            return Err(Refusal::UnknownCohort { cohort });
        };
        if code.is_some_and(|code| !terms.admits_code(code)) {
            return Err(Refusal::WrongCode);
        }
        Ok(Reply::CohortJoined(self.join(cohort, terms)))
    }

    /// Books that the account is in a cohort, and its bonus.
    pub(super) fn join(&mut self, cohort: CohortName, terms: &CohortTerms) -> Option<LotNumber> {
        let bonus = (!terms.bonus.is_zero()).then(|| Grant {
            lot: self.wallet.next_lot(),
            class: Class::Promo,
            credits: terms.bonus,
            cost: None,
            tax: Cents::ZERO,
            effective_at: self.now,
            expires_at: Some(months_after(self.now, terms.expires)),
            priority: terms.priority,
            source: Source::Bonus,
        });
        self.write(Fact::CohortJoined { cohort, bonus }, self.now);
        bonus.map(|bonus| bonus.lot)
    }

    pub(super) fn set_budget(
        &mut self,
        subject: Subject,
        period: BudgetPeriod,
        limit: Option<Credits>,
    ) -> Result<Reply, Refusal> {
        let budgets = self.wallet.budgets();
        let known = budgets.iter().find(|budget| budget.subject == subject && budget.period == period);
        if known.map(|budget| budget.limit) == limit {
            return Ok(Reply::Set);
        }
        if known.is_none() && budgets.len() >= BUDGETS_MAX {
            return Err(Refusal::TooManyOpen { what: "budgets", max: BUDGETS_MAX });
        }
        if limit.is_some_and(|limit| limit.micro() > AMOUNT_MAX) {
            return Err(Refusal::Overflow);
        }
        self.write(Fact::BudgetSet { subject, period, limit }, self.now);
        Ok(Reply::Set)
    }

    pub(super) fn set_overrides(&mut self, overrides: Option<&Overrides>) -> Result<Reply, Refusal> {
        if overrides.and_then(|overrides| overrides.monthly).is_some_and(|monthly| monthly.micro() > AMOUNT_MAX) {
            return Err(Refusal::Overflow);
        }
        // Terms that override nothing are none.
        let overrides = overrides.filter(|overrides| **overrides != Overrides::default());
        if self.wallet.overrides() != overrides {
            self.write(Fact::OverridesSet { overrides: overrides.cloned() }, self.now);
        }
        Ok(Reply::Set)
    }

    pub(super) fn set_alert(&mut self, below: Option<Credits>) -> Result<Reply, Refusal> {
        if below.is_some_and(|below| below.micro() > AMOUNT_MAX) {
            return Err(Refusal::Overflow);
        }
        if self.wallet.alert().map(|alert| alert.below) != below {
            self.write(Fact::AlertSet { below }, self.now);
        }
        Ok(Reply::Set)
    }

    /// Books that the balance is low, if somebody wants to be told and has not been.
    pub(super) fn tell_low_balance(&mut self) {
        let Some(Alert { below, told: false }) = self.wallet.alert() else { return };
        let available = Credits::from_micro(self.wallet.available_at(self.now)).expect("it is not negative");
        if available < below {
            self.write(Fact::LowBalance { below, available }, self.now);
        }
    }

    pub(super) fn set_clock(&mut self, to: Timestamp) -> Result<Reply, Refusal> {
        let clock = self.wallet.sandbox_clock().ok_or(Refusal::NotSandbox)?;
        if to < self.now || to.since(self.now) > CLOCK_STEP_MAX {
            return Err(Refusal::ClockRange { clock, asked: to });
        }
        if to == clock {
            return Ok(Reply::ClockSet { entries: self.entries.len() });
        }
        // As if somebody had looked at the account at every instant at which something happens. What becomes due may
        // be another thing from each version of the prices on.
        let next = |wallet: &Wallet, now: Timestamp| {
            let changes = self.book.versions().iter().map(|version| version.effective_at);
            changes.filter(|change| *change > now).chain(wallet.next_due(self.book, now)).min()
        };
        while let Some(due) = next(&self.wallet, self.now).filter(|due| *due <= to) {
            self.now = due.max(self.now);
            self.settle();
            self.tell_low_balance();
        }
        self.now = to;
        self.settle();
        let entries = self.entries.len();
        self.write(Fact::ClockSet, to);
        Ok(Reply::ClockSet { entries })
    }

    pub(super) fn give_back(
        &mut self,
        capture: &Capture,
        amount: Credits,
        reason: GiveBackReason,
    ) -> Result<Reply, Refusal> {
        let given = self.wallet.given_back(capture.hold);
        let left = capture.amount().checked_sub(given).unwrap_or(Credits::ZERO);
        if amount > left || amount.is_zero() {
            return Err(Refusal::MoreThanCaptured { asked: amount, left });
        }
        let returned = capture.backwards(given.micro(), amount.micro());
        let replacements = self.wallet.given_replacements(reason, &returned, self.now);
        self.write(Fact::GivenBack { capture: capture.clone(), returned, reason, replacements }, self.now);
        Ok(Reply::GivenBack { hold: capture.hold, amount, total: self.wallet.given_back(capture.hold) })
    }

    pub(super) fn withdraw(&mut self, lot: LotNumber, amount: Credits) -> Result<Reply, Refusal> {
        let ordered = self.wallet.is_ordered(lot);
        let record = self.wallet.open_lots.iter().find(|record| record.number == lot && record.cost == 0 && !ordered);
        let available = record.map_or(0, |record| record.available(self.wallet.held_of(lot)));
        let available = Credits::from_micro(available).expect("what is available is not negative");
        if amount.is_zero() || amount > available {
            return Err(Refusal::BadWithdrawal { available });
        }
        self.write(Fact::Withdrawn { lot, amount }, self.now);
        Ok(Reply::Withdrawn)
    }
}

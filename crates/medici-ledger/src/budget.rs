//! Budgets: how much of an account's credits may be spent in a period, by everybody, a member or a key.
//!
//! A budget counts what was held and charged in its window, less what was released or given back of it. It is
//! checked and booked in the same decision as the hold, so no race passes it.

use std::fmt;

use crate::amount::Credits;
use crate::calendar::{day_of, month_of};
use crate::ids::{KeyId, MemberId};
use crate::time::Timestamp;

/// How many budgets one wallet has at most.
pub const BUDGETS_MAX: usize = 1_000;

/// Who spends: a member, by an API key, both or neither known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spender {
    /// The person.
    pub member: Option<MemberId>,
    /// The API key.
    pub key: Option<KeyId>,
}

impl Spender {
    /// Nobody in particular.
    pub const NOBODY: Self = Self { member: None, key: None };
}

/// Whose spending a budget bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// All of the account's.
    Account,
    /// One member's.
    Member(MemberId),
    /// What came by one API key.
    Key(KeyId),
}

impl Subject {
    /// Returns whether this is about a spend of `spender`.
    #[must_use]
    pub fn covers(&self, spender: &Spender) -> bool {
        match self {
            Self::Account => true,
            Self::Member(member) => spender.member == Some(*member),
            Self::Key(key) => spender.key == Some(*key),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.pad("account"),
            Self::Member(member) => member.fmt(f),
            Self::Key(key) => key.fmt(f),
        }
    }
}

/// How long a budget's window is. Windows follow the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BudgetPeriod {
    /// A day.
    Day,
    /// A calendar month, whatever the account's anchor.
    Month,
    /// For ever: a cap on all spending from now on.
    Always,
}

impl BudgetPeriod {
    /// All periods, shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Month, Self::Always];

    /// Returns the name: `day`, `month`, `always`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Always => "always",
        }
    }

    /// Returns when the window began that `at` falls in.
    #[must_use]
    pub fn window(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Day => day_of(at),
            Self::Month => month_of(at),
            Self::Always => Timestamp::MIN,
        }
    }
}

impl fmt::Display for BudgetPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A bound on spending, and how much of it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Whose spending.
    pub subject: Subject,
    /// In how long.
    pub period: BudgetPeriod,
    /// How much at most.
    pub limit: Credits,
    /// When it was first set; what was charged before does not count, and what was admitted by then does not leave
    /// when it is given back.
    pub since: Timestamp,
    /// When the window began that `used` is about.
    pub window: Timestamp,
    /// What was held and charged in the window and not released or given back.
    pub used: Credits,
}

impl Budget {
    /// Returns what is used in the window that `at` falls in.
    #[must_use]
    pub fn used_at(&self, at: Timestamp) -> Credits {
        if self.period.window(at) == self.window { self.used } else { Credits::ZERO }
    }

    /// Counts a spend.
    pub(crate) fn spend(&mut self, amount: i64, at: Timestamp) {
        let before = self.used_at(at).micro();
        self.window = self.period.window(at);
        self.used = Credits::from_micro(before + amount).expect("spends are not negative");
    }

    /// Counts what comes back of a spend that was booked at `booked_at`. Nothing where its window is over.
    pub(crate) fn give_back(&mut self, amount: i64, booked_at: Timestamp) {
        if self.period.window(booked_at) == self.window {
            let left = (self.used.micro() - amount).max(0);
            self.used = Credits::from_micro(left).expect("it is at least zero");
        }
    }
}

/// A wallet's budgets, each subject and period once, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budgets {
    budgets: Vec<Budget>,
}

impl Budgets {
    pub(crate) fn as_slice(&self) -> &[Budget] {
        &self.budgets
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.budgets.is_empty()
    }

    /// Returns the first budget that has no room for a spend.
    pub(crate) fn exceeded(&self, spender: &Spender, amount: Credits, at: Timestamp) -> Option<&Budget> {
        let over = |budget: &&Budget| {
            budget.subject.covers(spender) && budget.used_at(at).micro() + amount.micro() > budget.limit.micro()
        };
        if amount.is_zero() { None } else { self.budgets.iter().find(over) }
    }

    pub(crate) fn spend(&mut self, spender: &Spender, amount: i64, at: Timestamp) {
        for budget in self.budgets.iter_mut().filter(|budget| budget.subject.covers(spender)) {
            budget.spend(amount, at);
        }
    }

    /// Gives back what is released of a hold: one that was open when a budget was set counts from then on.
    pub(crate) fn release(&mut self, spender: &Spender, amount: i64, placed_at: Timestamp) {
        for budget in self.budgets.iter_mut().filter(|budget| budget.subject.covers(spender)) {
            budget.give_back(amount, placed_at);
        }
    }

    /// Gives back what an operator gives back of a charge: only what surely counted. What was admitted at the very
    /// instant at which a budget was set may have been before it, so it stays.
    pub(crate) fn give_back(&mut self, spender: &Spender, amount: i64, booked_at: Timestamp) {
        let counted = |budget: &&mut Budget| budget.subject.covers(spender) && booked_at > budget.since;
        for budget in self.budgets.iter_mut().filter(counted) {
            budget.give_back(amount, booked_at);
        }
    }

    /// Sets, changes or removes a budget. A new one begins with what `held` says is held already.
    pub(crate) fn set(
        &mut self,
        subject: Subject,
        period: BudgetPeriod,
        limit: Option<Credits>,
        at: Timestamp,
        held: impl FnOnce(Timestamp) -> i64,
    ) {
        let place = self.budgets.binary_search_by_key(&(subject, period), |budget| (budget.subject, budget.period));
        match (place, limit) {
            (Ok(index), Some(limit)) => self.budgets[index].limit = limit,
            (Ok(index), None) => {
                self.budgets.remove(index);
            }
            (Err(index), Some(limit)) => {
                let window = period.window(at);
                let used = Credits::from_micro(held(window)).expect("what is held is not negative");
                self.budgets.insert(index, Budget { subject, period, limit, since: at, window, used });
            }
            (Err(_), None) => {}
        }
    }

    /// Puts back what a snapshot kept; `None` where it is out of order.
    pub(crate) fn restore(budgets: Vec<Budget>) -> Option<Self> {
        let key = |budget: &Budget| (budget.subject, budget.period);
        budgets.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])).then_some(Self { budgets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_budgets_are_one_of_a_kind_and_in_order() {
        let budget = |period: BudgetPeriod| Budget {
            subject: Subject::Account,
            period,
            limit: Credits::whole(1),
            since: Timestamp::EPOCH,
            window: period.window(Timestamp::EPOCH),
            used: Credits::ZERO,
        };
        let restored =
            |periods: &[BudgetPeriod]| Budgets::restore(periods.iter().map(|period| budget(*period)).collect());
        let (day, month) = (BudgetPeriod::Day, BudgetPeriod::Month);
        assert_eq!(restored(&[day, month]).unwrap().as_slice(), [budget(day), budget(month)]);
        assert_eq!(restored(&[month, day]), None);
        assert_eq!(restored(&[day, day]), None);
    }
}

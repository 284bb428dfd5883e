//! Budgets, debts that refuse, and who is told of a low balance.

use medici_ledger::{BudgetPeriod, HoldId, Spender, Subject};

use super::calendar::{DAY, month_start};
use super::flaw::Flaw;
use super::model::{HOURS_24, Naive};

/// What a hold or charge counts on budgets.
#[derive(Clone, Copy, Debug)]
pub struct Spend {
    /// Its name.
    pub hold: HoldId,
    /// Who spends.
    pub spender: Spender,
    /// When it was admitted.
    pub admitted_at: i64,
    /// What is held and captured of it.
    pub amount: i64,
    /// What of that was given back.
    pub given: i64,
}

/// A bound on spending.
#[derive(Clone, Debug)]
pub struct NaiveBudget {
    /// Whose.
    pub subject: Subject,
    /// In how long.
    pub period: BudgetPeriod,
    /// How much.
    pub limit: i64,
    /// When it was set.
    pub since: i64,
    /// The first spend after it was set.
    pub first: usize,
    /// Spends that were held when it was set.
    pub held: Vec<usize>,
}

fn window(period: BudgetPeriod, at: i64) -> i64 {
    match period {
        BudgetPeriod::Day => at.div_euclid(DAY),
        BudgetPeriod::Month => month_start(at),
        BudgetPeriod::Always => 0,
    }
}

impl Naive {
    /// What is used of a budget in the window of an instant.
    #[must_use]
    pub fn used(&self, budget: &NaiveBudget, at: i64) -> i64 {
        let mut used = 0;
        for (index, spend) in self.spends.iter().enumerate() {
            let counts = index >= budget.first || budget.held.contains(&index);
            let same_window = window(budget.period, spend.admitted_at) == window(budget.period, at);
            if counts && same_window && budget.subject.covers(&spend.spender) {
                used += spend.amount;
                // What was admitted before the budget stays, once it is captured.
                if spend.admitted_at > budget.since {
                    used -= spend.given;
                }
            }
        }
        used
    }

    /// Refuses a spend for debt, then for the first budget without room. What costs nothing is never refused.
    pub(super) fn admit(&self, amount: i64, spender: Spender, now: i64) -> Result<(), String> {
        if amount == 0 {
            return Ok(());
        }
        let owed: i64 = self.orders.iter().map(|order| order.owed - order.repaid()).sum();
        if owed > 0 && self.version_at(now).is_none_or(|version| version.debt_refuses) {
            return Err(format!("in debt {owed}"));
        }
        for budget in &self.budgets {
            let used = self.used(budget, now);
            if budget.subject.covers(&spender) && used + amount > budget.limit {
                let (subject, period, limit) = (budget.subject, budget.period, budget.limit);
                return Err(format!("budget {subject} {period}: {used} of {limit} used, {amount} needed"));
            }
        }
        Ok(())
    }

    /// Takes what is released of a hold off all budgets that count it.
    pub(super) fn uncount(&mut self, spend: usize, released: i64) {
        if self.flaw != Flaw::BudgetKeepsReleases {
            self.spends[spend].amount -= released;
        }
    }

    pub(super) fn count_given(&mut self, hold: HoldId, admitted_at: i64, amount: i64) {
        let spend = self.spends.iter_mut().rfind(|spend| spend.hold == hold && spend.admitted_at == admitted_at);
        spend.expect("only what was spent is given back").given += amount;
    }

    pub(super) fn set_budget(&mut self, subject: Subject, period: BudgetPeriod, limit: Option<i64>, now: i64) {
        let known = self.budgets.iter().position(|budget| (budget.subject, budget.period) == (subject, period));
        match (known, limit) {
            (Some(index), Some(limit)) if self.budgets[index].limit == limit => return,
            (Some(index), Some(limit)) => self.budgets[index].limit = limit,
            (Some(index), None) => drop(self.budgets.remove(index)),
            (None, Some(limit)) => {
                let open = self.holds.iter().filter(|hold| hold.state == super::holds::State::Open);
                let held = open.map(|hold| hold.spend).collect();
                let first = self.spends.len();
                self.budgets.push(NaiveBudget { subject, period, limit, since: now, first, held });
                self.budgets.sort_by_key(|budget| (budget.subject, budget.period));
            }
            (None, None) => return,
        }
        self.book();
    }

    /// Counts an entry. Somebody who was told of a low balance may be told again once it is not low any more.
    pub(super) fn book(&mut self) {
        self.entries += 1;
        if let Some((below, _)) = self.alert()
            && self.available(self.now) >= below
        {
            self.account_mut().alert = Some((below, false));
        }
    }

    /// Tells of a low balance after a decision.
    pub(super) fn tell(&mut self) {
        if let Some((below, told)) = self.alert()
            && self.available(self.now) < below
            && (!told || self.flaw == Flaw::AlertEveryTime)
        {
            self.account_mut().alert = Some((below, true));
            self.entries += 1;
        }
    }

    fn alert(&self) -> Option<(i64, bool)> {
        self.account.as_ref()?.alert
    }

    fn available(&self, at: i64) -> i64 {
        self.live(at).iter().map(|lot| lot.available).sum()
    }

    /// Returns when the windows of budgets end, and when usage of an end is too late, for tests that aim there.
    pub(super) fn edges(&self, now: i64) -> Vec<i64> {
        let mut edges = Vec::new();
        if !self.budgets.is_empty() {
            edges.push((now.div_euclid(DAY) + 1) * DAY);
        }
        let grace = self.version_at(now).map_or(HOURS_24, |version| version.late_grace);
        edges.extend(self.lots.iter().filter_map(|lot| lot.expires_at).map(|end| end + grace));
        edges
    }
}

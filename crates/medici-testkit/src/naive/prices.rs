//! What versions of the price book say, as rows.

use medici_ledger::{CohortName, Currency, PlanName};

use super::model::{Naive, NaiveAccount};

/// What a plan gives each month.
#[derive(Clone, Debug)]
pub struct NaivePlan {
    /// Its name.
    pub name: PlanName,
    /// Micro-credits a month; 0 for none.
    pub monthly: i64,
    /// How many months they live.
    pub months: usize,
    /// Whether anchors after the 28th refill on the 28th.
    pub on_28th: bool,
    /// The priority of its lots.
    pub priority: i64,
    /// What a month costs; `None` for nothing.
    pub price: Option<(i64, Currency)>,
    /// The most that lives on of a month, and for how many months.
    pub rollover: Option<(i64, usize)>,
    /// Whether accounts that were on it before keep the terms they had.
    pub grandfather: bool,
}

/// Who is given credits once.
#[derive(Clone, Debug)]
pub struct NaiveCohort {
    /// Its name.
    pub name: CohortName,
    /// Micro-credits.
    pub bonus: i64,
    /// How many months they live.
    pub months: usize,
    /// The priority of its lots.
    pub priority: i64,
    /// What an account joins with.
    pub code: Option<&'static str>,
    /// When accounts are opened that join by themselves.
    pub opened: Option<(i64, i64)>,
}

/// What holds from one instant on.
#[derive(Clone, Debug)]
pub struct NaiveVersion {
    /// That instant.
    pub effective_at: i64,
    /// The plans.
    pub plans: Vec<NaivePlan>,
    /// The cohorts, by name.
    pub cohorts: Vec<NaiveCohort>,
    /// How late usage may come.
    pub late_grace: i64,
    /// Whether debt refuses what costs something.
    pub debt_refuses: bool,
    /// Whether orders may be invoiced.
    pub invoice: bool,
}

impl Naive {
    pub(super) fn version_at(&self, at: i64) -> Option<&NaiveVersion> {
        self.versions.iter().rfind(|version| version.effective_at <= at)
    }

    /// A plan's terms for somebody who comes to it at that instant.
    pub(super) fn plan_at(&self, name: PlanName, at: i64) -> Option<&NaivePlan> {
        self.version_at(at)?.plans.iter().find(|plan| plan.name == name)
    }

    /// The account's terms at an instant, its own monthly credits among them.
    pub(super) fn terms_at(&self, at: i64) -> Option<NaivePlan> {
        let account = self.account.as_ref()?;
        let plan_of = |version: &NaiveVersion| version.plans.iter().find(|plan| plan.name == account.plan).cloned();
        let before: Vec<&NaiveVersion> = self.versions.iter().filter(|version| version.effective_at <= at).collect();
        let mut index = before.len().checked_sub(1)?;
        let mut terms = plan_of(before[index])?;
        // Whoever was on the plan before a version that says so keeps what held before it.
        while terms.grandfather && account.plan_since < before[index].effective_at && index > 0 {
            let Some(older) = plan_of(before[index - 1]) else { break };
            (index, terms) = (index - 1, older);
        }
        terms.monthly = account.overrides.flatten().unwrap_or(terms.monthly);
        Some(terms)
    }

    /// What a plan's newcomer gets a month on this account.
    pub(super) fn monthly_of(account: &NaiveAccount, plan: &NaivePlan) -> i64 {
        account.overrides.flatten().unwrap_or(plan.monthly)
    }
}

impl NaivePlan {
    /// The price, where it costs something.
    pub(super) fn costs(&self) -> Option<(i64, Currency)> {
        self.price.filter(|(minor, _)| *minor > 0)
    }
}

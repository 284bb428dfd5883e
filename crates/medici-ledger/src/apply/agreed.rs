//! Applying what is agreed with an account: its plan, cohorts, budgets, alert, a sandbox's clock.

use crate::agreed::Alert;
use crate::amount::Credits;
use crate::broken::Fault;
use crate::budget::{BudgetPeriod, Subject};
use crate::calendar::AnchorPolicy;
use crate::cohort::CohortName;
use crate::plan::PlanName;
use crate::time::Timestamp;
use crate::wallet::Wallet;

impl Wallet {
    pub(super) fn change_plan(&mut self, plan: PlanName, new_anchor: bool, policy: AnchorPolicy, at: Timestamp) {
        self.plan = Some(plan);
        let base = self.next_occurrence;
        let agreed = self.agreed_mut();
        agreed.plan_since = Some(at);
        agreed.anchor_policy = Some(policy);
        if new_anchor {
            agreed.anchor_base = base;
            self.anchor = at;
        }
    }

    pub(super) fn join_cohort(&mut self, cohort: CohortName) -> Result<(), Fault> {
        let cohorts = &mut self.agreed_mut().cohorts;
        let Err(place) = cohorts.binary_search(&cohort) else {
            return Err(Fault::Fact("a cohort is joined once"));
        };
        cohorts.insert(place, cohort);
        Ok(())
    }

    pub(super) fn set_budget(&mut self, subject: Subject, period: BudgetPeriod, limit: Option<Credits>, at: Timestamp) {
        let mut budgets = std::mem::take(&mut self.busy_mut().budgets);
        budgets.set(subject, period, limit, at, |window| {
            let counts = |hold: &&crate::Hold| subject.covers(&hold.spender) && hold.placed_at >= window;
            self.open_holds().filter(counts).map(|hold| hold.amount.micro()).sum()
        });
        self.busy_mut().budgets = budgets;
    }

    pub(super) fn set_alert(&mut self, below: Option<Credits>) {
        self.agreed_mut().alert = below.map(|below| Alert { below, told: false });
    }

    pub(super) fn tell_low_balance(&mut self, below: Credits, available: Credits, at: Timestamp) -> Result<(), Fault> {
        let low = available < below && self.available_at(at) == available.micro();
        match &mut self.agreed_mut().alert {
            Some(alert) if alert.below == below && !alert.told && low => alert.told = true,
            _ => return Err(Fault::Fact("a low balance is told once, when it is low")),
        }
        Ok(())
    }

    /// Makes an alert ready to tell again once the balance has recovered.
    pub(super) fn rearm_alert(&mut self, at: Timestamp) {
        let Some(Alert { below, told: true }) = self.alert() else { return };
        if self.available_at(at) >= below.micro() {
            self.set_alert(Some(below));
        }
    }

    /// What live lots have available, as booked.
    pub(crate) fn available_at(&self, at: Timestamp) -> i64 {
        let live = self.open_lots.iter().filter(|lot| lot.is_live(at.micros()));
        live.map(|lot| lot.available(self.held_of(lot.number))).sum()
    }

    pub(super) fn set_clock(&mut self, at: Timestamp) -> Result<(), Fault> {
        match &mut self.agreed_mut().clock {
            Some(clock) if *clock <= at => *clock = at,
            _ => return Err(Fault::Fact("a sandbox's clock is set, and never back")),
        }
        Ok(())
    }
}

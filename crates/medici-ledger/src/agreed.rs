//! What was agreed with one account beside the price book: since when its plan runs, terms of its own, cohorts it
//! has joined, when it is told of a low balance, and a sandbox's clock.

use crate::amount::Credits;
use crate::calendar::AnchorPolicy;
use crate::cohort::CohortName;
use crate::plan::{PlanLimits, PlanTerms};
use crate::time::Timestamp;

/// Terms that hold for one account instead of its plan's. What is `None` is as the plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Credits a month.
    pub monthly: Option<Credits>,
    /// Limits; each that is given replaces the plan's.
    pub limits: PlanLimits,
}

impl Overrides {
    /// Returns the plan's terms with these in their place.
    #[must_use]
    pub fn over(&self, plan: &PlanTerms) -> PlanTerms {
        let mut terms = plan.clone();
        if let Some(monthly) = self.monthly {
            terms.monthly = monthly;
        }
        let PlanLimits { images_max, jobs_open_max, models } = self.limits.clone();
        terms.limits.images_max = images_max.or(terms.limits.images_max);
        terms.limits.jobs_open_max = jobs_open_max.or(terms.limits.jobs_open_max);
        terms.limits.models = models.or(terms.limits.models);
        terms
    }
}

/// A balance below which somebody is told, once each time it is crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What is available is low below this.
    pub below: Credits,
    /// Whether it has been told and the balance has not recovered since.
    pub told: bool,
}

/// Everything that is not the price book's; nothing of it for most accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// When the plan began, where that is not when the account was opened.
    pub(crate) plan_since: Option<Timestamp>,
    /// The number of the anchor's own occurrence: occurrences are numbered on when the anchor moves.
    pub(crate) anchor_base: u32,
    /// Which day of the month the anchor stands for, once the plan has changed: as it was before.
    pub(crate) anchor_policy: Option<AnchorPolicy>,
    pub(crate) overrides: Option<Overrides>,
    /// Sorted.
    pub(crate) cohorts: Vec<CohortName>,
    pub(crate) alert: Option<Alert>,
    /// A sandbox's time. It stands still until it is set.
    pub(crate) clock: Option<Timestamp>,
}

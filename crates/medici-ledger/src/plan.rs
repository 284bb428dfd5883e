//! Plans: what an account is entitled to each month, and what it pays for it.

use std::sync::Arc;

use crate::amount::{Credits, Money};
use crate::calendar::{AnchorPolicy, Months};
use crate::lot::Class;
use crate::name::{OfPlan, ShortName};

/// The name of a plan.
pub type PlanName = ShortName<OfPlan>;

/// What a plan gives each month, and on which terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanTerms {
    /// The credits of each monthly occurrence; none for a plan without an allowance.
    pub monthly: Credits,
    /// How long each month's credits live, counted from the account's anchor.
    pub expires: Months,
    /// Which day of the month the account's anchor stands for.
    pub anchor_policy: AnchorPolicy,
    /// The priority of the monthly lots in the burn order; lower burns first.
    pub priority: i8,
    /// What a month costs, without tax; none or zero for a plan that costs nothing.
    pub price: Option<Money>,
    /// What of a month's unspent credits lives on; none for a plan whose months end.
    pub rollover: Option<Rollover>,
    /// What accounts on the plan may ask for.
    pub limits: PlanLimits,
    /// Whether accounts that were on the plan before this version keep the terms they had.
    pub grandfather: bool,
}

/// How much of a month's unspent credits lives on, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollover {
    /// The most credits that one month hands on.
    pub max: Credits,
    /// How long they live on after the end of their month.
    pub months: Months,
}

/// What accounts on a plan may ask for. The default has no limits but the operator's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanLimits {
    /// The most pictures of one request.
    pub images_max: Option<u32>,
    /// The most jobs that wait or run at once.
    pub jobs_open_max: Option<u32>,
    /// The models that may be asked for; none for all of them.
    pub models: Option<Arc<[Box<str>]>>,
}

impl PlanTerms {
    /// Returns the terms of a plan that costs nothing: `monthly` credits that live one month.
    #[must_use]
    pub const fn monthly(monthly: Credits) -> Self {
        Self {
            monthly,
            expires: Months::ONE,
            anchor_policy: AnchorPolicy::Keep,
            priority: 0,
            price: None,
            rollover: None,
            limits: PlanLimits { images_max: None, jobs_open_max: None, models: None },
            grandfather: false,
        }
    }

    /// Returns whether the plan costs money.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.price.is_some_and(|price| !price.amount.is_zero())
    }

    /// Returns the class of the plan's credits: paid where it costs money, free otherwise.
    #[must_use]
    pub fn class(&self) -> Class {
        if self.is_paid() { Class::Paid } else { Class::Free }
    }
}

//! The price book: a dated, append-only list of versions. A version is never edited.

use std::collections::BTreeMap;
use std::fmt;

use crate::amount::AMOUNT_MAX;
use crate::cohort::{CohortName, CohortTerms};
use crate::operation::Operation;
use crate::pack::{Cliff, Pack, PackName};
use crate::plan::{PlanName, PlanTerms};
use crate::policy::Policy;
use crate::price_rule::OperationPrice;
use crate::quote::{ChargeMode, Quote, Usage};
use crate::time::Timestamp;

/// Prices and plans from one instant on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceVersion {
    /// When it comes into force; names the version.
    pub effective_at: Timestamp,
    /// What operations cost. One without a price cannot be bought.
    pub operations: BTreeMap<Operation, OperationPrice>,
    /// What accounts are entitled to each month.
    pub plans: BTreeMap<PlanName, PlanTerms>,
    /// What can be bought.
    pub packs: Vec<Pack>,
    /// Who is given credits once.
    pub cohorts: BTreeMap<CohortName, CohortTerms>,
    /// What the operator decided.
    pub policy: Policy,
}

/// All versions, in the order they come into force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceBook {
    versions: Vec<PriceVersion>,
}

/// Why a version is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceBookError {
    /// Another version has the same effective instant.
    SameInstant {
        /// The instant.
        effective_at: Timestamp,
    },
    /// The version would have been in force already.
    PastDated {
        /// The version's instant.
        effective_at: Timestamp,
        /// The time of publishing.
        now: Timestamp,
    },
    /// A price covers no picture.
    NothingIncluded {
        /// Of what.
        operation: Operation,
    },
    /// An amount above what can be stated.
    TooLarge {
        /// Where it stands.
        place: Box<str>,
    },
    /// A pack without credits, or with tiers that do not ascend.
    Pack {
        /// Its place in the version, from 0.
        index: usize,
    },
}

impl fmt::Display for PriceBookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameInstant { effective_at } => write!(f, "two price versions take effect at {effective_at}"),
            Self::PastDated { effective_at, now } => {
                write!(f, "a price version takes effect in the future, found {effective_at} at {now}")
            }
            Self::NothingIncluded { operation } => {
                write!(f, "the price of {operation} covers at least 1 picture, found 0")
            }
            Self::TooLarge { place } => write!(f, "{place} is above {AMOUNT_MAX} of the smallest unit"),
            Self::Pack { index } => write!(f, "pack {index} needs credits and ascending tiers from 2 on"),
        }
    }
}

impl std::error::Error for PriceBookError {}

/// Why a request has no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuoteError {
    /// The version in force has no price for the operation.
    NoPrice {
        /// The operation.
        operation: Operation,
    },
    /// No picture was asked for.
    NothingAsked,
    /// The amount is above what can be stated.
    TooMany {
        /// How many pictures were asked for.
        count: u32,
    },
}

impl fmt::Display for QuoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrice { operation } => write!(f, "{operation} has no price now"),
            Self::NothingAsked => f.write_str("at least 1 picture needed, 0 asked for"),
            Self::TooMany { count } => write!(f, "the price of {count} pictures cannot be stated"),
        }
    }
}

impl std::error::Error for QuoteError {}

/// What an operator should look at before a version comes into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// One of the three picture operations has no price.
    NoPrice {
        /// The version.
        version: Timestamp,
        /// The operation.
        operation: Operation,
    },
    /// More packs would cost less.
    Cliff {
        /// The version.
        version: Timestamp,
        /// The numbers.
        cliff: Cliff,
    },
    /// The terms of a plan that exists change.
    PlanChanges {
        /// The version.
        version: Timestamp,
        /// The plan.
        plan: PlanName,
        /// The terms before.
        before: PlanTerms,
        /// The terms after; `None` where the plan is gone and its accounts get nothing more.
        after: Option<PlanTerms>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrice { version, operation } => write!(f, "{operation} has no price from {version} on"),
            Self::Cliff { version, cliff } => write!(
                f,
                "from {version} on {} packs cost {}, more than the {} of {}",
                cliff.packs,
                cliff.price,
                cliff.next_price,
                cliff.packs + 1
            ),
            Self::PlanChanges { version, plan, before, after: Some(after) } => {
                write!(
                    f,
                    "plan {plan} changes at {version}: {} credits a month become {}",
                    before.monthly, after.monthly
                )
            }
            Self::PlanChanges { version, plan, before, after: None } => {
                write!(f, "plan {plan} ends at {version}: its {} credits a month are no longer granted", before.monthly)
            }
        }
    }
}

impl PriceBook {
    /// Returns the book of these versions, in any order.
    ///
    /// # Errors
    /// The first thing that is wrong with a version; see [`PriceBookError`]. Prices are exact by type.
    pub fn new(mut versions: Vec<PriceVersion>) -> Result<Self, PriceBookError> {
        versions.sort_by_key(|version| version.effective_at);
        for pair in versions.windows(2) {
            if pair[0].effective_at == pair[1].effective_at {
                return Err(PriceBookError::SameInstant { effective_at: pair[0].effective_at });
            }
        }
        versions.iter().try_for_each(PriceVersion::check)?;
        Ok(Self { versions })
    }

    /// Returns the book with one more version, which takes effect after `now`.
    ///
    /// # Errors
    /// [`PriceBookError::PastDated`], and what [`PriceBook::new`] says.
    pub fn publish(&self, version: PriceVersion, now: Timestamp) -> Result<Self, PriceBookError> {
        if version.effective_at < now {
            return Err(PriceBookError::PastDated { effective_at: version.effective_at, now });
        }
        let mut versions = self.versions.clone();
        versions.push(version);
        Self::new(versions)
    }

    /// Returns all versions in the order they come into force.
    #[must_use]
    pub fn versions(&self) -> &[PriceVersion] {
        &self.versions
    }

    /// Returns the version in force at an instant, if any was yet.
    #[must_use]
    pub fn version_at(&self, at: Timestamp) -> Option<&PriceVersion> {
        let after = self.versions.partition_point(|version| version.effective_at <= at);
        self.versions[..after].last()
    }

    /// Returns the terms of a plan in force at an instant.
    #[must_use]
    pub fn plan_at(&self, plan: &PlanName, at: Timestamp) -> Option<&PlanTerms> {
        self.version_at(at)?.plans.get(plan)
    }

    /// Returns the terms of a plan in force at `at` for an account that has been on it since `since`.
    ///
    /// A version that grandfathers its terms leaves those who were on the plan before it with the terms of the
    /// version before, if that one had the plan.
    #[must_use]
    pub fn terms(&self, plan: &PlanName, since: Timestamp, at: Timestamp) -> Option<&PlanTerms> {
        let after = self.versions.partition_point(|version| version.effective_at <= at);
        let mut versions = self.versions[..after].iter().rev();
        let mut version = versions.next()?;
        let mut terms = version.plans.get(plan)?;
        while terms.grandfather && since < version.effective_at {
            let Some((before, older)) = versions.next().and_then(|before| Some((before, before.plans.get(plan)?)))
            else {
                break;
            };
            (version, terms) = (before, older);
        }
        Some(terms)
    }

    /// Returns the terms of a cohort in force at an instant.
    #[must_use]
    pub fn cohort_at(&self, cohort: &CohortName, at: Timestamp) -> Option<&CohortTerms> {
        self.version_at(at)?.cohorts.get(cohort)
    }

    /// Returns the pack that has this name at an instant.
    #[must_use]
    pub fn pack_named(&self, at: Timestamp, name: &PackName) -> Option<&Pack> {
        self.version_at(at)?.packs.iter().find(|pack| pack.name.as_ref() == Some(name))
    }

    /// Returns the policy in force at an instant; the default before the first version.
    #[must_use]
    pub fn policy_at(&self, at: Timestamp) -> Policy {
        self.version_at(at).map_or_else(Policy::default, |version| version.policy)
    }

    /// Returns the price of a request at an instant.
    ///
    /// # Errors
    /// [`QuoteError`] where there is none.
    pub fn quote(&self, usage: &Usage, now: Timestamp) -> Result<Quote, QuoteError> {
        let operation = usage.operation.clone();
        if usage.count == 0 {
            return Err(QuoteError::NothingAsked);
        }
        let Some((version, price)) =
            self.version_at(now).and_then(|version| Some((version, version.operations.get(&operation)?)))
        else {
            return Err(QuoteError::NoPrice { operation });
        };
        let rate = &price.rate;
        let times = match rate.charge {
            ChargeMode::PerOperation => usage.count.div_ceil(rate.included),
            ChargeMode::PerImage => usage.count,
        };
        let amount = rate.credits.checked_mul(times).ok_or(QuoteError::TooMany { count: usage.count })?;
        Ok(Quote {
            version: version.effective_at,
            operation,
            count: usage.count,
            unit: rate.credits,
            included: rate.included,
            charge: rate.charge,
            amount,
            rule: 0,
            base: rate.base,
        })
    }

    /// Returns what an operator should look at, version by version.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for (index, version) in self.versions.iter().enumerate() {
            let at = version.effective_at;
            for operation in [Operation::Generate, Operation::Edit, Operation::Vary] {
                if !version.operations.contains_key(&operation) {
                    warnings.push(Warning::NoPrice { version: at, operation });
                }
            }
            for cliff in version.packs.iter().flat_map(Pack::cliffs) {
                warnings.push(Warning::Cliff { version: at, cliff });
            }
            let Some(previous) = index.checked_sub(1).map(|index| &self.versions[index]) else {
                continue;
            };
            for (plan, before) in &previous.plans {
                let after = version.plans.get(plan).cloned();
                if after.as_ref() != Some(before) {
                    warnings.push(Warning::PlanChanges { version: at, plan: *plan, before: before.clone(), after });
                }
            }
        }
        warnings
    }
}

impl PriceVersion {
    fn check(&self) -> Result<(), PriceBookError> {
        let too_large = |place: String| PriceBookError::TooLarge { place: place.into() };
        for (operation, price) in &self.operations {
            if price.rate.included == 0 {
                return Err(PriceBookError::NothingIncluded { operation: operation.clone() });
            }
            if price.rate.credits.micro() > AMOUNT_MAX {
                return Err(too_large(format!("the price of {operation}")));
            }
        }
        for (plan, terms) in &self.plans {
            if terms.monthly.micro() > AMOUNT_MAX {
                return Err(too_large(format!("the allowance of plan {plan}")));
            }
        }
        for (index, pack) in self.packs.iter().enumerate() {
            if pack.credits.is_zero() || !pack.tiers_ascend() {
                return Err(PriceBookError::Pack { index });
            }
            if pack.credits.micro() > AMOUNT_MAX || pack.price.amount.minor() > AMOUNT_MAX {
                return Err(too_large(format!("pack {index}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

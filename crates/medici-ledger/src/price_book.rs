//! The price book: a dated, append-only list of versions. A version is never edited.

use std::collections::BTreeMap;

use crate::cohort::{CohortName, CohortTerms};
use crate::operation::Operation;
use crate::pack::{Pack, PackName};
use crate::plan::{PlanName, PlanTerms};
use crate::policy::Policy;
use crate::price_check::PriceBookError;
use crate::price_rule::OperationPrice;
use crate::quote::{Quote, QuoteError, Usage};
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
        match self.version_at(now) {
            Some(version) => version.quote(usage),
            None => Err(QuoteError::NoPrice { operation: usage.operation.clone() }),
        }
    }
}

impl PriceVersion {
    /// Returns the price of a request while this version is in force.
    ///
    /// # Errors
    /// [`QuoteError`] where there is none.
    pub fn quote(&self, usage: &Usage) -> Result<Quote, QuoteError> {
        let operation = usage.operation.clone();
        if usage.count == 0 {
            return Err(QuoteError::NothingAsked);
        }
        let Some(price) = self.operations.get(&operation) else {
            return Err(QuoteError::NoPrice { operation });
        };
        let (rule, rate) = price.rate_of(usage);
        let priced = rate.price(usage)?;
        Ok(Quote {
            version: self.effective_at,
            operation,
            count: usage.count,
            unit: priced.unit,
            included: rate.included,
            charge: rate.charge,
            amount: priced.amount,
            rule,
            base: priced.base,
        })
    }
}

#[cfg(test)]
mod tests;

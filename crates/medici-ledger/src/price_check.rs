//! Price checks: what makes a version impossible. What is only odd is a warning; see [`crate::Warning`].

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::amount::{AMOUNT_MAX, Credits};
use crate::cohort::CohortTerms;
use crate::operation::Operation;
use crate::pack::Pack;
use crate::plan::PlanTerms;
use crate::price_book::PriceVersion;
use crate::price_rule::{OperationPrice, RULES_MAX, Rate};
use crate::time::Timestamp;

/// The most packs, plans or cohorts that a version has.
pub const OFFERS_MAX: usize = 100;

/// The longest that meter events may be late and still count when they happened: 31 days.
pub const LATE_GRACE_MAX: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// The most characters of a cohort's code.
pub const CODE_CHARS_MAX: usize = 64;

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
    /// An amount above what can be stated.
    TooLarge {
        /// The version's instant.
        version: Timestamp,
        /// Where it stands.
        place: Box<str>,
    },
    /// Something that cannot be sold or given as it is stated.
    Impossible {
        /// The version's instant.
        version: Timestamp,
        /// Where it stands.
        place: Box<str>,
        /// What is wrong with it.
        problem: Box<str>,
    },
}

impl fmt::Display for PriceBookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameInstant { effective_at } => write!(f, "two price versions take effect at {effective_at}"),
            Self::PastDated { effective_at, now } => {
                write!(f, "a price version takes effect in the future, found {effective_at} at {now}")
            }
            Self::TooLarge { version, place } => {
                write!(f, "version {version}, {place}: amounts go up to {AMOUNT_MAX} of the smallest unit")
            }
            Self::Impossible { version, place, problem } => write!(f, "version {version}, {place}: {problem}"),
        }
    }
}

impl std::error::Error for PriceBookError {}

/// What is wrong at one place of a version.
enum Problem {
    TooLarge(String),
    Impossible(String, String),
}

type Checked = Result<(), Problem>;

fn impossible(place: impl fmt::Display, problem: impl fmt::Display) -> Checked {
    Err(Problem::Impossible(place.to_string(), problem.to_string()))
}

fn small_enough(place: impl fmt::Display, amount: i64) -> Checked {
    if amount > AMOUNT_MAX { Err(Problem::TooLarge(place.to_string())) } else { Ok(()) }
}

fn few_enough(what: &str, found: usize, max: usize) -> Checked {
    if found > max { impossible(what, format!("at most {max} allowed, {found} found")) } else { Ok(()) }
}

impl PriceVersion {
    pub(crate) fn check(&self) -> Result<(), PriceBookError> {
        let version = self.effective_at;
        self.problem().map_err(|problem| match problem {
            Problem::TooLarge(place) => PriceBookError::TooLarge { version, place: place.into() },
            Problem::Impossible(place, problem) => {
                PriceBookError::Impossible { version, place: place.into(), problem: problem.into() }
            }
        })
    }

    fn problem(&self) -> Checked {
        few_enough("plans", self.plans.len(), OFFERS_MAX)?;
        few_enough("packs", self.packs.len(), OFFERS_MAX)?;
        few_enough("cohorts", self.cohorts.len(), OFFERS_MAX)?;
        for (operation, price) in &self.operations {
            operation_problem(operation, price)?;
        }
        for (plan, terms) in &self.plans {
            plan_problem(&format!("plan {plan}"), terms)?;
        }
        for (index, pack) in self.packs.iter().enumerate() {
            let place = format!("pack {}", index + 1);
            pack_problem(&place, pack)?;
            let same_name = |other: &Pack| pack.name.is_some() && other.name == pack.name;
            if let Some(other) = self.packs[..index].iter().position(same_name) {
                return impossible(place, format!("its name is that of pack {} too", other + 1));
            }
        }
        let mut codes = BTreeMap::new();
        for (cohort, terms) in &self.cohorts {
            let place = format!("cohort {cohort}");
            cohort_problem(&place, terms)?;
            if let Some(other) = terms.code.as_ref().and_then(|code| codes.insert(code, cohort)) {
                return impossible(place, format!("its code is that of cohort {other} too"));
            }
        }
        if self.policy.late_grace > LATE_GRACE_MAX {
            let days = LATE_GRACE_MAX.as_secs() / 86_400;
            return impossible("policy, late_grace", format!("at most {days} days allowed"));
        }
        Ok(())
    }
}

fn operation_problem(operation: &Operation, price: &OperationPrice) -> Checked {
    few_enough(&format!("operation {operation}, rules"), price.rules.len(), RULES_MAX)?;
    for (rule, rate) in price.rates() {
        let place =
            if rule == 0 { format!("operation {operation}") } else { format!("operation {operation}, rule {rule}") };
        rate_problem(&place, rate)?;
    }
    Ok(())
}

fn rate_problem(place: &str, rate: &Rate) -> Checked {
    if rate.included == 0 {
        return impossible(format!("{place}, included"), "a price covers at least 1 picture, 0 found");
    }
    rate.amounts().try_for_each(|(name, credits)| small_enough(format!("{place}, {name}"), credits.micro()))
}

fn plan_problem(place: &str, terms: &PlanTerms) -> Checked {
    small_enough(format!("{place}, monthly"), terms.monthly.micro())?;
    small_enough(format!("{place}, price"), terms.price.map_or(0, |price| price.amount.minor()))?;
    small_enough(format!("{place}, rollover"), terms.rollover.map_or(0, |rollover| rollover.max.micro()))?;
    let limits = &terms.limits;
    for (name, limit) in [("images_max", limits.images_max), ("jobs_open_max", limits.jobs_open_max)] {
        if limit == Some(0) {
            return impossible(format!("{place}, limits.{name}"), "at least 1 needed, 0 found");
        }
    }
    if limits.models.as_ref().is_some_and(|models| models.is_empty()) {
        return impossible(format!("{place}, limits.models"), "at least 1 model needed");
    }
    Ok(())
}

fn pack_problem(place: &str, pack: &Pack) -> Checked {
    if pack.credits.is_zero() {
        return impossible(format!("{place}, credits"), "more than 0 needed");
    }
    if !pack.tiers_ascend() {
        return impossible(format!("{place}, tiers"), "they begin at 2 or more and ascend");
    }
    small_enough(format!("{place}, credits"), pack.credits.micro())?;
    small_enough(format!("{place}, bonus"), pack.bonus.micro())?;
    small_enough(format!("{place}, price"), pack.price.amount.minor())?;
    pack.tiers.iter().try_for_each(|tier| small_enough(format!("{place}, tiers"), tier.price.minor()))
}

fn cohort_problem(place: &str, terms: &CohortTerms) -> Checked {
    if terms.bonus == Credits::ZERO {
        return impossible(format!("{place}, bonus"), "more than 0 needed");
    }
    small_enough(format!("{place}, bonus"), terms.bonus.micro())?;
    if let Some(code) = &terms.code
        && !(1..=CODE_CHARS_MAX).contains(&code.chars().count())
    {
        return impossible(format!("{place}, code"), format!("1 to {CODE_CHARS_MAX} characters needed"));
    }
    match (terms.from, terms.until) {
        (Some(from), Some(until)) if until <= from => {
            impossible(format!("{place}, until"), format!("after {from} needed, {until} found"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

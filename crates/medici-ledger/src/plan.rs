//! Plans: what an account is entitled to each month.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use crate::amount::Credits;
use crate::calendar::{AnchorPolicy, Months};

/// The most characters a plan's name has.
pub const PLAN_NAME_MAX: usize = 16;

/// The name of a plan: 1 to [`PLAN_NAME_MAX`] characters `a-z`, `0-9`, `_`, `-`.
///
/// Held in place, because every wallet carries one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanName {
    first: NonZeroU8,
    // Padded with zeros, which no name contains.
    rest: [u8; PLAN_NAME_MAX - 1],
}

impl PlanName {
    /// Returns the name.
    #[must_use]
    pub fn as_text(&self) -> String {
        self.bytes().map(char::from).collect()
    }

    pub(crate) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        std::iter::once(self.first.get()).chain(self.rest.iter().copied().take_while(|byte| *byte != 0))
    }
}

/// Why a text names no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanNameError {
    found: Box<str>,
}

impl fmt::Display for PlanNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a plan name of 1 to {PLAN_NAME_MAX} characters a-z, 0-9, '_', '-' needed, {:?} found", self.found)
    }
}

impl std::error::Error for PlanNameError {}

impl FromStr for PlanName {
    type Err = PlanNameError;

    fn from_str(text: &str) -> Result<Self, PlanNameError> {
        let error = || PlanNameError { found: text.chars().take(32).collect::<String>().into() };
        let allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let (first, others) = text.as_bytes().split_first().ok_or_else(error)?;
        if others.len() >= PLAN_NAME_MAX || !text.as_bytes().iter().all(allowed) {
            return Err(error());
        }
        let mut rest = [0; PLAN_NAME_MAX - 1];
        rest[..others.len()].copy_from_slice(others);
        Ok(Self { first: NonZeroU8::new(*first).ok_or_else(error)?, rest })
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.as_text())
    }
}

impl fmt::Debug for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_text(), f)
    }
}

/// What a plan gives each month. The credits of a plan that costs nothing are of class free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanTerms {
    /// The credits of each monthly occurrence; none for a plan without an allowance.
    pub monthly: Credits,
    /// How long each month's credits live, counted from the account's anchor.
    pub expires: Months,
    /// Which day of the month the account's anchor stands for.
    pub anchor_policy: AnchorPolicy,
    /// The priority of the monthly lots in the burn order; lower burns first.
    pub priority: i8,
}

impl PlanTerms {
    /// Returns terms of `monthly` credits that live one month.
    #[must_use]
    pub const fn monthly(monthly: Credits) -> Self {
        Self { monthly, expires: Months::ONE, anchor_policy: AnchorPolicy::Keep, priority: 0 }
    }
}

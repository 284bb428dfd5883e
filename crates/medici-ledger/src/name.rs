//! Short names: of plans, cohorts, packs and meters.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU8;
use std::str::FromStr;

/// The most characters a short name has.
pub const NAME_MAX: usize = 16;

/// What a short name names.
pub trait NameKind {
    /// The word for it: `plan`.
    const WHAT: &'static str;
}

/// A name of 1 to [`NAME_MAX`] characters `a-z`, `0-9`, `_`, `-`.
///
/// Held in place, because every wallet carries one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortName<K> {
    first: NonZeroU8,
    // Padded with zeros, which no name contains.
    rest: [u8; NAME_MAX - 1],
    kind: PhantomData<K>,
}

impl<K> ShortName<K> {
    /// Returns the name.
    #[must_use]
    pub fn as_text(&self) -> String {
        self.bytes().map(char::from).collect()
    }

    /// Returns the characters, which are ASCII.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        std::iter::once(self.first.get()).chain(self.others().iter().copied())
    }

    /// Appends the characters to bytes.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.first.get());
        bytes.extend_from_slice(self.others());
    }

    /// The characters after the first.
    fn others(&self) -> &[u8] {
        let end = self.rest.iter().position(|byte| *byte == 0).unwrap_or(self.rest.len());
        &self.rest[..end]
    }
}

/// Why a text is not a short name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    what: &'static str,
    found: Box<str>,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found } = self;
        write!(f, "a {what} name of 1 to {NAME_MAX} characters a-z, 0-9, '_', '-' needed, {found:?} found")
    }
}

impl std::error::Error for NameError {}

impl<K: NameKind> FromStr for ShortName<K> {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let error = || NameError { what: K::WHAT, found: text.chars().take(32).collect::<String>().into() };
        let allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let (first, others) = text.as_bytes().split_first().ok_or_else(error)?;
        if others.len() >= NAME_MAX || !text.as_bytes().iter().all(allowed) {
            return Err(error());
        }
        let mut rest = [0; NAME_MAX - 1];
        rest[..others.len()].copy_from_slice(others);
        Ok(Self { first: NonZeroU8::new(*first).ok_or_else(error)?, rest, kind: PhantomData })
    }
}

impl<K> fmt::Display for ShortName<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.as_text())
    }
}

impl<K> fmt::Debug for ShortName<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_text(), f)
    }
}

/// What [`crate::PlanName`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfPlan {}

/// What [`crate::CohortName`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfCohort {}

/// What [`crate::PackName`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfPack {}

/// What [`crate::MeterName`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfMeter {}

impl NameKind for OfPlan {
    const WHAT: &'static str = "plan";
}

impl NameKind for OfCohort {
    const WHAT: &'static str = "cohort";
}

impl NameKind for OfPack {
    const WHAT: &'static str = "pack";
}

impl NameKind for OfMeter {
    const WHAT: &'static str = "meter";
}

#[cfg(test)]
mod tests {
    use crate::{CohortName, PlanName};

    #[test]
    fn a_name_says_what_it_would_have_named() {
        assert_eq!("studio-2".parse::<PlanName>().unwrap().to_string(), "studio-2");
        assert!("a234567890123456".parse::<PlanName>().is_ok());
        for wrong in ["", "a2345678901234567", "Studio", "stu dio", "é"] {
            let error = wrong.parse::<CohortName>().unwrap_err().to_string();
            assert!(error.starts_with("a cohort name of 1 to 16 characters"), "{error}");
        }
        assert_eq!(size_of::<Option<PlanName>>(), 16);
    }
}

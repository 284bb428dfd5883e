//! The price book as a TOML file: the operator writes it, and everything that is wrong with it is said here.
//!
//! Every key is described in `docs/reference/price-book.md`.

mod offer;
mod operation;

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use medici_ledger::{CohortName, Operation, PlanName, PriceBook, PriceVersion};
use serde::Deserialize;

use crate::publish_prices::PublishedVersion;

use offer::{CohortFile, PackFile, PlanFile, PolicyFile};
use operation::OperationFile;

/// The price book that Medici starts with: one credit an operation, fifteen free a month, 115 for $15, and a plan.
pub const DEFAULT: &str = include_str!("../prices/default.toml");

/// Why a price book file is refused. The text names the place and what was found there.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It is not TOML, or has a key that does not exist.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// A value is not what it should be.
    #[error("{place}: {problem}")]
    Value {
        /// Which version and key.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The versions do not make a price book.
    #[error(transparent)]
    Book(#[from] medici_ledger::PriceBookError),
}

/// Reads a price book.
pub fn parse(text: &str) -> Result<PriceBook, PricesError> {
    let file: BookFile = toml::from_str(text)?;
    let versions = file.version.into_iter().map(VersionFile::version).collect::<Result<_, _>>()?;
    Ok(PriceBook::new(versions)?)
}

/// Reads the book of versions that were published, each from the file that it came in.
pub fn published(versions: &[PublishedVersion]) -> Result<PriceBook, PricesError> {
    let mut found = Vec::with_capacity(versions.len());
    for PublishedVersion { effective_at, book, .. } in versions {
        let book = parse(book)?;
        let version = book.versions().iter().find(|version| version.effective_at == *effective_at).cloned();
        found.push(version.ok_or_else(|| PricesError::Value {
            place: format!("version {effective_at}"),
            problem: "it is not in the file that it was published in".to_owned(),
        })?);
    }
    Ok(PriceBook::new(found)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BookFile {
    version: Vec<VersionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionFile {
    effective: toml::value::Datetime,
    operations: BTreeMap<String, OperationFile>,
    #[serde(default)]
    plans: BTreeMap<String, PlanFile>,
    #[serde(default)]
    packs: Vec<PackFile>,
    #[serde(default)]
    cohorts: BTreeMap<String, CohortFile>,
    #[serde(default)]
    policy: PolicyFile,
}

impl VersionFile {
    fn version(self) -> Result<PriceVersion, PricesError> {
        let place = format!("version {}", self.effective);
        let effective_at = read(&place, "effective", &self.effective.to_string())?;
        let mut version = PriceVersion { effective_at, policy: self.policy.policy(), ..PriceVersion::default() };
        for (name, price) in self.operations {
            let place = format!("{place}, operation {name}");
            let operation: Operation = read(&place, "name", &name)?;
            version.operations.insert(operation, price.price(&place)?);
        }
        for (name, plan) in self.plans {
            let place = format!("{place}, plan {name}");
            let name: PlanName = read(&place, "name", &name)?;
            version.plans.insert(name, plan.terms(&place)?);
        }
        for (index, pack) in self.packs.into_iter().enumerate() {
            version.packs.push(pack.pack(&format!("{place}, pack {}", index + 1))?);
        }
        for (name, cohort) in self.cohorts {
            let place = format!("{place}, cohort {name}");
            let name: CohortName = read(&place, "name", &name)?;
            version.cohorts.insert(name, cohort.terms(&place)?);
        }
        Ok(version)
    }
}

fn read<T: FromStr<Err: Display>>(place: &str, key: &str, text: &str) -> Result<T, PricesError> {
    text.parse().map_err(|error| wrong(place, key, &error))
}

fn wrong(place: &str, key: &str, problem: &dyn Display) -> PricesError {
    PricesError::Value { place: format!("{place}, {key}"), problem: problem.to_string() }
}

#[cfg(test)]
mod tests;

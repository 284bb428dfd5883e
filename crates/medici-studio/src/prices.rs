//! The price book as a TOML file: the operator writes it, and everything that is wrong with it is said here.

use std::{collections::BTreeMap, str::FromStr};

use medici_ledger::{
    AnchorPolicy, ChargeMode, Credits, Money, Months, Operation, Pack, PlanName, PlanTerms, PriceBook, PriceVersion,
    Rate, Tier, TierMode, Timestamp,
};
use serde::Deserialize;

/// The price book that Medici starts with: one credit an operation, fifteen free a month, 115 for $15.
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationFile {
    credits: String,
    #[serde(default = "one")]
    included: u32,
    #[serde(default)]
    charge: ChargeFile,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChargeFile {
    #[default]
    PerOperation,
    PerImage,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    monthly: String,
    #[serde(default = "one_month")]
    expires_months: u16,
    #[serde(default)]
    anchor_policy: AnchorFile,
    #[serde(default)]
    priority: i8,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnchorFile {
    #[default]
    Keep,
    Openai28,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    credits: String,
    price: String,
    expires_months: u16,
    #[serde(default)]
    tier_mode: TierModeFile,
    #[serde(default)]
    tiers: Vec<TierFile>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TierModeFile {
    #[default]
    Volume,
    Graduated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierFile {
    from: u32,
    price: String,
}

fn one() -> u32 {
    1
}

fn one_month() -> u16 {
    1
}

impl VersionFile {
    fn version(self) -> Result<PriceVersion, PricesError> {
        let place = format!("version {}", self.effective);
        let effective_at: Timestamp = read(&place, "effective", &self.effective.to_string())?;
        let mut version = PriceVersion { effective_at, ..PriceVersion::default() };
        for (name, price) in self.operations {
            let place = format!("{place}, operation {name}");
            let operation: Operation = read(&place, "name", &name)?;
            version.operations.insert(operation, price.price(&place)?.into());
        }
        for (name, plan) in self.plans {
            let place = format!("{place}, plan {name}");
            let name: PlanName = read(&place, "name", &name)?;
            version.plans.insert(name, plan.terms(&place)?);
        }
        for (index, pack) in self.packs.into_iter().enumerate() {
            version.packs.push(pack.pack(&format!("{place}, pack {}", index + 1))?);
        }
        Ok(version)
    }
}

impl OperationFile {
    fn price(self, place: &str) -> Result<Rate, PricesError> {
        let credits = Credits::parse_price(&self.credits).map_err(|error| wrong(place, "credits", &error))?;
        let charge = match self.charge {
            ChargeFile::PerOperation => ChargeMode::PerOperation,
            ChargeFile::PerImage => ChargeMode::PerImage,
        };
        Ok(Rate { charge, ..Rate::per_operation(credits, self.included) })
    }
}

impl PlanFile {
    fn terms(self, place: &str) -> Result<PlanTerms, PricesError> {
        Ok(PlanTerms {
            expires: months(place, self.expires_months)?,
            anchor_policy: match self.anchor_policy {
                AnchorFile::Keep => AnchorPolicy::Keep,
                AnchorFile::Openai28 => AnchorPolicy::OpenAi28,
            },
            priority: self.priority,
            ..PlanTerms::monthly(read(place, "monthly", &self.monthly)?)
        })
    }
}

impl PackFile {
    fn pack(self, place: &str) -> Result<Pack, PricesError> {
        let price: Money = read(place, "price", &self.price)?;
        let mode = match self.tier_mode {
            TierModeFile::Volume => TierMode::Volume,
            TierModeFile::Graduated => TierMode::Graduated,
        };
        let tiers = self.tiers.into_iter().map(|tier| tier.tier(place, price)).collect::<Result<_, _>>()?;
        let credits = read(place, "credits", &self.credits)?;
        let expires = months(place, self.expires_months)?;
        Ok(Pack { credits, price, expires, mode, tiers, name: None, bonus: Credits::ZERO })
    }
}

impl TierFile {
    fn tier(self, place: &str, pack: Money) -> Result<Tier, PricesError> {
        let price: Money = read(place, "tiers.price", &self.price)?;
        if price.currency != pack.currency {
            let problem = format!("{price} is in another currency than {pack}");
            return Err(PricesError::Value { place: format!("{place}, tiers.price"), problem });
        }
        Ok(Tier { from: self.from, price: price.amount })
    }
}

fn months(place: &str, count: u16) -> Result<Months, PricesError> {
    Months::new(count).ok_or_else(|| wrong(place, "expires_months", &format!("{count} is not a number of months")))
}

fn read<T: FromStr<Err: std::fmt::Display>>(place: &str, key: &str, text: &str) -> Result<T, PricesError> {
    text.parse().map_err(|error| wrong(place, key, &error))
}

fn wrong(place: &str, key: &str, problem: &dyn std::fmt::Display) -> PricesError {
    PricesError::Value { place: format!("{place}, {key}"), problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use medici_ledger::Usage;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_default_book_sells_an_operation_for_a_credit() {
        let book = parse(DEFAULT).unwrap();
        assert!(book.warnings().is_empty(), "{:?}", book.warnings());
        let price = |operation, count| {
            let usage = Usage::of(operation, count);
            book.quote(&usage, at("2026-11-22")).unwrap().amount.to_string()
        };
        assert_eq!(price(Operation::Generate, 4), "1");
        assert_eq!(price(Operation::Generate, 10), "3");
        assert_eq!(price(Operation::Vary, 3), "1");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_place() {
        let head = "[[version]]\neffective = 2026-12-01T00:00:00Z\n";
        let says = |rest: &str| parse(&format!("{head}{rest}")).unwrap_err().to_string();
        let third = says("[version.operations]\ngenerate = { credits = \"1/3\", included = 4 }\n");
        assert!(third.contains("operation generate, credits"), "{third}");
        let unknown = says("[version.operations]\ngenerate = { credits = \"1\", inclouded = 4 }\n");
        assert!(unknown.contains("inclouded"), "{unknown}");
        let plan = says("[version.operations]\n[version.plans.free]\nmonthly = \"fifteen\"\n");
        assert!(plan.contains("plan free, monthly"), "{plan}");
        let twice = parse(&format!("{head}[version.operations]\n{head}[version.operations]\n")).unwrap_err();
        assert!(twice.to_string().contains("two price versions"), "{twice}");
    }
}

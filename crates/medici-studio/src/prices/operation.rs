//! What operations cost: the tables under `version.operations`.

use std::collections::BTreeMap;

use medici_ledger::{ChargeMode, Conditions, Credits, MeterName, OperationPrice, PriceRule, Rate};
use serde::Deserialize;

use super::{PricesError, read, wrong};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationFile {
    base: Option<String>,
    credits: Option<String>,
    included: Option<u32>,
    charge: Option<ChargeFile>,
    per_megapixel: Option<String>,
    #[serde(alias = "credits_per_1k_tokens")]
    per_1k: Option<BTreeMap<String, String>>,
    #[serde(default)]
    rules: Vec<RuleFile>,
}

/// Conditions and a price. Not an [`OperationFile`] inside: serde knows no unknown keys of flattened tables.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    model: Option<String>,
    quality: Option<String>,
    size: Option<String>,
    pixels_max: Option<u64>,
    steps_max: Option<u32>,
    count_max: Option<u32>,
    base: Option<String>,
    credits: Option<String>,
    included: Option<u32>,
    charge: Option<ChargeFile>,
    per_megapixel: Option<String>,
    #[serde(alias = "credits_per_1k_tokens")]
    per_1k: Option<BTreeMap<String, String>>,
}

/// The keys of a price, as an operation and its rules both have them.
struct RateFile {
    base: Option<String>,
    credits: Option<String>,
    included: Option<u32>,
    charge: Option<ChargeFile>,
    per_megapixel: Option<String>,
    per_1k: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChargeFile {
    PerOperation,
    PerImage,
}

impl OperationFile {
    pub(super) fn price(self, place: &str) -> Result<OperationPrice, PricesError> {
        let Self { base, credits, included, charge, per_megapixel, per_1k, rules } = self;
        let file = RateFile { base, credits, included, charge, per_megapixel, per_1k };
        let rate = file.rate(place, Rate::per_operation(Credits::ZERO, 1))?;
        let rule = |(number, rule): (u16, RuleFile)| rule.rule(&format!("{place}, rule {number}"), &rate);
        let rules = (1..).zip(rules).map(rule).collect::<Result<_, _>>()?;
        Ok(OperationPrice { rate, rules })
    }
}

impl RuleFile {
    /// What a rule does not say of the price is as in the operation's own.
    fn rule(self, place: &str, own: &Rate) -> Result<PriceRule, PricesError> {
        let Self { base, credits, included, charge, per_megapixel, per_1k, .. } = self;
        let when = Conditions {
            model: self.model.map(Into::into),
            quality: self.quality.map(Into::into),
            size: self.size.map(|size| size_of(place, &size)).transpose()?,
            pixels_max: self.pixels_max,
            steps_max: self.steps_max,
            count_max: self.count_max,
        };
        let rate = RateFile { base, credits, included, charge, per_megapixel, per_1k }.rate(place, own.clone())?;
        Ok(PriceRule { when, rate })
    }
}

impl RateFile {
    fn rate(self, place: &str, mut rate: Rate) -> Result<Rate, PricesError> {
        let amounts = [&self.base, &self.credits, &self.per_megapixel];
        if amounts.iter().all(|amount| amount.is_none()) && self.per_1k.is_none() {
            let problem = "one of base, credits, per_megapixel and per_1k needed".to_owned();
            return Err(PricesError::Value { place: place.to_owned(), problem });
        }
        let price = |key: &str, text: &str| Credits::parse_price(text).map_err(|error| wrong(place, key, &error));
        if let Some(base) = self.base {
            rate.base = price("base", &base)?;
        }
        if let Some(credits) = self.credits {
            rate.credits = price("credits", &credits)?;
        }
        if let Some(per_megapixel) = self.per_megapixel {
            rate.per_megapixel = price("per_megapixel", &per_megapixel)?;
        }
        if let Some(per_1k) = self.per_1k {
            let meter = |(name, text): (String, String)| {
                let meter: MeterName = read(place, "per_1k", &name)?;
                Ok((meter, price(&format!("per_1k.{name}"), &text)?))
            };
            rate.per_1k = per_1k.into_iter().map(meter).collect::<Result<_, PricesError>>()?;
        }
        if let Some(included) = self.included {
            rate.included = included;
        }
        if let Some(charge) = self.charge {
            rate.charge = match charge {
                ChargeFile::PerOperation => ChargeMode::PerOperation,
                ChargeFile::PerImage => ChargeMode::PerImage,
            };
        }
        Ok(rate)
    }
}

fn size_of(place: &str, text: &str) -> Result<(u32, u32), PricesError> {
    let side = |side: &str| side.parse::<u32>().ok().filter(|side| *side > 0);
    let size = text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    size.ok_or_else(|| wrong(place, "size", &format!("a size such as 512x512 needed, {text:?} found")))
}

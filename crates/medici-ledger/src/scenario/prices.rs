//! Price blocks: `prices … end`.

use super::words::Words;
use crate::amount::{Credits, Money};
use crate::calendar::{AnchorPolicy, Months};
use crate::cohort::{CohortName, CohortTerms};
use crate::operation::Operation;
use crate::pack::{Pack, Tier, TierMode};
use crate::plan::{PlanName, PlanTerms, Rollover};
use crate::policy::Policy;
use crate::price_book::PriceVersion;
use crate::price_rule::{Conditions, MeterName, OperationPrice, PriceRule, Rate};
use crate::quote::ChargeMode;
use crate::time::Timestamp;

/// A price version as written. A price that cannot be is kept, because publishing it is what is tested.
#[derive(Clone, Debug)]
pub(super) struct PricesBlock {
    /// Whether the block names its instant; without one it replaces the whole book.
    pub(super) dated: bool,
    pub(super) version: PriceVersion,
    /// The first amount that is not one.
    pub(super) refused: Option<String>,
}

/// The plan of accounts that no line opens: no allowance.
pub(super) fn plan_none() -> PlanName {
    "none".parse().expect("a plan's name")
}

/// The prices of scenarios that state none: DALL·E's.
pub(super) fn default_version() -> PriceVersion {
    let price = |included| OperationPrice::per_operation(Credits::whole(1), included);
    let free = "free".parse().expect("a plan's name");
    PriceVersion {
        effective_at: Timestamp::MIN,
        operations: [(Operation::Generate, price(4)), (Operation::Edit, price(3)), (Operation::Vary, price(3))].into(),
        plans: [(plan_none(), PlanTerms::monthly(Credits::ZERO)), (free, PlanTerms::monthly(Credits::whole(15)))]
            .into(),
        ..PriceVersion::default()
    }
}

impl PricesBlock {
    /// Reads what follows `prices`: nothing, or the instant from which they hold.
    pub(super) fn begin(words: &mut Words<'_>) -> Result<Self, String> {
        let dated = words.take("from");
        let effective_at = if dated { words.instant()? } else { Timestamp::MIN };
        words.end()?;
        let mut version = PriceVersion { effective_at, ..PriceVersion::default() };
        version.plans.insert(plan_none(), PlanTerms::monthly(Credits::ZERO));
        Ok(Self { dated, version, refused: None })
    }

    fn price(&mut self, text: &str) -> Credits {
        Credits::parse_price(text).unwrap_or_else(|error| {
            self.refused.get_or_insert(error.to_string());
            Credits::ZERO
        })
    }
}

pub(super) fn parse_price_line(block: &mut PricesBlock, words: &mut Words<'_>) -> Result<(), String> {
    const KINDS: &str = "\"price\", \"plan\", \"pack\", \"cohort\" or \"policy\"";
    match words.next(KINDS)? {
        "price" => parse_price(block, words)?,
        "plan" => {
            let plan: PlanName = words.parse("plan")?;
            let terms = parse_plan(words)?;
            block.version.plans.insert(plan, terms);
        }
        "pack" => {
            let pack = parse_pack(words)?;
            block.version.packs.push(pack);
        }
        "cohort" => {
            let cohort: CohortName = words.parse("cohort")?;
            let terms = parse_cohort(words)?;
            block.version.cohorts.insert(cohort, terms);
        }
        "policy" => parse_policy(&mut block.version.policy, words)?,
        other => return Err(format!("{KINDS} needed, {other:?} found")),
    }
    words.end()
}

/// Reads an operation's own price, or with `when` one of its rules.
fn parse_price(block: &mut PricesBlock, words: &mut Words<'_>) -> Result<(), String> {
    let operation: Operation = words.parse("operation")?;
    let credits = block.price(words.next("credits")?);
    let own = block.version.operations.get(&operation).map(|price| price.rate.clone());
    let mut rate = match &own {
        Some(own) if words.rest().contains(&"when") => Rate { credits, ..own.clone() },
        _ => Rate::per_operation(credits, 1),
    };
    let mut when = None;
    while let Some(word) = words.peek() {
        words.next("part of a price")?;
        match word {
            "included" => rate.included = words.parse("number of pictures")?,
            "per" => {
                let unit = words.next("\"image\"")?;
                if unit != "image" {
                    return Err(format!("\"per image\" needed, {unit:?} found"));
                }
                rate.charge = ChargeMode::PerImage;
            }
            "base" => rate.base = block.price(words.next("credits")?),
            "per-megapixel" => rate.per_megapixel = block.price(words.next("credits")?),
            "per-1k" => {
                while let Some((meter, price)) = words.peek().and_then(|word| word.split_once('=')) {
                    words.next("meter")?;
                    let meter: MeterName = meter.parse().map_err(|error| format!("{error}"))?;
                    rate.per_1k.insert(meter, block.price(price));
                }
            }
            "when" => when = Some(parse_conditions(words)?),
            other => return Err(format!("no part of a price is called {other:?}")),
        }
    }
    match (when, block.version.operations.get_mut(&operation)) {
        (Some(when), Some(price)) => price.rules.push(PriceRule { when, rate }),
        (Some(_), None) => return Err(format!("a price of {operation} without \"when\" needed before its rules")),
        (None, _) => drop(block.version.operations.insert(operation, rate.into())),
    }
    Ok(())
}

fn parse_conditions(words: &mut Words<'_>) -> Result<Conditions, String> {
    let mut when = Conditions::default();
    while let Some(word) = words.peek() {
        words.next("condition")?;
        match word {
            "model" => when.model = Some(words.next("model")?.into()),
            "quality" => when.quality = Some(words.next("quality")?.into()),
            "size" => when.size = Some(parse_size(words)?),
            "pixels-max" => when.pixels_max = Some(words.parse("number of pixels")?),
            "steps-max" => when.steps_max = Some(words.parse("number of steps")?),
            "count-max" => when.count_max = Some(words.parse("number of pictures")?),
            other => return Err(format!("no condition is called {other:?}")),
        }
    }
    Ok(when)
}

/// Reads `512x512`.
pub(super) fn parse_size(words: &mut Words<'_>) -> Result<(u32, u32), String> {
    let word = words.next("size")?;
    let size = word.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    size.ok_or_else(|| format!("a size such as 512x512 needed, {word:?} found"))
}

fn parse_plan(words: &mut Words<'_>) -> Result<PlanTerms, String> {
    let mut terms = PlanTerms::monthly(Credits::ZERO);
    while let Some(word) = words.peek() {
        words.next("term")?;
        match word {
            "monthly" => terms.monthly = words.credits()?,
            "expires" => terms.expires = words.months()?,
            "anchor" => {
                terms.anchor_policy = match words.next("\"keep\" or \"openai28\"")? {
                    "keep" => AnchorPolicy::Keep,
                    "openai28" => AnchorPolicy::OpenAi28,
                    other => return Err(format!("\"keep\" or \"openai28\" needed, {other:?} found")),
                };
            }
            "priority" => terms.priority = words.parse("priority")?,
            "price" => terms.price = Some(words.money()?),
            "rollover" => {
                let max = words.credits()?;
                if !words.take("for") {
                    return Err("\"for\" and a number of months needed".to_owned());
                }
                terms.rollover = Some(Rollover { max, months: words.months()? });
            }
            "images-max" => terms.limits.images_max = Some(words.parse("number of pictures")?),
            "jobs-max" => terms.limits.jobs_open_max = Some(words.parse("number of jobs")?),
            "models" => terms.limits.models = Some(words.next("models")?.split(',').map(Into::into).collect()),
            "grandfather" => terms.grandfather = true,
            other => return Err(format!("no term of a plan is called {other:?}")),
        }
    }
    Ok(terms)
}

fn parse_pack(words: &mut Words<'_>) -> Result<Pack, String> {
    let credits = words.credits()?;
    if !words.take("for") {
        return Err("\"for\" and a price needed".to_owned());
    }
    let price: Money = words.money()?;
    let (mode, tiers) = (TierMode::Volume, Vec::new());
    let expires = Months::new(12).expect("twelve months");
    let mut pack = Pack { credits, price, expires, mode, tiers, name: None, bonus: Credits::ZERO };
    while let Some("expires" | "name" | "bonus") = words.peek() {
        match words.next("part of a pack")? {
            "expires" => pack.expires = words.months()?,
            "name" => pack.name = Some(words.parse("name")?),
            _ => pack.bonus = words.credits()?,
        }
    }
    if words.take("graduated") {
        pack.mode = TierMode::Graduated;
    } else {
        words.take("volume");
    }
    while !words.is_empty() {
        let from: u32 = words.parse("first number of the tier")?;
        let tier = words.money()?;
        if tier.currency != price.currency {
            return Err(format!("tiers in {} needed, {} found", price.currency, tier.currency));
        }
        pack.tiers.push(Tier { from, price: tier.amount });
    }
    Ok(pack)
}

fn parse_cohort(words: &mut Words<'_>) -> Result<CohortTerms, String> {
    let (code, from, until) = (None, None, None);
    let (bonus, expires) = (Credits::ZERO, Months::ONE);
    let mut terms = CohortTerms { bonus, expires, priority: 0, code, from, until };
    while let Some(word) = words.peek() {
        words.next("term")?;
        match word {
            "bonus" => terms.bonus = words.credits()?,
            "expires" => terms.expires = words.months()?,
            "priority" => terms.priority = words.parse("priority")?,
            "code" => terms.code = Some(words.next("code")?.into()),
            "from" => terms.from = Some(words.instant()?),
            "until" => terms.until = Some(words.instant()?),
            other => return Err(format!("no term of a cohort is called {other:?}")),
        }
    }
    Ok(terms)
}

fn parse_policy(policy: &mut Policy, words: &mut Words<'_>) -> Result<(), String> {
    while let Some(word) = words.peek() {
        words.next("policy")?;
        match word {
            "late-grace" => policy.late_grace = words.duration()?,
            "debt" => {
                policy.debt_refuses = match words.next("\"refuse\" or \"allow\"")? {
                    "refuse" => true,
                    "allow" => false,
                    other => return Err(format!("\"refuse\" or \"allow\" needed, {other:?} found")),
                };
            }
            "invoice" => {
                policy.invoice = match words.next("\"on\" or \"off\"")? {
                    "on" => true,
                    "off" => false,
                    other => return Err(format!("\"on\" or \"off\" needed, {other:?} found")),
                };
            }
            other => return Err(format!("no policy is called {other:?}")),
        }
    }
    Ok(())
}

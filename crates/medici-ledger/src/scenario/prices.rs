//! Price blocks: `prices … end`.

use super::words::Words;
use crate::amount::{Credits, Money};
use crate::calendar::{AnchorPolicy, Months};
use crate::operation::Operation;
use crate::pack::{Pack, Tier, TierMode};
use crate::plan::{PlanName, PlanTerms};
use crate::price_book::PriceVersion;
use crate::price_rule::{OperationPrice, Rate};
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
    match words.next("\"price\", \"plan\" or \"pack\"")? {
        "price" => {
            let operation: Operation = words.parse("operation")?;
            let credits = block.price(words.next("credits")?);
            let mut price = Rate::per_operation(credits, 1);
            if words.take("included") {
                price.included = words.parse("number of pictures")?;
            }
            if words.take("per") {
                let unit = words.next("\"image\"")?;
                if unit != "image" {
                    return Err(format!("\"per image\" needed, {unit:?} found"));
                }
                price.charge = ChargeMode::PerImage;
            }
            block.version.operations.insert(operation, price.into());
        }
        "plan" => {
            let plan: PlanName = words.parse("plan")?;
            let monthly = if words.take("monthly") { words.credits()? } else { Credits::ZERO };
            let mut terms = PlanTerms::monthly(monthly);
            if words.take("expires") {
                terms.expires = words.months()?;
            }
            if words.take("anchor") {
                terms.anchor_policy = match words.next("\"keep\" or \"openai28\"")? {
                    "keep" => AnchorPolicy::Keep,
                    "openai28" => AnchorPolicy::OpenAi28,
                    other => return Err(format!("\"keep\" or \"openai28\" needed, {other:?} found")),
                };
            }
            if words.take("priority") {
                terms.priority = words.parse("priority")?;
            }
            block.version.plans.insert(plan, terms);
        }
        "pack" => {
            let pack = parse_pack(words)?;
            block.version.packs.push(pack);
        }
        other => return Err(format!("\"price\", \"plan\" or \"pack\" needed, {other:?} found")),
    }
    words.end()
}

fn parse_pack(words: &mut Words<'_>) -> Result<Pack, String> {
    let credits = words.credits()?;
    if !words.take("for") {
        return Err("\"for\" and a price needed".to_owned());
    }
    let price: Money = words.money()?;
    let expires = if words.take("expires") { words.months()? } else { Months::new(12).expect("twelve months") };
    let mode = if words.take("graduated") {
        TierMode::Graduated
    } else {
        words.take("volume");
        TierMode::Volume
    };
    let mut tiers = Vec::new();
    while !words.is_empty() {
        let from: u32 = words.parse("first number of the tier")?;
        let tier = words.money()?;
        if tier.currency != price.currency {
            return Err(format!("tiers in {} needed, {} found", price.currency, tier.currency));
        }
        tiers.push(Tier { from, price: tier.amount });
    }
    Ok(Pack { credits, price, expires, mode, tiers, name: None, bonus: Credits::ZERO })
}

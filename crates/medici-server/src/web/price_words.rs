//! A price version in words: each thing that is sold, on one line.

use medici_ledger::{ChargeMode, Credits, Money, Pack, PlanTerms, PriceVersion, Rate, TierMode};

use super::strings::{self, credits};

/// One thing that is sold, and on which terms.
pub(super) struct Offer {
    pub(super) name: String,
    pub(super) terms: String,
}

/// Returns what operations cost, one line for each rule of each.
pub(super) fn operations(version: &PriceVersion) -> Vec<Offer> {
    let mut offers = Vec::new();
    for (operation, price) in &version.operations {
        offers.extend(price.rules.iter().map(|rule| Offer {
            name: strings::price_under(operation.as_str(), &rule.when.to_string()),
            terms: rate(&rule.rate),
        }));
        let name = if price.rules.is_empty() {
            operation.as_str().to_owned()
        } else {
            strings::price_otherwise(operation.as_str())
        };
        offers.push(Offer { name, terms: rate(&price.rate) });
    }
    offers
}

fn rate(rate: &Rate) -> String {
    let mut parts = Vec::new();
    let priced = |amount: Credits| !amount.is_zero();
    if priced(rate.base) {
        parts.push(strings::price_base(rate.base));
    }
    if priced(rate.credits) {
        parts.push(match rate.charge {
            ChargeMode::PerOperation => strings::price_covers(rate.credits, rate.included),
            ChargeMode::PerImage => strings::price_each(rate.credits),
        });
    }
    if priced(rate.per_megapixel) {
        parts.push(strings::price_megapixel(rate.per_megapixel));
    }
    parts.extend(rate.per_1k.iter().map(|(meter, price)| strings::price_metered(*price, &meter.to_string())));
    if parts.is_empty() { strings::PRICE_FREE.to_owned() } else { parts.join(" + ") }
}

/// Returns what the plans give each month.
pub(super) fn plans(version: &PriceVersion) -> Vec<Offer> {
    let offer =
        |(name, terms): (&medici_ledger::PlanName, &PlanTerms)| Offer { name: name.to_string(), terms: plan(terms) };
    version.plans.iter().map(offer).collect()
}

fn plan(terms: &PlanTerms) -> String {
    let mut text = strings::plan_month(terms.monthly, terms.price.filter(|_| terms.is_paid()), terms.expires.get());
    let mut add = |more: String| {
        text.push_str("; ");
        text.push_str(&more);
    };
    if let Some(rollover) = terms.rollover {
        add(strings::plan_rollover(rollover.max, rollover.months.get()));
    }
    if let Some(max) = terms.limits.images_max {
        add(strings::plan_images(max));
    }
    if let Some(max) = terms.limits.jobs_open_max {
        add(strings::plan_jobs(max));
    }
    if let Some(models) = &terms.limits.models {
        add(strings::plan_models(&models.join(", ")));
    }
    if terms.grandfather {
        add(strings::PLAN_GRANDFATHER.to_owned());
    }
    text
}

/// Returns the packs.
pub(super) fn packs(version: &PriceVersion) -> Vec<Offer> {
    let offer = |pack: &Pack| Offer {
        name: pack.name.map_or_else(|| credits(pack.credits), |name| name.to_string()),
        terms: pack_terms(pack),
    };
    version.packs.iter().map(offer).collect()
}

fn pack_terms(pack: &Pack) -> String {
    let mut text = strings::pack(pack.credits, pack.bonus, pack.price, pack.expires.get());
    for tier in &pack.tiers {
        let price = Money::new(tier.price, pack.price.currency);
        text.push_str("; ");
        text.push_str(&match pack.mode {
            TierMode::Volume => strings::pack_volume(tier.from, price),
            TierMode::Graduated => strings::pack_graduated(tier.from, price),
        });
    }
    text
}

/// Returns what cohorts are given once. Their codes are the operator's.
pub(super) fn gifts(version: &PriceVersion) -> Vec<Offer> {
    let offers = version.cohorts.iter().map(|(cohort, terms)| Offer {
        name: cohort.to_string(),
        terms: strings::gift(terms.bonus, terms.expires.get()),
    });
    offers.collect()
}

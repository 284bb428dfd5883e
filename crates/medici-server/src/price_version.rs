//! A price version as JSON: the keys are those of the file.

use medici_ledger::{AnchorPolicy, ChargeMode, Money, OperationPrice, Pack, PlanTerms, PriceVersion, Rate, TierMode};
use serde_json::{Value, json};

/// Returns a version with every key that it could have. The codes of cohorts are the operator's alone.
pub fn price_version(version: &PriceVersion, with_codes: bool) -> Value {
    let operations = version.operations.iter().map(|(operation, price)| (operation.to_string(), of_price(price)));
    let plans = version.plans.iter().map(|(plan, terms)| (plan.to_string(), of_plan(terms)));
    let cohorts = version.cohorts.iter().map(|(cohort, terms)| {
        let value = json!({
            "bonus": terms.bonus.to_string(),
            "expires_months": terms.expires.get(),
            "priority": terms.priority,
            "code": terms.code.as_ref().filter(|_| with_codes),
            "from": terms.from.map(|at| at.to_string()),
            "until": terms.until.map(|at| at.to_string()),
        });
        (cohort.to_string(), value)
    });
    json!({
        "effective": version.effective_at.to_string(),
        "operations": operations.collect::<serde_json::Map<_, _>>(),
        "plans": plans.collect::<serde_json::Map<_, _>>(),
        "packs": version.packs.iter().map(of_pack).collect::<Vec<_>>(),
        "cohorts": cohorts.collect::<serde_json::Map<_, _>>(),
        "policy": {
            "late_grace_hours": version.policy.late_grace.as_secs() / 3_600,
            "debt": if version.policy.debt_refuses { "refuse" } else { "allow" },
            "invoice": version.policy.invoice,
        },
    })
}

fn of_price(price: &OperationPrice) -> Value {
    let rules = price.rules.iter().map(|rule| {
        let mut value = of_rate(&rule.rate);
        let when = &rule.when;
        value["model"] = json!(when.model);
        value["quality"] = json!(when.quality);
        value["size"] = json!(when.size.map(|(width, height)| format!("{width}x{height}")));
        value["pixels_max"] = json!(when.pixels_max);
        value["steps_max"] = json!(when.steps_max);
        value["count_max"] = json!(when.count_max);
        value
    });
    let rules: Vec<Value> = rules.collect();
    let mut value = of_rate(&price.rate);
    value["rules"] = rules.into();
    value
}

fn of_rate(rate: &Rate) -> Value {
    let per_1k = rate.per_1k.iter().map(|(meter, price)| (meter.to_string(), price.to_string().into()));
    json!({
        "base": rate.base.to_string(),
        "credits": rate.credits.to_string(),
        "included": rate.included,
        "charge": match rate.charge {
            ChargeMode::PerOperation => "per_operation",
            ChargeMode::PerImage => "per_image",
        },
        "per_megapixel": rate.per_megapixel.to_string(),
        "per_1k": per_1k.collect::<serde_json::Map<_, _>>(),
    })
}

fn of_plan(terms: &PlanTerms) -> Value {
    json!({
        "monthly": terms.monthly.to_string(),
        "class": terms.class().as_str(),
        "price": terms.price.map(|price| price.to_string()),
        "expires_months": terms.expires.get(),
        "anchor_policy": match terms.anchor_policy {
            AnchorPolicy::Keep => "keep",
            AnchorPolicy::OpenAi28 => "openai28",
        },
        "priority": terms.priority,
        "rollover": terms.rollover.map(|rollover| {
            json!({ "max": rollover.max.to_string(), "months": rollover.months.get() })
        }),
        "limits": {
            "images_max": terms.limits.images_max,
            "jobs_open_max": terms.limits.jobs_open_max,
            "models": terms.limits.models.as_deref(),
        },
        "grandfather": terms.grandfather,
    })
}

fn of_pack(pack: &Pack) -> Value {
    json!({
        "name": pack.name.map(|name| name.to_string()),
        "credits": pack.credits.to_string(),
        "bonus": pack.bonus.to_string(),
        "price": pack.price.to_string(),
        "expires_months": pack.expires.get(),
        "tier_mode": match pack.mode {
            TierMode::Volume => "volume",
            TierMode::Graduated => "graduated",
        },
        "tiers": pack.tiers.iter().map(|tier| {
            let price = Money::new(tier.price, pack.price.currency).to_string();
            json!({ "from": tier.from, "price": price })
        }).collect::<Vec<_>>(),
    })
}

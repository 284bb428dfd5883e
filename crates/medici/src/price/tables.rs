//! A price version as tables for people.

use medici_ledger::{
    ChargeMode, Conditions, Money, OperationPrice, Pack, PlanTerms, PriceVersion, Rate, TierMode, Timestamp,
};

use crate::render;

/// Prints a version, section by section.
pub(super) fn print(version: &PriceVersion) {
    let rows = version.operations.iter().flat_map(|(operation, price)| {
        let always = if price.rules.is_empty() { "always" } else { "otherwise" };
        rules(price).map(move |(rule, when, rate)| {
            let when = when.map_or_else(|| always.to_owned(), ToString::to_string);
            vec![operation.to_string(), rule.to_string(), when, mode(rate).to_owned(), rate.to_string()]
        })
    });
    section("operations", &["operation", "rule", "when", "charge", "price"], rows);
    let rows = version.plans.iter().map(|(plan, terms)| plan_row(&plan.to_string(), terms));
    section("plans", &["plan", "monthly", "class", "price", "expires", "rollover", "limits", "grandfather"], rows);
    section("packs", &["pack", "credits", "bonus", "price", "expires", "tiers"], version.packs.iter().map(pack_row));
    let rows = version.cohorts.iter().map(|(cohort, terms)| {
        let code = terms.code.as_deref().unwrap_or("none").to_owned();
        let (from, until) = (instant(terms.from), instant(terms.until));
        vec![cohort.to_string(), terms.bonus.to_string(), months(terms.expires.get()), code, from, until]
    });
    section("cohorts", &["cohort", "bonus", "expires", "code", "from", "until"], rows);
    let policy = version.policy;
    println!("\npolicy");
    println!("late events count when they happened for {} h", policy.late_grace.as_secs() / 3_600);
    println!("holds while there is debt are {}", if policy.debt_refuses { "refused" } else { "allowed" });
    println!("sales on invoice are {}", if policy.invoice { "allowed" } else { "refused" });
}

fn section(name: &str, heading: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    println!("\n{name}");
    render::table(heading, &rows.collect::<Vec<_>>());
}

/// The rules of a price in the order in which they are tried; the operation's own, without conditions, is last.
fn rules(price: &OperationPrice) -> impl Iterator<Item = (u16, Option<&Conditions>, &Rate)> {
    let rules = (1..).zip(&price.rules).map(|(number, rule)| (number, Some(&rule.when), &rule.rate));
    rules.chain(std::iter::once((0, None, &price.rate)))
}

fn mode(rate: &Rate) -> &'static str {
    match rate.charge {
        ChargeMode::PerOperation => "per operation",
        ChargeMode::PerImage => "per image",
    }
}

fn plan_row(plan: &str, terms: &PlanTerms) -> Vec<String> {
    let price = terms.price.filter(|_| terms.is_paid()).map_or("none".to_owned(), |price| price.to_string());
    let rollover = terms
        .rollover
        .map_or("none".to_owned(), |rollover| format!("{} for {}", rollover.max, months(rollover.months.get())));
    let limits = [
        terms.limits.images_max.map(|max| format!("{max} pictures")),
        terms.limits.jobs_open_max.map(|max| format!("{max} open jobs")),
        terms.limits.models.as_ref().map(|models| models.join(", ")),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    let limits = if limits.is_empty() { "none".to_owned() } else { limits.join("; ") };
    let grandfather = if terms.grandfather { "yes" } else { "no" };
    let (monthly, class) = (terms.monthly.to_string(), terms.class().to_string());
    let expires = months(terms.expires.get());
    vec![plan.to_owned(), monthly, class, price, expires, rollover, limits, grandfather.to_owned()]
}

fn pack_row(pack: &Pack) -> Vec<String> {
    let name = pack.name.map_or("none".to_owned(), |name| name.to_string());
    let tier_price = |price| Money::new(price, pack.price.currency);
    let tiers = pack.tiers.iter().map(|tier| format!("{} from {}", tier_price(tier.price), tier.from));
    let tiers: Vec<String> = tiers.collect();
    let tiers = match pack.mode {
        _ if tiers.is_empty() => "none".to_owned(),
        TierMode::Volume => format!("volume: {}", tiers.join(", ")),
        TierMode::Graduated => format!("graduated: {}", tiers.join(", ")),
    };
    let (credits, bonus, price) = (pack.credits.to_string(), pack.bonus.to_string(), pack.price.to_string());
    vec![name, credits, bonus, price, months(pack.expires.get()), tiers]
}

fn months(months: u16) -> String {
    format!("{months} {}", if months == 1 { "month" } else { "months" })
}

fn instant(at: Option<Timestamp>) -> String {
    at.map_or("none".to_owned(), |at| at.to_string())
}

//! Price warnings: what an operator should look at before a version comes into force.

use std::fmt;

use crate::amount::Money;
use crate::operation::Operation;
use crate::pack::{Cliff, Pack};
use crate::plan::{PlanLimits, PlanName, PlanTerms, Rollover};
use crate::price_book::{PriceBook, PriceVersion};
use crate::price_rule::{Conditions, OperationPrice};
use crate::time::Timestamp;

/// What an operator should look at before a version comes into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// One of the three picture operations has no price.
    NoPrice {
        /// The version.
        version: Timestamp,
        /// The operation.
        operation: Operation,
    },
    /// Something costs nothing.
    ZeroPrice {
        /// The version.
        version: Timestamp,
        /// What: `operation edit, rule 2`.
        place: Box<str>,
    },
    /// A rule never decides a price.
    UnusedRule {
        /// The version.
        version: Timestamp,
        /// The operation.
        operation: Operation,
        /// The rule; 0 for the operation's own price.
        rule: u16,
        /// The earlier rule that takes all its requests; `None` where no request could fulfil it.
        taken_by: Option<u16>,
    },
    /// The price of an operation changes.
    PriceChanges {
        /// The version.
        version: Timestamp,
        /// The operation.
        operation: Operation,
        /// The price before.
        before: OperationPrice,
        /// The price after; `None` where it is no longer sold.
        after: Option<OperationPrice>,
    },
    /// More packs would cost less.
    Cliff {
        /// The version.
        version: Timestamp,
        /// The pack.
        pack: Box<str>,
        /// The numbers.
        cliff: Cliff,
    },
    /// A credit of a larger pack costs more than one of a smaller pack.
    DearerPack {
        /// The version.
        version: Timestamp,
        /// The smaller pack.
        smaller: Box<str>,
        /// The larger pack.
        larger: Box<str>,
    },
    /// The terms of a plan that exists change.
    PlanChanges {
        /// The version.
        version: Timestamp,
        /// The plan.
        plan: PlanName,
        /// The terms before.
        before: Box<PlanTerms>,
        /// The terms after; `None` where the plan is gone and its accounts get nothing more.
        after: Option<Box<PlanTerms>>,
    },
}

impl Warning {
    /// Returns what it is about, in a word that does not change.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoPrice { .. } => "no-price",
            Self::ZeroPrice { .. } => "zero-price",
            Self::UnusedRule { .. } => "unused-rule",
            Self::PriceChanges { .. } => "price-changes",
            Self::Cliff { .. } => "cliff",
            Self::DearerPack { .. } => "dearer-pack",
            Self::PlanChanges { .. } => "plan-changes",
        }
    }

    /// Returns the version it is about.
    #[must_use]
    pub const fn version(&self) -> Timestamp {
        match self {
            Self::NoPrice { version, .. }
            | Self::ZeroPrice { version, .. }
            | Self::UnusedRule { version, .. }
            | Self::PriceChanges { version, .. }
            | Self::Cliff { version, .. }
            | Self::DearerPack { version, .. }
            | Self::PlanChanges { version, .. } => *version,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrice { version, operation } => write!(f, "{operation} has no price from {version} on"),
            Self::ZeroPrice { version, place } => write!(f, "{place} costs nothing from {version} on"),
            Self::UnusedRule { version, operation, rule, taken_by } => {
                let what = if *rule == 0 { "its own price".to_owned() } else { format!("rule {rule}") };
                write!(f, "{operation}: {what} is never used from {version} on, ")?;
                match taken_by {
                    Some(earlier) => write!(f, "because rule {earlier} takes all its requests"),
                    None => f.write_str("because its conditions contradict each other"),
                }
            }
            Self::PriceChanges { version, operation, before, after: Some(after) } => {
                let changes = price_changes(before, after).join("; ");
                write!(f, "the price of {operation} changes at {version}: {changes}")
            }
            Self::PriceChanges { version, operation, after: None, .. } => {
                write!(f, "{operation} is no longer sold from {version} on")
            }
            Self::Cliff { version, pack, cliff: Cliff { packs, price, next_price } } => {
                let more = packs + 1;
                write!(f, "from {version} on {packs} of {pack} cost {price}, more than the {next_price} of {more}")
            }
            Self::DearerPack { version, smaller, larger } => {
                write!(f, "from {version} on a credit costs more in {larger} than in {smaller}")
            }
            Self::PlanChanges { version, plan, before, after: Some(after) } => {
                let changes = plan_changes(before, after);
                let (count, terms) = (changes.len(), if changes.len() == 1 { "term" } else { "terms" });
                write!(f, "plan {plan} changes {count} {terms} at {version}: {}; ", changes.join("; "))?;
                f.write_str(if after.grandfather {
                    "accounts that are on it before keep the terms they have"
                } else {
                    "accounts that are on it get the new terms"
                })
            }
            Self::PlanChanges { version, plan, before, after: None } => {
                write!(f, "plan {plan} ends at {version}: its {} credits a month are no longer granted", before.monthly)
            }
        }
    }
}

impl PriceBook {
    /// Returns what an operator should look at, version by version.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for (index, version) in self.versions().iter().enumerate() {
            version.prices_to_look_at(&mut warnings);
            version.packs_to_look_at(&mut warnings);
            if let Some(previous) = index.checked_sub(1).map(|index| &self.versions()[index]) {
                version.changes_since(previous, &mut warnings);
            }
        }
        warnings
    }
}

impl PriceVersion {
    fn prices_to_look_at(&self, warnings: &mut Vec<Warning>) {
        let version = self.effective_at;
        for operation in [Operation::Generate, Operation::Edit, Operation::Vary] {
            if !self.operations.contains_key(&operation) {
                warnings.push(Warning::NoPrice { version, operation });
            }
        }
        for (operation, price) in &self.operations {
            for (rule, _) in price.rates().filter(|(_, rate)| rate.is_zero()) {
                let rule = if rule == 0 { String::new() } else { format!(", rule {rule}") };
                warnings.push(Warning::ZeroPrice { version, place: format!("operation {operation}{rule}").into() });
            }
            for (rule, taken_by) in unused(price) {
                warnings.push(Warning::UnusedRule { version, operation: operation.clone(), rule, taken_by });
            }
        }
        // A plan without a price says that it costs nothing; one with a price of zero may be a slip.
        for (plan, _) in self.plans.iter().filter(|(_, terms)| terms.price.is_some() && !terms.is_paid()) {
            warnings.push(Warning::ZeroPrice { version, place: format!("plan {plan}").into() });
        }
    }

    fn packs_to_look_at(&self, warnings: &mut Vec<Warning>) {
        let version = self.effective_at;
        for pack in &self.packs {
            if pack.price.amount.is_zero() || pack.tiers.iter().any(|tier| tier.price.is_zero()) {
                warnings.push(Warning::ZeroPrice { version, place: pack.label().into() });
            }
            for cliff in pack.cliffs() {
                warnings.push(Warning::Cliff { version, pack: pack.label().into(), cliff });
            }
        }
        let mut packs: Vec<&Pack> = self.packs.iter().collect();
        packs.sort_by_key(|pack| (pack.price.currency, pack.brings()));
        // A pack is held against the next smaller one, so that one odd pack is one warning.
        for pair in packs.windows(2) {
            let [smaller, larger] = [pair[0], pair[1]];
            if smaller.price.currency == larger.price.currency && larger.is_dearer_than(smaller) {
                let (smaller, larger) = (smaller.label().into(), larger.label().into());
                warnings.push(Warning::DearerPack { version, smaller, larger });
            }
        }
    }

    fn changes_since(&self, previous: &Self, warnings: &mut Vec<Warning>) {
        let version = self.effective_at;
        for (operation, before) in &previous.operations {
            let after = self.operations.get(operation);
            // One of the three that ends has its own warning.
            let ends = after.is_none() && matches!(operation, Operation::Named(_));
            if ends || after.is_some_and(|after| after != before) {
                let (operation, before, after) = (operation.clone(), before.clone(), after.cloned());
                warnings.push(Warning::PriceChanges { version, operation, before, after });
            }
        }
        for (&plan, before) in &previous.plans {
            let after = self.plans.get(&plan);
            if after.is_none_or(|after| !plan_changes(before, after).is_empty()) {
                let (before, after) = (Box::new(before.clone()), after.cloned().map(Box::new));
                warnings.push(Warning::PlanChanges { version, plan, before, after });
            }
        }
    }
}

impl Pack {
    /// Returns what messages call it: its name, or how many credits it has.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.map_or_else(|| format!("the pack of {}", self.credits), |name| format!("pack {name}"))
    }

    /// The credits that one brings, in micro-credits.
    fn brings(&self) -> i128 {
        i128::from(self.credits.micro()) + i128::from(self.bonus.micro())
    }

    fn is_dearer_than(&self, other: &Self) -> bool {
        let minor = |pack: &Self| i128::from(pack.price.amount.minor());
        minor(self) * other.brings() > minor(other) * self.brings()
    }
}

/// Returns the rules of a price that never decide one, with the earlier rule that takes their requests.
fn unused(price: &OperationPrice) -> Vec<(u16, Option<u16>)> {
    let always = Conditions::default();
    let own = (0, &always);
    let rules = (1..).zip(price.rules.iter().map(|rule| &rule.when));
    let mut unused = Vec::new();
    for (index, (number, when)) in rules.chain([own]).enumerate() {
        if when.contradict() {
            unused.push((number, None));
            continue;
        }
        let earlier = (1..).zip(&price.rules[..index]).find(|(_, earlier)| earlier.when.cover(when));
        unused.extend(earlier.map(|(earlier, _)| (number, Some(earlier))));
    }
    unused
}

fn price_changes(before: &OperationPrice, after: &OperationPrice) -> Vec<String> {
    let mut changes = Vec::new();
    if before.rate != after.rate {
        changes.push(format!("{} becomes {}", before.rate, after.rate));
    }
    if before.rules != after.rules {
        let same = before.rules.iter().zip(&after.rules).filter(|(before, after)| before == after).count();
        let changed = before.rules.len().max(after.rules.len()) - same;
        changes.push(format!("rules that differ: {changed}"));
    }
    changes
}

/// Returns what changes for an account on the plan, field by field.
fn plan_changes(before: &PlanTerms, after: &PlanTerms) -> Vec<String> {
    let mut changes = Vec::new();
    let mut change = |what: &str, before: String, after: String| {
        if before != after {
            changes.push(format!("{what} {before} becomes {after}"));
        }
    };
    change("price", price(before.price), price(after.price));
    change("monthly", before.monthly.to_string(), after.monthly.to_string());
    change("expiry", months(before.expires.get()), months(after.expires.get()));
    change("rollover", rollover(before.rollover), rollover(after.rollover));
    let pairs = limits(&before.limits).into_iter().zip(limits(&after.limits));
    for ((what, before), (_, after)) in pairs {
        change(what, before, after);
    }
    change("priority", before.priority.to_string(), after.priority.to_string());
    change("anchor policy", format!("{:?}", before.anchor_policy), format!("{:?}", after.anchor_policy));
    if before.grandfather && !after.grandfather {
        changes.push("older terms that accounts had kept end".to_owned());
    }
    changes
}

fn price(price: Option<Money>) -> String {
    price.filter(|price| !price.amount.is_zero()).map_or("nothing".to_owned(), |price| price.to_string())
}

fn months(months: u16) -> String {
    format!("{months} {}", if months == 1 { "month" } else { "months" })
}

fn rollover(rollover: Option<Rollover>) -> String {
    rollover.map_or("none".to_owned(), |it| format!("{} for {}", it.max, months(it.months.get())))
}

fn limits(limits: &PlanLimits) -> [(&'static str, String); 3] {
    let most = |max: Option<u32>| max.map_or("unlimited".to_owned(), |max| max.to_string());
    let models = limits.models.as_ref().map_or("all".to_owned(), |models| models.join(", "));
    [("pictures a request", most(limits.images_max)), ("open jobs", most(limits.jobs_open_max)), ("models", models)]
}

#[cfg(test)]
mod tests;

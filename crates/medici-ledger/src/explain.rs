//! Facts in words, one line each.

use crate::agreed::Overrides;
use crate::amount::{Currency, Money};
use crate::entry::{Fact, Grant, Replacement};
use crate::hold::Slice;
use crate::ids::OrderId;
use crate::order::{Item, Order, PlanChangeMode, Reversal};
use crate::plan::PlanLimits;
use crate::quote::{ChargeMode, Quote};
use crate::time::Timestamp;

/// Returns a fact in one line.
#[must_use]
pub fn summary(fact: &Fact) -> String {
    match fact {
        Fact::Opened { plan, sandbox: false } => format!("opened on plan {plan}"),
        Fact::Opened { plan, sandbox: true } => format!("opened as a sandbox on plan {plan}"),
        Fact::Granted(grant) => granted(grant),
        Fact::Held { hold, quote, slices, expires_at, .. } => {
            format!("held {} for {} as {hold} until {expires_at}{}", quote.amount, quote.operation, from(slices))
        }
        Fact::Extended { hold, expires_at } => format!("extended {hold} until {expires_at}"),
        Fact::Captured { hold, amount, captured, released } => {
            let back = if released.is_empty() { String::new() } else { format!(", released{}", from(released)) };
            format!("captured {amount} of {hold}{}{back}", from(captured))
        }
        Fact::Voided { hold, reason, released, replacements } => {
            let replaced: String = replacements.iter().map(replaced).collect();
            format!("voided {hold} ({reason}), released{}{replaced}", from(released))
        }
        Fact::HoldExpired { hold, released } => format!("{hold} expired, released{}", from(released)),
        Fact::Charged { charge, quote, slices, event, .. } => {
            let event = event.as_ref().map_or(String::new(), |event| format!(" (event {})", event.id));
            format!("charged {} for {} as {charge}{event}{}", quote.amount, quote.operation, from(slices))
        }
        Fact::LotExpired { lot, amount, rollover: None } => format!("lot {lot} expired with {amount} unspent"),
        Fact::LotExpired { lot, amount, rollover: Some(rolled) } => {
            let Replacement { lot: new, credits, expires_at, .. } = rolled;
            format!("lot {lot} ended with {amount} unspent, of which {credits} live on as lot {new} until {expires_at}")
        }
        Fact::Uncollected { hold, amount } => format!("delivered {amount} of {hold} without credits"),
        _ => later(fact),
    }
}

/// What is bought, reversed and agreed, in one line.
fn later(fact: &Fact) -> String {
    match fact {
        Fact::OrderPlaced(order) => format!("ordered {} for {}: {}", item(order), order.total(), order.id),
        Fact::OrderCancelled { order } => format!("{order} was given up"),
        Fact::OrderInvoiced { order, lots } => format!("{order} on invoice, {}", granted_all(lots)),
        Fact::OrderPaid { order, lots } if lots.is_empty() => format!("{order} was paid"),
        Fact::OrderPaid { order, lots } => format!("{order} was paid, {}", granted_all(lots)),
        Fact::OrderReversed { order, reversal } => reversed(*order, reversal, None),
        Fact::GivenBack { capture, returned, reason, replacements } => {
            let replaced: String = replacements.iter().map(replaced).collect();
            let amount = crate::apply::given_back_amount(returned);
            format!("gave back {amount} of {} ({reason}){}{replaced}", capture.hold, to(returned))
        }
        Fact::Withdrawn { lot, amount } => format!("withdrew {amount} of lot {lot}"),
        Fact::PlanChanged { plan, new_anchor, cut, .. } => {
            let anchor = if *new_anchor { ", months count from here" } else { "" };
            let cut = if cut.is_empty() { String::new() } else { format!(", withdrew{}", from(cut)) };
            format!("changed to plan {plan}{anchor}{cut}")
        }
        Fact::CohortJoined { cohort, bonus: None } => format!("joined cohort {cohort}"),
        Fact::CohortJoined { cohort, bonus: Some(bonus) } => format!("joined cohort {cohort}, {}", granted(bonus)),
        Fact::BudgetSet { subject, period, limit: Some(limit) } => format!("budget ({subject}, {period}) is {limit}"),
        Fact::BudgetSet { subject, period, limit: None } => format!("budget ({subject}, {period}) is removed"),
        Fact::OverridesSet { overrides: None } => "terms of its own are removed".to_owned(),
        Fact::OverridesSet { overrides: Some(overrides) } => own_terms(overrides),
        Fact::AlertSet { below: Some(below) } => format!("an alert is set below {below}"),
        Fact::AlertSet { below: None } => "the alert is removed".to_owned(),
        Fact::LowBalance { below, available } => format!("low balance: {available} available, below {below}"),
        Fact::Reopened { lot, amount } => format!("undid the expiry of {amount} of lot {lot} for late usage"),
        Fact::ClockSet => "the sandbox's clock is set".to_owned(),
        Fact::Opened { .. }
        | Fact::Granted(_)
        | Fact::Held { .. }
        | Fact::Extended { .. }
        | Fact::Captured { .. }
        | Fact::Voided { .. }
        | Fact::HoldExpired { .. }
        | Fact::Charged { .. }
        | Fact::LotExpired { .. }
        | Fact::Uncollected { .. } => unreachable!("told by `summary`"),
    }
}

/// Returns a fact in one line, with what only its order knows: the currency of what went back.
pub(crate) fn summary_with(fact: &Fact, currency: Option<Currency>) -> String {
    match fact {
        Fact::OrderReversed { order, reversal } => reversed(*order, reversal, currency),
        _ => summary(fact),
    }
}

fn reversed(order: OrderId, reversal: &Reversal, currency: Option<Currency>) -> String {
    let amount = match currency {
        Some(currency) => Money::new(reversal.amount, currency).to_string(),
        None => format!("{} minor units", reversal.amount),
    };
    let what = if reversal.state.is_refund() { "refund" } else { "dispute" };
    format!("{order}: {what} {} of {amount} is {}", reversal.id, reversal.state.as_str().replace('_', " "))
}

fn own_terms(overrides: &Overrides) -> String {
    let PlanLimits { images_max, jobs_open_max, models } = &overrides.limits;
    let mut terms = Vec::new();
    terms.extend(overrides.monthly.map(|monthly| format!("{monthly} credits a month")));
    terms.extend(images_max.map(|max| format!("at most {max} images a request")));
    terms.extend(jobs_open_max.map(|max| format!("at most {max} open jobs")));
    terms.extend(models.as_ref().map(|models| format!("models {}", models.join(", "))));
    format!("terms of its own are set: {}", terms.join("; "))
}

/// Returns what an order is for, as a noun.
pub(crate) fn item(order: &Order) -> String {
    let credits = order.credits;
    match &order.item {
        Item::Packs { packs: 1, .. } => format!("a pack of {credits} credits"),
        Item::Packs { packs, .. } => format!("{packs} packs of {credits} credits in all"),
        Item::Period => format!("a period of {credits} credits"),
        Item::PlanChange { plan, mode: PlanChangeMode::FullPrice } => format!("plan {plan} with {credits} credits"),
        Item::PlanChange { plan, mode: PlanChangeMode::Prorated } => {
            format!("plan {plan} for the rest of the period with {credits} more credits")
        }
    }
}

fn granted_all(lots: &[Grant]) -> String {
    lots.iter().map(granted).collect::<Vec<_>>().join(", ")
}

fn to(slices: &[Slice]) -> String {
    let parts: Vec<String> = slices.iter().map(|slice| format!("{} to lot {}", slice.amount, slice.lot)).collect();
    format!(" ({})", parts.join(", "))
}

fn granted(grant: &Grant) -> String {
    let paid = grant.cost.map_or(String::new(), |cost| format!(" for {cost}"));
    let end = grant.expires_at.map_or("for ever".to_owned(), |end: Timestamp| format!("until {end}"));
    let (credits, class, lot) = (grant.credits, grant.class, grant.lot);
    format!("granted {credits} {class} credits ({}) as lot {lot}{paid}, {end}", grant.source.as_str())
}

fn replaced(replacement: &Replacement) -> String {
    let Replacement { lot, of, credits, expires_at, .. } = replacement;
    format!(", replaced {credits} of lot {of} by lot {lot} until {expires_at}")
}

fn from(slices: &[Slice]) -> String {
    let parts: Vec<String> = slices.iter().map(|slice| format!("{} from lot {}", slice.amount, slice.lot)).collect();
    if parts.is_empty() { " nothing".to_owned() } else { format!(" ({})", parts.join(", ")) }
}

/// Returns how an amount came about: base, units, pixels, and whose price it is.
pub(crate) fn priced(quote: &Quote) -> String {
    let &Quote { version, count, unit, included, charge, amount, rule, base, .. } = quote;
    let (times, covered) = match charge {
        ChargeMode::PerOperation => (count.div_ceil(included), format!(", each for up to {included}, for {count}")),
        ChargeMode::PerImage => (count, String::new()),
    };
    let mut parts = Vec::new();
    if !base.is_zero() {
        parts.push(format!("{base} for the request"));
    }
    parts.push(format!("{times} x {unit}{covered}"));
    // What is in the amount of an operation beyond base and unit are its pixels; a picture's unit has them in it.
    let stated = unit.checked_mul(times).and_then(|units| units.checked_add(base));
    if let Some(pixels) = stated.and_then(|stated| amount.checked_sub(stated)).filter(|pixels| !pixels.is_zero()) {
        parts.push(format!("{pixels} for the pixels"));
    }
    let rule = if rule == 0 { String::new() } else { format!(", rule {rule}") };
    format!("{}: {amount} (prices of {version}{rule})", parts.join(" + "))
}

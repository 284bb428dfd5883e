//! Explaining: one entry in words.

use std::fmt::Write;

use crate::entry::{Entry, Fact, Grant, Replacement};
use crate::hold::Slice;
use crate::posting::LedgerAccount;
use crate::quote::{ChargeMode, Quote};
use crate::time::Timestamp;

/// Returns what an entry says: when, what, from which lots, at which price, and what follows in money.
#[must_use]
pub fn explain(entry: &Entry) -> String {
    let mut text = format!("entry {} of {}, effective {}", entry.seq, entry.account, entry.effective_at);
    if entry.recorded_at != entry.effective_at {
        write!(text, ", recorded {}", entry.recorded_at).expect("writing to a string cannot fail");
    }
    write!(text, ": {}", summary(&entry.fact)).expect("writing to a string cannot fail");
    if let Fact::Held { quote, .. } | Fact::Charged { quote, .. } = &entry.fact {
        write!(text, "\nprice: {}", priced(quote)).expect("writing to a string cannot fail");
    }
    for posting in &entry.postings {
        write!(text, "\n  {posting}").expect("writing to a string cannot fail");
    }
    if entry.postings.iter().any(|posting| matches!(posting.account, LedgerAccount::Revenue(_))) {
        text.push_str("\nmoney: a lot's earned money is its cost x captured / granted, rounded down after each entry");
    }
    text
}

/// Returns a fact in one line.
#[must_use]
pub fn summary(fact: &Fact) -> String {
    match fact {
        Fact::Opened { plan } => format!("opened on plan {plan}"),
        Fact::Granted(grant) => granted(grant),
        Fact::Held { hold, quote, slices, expires_at } => {
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
        Fact::Charged { charge, quote, slices } => {
            format!("charged {} for {} as {charge}{}", quote.amount, quote.operation, from(slices))
        }
        Fact::LotExpired { lot, amount } => format!("lot {lot} expired with {amount} unspent"),
        Fact::Uncollected { hold, amount } => format!("delivered {amount} of {hold} without credits"),
    }
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

fn priced(quote: &Quote) -> String {
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

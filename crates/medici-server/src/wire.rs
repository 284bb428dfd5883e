//! How the ledger's things are written in JSON: amounts and instants as text, exact for every reader.

use std::fmt::Display;

use medici_ledger::{Entry, Posting, Signed, Timestamp, Unit};
use serde::{Serialize, Serializer};

/// Writes anything that can be displayed as a JSON string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<T>(pub(crate) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An entry without words: what a charge answers.
#[derive(Serialize)]
pub(crate) struct EntryBody<'a> {
    pub(crate) account: Text<medici_ledger::AccountId>,
    pub(crate) seq: u64,
    pub(crate) fact: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<Text<medici_ledger::HoldId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<Text<medici_ledger::OrderId>>,
    pub(crate) effective_at: Text<Timestamp>,
    pub(crate) recorded_at: Text<Timestamp>,
    pub(crate) postings: Postings<'a>,
    pub(crate) hash: Text<medici_ledger::Hash>,
}

impl<'a> EntryBody<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        Self {
            account: Text(entry.account),
            seq: entry.seq,
            fact: entry.fact.name(),
            hold: entry.fact.hold().map(Text),
            order: entry.fact.order().map(Text),
            effective_at: Text(entry.effective_at),
            recorded_at: Text(entry.recorded_at),
            postings: Postings(&entry.postings),
            hash: Text(entry.hash),
        }
    }
}

/// The postings of an entry.
pub(crate) struct Postings<'a>(&'a [Posting]);

#[derive(Serialize)]
struct PostingBody<'a> {
    account: Text<&'a medici_ledger::LedgerAccount>,
    lot: u32,
    unit: &'a str,
    amount: Text<Signed>,
}

impl Serialize for Postings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|posting| PostingBody {
            account: Text(&posting.account),
            lot: posting.lot.get(),
            unit: match &posting.unit {
                Unit::Credits => "credits",
                Unit::Money(currency) => currency.as_str(),
            },
            amount: Text(posting.unit.decimal(posting.amount)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use medici_ledger::Currency;

    #[test]
    fn amounts_are_exact_decimals_with_a_sign() {
        let written = |amount: i64, unit: Unit| unit.decimal(amount).to_string();
        assert_eq!(written(-1_000_000, Unit::Credits), "-1");
        assert_eq!(written(250_000, Unit::Credits), "0.25");
        assert_eq!(written(-13, Unit::Money(Currency::USD)), "-0.13");
        assert_eq!(written(1500, Unit::Money("JPY".parse().unwrap())), "1500");
    }
}

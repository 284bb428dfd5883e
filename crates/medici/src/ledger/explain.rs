//! `ledger explain`: one entry, or a whole hold, in words.

use anyhow::{Result, bail};
use clap::Args;
use medici_ledger::{Entry, HoldId, explain};
use serde_json::json;

use super::statement::credits;
use crate::{Verdict, config::Config, render};

/// Arguments of `ledger explain`.
#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// Name or id
    account: String,
    /// The number of an entry, or the id of a hold or charge
    #[arg(value_name = "SEQ|HOLD")]
    what: What,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is to be explained.
#[derive(Clone, Copy, Debug)]
enum What {
    Entry(u64),
    Hold(HoldId),
}

impl std::str::FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(seq) = text.parse() {
            return Ok(Self::Entry(seq));
        }
        text.parse().map(Self::Hold).map_err(|_| format!("expected an entry's number or hold_…, found {text:?}"))
    }
}

/// Runs `ledger explain`.
pub(crate) fn run(config: &Config, args: &ExplainArgs) -> Result<Verdict> {
    let (account, entries) = super::read_account(config, &args.account)?;
    let wanted = |entry: &&Entry| match args.what {
        What::Entry(seq) => entry.seq == seq,
        What::Hold(hold) => entry.fact.hold() == Some(hold),
    };
    let found: Vec<&Entry> = entries.iter().filter(wanted).collect();
    if found.is_empty() {
        match args.what {
            What::Entry(seq) => bail!("{} has {} entries, and none of number {seq}", account.name, entries.len()),
            What::Hold(hold) => bail!("{} has no entry about {hold}", account.name),
        }
    }
    if args.json {
        render::json(&found.iter().map(|entry| of_entry(entry)).collect::<Vec<_>>())?;
    } else {
        let words: Vec<String> = found.iter().map(|entry| explain(entry)).collect();
        println!("{}", words.join("\n\n"));
    }
    Ok(Verdict::Good)
}

fn of_entry(entry: &Entry) -> serde_json::Value {
    let postings = entry.postings.iter().map(|posting| {
        let amount = match posting.unit {
            medici_ledger::Unit::Credits => credits(posting.amount),
            medici_ledger::Unit::Money(_) => posting.amount.to_string(),
        };
        let unit = match posting.unit {
            medici_ledger::Unit::Credits => "credits".to_owned(),
            medici_ledger::Unit::Money(currency) => format!("minor units of {}", currency.as_str()),
        };
        json!({ "account": posting.account.to_string(), "lot": posting.lot.get(), "amount": amount, "unit": unit })
    });
    json!({
        "seq": entry.seq,
        "fact": entry.fact.name(),
        "hold": entry.fact.hold().map(|hold| hold.to_string()),
        "effective_at": entry.effective_at.to_string(),
        "recorded_at": entry.recorded_at.to_string(),
        "hash": entry.hash.to_string(),
        "text": explain(entry),
        "postings": postings.collect::<Vec<_>>(),
    })
}

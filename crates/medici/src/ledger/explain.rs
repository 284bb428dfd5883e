//! `ledger explain`: one entry, or a whole hold, in words.

use anyhow::{Context, Result, bail};
use clap::Args;
use medici_ledger::{Entry, HoldId, explanations};
use medici_server::documents::explanation_json;

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
    if !entries.iter().any(|entry| wanted(&entry)) {
        match args.what {
            What::Entry(seq) => bail!("{} has {} entries, and none of number {seq}", account.name, entries.len()),
            What::Hold(hold) => bail!("{} has no entry about {hold}", account.name),
        }
    }
    let explained = explanations(account.id, &entries, |entry| wanted(&entry))
        .with_context(|| format!("the entries of {} are broken", account.name))?;
    if args.json {
        render::json(&explained.iter().map(explanation_json).collect::<Vec<_>>())?;
    } else {
        let words: Vec<String> = explained.iter().map(ToString::to_string).collect();
        println!("{}", words.join("\n\n"));
    }
    Ok(Verdict::Good)
}

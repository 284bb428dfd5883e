//! `ledger alerts`: which balances fell below what somebody wanted to be told of.

use anyhow::Result;
use clap::Args;
use medici_studio::LowBalance;
use serde_json::json;

use crate::{Verdict, books, config::Config, render};

/// Arguments of `ledger alerts`.
#[derive(Args)]
pub(crate) struct AlertsArgs {
    /// Name or id [default: all accounts but sandboxes]
    account: Option<String>,
    /// The most that are shown, newest first
    #[arg(long, value_name = "COUNT", default_value = "50")]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `ledger alerts`.
pub(crate) fn run(config: &Config, args: &AlertsArgs) -> Result<Verdict> {
    let books = books::open(config)?;
    let account = args.account.as_deref().map(|account| books::account(&books, account)).transpose()?;
    let alerts = books.low_balances(account.map(|account| account.id), None, args.limit)?;
    let mut rows = Vec::with_capacity(alerts.len());
    for LowBalance { account, seq, recorded_at, below, available, .. } in alerts {
        let name = books.account(account)?.map(|account| account.name);
        rows.push((name, account.to_string(), seq, recorded_at, below, available));
    }
    if args.json {
        let alerts = rows.into_iter().map(|(name, account, seq, at, below, available)| {
            json!({
                "account": { "id": account, "name": name },
                "seq": seq,
                "at": at.to_string(),
                "below": below.to_string(),
                "available": available.to_string(),
            })
        });
        render::json(&alerts.collect::<Vec<_>>())?;
        return Ok(Verdict::Good);
    }
    let rows = rows.into_iter().map(|(name, account, seq, at, below, available)| {
        let name = name.unwrap_or(account);
        vec![at.to_string(), name, available.to_string(), below.to_string(), seq.to_string()]
    });
    render::table(&["at", "account", "available", "below", "entry"], &rows.collect::<Vec<_>>());
    Ok(Verdict::Good)
}

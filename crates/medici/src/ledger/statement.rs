//! `ledger statement`: opening + entries = closing.

use anyhow::Result;
use clap::Args;
use medici_ledger::{
    Cents, Credits, Entry, Timestamp,
    statement::{ClassLine, MoneyLine, Period, Statement},
};
use serde_json::{Value, json};

use crate::{Verdict, config::Config, render};

/// Arguments of `ledger statement`.
#[derive(Args)]
pub(crate) struct StatementArgs {
    /// Name or id
    account: String,
    /// The first instant, for example 2026-11-01 [default: the beginning]
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// The first instant that is not in it, for example 2026-12-01 [default: the end]
    #[arg(long, value_name = "INSTANT")]
    to: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `ledger statement`.
pub(crate) fn run(config: &Config, args: &StatementArgs) -> Result<Verdict> {
    let (account, entries) = super::read_account(config, &args.account)?;
    let period =
        Period { from: args.from.unwrap_or(Period::ALWAYS.from), until: args.to.unwrap_or(Period::ALWAYS.until) };
    if period.from >= period.until {
        anyhow::bail!("the period must begin before it ends: {} is not before {}", period.from, period.until);
    }
    let statement = Statement::of(&entries, period);
    if args.json {
        let lines: Vec<Value> = statement
            .lines
            .iter()
            .map(|line| {
                let entry = entries.iter().find(|entry| entry.seq == line.seq).expect("a line is of an entry");
                of_entry(entry, line.available, line.held, &line.text)
            })
            .collect();
        render::json(&json!({
            "account": { "id": account.id.to_string(), "name": account.name },
            "from": args.from.map(|at| at.to_string()),
            "to": args.to.map(|at| at.to_string()),
            "entries": lines,
            "classes": statement.classes.iter().map(of_class).collect::<Vec<_>>(),
            "money": statement.money.iter().map(of_money).collect::<Vec<_>>(),
        }))?;
    } else {
        println!("{} ({})", account.name, account.id);
        print!("{statement}");
    }
    Ok(Verdict::Good)
}

fn of_entry(entry: &Entry, available: i64, held: i64, text: &str) -> Value {
    json!({
        "seq": entry.seq,
        "effective_at": entry.effective_at.to_string(),
        "recorded_at": entry.recorded_at.to_string(),
        "fact": entry.fact.name(),
        "hold": entry.fact.hold().map(|hold| hold.to_string()),
        "text": text,
        "available": credits(available),
        "held": credits(held),
    })
}

pub(super) fn of_class(line: &ClassLine) -> Value {
    json!({
        "class": line.class.as_str(),
        "opening": credits(line.opening),
        "granted": credits(line.granted),
        "captured": credits(line.captured),
        "expired": credits(line.expired),
        "closing": credits(line.closing),
        "closing_held": credits(line.closing_held),
    })
}

pub(super) fn of_money(line: &MoneyLine) -> Value {
    let amount = |minor: i64| {
        let sum = Cents::from_minor(minor.abs()).expect("an absolute amount is not negative");
        let sign = if minor < 0 { "-" } else { "" };
        format!("{sign}{}", medici_ledger::Money::new(sum, line.currency))
    };
    json!({
        "currency": line.currency.as_str(),
        "opening_deferred": amount(line.opening_deferred),
        "received": amount(line.received),
        "tax": amount(line.tax),
        "recognised": amount(line.recognised),
        "breakage": amount(line.breakage),
        "closing_deferred": amount(line.closing_deferred),
    })
}

/// Writes signed micro-credits as a decimal.
pub(crate) fn credits(micro: i64) -> String {
    let sum = Credits::from_micro(micro.abs()).expect("an absolute amount is not negative");
    format!("{}{sum}", if micro < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_credits_keep_their_sign_and_their_fraction() {
        assert_eq!(credits(-1_250_000), "-1.25");
        assert_eq!(credits(15_000_000), "15");
        assert_eq!(credits(0), "0");
    }
}

//! `medici price simulate`: what a price book would have made of the past. Reads, and writes nothing.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use medici_ledger::{
    Currency, Entry, Fact, Operation, Timestamp, Unit,
    simulate::{Outcome, Simulation, as_from, simulate},
    statement::Period,
};
use medici_studio::{Account, Clock, prices};
use serde_json::{Value, json};

use crate::{Verdict, books, config::Config, machine::SystemClock, render};

/// The most accounts that are read at a time.
const PAGE: usize = 1_000;
/// How long a job can take from when it is asked for to its capture, generously: its hold lives no longer.
const JOB_LIFE_MAX: Duration = Duration::from_secs(48 * 60 * 60);
/// The most accounts that are named among those that would have run dry.
const DRY_MAX: usize = 20;

/// Arguments of `price simulate`.
#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// The price book's file; its last version counts for the whole period
    file: PathBuf,
    /// The first instant of the period
    #[arg(long, value_name = "INSTANT")]
    since: Timestamp,
    /// The first instant that is not in it [default: now]
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `price simulate`.
pub(crate) fn run(config: &Config, args: &SimulateArgs) -> Result<Verdict> {
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let book = prices::parse(&text).with_context(|| format!("{} is refused", args.file.display()))?;
    let period = Period { from: args.since, until: args.until.unwrap_or_else(|| SystemClock.now()) };
    if period.from >= period.until {
        bail!("the period must begin before it ends: {} is not before {}", period.from, period.until);
    }
    let other = as_from(&book, period.from);
    let books = books::open(config)?;
    // What is captured in the period may have been asked for before it.
    let asked = Period { from: period.from.minus(JOB_LIFE_MAX).unwrap_or(Timestamp::MIN), ..period };
    let asked = books.jobs_usage(asked)?;
    let (mut total, mut dry, mut accounts) = (Simulation::default(), Vec::new(), 0);
    let mut last: Option<Account> = None;
    loop {
        let page = books.accounts(last.as_ref().map(|account| account.name.as_str()), PAGE)?;
        for account in &page {
            let entries = books.entries(account.id)?;
            if is_sandbox(&entries) {
                continue;
            }
            let one = simulate(account.id, &entries, &asked, &other, period);
            accounts += 1;
            if let Some(at) = one.dry_at {
                dry.push((at, account.name.clone(), one.refused));
            }
            total.add(&one);
        }
        if page.len() < PAGE {
            break;
        }
        last = page.into_iter().next_back();
    }
    dry.sort();
    print(args, &period, &total, &dry, accounts)
}

/// A sandbox's past is nobody's money.
fn is_sandbox(entries: &[Entry]) -> bool {
    entries.first().is_some_and(|entry| matches!(entry.fact, Fact::Opened { sandbox: true, .. }))
}

type Dry = (Timestamp, String, u64);

fn print(args: &SimulateArgs, period: &Period, total: &Simulation, dry: &[Dry], accounts: u64) -> Result<Verdict> {
    let mut operations: Vec<&Operation> = total.before.spent.keys().chain(total.after.spent.keys()).collect();
    operations.sort();
    operations.dedup();
    if args.json {
        let named =
            dry.iter().map(|(at, name, refused)| json!({ "account": name, "at": at.to_string(), "refused": refused }));
        render::json(&json!({
            "from": period.from.to_string(),
            "until": period.until.to_string(),
            "accounts": accounts,
            "before": of_outcome(&total.before),
            "after": of_outcome(&total.after),
            "refused": total.refused,
            "unpriced": total.unpriced,
            "dry": named.collect::<Vec<_>>(),
        }))?;
        return Ok(Verdict::Good);
    }
    println!("{accounts} accounts from {} until {}", period.from, period.until);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for operation in operations {
        let of = |outcome: &Outcome| outcome.spent.get(operation).copied().unwrap_or(0);
        rows.push(row(&format!("credits for {operation}"), credits(of(&total.before)), credits(of(&total.after))));
        let of = |outcome: &Outcome| outcome.count.get(operation).copied().unwrap_or(0);
        let counts = (of(&total.before).to_string(), of(&total.after).to_string());
        rows.push(row(&format!("charges for {operation}"), counts.0, counts.1));
    }
    let mut currencies: Vec<_> = total.before.recognised.keys().chain(total.after.recognised.keys()).collect();
    currencies.sort();
    currencies.dedup();
    for currency in currencies {
        let of = |outcome: &Outcome| money(outcome.recognised.get(currency).copied().unwrap_or(0), *currency);
        rows.push(row("money earned by charges", of(&total.before), of(&total.after)));
    }
    rows.push(row("credits given by plans", credits(total.before.given), credits(total.after.given)));
    render::table(&["", "as it was", "as it would have been"], &rows);
    if total.unpriced > 0 {
        println!("{} charges have no price in the file", total.unpriced);
    }
    println!("{} charges would have been refused, {} accounts would have run dry", total.refused, dry.len());
    for (at, name, refused) in dry.iter().take(DRY_MAX) {
        println!("  {name} at {at}, {refused} refused");
    }
    if dry.len() > DRY_MAX {
        println!("  and {} more", dry.len() - DRY_MAX);
    }
    Ok(Verdict::Good)
}

fn row(what: &str, before: String, after: String) -> Vec<String> {
    vec![what.to_owned(), before, after]
}

fn of_outcome(outcome: &Outcome) -> Value {
    let spent = outcome.spent.iter().map(|(operation, amount)| (operation.to_string(), amount.to_string().into()));
    let count = outcome.count.iter().map(|(operation, count)| (operation.to_string(), (*count).into()));
    let earned = outcome.recognised.iter().map(|(currency, amount)| (currency.to_string(), amount.to_string().into()));
    json!({
        "micro_credits_spent": spent.collect::<serde_json::Map<String, Value>>(),
        "charges": count.collect::<serde_json::Map<String, Value>>(),
        "minor_units_earned": earned.collect::<serde_json::Map<String, Value>>(),
        "micro_credits_given": outcome.given.to_string(),
    })
}

fn credits(micro: i128) -> String {
    Unit::Credits.decimal(micro).to_string()
}

fn money(minor: i128, currency: Currency) -> String {
    format!("{} {currency}", Unit::Money(currency).decimal(minor))
}

//! `ledger statement`: opening + entries = closing.

use anyhow::Result;
use clap::{Args, ValueEnum};
use medici_ledger::{
    Timestamp,
    statement::{Period, Statement},
};
use medici_server::documents::StatementOf;
use medici_studio::Clock;

use crate::{Verdict, config::Config, machine::SystemClock, render};

/// Arguments of `ledger statement`.
#[derive(Args)]
pub(crate) struct StatementArgs {
    /// Name or id
    account: String,
    #[command(flatten)]
    period: PeriodArgs,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print JSON: the same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// From when until when.
#[derive(Args)]
pub(super) struct PeriodArgs {
    /// The first instant, for example 2026-11-01 [default: the beginning]
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// The first instant that is not in it, for example 2026-12-01 [default: the end]
    #[arg(long, value_name = "INSTANT")]
    to: Option<Timestamp>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people, in columns
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// A page to print or to send
    Html,
}

impl PeriodArgs {
    /// Returns the period.
    pub(super) fn period(&self) -> Result<Period> {
        let period =
            Period { from: self.from.unwrap_or(Period::ALWAYS.from), until: self.to.unwrap_or(Period::ALWAYS.until) };
        if period.from >= period.until {
            anyhow::bail!("the period must begin before it ends: {} is not before {}", period.from, period.until);
        }
        Ok(period)
    }
}

/// Runs `ledger statement`.
pub(crate) fn run(config: &Config, args: &StatementArgs) -> Result<Verdict> {
    let (account, entries) = super::read_account(config, &args.account)?;
    let statement = Statement::of(&entries, args.period.period()?);
    let of = StatementOf { account: &account, statement: &statement, made_at: SystemClock.now() };
    match if args.json { Format::Json } else { args.format } {
        Format::Text => print!("{} ({})\n{statement}", account.name, account.id),
        Format::Json => render::json(&of.json())?,
        Format::Csv => print!("{}", of.csv()),
        Format::Html => print!("{}", of.html()),
    }
    Ok(Verdict::Good)
}

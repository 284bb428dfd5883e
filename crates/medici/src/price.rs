//! `medici price`: check a price book before it is used, and show the one in force.

mod publish;
mod simulate;
mod tables;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use medici_ledger::{PriceBook, PriceVersion, Timestamp};
use medici_server::price_version;
use medici_studio::{Clock, prices};
use serde_json::{Value, json};

use crate::{
    Verdict,
    cli::Global,
    config::{Config, Overrides},
    machine::SystemClock,
    render, wiring,
};

/// What to do with price books.
#[derive(Subcommand)]
pub(crate) enum PriceCommand {
    /// Read a price book and say what is wrong or odd with it; exits 1 if it is refused
    Check {
        /// The file
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the version of the price book that is in force
    Show {
        /// Of then [default: now]
        #[arg(long, value_name = "INSTANT")]
        at: Option<Timestamp>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Publish the new versions of a price book; each takes effect in the future, at its own instant
    Publish(publish::PublishArgs),
    /// List every version that was published, with when and why
    History {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what a price book would have made of the past: credits, money, accounts that would have run dry. Writes
    /// nothing
    Simulate(simulate::SimulateArgs),
}

/// Runs `medici price`.
pub(crate) fn run(global: &Global, command: PriceCommand) -> Result<Verdict> {
    match command {
        PriceCommand::Check { file, json } => check(&file, json),
        PriceCommand::Show { at, json } => {
            let book = wiring::price_book(&Config::load(global, Overrides::default())?)?;
            show(&book, at.unwrap_or_else(|| SystemClock.now()), json)?;
            Ok(Verdict::Good)
        }
        PriceCommand::Publish(args) => publish::run(&Config::load(global, Overrides::default())?, &args),
        PriceCommand::History { json } => publish::history(&Config::load(global, Overrides::default())?, json),
        PriceCommand::Simulate(args) => simulate::run(&Config::load(global, Overrides::default())?, &args),
    }
}

fn check(file: &Path, as_json: bool) -> Result<Verdict> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let book = match prices::parse(&text) {
        Ok(book) => book,
        Err(refused) if as_json => {
            render::json(&json!({ "refused": refused.to_string() }))?;
            return Ok(Verdict::Broken);
        }
        Err(refused) => return Err(refused).context(format!("{} is refused", file.display())),
    };
    let warnings = book.warnings();
    if as_json {
        let warnings = warnings.iter().map(|warning| {
            let version = warning.version().to_string();
            json!({ "version": version, "kind": warning.kind(), "text": warning.to_string() })
        });
        let versions: Vec<Value> = book.versions().iter().map(|version| price_version(version, true)).collect();
        let warnings: Vec<Value> = warnings.collect();
        render::json(&json!({ "refused": null, "versions": versions, "warnings": warnings }))?;
        return Ok(Verdict::Good);
    }
    let row = |version: &PriceVersion| {
        let counts = [version.operations.len(), version.plans.len(), version.packs.len(), version.cohorts.len()];
        std::iter::once(version.effective_at.to_string()).chain(counts.iter().map(usize::to_string)).collect()
    };
    let rows: Vec<Vec<String>> = book.versions().iter().map(row).collect();
    render::table(&["effective", "operations", "plans", "packs", "cohorts"], &rows);
    for warning in &warnings {
        println!("warning: {warning}");
    }
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (versions, warnings) = (count(rows.len(), "version"), count(warnings.len(), "warning"));
    println!("{} can be used: {versions}, {warnings}", file.display());
    Ok(Verdict::Good)
}

fn show(book: &PriceBook, at: Timestamp, as_json: bool) -> Result<()> {
    let version = book.version_at(at).with_context(|| format!("no prices are in force at {at}"))?;
    if as_json {
        return render::json(&price_version(version, true));
    }
    let next = book.versions().iter().find(|later| later.effective_at > at);
    let until = next.map_or_else(String::new, |next| format!(" until {}", next.effective_at));
    println!("in force from {}{until}", version.effective_at);
    tables::print(version);
    Ok(())
}

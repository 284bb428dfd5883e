//! `ledger play`: scenario files on the pure ledger or on a real store.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use medici_ledger::{
    scenario::{Options, Played, PureSubject, ScenarioError, Subject, render, run},
    statement::{Period, Statement},
};
use serde_json::json;

use super::play_store::{Kind, StoreSubject};
use crate::{Verdict, render as print};

/// Arguments of `ledger play`.
#[derive(Args)]
pub(crate) struct PlayArgs {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What they are played on
    #[arg(long, value_enum, default_value = "pure")]
    store: On,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What scenarios are played on.
#[derive(Clone, Copy, ValueEnum)]
enum On {
    /// The ledger alone
    Pure,
    /// The store in memory
    Memory,
    /// The embedded store, on a disk
    Sqlite,
}

/// Plays every file; the first expectation that does not hold ends it.
pub(crate) fn run_files(args: &PlayArgs) -> Result<Verdict> {
    let mut played = Vec::new();
    for file in &args.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut subject: Box<dyn Subject> = match args.store {
            On::Pure => Box::new(PureSubject::new()),
            On::Memory => Box::new(StoreSubject::new(Kind::Memory)?),
            On::Sqlite => Box::new(StoreSubject::new(Kind::Sqlite)?),
        };
        match run(&text, &mut *subject, Options::default()) {
            Ok(ran) if args.json => played.push(json!({
                "file": file, "expectations": ran.expectations, "statement": statement(&ran, &mut *subject),
            })),
            Ok(ran) => {
                println!("{}: {} expectations met", file.display(), ran.expectations);
                print!("{}", statement(&ran, &mut *subject));
            }
            Err(ScenarioError { line, message }) => {
                println!("{}:{line}: {message}", file.display());
                return Ok(Verdict::Broken);
            }
        }
    }
    if args.json {
        print::json(&played)?;
    }
    Ok(Verdict::Good)
}

/// Returns each account's statement, and what it is left with.
fn statement(played: &Played, subject: &mut dyn Subject) -> String {
    let mut text = String::new();
    for (name, account) in &played.accounts {
        let entries = subject.entries(*account);
        if played.accounts.len() > 1 {
            text.push_str(&format!("{name}:\n"));
        }
        text.push_str(&Statement::of(&entries, Period::ALWAYS).to_string());
    }
    text + &render(played, subject)
}

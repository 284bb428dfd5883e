//! `medici ledger`: prove, show, explain, report, export and replay.

mod alerts;
mod explain;
mod export;
mod play;
mod play_store;
mod proof;
mod report;
mod statement;
mod verify;

use anyhow::Result;
use clap::Subcommand;
use medici_ledger::{AccountId, Entry};
use medici_studio::{Account, Store, StoreError};

use crate::{
    Verdict, books,
    cli::Global,
    config::{Config, Overrides},
};

/// What to do with the ledger.
#[derive(Subcommand)]
pub(crate) enum LedgerCommand {
    /// Prove every chain and invariant from the entries alone; exit 1 names what is broken
    Verify(Box<verify::VerifyArgs>),
    /// Show an account's opening + entries = closing, per class, with money
    Statement(statement::StatementArgs),
    /// Write an account's entries and its signed head to a file that `verify --proof` proves anywhere
    Proof(proof::ProofArgs),
    /// Say in words what an entry did: lots, price version, rounding
    Explain(explain::ExplainArgs),
    /// Tell what all accounts received, earned and owe, by month; exit 1 if it does not tie out
    Report(report::ReportArgs),
    /// Sum every ledger account; each unit comes to zero
    TrialBalance(report::TrialBalanceArgs),
    /// Write the journal for other programs: CSV, or Beancount
    Export(export::ExportArgs),
    /// List which balances fell below what somebody wanted to be told of
    Alerts(alerts::AlertsArgs),
    /// Play scenario files, and print what they leave; exit 1 at the first expectation that fails
    Play(play::PlayArgs),
}

/// Runs a command of the ledger.
pub(crate) fn run(global: &Global, command: LedgerCommand) -> Result<Verdict> {
    let config = || Config::load(global, Overrides::default());
    match command {
        LedgerCommand::Verify(args) => match &args.proof {
            Some(file) => proof::verify(file, &args),
            None => verify::run(&config()?, &args),
        },
        LedgerCommand::Statement(args) => statement::run(&config()?, &args),
        LedgerCommand::Proof(args) => proof::run(&config()?, &args),
        LedgerCommand::Explain(args) => explain::run(&config()?, &args),
        LedgerCommand::Report(args) => report::run(&config()?, &args),
        LedgerCommand::TrialBalance(args) => report::trial_balance(&config()?, &args),
        LedgerCommand::Export(args) => export::run(&config()?, &args),
        LedgerCommand::Alerts(args) => alerts::run(&config()?, &args),
        LedgerCommand::Play(args) => play::run_files(&args),
    }
}

/// Returns an account and its entries as committed.
fn read_account(config: &Config, name_or_id: &str) -> Result<(Account, Vec<Entry>)> {
    let books = books::open(config)?;
    let account = books::account(&books, name_or_id)?;
    let entries = books.entries(account.id)?;
    Ok((account, entries))
}

/// Returns all entries of an account, from the first on.
pub(crate) async fn all_entries(store: &dyn Store, account: AccountId) -> Result<Vec<Entry>, StoreError> {
    /// The most entries read at a time.
    const PAGE: usize = 1_000;
    let mut entries = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.entries(account, cursor, PAGE).await?;
        entries.extend(page.entries);
        cursor = page.next;
        if cursor.is_none() {
            entries.reverse();
            return Ok(entries);
        }
    }
}

//! `ledger export`: the journal for other programs' books.

mod beancount;
mod csv;

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use medici_ledger::{
    AccountId, Entry, Fact,
    report::{Basis, Grouping, Reporting},
    statement::Period,
};
use medici_store::ReadOnly;
use serde_json::json;

use self::beancount::Beancount;
use super::{report::BasisArg, statement::PeriodArgs};
use crate::{Verdict, books, config::Config, render};

/// Arguments of `ledger export`.
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// For whom
    #[arg(long, value_enum)]
    format: Format,
    #[command(flatten)]
    period: PeriodArgs,
    /// By which of its instants an entry belongs to the period
    #[arg(long, value_enum, default_value = "effective")]
    basis: BasisArg,
    /// Where to write it; a file that is there is left as it is [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON about the file
    #[arg(long, requires = "output")]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A record a posting, for spreadsheets and programs
    Csv,
    /// A transaction an entry, for Beancount, with balances that bean-check compares with our report
    Beancount,
}

/// What of the journal is exported, and what the accounts are called.
struct Selection {
    period: Period,
    basis: Basis,
    names: HashMap<AccountId, String>,
    sandboxes: HashSet<AccountId>,
}

impl Selection {
    /// Returns whether an entry is exported. Takes note of sandboxes, so entries come in order.
    fn admits(&mut self, entry: &Entry) -> bool {
        if matches!(entry.fact, Fact::Opened { sandbox: true, .. }) {
            self.sandboxes.insert(entry.account);
        }
        let inside = self.period.contains(self.basis.of(entry));
        inside && !entry.postings.is_empty() && !self.sandboxes.contains(&entry.account)
    }

    /// Returns what an account is called; its id where that is all there is.
    fn name(&self, account: AccountId) -> String {
        self.names.get(&account).cloned().unwrap_or_else(|| account.to_string())
    }
}

/// Runs `ledger export`.
pub(crate) fn run(config: &Config, args: &ExportArgs) -> Result<Verdict> {
    let books = books::open(config)?;
    let selection = Selection {
        period: args.period.period()?,
        basis: args.basis.into(),
        names: names(&books)?,
        sandboxes: HashSet::new(),
    };
    let Some(path) = &args.output else {
        write(&books, args.format, selection, io::stdout().lock())?;
        return Ok(Verdict::Good);
    };
    let file = create(path)?;
    let written = write(&books, args.format, selection, &file).and_then(|entries| {
        file.sync_all()?;
        Ok(entries)
    });
    let entries = match written {
        Ok(entries) => entries,
        Err(error) => {
            // Half a book is none.
            let _ = fs::remove_file(path);
            return Err(error).with_context(|| format!("cannot write {}", path.display()));
        }
    };
    if args.json {
        render::json(&json!({ "file": path, "entries": entries }))?;
    } else {
        println!("{}: {entries} entries with postings", path.display());
    }
    Ok(Verdict::Good)
}

fn create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    // What it holds is the customers': whoever hands it on decides who reads it.
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} exists already; choose another name", path.display())
        }
        file => file.with_context(|| format!("cannot write {}", path.display())),
    }
}

fn names(books: &ReadOnly) -> Result<HashMap<AccountId, String>> {
    /// The most accounts that are read at a time.
    const PAGE: usize = 1_000;
    let mut names = HashMap::new();
    let mut last: Option<String> = None;
    loop {
        let page = books.accounts(last.as_deref(), PAGE)?;
        let full = page.len() == PAGE;
        last = page.last().map(|account| account.name.clone());
        names.extend(page.into_iter().map(|account| (account.id, account.name)));
        if !full {
            return Ok(names);
        }
    }
}

/// Writes the export, entry by entry. Returns how many there were.
fn write(books: &ReadOnly, format: Format, mut selection: Selection, out: impl Write) -> Result<u64> {
    let mut out = BufWriter::new(out);
    let mut entries = 0;
    // An error of the writer ends nothing but the writing; the journal is read on, and then it is told.
    let mut written: io::Result<()> = Ok(());
    match format {
        Format::Csv => {
            csv::begin(&mut out)?;
            books.journal(1, |_, entry| {
                if written.is_ok() && selection.admits(&entry) {
                    entries += 1;
                    written = csv::entry(&mut out, &entry, &selection.name(entry.account));
                }
            })?;
        }
        Format::Beancount => {
            let too_long = |_| anyhow::anyhow!("the period has too many months: say --from and --to");
            let reporting = Reporting::new(selection.period, Grouping::Month, selection.basis).map_err(too_long)?;
            let mut book = Beancount::new(reporting);
            // Once to count what every month must end with, and once to write.
            books.journal(2, |time, entry| {
                if time == 0 {
                    book.count(&entry);
                } else if written.is_ok() {
                    written = book.begin(&mut out);
                    if written.is_ok() && selection.admits(&entry) {
                        entries += 1;
                        let at = selection.basis.of(&entry);
                        written = book.entry(&mut out, &entry, at, &selection.name(entry.account));
                    }
                }
            })?;
            written?;
            book.begin(&mut out)?;
            written = book.end(&mut out);
        }
    }
    written?;
    out.flush()?;
    Ok(entries)
}

#[cfg(test)]
mod tests;

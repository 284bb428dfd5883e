//! The journal for Beancount: one transaction an entry, and after every month what each account must come to.
//!
//! The balances are those of our own report, so `bean-check` compares the report with the transactions. They are
//! written with a tolerance of nothing: a cent, or a millionth of a credit, is a failure.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use medici_ledger::{
    Entry, LedgerAccount, Operation, Timestamp, Unit,
    calendar::day_of,
    report::{PeriodReport, Report, Reporting, Sums},
    summary,
};

/// A book that is being written.
pub(super) enum Beancount {
    /// It is counted what every month ends with.
    Counting { reporting: Box<Reporting>, first: Option<Timestamp> },
    /// Its head is written.
    Writing { report: Report },
    /// The time between the two.
    Turning,
}

/// The commodity that credits are.
const CREDIT: &str = "CREDIT";

impl Beancount {
    /// Begins a book. Every entry is counted first, then written.
    pub(super) fn new(reporting: Reporting) -> Self {
        Self::Counting { reporting: Box::new(reporting), first: None }
    }

    /// Counts an entry.
    pub(super) fn count(&mut self, entry: &Entry) {
        let Self::Counting { reporting, first } = self else {
            unreachable!("entries are counted before any is written")
        };
        reporting.feed(entry);
        let at = entry.effective_at;
        *first = Some(first.map_or(at, |first| first.min(at)));
    }

    /// Writes the head, if it is not written yet: accounts, and what they had before the period.
    pub(super) fn begin(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Self::Counting { .. } = self else { return Ok(()) };
        let Self::Counting { reporting, first } = std::mem::replace(self, Self::Turning) else { return Ok(()) };
        let report = reporting.finish();
        head(out, &report, first.unwrap_or(Timestamp::EPOCH))?;
        *self = Self::Writing { report };
        Ok(())
    }

    /// Writes an entry as a transaction of the day it belongs to.
    pub(super) fn entry(&self, out: &mut impl Write, entry: &Entry, at: Timestamp, name: &str) -> io::Result<()> {
        writeln!(out, "{} * {} {}", date(at), quoted(name), quoted(&summary(&entry.fact)))?;
        writeln!(out, "  account: {}", quoted(&entry.account.to_string()))?;
        writeln!(out, "  seq: {}", entry.seq)?;
        writeln!(out, "  fact: {}", quoted(entry.fact.name()))?;
        writeln!(out, "  effective: {}", quoted(&entry.effective_at.to_string()))?;
        writeln!(out, "  recorded: {}", quoted(&entry.recorded_at.to_string()))?;
        writeln!(out, "  hash: {}", quoted(&entry.hash.to_string()))?;
        for posting in &entry.postings {
            let (account, unit) = (account(&posting.account, posting.unit), posting.unit);
            writeln!(out, "  {account:<32}  {:>16} {}", amount(unit, posting.amount), commodity(unit))?;
            writeln!(out, "    lot: {}", posting.lot)?;
        }
        writeln!(out)
    }

    /// Writes what every account must come to after each month.
    pub(super) fn end(&self, out: &mut impl Write) -> io::Result<()> {
        let Self::Writing { report } = self else { return Ok(()) };
        for PeriodReport { period, closing, .. } in &report.periods {
            let Some(until) = period.end() else { continue };
            // A balance is that of the morning. Nothing is exported after the period, so the next one will do.
            let day = day_of(until);
            let day = if day == until { day } else { next_day(day) };
            for ((account, unit), sum) in merged(closing) {
                let (sum, commodity) = (amount(unit, sum), commodity(unit));
                writeln!(out, "{} balance {account:<32}  {sum:>16} ~ 0 {commodity}", date(day))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// Sums by the names of Beancount's accounts, of which two ledger accounts may share one.
fn merged(sums: &Sums) -> BTreeMap<(String, Unit), i128> {
    let mut merged = BTreeMap::new();
    for ((ledger_account, unit), amount) in sums {
        *merged.entry((account(ledger_account, *unit), *unit)).or_default() += amount;
    }
    merged
}

fn head(out: &mut impl Write, report: &Report, first: Timestamp) -> io::Result<()> {
    let last = report.periods.last().map(|last| merged(&last.closing)).unwrap_or_default();
    let units: BTreeSet<Unit> = last.keys().map(|(_, unit)| *unit).collect();
    writeln!(out, "; Medici's journal, by when entries are {}. Check it with bean-check.\n", report.basis.as_str())?;
    writeln!(out, "option \"title\" \"Medici\"")?;
    for unit in units.iter().filter(|unit| **unit != Unit::Credits) {
        writeln!(out, "option \"operating_currency\" \"{}\"", commodity(*unit))?;
    }
    let start = report.periods.first().and_then(|first| first.period.start());
    let opened = date(start.unwrap_or(first));
    writeln!(out)?;
    for unit in &units {
        writeln!(out, "{opened} commodity {}", commodity(*unit))?;
    }
    writeln!(out)?;
    let names: BTreeSet<&str> = last.keys().map(|(name, _)| name.as_str()).collect();
    for name in names {
        writeln!(out, "{opened} open {name}")?;
    }
    writeln!(out)?;
    // All ledger accounts together are nothing, so what they had before balances by itself.
    let opening = report.periods.first().map(|first| merged(&first.opening)).unwrap_or_default();
    if let Some(start) = start.filter(|_| opening.values().any(|amount| *amount != 0)) {
        writeln!(out, "{} * \"Medici\" \"what the accounts had before\"", date(start))?;
        for ((name, unit), sum) in opening.into_iter().filter(|(_, sum)| *sum != 0) {
            writeln!(out, "  {name:<32}  {:>16} {}", amount(unit, sum), commodity(unit))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Returns Beancount's name of a ledger account.
fn account(account: &LedgerAccount, unit: Unit) -> String {
    match account {
        LedgerAccount::Issuance(class) => format!("Equity:Credits:Issued:{}", component(class.as_str())),
        LedgerAccount::Lot => "Equity:Credits:Available".to_owned(),
        LedgerAccount::Held => "Equity:Credits:Held".to_owned(),
        LedgerAccount::Used(operation) => format!("Equity:Credits:Used:{}", of_operation(operation)),
        LedgerAccount::Expired => "Equity:Credits:Expired".to_owned(),
        LedgerAccount::Withdrawn => "Equity:Credits:Withdrawn".to_owned(),
        LedgerAccount::Debt => "Equity:Credits:Debt".to_owned(),
        LedgerAccount::Clawed => "Equity:Credits:Clawed".to_owned(),
        LedgerAccount::Cash => format!("Assets:Cash:{unit}"),
        LedgerAccount::Receivable => "Assets:Receivable".to_owned(),
        LedgerAccount::CustomerDebt => "Assets:CustomerDebt".to_owned(),
        LedgerAccount::Deferred => "Liabilities:Deferred".to_owned(),
        LedgerAccount::TaxPayable => "Liabilities:Tax".to_owned(),
        LedgerAccount::Revenue(operation) => format!("Income:Revenue:{}", of_operation(operation)),
        LedgerAccount::BreakageRevenue => "Income:Breakage".to_owned(),
        LedgerAccount::Refunds => "Expenses:Refunds".to_owned(),
    }
}

fn of_operation(operation: &Operation) -> String {
    component(operation.as_str())
}

/// Makes a part of an account's name: a capital letter or a digit, then letters, digits and hyphens.
fn component(name: &str) -> String {
    let allowed = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = name.chars().map(allowed).collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_alphanumeric() => first.to_ascii_uppercase().to_string() + &name[1..],
        _ => format!("X{name}"),
    }
}

fn commodity(unit: Unit) -> String {
    match unit {
        Unit::Credits => CREDIT.to_owned(),
        Unit::Money(currency) => currency.to_string(),
    }
}

/// An amount with all decimals of its unit, by which Beancount knows how exact it is.
fn amount(unit: Unit, amount: impl Into<i128>) -> String {
    format!("{:#}", unit.decimal(amount))
}

/// A text in quotation marks.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn date(at: Timestamp) -> String {
    at.to_string().get(..10).expect("a timestamp begins with its date").to_owned()
}

fn next_day(day: Timestamp) -> Timestamp {
    day.plus(std::time::Duration::from_secs(24 * 60 * 60)).unwrap_or(Timestamp::MAX)
}

//! `ledger report` and `ledger trial-balance`: all accounts together, without the sandboxes.

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use medici_ledger::{
    Timestamp, Unit,
    calendar::MONTHS_MAX,
    report::{Basis, Grouping, Report, Reporting},
};
use medici_server::documents::{report_csv, report_json, trial_balance_json};
use medici_studio::Clock;

use super::statement::PeriodArgs;
use crate::{Verdict, books, config::Config, machine::SystemClock, render};

/// Arguments of `ledger report`.
#[derive(Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    period: PeriodArgs,
    /// Divide the period
    #[arg(long, value_enum)]
    by: Option<By>,
    /// By which of its instants an entry belongs to a period
    #[arg(long, value_enum, default_value = "effective")]
    basis: BasisArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Arguments of `ledger trial-balance`.
#[derive(Args)]
pub(crate) struct TrialBalanceArgs {
    /// The last instant that counts [default: now]
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// By which of its instants an entry counts
    #[arg(long, value_enum, default_value = "effective")]
    basis: BasisArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    /// By calendar month, in UTC
    Month,
}

/// By which of its instants an entry belongs to a period.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum BasisArg {
    /// When it counts, as statements do; what comes late still changes a month that is over
    Effective,
    /// When it was decided: a month that is over never changes
    Recorded,
}

impl From<BasisArg> for Basis {
    fn from(basis: BasisArg) -> Self {
        match basis {
            BasisArg::Effective => Self::Effective,
            BasisArg::Recorded => Self::Recorded,
        }
    }
}

/// Runs `ledger report`.
pub(crate) fn run(config: &Config, args: &ReportArgs) -> Result<Verdict> {
    let grouping = args.by.map_or(Grouping::Whole, |By::Month| Grouping::Month);
    let Ok(mut reporting) = Reporting::new(args.period.period()?, grouping, args.basis.into()) else {
        bail!("a report has at most {MONTHS_MAX} months")
    };
    books::open(config)?.journal(1, |_, entry| reporting.feed(&entry))?;
    let report = reporting.finish();
    if args.json {
        render::json(&report_json(&report))?;
    } else if args.csv {
        print!("{}", report_csv(&report));
    } else {
        print(&report);
    }
    Ok(verdict(&report))
}

/// By when entries count, the rounding of late usage may be in another period than its credit; by when they were
/// decided, nothing may.
fn verdict(report: &Report) -> Verdict {
    if report.ties_out() || report.basis == Basis::Effective { Verdict::Good } else { Verdict::Broken }
}

fn print(report: &Report) {
    let mut rows = Vec::new();
    let mut operations = Vec::new();
    for period in &report.periods {
        let day = |at: Option<Timestamp>, or: &str| {
            at.map_or(or.to_owned(), |at| at.to_string().trim_end_matches("T00:00:00Z").to_owned())
        };
        let (from, to) = (day(period.period.start(), "the beginning"), day(period.period.end(), "the end"));
        for money in period.money() {
            let unit = Unit::Money(money.currency);
            let amounts = [
                money.deferred_opening,
                money.received,
                -money.returned,
                money.receivable,
                -money.tax,
                -money.recognised_in_all(),
                -money.breakage,
                money.customer_debt,
                money.refunds,
                money.deferred_closing,
                money.deferred_of_lots,
            ];
            let named = [from.clone(), to.clone(), money.currency.to_string()];
            rows.push(named.iter().cloned().chain(amounts.map(|amount| unit.decimal(amount).to_string())).collect());
            let earned = money.recognised.iter().filter(|(_, amount)| **amount != 0);
            operations.extend(earned.map(|(operation, amount)| {
                let named = named.iter().cloned();
                named.chain([operation.to_string(), unit.decimal(*amount).to_string()]).collect::<Vec<_>>()
            }));
        }
    }
    let heading = [
        "from",
        "to",
        "currency",
        "deferred",
        "received",
        "returned",
        "receivable",
        "tax",
        "recognised",
        "breakage",
        "customer debt",
        "refunds",
        "= deferred",
        "of lots",
    ];
    render::table(&heading, &rows);
    if !operations.is_empty() {
        println!("\nrecognised by operation");
        render::table(&["from", "to", "currency", "operation", "amount"], &operations);
    }
    let (entries, left_out) = (report.entries, report.sandbox_entries);
    println!("\n{entries} entries, by when they {}; {left_out} of sandboxes left out", counted(report.basis));
    println!("{}", tied(report));
}

const fn counted(basis: Basis) -> &'static str {
    match basis {
        Basis::Effective => "count",
        Basis::Recorded => "were decided",
    }
}

fn tied(report: &Report) -> &'static str {
    match (report.ties_out(), report.basis) {
        (true, _) => "ties out: deferred is what the credits of the lots stand for, and all sums to zero",
        (false, Basis::Effective) => {
            "deferred differs by the rounding of usage that came late; with --basis recorded it does not"
        }
        (false, Basis::Recorded) => "BROKEN: deferred is not what the credits of the lots stand for",
    }
}

/// Runs `ledger trial-balance`.
pub(crate) fn trial_balance(config: &Config, args: &TrialBalanceArgs) -> Result<Verdict> {
    let at = args.at.unwrap_or_else(|| SystemClock.now());
    let mut reporting = Reporting::until(at, args.basis.into());
    books::open(config)?.journal(1, |_, entry| reporting.feed(&entry))?;
    let report = reporting.finish();
    if args.json {
        let mut value = trial_balance_json(&report);
        value["at"] = at.to_string().into();
        render::json(&value)?;
        return Ok(verdict(&report));
    }
    let row = |line: medici_ledger::verify::TrialLine| {
        vec![line.account.to_string(), line.unit.decimal(line.amount).to_string(), line.unit.to_string()]
    };
    render::table(
        &["ledger account", "amount", "unit"],
        &report.trial_balance().into_iter().map(row).collect::<Vec<_>>(),
    );
    println!("\nat {at}, {} entries, by when they {}", report.entries, counted(report.basis));
    println!("{}", tied(&report));
    Ok(verdict(&report))
}

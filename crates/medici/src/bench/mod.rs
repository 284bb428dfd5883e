//! `medici bench`: the performance bars, each beside the machine's own limits measured in the same run.
//!
//! Bars are ratios, so that they say the same on a slow machine as on a fast one. Measure a release build on
//! an idle machine; anything else says little.

mod books;
mod events;
mod http;
mod ledger;
mod load;
mod machine;
mod measure;
mod picture;
mod pure;
mod server;
mod setup;
mod year;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::{Verdict, config::Config};

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Decisions, appends, memory and restart, without HTTP
    Ledger(LedgerBench),
    /// Charges and pictures over HTTP, beside an empty request and a sync of the disk
    Http(HttpBench),
    /// Meter events over HTTP, a thousand a request
    Events(EventsBench),
}

/// Arguments of `bench ledger`.
#[derive(Args)]
pub(crate) struct LedgerBench {
    /// How many entries are written before the last measurement [default: 1000000]
    #[arg(long, value_name = "N", conflicts_with = "full")]
    entries: Option<u64>,
    /// How many accounts there are at the restart [default: 100000]
    #[arg(long, value_name = "N", conflicts_with = "full")]
    accounts: Option<u64>,
    /// The sizes that the bars name: ten million entries, a million accounts. Takes minutes and 10 GB of disk
    #[arg(long)]
    full: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `bench http`.
#[derive(Args)]
pub(crate) struct HttpBench {
    /// How long each measurement lasts, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    seconds: f64,
    /// How often each is repeated; the report has the medians
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `bench events`.
#[derive(Args)]
pub(crate) struct EventsBench {
    /// How long each measurement takes, after a quarter of it to warm up
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    seconds: f64,
    /// How often each is repeated; the report has the medians
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs a bench.
pub(crate) fn run(config: Config, command: BenchCommand) -> Result<Verdict> {
    if cfg!(debug_assertions) {
        eprintln!("this build is not optimised: its figures say little");
    }
    let (report, json) = match command {
        BenchCommand::Ledger(args) => (ledger::run(&config, &args)?, args.json),
        BenchCommand::Http(args) => (http::run(&config, &args)?, args.json),
        BenchCommand::Events(args) => (events::run(&config, &args)?, args.json),
    };
    Ok(if report.print(json)? { Verdict::Good } else { Verdict::Broken })
}

//! `bench ledger`: what the ledger and its store cost without HTTP, and how a large store starts.

use anyhow::{Context, Result};
use medici_ledger::AccountId;
use medici_studio::Studio;

use super::{
    LedgerBench,
    http::{bearer, megabytes},
    machine::{process_cpu, resident_bytes, sync_p50},
    measure::{Report, median_of, micros},
    pure,
    server::Server,
    setup::{self, Place},
    year,
};
use crate::{
    admin::block_on,
    config::Config,
    http::{Connection, request},
    machine::stopwatch,
};

/// Accounts that the charges of the long history are spread over.
const SPREAD: u64 = 1_000;
/// Charges of one measured window.
const WINDOW: u64 = 50_000;
/// Windows of one measurement, of which the median counts.
const WINDOWS: u64 = 3;
/// Entries written before the first window.
const EARLY: u64 = 1_000;

/// Arguments of a server that only serves.
const WITHOUT_WORKER: [&str; 4] = ["--engine", "test-pattern", "--worker", "off"];

/// Runs the bench.
pub(crate) fn run(config: &Config, args: &LedgerBench) -> Result<Report> {
    let entries = if args.full { 10_000_000 } else { args.entries.unwrap_or(1_000_000) };
    let accounts = if args.full { 1_000_000 } else { args.accounts.unwrap_or(100_000) };
    let mut report = Report::default();
    pure::run(&mut report);
    year::run(&mut report);
    history(config, &mut report, entries)?;
    restart(config, &mut report, accounts, entries)?;
    Ok(report)
}

/// Charges through the store, early and late in a long history.
fn history(config: &Config, report: &mut Report, entries: u64) -> Result<()> {
    let place = Place::new(config)?;
    let disk = micros(sync_p50(place.path(), 500)?);
    report.figure("sync p50 (fdatasync of 4 KiB appended)", disk, "us");
    block_on(async {
        let studio = place.studio().await?;
        let accounts = setup::accounts(&studio, "spread", SPREAD).await?;
        let mut history = History { studio: &studio, accounts: &accounts, written: 0 };
        history.charge(EARLY).await?;
        let early = history.windows().await?;
        report.figure("durable charges through the store", early.rate, "/s");
        report.figure("charges a group", early.group, "");
        report.figure("syncs a group", early.syncs, "");
        report.figure(format!("processor time of a stored charge after {EARLY} entries"), early.cpu, "us");
        history.charge(entries.saturating_sub(history.written + WINDOW * WINDOWS)).await?;
        let late = history.windows().await?;
        report.figure(format!("durable charges through the store after {entries} entries"), late.rate, "/s");
        report.figure(format!("processor time of a stored charge after {entries} entries"), late.cpu, "us");
        report.at_most(format!("cost at {entries} entries / at {EARLY}"), late.cpu / early.cpu, 1.15, "x");
        Ok(())
    })
}

/// A store whose history grows.
struct History<'a> {
    studio: &'a Studio,
    accounts: &'a [AccountId],
    written: u64,
}

/// What charges cost in one part of a history: medians over its windows.
struct Cost {
    /// Microseconds of processor time of one, all threads.
    cpu: f64,
    /// A second.
    rate: f64,
    /// In one commit.
    group: f64,
    /// Of one commit.
    syncs: f64,
}

impl History<'_> {
    async fn charge(&mut self, count: u64) -> Result<()> {
        setup::charges(self.studio, self.accounts, self.written, count).await?;
        self.written += count;
        Ok(())
    }

    async fn windows(&mut self) -> Result<Cost> {
        let (mut cpu, mut rate) = (vec![], vec![]);
        let before = self.studio.store.counters();
        for _ in 0..WINDOWS {
            let (used, clock) = (process_cpu(), stopwatch());
            self.charge(WINDOW).await?;
            cpu.push(micros(process_cpu() - used) / WINDOW as f64);
            rate.push(WINDOW as f64 / clock.elapsed().as_secs_f64());
        }
        let after = self.studio.store.counters();
        let groups = (after.groups - before.groups) as f64;
        let charges = (WINDOW * WINDOWS) as f64;
        let syncs = (after.syncs - before.syncs) as f64;
        Ok(Cost { cpu: median_of(cpu), rate: median_of(rate), group: charges / groups, syncs: syncs / groups })
    }
}

/// A server with many accounts: its memory, and how soon it charges again after `kill -9`.
fn restart(config: &Config, report: &mut Report, accounts: u64, entries: u64) -> Result<()> {
    let place = Place::new(config)?;
    let ids = block_on(async { setup::accounts(&place.studio().await?, "many", accounts).await })?;
    memory(config, report, &place, accounts)?;
    let (key, account) = block_on(async {
        let studio = place.studio().await?;
        // Opening, the month's credits and the purchase are three entries of each account.
        setup::charges(&studio, &ids, 0, entries.saturating_sub(3 * accounts)).await?;
        Ok((setup::service_key(&studio).await?, ids[0]))
    })?;
    let body = serde_json::json!({ "account": account.to_string(), "operation": "generate", "count": 4 }).to_string();
    let charge = |number: u64, run: &str| {
        let (key, name) = (bearer(&key), format!("{run}-{number}"));
        let headers = [("authorization", key.as_str()), ("idempotency-key", name.as_str())];
        request("POST", "/api/charges", &headers, Some(body.as_bytes()))
    };

    // Killed with a tail of entries that no snapshot has.
    let server = Server::start(place.path(), &WITHOUT_WORKER)?;
    block_on(async {
        let mut connection = Connection::open(server.address).await?;
        for number in 0..100 {
            let answer = connection.send(&charge(number, "before")).await?;
            anyhow::ensure!(matches!(answer.status, 200 | 201), "a charge got status {}", answer.status);
        }
        anyhow::Ok(())
    })?;
    server.kill()?;

    let begun = stopwatch();
    let server = Server::start(place.path(), &WITHOUT_WORKER)?;
    let first = block_on(async {
        let mut connection = Connection::open(server.address).await?;
        connection.send(&charge(0, "after")).await.context("no answer after the restart")
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    anyhow::ensure!(matches!(first.status, 200 | 201), "the first charge got status {}", first.status);
    report.figure(format!("accounts at the restart, with {entries} entries"), accounts as f64, "");
    report.at_most("restart after kill -9, to the first charge", seconds, 2.0, "s");

    let resident = megabytes(resident_bytes(server.pid())?);
    report.figure("server's resident memory, the charges of the last day remembered", resident, "MB");
    Ok(())
}

/// A server whose accounts have two lots each and have not spent anything.
fn memory(config: &Config, report: &mut Report, place: &Place, accounts: u64) -> Result<()> {
    let nobody = Place::new(config)?;
    let empty = Server::start(nobody.path(), &WITHOUT_WORKER)?;
    let base = resident_bytes(empty.pid())?;
    report.figure("server's resident memory without accounts", megabytes(base), "MB");
    let server = Server::start(place.path(), &WITHOUT_WORKER)?;
    let resident = resident_bytes(server.pid())?;
    let name = format!("whole server with {accounts} accounts of two lots, worker off");
    report.at_most(name, megabytes(resident), 400.0, "MB");
    let each = resident.saturating_sub(base) as f64 / accounts as f64;
    report.figure("of which each account, allocator, index and caches included", each, "bytes");
    drop(server);
    Ok(())
}

//! `bench ledger`: what the ledger and its store cost without HTTP, and how a large store starts.

use anyhow::{Context, Result};

use super::{
    LedgerBench,
    http::{bearer, megabytes},
    machine::{process_cpu, resident_bytes, sync_p50},
    measure::{Report, micros},
    pure,
    server::Server,
    setup::{self, Place},
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
/// Entries written before the first window.
const EARLY: u64 = 1_000;

/// Runs the bench.
pub(crate) fn run(config: &Config, args: &LedgerBench) -> Result<Report> {
    let entries = if args.full { 10_000_000 } else { args.entries.unwrap_or(1_000_000) };
    let accounts = if args.full { 1_000_000 } else { args.accounts.unwrap_or(100_000) };
    let mut report = Report::default();
    pure::run(&mut report);
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
        let studio = place.studio()?;
        let accounts = setup::accounts(&studio, "spread", SPREAD).await?;
        let mut written = 0;
        let mut window = async |count: u64| {
            let (cpu, clock, before) = (process_cpu(), stopwatch(), studio.store.counters());
            setup::charges(&studio, &accounts, written, count).await?;
            written += count;
            let after = studio.store.counters();
            let each = micros(process_cpu() - cpu) / count as f64;
            let rate = count as f64 / clock.elapsed().as_secs_f64();
            anyhow::Ok((each, rate, after.groups - before.groups, after.syncs - before.syncs))
        };
        window(EARLY).await?;
        let (early, rate, groups, syncs) = window(WINDOW).await?;
        report.figure("durable charges through the store", rate, "/s");
        report.figure("charges a group", WINDOW as f64 / groups as f64, "");
        report.figure("syncs a group", syncs as f64 / groups as f64, "");
        report.figure(format!("processor time of a stored charge after {EARLY} entries"), early, "us");
        window(entries.saturating_sub(EARLY + 2 * WINDOW)).await?;
        let (late, rate, ..) = window(WINDOW).await?;
        report.figure(format!("durable charges through the store after {entries} entries"), rate, "/s");
        report.figure(format!("processor time of a stored charge after {entries} entries"), late, "us");
        report.at_most(format!("cost at {entries} entries / at {EARLY}"), late / early, 1.15, "x");
        Ok(())
    })
}

/// A server with many accounts: its memory, and how soon it charges again after `kill -9`.
fn restart(config: &Config, report: &mut Report, accounts: u64, entries: u64) -> Result<()> {
    let place = Place::new(config)?;
    let (key, account) = block_on(async {
        let studio = place.studio()?;
        let ids = setup::accounts(&studio, "many", accounts).await?;
        // Opening, the month's credits and the purchase are three entries of each account.
        setup::charges(&studio, &ids, 0, entries.saturating_sub(3 * accounts)).await?;
        Ok((setup::service_key(&studio).await?, ids[0]))
    })?;
    let arguments = ["--engine", "test-pattern", "--worker", "off"];
    let body = serde_json::json!({ "account": account.to_string(), "operation": "generate", "count": 4 }).to_string();
    let charge = |number: u64, run: &str| {
        let (key, name) = (bearer(&key), format!("{run}-{number}"));
        let headers = [("authorization", key.as_str()), ("idempotency-key", name.as_str())];
        request("POST", "/api/charges", &headers, Some(body.as_bytes()))
    };

    // Killed with a tail of entries that no snapshot has.
    let server = Server::start(place.path(), &arguments)?;
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
    let server = Server::start(place.path(), &arguments)?;
    let first = block_on(async {
        let mut connection = Connection::open(server.address).await?;
        connection.send(&charge(0, "after")).await.context("no answer after the restart")
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    anyhow::ensure!(matches!(first.status, 200 | 201), "the first charge got status {}", first.status);
    report.figure(format!("accounts at the restart, with {entries} entries"), accounts as f64, "");
    report.at_most("restart after kill -9, to the first charge", seconds, 2.0, "s");

    let resident = resident_bytes(server.pid())?;
    drop(server);
    let empty_place = Place::new(config)?;
    let empty = Server::start(empty_place.path(), &arguments)?;
    let base = resident_bytes(empty.pid())?;
    report.figure("server's resident memory without accounts", megabytes(base), "MB");
    report.figure("server's resident memory", megabytes(resident), "MB");
    let each = resident.saturating_sub(base) as f64 / accounts as f64;
    report.at_most("server's memory per account with two lots", each, 256.0, "bytes");
    report.at_most("whole server, worker off", megabytes(resident), 400.0, "MB");
    Ok(())
}

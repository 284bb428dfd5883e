//! `bench http`: durable charges and pictures over real sockets, beside an empty request and a sync.

use std::time::Duration;

use anyhow::Result;
use medici_ledger::AccountId;

use super::{
    HttpBench,
    load::{self, Load},
    machine::{bind_to_core, cpu_of, resident_bytes, sync_p50, unbind},
    measure::{Report, median_of, micros},
    picture,
    server::Server,
    setup::{self, Place},
};
use crate::{admin::block_on, config::Config, http::request};

/// Connections of the loaded runs, and accounts of the spread ones.
const CLIENTS: usize = 64;
/// Syncs of one measurement of the disk.
const SYNCS: usize = 500;

/// Runs the bench.
pub(crate) fn run(config: &Config, args: &HttpBench) -> Result<Report> {
    let mut report = Report::default();
    let place = Place::new(config)?;
    let (key, accounts) = block_on(async {
        let studio = place.studio().await?;
        Ok((setup::service_key(&studio).await?, setup::accounts(&studio, "bench", CLIENTS as u64).await?))
    })?;

    let bound = bind_to_core(0);
    let server = Server::start(place.path(), &["--engine", "test-pattern", "--worker", "off"])?;
    let bound = bind_to_core(1) && bound;
    report.figure("server and load each on a core of their own", f64::from(u8::from(bound)), "(1 = yes)");

    let bench = Bench { server: &server, key: &key, accounts: &accounts, args };
    bench.one_client(&mut report, &place)?;
    bench.many_clients(&mut report)?;
    report.figure("server's resident memory after the charges", megabytes(resident_bytes(server.pid())?), "MB");
    let done = server.stop()?;
    report.figure("units of work a group, over all runs", done.units as f64 / done.groups as f64, "");
    report.figure("syncs a group", done.syncs as f64 / done.groups as f64, "");
    unbind();

    picture::run(config, args, &mut report)?;
    Ok(report)
}

struct Bench<'a> {
    server: &'a Server,
    key: &'a str,
    accounts: &'a [AccountId],
    args: &'a HttpBench,
}

/// Which accounts a run charges.
#[derive(Clone, Copy)]
enum Spread {
    One,
    All,
}

impl Bench<'_> {
    /// One client: what a single durable charge takes, beside what the machine itself takes.
    fn one_client(&self, report: &mut Report, place: &Place) -> Result<()> {
        let (mut hello, mut charge, mut sync, mut ratio) = (vec![], vec![], vec![], vec![]);
        for _ in 0..self.args.repeat {
            let disk = micros(sync_p50(place.path(), SYNCS)?);
            let empty = micros(self.hello(1)?.p50);
            let charged = micros(self.charges(1, Spread::One)?.p50);
            ratio.push(charged / (empty + disk));
            hello.push(empty);
            sync.push(disk);
            charge.push(charged);
        }
        report.figure("sync p50 (fdatasync of 4 KiB appended)", median_of(sync), "us");
        report.figure("hello p50, 1 client", median_of(hello), "us");
        report.figure("durable charge p50, 1 client", median_of(charge), "us");
        report.at_most("durable charge p50 / (hello p50 + sync p50), 1 client", median_of(ratio), 1.5, "x");
        Ok(())
    }

    /// Many clients: how much of an empty request's rate durable charges reach, and whether one account is as good
    /// as many.
    fn many_clients(&self, report: &mut Report) -> Result<()> {
        let (mut hello, mut spread, mut hot, mut share, mut heat) = (vec![], vec![], vec![], vec![], vec![]);
        let (mut p50, mut p99, mut hello_cpu, mut charge_cpu) = (vec![], vec![], vec![], vec![]);
        for _ in 0..self.args.repeat {
            let (empty, cpu) = self.with_cpu(|| self.hello(CLIENTS))?;
            hello_cpu.push(cpu);
            let (all, cpu) = self.with_cpu(|| self.charges(CLIENTS, Spread::All))?;
            charge_cpu.push(cpu);
            let one = self.charges(CLIENTS, Spread::One)?;
            share.push(all.rate / empty.rate);
            heat.push(one.rate / all.rate);
            hello.push(empty.rate);
            spread.push(all.rate);
            hot.push(one.rate);
            p50.push(micros(all.p50));
            p99.push(micros(all.p99));
        }
        report.figure("hello, 64 clients", median_of(hello), "/s");
        report.figure("durable charges, 64 clients, 64 accounts", median_of(spread), "/s");
        report.figure("durable charges, 64 clients, one account", median_of(hot), "/s");
        report.figure("server's processor time of a hello, 64 clients", median_of(hello_cpu), "us");
        report.figure("server's processor time of a durable charge, 64 clients", median_of(charge_cpu), "us");
        report.figure("durable charge p50, 64 clients", median_of(p50), "us");
        report.figure("durable charge p99, 64 clients", median_of(p99), "us");
        report.at_least("durable charges / hello, 64 clients, one server core", median_of(share), 0.60, "x");
        report.at_least("one hot account / spread accounts", median_of(heat), 0.95, "x");
        Ok(())
    }

    /// Runs a load and returns with it the server's processor time of one answer, in microseconds.
    fn with_cpu(&self, load: impl FnOnce() -> Result<Load>) -> Result<(Load, f64)> {
        let before = cpu_of(self.server.pid())?;
        let measured = load()?;
        let used = cpu_of(self.server.pid())? - before;
        let each = micros(used) / measured.answers as f64;
        Ok((measured, each))
    }

    fn hello(&self, clients: usize) -> Result<Load> {
        let body = charge_body(self.accounts[0]);
        let key = bearer(self.key);
        self.load(clients, move |_| request("POST", "/api/hello", &[("authorization", &key)], Some(body.as_bytes())))
    }

    fn charges(&self, clients: usize, spread: Spread) -> Result<Load> {
        let used = match spread {
            Spread::One => &self.accounts[..1],
            Spread::All => self.accounts,
        };
        let bodies: Vec<String> = used.iter().map(|account| charge_body(*account)).collect();
        let key = bearer(self.key);
        // Every charge is a new one: the keys of two runs must not meet.
        let run = crate::machine::hex(&crate::machine::random::<8>());
        self.load(clients, move |number| {
            let body = &bodies[usize::try_from(number % bodies.len() as u64).expect("an index")];
            let headers = [("authorization", key.as_str()), ("idempotency-key", &format!("{run}-{number}"))];
            request("POST", "/api/charges", &headers, Some(body.as_bytes()))
        })
    }

    fn load(&self, clients: usize, make: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static) -> Result<Load> {
        let measured = Duration::from_secs_f64(self.args.seconds);
        load::run(self.server.address, clients, measured / 4, measured, make)
    }
}

fn charge_body(account: AccountId) -> String {
    serde_json::json!({ "account": account.to_string(), "operation": "generate", "count": 4 }).to_string()
}

pub(crate) fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

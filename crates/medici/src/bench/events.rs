//! `bench events`: meter events over real sockets, beside an empty request and a sync.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use medici_ledger::AccountId;

use super::{
    EventsBench,
    http::{bearer, megabytes},
    load::{self, Load},
    machine::{bind_to_core, cpu_of, resident_bytes, sync_p50, unbind},
    measure::{Report, median_of, micros},
    server::Server,
    setup::{self, Place},
};
use crate::{
    admin::block_on,
    config::Config,
    http::{Connection, request},
    machine::{hex, random},
};

/// Events of one request.
const EVENTS: u64 = 1_000;
/// Requests on their way: while one is synced, others are read and priced.
const CLIENTS: usize = 4;
/// Accounts of the spread runs; each request has events of all.
const ACCOUNTS: u64 = 20;
/// Syncs of one measurement of the disk.
const SYNCS: usize = 500;

/// Prices of a text service, by what it counts.
const PRICES: &str = r#"
[[version]]
effective = 2022-07-20T00:00:00Z

[version.operations]
generate = { credits = "1", included = 4 }
text     = { per_1k = { input = "0.002", output = "0.006" } }

[version.plans.free]
monthly = "15"
expires_months = 1
"#;

/// Runs the bench.
pub(crate) fn run(config: &Config, args: &EventsBench) -> Result<Report> {
    let mut report = Report::default();
    let mut place = Place::new(config)?;
    place.config.prices = place.path().join("prices.toml");
    std::fs::write(&place.config.prices, PRICES)?;
    let (key, accounts) = block_on(async {
        let studio = place.studio().await?;
        Ok((setup::service_key(&studio).await?, setup::accounts(&studio, "bench", ACCOUNTS).await?))
    })?;

    let bound = bind_to_core(0);
    let prices = place.config.prices.to_str().context("the data directory's name is no text")?;
    let server = Server::start(place.path(), &["--engine", "test-pattern", "--worker", "off", "--prices", prices])?;
    let bound = bind_to_core(1) && bound;
    report.figure("server and load each on a core of their own", f64::from(u8::from(bound)), "(1 = yes)");

    let bench = Bench { server: &server, key: &key, accounts: &accounts, args };
    bench.once()?;
    bench.many(&mut report, &place)?;
    report.figure("server's resident memory after the events", megabytes(resident_bytes(server.pid())?), "MB");
    let done = server.stop()?;
    report.figure("units of work a group, over all runs", done.units as f64 / done.groups as f64, "");
    report.figure("entries a sync", done.entries as f64 / done.syncs as f64, "");
    unbind();
    Ok(report)
}

struct Bench<'a> {
    server: &'a Server,
    key: &'a str,
    accounts: &'a [AccountId],
    args: &'a EventsBench,
}

/// What a run measured, by the event.
struct Rate {
    load: Load,
    /// Events a second.
    rate: f64,
    /// Microseconds of the server's processor time of one.
    cpu: f64,
}

impl Bench<'_> {
    /// One request, and again: every event of it is charged once.
    fn once(&self) -> Result<()> {
        let body = body(self.accounts, "once", 0);
        let authorization = bearer(self.key);
        let sent = request("POST", "/api/events", &[("authorization", &authorization)], Some(body.as_bytes()));
        block_on(async {
            let mut connection = Connection::open(self.server.address).await?;
            for (outcome, time) in [("charged", "first"), ("duplicate", "second")] {
                let answer = connection.send(&sent).await?;
                let reply: serde_json::Value = serde_json::from_slice(&answer.body)?;
                let counted = reply[outcome].as_u64();
                ensure!(counted == Some(EVENTS), "{outcome} {counted:?} of {EVENTS} events the {time} time");
            }
            Ok(())
        })
    }

    fn many(&self, report: &mut Report, place: &Place) -> Result<()> {
        let (mut sync, mut hello, mut spread, mut hot, mut again) = (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..self.args.repeat {
            sync.push(micros(sync_p50(place.path(), SYNCS)?));
            hello.push(self.hello()?.rate);
            let run = hex(&random::<8>());
            spread.push(self.events(self.accounts, &run)?);
            hot.push(self.events(&self.accounts[..1], &hex(&random::<8>()))?);
            again.push(self.events(self.accounts, &run)?);
        }
        let rates = |rates: &[Rate]| median_of(rates.iter().map(|one| one.rate).collect());
        let cpus = |rates: &[Rate]| median_of(rates.iter().map(|one| one.cpu).collect());
        report.figure("sync p50 (fdatasync of 4 KiB appended)", median_of(sync), "us");
        report.figure("hello, 64 clients", median_of(hello), "/s");
        report.figure(format!("events, {EVENTS} a request, {ACCOUNTS} accounts"), rates(&spread), "/s");
        report.figure(format!("events, {EVENTS} a request, one account"), rates(&hot), "/s");
        report.figure("events that were sent before", rates(&again), "/s");
        report.figure(format!("server's processor time of an event, {ACCOUNTS} accounts"), cpus(&spread), "us");
        report.figure("server's processor time of an event, one account", cpus(&hot), "us");
        report.figure("server's processor time of an event that was sent before", cpus(&again), "us");
        let p50 = spread.iter().map(|one| micros(one.load.p50) / 1e3).collect();
        let p99 = spread.iter().map(|one| micros(one.load.p99) / 1e3).collect();
        report.figure(format!("request of {EVENTS} events p50, {CLIENTS} clients"), median_of(p50), "ms");
        report.figure(format!("request of {EVENTS} events p99, {CLIENTS} clients"), median_of(p99), "ms");
        let name = "meter events a second, priced, counted once, durable, one server core";
        report.at_least(name, rates(&spread), 200_000.0, "/s");
        Ok(())
    }

    fn hello(&self) -> Result<Load> {
        let body = serde_json::json!({ "account": self.accounts[0].to_string(), "operation": "text", "count": 1 });
        let body = body.to_string();
        let made = request("POST", "/api/hello", &[], Some(body.as_bytes()));
        self.load(64, move |_| made.clone())
    }

    fn events(&self, accounts: &[AccountId], run: &str) -> Result<Rate> {
        let (accounts, run) = (accounts.to_vec(), run.to_owned());
        let authorization = bearer(self.key);
        let before = cpu_of(self.server.pid())?;
        let load = self.load(CLIENTS, move |number| {
            let body = body(&accounts, &run, number);
            request("POST", "/api/events", &[("authorization", &authorization)], Some(body.as_bytes()))
        })?;
        let used = micros(cpu_of(self.server.pid())? - before);
        let (rate, cpu) = (load.rate * EVENTS as f64, used / (load.answers * EVENTS) as f64);
        Ok(Rate { load, rate, cpu })
    }

    fn load(&self, clients: usize, make: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static) -> Result<Load> {
        let measured = Duration::from_secs_f64(self.args.seconds);
        load::run(self.server.address, clients, measured / 4, measured, make)
    }
}

/// Writes a request's events, of each account in turn. The same number makes the same body.
fn body(accounts: &[AccountId], run: &str, number: u64) -> String {
    use std::fmt::Write;

    let names: Vec<String> = accounts.iter().map(ToString::to_string).collect();
    let mut body = String::with_capacity(160 * 1_000);
    body.push('[');
    for (event, account) in (0..EVENTS).zip(names.iter().cycle()) {
        let (input, output) = (200 + event * 7 % 1_900, 20 + event * 13 % 400);
        let comma = if event == 0 { "" } else { "," };
        write!(
            body,
            "{comma}{{\"id\":\"{run}-{number}-{event}\",\"account\":\"{account}\",\"operation\":\"text\",\
             \"meters\":{{\"input\":{input},\"output\":{output}}}}}"
        )
        .expect("writing to a string cannot fail");
    }
    body.push(']');
    body
}

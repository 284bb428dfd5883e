//! Statements, reports, exports and alerts on the command line.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

mod support;

use std::fs;

use serde_json::Value;
use support::{Home, Server};

/// Two customers with packs, of whom one pays in yen, and some charges.
fn business() -> Home {
    let home = Home::new();
    home.account("ann", "0");
    home.account("bob", "0");
    let pack = ["--class", "paid", "--expires", "2037-01-01", "--cost"];
    home.ok(&[&["grant", "ann", "115"][..], &pack, &["15.00 USD"]].concat());
    home.ok(&[&["grant", "bob", "115"][..], &pack, &["2300 JPY"]].concat());
    let service = home.key(&["--service"]);
    let mut server = home.serve(&["--engine", "test-pattern"]);
    let mut client = server.client();
    for (name, key) in [("ann", "1"), ("ann", "2"), ("ann", "3"), ("bob", "4")] {
        assert_eq!(client.charge(name, &service, key).unwrap().0, 201);
    }
    drop(client);
    assert!(server.stop().success());
    home
}

#[test]
fn a_statement_comes_in_every_form_and_adds_up() {
    let home = business();
    let statement = ["ledger", "statement", "ann"];
    let printed = home.ok(&statement);
    assert!(printed.contains("opening  0\n") && printed.contains("closing  112\n"), "{printed}");
    assert!(printed.contains("USD    deferred 0.00 USD + received 15.00 USD - tax 0.00 USD - recognised 0.39 USD"));
    let json = home.json(&statement);
    assert_eq!((&json["closing"], &json["classes"][0]["withdrawn"]), (&"112".into(), &"0".into()));
    let csv = home.ok(&[&statement[..], &["--format", "csv"]].concat());
    assert!(csv.starts_with("kind,name,seq,") && csv.contains("\r\nsum,closing_deferred,,,,,USD,14.61,,\r\n"), "{csv}");
    let page = home.ok(&[&statement[..], &["--format", "html"]].concat());
    assert!(page.starts_with("<!doctype html>") && page.contains("14.61 USD"));
    let none = home.ok(&[&statement[..], &["--to", "2020-01-01"]].concat());
    assert!(none.contains("opening  0\nclosing  0\n"), "{none}");
    home.fails(2, &[&statement[..], &["--format", "pdf"]].concat());
    home.fails(2, &[&statement[..], &["--format", "csv", "--json"]].concat());
    home.fails(1, &[&statement[..], &["--from", "2027-01-01", "--to", "2026-01-01"]].concat());
}

#[test]
fn an_entry_is_explained_in_words_and_in_json() {
    let home = business();
    let words = home.ok(&["ledger", "explain", "ann", "5"]);
    assert!(words.contains("earned floor(15.00 USD x 3 / 115) = 0.39 USD, before 0.26 USD: 0.13 USD"), "{words}");
    let json = home.json(&["ledger", "explain", "ann", "5"]);
    assert_eq!(json[0]["lots"][0]["shares"]["recognised"]["change"], "0.13 USD");
}

#[test]
fn the_past_is_shown() {
    let home = business();
    let show = |args: &[&str]| home.json(&[&["account", "show", "ann"], args].concat());
    assert_eq!(show(&[])["available"], "112");
    let before = show(&["--at", "2020-01-01"]);
    assert_eq!((&before["available"], &before["as_of"]), (&"0".into(), &"effective".into()));
    let later = show(&["--at", "2036-12-31", "--recorded"]);
    assert_eq!((&later["available"], &later["as_of"]), (&"112".into(), &"recorded".into()));
    assert_eq!(show(&["--at", "2037-01-01"])["available"], "0", "the pack is over then");
    home.fails(2, &["account", "show", "ann", "--recorded"]);
}

#[test]
fn reports_tie_out_and_the_trial_balance_is_zero() {
    let home = business();
    for basis in ["effective", "recorded"] {
        let report = home.json(&["ledger", "report", "--by", "month", "--basis", basis]);
        assert_eq!(report["ties_out"], true);
        let periods = report["periods"].as_array().unwrap();
        let of = |currency: &str| periods.iter().rfind(|period| period["currency"] == currency).unwrap();
        assert_eq!((&of("USD")["received"], &of("USD")["deferred_closing"]), (&"15.00".into(), &"14.61".into()));
        assert_eq!((&of("JPY")["recognised"], &of("JPY")["deferred_of_lots"]), (&"20".into(), &"2280".into()));
    }
    let printed = home.ok(&["ledger", "report"]);
    assert!(printed.contains("ties out") && printed.contains("recognised by operation"), "{printed}");
    let csv = home.ok(&["ledger", "report", "--csv"]);
    assert!(csv.contains(",USD,recognised:generate,0.39\r\n"), "{csv}");
    let trial = home.json(&["ledger", "trial-balance"]);
    let lines = trial["lines"].as_array().unwrap();
    let cash = lines.iter().find(|line| line["account"] == "cash" && line["unit"] == "JPY").unwrap();
    assert_eq!(cash["amount"], "2300");
    assert!(home.ok(&["ledger", "trial-balance", "--at", "2020-01-01"]).contains("none"));
    home.fails(1, &["ledger", "report", "--from", "1000-01-01", "--to", "2026-01-01", "--by", "month"]);
}

#[test]
fn an_export_is_a_file_of_its_own() {
    let home = business();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let told = home.json(&["ledger", "export", "--format", "csv", "-o", &path("journal.csv")]);
    assert_eq!(told["entries"], 7, "two packs, four charges, the owner's month; opening an account posts nothing");
    let csv = fs::read_to_string(path("journal.csv")).unwrap();
    assert!(csv.starts_with("account,name,seq,") && csv.lines().count() > 10);
    assert!(home.fails(1, &["ledger", "export", "--format", "csv", "-o", &path("journal.csv")]).contains("exists"));
    assert_eq!(home.ok(&["ledger", "export", "--format", "csv"]), csv);
    let book = home.ok(&["ledger", "export", "--format", "beancount"]);
    assert!(book.contains("balance Liabilities:Deferred") && book.contains("-14.61 ~ 0 USD"), "{book}");
    home.fails(2, &["ledger", "export"]);
    home.fails(2, &["ledger", "export", "--format", "csv", "--json"]);
}

#[test]
fn a_low_balance_is_told_with_and_without_a_server() {
    let home = Home::new();
    home.account("ann", "3");
    let set = home.json(&["account", "alert", "ann", "5"]);
    assert_eq!(set["below"], "5");
    assert_eq!(home.json(&["account", "show", "ann"])["alert_below"], "5");
    let alerts = home.json(&["ledger", "alerts"]);
    assert_eq!((&alerts[0]["account"]["name"], &alerts[0]["available"]), (&"ann".into(), &"3".into()));
    assert!(home.ok(&["ledger", "alerts", "ann"]).contains("ann"));
    home.ok(&["account", "alert", "ann", "3"]);
    let service = home.key(&["--service"]);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let command = home.command(&["serve", "--listen", "127.0.0.1:0", "--engine", "test-pattern"]);
    let mut server = Server::start_logging_to(command, fs::File::create(&log).unwrap().into());
    assert_eq!(server.client().charge("ann", &service, "1").unwrap().0, 201);
    assert_eq!(server.client().charge("ann", &service, "2").unwrap().0, 201);
    assert_eq!(home.json(&["ledger", "alerts", "ann"]).as_array().unwrap().len(), 2, "once each time");
    home.ok(&["account", "alert", "ann", "4"]);
    assert!(server.stop().success());
    let log = fs::read_to_string(log).unwrap();
    assert_eq!(log.matches(" is low: ").count(), 2, "{log}");
    assert!(log.contains("is low: 2 credits available, below 3") && !log.contains("ann"), "{log}");
    assert_eq!(home.json(&["account", "alert", "ann", "none"])["below"], Value::Null);
    assert_eq!(home.json(&["ledger", "alerts", "--limit", "1"]).as_array().unwrap().len(), 1);
    home.fails(2, &["account", "alert", "ann", "few"]);
    home.fails(1, &["account", "alert", "nobody", "5"]);
    assert!(home.fails(1, &["account", "alert", "ann", "0"]).contains("above 0"));
    home.verify();
}

//! Plays every scenario file on the pure ledger: with and without a sweeper, in every order, and proves the
//! entries that it leaves.
#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::path::PathBuf;

use medici_ledger::scenario::{Options, Played, PureSubject, Subject, Sweeper, run, run_every_order};
use medici_ledger::statement::{Period, Statement};
use medici_ledger::verify::Replay;
use medici_ledger::{Entry, Wallet};

fn scenarios() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        assert_eq!(file.extension().unwrap(), "scenario");
        (file.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(file).unwrap())
    };
    files.iter().map(read).collect()
}

#[test]
fn every_scenario_holds_in_every_order_whether_or_not_a_sweeper_runs() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 26, "scenario files are missing: {} found", scenarios.len());
    let mut failures = Vec::new();
    for (name, text) in &scenarios {
        for sweeper in [Sweeper::AsWritten, Sweeper::Always, Sweeper::Never] {
            // What counts the sweeper's own entries can only be true as written.
            if sweeper != Sweeper::AsWritten && text.contains("sweeper off") {
                continue;
            }
            let options = Options { sweeper, ..Options::default() };
            match run_every_order(text, options, PureSubject::new) {
                Ok(played) => assert!(played.expectations > 0, "{name} expects nothing"),
                Err(error) => failures.push(format!("{name} ({sweeper:?}): {error}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_entries_of_every_scenario_prove_its_wallets_and_statements() {
    for (name, text) in scenarios() {
        let mut subject = PureSubject::new();
        let played = run(&text, &mut subject, Options::default()).unwrap();
        let mut replay = Replay::new();
        for (_, account) in &played.accounts {
            let entries = subject.entries(*account);
            for entry in &entries {
                assert_eq!(Entry::decode(&entry.encode()).as_ref(), Ok(entry), "{name}");
                replay.feed(entry).unwrap_or_else(|broken| panic!("{name}: {broken}"));
            }
            statements_add_up(&name, &entries, &played);
        }
        let proof = replay.finish().unwrap_or_else(|broken| panic!("{name}: {broken}"));
        for (_, account) in &played.accounts {
            let wallet = subject.wallet(*account);
            proof.compare(&wallet).unwrap_or_else(|broken| panic!("{name}: {broken}"));
            assert_eq!(Wallet::decode(&wallet.encode()).as_ref(), Ok(&wallet), "{name}");
        }
    }
}

/// Opening + entries = closing, for the whole and for two halves that meet.
fn statements_add_up(name: &str, entries: &[Entry], played: &Played) {
    let middle = entries.get(entries.len() / 2).map_or(played.now, |entry| entry.effective_at);
    let before = Period { until: middle, ..Period::ALWAYS };
    let after = Period { from: middle, ..Period::ALWAYS };
    let [before, after, whole] = [before, after, Period::ALWAYS].map(|period| Statement::of(entries, period));
    for statement in [&before, &after, &whole] {
        for class in &statement.classes {
            let sum = class.opening + class.granted - class.captured - class.expired - class.withdrawn;
            assert_eq!(sum, class.closing, "{name}: {statement}");
        }
        for money in &statement.money {
            let sum = money.opening_deferred + money.received - money.tax - money.recognised - money.breakage
                + money.owed
                + money.lost;
            assert_eq!(sum, money.closing_deferred, "{name}: {statement}");
        }
    }
    assert_eq!(before.lines.len() + after.lines.len(), whole.lines.len(), "{name}");
    for class in &after.classes {
        let closing = before.classes.iter().find(|before| before.class == class.class).map_or(0, |line| line.closing);
        assert_eq!(closing, class.opening, "{name}");
    }
}

#[test]
fn an_expectation_that_is_false_fails_its_scenario() {
    let (_, text) = scenarios().into_iter().find(|(name, _)| name.starts_with("01_")).unwrap();
    let wrong = text.replace("expect available 115 held 0", "expect available 116 held 0");
    assert_ne!(wrong, text);
    let error = run(&wrong, &mut PureSubject::new(), Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "line 11: available 116 expected, 115 found");
}

#[test]
fn an_order_that_breaks_an_expectation_is_found() {
    let text = "2026-11-01 grant free 3\nhold job-1 2\ntogether\ncapture job-1 2\nvoid job-1 cancelled\nend\n\
                expect captured 2";
    assert!(run(text, &mut PureSubject::new(), Options::default()).is_ok());
    let error = run_every_order(text, Options::default(), PureSubject::new).unwrap_err();
    assert_eq!(error.to_string(), "line 7: captured 2 expected, 0 found (in order 1)");
}

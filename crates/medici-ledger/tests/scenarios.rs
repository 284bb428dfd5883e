//! Plays every scenario file on the pure ledger: with and without a sweeper, in every order, and proves the
//! entries that it leaves.
#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use medici_ledger::scenario::{Options, Played, PureSubject, Subject, Sweeper, run, run_every_order};
use medici_ledger::statement::{Period, Statement};
use medici_ledger::verify::Replay;
use medici_ledger::{Entry, Unit, Wallet};

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
    assert!(scenarios.len() >= 68, "scenario files are missing: {} found", scenarios.len());
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

#[test]
fn every_rule_is_told_by_a_scenario_that_names_it() {
    let mut told = BTreeSet::new();
    for (name, text) in scenarios() {
        let mut words = text.lines().next().unwrap().strip_prefix("# ").unwrap_or("").split(' ');
        let rules: Vec<u32> = words.by_ref().map_while(|word| word.strip_prefix('L')?.parse().ok()).collect();
        assert!(!rules.is_empty() && words.next().is_some(), "{name} begins with its rules and a sentence: # L3 …");
        told.extend(rules);
    }
    assert_eq!(told, (1..=14).collect(), "rules that no scenario names, or names that are no rule's");
}

/// A leg without its lot: the ledger account, whether it is money, and how much.
type Leg = (String, bool, i64);

/// A row of the table of legs: what is booked, and its legs, sorted.
struct Row {
    facts: Vec<String>,
    text: String,
    legs: Vec<Leg>,
}

fn documented() -> (String, Vec<Row>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/entries.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("\n## The table of legs\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    let rows = lines.map(|line| {
        let [facts, _, credits, money] = line.trim_matches('|').split(" | ").collect::<Vec<_>>()[..] else {
            panic!("four columns needed: {line}");
        };
        let facts = facts.split(',').map(|fact| fact.trim().trim_matches('`').to_owned()).collect();
        let mut legs: Vec<Leg> = legs(credits, false).chain(legs(money, true)).collect();
        legs.sort_unstable();
        Row { facts, text: line.to_owned(), legs }
    });
    (text.clone(), rows.collect())
}

fn legs(column: &str, money: bool) -> impl Iterator<Item = Leg> {
    let legs = column.split(',').map(str::trim).filter(|leg| *leg != "none");
    legs.map(move |leg| {
        let mut words = leg.split(' ');
        let account = words.next().unwrap().to_owned();
        let amount = words.next_back().unwrap_or_else(|| panic!("an amount needed: {leg}"));
        let (sign, number) = amount.strip_prefix('−').map_or((1, amount.strip_prefix('+')), |rest| (-1, Some(rest)));
        let number = number.unwrap_or_else(|| panic!("a sign needed: {leg}"));
        let minor =
            if money { number.parse().unwrap() } else { number.parse::<medici_ledger::Credits>().unwrap().micro() };
        (account, money, sign * minor)
    })
}

#[test]
fn every_row_of_the_documented_legs_is_booked_by_a_scenario_and_every_fact_and_ledger_account_has_one() {
    let mut booked: BTreeSet<(String, Vec<Leg>)> = BTreeSet::new();
    for (_, text) in scenarios() {
        let mut subject = PureSubject::new();
        let played = run(&text, &mut subject, Options::default()).unwrap();
        for entry in played.accounts.iter().flat_map(|(_, account)| subject.entries(*account)) {
            let leg = |leg: &medici_ledger::Posting| (leg.account.to_string(), leg.unit != Unit::Credits, leg.amount);
            let mut legs: Vec<Leg> = entry.postings.iter().map(leg).collect();
            legs.sort_unstable();
            booked.insert((entry.fact.name().to_owned(), legs));
        }
    }
    let (text, rows) = documented();
    for row in &rows {
        for fact in &row.facts {
            assert!(
                booked.contains(&(fact.clone(), row.legs.clone())),
                "no scenario books {fact} like this: {}",
                row.text
            );
        }
    }
    let in_table: BTreeSet<&String> = rows.iter().flat_map(|row| &row.facts).collect();
    let in_scenarios: BTreeSet<&String> = booked.iter().map(|(fact, _)| fact).collect();
    assert_eq!(in_table, in_scenarios, "facts of the table and of the scenarios");
    // Ledger accounts of an operation or a class are one row each, whichever operation it is.
    let kind = |leg: &Leg| leg.0.split(':').next().unwrap().to_owned();
    let in_table: BTreeSet<String> = rows.iter().flat_map(|row| &row.legs).map(kind).collect();
    let in_scenarios: BTreeSet<String> = booked.iter().flat_map(|(_, legs)| legs).map(kind).collect();
    assert_eq!(in_table, in_scenarios, "ledger accounts of the table and of the scenarios");
    let (_, section) = text.split_once("\n## Ledger accounts\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    for account in in_table {
        assert!(section.contains(&account), "{account} is explained");
    }
}

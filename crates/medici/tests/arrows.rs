//! Who may depend on whom. An arrow is added here by review, never by accident.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{collections::BTreeSet, process::Command};

/// Every arrow that may exist between our crates, outside of tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("medici-ledger", &[]),
    ("medici-studio", &["medici-ledger"]),
    ("medici-store", &["medici-ledger", "medici-studio"]),
    ("medici-engine", &["medici-studio"]),
    ("medici-server", &["medici-ledger", "medici-studio"]),
    ("medici", &["medici-ledger", "medici-studio", "medici-store", "medici-engine", "medici-server"]),
    ("medici-testkit", &["medici-ledger", "medici-studio"]),
];

/// All that the pure crate may bring in.
const LEDGER_MAY_USE: &[&str] = &["jiff", "sha2"];

#[test]
fn no_crate_depends_on_one_that_it_may_not_know() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(from, _)| *from).collect();
    assert_eq!(ours, listed, "every crate of the workspace, and only those, has a line here");
    for package in packages {
        let from = package["name"].as_str().unwrap();
        let allowed = ARROWS.iter().find(|(name, _)| *name == from).unwrap().1;
        for to in dependencies(package, false).into_iter().filter(|to| ours.contains(to)) {
            assert!(allowed.contains(&to), "{from} -> {to} is not an arrow of the architecture");
        }
    }
}

#[test]
fn the_ledger_brings_in_nothing_impure() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let ledger = packages.iter().find(|package| package["name"] == "medici-ledger").unwrap();
    for to in dependencies(ledger, false) {
        assert!(LEDGER_MAY_USE.contains(&to), "medici-ledger is pure and may not use {to}");
    }
}

#[test]
fn the_testkit_is_used_by_tests_only() {
    for package in metadata()["packages"].as_array().unwrap() {
        assert!(!dependencies(package, false).contains(&"medici-testkit"), "{} ships the testkit", package["name"]);
    }
}

fn metadata() -> serde_json::Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo).args(["metadata", "--format-version", "1", "--no-deps"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn dependencies(package: &serde_json::Value, dev: bool) -> Vec<&str> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| (dependency["kind"] == "dev") == dev).map(|d| d["name"].as_str().unwrap()).collect()
}

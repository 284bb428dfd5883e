//! What is proved with what was kept elsewhere: a public key, a head of the log, a file that was handed on.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use support::{Home, Server, text};

/// Another key than any that is drawn here.
const OTHER_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/// Runs `ledger verify --proof` where there is neither a data directory nor a place for one.
fn verify_proof(file: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medici"));
    command.env_clear().args(["ledger", "verify", "--proof"]).arg(file).args(args).output().unwrap()
}

#[test]
fn verify_compares_the_directory_with_the_key_and_the_head_of_the_log() {
    let home = Home::new();
    home.account("ann", "15");
    let log = home.path().parent().unwrap().join("log");
    let mut server = Server::start_logging_to(
        home.command(&["serve", "--listen", "127.0.0.1:0", "--engine", "test-pattern", "--log", "json"]),
        fs::File::create(&log).unwrap().into(),
    );
    assert!(server.stop().success());
    let log = fs::read_to_string(&log).unwrap();
    let line = log.lines().find(|line| line.contains("newest head")).unwrap_or_else(|| panic!("{log}"));
    let fields = serde_json::from_str::<Value>(line).unwrap()["fields"].clone();
    let head = format!("{}:{}", fields["head.row"], fields["head.digest"].as_str().unwrap());

    let report = home.verify();
    assert_eq!(report["head"], head.as_str(), "{report}");
    assert_eq!(report["heads"], report["heads_signed"]);
    let key = report["public_key"].as_str().unwrap();
    assert_eq!(fs::read_to_string(home.path().join("heads.pub")).unwrap().trim(), key);
    let said = home.ok(&["ledger", "verify", "--public-key", key, "--head", &head]);
    assert!(said.contains("as it was kept elsewhere") && said.contains("proved"), "{said}");
    assert!(home.ok(&["ledger", "verify"]).contains(&format!("public key: {key}")));

    let broken = |args: &[&str]| {
        let output = home.run(&[&["ledger", "verify"], args].concat());
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(broken(&["--public-key", OTHER_KEY]).contains("heads.key is not the key that was kept elsewhere"));
    assert!(broken(&["--head", &format!("1:{OTHER_KEY}")]).contains("the head that was kept elsewhere"));
    home.fails(2, &["ledger", "verify", "--public-key", "ab"]);
    home.fails(2, &["ledger", "verify", "--head", "7"]);
}

#[test]
fn a_proof_is_verified_without_a_data_directory() {
    let home = Home::new();
    home.account("ann", "15");
    home.ok(&["grant", "ann", "115", "--class", "paid", "--cost", "15.00 USD", "--expires", "2037-01-01"]);
    let file = home.path().parent().unwrap().join("ann.proof");
    let name = file.to_str().unwrap();
    let written = home.json(&["ledger", "proof", "ann", name]);
    let key = written["public_key"].as_str().unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(home.fails(1, &["ledger", "proof", "ann", name]).contains("exists already"));
    assert!(home.fails(1, &["ledger", "proof", "bob", "elsewhere"]).contains("no account"));

    let output = verify_proof(&file, &["--json", "--public-key", key]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["clean"], &report["public_key_compared"]), (&true.into(), &true.into()));
    assert_eq!((&report["available"], &report["held"]), (&"130".into(), &"0".into()));
    assert_eq!(report["money"][0]["closing_deferred"], "15.00 USD", "{report}");
    assert_eq!(report["head"], written["head"]);
    let said = text(&verify_proof(&file, &[]).stdout);
    assert!(said.contains("proved: 3 entries, 2 lots, 130 available, 0 held"), "{said}");
    assert!(said.contains("anybody can make one"), "{said}");

    let output = verify_proof(&file, &["--public-key", OTHER_KEY]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("another key"), "{}", text(&output.stdout));
    let whole = fs::read_to_string(&file).unwrap();
    let cut: Vec<&str> = whole.lines().take(3).collect();
    fs::write(&file, cut.join("\n") + "\n").unwrap();
    let output = verify_proof(&file, &[]);
    assert_eq!(output.status.code(), Some(1));
    let (said, account) = (text(&output.stdout), written["account"]["id"].as_str().unwrap());
    assert!(said.contains(&format!("{account} entry 3 is missing")) && said.contains("BROKEN"), "{said}");
    assert_eq!(verify_proof(&file, &["--head", "1:ab"]).status.code(), Some(2));
    assert_eq!(verify_proof(Path::new("/nowhere/proof"), &[]).status.code(), Some(1));
}

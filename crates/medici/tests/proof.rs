//! What is proved with what was kept elsewhere: a public key, a head of the log.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

mod support;

use std::fs;

use serde_json::Value;
use support::{Home, Server, text};

/// Another key than any that is drawn here.
const OTHER_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

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

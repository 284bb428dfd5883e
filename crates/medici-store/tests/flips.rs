//! Flips every byte of what is stored of an entry, in the database and in a proof that was handed on.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "support/life.rs"]
mod life;
mod support;

use std::path::Path;

use medici_ledger::{AccountId, Entry};
use medici_store::{Finding, HeadKey, KeptElsewhere, ProofOf, verify, verify_proof, write_proof};
use rusqlite::{Connection, types::Value};
use support::{copy, tamper, world_in};

fn lived(home: &Path) -> (AccountId, Vec<Entry>) {
    let world = world_in(home);
    let [account, _] = life::live(&world);
    let entries = world.entries(account);
    (account, entries)
}

/// Every value that differs from this one in one bit of one byte, or for a number in one low bit.
fn flips(value: &Value) -> Vec<Value> {
    match value {
        Value::Integer(number) => (0..6).map(|bit| Value::Integer(number ^ (1 << bit))).collect(),
        Value::Blob(bytes) => (0..bytes.len())
            .map(|at| {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << (at % 8);
                Value::Blob(flipped)
            })
            .collect(),
        other => panic!("{other:?} in a row of an entry"),
    }
}

#[test]
fn every_flipped_byte_in_the_database_is_found_and_its_entry_named() {
    let folder = tempfile::tempdir().unwrap();
    let (origin, home) = (folder.path().join("origin"), folder.path().join("home"));
    let (account, entries) = lived(&origin);
    copy(&origin, &home);
    let db = tamper(&home);
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    let mut flipped = 0;
    for entry in &entries {
        let row = row_of(&db, account, entry.seq);
        for column in ["body", "hash", "account", "seq", "prev"] {
            let get = format!("SELECT {column} FROM entries WHERE row = ?");
            let put = format!("UPDATE entries SET {column} = ? WHERE row = ?");
            let original: Value = db.query_row(&get, [row], |found| found.get(0)).unwrap();
            for (at, changed) in flips(&original).into_iter().enumerate() {
                db.execute(&put, (changed, row)).unwrap();
                let findings = verify(&home, &KeptElsewhere::default()).unwrap().findings;
                let named = |finding: &Finding| {
                    finding.row == Some(row.unsigned_abs())
                        || (finding.account == Some(account) && finding.seq == Some(entry.seq))
                };
                assert!(findings.iter().any(named), "flip {at} of {column} of entry {}: {findings:?}", entry.seq);
                flipped += 1;
            }
            db.execute(&put, (original, row)).unwrap();
        }
    }
    assert!(flipped > 2_000, "{flipped} flips");
    assert_eq!(verify(&home, &KeptElsewhere::default()).unwrap().findings, []);
}

fn row_of(db: &Connection, account: AccountId, seq: u64) -> i64 {
    let sql = "SELECT row FROM entries WHERE account = ? AND seq = ?";
    db.query_row(sql, (account.as_u128().to_be_bytes(), seq.cast_signed()), |row| row.get(0)).unwrap()
}

fn proof(account: AccountId, entries: &[Entry]) -> Vec<u8> {
    let key = HeadKey::from_bytes(&[7; 32]);
    let of = ProofOf { account, name: "ann", signed_at: "2026-12-02T00:00:00Z".parse().unwrap() };
    let mut file = Vec::new();
    write_proof(&mut file, of, entries, &key).unwrap();
    file
}

fn found(proof: &[u8]) -> Vec<Finding> {
    let report = verify_proof(proof, None).unwrap();
    assert_eq!(report.proved.is_none(), !report.findings.is_empty());
    report.findings
}

#[test]
fn every_flipped_byte_of_an_entry_in_a_proof_is_found_and_its_entry_named() {
    let home = tempfile::tempdir().unwrap();
    let (account, entries) = lived(home.path());
    let file = String::from_utf8(proof(account, &entries)).unwrap();
    assert_eq!(found(file.as_bytes()), []);
    for entry in &entries {
        let bytes = entry.encode();
        let (body, hash) = bytes.split_at(bytes.len() - 32);
        for (name, bytes) in [("entry", body), ("hash", hash)] {
            let written = format!("\"{name}\":\"{}\"", hex(bytes));
            assert_eq!(file.matches(&written).count(), 1);
            for at in 0..bytes.len() {
                let mut flipped = bytes.to_vec();
                flipped[at] ^= 1 << (at % 8);
                let changed = file.replace(&written, &format!("\"{name}\":\"{}\"", hex(&flipped)));
                let findings = found(changed.as_bytes());
                let named = |finding: &Finding| finding.account == Some(account) && finding.seq == Some(entry.seq);
                assert!(findings.iter().any(named), "byte {at} of {name} {}: {findings:?}", entry.seq);
            }
        }
    }
}

#[test]
fn every_flipped_character_of_a_proof_is_found() {
    let home = tempfile::tempdir().unwrap();
    let (account, entries) = lived(home.path());
    let file = proof(account, &entries[..6]);
    assert_eq!(found(&file), []);
    for at in 0..file.len() {
        // The bit that makes upper case of lower case, and another one.
        for bit in [0x20, 1 << (at % 8)] {
            let mut flipped = file.clone();
            flipped[at] ^= bit;
            assert_ne!(found(&flipped), [], "byte {at}, bit {bit:#x}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

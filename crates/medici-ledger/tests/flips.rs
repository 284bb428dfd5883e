//! Flips every bit of every stored entry, and expects the replay to find it and to name where.
#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use medici_ledger::scenario::{Options, PureSubject, Subject, run};
use medici_ledger::verify::Replay;
use medici_ledger::{Broken, Entry, Hash};

/// Facts that the scenarios are known to lead to; a new kind is flipped as soon as a scenario has it.
const FACTS: [&str; 10] = [
    "captured",
    "charged",
    "extended",
    "granted",
    "held",
    "hold_expired",
    "lot_expired",
    "opened",
    "uncollected",
    "voided",
];

/// The journals of every scenario, account by account.
fn journals() -> Vec<Vec<Entry>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut journals = Vec::new();
    for file in files {
        let mut subject = PureSubject::new();
        let played = run(&std::fs::read_to_string(&file).unwrap(), &mut subject, Options::default()).unwrap();
        journals.extend(played.accounts.iter().map(|(_, account)| subject.entries(*account)));
    }
    journals
}

/// Every bit of so many bytes.
fn bits(bytes: usize) -> impl Iterator<Item = (usize, u8)> {
    (0..bytes).flat_map(|at| (0..8).map(move |bit| (at, 1 << bit)))
}

/// Decodes the bytes in place of an entry and replays it and all after it.
fn replay(before: &Replay, bytes: &[u8], after: &[Entry]) -> Result<(), Option<Broken>> {
    let entry = Entry::decode(bytes).map_err(|_| None)?;
    let mut replay = before.clone();
    replay.feed(&entry).map_err(Some)?;
    after.iter().try_for_each(|entry| replay.feed(entry)).map_err(Some)?;
    replay.finish().map(|_| ()).map_err(Some)
}

#[test]
fn every_flipped_bit_of_every_fact_is_found_and_its_entry_named() {
    let mut facts = BTreeSet::new();
    let mut flips = 0;
    for journal in journals() {
        let mut before = Replay::new();
        for (index, entry) in journal.iter().enumerate() {
            facts.insert(entry.fact.name());
            let bytes = entry.encode();
            replay(&before, &bytes, &journal[index + 1..]).unwrap();
            for (at, bit) in bits(bytes.len()) {
                let mut flipped = bytes.clone();
                flipped[at] ^= bit;
                let read = Entry::decode(&flipped).ok();
                let named = read.map_or((entry.account, entry.seq), |read| (read.account, read.seq));
                let place = format!("byte {at} of a {} entry {}", entry.fact.name(), entry.seq);
                let broken = replay(&before, &flipped, &[]).expect_err(&place);
                assert!(broken.is_none_or(|broken| (broken.account, broken.seq) == named), "{place}");
                flips += 1;
            }
            before.feed(entry).unwrap();
        }
    }
    for fact in FACTS {
        assert!(facts.contains(fact), "no scenario has a {fact} entry");
    }
    assert!(flips > 400_000, "{flips} flips");
}

#[test]
fn a_flip_in_a_chain_made_anew_has_another_head_and_never_panics() {
    for journal in journals().into_iter().filter(|journal| journal.len() < 30) {
        let mut before = Replay::new();
        let mut head = Hash::ZERO;
        for (index, entry) in journal.iter().enumerate() {
            for (at, bit) in bits(entry.encode().len() - 32) {
                let mut flipped = entry.encode();
                flipped[at] ^= bit;
                let Ok(mut forged) = Entry::decode(&flipped) else { continue };
                forged.hash = forged.hash_after(&head);
                let mut last = forged.hash;
                let mut after = journal[index + 1..].to_vec();
                for entry in &mut after {
                    entry.hash = entry.hash_after(&last);
                    last = entry.hash;
                }
                assert_ne!(last, journal.last().unwrap().hash);
                // It may even be a history that could have been; the signed head tells that it was not.
                let _ = replay(&before, &forged.encode(), &after);
            }
            before.feed(entry).unwrap();
            head = entry.hash;
        }
    }
}

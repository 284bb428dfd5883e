//! What a proof shows off-line, and what it shows of whoever changed it.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "support/life.rs"]
mod life;

use std::sync::Arc;

use medici_ledger::{AccountId, Credits, Entry, Fault, Hash, Unit};
use medici_store::{Finding, HeadKey, Memory, ProofError, ProofOf, ProofReport, PublicKey, verify_proof, write_proof};
use medici_studio::Store;
use medici_testkit::store_contract::{Failure, StoreUnderTest, world::World};

struct InMemory(Memory);

impl StoreUnderTest for InMemory {
    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn reopen(self: Box<Self>) -> Box<dyn StoreUnderTest> {
        self
    }

    fn fail_next_commits(&self, _: usize, _: Failure) {
        unreachable!("these tests break files, not commits");
    }

    fn heal(&self) {
        unreachable!("these tests break files, not commits");
    }
}

fn lived() -> (AccountId, Vec<Entry>) {
    let world = World::new(&|clock, prices| Box::new(InMemory(Memory::new(Arc::clone(&clock) as _, prices))));
    let [account, _] = life::live(&world);
    (account, world.entries(account))
}

fn key() -> HeadKey {
    HeadKey::from_bytes(&[7; 32])
}

fn write(account: AccountId, entries: &[Entry], key: &HeadKey) -> Result<String, ProofError> {
    let of = ProofOf { account, name: "ann", signed_at: "2026-12-02T00:00:00Z".parse().unwrap() };
    let mut file = Vec::new();
    write_proof(&mut file, of, entries, key)?;
    Ok(String::from_utf8(file).unwrap())
}

fn read(proof: &str, kept: Option<&PublicKey>) -> ProofReport {
    verify_proof(proof.as_bytes(), kept).unwrap()
}

fn one_finding(proof: &str, kept: Option<&PublicKey>) -> Finding {
    let report = read(proof, kept);
    assert!(report.proved.is_none());
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    report.findings[0].clone()
}

#[test]
fn a_proof_shows_entries_wallet_and_money_without_a_data_directory() {
    let (account, entries) = lived();
    let proof = write(account, &entries, &key()).unwrap();
    let report = read(&proof, Some(&key().public()));
    assert_eq!(report.findings, []);
    let proved = report.proved.unwrap();
    assert_eq!((proved.account, proved.name.as_str(), &proved.entries), (account, "ann", &entries));
    assert_eq!(proved.signed_at.to_string(), "2026-12-02T00:00:00Z");
    assert_eq!(proved.public_key, key().public());
    let held: i64 = proved.wallet.lots().map(|lot| lot.held.micro()).sum();
    assert_eq!(held, 0);
    for unit in proved.trial_balance.iter().map(|line| line.unit) {
        let lines = proved.trial_balance.iter().filter(|line| line.unit == unit);
        assert_eq!(lines.map(|line| line.amount).sum::<i128>(), 0);
    }
    assert!(proved.trial_balance.iter().any(|line| line.unit != Unit::Credits));
}

#[test]
fn a_tail_that_was_cut_off_is_named() {
    let (account, entries) = lived();
    let proof = write(account, &entries, &key()).unwrap();
    let count = entries.len();
    for left in 0..count {
        let cut: String = proof.lines().take(1 + left).map(|line| format!("{line}\n")).collect();
        let finding = one_finding(&cut, None);
        assert_eq!((finding.account, finding.seq), (Some(account), Some(left as u64 + 1)));
        assert!(finding.what.contains("is missing"), "{finding}");
    }
    // A head of fewer entries was never signed with this key.
    let shorter = write(account, &entries[..count - 1], &key()).unwrap();
    let (first, _) = proof.split_once('\n').unwrap();
    let (_, shorter_rows) = shorter.split_once('\n').unwrap();
    let fewer = first.replace(&format!("\"entries\":{count}"), &format!("\"entries\":{}", count - 1));
    let forged = format!("{fewer}\n{shorter_rows}");
    let findings = read(&forged, None).findings;
    assert!(findings.iter().any(|finding| finding.what.contains("signature")), "{findings:?}");
    let longer = format!("{proof}{}\n", proof.lines().last().unwrap());
    assert!(one_finding(&longer, None).what.contains("the head is that of entry"));
    assert!(one_finding(proof.trim_end(), None).what.contains("cut off"));
    assert!(one_finding("", None).what.contains("empty"));
}

#[test]
fn an_edited_entry_in_a_chain_made_anew_is_not_the_entry_of_the_head() {
    let (account, entries) = lived();
    let proof = write(account, &entries, &key()).unwrap();
    let forged = forged(entries);
    let (first, _) = proof.split_once('\n').unwrap();
    let rows = write_unchecked(&forged);
    let finding = one_finding(&format!("{first}\n{rows}"), None);
    assert_eq!((finding.account, finding.seq), (Some(account), Some(forged.len() as u64)));
    assert!(finding.what.contains("not the entry of the head"), "{finding}");
}

#[test]
fn a_proof_signed_with_another_key_holds_only_for_who_kept_none() {
    let (account, entries) = lived();
    let thief = HeadKey::from_bytes(&[8; 32]);
    // Cut off, and signed anew: within itself it is sound.
    let proof = write(account, &entries[..entries.len() - 1], &thief).unwrap();
    assert_eq!(read(&proof, None).findings, []);
    assert!(one_finding(&proof, Some(&key().public())).what.contains("another key"));
    // The right key over the thief's signature.
    let claimed = proof.replace(&thief.public().to_string(), &key().public().to_string());
    assert!(one_finding(&claimed, Some(&key().public())).what.contains("signature"));
}

#[test]
fn an_entry_of_another_account_is_named() {
    let (account, entries) = lived();
    let proof = write(account, &entries, &key()).unwrap();
    let name = account.to_string();
    let other = AccountId::from_u128(account.as_u128() ^ 1).to_string();
    let findings = read(&proof.replace(&name, &other), None).findings;
    assert!(findings.iter().any(|finding| finding.what.contains(&format!("is one of {account}"))), "{findings:?}");
    let renamed = proof.replace("\"name\":\"ann\"", "\"name\":\"bob\"");
    assert!(one_finding(&renamed, None).what.contains("signature"));
}

#[test]
fn what_is_broken_is_never_signed() {
    let (account, entries) = lived();
    let broken = write(account, &forged(entries.clone()), &key());
    assert!(matches!(broken, Err(ProofError::Broken(broken)) if broken.fault == Fault::Postings));
    assert!(matches!(write(account, &[], &key()), Err(ProofError::Empty)));
    let other = AccountId::from_u128(1);
    assert!(matches!(write(other, &entries, &key()), Err(ProofError::Empty)));
}

/// Gives a grant ten more credits and chains everything anew.
fn forged(mut entries: Vec<Entry>) -> Vec<Entry> {
    let medici_ledger::Fact::Granted(grant) = &mut entries[2].fact else { panic!("a grant") };
    grant.credits = grant.credits.checked_add(Credits::whole(10)).unwrap();
    let mut last = Hash::ZERO;
    for entry in &mut entries {
        entry.hash = entry.hash_after(&last);
        last = entry.hash;
    }
    entries
}

fn write_unchecked(entries: &[Entry]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let row = |entry: &Entry| {
        let bytes = entry.encode();
        let (body, hash) = bytes.split_at(bytes.len() - 32);
        format!("{{\"seq\":{},\"entry\":\"{}\",\"hash\":\"{}\"}}\n", entry.seq, hex(body), hex(hash))
    };
    entries.iter().map(row).collect()
}

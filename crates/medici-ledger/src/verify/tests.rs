use super::*;
use crate::scenario::{Options, PureSubject, Subject, run};
use crate::{Hash, Timestamp};

const STORY: &str = "
    2026-11-01  grant free 15 until 2026-12-01
    2026-11-10  grant pack 115 until 2027-11-10 paid $15.00 tax $3.00
    charge 20
    2026-11-11  @other grant free 1
";

/// The entries of the story, account by account.
fn entries() -> Vec<Entry> {
    let mut subject = PureSubject::new();
    let played = run(STORY, &mut subject, Options::default()).unwrap();
    played.accounts.iter().flat_map(|(_, account)| subject.entries(*account)).collect()
}

fn replay(entries: &[Entry]) -> Result<Proof, Broken> {
    let mut replay = Replay::new();
    entries.iter().try_for_each(|entry| replay.feed(entry))?;
    replay.finish()
}

/// Chains the entries of one account anew, as somebody would who can write the database.
fn rechain(entries: &mut [Entry]) {
    let mut head = Hash::ZERO;
    for entry in entries {
        entry.hash = entry.hash_after(&head);
        head = entry.hash;
    }
}

#[test]
fn a_sound_journal_has_a_trial_balance_of_zero() {
    let proof = replay(&entries()).unwrap();
    assert_eq!(proof.entries, 6);
    assert_eq!(proof.wallets.len(), 2);
    let lines: Vec<String> =
        proof.trial_balance.iter().map(|line| format!("{} {}", line.account, line.amount)).collect();
    let expected = [
        "issuance:free -16000000",
        "issuance:paid -115000000",
        "lot 111000000",
        "used:generate 20000000",
        "cash 1800",
        "tax_payable -300",
        "deferred -1435",
        "revenue:generate -65",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn entries_of_accounts_may_alternate() {
    let mut mixed = entries();
    mixed.sort_by_key(|entry| entry.seq);
    replay(&mixed).unwrap();
}

#[test]
fn a_missing_entry_is_named() {
    let mut entries = entries();
    let gone = entries.remove(1);
    let broken = replay(&entries).unwrap_err();
    assert_eq!(broken, Broken { account: gone.account, seq: 3, fault: Fault::Sequence { expected: 2 } });
}

#[test]
fn a_forged_posting_is_named_even_in_a_chain_made_anew() {
    let mut entries = entries();
    let account = entries[0].account;
    entries.retain(|entry| entry.account == account);
    entries[3].postings[0].amount -= 1;
    rechain(&mut entries);
    let broken = replay(&entries).unwrap_err();
    assert_eq!(broken, Broken { account, seq: 4, fault: Fault::Unbalanced { unit: Unit::Credits } });
    entries[3].postings[1].amount += 1;
    rechain(&mut entries);
    assert_eq!(replay(&entries).unwrap_err().fault, Fault::Postings);
}

#[test]
fn a_changed_instant_breaks_the_chain() {
    let mut entries = entries();
    entries[2].effective_at = Timestamp::from_micros(entries[2].effective_at.micros() - 1);
    assert_eq!(replay(&entries).unwrap_err().fault, Fault::Chain);
}

#[test]
fn a_stored_wallet_that_differs_or_whose_tail_is_cut_off_is_named() {
    let mut entries = entries();
    let proof = replay(&entries).unwrap();
    let stored = proof.wallets[0].clone();
    proof.compare(&stored).unwrap();
    proof.compare(&Wallet::new(AccountId::from_u128(99))).unwrap();
    let last = entries.iter().rposition(|entry| entry.account == stored.account()).unwrap();
    entries.remove(last);
    let shorter = replay(&entries).unwrap();
    let broken = shorter.compare(&stored).unwrap_err();
    assert_eq!(broken, Broken { account: stored.account(), seq: 4, fault: Fault::Differs });
}

#[test]
fn a_replay_shows_its_wallets_on_the_way() {
    let entries = entries();
    let mut replay = Replay::new();
    assert_eq!(replay.wallet(entries[0].account), None);
    entries.iter().for_each(|entry| replay.feed(entry).unwrap());
    let other = entries.last().unwrap().account;
    assert_eq!(replay.wallet(entries[0].account).map(Wallet::seq), Some(4));
    assert_eq!(replay.wallet(other).map(Wallet::seq), Some(2));
}

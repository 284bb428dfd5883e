//! Reading a proof that somebody handed over: nothing in it is believed before it is checked.

use std::io::{self, BufRead, Read};

use medici_ledger::{AccountId, Entry, Hash, Timestamp, verify::Replay};
use serde::{Serialize, de::DeserializeOwned};

use super::{FORMAT, Header, ProofReport, Proved, Row, hash};
use crate::{
    hex,
    signing::{PublicKey, Purpose, Signature},
    verify::Finding,
};

/// The longest line: several times what the largest entry takes.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// The first line, once it can be read.
struct Head {
    account: AccountId,
    name: String,
    entries: u64,
    hash: Hash,
    signed_at: Timestamp,
    public_key: PublicKey,
}

/// Verifies a proof. With the public key that was kept elsewhere it also shows whose proof it is.
///
/// # Errors
/// The file cannot be read; whatever can be read and is wrong is a finding.
pub fn verify_proof(mut file: impl BufRead, kept: Option<&PublicKey>) -> io::Result<ProofReport> {
    let mut findings = Vec::new();
    let Some(head) = first_line(&mut file, kept, &mut findings)? else {
        return Ok(ProofReport { findings, proved: None });
    };
    let entries = match entries(&mut file, &head)? {
        Ok(entries) => entries,
        Err(finding) => {
            findings.push(finding);
            return Ok(ProofReport { findings, proved: None });
        }
    };
    // The chain is compared with the signed head first, so that only what was signed is replayed.
    if let Some(finding) = chain(&entries, &head) {
        findings.push(finding);
    }
    if !findings.is_empty() {
        return Ok(ProofReport { findings, proved: None });
    }
    let proved = replay(entries, head).map_err(|finding| findings.push(finding)).ok();
    Ok(ProofReport { findings, proved })
}

/// Reads the first line and checks its signature and its key. `None` where it says nothing that could be checked.
fn first_line(
    file: &mut impl BufRead,
    kept: Option<&PublicKey>,
    findings: &mut Vec<Finding>,
) -> io::Result<Option<Head>> {
    let header = match line::<Header>(file)? {
        Some(Ok(header)) => header,
        Some(Err(what)) => {
            findings.push(Finding::of(format!("line 1 {what}")));
            return Ok(None);
        }
        None => {
            findings.push(Finding::of("the file is empty"));
            return Ok(None);
        }
    };
    let Some((head, signature)) = parse(&header) else {
        findings.push(Finding::of(format!("line 1 is not the first line of a proof of the format {FORMAT}")));
        return Ok(None);
    };
    let finding = |what: &str| Finding::of(what).account(head.account).seq(head.entries);
    if !head.public_key.holds(Purpose::AccountHead, &header.message(), &signature) {
        findings.push(finding("the signature of the head does not hold"));
    }
    if kept.is_some_and(|kept| *kept != head.public_key) {
        findings.push(finding("the head is signed with another key than the one that was kept elsewhere"));
    }
    Ok(Some(head))
}

/// Takes the values of the first line, each in its one spelling.
fn parse(header: &Header) -> Option<(Head, Signature)> {
    let signed_at: Timestamp = header.signed_at.parse().ok()?;
    let head = Head {
        account: header.account.parse().ok()?,
        name: header.name.clone(),
        entries: header.entries,
        hash: hash(&header.head)?,
        signed_at,
        public_key: header.public_key.parse().ok()?,
    };
    let one_spelling = header.format == FORMAT && signed_at.to_string() == header.signed_at;
    one_spelling.then_some((head, Signature::parse(&header.signature)?))
}

/// Reads all entries of the account, in order; the first that is not what it should be is the finding.
fn entries(file: &mut impl BufRead, head: &Head) -> io::Result<Result<Vec<Entry>, Finding>> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let seq = entries.len() as u64 + 1;
        let finding = |what: String| Finding::of(what).account(head.account).seq(seq);
        let row = match line::<Row>(file)? {
            Some(Ok(row)) if seq <= head.entries => row,
            Some(Ok(_)) => return Ok(Err(finding(format!("the head is that of entry {}", head.entries)))),
            Some(Err(what)) => return Ok(Err(finding(what))),
            None if seq <= head.entries => {
                return Ok(Err(finding(format!("is missing: the head is that of entry {}", head.entries))));
            }
            None => return Ok(Ok(entries)),
        };
        let bytes = hex::decode(&row.entry).zip(hash(&row.hash));
        let Some((mut bytes, hash)) = bytes else {
            return Ok(Err(finding("is not written in lower-case hex digits".to_owned())));
        };
        bytes.extend_from_slice(hash.as_bytes());
        match Entry::decode(&bytes) {
            Err(error) => return Ok(Err(finding(format!("cannot be read: {error}")))),
            Ok(entry) if entry.account != head.account => {
                return Ok(Err(finding(format!("is one of {}", entry.account))));
            }
            Ok(entry) if entry.seq != seq || row.seq != seq => {
                return Ok(Err(finding(format!("says that it is entry {}, its line entry {}", entry.seq, row.seq))));
            }
            Ok(entry) => entries.push(entry),
        }
    }
}

/// Follows the hashes to the head, and says where they do not lead to it.
fn chain(entries: &[Entry], head: &Head) -> Option<Finding> {
    let mut last = Hash::ZERO;
    for entry in entries {
        if entry.hash_after(&last) != entry.hash {
            let what = "the hash does not follow from the entry before and this one";
            return Some(Finding::of(what).account(head.account).seq(entry.seq));
        }
        last = entry.hash;
    }
    (last != head.hash).then(|| Finding::of("is not the entry of the head").account(head.account).seq(head.entries))
}

fn replay(entries: Vec<Entry>, head: Head) -> Result<Proved, Finding> {
    let broken =
        |broken: medici_ledger::Broken| Finding::of(broken.fault.to_string()).account(broken.account).seq(broken.seq);
    let mut replay = Replay::new();
    for entry in &entries {
        replay.feed(entry).map_err(broken)?;
    }
    let proof = replay.finish().map_err(broken)?;
    let wallet = proof.wallet(head.account).cloned();
    let wallet = wallet.ok_or_else(|| Finding::of("has no entries").account(head.account))?;
    Ok(Proved {
        account: head.account,
        name: head.name,
        signed_at: head.signed_at,
        public_key: head.public_key,
        entries,
        wallet,
        trial_balance: proof.trial_balance,
    })
}

/// Reads one line, `None` at the end. An error text where it is not the one spelling of what it should be.
fn line<T: DeserializeOwned + Serialize>(file: &mut impl BufRead) -> io::Result<Option<Result<T, String>>> {
    let mut text = Vec::new();
    file.take(LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
    if text.is_empty() {
        return Ok(None);
    }
    if text.pop() != Some(b'\n') {
        return Ok(Some(Err("is cut off, or longer than any line of a proof".to_owned())));
    }
    let read = serde_json::from_slice::<T>(&text).map_err(|error| format!("cannot be read: {error}"));
    let read = read.and_then(|value| match serde_json::to_vec(&value) {
        Ok(written) if written == text => Ok(value),
        _ => Err("is not written as proofs are".to_owned()),
    });
    Ok(Some(read))
}

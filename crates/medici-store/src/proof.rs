//! A proof of one account that needs no data directory: its entries and its signed head, in one file.
//!
//! JSON Lines. The first line names the account, its head, the key and the signature; each further line is one
//! entry, from the first on: its canonical bytes and its hash in hex digits. Every line has one spelling, the one
//! that is written here, so a changed byte anywhere is seen.
//!
//! What is signed is the text of [`Header::message`]. Whoever reads the file replays the entries with the ledger's
//! own rules and compares their last hash with the head. A shorter or a changed history has another head, and so
//! needs the secret key. The file names its key, which anybody could have made: only the public key that was kept
//! elsewhere shows whose it is.

mod read;

use std::io::{self, Write};

use medici_ledger::{AccountId, Broken, Entry, Hash, Timestamp, Wallet, verify::Replay, verify::TrialLine};
use serde::{Deserialize, Serialize};

pub use self::read::verify_proof;
use crate::{
    hex,
    signing::{HeadKey, PublicKey, Purpose},
    verify::Finding,
};

/// The format of the file, which its first line begins with.
const FORMAT: &str = "medici-proof-1";
/// How many bytes at the end of an encoded entry are its hash.
const HASH_BYTES: usize = 32;

/// Whose proof is written, and when.
#[derive(Clone, Copy, Debug)]
pub struct ProofOf<'a> {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: &'a str,
    /// When it is signed.
    pub signed_at: Timestamp,
}

/// Why a proof is not written.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The entries do not prove themselves: nothing is signed.
    #[error("the entries are broken")]
    Broken(#[from] Broken),
    /// There is nothing to prove.
    #[error("the account has no entries")]
    Empty,
    /// The file cannot be written.
    #[error("the proof cannot be written")]
    Io(#[from] io::Error),
}

/// What a proof shows, or why it shows nothing.
#[derive(Clone, Debug)]
pub struct ProofReport {
    /// What is wrong; empty if all is well.
    pub findings: Vec<Finding>,
    /// What is proved; `None` where there are findings.
    pub proved: Option<Proved>,
}

/// What a proof without findings shows.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The account.
    pub account: AccountId,
    /// What it was called when it was signed.
    pub name: String,
    /// When its head was signed.
    pub signed_at: Timestamp,
    /// By which key. Whose that is, only a key that was kept elsewhere shows.
    pub public_key: PublicKey,
    /// All of its entries, from the first on.
    pub entries: Vec<Entry>,
    /// The wallet they lead to.
    pub wallet: Wallet,
    /// The sum of each ledger account in each unit.
    pub trial_balance: Vec<TrialLine>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    account: String,
    name: String,
    entries: u64,
    head: String,
    signed_at: String,
    public_key: String,
    signature: String,
}

/// Each further line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    seq: u64,
    entry: String,
    hash: String,
}

impl Header {
    /// Returns what is signed. The name comes last, because it alone is free text.
    fn message(&self) -> String {
        let Self { account, name, entries, head, signed_at, .. } = self;
        format!("account {account}\nentries {entries}\nhead {head}\nsigned_at {signed_at}\nname {name}")
    }
}

impl Row {
    fn of(entry: &Entry) -> Self {
        let encoded = entry.encode();
        let (body, hash) = encoded.split_at(encoded.len() - HASH_BYTES);
        Self { seq: entry.seq, entry: hex::encode(body), hash: hex::encode(hash) }
    }
}

/// Writes a proof of an account from all of its entries, which are replayed before anything is signed.
///
/// # Errors
/// [`ProofError`] where the entries are broken or none, or `file` cannot be written.
pub fn write_proof(file: &mut impl Write, of: ProofOf<'_>, entries: &[Entry], key: &HeadKey) -> Result<(), ProofError> {
    let mut replay = Replay::new();
    for entry in entries {
        replay.feed(entry)?;
    }
    replay.finish()?;
    let last = entries.last().filter(|entry| entry.account == of.account).ok_or(ProofError::Empty)?;
    let mut header = Header {
        format: FORMAT.to_owned(),
        account: of.account.to_string(),
        name: of.name.to_owned(),
        entries: last.seq,
        head: last.hash.to_string(),
        signed_at: of.signed_at.to_string(),
        public_key: key.public().to_string(),
        signature: String::new(),
    };
    header.signature = key.sign(Purpose::AccountHead, &header.message()).to_string();
    write_line(file, &header)?;
    for entry in entries {
        write_line(file, &Row::of(entry))?;
    }
    Ok(())
}

fn write_line(file: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

fn hash(text: &str) -> Option<Hash> {
    hex::decode_array(text).map(Hash::from_bytes)
}

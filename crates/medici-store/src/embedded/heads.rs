//! The file of heads: what the journal's end was, written outside the database.
//!
//! A chain cannot see its own cut-off tail. So about once a second, off the commit path, a line is appended and
//! synced beside the database: the last row, a running digest of every entry's hash up to it, and the head of
//! each account that moved since the line before (at most [`HEADS_MAX`] of them). A line is written after the
//! entries it speaks of are durable; so the file is never ahead of an honest database.
//!
//! Line: `row digest account:seq:hash…`, the digest being SHA-256 of the digest before (zeros at first) and the
//! hashes of the rows since, in order. What was committed after the last line is not covered by it.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
};

use medici_ledger::{AccountId, Hash};
use rusqlite::Connection;

use super::{
    directory,
    rows::{id, signed, unsigned},
};

/// The name of the file in the data directory.
pub(crate) const FILE: &str = "heads";
/// Accounts named in one line.
const HEADS_MAX: usize = 512;
/// Rows covered by one line, so that its making stays short.
const ROWS_MAX: u64 = 100_000;

/// One line of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) row: u64,
    pub(crate) digest: Hash,
    pub(crate) heads: Vec<Head>,
}

/// Where an account stood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) account: AccountId,
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
}

/// The file, open for appending.
pub(crate) struct Heads {
    file: File,
    row: u64,
    digest: Hash,
}

impl Heads {
    /// Opens the file after its last whole line; what a crash left of another is cut off.
    pub(crate) fn open(home: &Path) -> io::Result<Self> {
        let path = home.join(FILE);
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        let (mut row, mut digest, mut whole) = (0, Hash::ZERO, 0);
        let mut reader = BufReader::new(&file);
        let mut text = String::new();
        while reader.read_line(&mut text)? > 0 && text.ends_with('\n') {
            if let Some(line) = Line::parse(text.trim_end()) {
                (row, digest) = (line.row, line.digest);
            }
            whole += text.len() as u64;
            text.clear();
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        file.sync_all()?;
        directory::sync(home)?;
        Ok(Self { file, row, digest })
    }

    /// Returns the row up to which the file speaks.
    pub(crate) fn row(&self) -> u64 {
        self.row
    }

    /// Appends and syncs lines up to the last committed row. Repeating it without new entries writes nothing.
    pub(crate) fn catch_up(&mut self, db: &Connection) -> Result<(), HeadsError> {
        while let Some(line) = self.next_line(db)? {
            writeln!(self.file, "{line}")?;
            self.file.sync_data()?;
            self.row = line.row;
            self.digest = line.digest;
        }
        Ok(())
    }

    fn next_line(&self, db: &Connection) -> rusqlite::Result<Option<Line>> {
        let mut query =
            db.prepare_cached("SELECT row, account, seq, hash FROM entries WHERE row > ? ORDER BY row LIMIT ?")?;
        let mut rows = query.query([signed(self.row), signed(ROWS_MAX)])?;
        let mut digest = Digest::after(self.digest);
        let mut heads: HashMap<AccountId, Head> = HashMap::new();
        let mut last = None;
        while let Some(row) = rows.next()? {
            let hash = Hash::from_bytes(row.get(3)?);
            let account = AccountId::from_u128(id(row, 1)?);
            digest.add(&hash);
            last = Some(unsigned(row, 0)?);
            if heads.len() < HEADS_MAX || heads.contains_key(&account) {
                heads.insert(account, Head { account, seq: unsigned(row, 2)?, hash });
            }
        }
        let mut heads: Vec<_> = heads.into_values().collect();
        heads.sort_unstable_by_key(|head| head.account);
        Ok(last.map(|row| Line { row, digest: digest.end(), heads }))
    }
}

/// Why the heads could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeadsError {
    #[error("the file of heads cannot be written")]
    Io(#[from] io::Error),
    #[error("the entries cannot be read")]
    Database(#[from] rusqlite::Error),
}

/// The running digest between two lines.
pub(crate) struct Digest(sha2::Sha256);

impl Digest {
    pub(crate) fn after(previous: Hash) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::new().chain_update(previous.as_bytes()))
    }

    pub(crate) fn add(&mut self, hash: &Hash) {
        use sha2::Digest as _;
        self.0.update(hash.as_bytes());
    }

    pub(crate) fn end(self) -> Hash {
        use sha2::Digest as _;
        Hash::from_bytes(self.0.finalize().into())
    }
}

impl Line {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let row = words.next()?.parse().ok()?;
        let digest = hash(words.next()?)?;
        let heads = words.map(Head::parse).collect::<Option<Vec<_>>>()?;
        Some(Self { row, digest, heads })
    }
}

impl Head {
    fn parse(text: &str) -> Option<Self> {
        let (account, rest) = text.split_once(':')?;
        let (seq, end) = rest.split_once(':')?;
        Some(Self { account: account.parse().ok()?, seq: seq.parse().ok()?, hash: hash(end)? })
    }
}

fn hash(text: &str) -> Option<Hash> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(Hash::from_bytes(bytes))
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.row, self.digest)?;
        self.heads.iter().try_for_each(|head| write!(f, " {}:{}:{}", head.account, head.seq, head.hash))
    }
}

//! The file of heads: what the journal's end was, written outside the database.
//!
//! A chain cannot see its own cut-off tail. So about once a second, off the commit path, a line is appended and
//! synced beside the database: the last row, a running digest of every entry's hash up to it, and the head of
//! each account that moved since the line before (at most [`HEADS_MAX`] of them). A line is written after the
//! entries it speaks of are durable; so the file is never ahead of an honest database.
//!
//! Line: `row digest account:seq:hash… ed25519:signature`, the digest being SHA-256 of the digest before (zeros at
//! first) and the hashes of the rows since, in order. What was committed after the last line is not covered by it.
//! The signature is over everything before it. Lines from before there were signatures have none; the first line
//! that has one stands after all of them, and even an empty journal has one, of row 0.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    str::FromStr,
};

use medici_ledger::{AccountId, Hash};
use rusqlite::Connection;

use super::{
    directory,
    fresh::FreshRow,
    head_key::{self, HeadKeyError},
    rows::{id, signed, unsigned},
};
use crate::{
    hex,
    overlay::ById,
    signing::{HeadKey, PublicKey, Purpose, Signature},
};

/// The name of the file in the data directory.
pub(crate) const FILE: &str = "heads";
/// Accounts named in one line.
const HEADS_MAX: usize = 512;
/// Rows covered by one line, so that its making stays short.
const ROWS_MAX: usize = 100_000;
/// What a line's signature begins with.
const SIGNED: &str = " ed25519:";

/// The end of the journal as one line of the file of heads states it, written `row:digest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalHead {
    /// The last row.
    pub row: u64,
    /// The running digest of every entry's hash up to it.
    pub digest: Hash,
}

/// A text that is no head of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row, a colon and 64 lower-case hex digits needed")]
pub struct JournalHeadError;

/// One line of the file, without its signature.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) end: JournalHead,
    pub(crate) heads: Vec<Head>,
}

/// A line as it was read.
#[derive(Clone, Debug)]
pub(crate) struct SignedLine {
    pub(crate) line: Line,
    /// `None` for a line from before there were signatures.
    signature: Option<(String, Signature)>,
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
    key: HeadKey,
    /// How long the file is without what an append that failed has left.
    bytes: u64,
    end: JournalHead,
    /// Whether the last line is signed.
    signed: bool,
}

impl Heads {
    /// Opens the file after its last whole line; what a crash left of another is cut off. The directory's key is
    /// `new_key` where it has none yet.
    pub(crate) fn open(home: &Path, new_key: &HeadKey) -> Result<Self, HeadKeyError> {
        let path = home.join(FILE);
        let file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        let mut end = JournalHead { row: 0, digest: Hash::ZERO };
        let (mut signed, mut bytes) = (false, 0);
        let mut reader = BufReader::new(&file);
        let mut text = String::new();
        while reader.read_line(&mut text)? > 0 && text.ends_with('\n') {
            if let Some(read) = SignedLine::parse(text.trim_end()) {
                signed = read.signature.is_some();
                end = read.line.end;
            }
            bytes += text.len() as u64;
            text.clear();
        }
        file.set_len(bytes)?;
        file.sync_all()?;
        directory::sync(home)?;
        let key = head_key::take(home, new_key, signed)?;
        Ok(Self { file, key, bytes, end, signed })
    }

    /// Makes sure that the last line is signed, and publishes the key. Repeating it writes nothing.
    pub(crate) fn begin(&mut self, home: &Path) -> Result<(), HeadKeyError> {
        if !self.signed {
            let digest = Digest::after(self.end.digest).end();
            self.append(&Line { end: JournalHead { digest, ..self.end }, heads: Vec::new() })?;
        }
        head_key::publish(home, &self.key)
    }

    /// Returns up to where the file speaks.
    pub(crate) fn end(&self) -> JournalHead {
        self.end
    }

    /// Appends and syncs lines up to the last committed row. Repeating it without new entries writes nothing.
    ///
    /// `fresh` are some of the rows, in their order; the others are read from the database.
    pub(crate) fn catch_up(&mut self, db: &Connection, fresh: &[FreshRow]) -> Result<(), HeadsError> {
        let mut fresh = fresh;
        loop {
            fresh = &fresh[fresh.partition_point(|row| row.row <= self.end.row)..];
            let known = match fresh.first() {
                Some(first) if first.row == self.end.row + 1 => &fresh[..fresh.len().min(ROWS_MAX)],
                _ => &[],
            };
            let line =
                if known.is_empty() { self.next_line(db)? } else { self.line_of(known.iter().map(|row| Ok(*row)))? };
            let Some(line) = line else { return Ok(()) };
            self.append(&line)?;
        }
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        // What an append that failed has left of its line would be read as the beginning of this one.
        self.file.set_len(self.bytes)?;
        let text = line.signed(&self.key);
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        self.bytes += text.len() as u64;
        self.end = line.end;
        self.signed = true;
        Ok(())
    }

    fn next_line(&self, db: &Connection) -> rusqlite::Result<Option<Line>> {
        let mut query =
            db.prepare_cached("SELECT row, account, seq, hash FROM entries WHERE row > ? ORDER BY row LIMIT ?")?;
        let rows = query.query_map([signed(self.end.row), ROWS_MAX as i64], |row| {
            Ok(FreshRow {
                row: unsigned(row, 0)?,
                account: AccountId::from_u128(id(row, 1)?),
                seq: unsigned(row, 2)?,
                hash: Hash::from_bytes(row.get(3)?),
            })
        })?;
        self.line_of(rows)
    }

    /// Returns the line of the rows that follow the last one; `None` where there are none.
    fn line_of(&self, rows: impl Iterator<Item = rusqlite::Result<FreshRow>>) -> rusqlite::Result<Option<Line>> {
        let mut digest = Digest::after(self.end.digest);
        let mut heads = ById::<Head>::default();
        let mut last = None;
        for row in rows {
            let FreshRow { row, account, seq, hash } = row?;
            digest.add(&hash);
            last = Some(row);
            if heads.len() < HEADS_MAX || heads.contains_key(&account) {
                heads.insert(account, Head { account, seq, hash });
            }
        }
        let mut heads: Vec<_> = heads.into_values().collect();
        heads.sort_unstable_by_key(|head| head.account);
        Ok(last.map(|row| Line { end: JournalHead { row, digest: digest.end() }, heads }))
    }
}

/// Returns where an account stood when the file of heads last named it, or `None` if it never did.
pub(crate) fn last_seen(home: &Path, account: AccountId) -> io::Result<Option<Head>> {
    let file = match File::open(home.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut seen = None;
    for text in BufReader::new(file).lines() {
        // What a crash has left of a last line names nothing yet.
        let heads = SignedLine::parse(&text?).map_or_else(Vec::new, |read| read.line.heads);
        seen = heads.into_iter().find(|head| head.account == account).or(seen);
    }
    Ok(seen)
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

impl SignedLine {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((message, signature)) = text.split_once(SIGNED) else {
            return Some(Self { line: Line::parse(text)?, signature: None });
        };
        let signature = Signature::parse(signature)?;
        Some(Self { line: Line::parse(message)?, signature: Some((message.to_owned(), signature)) })
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.signature.is_some()
    }

    /// Returns whether the line is signed with this key's secret half.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signature.as_ref().is_some_and(|(message, signature)| key.holds(Purpose::HeadsLine, message, signature))
    }
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let row = words.next()?.parse().ok()?;
        let digest = hash(words.next()?)?;
        let heads = words.map(Head::parse).collect::<Option<Vec<_>>>()?;
        Some(Self { end: JournalHead { row, digest }, heads })
    }

    /// Returns the line with its signature, as it is written.
    fn signed(&self, key: &HeadKey) -> String {
        let message = self.to_string();
        let signature = key.sign(Purpose::HeadsLine, &message);
        format!("{message}{SIGNED}{signature}\n")
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
    hex::decode_array(text).map(Hash::from_bytes)
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.end.row, self.end.digest)?;
        self.heads.iter().try_for_each(|head| write!(f, " {}:{}:{}", head.account, head.seq, head.hash))
    }
}

impl fmt::Display for JournalHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.row, self.digest)
    }
}

impl FromStr for JournalHead {
    type Err = JournalHeadError;

    fn from_str(text: &str) -> Result<Self, JournalHeadError> {
        let parsed = text.split_once(':').and_then(|(row, digest)| Some((row.parse().ok()?, hash(digest)?)));
        parsed.map(|(row, digest)| Self { row, digest }).ok_or(JournalHeadError)
    }
}

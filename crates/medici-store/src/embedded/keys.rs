//! Idempotency records, so that neither memory nor start-up grows with traffic.
//!
//! Records are appended. The last partition is open and indexed in memory; when it is an hour old or full it is
//! sealed: its index goes into chunks on disk, and a filter over it stays in memory. A day later it is dropped,
//! a bounded number of rows a commit. So every write is at the end of a table, however random the keys are.
//!
//! Records that are kept for ever (money) have a table of their own.

use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasherDefault,
    time::Duration,
};

use medici_ledger::{
    Credits, Entry, Timestamp,
    idempotency::{Fingerprint, KEY_MEMORY, Keep, KeyScope},
};
use medici_studio::{JobId, Kept, KeyRecord};
use rusqlite::{Connection, OptionalExtension, params, types::Type};

use super::{
    entries,
    filter::Filter,
    rows::{signed, unsigned},
};
use crate::{overlay::Batch, scope::ScopeHash, wallets::IdHasher};

/// How large and how old a partition grows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) rows: u64,
    pub(crate) age: Duration,
}

/// Filters in memory, at most 40 MB. Older partitions are looked up on disk.
const FILTERS_MAX: usize = 64;
/// Rows dropped in one commit.
const DROPPED_MAX: u64 = 2_000;
/// Records of one chunk, on average.
const CHUNK_RECORDS: usize = 256;
const RECORD_BYTES: usize = 12;

/// The idempotency records of an embedded store.
pub(crate) struct Keys {
    limits: Limits,
    open: Open,
    sealed: VecDeque<Sealed>,
    /// Up to which id the first partition is dropped already.
    dropped_to: u64,
    next_chunk: u64,
    forever: bool,
}

/// The partition to which records are appended.
struct Open {
    first_id: u64,
    next_id: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    index: HashMap<u64, u32, BuildHasherDefault<IdHasher>>,
    /// Records whose half hash was in the index already: a scope used again, or one in 2^64.
    twins: Vec<(u64, u32)>,
}

struct Sealed {
    first_id: u64,
    last_id: u64,
    last_at: Timestamp,
    first_chunk: u64,
    chunks: u64,
    filter: Option<Filter>,
}

/// What a commit did to the partitions, applied to memory once it is durable.
pub(crate) struct Written {
    added: Vec<ScopeHash>,
    at: Timestamp,
    sealed: Option<Sealed>,
    dropped_to: u64,
    dropped_first: bool,
    forever: bool,
}

impl Keys {
    /// Reads the partitions' filters and the open partition's index.
    pub(crate) fn open(db: &Connection, limits: Limits) -> rusqlite::Result<Self> {
        let mut query = db.prepare(
            "SELECT first_id, last_id, last_at, first_chunk, chunks FROM idempotency_parts ORDER BY first_id",
        )?;
        let sealed = query.query_map([], |row| {
            Ok(Sealed {
                first_id: unsigned(row, 0)?,
                last_id: unsigned(row, 1)?,
                last_at: Timestamp::from_micros(row.get(2)?),
                first_chunk: unsigned(row, 3)?,
                chunks: unsigned(row, 4)?,
                filter: None,
            })
        })?;
        let mut sealed: VecDeque<Sealed> = sealed.collect::<rusqlite::Result<_>>()?;
        for part in sealed.iter_mut().rev().take(FILTERS_MAX) {
            let mut query = db.prepare_cached("SELECT filter FROM idempotency_parts WHERE first_id = ?")?;
            part.filter = Filter::from_bytes(query.query_row([signed(part.first_id)], |row| row.get(0))?);
        }
        let first_id = sealed.back().map_or(1, |part| part.last_id + 1);
        let mut open = Open::at(first_id);
        let mut query = db.prepare("SELECT id, scope, recorded_at FROM idempotency WHERE id >= ? ORDER BY id")?;
        let mut rows = query.query([signed(first_id)])?;
        while let Some(row) = rows.next()? {
            open.next_id = unsigned(row, 0)?;
            open.add(ScopeHash(row.get(1)?), Timestamp::from_micros(row.get(2)?));
        }
        let forever = db.prepare("SELECT 1 FROM idempotency_forever LIMIT 1")?.exists([])?;
        let next_chunk = sealed.back().map_or(1, |part| part.first_chunk + part.chunks);
        let dropped_to = sealed.front().map_or(0, |part| part.first_id);
        Ok(Self { limits, open, sealed, dropped_to, next_chunk, forever })
    }

    /// Finds the latest record of a key.
    pub(crate) fn find(
        &self,
        db: &Connection,
        scope: &KeyScope,
        hash: ScopeHash,
    ) -> rusqlite::Result<Option<KeyRecord>> {
        if self.forever {
            let mut query = db.prepare_cached(
                "SELECT scope, fingerprint, recorded_at, kept FROM idempotency_forever WHERE scope = ?",
            )?;
            let record = query.query_row([hash.0], |row| read_row(db, scope, Keep::Forever, row)).optional()?;
            if record.is_some() {
                return Ok(record);
            }
        }
        for id in self.open.ids(hash) {
            if let Some(record) = read(db, scope, hash, id)? {
                return Ok(Some(record));
            }
        }
        for part in self.sealed.iter().rev() {
            for id in part.ids(db, hash)? {
                if let Some(record) = read(db, scope, hash, id)? {
                    return Ok(Some(record));
                }
            }
        }
        Ok(None)
    }

    /// Writes a commit's records, and seals and drops what is due. Memory follows in [`Self::written`].
    pub(crate) fn write(&self, db: &Connection, batch: &Batch) -> rusqlite::Result<Written> {
        let (dropped_to, dropped_first) = self.drop_the_oldest(db, batch.now)?;
        let mut written =
            Written { added: Vec::new(), at: batch.now, sealed: None, dropped_to, dropped_first, forever: false };
        if batch.keys.is_empty() {
            return Ok(written);
        }
        if self.open.is_due(self.limits, batch.now) {
            written.sealed = Some(self.seal(db)?);
        }
        let mut found = 0;
        for (hash, record) in &batch.keys {
            let kept = encode(&record.outcome, batch, &mut found);
            let at = record.recorded_at.micros();
            match record.keep {
                Keep::Day => {
                    let id = self.open.next_id + written.added.len() as u64;
                    db.prepare_cached(
                        "INSERT INTO idempotency (id, scope, fingerprint, recorded_at, kept) VALUES (?, ?, ?, ?, ?)",
                    )?
                    .execute(params![signed(id), hash.0, record.fingerprint.0, at, kept])?;
                    written.added.push(*hash);
                }
                Keep::Forever => {
                    db.prepare_cached(
                        "INSERT INTO idempotency_forever (scope, fingerprint, recorded_at, kept) VALUES (?, ?, ?, ?)",
                    )?
                    .execute(params![hash.0, record.fingerprint.0, at, kept])?;
                    written.forever = true;
                }
            }
        }
        Ok(written)
    }

    /// Follows a commit that is durable.
    pub(crate) fn written(&mut self, written: Written) {
        self.forever |= written.forever;
        self.dropped_to = written.dropped_to;
        if written.dropped_first {
            self.sealed.pop_front();
            self.dropped_to = self.sealed.front().map_or(0, |part| part.first_id);
        }
        if let Some(sealed) = written.sealed {
            if self.sealed.is_empty() {
                self.dropped_to = sealed.first_id;
            }
            self.next_chunk = sealed.first_chunk + sealed.chunks;
            self.open = Open::at(sealed.last_id + 1);
            self.sealed.push_back(sealed);
            if let Some(cold) = self.sealed.len().checked_sub(FILTERS_MAX + 1) {
                self.sealed[cold].filter = None;
            }
        }
        for hash in written.added {
            self.open.add(hash, written.at);
        }
    }

    fn seal(&self, db: &Connection) -> rusqlite::Result<Sealed> {
        let open = &self.open;
        let count = open.index.len() + open.twins.len();
        let chunks = count.div_ceil(CHUNK_RECORDS);
        let mut data = vec![Vec::with_capacity((CHUNK_RECORDS + 64) * RECORD_BYTES); chunks];
        let records = || open.index.iter().map(|(prefix, at)| (*prefix, *at)).chain(open.twins.iter().copied());
        for (prefix, at) in records() {
            let chunk = &mut data[chunk_of(prefix, chunks as u64)];
            chunk.extend_from_slice(&prefix.to_be_bytes());
            chunk.extend_from_slice(&at.to_be_bytes());
        }
        let mut insert = db.prepare_cached("INSERT INTO idempotency_chunks (id, data) VALUES (?, ?)")?;
        for (id, data) in (self.next_chunk..).zip(&data) {
            insert.execute(params![signed(id), data])?;
        }
        let prefixes: Vec<u64> = records().map(|(prefix, _)| prefix).collect();
        let filter = Filter::of(prefixes.iter().copied());
        let sealed = Sealed {
            first_id: open.first_id,
            last_id: open.next_id - 1,
            last_at: open.last_at,
            first_chunk: self.next_chunk,
            chunks: chunks as u64,
            filter: Some(filter),
        };
        db.prepare_cached(
            "INSERT INTO idempotency_parts (first_id, last_id, last_at, first_chunk, chunks, filter)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            signed(sealed.first_id),
            signed(sealed.last_id),
            sealed.last_at.micros(),
            signed(sealed.first_chunk),
            signed(sealed.chunks),
            sealed.filter.as_ref().map(Filter::as_bytes),
        ])?;
        Ok(sealed)
    }

    /// Drops a bounded part of the oldest partition, if nothing in it answers any more. Returns how far it is
    /// dropped, and whether that was the last of it.
    fn drop_the_oldest(&self, db: &Connection, now: Timestamp) -> rusqlite::Result<(u64, bool)> {
        let Some(oldest) = self.sealed.front().filter(|part| now.since(part.last_at) >= KEY_MEMORY) else {
            return Ok((self.dropped_to, false));
        };
        let to = (self.dropped_to + DROPPED_MAX).min(oldest.last_id + 1);
        db.prepare_cached("DELETE FROM idempotency WHERE id >= ? AND id < ?")?
            .execute([signed(self.dropped_to), signed(to)])?;
        if to <= oldest.last_id {
            return Ok((to, false));
        }
        db.prepare_cached("DELETE FROM idempotency_chunks WHERE id >= ? AND id < ?")?
            .execute([signed(oldest.first_chunk), signed(oldest.first_chunk + oldest.chunks)])?;
        db.prepare_cached("DELETE FROM idempotency_parts WHERE first_id = ?")?.execute([signed(oldest.first_id)])?;
        Ok((to, true))
    }
}

impl Open {
    fn at(first_id: u64) -> Self {
        Self {
            first_id,
            next_id: first_id,
            first_at: Timestamp::MAX,
            last_at: Timestamp::MIN,
            index: HashMap::default(),
            twins: Vec::new(),
        }
    }

    fn add(&mut self, hash: ScopeHash, at: Timestamp) {
        let offset = u32::try_from(self.next_id - self.first_id).expect("a partition has a bounded number of rows");
        match self.index.entry(hash.prefix()) {
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(offset);
            }
            std::collections::hash_map::Entry::Occupied(_) => self.twins.push((hash.prefix(), offset)),
        }
        self.next_id += 1;
        self.first_at = self.first_at.min(at);
        self.last_at = self.last_at.max(at);
    }

    fn is_due(&self, limits: Limits, now: Timestamp) -> bool {
        let rows = self.next_id - self.first_id;
        rows > 0 && (rows >= limits.rows || now.since(self.first_at) >= limits.age)
    }

    /// Returns where records of this hash may be, the latest first.
    fn ids(&self, hash: ScopeHash) -> impl Iterator<Item = u64> {
        let prefix = hash.prefix();
        let twins = self.twins.iter().rev().filter(move |twin| twin.0 == prefix).map(|twin| twin.1);
        twins.chain(self.index.get(&prefix).copied()).map(|offset| self.first_id + u64::from(offset))
    }
}

impl Sealed {
    /// Returns where records of this hash may be, the latest first.
    fn ids(&self, db: &Connection, hash: ScopeHash) -> rusqlite::Result<Vec<u64>> {
        let prefix = hash.prefix();
        if self.filter.as_ref().is_some_and(|filter| !filter.may_have(prefix)) {
            return Ok(Vec::new());
        }
        let chunk = self.first_chunk + chunk_of(prefix, self.chunks) as u64;
        let mut query = db.prepare_cached("SELECT data FROM idempotency_chunks WHERE id = ?")?;
        let data: Option<Vec<u8>> = query.query_row([signed(chunk)], |row| row.get(0)).optional()?;
        let data = data.unwrap_or_default();
        let records = data.chunks_exact(RECORD_BYTES).filter(|record| record[..8] == prefix.to_be_bytes());
        let offset = |record: &[u8]| u32::from_be_bytes(record[8..].try_into().expect("the rest of 12 bytes"));
        let mut ids: Vec<u64> = records.map(|record| self.first_id + u64::from(offset(record))).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids)
    }
}

/// Spreads half hashes evenly over chunks.
fn chunk_of(prefix: u64, chunks: u64) -> usize {
    let chunk = (u128::from(prefix) * u128::from(chunks)) >> 64;
    usize::try_from(chunk).expect("it is less than the number of chunks")
}

fn read(db: &Connection, scope: &KeyScope, hash: ScopeHash, id: u64) -> rusqlite::Result<Option<KeyRecord>> {
    let mut query =
        db.prepare_cached("SELECT scope, fingerprint, recorded_at, kept FROM idempotency WHERE id = ? AND scope = ?")?;
    query.query_row(params![signed(id), hash.0], |row| read_row(db, scope, Keep::Day, row)).optional()
}

fn read_row(db: &Connection, scope: &KeyScope, keep: Keep, row: &rusqlite::Row<'_>) -> rusqlite::Result<KeyRecord> {
    Ok(KeyRecord {
        scope: scope.clone(),
        fingerprint: Fingerprint(row.get(1)?),
        outcome: decode(db, row.get_ref(3)?.as_blob()?)?,
        recorded_at: Timestamp::from_micros(row.get(2)?),
        keep,
    })
}

const A_JOB: u8 = 1;
const AN_ENTRY_IN_ROW: u8 = 2;
const AN_ENTRY: u8 = 3;

/// Writes an outcome. An entry of the same commit is kept as its row, since rows are never changed.
fn encode(kept: &Kept, batch: &Batch, found: &mut usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(17);
    match kept {
        Kept::Job(job) => {
            bytes.push(A_JOB);
            bytes.extend_from_slice(&job.as_u128().to_be_bytes());
        }
        Kept::Entry { entry, available } => match row_of(entry, batch, found) {
            Some(row) => {
                bytes.push(AN_ENTRY_IN_ROW);
                bytes.extend_from_slice(&available.micro().to_be_bytes());
                bytes.extend_from_slice(&row.to_be_bytes());
            }
            None => {
                bytes.push(AN_ENTRY);
                bytes.extend_from_slice(&available.micro().to_be_bytes());
                bytes.extend_from_slice(&entry.encode());
            }
        },
    }
    bytes
}

/// Finds an entry among a commit's. Keys come in the order of their entries, so the search goes on from the last.
fn row_of(entry: &Entry, batch: &Batch, found: &mut usize) -> Option<u64> {
    let is_it = |at: &usize| {
        let candidate = &batch.entries[*at].entry;
        candidate.seq == entry.seq && candidate.account == entry.account
    };
    let at = (*found..batch.entries.len()).find(is_it).or_else(|| (0..*found).find(is_it))?;
    *found = at;
    // A copy that is not the entry itself is kept as it is.
    (batch.entries[at].entry.hash == entry.hash).then_some(batch.entries[at].row)
}

/// Returns the entry row that a stored outcome speaks of.
pub(crate) fn row_named(kept: &[u8]) -> Option<u64> {
    match kept {
        [AN_ENTRY_IN_ROW, rest @ ..] => rest.get(8..)?.try_into().ok().map(u64::from_be_bytes),
        _ => None,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("an idempotency record of an unknown form")]
struct BadRecord;

fn decode(db: &Connection, bytes: &[u8]) -> rusqlite::Result<Kept> {
    let bad = || rusqlite::Error::FromSqlConversionFailure(3, Type::Blob, Box::new(BadRecord));
    let (tag, rest) = bytes.split_first().ok_or_else(bad)?;
    let available = |rest: &[u8]| {
        let micro = rest.get(..8).and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes);
        micro.and_then(Credits::from_micro).ok_or_else(bad)
    };
    match *tag {
        A_JOB => {
            let id = rest.try_into().map_err(|_| bad())?;
            Ok(Kept::Job(JobId::from_u128(u128::from_be_bytes(id))))
        }
        AN_ENTRY_IN_ROW => {
            let row = rest.get(8..).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
            let entry = entries::by_row(db, row.ok_or_else(bad)?)?.entry;
            Ok(Kept::Entry { entry: Box::new(entry), available: available(rest)? })
        }
        AN_ENTRY => {
            let entry = Entry::decode(rest.get(8..).ok_or_else(bad)?).map_err(|_| bad())?;
            Ok(Kept::Entry { entry: Box::new(entry), available: available(rest)? })
        }
        _ => Err(bad()),
    }
}

//! Partitions of records that are looked up by a hash and dropped by age, so that neither memory nor start-up grows
//! with traffic.
//!
//! Records are appended and numbered. The last partition is open and indexed in memory; when it is an hour old or
//! full it is sealed: its index goes into chunks on disk, and a filter over it stays in memory. When nothing in it
//! answers any more it is dropped, a bounded number of rows a commit. So every write is at the end of a table,
//! however random the hashes are.
//!
//! The records themselves are in a table of their owner's, `<table>`, by their numbers; sealed partitions are in
//! `<table>_parts` and `<table>_chunks`.

use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasherDefault,
    time::Duration,
};

use medici_ledger::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    filter::Filter,
    rows::{signed, unsigned},
};
use crate::wallets::IdHasher;

/// How large and how old a partition grows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) rows: u64,
    pub(crate) age: Duration,
}

/// What a table of partitions is called, and how its records are to be looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// Bits of a filter for each record: how seldom a look-up goes to disk in vain.
    pub(crate) filter_bits: usize,
}

/// Filters in memory. Older partitions are looked up on disk.
const FILTERS_MAX: usize = 64;
/// Records dropped in one commit, beyond twice as many as it adds.
const DROPPED_MAX: u64 = 2_000;
/// Records of one chunk, on average.
const CHUNK_RECORDS: usize = 256;
const RECORD_BYTES: usize = 12;

/// The partitions of one table.
pub(crate) struct Partitions {
    table: Table,
    limits: Limits,
    open: Open,
    sealed: VecDeque<Sealed>,
    /// Up to which number the first partition is dropped already.
    dropped_to: u64,
    next_chunk: u64,
}

/// The partition to which records are appended.
struct Open {
    first_id: u64,
    next_id: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    index: HashMap<u64, u32, BuildHasherDefault<IdHasher>>,
    /// Records whose hash was in the index already: a name used again, or one in 2^64.
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

/// What a commit does to the partitions, applied to memory once it is durable.
pub(crate) struct Written {
    added: Vec<u64>,
    at: Timestamp,
    sealed: Option<Sealed>,
    dropped_to: u64,
    dropped_first: bool,
}

impl Partitions {
    /// Reads the sealed partitions and their filters. The records after them are the open partition's: their owner
    /// reads them from [`Self::open_from`] on and adds each.
    pub(crate) fn open(db: &Connection, table: Table, limits: Limits) -> rusqlite::Result<Self> {
        let name = table.name;
        let mut query = db.prepare(&format!(
            "SELECT first_id, last_id, last_at, first_chunk, chunks FROM {name}_parts ORDER BY first_id"
        ))?;
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
            let mut query = db.prepare_cached(&format!("SELECT filter FROM {name}_parts WHERE first_id = ?"))?;
            part.filter = Filter::from_bytes(query.query_row([signed(part.first_id)], |row| row.get(0))?);
        }
        let open = Open::at(sealed.back().map_or(1, |part| part.last_id + 1));
        let next_chunk = sealed.back().map_or(1, |part| part.first_chunk + part.chunks);
        let dropped_to = sealed.front().map_or(0, |part| part.first_id);
        Ok(Self { table, limits, open, sealed, dropped_to, next_chunk })
    }

    /// Returns the number of the open partition's first record.
    pub(crate) fn open_from(&self) -> u64 {
        self.open.first_id
    }

    /// Adds the next record of the open partition, which is in the table.
    pub(crate) fn add(&mut self, hash: u64, at: Timestamp) {
        self.open.add(hash, at);
    }

    /// Returns the number of the next record.
    pub(crate) fn next_id(&self) -> u64 {
        self.open.next_id
    }

    /// Looks many hashes up. Calls `found` with the place of each in `hashes` and the number of a record that may
    /// be its own, the latest first.
    pub(crate) fn look_up(
        &self,
        db: &Connection,
        hashes: &[u64],
        mut found: impl FnMut(usize, u64) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        for (place, hash) in hashes.iter().enumerate() {
            self.open.ids(*hash).try_for_each(|id| found(place, id))?;
        }
        // Partition by partition, so that each filter is in the processor's cache while it is asked.
        for part in self.sealed.iter().rev() {
            for (place, hash) in hashes.iter().enumerate() {
                if part.filter.as_ref().is_none_or(|filter| filter.may_have(*hash)) {
                    self.ids(db, part, *hash)?.into_iter().try_for_each(|id| found(place, id))?;
                }
            }
        }
        Ok(())
    }

    /// Returns where records of this hash may be in a sealed partition, the latest first.
    fn ids(&self, db: &Connection, part: &Sealed, hash: u64) -> rusqlite::Result<Vec<u64>> {
        let chunk = part.first_chunk + chunk_of(hash, part.chunks) as u64;
        let mut query = db.prepare_cached(&format!("SELECT data FROM {}_chunks WHERE id = ?", self.table.name))?;
        let data: Option<Vec<u8>> = query.query_row([signed(chunk)], |row| row.get(0)).optional()?;
        let data = data.unwrap_or_default();
        let records = data.chunks_exact(RECORD_BYTES).filter(|record| record[..8] == hash.to_be_bytes());
        let offset = |record: &[u8]| u32::from_be_bytes(record[8..].try_into().expect("the rest of 12 bytes"));
        let mut ids: Vec<u64> = records.map(|record| part.first_id + u64::from(offset(record))).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids)
    }

    /// Seals and drops what is due with a commit that adds records of these hashes, which their owner writes from
    /// [`Self::next_id`] on. Records older than `memory` answer no more. Memory follows in [`Self::written`].
    pub(crate) fn write(
        &self,
        db: &Connection,
        added: Vec<u64>,
        now: Timestamp,
        memory: Duration,
    ) -> rusqlite::Result<Written> {
        let (dropped_to, dropped_first) = self.drop_the_oldest(db, added.len() as u64, now, memory)?;
        let due = !added.is_empty() && self.open.is_due(self.limits, now);
        let sealed = due.then(|| self.seal(db)).transpose()?;
        Ok(Written { added, at: now, sealed, dropped_to, dropped_first })
    }

    /// Follows a commit that is durable.
    pub(crate) fn written(&mut self, written: Written) {
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
        let (open, name) = (&self.open, self.table.name);
        let count = open.index.len() + open.twins.len();
        let chunks = count.div_ceil(CHUNK_RECORDS);
        let mut data = vec![Vec::with_capacity((CHUNK_RECORDS + 64) * RECORD_BYTES); chunks];
        let records = || open.index.iter().map(|(hash, at)| (*hash, *at)).chain(open.twins.iter().copied());
        for (hash, at) in records() {
            let chunk = &mut data[chunk_of(hash, chunks as u64)];
            chunk.extend_from_slice(&hash.to_be_bytes());
            chunk.extend_from_slice(&at.to_be_bytes());
        }
        let mut insert = db.prepare_cached(&format!("INSERT INTO {name}_chunks (id, data) VALUES (?, ?)"))?;
        for (id, data) in (self.next_chunk..).zip(&data) {
            insert.execute(params![signed(id), data])?;
        }
        let hashes: Vec<u64> = records().map(|(hash, _)| hash).collect();
        let filter = Filter::of(hashes.iter().copied(), self.table.filter_bits);
        let sealed = Sealed {
            first_id: open.first_id,
            last_id: open.next_id - 1,
            last_at: open.last_at,
            first_chunk: self.next_chunk,
            chunks: chunks as u64,
            filter: Some(filter),
        };
        db.prepare_cached(&format!(
            "INSERT INTO {name}_parts (first_id, last_id, last_at, first_chunk, chunks, filter)
             VALUES (?, ?, ?, ?, ?, ?)"
        ))?
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
    fn drop_the_oldest(
        &self,
        db: &Connection,
        added: u64,
        now: Timestamp,
        memory: Duration,
    ) -> rusqlite::Result<(u64, bool)> {
        let Some(oldest) = self.sealed.front().filter(|part| now.since(part.last_at) >= memory) else {
            return Ok((self.dropped_to, false));
        };
        let name = self.table.name;
        let to = (self.dropped_to + DROPPED_MAX + 2 * added).min(oldest.last_id + 1);
        db.prepare_cached(&format!("DELETE FROM {name} WHERE id >= ? AND id < ?"))?
            .execute([signed(self.dropped_to), signed(to)])?;
        if to <= oldest.last_id {
            return Ok((to, false));
        }
        db.prepare_cached(&format!("DELETE FROM {name}_chunks WHERE id >= ? AND id < ?"))?
            .execute([signed(oldest.first_chunk), signed(oldest.first_chunk + oldest.chunks)])?;
        db.prepare_cached(&format!("DELETE FROM {name}_parts WHERE first_id = ?"))?
            .execute([signed(oldest.first_id)])?;
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

    fn add(&mut self, hash: u64, at: Timestamp) {
        let offset = u32::try_from(self.next_id - self.first_id).expect("a partition has a bounded number of rows");
        match self.index.entry(hash) {
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(offset);
            }
            std::collections::hash_map::Entry::Occupied(_) => self.twins.push((hash, offset)),
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
    fn ids(&self, hash: u64) -> impl Iterator<Item = u64> {
        let first = self.index.get(&hash).copied();
        // Only a hash that is in the index can have a twin.
        let twins = first.map_or(&[][..], |_| &self.twins).iter().rev();
        let twins = twins.filter(move |twin| twin.0 == hash).map(|twin| twin.1);
        twins.chain(first).map(|offset| self.first_id + u64::from(offset))
    }
}

/// Spreads hashes evenly over chunks.
fn chunk_of(hash: u64, chunks: u64) -> usize {
    let chunk = (u128::from(hash) * u128::from(chunks)) >> 64;
    usize::try_from(chunk).expect("it is less than the number of chunks")
}

//! Idempotency records: those of spending in partitions that are dropped after a day, those that are kept for ever
//! (money) in a table of their own.

use medici_ledger::{
    Credits, Entry, Timestamp,
    idempotency::{Fingerprint, KEY_MEMORY, Keep, KeyScope},
};
use medici_studio::{JobId, Kept, KeyRecord};
use rusqlite::{Connection, OptionalExtension, params, types::Type};

use super::{
    entries,
    partitions::{self, Limits, Partitions, Table},
    rows::signed,
};
use crate::{overlay::Batch, scope::ScopeHash};

/// Filters of 64 full partitions take 40 MB.
const TABLE: Table = Table { name: "idempotency", filter_bits: 10 };

/// The idempotency records of an embedded store.
pub(crate) struct Keys {
    partitions: Partitions,
    forever: bool,
}

/// What a commit did, applied to memory once it is durable.
pub(crate) struct Written {
    partitions: partitions::Written,
    forever: bool,
}

impl Keys {
    /// Reads the partitions' filters and the open partition's index.
    pub(crate) fn open(db: &Connection, limits: Limits) -> rusqlite::Result<Self> {
        let mut partitions = Partitions::open(db, TABLE, limits)?;
        let mut query = db.prepare("SELECT scope, recorded_at FROM idempotency WHERE id >= ? ORDER BY id")?;
        let mut rows = query.query([signed(partitions.open_from())])?;
        while let Some(row) = rows.next()? {
            partitions.add(ScopeHash(row.get(0)?).prefix(), Timestamp::from_micros(row.get(1)?));
        }
        let forever = db.prepare("SELECT 1 FROM idempotency_forever LIMIT 1")?.exists([])?;
        Ok(Self { partitions, forever })
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
        let mut record = None;
        self.partitions.look_up(db, &[hash.prefix()], |_, id| {
            if record.is_none() {
                record = read(db, scope, hash, id)?;
            }
            Ok(())
        })?;
        Ok(record)
    }

    /// Writes a commit's records, and seals and drops what is due. Memory follows in [`Self::written`].
    pub(crate) fn write(&self, db: &Connection, batch: &Batch) -> rusqlite::Result<Written> {
        let of_a_day = batch.keys.iter().filter(|(_, record)| record.keep == Keep::Day);
        let hashes = of_a_day.map(|(hash, _)| hash.prefix()).collect();
        let partitions = self.partitions.write(db, hashes, batch.now, KEY_MEMORY)?;
        let mut written = Written { partitions, forever: false };
        let (mut near, mut id) = (0, self.partitions.next_id());
        for (hash, record) in &batch.keys {
            let kept = encode(&record.outcome, batch, &mut near);
            let at = record.recorded_at.micros();
            match record.keep {
                Keep::Day => {
                    db.prepare_cached(
                        "INSERT INTO idempotency (id, scope, fingerprint, recorded_at, kept) VALUES (?, ?, ?, ?, ?)",
                    )?
                    .execute(params![signed(id), hash.0, record.fingerprint.0, at, kept])?;
                    id += 1;
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
        self.partitions.written(written.partitions);
    }
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
fn encode(kept: &Kept, batch: &Batch, near: &mut usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(17);
    match kept {
        Kept::Job(job) => {
            bytes.push(A_JOB);
            bytes.extend_from_slice(&job.as_u128().to_be_bytes());
        }
        Kept::Entry { entry, available } => match row_of(entry, batch, near) {
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

/// Finds an entry among a commit's. Keys come in the order of their entries.
fn row_of(entry: &Entry, batch: &Batch, near: &mut usize) -> Option<u64> {
    let (row, found) = batch.find(entry.account, entry.seq, near)?;
    // A copy that is not the entry itself is kept as it is.
    (found.hash == entry.hash).then_some(row)
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

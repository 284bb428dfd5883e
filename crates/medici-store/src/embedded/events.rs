//! Records of meter events: many in a row, because they come by the thousand.

use medici_ledger::{Credits, Timestamp};
use medici_studio::{EventFingerprint, EventKey, EventRecord};
use rusqlite::{Connection, OptionalExtension, params, types::Type};

use super::{
    partitions::{Limits, Partitions, Table, Written},
    rows::{signed, unsigned},
};
use crate::overlay::Batch;

/// A week has many partitions: with 16 bits one look-up in a thousand reads one of them in vain. Filters of 64 full
/// partitions take 64 MB.
const TABLE: Table = Table { name: "meter_events", filter_bits: 16 };
/// Records of one row: about what a page of the database has room for.
const ROW_RECORDS: usize = 96;
const RECORD_BYTES: usize = 40;

/// The records of meter events of an embedded store.
pub(crate) struct Events {
    partitions: Partitions,
}

impl Events {
    /// Reads the partitions' filters and the open partition's index.
    pub(crate) fn open(db: &Connection, limits: Limits) -> rusqlite::Result<Self> {
        let mut partitions = Partitions::open(db, TABLE, limits)?;
        let mut query = db.prepare("SELECT id, recorded_at, records FROM meter_events WHERE id >= ? ORDER BY id")?;
        let mut rows = query.query([signed(partitions.open_from())])?;
        while let Some(row) = rows.next()? {
            for record in Row::read(row)?.records()? {
                partitions.add(record.event.prefix(), record.recorded_at);
            }
        }
        Ok(Self { partitions })
    }

    /// Finds the latest record of each event. Calls `found` with its place in `events`.
    pub(crate) fn find(
        &self,
        db: &Connection,
        events: &[EventKey],
        mut found: impl FnMut(usize, EventRecord),
    ) -> rusqlite::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        // One view of the database for all of them: beginning one for each read takes longer than the read.
        let view = db.unchecked_transaction()?;
        let hashes: Vec<u64> = events.iter().map(|event| event.prefix()).collect();
        let mut answered = vec![false; events.len()];
        // Events that were sent together lie together: the row before is likely the next one too.
        let mut last: Option<Row> = None;
        self.partitions.look_up(db, &hashes, |place, id| {
            if answered[place] {
                return Ok(());
            }
            if !last.as_ref().is_some_and(|row| row.has(id)) {
                last = row_with(db, id)?;
            }
            let record = last.as_ref().filter(|row| row.has(id)).map(|row| row.record(id)).transpose()?;
            if let Some(record) = record.filter(|record| record.event == events[place]) {
                answered[place] = true;
                found(place, record);
            }
            Ok(())
        })?;
        view.finish()
    }

    /// Writes a commit's records, and seals and drops what is due. Memory follows in [`Self::written`].
    pub(crate) fn write(&self, db: &Connection, batch: &Batch) -> rusqlite::Result<Written> {
        let hashes = batch.events.iter().map(|record| record.event.prefix()).collect();
        let written = self.partitions.write(db, hashes, batch.now, batch.event_memory)?;
        let mut id = self.partitions.next_id();
        let mut bytes = Vec::with_capacity(ROW_RECORDS.min(batch.events.len()) * RECORD_BYTES);
        for records in batch.events.chunks(ROW_RECORDS) {
            bytes.clear();
            for record in records {
                bytes.extend_from_slice(&record.event.0);
                bytes.extend_from_slice(&record.fingerprint.0);
                bytes.extend_from_slice(&record.credits.micro().to_be_bytes());
            }
            db.prepare_cached("INSERT INTO meter_events (id, recorded_at, records) VALUES (?, ?, ?)")?
                .execute(params![signed(id), batch.now.micros(), bytes])?;
            id += records.len() as u64;
        }
        Ok(written)
    }

    /// Follows a commit that is durable.
    pub(crate) fn written(&mut self, written: Written) {
        self.partitions.written(written);
    }
}

/// A row of the table.
struct Row {
    first: u64,
    recorded_at: Timestamp,
    bytes: Vec<u8>,
}

fn row_with(db: &Connection, id: u64) -> rusqlite::Result<Option<Row>> {
    db.prepare_cached("SELECT id, recorded_at, records FROM meter_events WHERE id <= ? ORDER BY id DESC LIMIT 1")?
        .query_row([signed(id)], Row::read)
        .optional()
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { first: unsigned(row, 0)?, recorded_at: Timestamp::from_micros(row.get(1)?), bytes: row.get(2)? })
    }

    fn has(&self, id: u64) -> bool {
        id >= self.first && id < self.first + (self.bytes.len() / RECORD_BYTES) as u64
    }

    fn record(&self, id: u64) -> rusqlite::Result<EventRecord> {
        let at = usize::try_from(id - self.first).expect("a row has few records") * RECORD_BYTES;
        self.read_record(&self.bytes[at..at + RECORD_BYTES])
    }

    fn records(&self) -> rusqlite::Result<Vec<EventRecord>> {
        self.bytes.chunks_exact(RECORD_BYTES).map(|bytes| self.read_record(bytes)).collect()
    }

    fn read_record(&self, bytes: &[u8]) -> rusqlite::Result<EventRecord> {
        let half = |at: usize| bytes[at..at + 16].try_into().expect("16 of 40 bytes");
        let micro = i64::from_be_bytes(bytes[32..].try_into().expect("the last 8 of 40 bytes"));
        let bad = || rusqlite::Error::FromSqlConversionFailure(2, Type::Blob, Box::new(BadRecord));
        Ok(EventRecord {
            event: EventKey(half(0)),
            fingerprint: EventFingerprint(half(16)),
            credits: Credits::from_micro(micro).ok_or_else(bad)?,
            recorded_at: self.recorded_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a record of a meter event with a negative amount")]
struct BadRecord;

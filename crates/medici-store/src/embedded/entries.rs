//! Rows of entries: appended in dense rows, read one by one or by walking an account's `prev`.

use medici_ledger::{AccountId, Entry};
use medici_studio::{EntryPage, JournalPage};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::rows::{id, rows_max, signed, unsigned};
use crate::overlay::{Batch, EntryRow};

/// A row whose columns do not agree with the entry in it.
#[derive(Debug, thiserror::Error)]
#[error("entry row {row}: {what}")]
struct BadEntry {
    row: i64,
    what: String,
}

/// Rows of one statement. Beginning a statement and finding the end of the table cost more than a row.
const ROWS_TOGETHER: usize = 16;
const COLUMNS: usize = 6;

/// Appends a commit's entries.
pub(crate) fn append(db: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    let count = usize::try_from(batch.entry_count()).expect("a commit is in memory");
    let mut rows = batch.entries();
    insert(db, &mut rows, ROWS_TOGETHER, count / ROWS_TOGETHER)?;
    insert(db, &mut rows, count % ROWS_TOGETHER, 1)
}

/// Inserts the next rows, so many `together`, so many `times`.
fn insert<'a>(
    db: &Connection,
    rows: &mut impl Iterator<Item = EntryRow<'a>>,
    together: usize,
    times: usize,
) -> rusqlite::Result<()> {
    if together == 0 || times == 0 {
        return Ok(());
    }
    let mut insert = db.prepare_cached(&insert_of(together))?;
    for _ in 0..times {
        for (at, EntryRow { row, prev, entry, body }) in rows.by_ref().take(together).enumerate() {
            let first = at * COLUMNS + 1;
            insert.raw_bind_parameter(first, signed(row))?;
            insert.raw_bind_parameter(first + 1, entry.account.as_u128().to_be_bytes())?;
            insert.raw_bind_parameter(first + 2, signed(entry.seq))?;
            insert.raw_bind_parameter(first + 3, signed(prev))?;
            insert.raw_bind_parameter(first + 4, body)?;
            insert.raw_bind_parameter(first + 5, &entry.hash.as_bytes()[..])?;
        }
        insert.raw_execute()?;
    }
    Ok(())
}

fn insert_of(rows: usize) -> String {
    let mut sql = "INSERT INTO entries (row, account, seq, prev, body, hash) VALUES ".to_owned();
    for at in 0..rows {
        sql.push_str(if at == 0 { "(?, ?, ?, ?, ?, ?)" } else { ", (?, ?, ?, ?, ?, ?)" });
    }
    sql
}

/// An entry and its place, as stored.
pub(crate) struct StoredEntry {
    pub(crate) row: u64,
    pub(crate) account: AccountId,
    pub(crate) prev: u64,
    pub(crate) entry: Entry,
}

/// Reads a row of [`COLUMNS`]. An error if its columns disagree with the entry in it.
pub(crate) fn stored(row: &Row<'_>) -> rusqlite::Result<StoredEntry> {
    let number: i64 = row.get(0)?;
    let bad = |what: String| {
        rusqlite::Error::FromSqlConversionFailure(4, Type::Blob, Box::new(BadEntry { row: number, what }))
    };
    let mut bytes = row.get_ref(4)?.as_blob()?.to_vec();
    bytes.extend_from_slice(row.get_ref(5)?.as_blob()?);
    let entry = Entry::decode(&bytes).map_err(|error| bad(error.to_string()))?;
    let account = AccountId::from_u128(id(row, 1)?);
    let seq = unsigned(row, 2)?;
    if entry.account != account || entry.seq != seq {
        return Err(bad(format!(
            "the row says entry {seq} of {account}, its body says {} of {}",
            entry.seq, entry.account
        )));
    }
    Ok(StoredEntry { row: unsigned(row, 0)?, account, prev: unsigned(row, 3)?, entry })
}

/// Reads one entry.
pub(crate) fn by_row(db: &Connection, row: u64) -> rusqlite::Result<StoredEntry> {
    db.prepare_cached("SELECT row, account, seq, prev, body, hash FROM entries WHERE row = ?")?
        .query_row([signed(row)], stored)
}

/// Reads a page of an account's entries, newest first, from a row on. Nothing if the row is another account's.
pub(crate) fn page(db: &Connection, account: AccountId, from: u64, limit: usize) -> rusqlite::Result<EntryPage> {
    let mut entries = Vec::new();
    let mut row = from;
    let mut query = db.prepare_cached("SELECT row, account, seq, prev, body, hash FROM entries WHERE row = ?")?;
    while row > 0 && entries.len() < limit {
        let Some(found) = query.query_row([signed(row)], stored).optional()? else { break };
        if found.account != account {
            return Ok(EntryPage::default());
        }
        entries.push(found.entry);
        row = found.prev;
    }
    Ok(EntryPage { entries, next: (row > 0).then_some(row) })
}

/// Calls back with every entry after a row, in the order of their commits.
pub(crate) fn each_after(
    db: &Connection,
    after: u64,
    limit: usize,
    mut each: impl FnMut(Entry) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut query = db
        .prepare_cached("SELECT row, account, seq, prev, body, hash FROM entries WHERE row > ? ORDER BY row LIMIT ?")?;
    let mut rows = query.query(params![signed(after), rows_max(limit)])?;
    while let Some(row) = rows.next()? {
        each(stored(row)?.entry)?;
    }
    Ok(())
}

/// Reads a page of the journal, oldest first, after a row.
pub(crate) fn journal_page(db: &Connection, after: u64, limit: usize) -> rusqlite::Result<JournalPage> {
    let mut entries = Vec::new();
    each_after(db, after, limit, |entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok(JournalPage { entries, last_row: last_row(db)? })
}

/// Returns the last row; 0 for none.
pub(crate) fn last_row(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row("SELECT coalesce(max(row), 0) FROM entries", [], |row| unsigned(row, 0))
}

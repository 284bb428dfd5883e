//! Rows of low balances: written with the entries that say so, read newest first.

use medici_ledger::{AccountId, Credits, Timestamp};
use medici_studio::LowBalance;
use rusqlite::{Connection, Row, params};

use super::rows::{id, rows_max, signed, unsigned};
use crate::overlay::Batch;

/// Writes the low balances among a commit's entries.
pub(crate) fn append(db: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    for alert in batch.low_balances() {
        db.prepare_cached(
            "INSERT INTO alerts (row, account, seq, recorded_at, below, available, sandbox)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            signed(alert.row),
            alert.account.as_u128().to_be_bytes(),
            signed(alert.seq),
            alert.recorded_at.micros(),
            alert.below.micro(),
            alert.available.micro(),
            alert.sandbox,
        ])?;
    }
    Ok(())
}

/// Reads low balances, newest first, older than a row: of one account, or of all that are no sandboxes.
pub(crate) fn page(
    db: &Connection,
    account: Option<AccountId>,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<LowBalance>> {
    // A store that no program of today has opened yet has no such table.
    if !exist(db)? {
        return Ok(Vec::new());
    }
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let columns = "SELECT row, account, seq, recorded_at, below, available, sandbox FROM alerts";
    match account {
        Some(account) => db
            .prepare_cached(&format!("{columns} WHERE account = ? AND row < ? ORDER BY row DESC LIMIT ?"))?
            .query_map(params![account.as_u128().to_be_bytes(), before, rows_max(limit)], low_balance)?
            .collect(),
        None => db
            .prepare_cached(&format!("{columns} WHERE sandbox = 0 AND row < ? ORDER BY row DESC LIMIT ?"))?
            .query_map(params![before, rows_max(limit)], low_balance)?
            .collect(),
    }
}

/// Calls back with every row, oldest first.
pub(crate) fn all(db: &Connection, mut each: impl FnMut(LowBalance)) -> rusqlite::Result<()> {
    if !exist(db)? {
        return Ok(());
    }
    let mut query =
        db.prepare("SELECT row, account, seq, recorded_at, below, available, sandbox FROM alerts ORDER BY row")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        each(low_balance(row)?);
    }
    Ok(())
}

fn exist(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alerts'")?.exists([])
}

fn low_balance(row: &Row<'_>) -> rusqlite::Result<LowBalance> {
    let credits = |column: usize| {
        let micro: i64 = row.get(column)?;
        Credits::from_micro(micro).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, micro))
    };
    Ok(LowBalance {
        row: unsigned(row, 0)?,
        account: AccountId::from_u128(id(row, 1)?),
        seq: unsigned(row, 2)?,
        recorded_at: Timestamp::from_micros(row.get(3)?),
        below: credits(4)?,
        available: credits(5)?,
        sandbox: row.get(6)?,
    })
}

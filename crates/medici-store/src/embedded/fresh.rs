//! Rows that were just committed, on their way from the writer to the file of heads: what is in memory anyway need not
//! be read back from the database.

use std::sync::Mutex;

use medici_ledger::{AccountId, Hash};

use crate::overlay::Batch;

/// Rows that wait at most, of 64 bytes each. Those beyond are read from the database.
const ROWS_MAX: u64 = 1 << 18;

/// What a line of heads needs to know of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FreshRow {
    pub(crate) row: u64,
    pub(crate) account: AccountId,
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
}

/// Rows in their order, without a gap.
#[derive(Default)]
pub(crate) struct Fresh(Mutex<Vec<FreshRow>>);

const UNPOISONED: &str = "no code panics while it holds the fresh rows";

impl Fresh {
    /// Adds the rows of a commit that is durable, if there is room and nothing is missing before them.
    pub(crate) fn add(&self, batch: &Batch) {
        let mut rows = self.0.lock().expect(UNPOISONED);
        let Some((first, _)) = batch.rows() else { return };
        let follows = rows.last().is_none_or(|last| first == last.row + 1);
        if follows && rows.len() as u64 + batch.entry_count() <= ROWS_MAX {
            rows.extend(batch.entries().map(|row| FreshRow {
                row: row.row,
                account: row.entry.account,
                seq: row.entry.seq,
                hash: row.entry.hash,
            }));
        }
    }

    /// Takes all of them.
    pub(crate) fn take(&self) -> Vec<FreshRow> {
        std::mem::take(&mut *self.0.lock().expect(UNPOISONED))
    }
}

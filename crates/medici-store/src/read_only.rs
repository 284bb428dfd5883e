//! Reading the journal beside whoever has the store open: for statements and explanations on the command line.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use medici_ledger::{AccountId, Entry, Hash, HoldId, Usage, statement::Period};
use medici_studio::{Account, ApiKey, LowBalance, PublishedVersion};
use rusqlite::{Connection, params};

use crate::{
    HeadKey, HeadKeyError,
    embedded::{
        FILE, alerts, entries, head_key, heads, job_data, readers, rows, rows::signed, rows::unsigned, snapshots,
    },
};

/// A data directory opened for reading alone, whether or not a server has it open.
pub struct ReadOnly {
    db: Connection,
    home: PathBuf,
}

impl ReadOnly {
    /// Opens a data directory that has a store.
    ///
    /// # Errors
    /// The database is missing or cannot be read.
    pub fn open(home: &Path) -> rusqlite::Result<Self> {
        Ok(Self { db: readers::open(&home.join(FILE))?, home: home.to_owned() })
    }

    /// Returns the account, or `None`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn account(&self, id: AccountId) -> rusqlite::Result<Option<Account>> {
        rows::account_by_id(&self.db, id)
    }

    /// Returns the account of that name, or `None`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn account_named(&self, name: &str) -> rusqlite::Result<Option<Account>> {
        rows::account_by_name(&self.db, name)
    }

    /// Returns accounts by name, after the one given.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn accounts(&self, after: Option<&str>, limit: usize) -> rusqlite::Result<Vec<Account>> {
        rows::accounts(&self.db, after, limit)
    }

    /// Returns the keys, newest first: of one account, or with `None` the services' and the operator's.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn api_keys(&self, account: Option<AccountId>) -> rusqlite::Result<Vec<ApiKey>> {
        rows::api_keys(&self.db, account)
    }

    /// Returns every price version that was published, in the order they take effect.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn price_versions(&self) -> rusqlite::Result<Vec<PublishedVersion>> {
        // A directory that nothing has opened since prices are kept in it has none.
        let kept = "SELECT count(*) FROM sqlite_master WHERE name = 'price_versions'";
        let kept: i64 = self.db.query_row(kept, [], |row| row.get(0))?;
        if kept == 0 { Ok(Vec::new()) } else { rows::price_versions(&self.db) }
    }

    /// Returns the key that signs heads; `None` in a directory that nothing has opened since heads are signed.
    ///
    /// # Errors
    /// [`HeadKeyError`] where it is damaged or cannot be read.
    pub fn head_key(&self) -> Result<Option<HeadKey>, HeadKeyError> {
        head_key::read_secret(&self.home)
    }

    /// Returns the number and the hash of the account's entry that the file of heads saw last. The file is behind the
    /// journal, never ahead: an account whose entries, read afterwards, do not have this one was tampered with.
    ///
    /// # Errors
    /// The file of heads cannot be read.
    pub fn head_seen(&self, account: AccountId) -> std::io::Result<Option<(u64, Hash)>> {
        Ok(heads::last_seen(&self.home, account)?.map(|head| (head.seq, head.hash)))
    }

    /// Returns low balances, newest first, older than the row given: of one account, or of all that are no sandboxes.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn low_balances(
        &self,
        account: Option<AccountId>,
        before: Option<u64>,
        limit: usize,
    ) -> rusqlite::Result<Vec<LowBalance>> {
        alerts::page(&self.db, account, before, limit)
    }

    /// Returns what each job that was asked for in a period asked to be priced, by its hold. Entries do not say it.
    ///
    /// # Errors
    /// The database cannot be read, or a row is broken.
    pub fn jobs_usage(&self, period: Period) -> rusqlite::Result<HashMap<HoldId, Usage>> {
        let mut usages = HashMap::new();
        let mut query = self.db.prepare(&format!("{} WHERE created_at >= ? AND created_at < ?", rows::JOB))?;
        let mut rows = query.query(params![period.from.micros(), period.until.micros()])?;
        while let Some(row) = rows.next()? {
            let job = job_data::read(row)?;
            usages.insert(job.hold, job.usage());
        }
        Ok(usages)
    }

    /// Calls back with every entry of every account in the order of their commits, `times` times with the same ones.
    ///
    /// # Errors
    /// The database cannot be read, or a row contradicts the entry in it.
    pub fn journal(&self, times: usize, mut each: impl FnMut(usize, Entry)) -> rusqlite::Result<()> {
        // One read transaction: whoever counts first and writes then must see the same twice.
        let read = self.db.unchecked_transaction()?;
        for time in 0..times {
            entries::each_after(&read, 0, usize::MAX, |entry| {
                each(time, entry);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Returns an account's entries, from the first on, all of one commit or none.
    ///
    /// # Errors
    /// The database cannot be read, or a row contradicts the entry in it.
    pub fn entries(&self, account: AccountId) -> rusqlite::Result<Vec<Entry>> {
        // One read transaction: a commit between two reads must not be half seen.
        let read = self.db.unchecked_transaction()?;
        let bytes = account.as_u128().to_be_bytes();
        // Journal rows have no index by account: its last one is in its snapshot or in the tail after all of them.
        let snapshot = "SELECT coalesce(max(last_row), 0) FROM wallets WHERE account = ?";
        let snapshot = read.query_row(snapshot, [bytes], |row| unsigned(row, 0))?;
        let tail = "SELECT coalesce(max(row), 0) FROM entries WHERE row >= ? AND account = ?";
        let tail_from = signed(snapshots::tail_from(&read)?);
        let last = read.query_row(tail, params![tail_from, bytes], |row| unsigned(row, 0))?.max(snapshot);
        let mut entries = entries::page(&read, account, last, usize::MAX)?.entries;
        entries.reverse();
        Ok(entries)
    }
}

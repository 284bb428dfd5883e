//! The embedded store: one SQLite file in a data directory, every wallet in memory, one thread that writes.

pub(crate) mod alerts;
mod commit;
pub(crate) mod deleted_images;
pub(crate) mod directory;
pub(crate) mod entries;
pub(crate) mod errors;
mod events;
mod filter;
mod fresh;
pub(crate) mod head_key;
pub(crate) mod heads;
pub(crate) mod job_data;
pub(crate) mod keys;
mod migrate;
mod partitions;
pub(crate) mod readers;
mod recover;
pub(crate) mod rows;
pub(crate) mod snapshots;
mod upkeep;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use medici_ledger::{AccountId, PriceBook, Timestamp, Wallet};
use medici_studio::{
    Account, ApiKey, ApiKeyId, BlobHash, Candidate, Clock, Counters, EntryPage, Health, Image, ImageId, Job, JobFilter,
    JobId, JobPage, JournalPage, LowBalance, PublishedVersion, Store, StoreError, Unit,
};
use rusqlite::Connection;

pub use directory::DirectoryError;
pub use head_key::HeadKeyError;
pub use heads::{JournalHead, JournalHeadError};
pub use migrate::MigrateError;

use self::{
    commit::Writer, directory::Directory, events::Events, heads::Heads, keys::Keys, partitions::Limits,
    readers::Readers, upkeep::Upkeep,
};
use crate::{
    faults::Faults,
    group::{Engine, Shared},
    queue::Queue,
    signing::HeadKey,
};

/// The name of the database in the data directory.
pub(crate) const FILE: &str = "medici.db";

/// How an embedded store is run. The bounds of [`Options::new`] suit every machine; tests make them small.
#[derive(Clone, Debug)]
pub struct Options {
    /// Signs heads from now on if the directory has no key yet; else it is not used.
    pub new_head_key: HeadKey,
    /// Entries that may wait for their wallets' snapshots; recovery replays little more than these.
    pub tail_entries_target: u64,
    /// Idempotency records of one partition, and records of meter events.
    pub key_rows_max: u64,
    /// How long a partition of idempotency records takes new ones.
    pub key_age_max: Duration,
    /// How long a partition of records of meter events takes new ones.
    pub event_age_max: Duration,
    /// Threads that read, each with its connection.
    pub readers: usize,
}

impl Options {
    /// Returns the options for every machine. The bytes must come from a source of randomness: they become the
    /// key that signs heads, where there is none.
    pub fn new(new_head_key: &[u8; 32]) -> Self {
        Self {
            new_head_key: HeadKey::from_bytes(new_head_key),
            tail_entries_target: 10_000,
            key_rows_max: 500_000,
            key_age_max: Duration::from_secs(60 * 60),
            event_age_max: Duration::from_secs(4 * 60 * 60),
            readers: 2,
        }
    }

    /// Returns bounds so small that a short test crosses them all, and a key that everybody knows.
    pub fn for_tests() -> Self {
        Self {
            new_head_key: HeadKey::from_bytes(&[7; 32]),
            tail_entries_target: 16,
            key_rows_max: 20,
            key_age_max: Duration::from_secs(60),
            event_age_max: Duration::from_secs(60),
            readers: 1,
        }
    }
}

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory itself.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Its schema.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// What is in it contradicts itself. `medici ledger verify` says more.
    #[error("the ledger in the data directory is broken: {what}")]
    Broken {
        /// What is broken.
        what: String,
    },
    /// The journal ends before the end that the file of heads has seen.
    #[error("the journal ends at row {journal}, the file of heads has seen row {heads}: entries were cut off")]
    CutOff {
        /// The journal's last row.
        journal: u64,
        /// The last row in the file of heads.
        heads: u64,
    },
    /// The key that signs heads.
    #[error(transparent)]
    HeadKey(#[from] HeadKeyError),
    /// The database.
    #[error("the database cannot be read")]
    Database(#[from] rusqlite::Error),
    /// A file beside it.
    #[error("a file of the data directory cannot be used")]
    Io(#[from] std::io::Error),
}

/// A store on one SQLite file.
pub struct Embedded {
    // In the order in which they end: the writer, the upkeep with its last heads, the readers, the lock.
    engine: Engine,
    _upkeep: upkeep::Running,
    readers: Readers,
    faults: Faults,
    directory: Directory,
}

impl Embedded {
    /// Opens the store in a data directory, making both where they are not there.
    ///
    /// Takes as long as reading a snapshot per account and replaying a bounded tail of entries.
    ///
    /// # Errors
    /// [`OpenError`] where another process has it, its schema is not this program's, or its journal is broken.
    pub fn open(
        home: &Path,
        clock: Arc<dyn Clock>,
        prices: Arc<PriceBook>,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let directory = Directory::take(home)?;
        let file = home.join(FILE);
        let mut db = open_writing(&file)?;
        migrate::migrate(&mut db)?;
        directory::sync(home)?;
        let mut heads = Heads::open(home, &options.new_head_key)?;
        let recovered = recover::recover(&db, &file, &prices, options.tail_entries_target)?;
        let journal = recovered.start.next_row - 1;
        if heads.end().row > journal {
            return Err(OpenError::CutOff { journal, heads: heads.end().row });
        }
        heads.begin(home)?;
        let mut queue = Queue::default();
        rows::open_jobs(&db, |job| queue.update(job))?;
        let keys = Keys::open(&db, Limits { rows: options.key_rows_max, age: options.key_age_max })?;
        let events = Events::open(&db, Limits { rows: options.key_rows_max, age: options.event_age_max })?;

        let readers = Readers::start(&file, options.readers)?;
        let upkeep = Upkeep::new();
        let (wal, fresh) = (Arc::clone(&upkeep.wal), Arc::clone(&upkeep.fresh));
        wal.watch(&mut db, upkeep.wake.clone())?;
        let upkeep = upkeep.start(&file, open_writing(&file)?, heads)?;
        let faults = Faults::default();
        let writer = Writer {
            db,
            directory: home.to_owned(),
            keys,
            events,
            snapshots: recovered.snapshots,
            wal,
            fresh,
            faults: faults.clone(),
        };
        let shared = Shared::new(recovered.wallets, queue, prices);
        let engine = Engine::start(writer, shared, clock, recovered.start);
        Ok(Self { engine, _upkeep: upkeep, readers, faults, directory })
    }

    /// Returns how many accounts have a wallet.
    pub fn wallets(&self) -> usize {
        self.engine.shared.wallets.len()
    }

    /// Returns the handle through which tests make commits fail.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Returns the data directory.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

/// Opens a connection that commits durably and never checkpoints by itself.
fn open_writing(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    db.pragma_update_and_check(None, "journal_size_limit", 64 * 1024 * 1024, |_| Ok(()))?;
    db.pragma_update(None, "cache_size", -16_000)?;
    db.pragma_update(None, "trusted_schema", "OFF")?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}

#[async_trait::async_trait]
impl Store for Embedded {
    fn submit(&self, unit: Box<dyn Unit>) {
        self.engine.submit(unit);
    }

    fn submit_all(&self, units: Vec<Box<dyn Unit>>) {
        self.engine.submit_all(units);
    }

    fn wallet(&self, account: AccountId) -> Option<Wallet> {
        self.engine.wallet(account)
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.readers.read(move |db| rows::account_by_id(db, id)).await
    }

    async fn account_named(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let name = name.to_owned();
        self.readers.read(move |db| rows::account_by_name(db, &name)).await
    }

    async fn accounts(&self, after: Option<&str>, limit: usize) -> Result<Vec<Account>, StoreError> {
        let after = after.map(str::to_owned);
        self.readers.read(move |db| rows::accounts(db, after.as_deref(), limit)).await
    }

    async fn api_key(&self, lookup: &str) -> Result<Option<ApiKey>, StoreError> {
        let lookup = lookup.to_owned();
        self.readers.read(move |db| rows::api_key_by_lookup(db, &lookup)).await
    }

    async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.readers.read(move |db| rows::api_key_by_id(db, id)).await
    }

    async fn api_keys(&self, account: Option<AccountId>) -> Result<Vec<ApiKey>, StoreError> {
        self.readers.read(move |db| rows::api_keys(db, account)).await
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.readers.read(move |db| rows::job_by_id(db, id)).await
    }

    async fn jobs(&self, account: AccountId, before: Option<JobId>, limit: usize) -> Result<Vec<Job>, StoreError> {
        self.readers.read(move |db| rows::jobs_of(db, account, before, limit)).await
    }

    async fn find_jobs(
        &self,
        account: AccountId,
        filter: &JobFilter,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<JobPage, StoreError> {
        let filter = filter.clone();
        self.readers.read(move |db| rows::find_jobs(db, account, &filter, before, limit)).await
    }

    async fn images(&self, job: JobId) -> Result<Vec<Image>, StoreError> {
        self.readers.read(move |db| rows::images_of(db, job)).await
    }

    async fn image(&self, id: ImageId) -> Result<Option<Image>, StoreError> {
        self.readers.read(move |db| rows::image_by_id(db, id)).await
    }

    async fn image_of_file(&self, account: AccountId, blob: BlobHash) -> Result<Option<Image>, StoreError> {
        self.readers.read(move |db| rows::image_of_blob(db, account, blob)).await
    }

    async fn account_images(
        &self,
        account: AccountId,
        before: Option<ImageId>,
        limit: usize,
    ) -> Result<Vec<Image>, StoreError> {
        self.readers.read(move |db| rows::account_images(db, account, before, limit)).await
    }

    async fn unnamed(&self, blobs: Vec<BlobHash>) -> Result<Vec<BlobHash>, StoreError> {
        self.readers.read(move |db| rows::unnamed(db, &blobs)).await
    }

    async fn entries(&self, account: AccountId, cursor: Option<u64>, limit: usize) -> Result<EntryPage, StoreError> {
        let last_row = self.engine.shared.wallets.tail(account).last_row;
        let from = cursor.unwrap_or(last_row).min(last_row);
        self.readers.read(move |db| entries::page(db, account, from, limit)).await
    }

    fn prices(&self) -> Arc<PriceBook> {
        self.engine.prices()
    }

    fn set_prices(&self, prices: Arc<PriceBook>) {
        self.engine.set_prices(prices);
    }

    async fn price_versions(&self) -> Result<Vec<PublishedVersion>, StoreError> {
        self.readers.read(rows::price_versions).await
    }

    async fn journal(&self, after: u64, limit: usize) -> Result<JournalPage, StoreError> {
        self.readers.read(move |db| entries::journal_page(db, after, limit)).await
    }

    async fn low_balances(
        &self,
        account: Option<AccountId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<LowBalance>, StoreError> {
        self.readers.read(move |db| alerts::page(db, account, before, limit)).await
    }

    fn candidate(&self) -> Option<Candidate> {
        self.engine.candidate()
    }

    fn ahead_of(&self, job: JobId) -> Option<usize> {
        self.engine.queue(|queue| queue.ahead_of(job))
    }

    fn attended(&self) -> Vec<Candidate> {
        self.engine.queue(Queue::attended)
    }

    fn queued(&self) -> usize {
        self.engine.queue(Queue::len)
    }

    fn leases_ended(&self, now: Timestamp, worker: Option<&str>) -> Vec<Candidate> {
        self.engine.queue(|queue| queue.leases_ended(now, worker))
    }

    fn accounts_due(&self, now: Timestamp, limit: usize) -> Vec<AccountId> {
        self.engine.shared.wallets.due(now, limit)
    }

    fn health(&self) -> Health {
        self.engine.health()
    }

    fn counters(&self) -> Counters {
        self.engine.counters()
    }
}

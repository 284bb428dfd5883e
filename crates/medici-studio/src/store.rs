//! The port of the store: units of work go in, committed rows come out.

use std::sync::Arc;

use medici_ledger::{AccountId, Credits, Entry, PriceBook, Timestamp, Wallet};

use crate::{
    account::{Account, ApiKey},
    blob::BlobHash,
    find_jobs::{JobFilter, JobPage},
    ids::{ApiKeyId, ImageId, JobId},
    job::{Image, Job},
    publish_prices::PublishedVersion,
    unit::Unit,
};

/// Keeps everything, and decides units of work one after the other.
///
/// Reads see committed rows only. A store holds a [`crate::Clock`] and the price book in force, because the
/// instant of a unit of work is fixed when it is decided, not when it was asked.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Takes a unit of work to decide, write and answer; use [`crate::decide`], which waits for the answer.
    ///
    /// The store gathers whatever waits into one commit. It may decide a unit more than once, always on
    /// committed state plus the group's earlier members. It answers exactly once, after the commit.
    fn submit(&self, unit: Box<dyn Unit>);

    /// Takes units of work that are decided one after the other and committed together.
    fn submit_all(&self, units: Vec<Box<dyn Unit>>);

    /// Returns a copy of the wallet as last committed, from memory.
    fn wallet(&self, account: AccountId) -> Option<Wallet>;
    /// Returns the account, or `None`.
    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError>;
    /// Returns the account of that name, or `None`.
    async fn account_named(&self, name: &str) -> Result<Option<Account>, StoreError>;
    /// Returns accounts by name, after the one given.
    async fn accounts(&self, after: Option<&str>, limit: usize) -> Result<Vec<Account>, StoreError>;
    /// Returns the API key found by its public part, revoked or not.
    async fn api_key(&self, lookup: &str) -> Result<Option<ApiKey>, StoreError>;
    /// Returns the API key of that id.
    async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError>;
    /// Returns the keys, newest first: of one account, or with `None` the services' and the operator's.
    async fn api_keys(&self, account: Option<AccountId>) -> Result<Vec<ApiKey>, StoreError>;
    /// Returns the job.
    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError>;
    /// Returns an account's jobs, newest first, older than the one given. Deleted ones are not among them, here and in
    /// [`Self::find_jobs`].
    async fn jobs(&self, account: AccountId, before: Option<JobId>, limit: usize) -> Result<Vec<Job>, StoreError>;
    /// Returns those of an account's jobs that a filter lets through, newest first, older than the one given: as many
    /// as [`JobFilter::page`] gathers.
    async fn find_jobs(
        &self,
        account: AccountId,
        filter: &JobFilter,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<JobPage, StoreError>;
    /// Returns a job's images in order of their index.
    async fn images(&self, job: JobId) -> Result<Vec<Image>, StoreError>;
    /// Returns one image; `None` also for one that was deleted.
    async fn image(&self, id: ImageId) -> Result<Option<Image>, StoreError>;
    /// Returns the newest image of an account that is kept in this file.
    async fn image_of_file(&self, account: AccountId, blob: BlobHash) -> Result<Option<Image>, StoreError>;
    /// Returns an account's images, newest first, older than the one given.
    async fn account_images(
        &self,
        account: AccountId,
        before: Option<ImageId>,
        limit: usize,
    ) -> Result<Vec<Image>, StoreError>;
    /// Returns those of the blobs that no row of any account names. An image names its file; whatever else comes to
    /// name blobs, such as a job the pictures it starts from, counts here.
    async fn unnamed(&self, blobs: Vec<BlobHash>) -> Result<Vec<BlobHash>, StoreError>;
    /// Returns an account's entries, newest first, from the cursor of an earlier page.
    async fn entries(&self, account: AccountId, cursor: Option<u64>, limit: usize) -> Result<EntryPage, StoreError>;

    /// Returns the price book in force for units of work to come.
    fn prices(&self) -> Arc<PriceBook>;
    /// Puts another price book in force, from the next unit of work on. Keeps nothing: that is publishing's.
    fn set_prices(&self, prices: Arc<PriceBook>);
    /// Returns every price version that was published, in the order they take effect.
    async fn price_versions(&self) -> Result<Vec<PublishedVersion>, StoreError>;
    /// Returns a page of the journal: entries of all accounts in the order of their commits, after a row. The first
    /// entry is in row 1, and none is left out.
    async fn journal(&self, after: u64, limit: usize) -> Result<JournalPage, StoreError>;
    /// Returns low balances, newest first, older than the row given: of one account, or of all that are no sandboxes.
    async fn low_balances(
        &self,
        account: Option<AccountId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<LowBalance>, StoreError>;

    /// Returns the job to claim next, by fair turns between accounts: the account served longest ago first,
    /// its oldest job first. A candidate only; the claim decides.
    fn candidate(&self) -> Option<Candidate>;
    /// Returns how many queued jobs are ahead of this one, by the same order; `None` if it is not queued.
    fn ahead_of(&self, job: JobId) -> Option<usize>;
    /// Returns how many jobs are queued.
    fn queued(&self) -> usize;
    /// Returns the open jobs whose callers wait on a connection of this process and have no key, oldest first.
    fn attended(&self) -> Vec<Candidate>;
    /// Returns running jobs whose lease ended at or before `now`, or that `worker` holds, whatever their lease.
    fn leases_ended(&self, now: Timestamp, worker: Option<&str>) -> Vec<Candidate>;
    /// Returns up to `limit` accounts in which time has made something true that is not booked yet.
    fn accounts_due(&self, now: Timestamp, limit: usize) -> Vec<AccountId>;

    /// Returns whether the store takes units of work.
    fn health(&self) -> Health;
    /// Returns what the store has done since it was opened.
    fn counters(&self) -> Counters;
}

/// A job and its account, as a worker looks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The job.
    pub job: JobId,
    /// Its account.
    pub account: AccountId,
}

/// A page of entries, newest first.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` at the account's first entry.
    pub next: Option<u64>,
}

/// A page of the journal, oldest first.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JournalPage {
    /// The entries, in dense rows.
    pub entries: Vec<Entry>,
    /// The last row of the journal when the page was read.
    pub last_row: u64,
}

/// A balance that fell below what its account is told of, as it was booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LowBalance {
    /// The row of its entry, by which pages go on.
    pub row: u64,
    /// Whose.
    pub account: AccountId,
    /// Its entry.
    pub seq: u64,
    /// When.
    pub recorded_at: Timestamp,
    /// The bound.
    pub below: Credits,
    /// What was available.
    pub available: Credits,
    /// Whether the account is a sandbox.
    pub sandbox: bool,
}

/// Whether the store takes units of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Ready,
    /// The disk is full: reads go on, units of work are refused until a probe finds space.
    Full,
    /// The disk failed: nothing is acknowledged until a restart has recovered.
    Failed,
}

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counters {
    /// Units of work answered.
    pub units: u64,
    /// Commits that carried them.
    pub groups: u64,
    /// Syncs of the disk on the commit path.
    pub syncs: u64,
    /// Entries appended.
    pub entries: u64,
}

/// Why a unit of work was not done. Nothing of it was kept, unless it is said otherwise.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full.
    #[error("no space left in the store")]
    Full,
    /// More units of work wait than the store's bound.
    #[error("the store is overloaded")]
    Overloaded,
    /// The store is gone or failed. Whether the unit was kept is settled by its idempotency key.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

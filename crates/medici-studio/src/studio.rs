//! The studio: the ports put together, and what everybody may read from them.

use std::{sync::Arc, time::Duration};

use medici_ledger::{AccountId, Balances, Entry, PriceBook, Wallet};

use crate::{
    account::Account,
    blob::{BlobError, BlobStore},
    clock::{Clock, Ids},
    engine::Engine,
    ids::{ImageId, JobId},
    job::{Image, Job},
    moderation::Moderator,
    naming::Naming,
    picture_file::{Decoder, Encoder},
    progress::Hub,
    readings::Planner,
    store::{EntryPage, Store, StoreError},
    worker::Running,
};

/// Everything a use case needs. Cheap to share; one per process.
pub struct Studio {
    /// Where everything is kept and decided.
    pub store: Arc<dyn Store>,
    /// Where the files of images are.
    pub blobs: Arc<dyn BlobStore>,
    /// What draws.
    pub engine: Arc<dyn Engine>,
    /// What turns pixels into files.
    pub encoder: Arc<dyn Encoder>,
    /// What turns files that were handed in into pixels.
    pub decoder: Arc<dyn Decoder>,
    /// What judges words and pictures.
    pub moderator: Arc<dyn Moderator>,
    /// What finds several readings of a prompt.
    pub planner: Arc<dyn Planner>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh names and secrets.
    pub ids: Arc<dyn Ids>,
    /// Every bound of the job flow.
    pub limits: Limits,
    /// News of jobs, within this process.
    pub progress: Hub,
    /// The jobs that are drawn in this process.
    pub running: Arc<Running>,
    /// Whose turn it is with files: those who store them to name them, or those who remove what nobody names.
    pub naming: Naming,
}

/// Every bound of the job flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The most jobs that may wait, of all accounts.
    pub queued_max: usize,
    /// How long a hold lives without a worker's heartbeat.
    pub hold_timeout: Duration,
    /// How long a claim lives without a heartbeat.
    pub lease: Duration,
    /// How often a worker says that it is alive.
    pub heartbeat: Duration,
    /// The most pictures of one request.
    pub count_max: u32,
    /// The most previews a picture that are drawn on the way.
    pub previews: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queued_max: 1_000,
            hold_timeout: Duration::from_secs(15 * 60),
            lease: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            count_max: 10,
            previews: 4,
        }
    }
}

impl Limits {
    /// Returns bounds small enough for a test to reach.
    pub fn for_tests() -> Self {
        Self { queued_max: 200, heartbeat: Duration::from_millis(200), ..Self::default() }
    }
}

impl Studio {
    /// Returns the price book in force.
    pub fn prices(&self) -> Arc<PriceBook> {
        self.store.prices()
    }

    /// Returns what the account has now; `None` if there is no such account.
    pub fn balances(&self, account: AccountId) -> Option<Balances> {
        let wallet = self.store.wallet(account)?;
        Some(wallet.balances(&self.prices(), self.clock.now()))
    }

    /// Returns the wallet as it is now, with everything that time has made true; `None` if there is no such account.
    pub fn wallet(&self, account: AccountId) -> Option<Wallet> {
        let wallet = self.store.wallet(account)?;
        Some(wallet.settled(&self.prices(), self.clock.now()))
    }

    /// Returns the account of a name or of an id's text, as people type either.
    pub async fn find_account(&self, name_or_id: &str) -> Result<Option<Account>, StoreError> {
        match name_or_id.parse() {
            Ok(id) => self.store.account(id).await,
            Err(_) => self.store.account_named(name_or_id).await,
        }
    }

    /// Returns an account's own job, and `None` for another's as for one that is not there, or no more.
    pub async fn job(&self, account: AccountId, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.job_row(account, id).await?.filter(|job| job.deleted_at.is_none()))
    }

    /// Returns an account's own job, also what is left of a deleted one.
    pub(crate) async fn job_row(&self, account: AccountId, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.store.job(id).await?.filter(|job| job.account == account))
    }

    /// Returns an account's jobs with their images, newest first.
    pub async fn history(
        &self,
        account: AccountId,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Finished>, StoreError> {
        let jobs = self.store.jobs(account, before, limit).await?;
        self.with_images(jobs).await
    }

    pub(crate) async fn with_images(&self, jobs: Vec<Job>) -> Result<Vec<Finished>, StoreError> {
        let mut finished = Vec::with_capacity(jobs.len());
        for job in jobs {
            let images = self.store.images(job.id).await?;
            finished.push(Finished { job, images });
        }
        Ok(finished)
    }

    /// Returns a page of an account's entries, newest first.
    pub async fn entries(
        &self,
        account: AccountId,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<EntryPage, StoreError> {
        self.store.entries(account, cursor, limit).await
    }

    /// Returns all entries of an account, oldest first; `None` for more than `max`.
    pub async fn all_entries(&self, account: AccountId, max: usize) -> Result<Option<Vec<Entry>>, StoreError> {
        /// The most entries that are read at a time.
        const PAGE: usize = 1_000;
        let mut entries = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.store.entries(account, cursor, PAGE).await?;
            entries.extend(page.entries);
            cursor = page.next;
            if entries.len() > max {
                return Ok(None);
            }
            if cursor.is_none() {
                entries.reverse();
                return Ok(Some(entries));
            }
        }
    }

    /// Calls back with every entry of every account, in the order of their commits, up to the last one there is now.
    pub async fn each_entry(&self, mut each: impl FnMut(&Entry)) -> Result<(), StoreError> {
        /// The most entries that are read at a time.
        const PAGE: usize = 1_000;
        let (mut after, mut last) = (0, None);
        loop {
            let page = self.store.journal(after, PAGE).await?;
            let last = *last.get_or_insert(page.last_row);
            let left = usize::try_from(last - after).unwrap_or(usize::MAX);
            page.entries.iter().take(left).for_each(&mut each);
            after += page.entries.len() as u64;
            if page.entries.is_empty() || after >= last {
                return Ok(());
            }
        }
    }

    /// Returns an account's own image, and `None` for another's as for one that is not there, or no more.
    pub async fn image(&self, account: AccountId, id: ImageId) -> Result<Option<Image>, StoreError> {
        Ok(self.store.image(id).await?.filter(|image| image.account == account))
    }

    /// Returns the file of an image, or `None` if the image was deleted since its row was read. Whoever calls this has
    /// checked that the asker may see it.
    pub async fn image_file(&self, image: &Image) -> Result<Option<Vec<u8>>, ReadImageError> {
        if let Some(bytes) = self.blobs.get(image.blob).await? {
            return Ok(Some(bytes));
        }
        match self.store.image(image.id).await? {
            Some(image) => Err(ReadImageError::Missing(image.id)),
            None => Ok(None),
        }
    }

    /// Waits until a job has ended, and returns what came of it, from committed rows only.
    ///
    /// `None` if there is no such job. What is left of a deleted one is returned, so that a repeat of the request it came
    /// from can be told. Dropping the future changes nothing.
    pub async fn finished(&self, id: JobId) -> Result<Option<Finished>, StoreError> {
        // The hub is told within this process; the timer covers an end that another process wrote.
        const LOOK_AGAIN: Duration = Duration::from_secs(2);
        let mut news = self.progress.watch(id);
        loop {
            let Some(job) = self.store.job(id).await? else { return Ok(None) };
            if !job.state.is_open() {
                let images = self.store.images(id).await?;
                return Ok(Some(Finished { job, images }));
            }
            let ended = news.wait_for(|progress| progress.ended);
            let _ = tokio::time::timeout(LOOK_AGAIN, ended).await;
        }
    }
}

/// A job and its images.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The job.
    pub job: Job,
    /// Its images in order, but for deleted ones; empty unless it is done.
    pub images: Vec<Image>,
}

/// Why an image could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadImageError {
    /// Its row is there and its file is not: `ledger verify` names such images.
    #[error("the file of {0} is missing")]
    Missing(ImageId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

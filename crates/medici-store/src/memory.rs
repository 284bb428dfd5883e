//! The store in memory: the same group engine over maps. For tests, scenarios and `play`; nothing survives it
//! but what [`Memory::reopen`] hands on.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
    sync::{Arc, RwLock},
};

use medici_ledger::{AccountId, Entry, PriceBook, Timestamp, Wallet, idempotency::KeyScope};
use medici_studio::{
    Account, ApiKey, ApiKeyId, BlobHash, Candidate, Clock, Counters, DeletedImage, EntryPage, EventKey, EventRecord,
    Health, Image, ImageId, Job, JobFilter, JobId, JobPage, JournalPage, KeyOwner, KeyRecord, KnownImage, LowBalance,
    PublishedVersion, Store, StoreError, Unit,
};

use crate::{
    faults::{Fault, Faults},
    group::{Backend, CommitError, Engine, Flushed, Shared, Start},
    overlay::Batch,
    queue::Queue,
    scope::ScopeHash,
    wallets::{self, Tail, Wallets},
};

/// A store that lives as long as its process.
pub struct Memory {
    engine: Engine,
    tables: Arc<RwLock<Tables>>,
    clock: Arc<dyn Clock>,
    faults: Faults,
}

#[derive(Default)]
struct Tables {
    /// Entry `n` is in row `n + 1`, with the row of its account's entry before.
    entries: Vec<(Entry, u64)>,
    alerts: Vec<LowBalance>,
    jobs: BTreeMap<JobId, Job>,
    images: BTreeMap<ImageId, Image>,
    deleted_images: BTreeMap<ImageId, DeletedImage>,
    keys: HashMap<ScopeHash, KeyRecord>,
    events: HashMap<EventKey, EventRecord>,
    accounts: HashMap<AccountId, Account>,
    names: BTreeMap<String, AccountId>,
    api_keys: HashMap<ApiKeyId, ApiKey>,
    lookups: HashMap<String, ApiKeyId>,
    price_versions: BTreeMap<Timestamp, PublishedVersion>,
}

const UNPOISONED: &str = "no code panics while it holds the tables";

impl Memory {
    /// Opens an empty store.
    pub fn new(clock: Arc<dyn Clock>, prices: Arc<PriceBook>) -> Self {
        Self::on(Arc::default(), clock, prices, Faults::default())
    }

    /// Stops this store and opens another on the same rows, as a restart would: wallets and queue are rebuilt
    /// from the entries and the jobs alone.
    pub fn reopen(self) -> Self {
        let Self { engine, tables, clock, faults } = self;
        let prices = engine.prices();
        drop(engine);
        Self::on(tables, clock, prices, faults)
    }

    /// Returns the handle that makes commits fail.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    fn on(tables: Arc<RwLock<Tables>>, clock: Arc<dyn Clock>, prices: Arc<PriceBook>, faults: Faults) -> Self {
        let (shared, start) = {
            let rows = tables.read().expect(UNPOISONED);
            let wallets = rows.replay(&prices);
            let mut queue = Queue::default();
            rows.jobs.values().for_each(|job| queue.update(job));
            // A sandbox's entries are recorded by its own clock, which says nothing of the store's.
            let live = |account| {
                let wallet = wallets.get(account).expect("a wallet that was replayed can be read");
                wallet.is_none_or(|wallet| wallet.sandbox_clock().is_none())
            };
            let last = rows.entries.iter().rev().find(|(entry, _)| live(entry.account));
            let last = last.map_or(Timestamp::MIN, |(entry, _)| entry.recorded_at);
            let start = Start { next_row: rows.entries.len() as u64 + 1, last };
            (Shared::new(wallets, queue, prices), start)
        };
        let backend = Maps { tables: Arc::clone(&tables), faults: faults.clone() };
        let engine = Engine::start(backend, shared, Arc::clone(&clock), start);
        Self { engine, tables, clock, faults }
    }

    fn read<T>(&self, read: impl FnOnce(&Tables) -> T) -> T {
        read(&self.tables.read().expect(UNPOISONED))
    }
}

impl Tables {
    fn replay(&self, prices: &PriceBook) -> Wallets {
        let mut replayed: HashMap<AccountId, (Wallet, Tail)> = HashMap::new();
        for (row, (entry, _)) in (1..).zip(&self.entries) {
            let (wallet, tail) =
                replayed.entry(entry.account).or_insert_with(|| (Wallet::new(entry.account), Tail::default()));
            wallet.apply(entry).expect("entries that were decided can be replayed");
            tail.last_row = row;
        }
        let wallets = Wallets::new();
        for (account, (wallet, tail)) in replayed {
            let due = wallets::due(&wallet, prices, wallet.recorded_at());
            wallets.publish(account, Arc::new(wallet), tail, due);
        }
        wallets
    }
}

struct Maps {
    tables: Arc<RwLock<Tables>>,
    faults: Faults,
}

impl Backend for Maps {
    fn job(&self, job: JobId) -> Result<Option<Job>, CommitError> {
        Ok(self.tables.read().expect(UNPOISONED).jobs.get(&job).cloned())
    }

    fn image(&self, image: ImageId) -> Result<Option<KnownImage>, CommitError> {
        let tables = self.tables.read().expect(UNPOISONED);
        let stored = tables.images.get(&image).cloned().map(KnownImage::Stored);
        Ok(stored.or_else(|| tables.deleted_images.get(&image).copied().map(KnownImage::Deleted)))
    }

    fn key(&self, _: &KeyScope, hash: ScopeHash) -> Result<Option<KeyRecord>, CommitError> {
        Ok(self.tables.read().expect(UNPOISONED).keys.get(&hash).cloned())
    }

    fn events(&self, events: &[EventKey], found: &mut dyn FnMut(usize, EventRecord)) -> Result<(), CommitError> {
        let tables = self.tables.read().expect(UNPOISONED);
        for (place, event) in events.iter().enumerate() {
            tables.events.get(event).into_iter().for_each(|record| found(place, *record));
        }
        Ok(())
    }

    fn name_taken(&self, name: &str) -> Result<bool, CommitError> {
        Ok(self.tables.read().expect(UNPOISONED).names.contains_key(name))
    }

    fn commit(&mut self, batch: &Batch, _: &Wallets) -> Result<Vec<Flushed>, CommitError> {
        if let Some(fault) = self.faults.take() {
            return Err(fault.error());
        }
        let mut tables = self.tables.write().expect(UNPOISONED);
        tables.admit(batch)?;
        let tables = &mut *tables;
        tables.alerts.extend(batch.low_balances());
        tables.entries.extend(batch.entries().map(|row| (row.entry.clone(), row.prev)));
        tables.jobs.extend(batch.jobs.iter().map(|job| (job.id, job.clone())));
        tables.images.extend(batch.images.iter().map(|image| (image.id, image.clone())));
        for image in &batch.deleted_images {
            tables.images.remove(&image.id);
            tables.deleted_images.insert(image.id, *image);
        }
        tables.keys.extend(batch.keys.iter().map(|(hash, record)| (*hash, record.clone())));
        tables.events.extend(batch.events.iter().map(|record| (record.event, *record)));
        for account in &batch.accounts {
            tables.names.insert(account.name.clone(), account.id);
            tables.accounts.insert(account.id, account.clone());
        }
        for key in &batch.api_keys {
            tables.lookups.insert(key.lookup.clone(), key.id);
            tables.api_keys.insert(key.id, key.clone());
        }
        for version in &batch.price_versions {
            tables.price_versions.insert(version.effective_at, version.clone());
        }
        Ok(Vec::new())
    }

    fn probe(&mut self) -> Result<(), CommitError> {
        match self.faults.take() {
            Some(Fault::Full) => Err(CommitError::Full),
            Some(fault) => Err(fault.error()),
            None => Ok(()),
        }
    }
}

impl Tables {
    /// Returns an account's jobs that are not deleted, newest first, older than the one given.
    fn listed(&self, account: AccountId, before: Option<JobId>) -> impl Iterator<Item = &Job> {
        let until = before.map_or(Bound::Unbounded, Bound::Excluded);
        let older = self.jobs.range((Bound::Unbounded, until)).rev().map(|(_, job)| job);
        older.filter(move |job| job.account == account && job.deleted_at.is_none())
    }

    /// Refuses what a database's constraints would refuse.
    fn admit(&self, batch: &Batch) -> Result<(), CommitError> {
        let refused = |what: &str| Err(CommitError::Refused(format!("{what} exists already")));
        let mut names = HashSet::new();
        for account in &batch.accounts {
            let known = self.accounts.contains_key(&account.id) || self.names.contains_key(&account.name);
            if known || !names.insert(&account.name) {
                return refused("an account of that name or id");
            }
        }
        let mut lookups = HashMap::new();
        for key in &batch.api_keys {
            let earlier = self.lookups.get(&key.lookup).or_else(|| lookups.get(&key.lookup).copied());
            if earlier.is_some_and(|id| *id != key.id) {
                return refused("an API key of that public part");
            }
            lookups.insert(&key.lookup, &key.id);
        }
        if batch.price_versions.iter().any(|version| self.price_versions.contains_key(&version.effective_at)) {
            return refused("a price version of that instant");
        }
        let mut images = HashSet::new();
        for image in &batch.images {
            if self.images.contains_key(&image.id) || !images.insert(image.id) {
                return refused("an image of that id");
            }
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl Store for Memory {
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
        Ok(self.read(|tables| tables.accounts.get(&id).cloned()))
    }

    async fn account_named(&self, name: &str) -> Result<Option<Account>, StoreError> {
        Ok(self.read(|tables| tables.names.get(name).map(|id| tables.accounts[id].clone())))
    }

    async fn accounts(&self, after: Option<&str>, limit: usize) -> Result<Vec<Account>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.read(|tables| {
            let named = tables.names.range::<str, _>((from, Bound::Unbounded));
            named.take(limit).map(|(_, id)| tables.accounts[id].clone()).collect()
        }))
    }

    async fn api_key(&self, lookup: &str) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.read(|tables| tables.lookups.get(lookup).map(|id| tables.api_keys[id].clone())))
    }

    async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.read(|tables| tables.api_keys.get(&id).cloned()))
    }

    async fn api_keys(&self, account: Option<AccountId>) -> Result<Vec<ApiKey>, StoreError> {
        let owner = |key: &ApiKey| match key.owner {
            KeyOwner::Account(owner) => Some(owner),
            KeyOwner::Service | KeyOwner::Admin => None,
        };
        let mut keys: Vec<_> =
            self.read(|tables| tables.api_keys.values().filter(|key| owner(key) == account).cloned().collect());
        keys.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.id)));
        Ok(keys)
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.read(|tables| tables.jobs.get(&id).cloned()))
    }

    async fn jobs(&self, account: AccountId, before: Option<JobId>, limit: usize) -> Result<Vec<Job>, StoreError> {
        Ok(self.read(|tables| tables.listed(account, before).take(limit).cloned().collect()))
    }

    async fn find_jobs(
        &self,
        account: AccountId,
        filter: &JobFilter,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<JobPage, StoreError> {
        self.read(|tables| filter.page(tables.listed(account, before).cloned().map(Ok), limit))
    }

    async fn images(&self, job: JobId) -> Result<Vec<Image>, StoreError> {
        let mut images: Vec<_> =
            self.read(|tables| tables.images.values().filter(|image| image.job == job).cloned().collect());
        images.sort_by_key(|image| image.index);
        Ok(images)
    }

    async fn image(&self, id: ImageId) -> Result<Option<Image>, StoreError> {
        Ok(self.read(|tables| tables.images.get(&id).cloned()))
    }

    async fn image_of_file(&self, account: AccountId, blob: BlobHash) -> Result<Option<Image>, StoreError> {
        Ok(self.read(|tables| {
            let own = tables.images.values().filter(|image| image.account == account && image.blob == blob);
            own.max_by_key(|image| image.id).cloned()
        }))
    }

    async fn account_images(
        &self,
        account: AccountId,
        before: Option<ImageId>,
        limit: usize,
    ) -> Result<Vec<Image>, StoreError> {
        let until = before.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.read(|tables| {
            let older = tables.images.range((Bound::Unbounded, until)).rev().map(|(_, image)| image);
            older.filter(|image| image.account == account).take(limit).cloned().collect()
        }))
    }

    async fn unnamed(&self, mut blobs: Vec<BlobHash>) -> Result<Vec<BlobHash>, StoreError> {
        let named: HashSet<_> = self.read(|tables| {
            let sources = tables.jobs.values().flat_map(|job| job.source.blobs());
            tables.images.values().map(|image| image.blob).chain(sources).collect()
        });
        blobs.retain(|blob| !named.contains(blob));
        Ok(blobs)
    }

    async fn entries(&self, account: AccountId, cursor: Option<u64>, limit: usize) -> Result<EntryPage, StoreError> {
        let last_row = self.engine.shared.wallets.tail(account).last_row;
        let mut row = cursor.unwrap_or(last_row).min(last_row);
        Ok(self.read(|tables| {
            let mut entries = Vec::new();
            while row > 0 && entries.len() < limit {
                let at = usize::try_from(row - 1).expect("rows in memory are counted in memory");
                let (entry, prev) = &tables.entries[at];
                if entry.account != account {
                    return EntryPage::default();
                }
                entries.push(entry.clone());
                row = *prev;
            }
            EntryPage { entries, next: (row > 0).then_some(row) }
        }))
    }

    fn prices(&self) -> Arc<PriceBook> {
        self.engine.prices()
    }

    fn set_prices(&self, prices: Arc<PriceBook>) {
        self.engine.set_prices(prices);
    }

    async fn price_versions(&self) -> Result<Vec<PublishedVersion>, StoreError> {
        Ok(self.read(|tables| tables.price_versions.values().cloned().collect()))
    }

    async fn journal(&self, after: u64, limit: usize) -> Result<JournalPage, StoreError> {
        Ok(self.read(|tables| {
            let after = usize::try_from(after).unwrap_or(usize::MAX);
            let entries = tables.entries.iter().skip(after).take(limit).map(|(entry, _)| entry.clone()).collect();
            JournalPage { entries, last_row: tables.entries.len() as u64 }
        }))
    }

    async fn low_balances(
        &self,
        account: Option<AccountId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<LowBalance>, StoreError> {
        let wanted = |alert: &&LowBalance| {
            let whose = account.map_or(!alert.sandbox, |account| alert.account == account);
            whose && before.is_none_or(|before| alert.row < before)
        };
        Ok(self.read(|tables| tables.alerts.iter().rev().filter(wanted).take(limit).cloned().collect()))
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

//! What one group of units sees: committed rows, and over them the changes of its earlier members.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    hash::BuildHasherDefault,
    sync::Arc,
    time::Duration,
};

use medici_ledger::{
    AccountId, Bodies, Entry, Fact, PriceBook, Timestamp, Wallet,
    idempotency::{KeyScope, event_memory},
};
use medici_studio::{
    Account, ApiKey, Changes, DeletedImage, EventKey, EventRecord, Image, ImageId, Job, JobId, KeyRecord, KnownImage,
    Loaded, LowBalance, PublishedVersion, Touches, Unit, meter::EventHasher,
};

use crate::{
    group::{Backend, CommitError},
    scope::ScopeHash,
    wallets::{self, IdHasher, Wallets},
};

/// A map by account. The server makes the ids, so they need no hash that an attacker cannot guess.
pub(crate) type ById<T> = HashMap<AccountId, T, BuildHasherDefault<IdHasher>>;

/// Rows of one commit, in the order in which they were decided.
#[derive(Default)]
pub(crate) struct Batch {
    /// The instant of the commit.
    pub(crate) now: Timestamp,
    /// Entries to append, unit by unit; rows are dense over the whole store.
    appended: Vec<Appended>,
    /// The wallets after their last entry.
    pub(crate) wallets: ById<TouchedWallet>,
    /// Jobs to insert or replace; the last of one id counts.
    pub(crate) jobs: Vec<Job>,
    /// Images to insert.
    pub(crate) images: Vec<Image>,
    /// Images to remove, after those are inserted, and what to keep of them.
    pub(crate) deleted_images: Vec<DeletedImage>,
    /// Idempotency records to insert.
    pub(crate) keys: Vec<(ScopeHash, KeyRecord)>,
    /// Records of meter events to insert.
    pub(crate) events: Vec<EventRecord>,
    /// How long records of meter events answer.
    pub(crate) event_memory: Duration,
    /// Accounts to insert.
    pub(crate) accounts: Vec<Account>,
    /// API keys to insert or replace.
    pub(crate) api_keys: Vec<ApiKey>,
    /// Price versions to insert.
    pub(crate) price_versions: Vec<PublishedVersion>,
    /// The price book that is in force with them.
    pub(crate) prices: Option<Arc<PriceBook>>,
}

/// What one unit appends to one account.
struct Appended {
    /// The row of its first entry.
    first_row: u64,
    /// The row of the account's entry before that; 0 for none.
    prev: u64,
    entries: Vec<Entry>,
    bodies: Bodies,
}

/// An entry and its place.
#[derive(Clone, Copy)]
pub(crate) struct EntryRow<'a> {
    /// Its number in the store, from 1.
    pub(crate) row: u64,
    /// The row of the same account's entry before; 0 for none.
    pub(crate) prev: u64,
    /// The entry.
    pub(crate) entry: &'a Entry,
    /// Its bytes.
    pub(crate) body: &'a [u8],
}

impl Appended {
    fn rows(&self) -> impl Iterator<Item = EntryRow<'_>> {
        let numbered = (self.first_row..).zip(self.entries.iter().zip(self.bodies.iter()));
        numbered.map(|(row, (entry, body))| {
            let prev = if row == self.first_row { self.prev } else { row - 1 };
            EntryRow { row, prev, entry, body }
        })
    }

    fn last_row(&self) -> u64 {
        self.first_row + self.entries.len() as u64 - 1
    }
}

/// A wallet as this commit leaves it.
pub(crate) struct TouchedWallet {
    pub(crate) wallet: Arc<Wallet>,
    /// The row of its first entry in this commit.
    pub(crate) first_row: u64,
    /// The row of its last entry.
    pub(crate) last_row: u64,
    /// When something next becomes due in it.
    pub(crate) due: Option<Timestamp>,
}

impl Batch {
    /// Returns the low balances among its entries.
    pub(crate) fn low_balances(&self) -> impl Iterator<Item = LowBalance> + '_ {
        self.entries().filter_map(|EntryRow { row, entry, .. }| {
            let Fact::LowBalance { below, available } = entry.fact else { return None };
            let wallet = self.wallets.get(&entry.account).map(|touched| &touched.wallet);
            Some(LowBalance {
                row,
                account: entry.account,
                seq: entry.seq,
                recorded_at: entry.recorded_at,
                below,
                available,
                sandbox: wallet.is_some_and(|wallet| wallet.sandbox_clock().is_some()),
            })
        })
    }

    /// Returns the entries to append, in the order of their rows.
    pub(crate) fn entries(&self) -> impl Iterator<Item = EntryRow<'_>> {
        self.appended.iter().flat_map(Appended::rows)
    }

    /// Returns the rows of the first and the last entry, if there is any.
    pub(crate) fn rows(&self) -> Option<(u64, u64)> {
        Some((self.appended.first()?.first_row, self.appended.last()?.last_row()))
    }

    /// Returns how many entries there are.
    pub(crate) fn entry_count(&self) -> u64 {
        self.rows().map_or(0, |(first, last)| last - first + 1)
    }

    /// Returns an account's entry with its row. `near` is where to begin: whoever asks in the order of the entries
    /// finds each at once.
    pub(crate) fn find(&self, account: AccountId, seq: u64, near: &mut usize) -> Option<(u64, &Entry)> {
        let place_in = |appended: &Appended| {
            let first = &appended.entries[0];
            let place = usize::try_from(seq.checked_sub(first.seq)?).ok()?;
            (first.account == account && place < appended.entries.len()).then_some(place)
        };
        let mut order = (*near..self.appended.len()).chain(0..*near);
        let (at, place) = order.find_map(|at| Some((at, place_in(&self.appended[at])?)))?;
        *near = at;
        let appended = &self.appended[at];
        Some((appended.first_row + place as u64, &appended.entries[place]))
    }

    /// Returns whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.appended.is_empty()
            && self.jobs.is_empty()
            && self.images.is_empty()
            && self.deleted_images.is_empty()
            && self.keys.is_empty()
            && self.accounts.is_empty()
            && self.api_keys.is_empty()
            && self.price_versions.is_empty()
    }
}

/// Rows that a backend has looked up: `None` where there is none.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) jobs: HashMap<JobId, Option<Job>>,
    pub(crate) images: HashMap<ImageId, Option<KnownImage>>,
    pub(crate) keys: HashMap<KeyScope, (ScopeHash, Option<KeyRecord>)>,
    /// Only those that have one: nearly every event is new.
    pub(crate) events: HashMap<EventKey, EventRecord, BuildHasherDefault<EventHasher>>,
}

/// The state on which a group is decided.
pub(crate) struct Overlay<'a, B> {
    backend: &'a B,
    wallets: ById<Option<Arc<Wallet>>>,
    last_rows: ById<u64>,
    rows: Rows,
    names: HashSet<String>,
    next_row: u64,
    broken: RefCell<Option<CommitError>>,
    batch: Batch,
}

impl<'a, B: Backend> Overlay<'a, B> {
    /// Loads everything that the units touch.
    pub(crate) fn load(
        backend: &'a B,
        memory: &Wallets,
        units: &[Box<dyn Unit>],
        next_row: u64,
        now: Timestamp,
    ) -> Result<Self, CommitError> {
        let mut wallets = ById::with_capacity_and_hasher(units.len(), BuildHasherDefault::default());
        let mut rows = Rows::default();
        for unit in units {
            let touches = unit.touches();
            for &account in &touches.wallets {
                if let std::collections::hash_map::Entry::Vacant(place) = wallets.entry(account) {
                    let wallet = memory.get(account).map_err(|error| {
                        CommitError::Refused(format!("the wallet of {account} cannot be read: {error}"))
                    })?;
                    place.insert(wallet);
                }
            }
            for &job in &touches.jobs {
                if let std::collections::hash_map::Entry::Vacant(place) = rows.jobs.entry(job) {
                    place.insert(backend.job(job)?);
                }
            }
            for &image in &touches.images {
                if let std::collections::hash_map::Entry::Vacant(place) = rows.images.entry(image) {
                    place.insert(backend.image(image)?);
                }
            }
            for scope in &touches.keys {
                if !rows.keys.contains_key(scope) {
                    let hash = ScopeHash::of(scope);
                    let record = backend.key(scope, hash)?;
                    rows.keys.insert(scope.clone(), (hash, record));
                }
            }
        }
        // All at once: a look-up of many touches each part of the index once.
        let events: Vec<EventKey> = units.iter().flat_map(|unit| &unit.touches().events).copied().collect();
        backend.events(&events, &mut |place, record| {
            rows.events.insert(events[place], record);
        })?;
        rows.events.reserve(events.len());
        Ok(Self {
            backend,
            last_rows: ById::default(),
            wallets,
            rows,
            names: HashSet::new(),
            next_row,
            broken: RefCell::default(),
            batch: Batch { now, appended: Vec::with_capacity(units.len()), ..Batch::default() },
        })
    }

    /// Returns whether the changes of a unit that named what it touches stay within that.
    pub(crate) fn admits(&self, touches: &Touches, changes: &Changes) -> bool {
        // Events are decided on in the order in which they were named.
        let mut named = touches.events.iter();
        changes.wallets.iter().all(|change| self.wallets.contains_key(&change.wallet.account()))
            && changes.keys.iter().all(|key| self.rows.keys.contains_key(&key.scope))
            && changes.events.iter().all(|record| named.any(|event| *event == record.event))
            && changes.deleted_images.iter().all(|image| self.rows.images.contains_key(&image.id))
    }

    /// Takes a unit's changes, which [`Self::admits`], for the commit and for the units after it.
    pub(crate) fn apply(&mut self, memory: &Wallets, changes: Changes) {
        for change in changes.wallets {
            let account = change.wallet.account();
            let prev = *self.last_rows.entry(account).or_insert_with(|| memory.tail(account).last_row);
            let first_row = self.next_row;
            let appended = Appended { first_row, prev, entries: change.entries, bodies: change.bodies };
            let last_row = appended.last_row();
            self.next_row = last_row + 1;
            self.batch.appended.push(appended);
            self.last_rows.insert(account, last_row);
            let wallet = Arc::new(change.wallet);
            self.wallets.insert(account, Some(Arc::clone(&wallet)));
            self.batch
                .wallets
                .entry(account)
                .and_modify(|touched| {
                    touched.wallet = Arc::clone(&wallet);
                    touched.last_row = last_row;
                })
                .or_insert(TouchedWallet { wallet, first_row, last_row, due: None });
        }
        for job in changes.jobs {
            self.rows.jobs.insert(job.id, Some(job.clone()));
            self.batch.jobs.push(job);
        }
        for image in &changes.images {
            // Few units look at images; for the others a copy would be made for nobody.
            if let Some(known) = self.rows.images.get_mut(&image.id) {
                *known = Some(KnownImage::Stored(image.clone()));
            }
        }
        for image in &changes.deleted_images {
            self.rows.images.insert(image.id, Some(KnownImage::Deleted(*image)));
        }
        for key in changes.keys {
            let kept = self.rows.keys.get_mut(&key.scope).expect(UNNAMED);
            kept.1 = Some(key.clone());
            self.batch.keys.push((kept.0, key));
        }
        self.rows.events.extend(changes.events.iter().map(|record| (record.event, *record)));
        self.batch.events.extend(changes.events);
        self.names.extend(changes.accounts.iter().map(|account| account.name.clone()));
        self.batch.images.extend(changes.images);
        self.batch.deleted_images.extend(changes.deleted_images);
        self.batch.accounts.extend(changes.accounts);
        self.batch.api_keys.extend(changes.api_keys);
        if let Some(prices) = changes.prices {
            self.batch.price_versions.extend(prices.versions);
            self.batch.prices = Some(prices.book);
        }
    }

    /// Returns what is to be committed, or the error that a look-up met while units were deciding.
    pub(crate) fn into_batch(self, prices: &PriceBook) -> Result<Batch, CommitError> {
        if let Some(error) = self.broken.into_inner() {
            return Err(error);
        }
        let mut batch = self.batch;
        batch.event_memory = event_memory(&prices.policy_at(batch.now));
        for touched in batch.wallets.values_mut() {
            touched.due = wallets::due(&touched.wallet, prices, batch.now);
        }
        Ok(batch)
    }
}

// A decision on a row that was not loaded would be a decision on a guess.
const UNNAMED: &str = "a unit of work names everything it touches";

impl<B: Backend> Loaded for Overlay<'_, B> {
    fn wallet(&self, account: AccountId) -> Option<&Wallet> {
        self.wallets.get(&account).expect(UNNAMED).as_deref()
    }

    fn job(&self, job: JobId) -> Option<&Job> {
        self.rows.jobs.get(&job).expect(UNNAMED).as_ref()
    }

    fn image(&self, image: ImageId) -> Option<&KnownImage> {
        self.rows.images.get(&image).expect(UNNAMED).as_ref()
    }

    fn key(&self, scope: &KeyScope) -> Option<&KeyRecord> {
        self.rows.keys.get(scope).expect(UNNAMED).1.as_ref()
    }

    fn event(&self, event: EventKey) -> Option<&EventRecord> {
        self.rows.events.get(&event)
    }

    fn name_taken(&self, name: &str) -> bool {
        if self.names.contains(name) {
            return true;
        }
        self.backend.name_taken(name).unwrap_or_else(|error| {
            // The group is given up after this unit; what it answers now is never told.
            *self.broken.borrow_mut() = Some(error);
            true
        })
    }
}

//! The group engine of every store: gather what waits, load, decide on copies, commit once, publish, answer.
//!
//! There is no timer: with one caller a group is one unit, and under load groups grow by themselves while the
//! commit before them is on its way to the disk.
//!
//! Invariants:
//! - Memory changes, and callers are answered, only after the commit that carries the change.
//! - A unit sees everything committed and the changes of its group's earlier members, and nothing else.
//! - The instant of a commit is never before that of an earlier one, whatever the clock does.
//! - A commit that fails leaves nothing behind: the group is decided again on fresh copies, then its members
//!   one by one, so that only the unit at fault is told of the failure.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use medici_ledger::{AccountId, PriceBook, Timestamp, Wallet, idempotency::KeyScope};
use medici_studio::{
    Candidate, Changes, Clock, Counters, EventKey, EventRecord, Health, ImageId, Job, JobId, KeyRecord, KnownImage,
    LowBalance, StoreError, Unit, UnitOfWork,
};

use crate::{
    overlay::{Batch, Overlay},
    queue::Queue,
    scope::ScopeHash,
    wallets::{Tail, Wallets},
};

/// Calls that may wait, each of one unit or of several; more are refused as [`StoreError::Overloaded`].
pub const WAITING_MAX: usize = 16_384;
/// Units of one commit, or meter events in them: nothing is added to a group that has so many. Larger groups save no
/// more syncs and make everybody wait longer.
pub const GROUP_MAX: usize = 4_096;
/// How often a full store looks for space.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Why a commit was not made. Nothing of it was kept, except as [`CommitError::Failed`] says.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CommitError {
    /// No space.
    #[error("no space left")]
    Full,
    /// The disk failed. What a restart finds is settled by the idempotency keys.
    #[error("the disk failed: {0}")]
    Failed(String),
    /// The rows were refused, by a constraint or by code.
    #[error("{0}")]
    Refused(String),
}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Full => Self::Full,
            CommitError::Failed(_) | CommitError::Refused(_) => Self::Unavailable(error.to_string()),
        }
    }
}

/// Where rows are kept. Used by the writer thread alone.
pub(crate) trait Backend: Send + 'static {
    /// Returns a committed job.
    fn job(&self, job: JobId) -> Result<Option<Job>, CommitError>;
    /// Returns what committed rows know of an image.
    fn image(&self, image: ImageId) -> Result<Option<KnownImage>, CommitError>;
    /// Returns the committed record of a key.
    fn key(&self, scope: &KeyScope, hash: ScopeHash) -> Result<Option<KeyRecord>, CommitError>;
    /// Calls `found` with the committed record of each of these events that has one, and its place among them.
    fn events(&self, events: &[EventKey], found: &mut dyn FnMut(usize, EventRecord)) -> Result<(), CommitError>;
    /// Returns whether a committed account has that name.
    fn name_taken(&self, name: &str) -> Result<bool, CommitError>;
    /// Makes all rows durable, or none. Returns the wallets that were snapshot with them.
    fn commit(&mut self, batch: &Batch, wallets: &Wallets) -> Result<Vec<Flushed>, CommitError>;
    /// Finds out whether there is space again.
    fn probe(&mut self) -> Result<(), CommitError>;
    /// Does what is due between two commits.
    fn between(&mut self) {}
}

/// A wallet whose snapshot was committed.
pub(crate) struct Flushed {
    pub(crate) account: AccountId,
    pub(crate) snapshot: u64,
    pub(crate) seq: u64,
}

/// What the writer publishes and everybody reads.
pub(crate) struct Shared {
    pub(crate) wallets: Wallets,
    pub(crate) queue: Mutex<Queue>,
    prices: RwLock<Arc<PriceBook>>,
    health: Mutex<Health>,
    units: AtomicU64,
    groups: AtomicU64,
    syncs: AtomicU64,
    entries: AtomicU64,
}

const UNPOISONED: &str = "no code panics while it holds this lock";

impl Shared {
    pub(crate) fn new(wallets: Wallets, queue: Queue, prices: Arc<PriceBook>) -> Self {
        Self {
            wallets,
            queue: Mutex::new(queue),
            prices: RwLock::new(prices),
            health: Mutex::new(Health::Ready),
            units: AtomicU64::new(0),
            groups: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            entries: AtomicU64::new(0),
        }
    }

    pub(crate) fn prices(&self) -> Arc<PriceBook> {
        Arc::clone(&self.prices.read().expect(UNPOISONED))
    }

    fn set_prices(&self, prices: Arc<PriceBook>) {
        *self.prices.write().expect(UNPOISONED) = prices;
    }

    fn set_health(&self, health: Health) {
        let mut current = self.health.lock().expect(UNPOISONED);
        if *current != health {
            tracing::warn!(before = ?*current, after = ?health, "The store's health changed to {health:?}");
            *current = health;
        }
    }
}

/// A running engine: the side on which units go in and memory is read.
pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
    waiting: Option<SyncSender<Call>>,
    writer: Option<JoinHandle<()>>,
}

/// What waits together is decided and committed together.
enum Call {
    One(Box<dyn Unit>),
    Several(Vec<Box<dyn Unit>>),
}

impl Call {
    fn units(self) -> Vec<Box<dyn Unit>> {
        match self {
            Self::One(unit) => vec![unit],
            Self::Several(units) => units,
        }
    }
}

/// Returns how much of a group's bound a unit takes.
fn weight(unit: &dyn Unit) -> usize {
    unit.touches().events.len().max(1)
}

/// Where a store's history stands when its engine starts.
pub(crate) struct Start {
    /// The row of the next entry.
    pub(crate) next_row: u64,
    /// The instant of the last commit.
    pub(crate) last: Timestamp,
}

impl Engine {
    /// Starts the writer thread.
    pub(crate) fn start<B: Backend>(backend: B, shared: Shared, clock: Arc<dyn Clock>, start: Start) -> Self {
        let shared = Arc::new(shared);
        let (waiting, calls) = sync_channel(WAITING_MAX);
        let mut writer =
            Writer { backend, shared: Arc::clone(&shared), clock, next_row: start.next_row, last: start.last };
        let writer = std::thread::Builder::new()
            .name("medici-writer".into())
            .spawn(move || {
                if catch_unwind(AssertUnwindSafe(|| writer.run(&calls))).is_err() {
                    // Whoever waits is told so when the queue is dropped with this closure.
                    writer.shared.set_health(Health::Failed);
                }
            })
            .expect("a process that starts can start a thread");
        Self { shared, waiting: Some(waiting), writer: Some(writer) }
    }

    pub(crate) fn submit(&self, unit: Box<dyn Unit>) {
        self.call(Call::One(unit));
    }

    pub(crate) fn submit_all(&self, units: Vec<Box<dyn Unit>>) {
        if !units.is_empty() {
            self.call(Call::Several(units));
        }
    }

    fn call(&self, call: Call) {
        let waiting = self.waiting.as_ref().expect("the queue is closed only when the engine is dropped");
        match waiting.try_send(call) {
            Ok(()) => {}
            Err(TrySendError::Full(call)) => refuse(call.units(), &StoreError::Overloaded),
            Err(TrySendError::Disconnected(call)) => {
                refuse(call.units(), &StoreError::Unavailable("the store's writer has stopped".into()));
            }
        }
    }

    pub(crate) fn wallet(&self, account: AccountId) -> Option<Wallet> {
        // A packed wallet that cannot be decoded is a broken database: never a balance of nothing.
        let wallet = self.shared.wallets.get(account).expect("a committed wallet can be decoded");
        wallet.map(|wallet| Wallet::clone(&wallet))
    }

    pub(crate) fn set_prices(&self, prices: Arc<PriceBook>) {
        self.shared.set_prices(prices);
    }

    pub(crate) fn prices(&self) -> Arc<PriceBook> {
        self.shared.prices()
    }

    pub(crate) fn candidate(&self) -> Option<Candidate> {
        self.queue(Queue::candidate)
    }

    pub(crate) fn queue<T>(&self, read: impl FnOnce(&Queue) -> T) -> T {
        read(&self.shared.queue.lock().expect(UNPOISONED))
    }

    pub(crate) fn health(&self) -> Health {
        self.shared.health.lock().expect(UNPOISONED).clone()
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            units: self.shared.units.load(Ordering::Relaxed),
            groups: self.shared.groups.load(Ordering::Relaxed),
            syncs: self.shared.syncs.load(Ordering::Relaxed),
            entries: self.shared.entries.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Engine {
    /// Decides and answers what still waits, then stops the writer.
    fn drop(&mut self) {
        self.waiting = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so; there is nobody left to tell.
            let _ = writer.join();
        }
    }
}

struct Writer<B> {
    backend: B,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    next_row: u64,
    last: Timestamp,
}

/// How a unit of a committed group fared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decided {
    Well,
    Panicked,
}

impl<B: Backend> Writer<B> {
    fn run(&mut self, calls: &Receiver<Call>) {
        loop {
            let first = match calls.recv_timeout(PROBE_EVERY) {
                Ok(call) => Some(call),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Some(first) = first {
                self.settle(gather(first, calls));
            } else if self.health() == Health::Full {
                self.probe();
            }
            self.backend.between();
        }
    }

    fn health(&self) -> Health {
        self.shared.health.lock().expect(UNPOISONED).clone()
    }

    fn probe(&mut self) {
        match self.backend.probe() {
            Ok(()) => self.shared.set_health(Health::Ready),
            Err(CommitError::Failed(_)) => self.shared.set_health(Health::Failed),
            Err(CommitError::Full | CommitError::Refused(_)) => {}
        }
    }

    /// Answers every unit of a group, after its commit or after giving up on it.
    fn settle(&mut self, mut group: Vec<Box<dyn Unit>>) {
        self.shared.units.fetch_add(group.len() as u64, Ordering::Relaxed);
        match self.health() {
            Health::Ready => {}
            // Under load nobody times out, so the probe is made here too; it costs as much as a commit.
            Health::Full => self.probe(),
            Health::Failed => {}
        }
        if let Some(error) = self.refusal() {
            return refuse(group, &error);
        }
        let mut failure = None;
        for _ in 0..2 {
            match self.attempt(&mut group) {
                Ok(decided) => return answer(group, &decided),
                Err(error) => failure = Some(error),
            }
            if matches!(failure, Some(CommitError::Failed(_))) {
                break;
            }
        }
        let error = failure.expect("an attempt that did not succeed has failed");
        tracing::error!(units = group.len(), %error, "A group of {} units was not committed: {error}", group.len());
        match error {
            CommitError::Full => self.shared.set_health(Health::Full),
            CommitError::Failed(_) => self.shared.set_health(Health::Failed),
            CommitError::Refused(_) if group.len() > 1 => return self.settle_one_by_one(group),
            CommitError::Refused(_) => {}
        }
        refuse(group, &error.into());
    }

    fn settle_one_by_one(&mut self, group: Vec<Box<dyn Unit>>) {
        for unit in group {
            let mut alone = vec![unit];
            if let Some(error) = self.refusal() {
                refuse(alone, &error);
                continue;
            }
            match self.attempt(&mut alone) {
                Ok(decided) => answer(alone, &decided),
                Err(error) => {
                    match error {
                        CommitError::Full => self.shared.set_health(Health::Full),
                        CommitError::Failed(_) => self.shared.set_health(Health::Failed),
                        CommitError::Refused(_) => {}
                    }
                    refuse(alone, &error.into());
                }
            }
        }
    }

    /// Returns what units are told while the store takes none.
    fn refusal(&self) -> Option<StoreError> {
        match self.health() {
            Health::Ready => None,
            Health::Full => Some(StoreError::Full),
            Health::Failed => Some(StoreError::Unavailable("the disk failed; a restart recovers".into())),
        }
    }

    /// Decides the units on copies and commits what they changed.
    fn attempt(&mut self, units: &mut [Box<dyn Unit>]) -> Result<Vec<Decided>, CommitError> {
        let now = self.clock.now().max(self.last);
        let mut prices = self.shared.prices();
        let wallets = &self.shared.wallets;
        let mut overlay = Overlay::load(&self.backend, wallets, units, self.next_row, now)?;
        let mut decided = Vec::with_capacity(units.len());
        for unit in &mut *units {
            let decide = || unit.decide(UnitOfWork::new(now, &prices, &overlay));
            match catch_unwind(AssertUnwindSafe(decide)) {
                Ok(changes) if overlay.admits(unit.touches(), &changes) => {
                    if let Some(new) = &changes.prices {
                        // Whoever publishes next in this group adds to these.
                        prices = Arc::clone(&new.book);
                    }
                    overlay.apply(wallets, changes);
                    decided.push(Decided::Well);
                }
                Ok(Changes { .. }) => {
                    tracing::error!("A unit of work changed what it had not named");
                    decided.push(Decided::Panicked);
                }
                Err(_) => decided.push(Decided::Panicked),
            }
        }
        let batch = overlay.into_batch(&prices)?;
        if !batch.is_empty() {
            let flushed = self.backend.commit(&batch, wallets)?;
            self.shared.groups.fetch_add(1, Ordering::Relaxed);
            self.shared.syncs.fetch_add(1, Ordering::Relaxed);
            self.shared.entries.fetch_add(batch.entry_count(), Ordering::Relaxed);
            self.publish(batch, flushed);
        }
        Ok(decided)
    }

    fn publish(&mut self, batch: Batch, flushed: Vec<Flushed>) {
        self.last = batch.now;
        if let Some(prices) = &batch.prices {
            self.shared.set_prices(Arc::clone(prices));
        }
        self.next_row += batch.entry_count();
        for LowBalance { account, seq, below, available, .. } in batch.low_balances().filter(|alert| !alert.sandbox) {
            tracing::warn!(
                account.id = %account, entry.seq = seq, %below, %available,
                "The balance of {account} is low: {available} credits available, below {below}"
            );
        }
        let wallets = &self.shared.wallets;
        for (account, touched) in batch.wallets {
            let tail = Tail { last_row: touched.last_row, ..wallets.tail(account) };
            wallets.publish(account, touched.wallet, tail, touched.due);
        }
        for Flushed { account, snapshot, seq } in flushed {
            wallets.flushed(account, snapshot, seq);
        }
        if !batch.jobs.is_empty() {
            let mut queue = self.shared.queue.lock().expect(UNPOISONED);
            batch.jobs.iter().for_each(|job| queue.update(job));
        }
    }
}

/// Gathers what waits, up to the bound of a group.
fn gather(first: Call, calls: &Receiver<Call>) -> Vec<Box<dyn Unit>> {
    let mut group = first.units();
    let mut weighs: usize = group.iter().map(|unit| weight(&**unit)).sum();
    while weighs < GROUP_MAX
        && let Ok(call) = calls.try_recv()
    {
        let from = group.len();
        match call {
            Call::One(unit) => group.push(unit),
            Call::Several(units) => group.extend(units),
        }
        weighs += group[from..].iter().map(|unit| weight(&**unit)).sum::<usize>();
    }
    group
}

fn answer(group: Vec<Box<dyn Unit>>, decided: &[Decided]) {
    for (unit, decided) in group.into_iter().zip(decided) {
        unit.answer(match decided {
            Decided::Well => Ok(()),
            Decided::Panicked => Err(StoreError::Unavailable("the decision panicked; nothing was kept".into())),
        });
    }
}

fn refuse(group: Vec<Box<dyn Unit>>, error: &StoreError) {
    for unit in group {
        unit.answer(Err(error.clone()));
    }
}

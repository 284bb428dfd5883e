//! The unit of work: what is decided together and committed together.
//!
//! A use case implements [`Decide`]: a pure function from loaded, locked copies to a reply and changes. The
//! store gathers units, loads what they touch, decides each in order, writes all changes in one commit, and
//! only then answers. So a decision must be repeatable: it may run again on other copies if a commit fails.

use std::{borrow::Cow, collections::HashMap, hash::BuildHasherDefault};

use medici_ledger::{
    AccountId, Bodies, Booked, Charge, Command, Credits, Entry, PriceBook, Refusal, Reply, Session, Timestamp, Wallet,
    idempotency::{Fingerprint, Keep, KeyScope, Verdict, event_memory, judge},
};
use tokio::sync::oneshot;

use crate::{
    account::{Account, ApiKey},
    ids::{ImageId, JobId},
    job::{DeletedImage, Image, Job, KnownImage},
    meter::{EventFingerprint, EventHasher, EventKey, EventRecord},
    publish_prices::NewPrices,
    store::{Store, StoreError},
};

/// What an idempotency key stands for: enough to rebuild the reply from committed rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// The key made this job.
    Job(JobId),
    /// The key appended this entry to its account.
    Entry {
        /// The entry itself: it is immutable, so its copy is as good as its row.
        entry: Box<Entry>,
        /// What was available right after it.
        available: medici_ledger::Credits,
    },
}

/// An idempotency record whose outcome is a [`Kept`].
pub type KeyRecord = medici_ledger::idempotency::KeyRecord<Kept>;

/// A pure decision of one use case.
pub trait Decide: Send + 'static {
    /// What the caller is told.
    type Reply: Send + 'static;
    /// Why the caller is refused. A refusal changes nothing.
    type Refusal: Send + 'static;

    /// Names everything the decision may look at, so that the store can load and lock it.
    fn touches(&self) -> Touches;
    /// Decides. Pure; may be called again on other copies.
    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Reply, Self::Refusal>;
}

/// What a decision may look at. Wallets are locked before jobs, everywhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Touches {
    /// The wallets.
    pub wallets: Vec<AccountId>,
    /// The jobs.
    pub jobs: Vec<JobId>,
    /// The images.
    pub images: Vec<ImageId>,
    /// The idempotency keys.
    pub keys: Vec<KeyScope>,
    /// The meter events.
    pub events: Vec<EventKey>,
}

impl Touches {
    /// Touches one wallet.
    pub fn wallet(account: AccountId) -> Self {
        Self { wallets: vec![account], ..Self::default() }
    }
    /// Also touches a job.
    pub fn job(mut self, job: JobId) -> Self {
        self.jobs.push(job);
        self
    }
    /// Also touches images.
    pub fn images(mut self, images: impl IntoIterator<Item = ImageId>) -> Self {
        self.images.extend(images);
        self
    }
    /// Also touches an idempotency key, if there is one.
    pub fn key(mut self, key: Option<&KeyScope>) -> Self {
        self.keys.extend(key.cloned());
        self
    }
}

/// Committed state plus the changes of the group's earlier members. The store's side of a unit of work.
pub trait Loaded {
    /// Returns the wallet; `None` if the account does not exist.
    fn wallet(&self, account: AccountId) -> Option<&Wallet>;
    /// Returns the job; `None` if there is none.
    fn job(&self, job: JobId) -> Option<&Job>;
    /// Returns what is known of the image; `None` if there never was one.
    fn image(&self, image: ImageId) -> Option<&KnownImage>;
    /// Returns what is kept under an idempotency key.
    fn key(&self, scope: &KeyScope) -> Option<&KeyRecord>;
    /// Returns what is kept of a meter event.
    fn event(&self, event: EventKey) -> Option<&EventRecord>;
    /// Returns whether an account of that name exists.
    fn name_taken(&self, name: &str) -> bool;
}

/// One decision's view and its changes so far.
pub struct UnitOfWork<'a> {
    now: Timestamp,
    prices: &'a PriceBook,
    loaded: &'a dyn Loaded,
    sessions: Vec<Session<'a>>,
    /// How many events this unit is about.
    room: usize,
    /// Where in `changes` the events are that this unit charged.
    events: HashMap<EventKey, usize, BuildHasherDefault<EventHasher>>,
    changes: Changes,
}

/// The rows a unit of work adds or replaces. All of them in one commit, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Wallets after the unit, each with the entries to append, in order.
    pub wallets: Vec<WalletChange>,
    /// Jobs to insert or replace.
    pub jobs: Vec<Job>,
    /// Images to insert.
    pub images: Vec<Image>,
    /// Images to remove, and what to keep of them.
    pub deleted_images: Vec<DeletedImage>,
    /// Idempotency records to insert.
    pub keys: Vec<KeyRecord>,
    /// Records of meter events to insert.
    pub events: Vec<EventRecord>,
    /// Accounts to insert.
    pub accounts: Vec<Account>,
    /// API keys to insert or replace.
    pub api_keys: Vec<ApiKey>,
    /// Price versions to insert, and the book that is in force with them.
    pub prices: Option<NewPrices>,
}

/// A wallet after a unit of work, and the entries that led there.
#[derive(Clone, Debug, PartialEq)]
pub struct WalletChange {
    /// The wallet after the last entry.
    pub wallet: Wallet,
    /// The entries, in order; never empty.
    pub entries: Vec<Entry>,
    /// The bytes of the entries, in the same order.
    pub bodies: Bodies,
}

impl<'a> UnitOfWork<'a> {
    /// Begins a decision at an instant that is not before any committed one.
    pub fn new(now: Timestamp, prices: &'a PriceBook, loaded: &'a dyn Loaded) -> Self {
        let (sessions, events, changes) = (Vec::new(), HashMap::default(), Changes::default());
        Self { now, prices, loaded, sessions, room: 0, events, changes }
    }

    /// Makes room for what is kept of so many events.
    fn make_room(&mut self, events: usize) {
        self.room = events;
        self.events.reserve(events);
        self.changes.events.reserve_exact(events);
    }

    /// Returns the instant of the whole commit.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns an account's time: the instant of the commit, or what a sandbox's own clock says.
    pub fn time_of(&self, account: AccountId) -> Timestamp {
        self.wallet(account).map_or(self.now, |wallet| wallet.own_time(self.now))
    }

    /// Returns the price book in force.
    pub fn prices(&self) -> &'a PriceBook {
        self.prices
    }

    /// Returns the wallet as this decision has left it.
    pub fn wallet(&self, account: AccountId) -> Option<&Wallet> {
        let changed = self.session_of(account).filter(|session| session.wallet().seq() > 0);
        changed.map(Session::wallet).or_else(|| self.loaded.wallet(account))
    }

    /// Returns what the account can hold now; `None` if it does not exist.
    pub fn available(&mut self, account: AccountId) -> Option<Credits> {
        self.wallet(account)?;
        Some(self.session(account).available())
    }

    /// Runs a ledger command on an account's wallet and keeps its entries.
    ///
    /// A refusal leaves this unit as it was; the caller may try another command.
    pub fn ledger(&mut self, account: AccountId, command: &Command) -> Result<Reply, Refusal> {
        self.session(account).decide(command)
    }

    /// Charges an account: many times in one unit at little cost. A refusal leaves this unit as it was.
    pub fn charge(&mut self, account: AccountId, asked: Charge) -> Result<(), Refusal> {
        self.session(account).charge(asked)
    }

    /// Returns the entries appended to an account so far in this unit.
    pub fn entries(&self, account: AccountId) -> &[Entry] {
        self.session_of(account).map_or(&[], Session::entries)
    }

    fn session_of(&self, account: AccountId) -> Option<&Session<'a>> {
        self.sessions.iter().find(|session| session.wallet().account() == account)
    }

    fn session(&mut self, account: AccountId) -> &mut Session<'a> {
        let found = self.sessions.iter().position(|session| session.wallet().account() == account);
        let at = found.unwrap_or_else(|| {
            let wallet = self.loaded.wallet(account).map_or_else(|| Cow::Owned(Wallet::new(account)), Cow::Borrowed);
            self.sessions.push(Session::new(wallet, self.prices, self.now).with_room(self.room));
            self.sessions.len() - 1
        });
        &mut self.sessions[at]
    }

    /// Returns the job as this decision has left it.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.changes.jobs.iter().find(|job| job.id == id).or_else(|| self.loaded.job(id))
    }

    /// Inserts or replaces a job.
    pub fn put_job(&mut self, job: Job) {
        self.changes.jobs.retain(|earlier| earlier.id != job.id);
        self.changes.jobs.push(job);
    }

    /// Inserts an image.
    pub fn put_image(&mut self, image: Image) {
        self.changes.images.push(image);
    }

    /// Returns what is known of an image; what this decision itself does to it is not seen.
    pub fn image(&self, id: ImageId) -> Option<&KnownImage> {
        self.loaded.image(id)
    }

    /// Deletes an image as of this instant. Its file is the caller's to remove, once this is committed.
    pub fn delete_image(&mut self, image: &Image) {
        let Image { id, job, account, .. } = *image;
        self.changes.deleted_images.push(DeletedImage { id, job, account, deleted_at: self.now });
    }

    /// Inserts an account.
    pub fn put_account(&mut self, account: Account) {
        self.changes.accounts.push(account);
    }

    /// Returns whether an account of that name exists.
    pub fn name_taken(&self, name: &str) -> bool {
        self.loaded.name_taken(name)
    }

    /// Inserts or replaces an API key.
    pub fn put_api_key(&mut self, key: ApiKey) {
        self.changes.api_keys.push(key);
    }

    /// Publishes price versions: they count for every unit of work after this one.
    pub fn put_prices(&mut self, prices: NewPrices) {
        self.changes.prices = Some(prices);
    }

    /// Returns what an idempotency key stands for, if this request is a repeat.
    pub fn earlier(&self, key: Option<&KeyUse>) -> Result<Option<&Kept>, KeyReused> {
        let Some(key) = key else { return Ok(None) };
        match judge(self.loaded.key(&key.scope), key.fingerprint, self.now) {
            Verdict::New => Ok(None),
            Verdict::Replay(kept) => Ok(Some(kept)),
            Verdict::Reused => Err(KeyReused),
        }
    }

    /// Keeps what this request did under its idempotency key, in the same commit.
    pub fn remember(&mut self, key: Option<&KeyUse>, kept: Kept) {
        if let Some(key) = key {
            self.changes.keys.push(KeyRecord {
                scope: key.scope.clone(),
                fingerprint: key.fingerprint,
                outcome: kept,
                recorded_at: self.now,
                keep: key.keep,
            });
        }
    }

    /// Returns what a meter event was charged, if it was charged before.
    pub fn earlier_event(
        &self,
        event: EventKey,
        fingerprint: EventFingerprint,
    ) -> Result<Option<Credits>, EventReused> {
        let own = self.events.get(&event).map(|at| &self.changes.events[*at]);
        let memory = || event_memory(&self.prices.policy_at(self.now));
        match own.or_else(|| self.loaded.event(event)) {
            Some(record) if self.now.since(record.recorded_at) >= memory() => Ok(None),
            Some(record) if record.fingerprint == fingerprint => Ok(Some(record.credits)),
            Some(_) => Err(EventReused),
            None => Ok(None),
        }
    }

    /// Keeps what a meter event was charged, in the same commit.
    pub fn remember_event(&mut self, event: EventKey, fingerprint: EventFingerprint, credits: Credits) {
        self.events.insert(event, self.changes.events.len());
        self.changes.events.push(EventRecord { event, fingerprint, credits, recorded_at: self.now });
    }

    /// Ends the decision and hands its changes to the store.
    pub fn into_changes(self) -> Changes {
        let booked = self.sessions.into_iter().filter_map(Session::end);
        let wallets = booked.map(|Booked { wallet, entries, bodies }| WalletChange { wallet, entries, bodies });
        Changes { wallets: wallets.collect(), ..self.changes }
    }
}

/// An idempotency key as one request uses it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyUse {
    /// Whose key it is, and where it was used.
    pub scope: KeyScope,
    /// The canonical hash of what the client sent.
    pub fingerprint: Fingerprint,
    /// How long it is kept.
    pub keep: Keep,
}

/// The key was used before, for another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this idempotency key was used before with another request")]
pub struct KeyReused;

/// The id of the meter event was used before, for another event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this event's id was used before with another content")]
pub struct EventReused;

/// A decision as the store sees it: without its types, with its answer inside.
pub trait Unit: Send {
    /// Returns what to load.
    fn touches(&self) -> &Touches;
    /// Decides on these copies and keeps the reply. Returns the changes; a refusal has none.
    fn decide(&mut self, work: UnitOfWork<'_>) -> Changes;
    /// Tells the caller: its reply if the commit succeeded, else the error. Called once, after the commit.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// The store's answer, with the decision's own inside.
pub type Answer<D> = Result<Result<<D as Decide>::Reply, <D as Decide>::Refusal>, StoreError>;

struct Pending<D: Decide> {
    decision: D,
    touches: Touches,
    reply: Option<Result<D::Reply, D::Refusal>>,
    caller: oneshot::Sender<Answer<D>>,
}

impl<D: Decide> Unit for Pending<D> {
    fn touches(&self) -> &Touches {
        &self.touches
    }

    fn decide(&mut self, mut work: UnitOfWork<'_>) -> Changes {
        work.make_room(self.touches.events.len());
        let reply = self.decision.decide(&mut work);
        let changes = if reply.is_ok() { work.into_changes() } else { Changes::default() };
        self.reply = Some(reply);
        changes
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { reply, caller, .. } = *self;
        let answer = committed.map(|()| reply.expect("a unit is decided before it is answered"));
        // A caller that stopped waiting finds its outcome by its idempotency key.
        let _ = caller.send(answer);
    }
}

/// Submits a decision and waits until its outcome is durable.
///
/// The outer error is the store's, the inner one the decision's own refusal.
pub async fn decide<D: Decide>(store: &dyn Store, decision: D) -> Answer<D> {
    let (caller, answer) = oneshot::channel();
    let touches = decision.touches();
    store.submit(Box::new(Pending { decision, touches, reply: None, caller }));
    answer.await.unwrap_or_else(|_| Err(stopped()))
}

/// Submits decisions that are committed together, and waits until the outcome of all is durable.
///
/// They are decided in order. A commit that fails is tried again with each of them alone, so some answers may be
/// errors while others are not.
pub async fn decide_all<D: Decide>(store: &dyn Store, decisions: Vec<D>) -> Vec<Answer<D>> {
    let mut units: Vec<Box<dyn Unit>> = Vec::with_capacity(decisions.len());
    let mut answers = Vec::with_capacity(decisions.len());
    for decision in decisions {
        let (caller, answer) = oneshot::channel();
        let touches = decision.touches();
        units.push(Box::new(Pending { decision, touches, reply: None, caller }));
        answers.push(answer);
    }
    store.submit_all(units);
    let mut answered = Vec::with_capacity(answers.len());
    for answer in answers {
        answered.push(answer.await.unwrap_or_else(|_| Err(stopped())));
    }
    answered
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the store stopped before it answered".into())
}

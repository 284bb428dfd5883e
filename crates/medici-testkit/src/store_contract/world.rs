//! A small world to test stores in: a clock, a price book, accounts, and decisions written as closures.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use medici_ledger::{
    AccountId, Command, Credits, Entry, HoldId, Operation, OperationPrice, PlanTerms, PriceBook, PriceVersion, Quote,
    Refusal, Reply, Timestamp, Usage,
    idempotency::{Endpoint, Fingerprint, Keep, KeyScope},
};
use medici_studio::{
    Answer, BlobHash, Decide, FileFormat, Ids, Job, JobId, JobState, Kept, KeyReused, KeyUse, Lease, Output, Source,
    Store, Touches, UnitOfWork, decide,
    engine::{Background, Size, Spec},
    moderation::Zeal,
};

use super::{Open, StoreUnderTest};
use crate::{ManualClock, SeededIds};

/// A store under test and what it was opened with.
pub struct World {
    /// The store's clock.
    pub clock: Arc<ManualClock>,
    /// The store's prices.
    pub prices: Arc<PriceBook>,
    /// Names for whatever is made.
    pub ids: SeededIds,
    /// The store.
    pub under_test: Box<dyn StoreUnderTest>,
    runtime: tokio::runtime::Runtime,
}

/// Where the clock stands at first.
pub const START: &str = "2026-11-01T00:00:00Z";

impl World {
    /// Opens an empty store.
    pub fn new(open: Open<'_>) -> Self {
        let clock = Arc::new(ManualClock::at(START.parse().expect("an instant")));
        let prices = Arc::new(prices());
        let under_test = open(Arc::clone(&clock), Arc::clone(&prices));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { clock, prices, ids: SeededIds::new(7), under_test, runtime }
    }

    /// Returns the running store.
    pub fn store(&self) -> &dyn Store {
        self.under_test.store()
    }

    /// Stops the store and opens it again.
    pub fn reopen(self) -> Self {
        Self { under_test: self.under_test.reopen(), ..self }
    }

    /// Runs a future to its end.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Runs one decision to its end.
    pub fn run<D: Decide>(&self, decision: D) -> Answer<D> {
        self.wait(decide(self.store(), decision))
    }

    /// Runs decisions that are all submitted before any is awaited, so that the store may group them.
    pub fn run_all<D: Decide>(&self, decisions: Vec<D>) -> Vec<Answer<D>> {
        self.wait(futures_util::future::join_all(decisions.into_iter().map(|decision| decide(self.store(), decision))))
    }

    /// Opens a fresh account on the free plan: 15 credits a month.
    pub fn account(&self) -> AccountId {
        let account = AccountId::from_u128(self.ids.next());
        self.run(command(account, open())).expect("the store is well").expect("a new account opens");
        account
    }

    /// Returns what an account could hold at its last entry.
    pub fn available(&self, account: AccountId) -> Credits {
        let wallet = self.store().wallet(account).expect("the account exists");
        wallet.balances(&self.prices, wallet.recorded_at()).available
    }

    /// Makes a charge of one credit under a key.
    pub fn charge(&self, account: AccountId, key: &str) -> Charge {
        let charge = HoldId::from_u128(self.ids.next());
        Charge { account, charge, key: key_use(account, key, Keep::Day) }
    }

    /// Reads every entry of an account, oldest first.
    pub fn entries(&self, account: AccountId) -> Vec<Entry> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.wait(self.store().entries(account, cursor, 7)).expect("entries can be read");
            all.extend(page.entries);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        all.reverse();
        all
    }

    /// Puts a queued job with its hold.
    pub fn job(&self, account: AccountId) -> Job {
        let job = job(&self.ids, account, &self.prices);
        let put = job.clone();
        self.run(act(Touches::wallet(account).job(job.id), move |work| {
            let command = Command::hold(put.hold, put.quote.clone(), HOUR);
            work.ledger(put.account, &command)?;
            work.put_job(put.clone());
            Ok::<_, Refusal>(())
        }))
        .expect("the store is well")
        .expect("there are credits");
        job
    }

    /// Claims the store's candidate and returns it.
    pub fn claim(&self, worker: &str) -> Option<Job> {
        let candidate = self.store().candidate()?;
        let worker = worker.to_owned();
        let claimed = self.run(act(Touches::wallet(candidate.account).job(candidate.job), move |work| {
            let mut job = work.job(candidate.job).cloned().ok_or(())?;
            let now = work.now();
            job.attempts += 1;
            job.state = JobState::Running(Lease {
                worker: worker.clone(),
                token: job.attempts.into(),
                started_at: now,
                expires_at: now.plus(Duration::from_secs(30)).ok_or(())?,
            });
            work.put_job(job.clone());
            Ok::<_, ()>(job)
        }));
        Some(claimed.expect("the store is well").expect("a candidate can be claimed"))
    }
}

/// The timeout of the holds that are made here.
pub const HOUR: Duration = Duration::from_secs(3600);

/// Returns prices with one operation, `generate`, of 1 credit, and the plans `free` (15 a month) and `rich`.
pub fn prices() -> PriceBook {
    let one = OperationPrice::per_operation(Credits::whole(1), 4);
    PriceBook::new(vec![PriceVersion {
        effective_at: "2026-01-01T00:00:00Z".parse().expect("an instant"),
        operations: [(Operation::Generate, one)].into(),
        plans: [
            ("free".parse().expect("a name"), PlanTerms::monthly(Credits::whole(15))),
            ("rich".parse().expect("a name"), PlanTerms::monthly(Credits::whole(1_000_000))),
        ]
        .into(),
        ..PriceVersion::default()
    }])
    .expect("the prices are sound")
}

/// Returns the command that opens an account on the free plan.
pub fn open() -> Command {
    Command::open("free".parse().expect("a name"))
}

/// Returns the price of four pictures.
pub fn quote(prices: &PriceBook, now: Timestamp) -> Quote {
    prices.quote(&Usage::of(Operation::Generate, 4), now).expect("generate has a price")
}

/// Returns the use of an idempotency key whose request is its own name.
pub fn key_use(account: AccountId, key: &str, keep: Keep) -> KeyUse {
    KeyUse {
        scope: KeyScope { account, endpoint: Endpoint("POST /api/charges".into()), key: key.into() },
        fingerprint: Fingerprint::of([key.as_bytes()]),
        keep,
    }
}

/// Returns a queued job that no store knows yet.
pub fn job(ids: &SeededIds, account: AccountId, prices: &PriceBook) -> Job {
    let now: Timestamp = START.parse().expect("an instant");
    Job {
        id: JobId::from_u128(ids.next()),
        account,
        api_key: None,
        operation: Operation::Generate,
        model: "dall-e-2".into(),
        spec: Spec {
            prompt: "a red fox".into(),
            count: 4,
            size: Size::square(256),
            seed: u64::MAX,
            background: Background::Auto,
            steps: None,
            previews: 3,
            readings: vec!["a red fox, painted".to_owned()],
        },
        source: Source::Vary { image: BlobHash([7; 32]), latent: Some(vec![1, 2, 255]) },
        output: Output { format: FileFormat::Jpeg, compression: 80 },
        keep_prompt: true,
        zeal: Zeal::Low,
        quality: Some("hd".to_owned()),
        quote: quote(prices, now),
        hold: HoldId::from_u128(ids.next()),
        notice: None,
        attended: true,
        state: JobState::Queued,
        attempts: 0,
        created_at: now,
        deleted_at: None,
    }
}

/// A decision written as a closure.
pub struct Act<F, T, E> {
    touches: Touches,
    act: F,
    answer: PhantomData<fn() -> (T, E)>,
}

/// Makes a decision of a closure.
pub fn act<F, T, E>(touches: Touches, act: F) -> Act<F, T, E>
where
    F: Fn(&mut UnitOfWork<'_>) -> Result<T, E> + Send + 'static,
{
    Act { touches, act, answer: PhantomData }
}

impl<F, T, E> Decide for Act<F, T, E>
where
    F: Fn(&mut UnitOfWork<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    type Reply = T;
    type Refusal = E;

    fn touches(&self) -> Touches {
        self.touches.clone()
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<T, E> {
        (self.act)(work)
    }
}

/// One ledger command as a decision.
pub fn command(
    account: AccountId,
    command: Command,
) -> Act<impl Fn(&mut UnitOfWork<'_>) -> Result<Reply, Refusal> + Send + 'static, Reply, Refusal> {
    act(Touches::wallet(account), move |work| work.ledger(account, &command))
}

/// A charge of one credit with an idempotency key, as the use case makes it.
#[derive(Clone)]
pub struct Charge {
    /// Who pays.
    pub account: AccountId,
    /// The charge's name.
    pub charge: HoldId,
    /// The request's name.
    pub key: KeyUse,
}

#[derive(Debug, PartialEq)]
/// Why a charge was not made.
pub enum ChargeRefused {
    /// The wallet refused it.
    Ledger(Refusal),
    /// The key belongs to another request.
    KeyReused,
}

impl From<KeyReused> for ChargeRefused {
    fn from(_: KeyReused) -> Self {
        Self::KeyReused
    }
}

impl Decide for Charge {
    type Reply = (Entry, Credits);
    type Refusal = ChargeRefused;

    fn touches(&self) -> Touches {
        Touches::wallet(self.account).key(Some(&self.key.scope))
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Reply, Self::Refusal> {
        if let Some(Kept::Entry { entry, available }) = work.earlier(Some(&self.key))? {
            return Ok((Entry::clone(entry), *available));
        }
        let charge = Command::charge(self.charge, quote(work.prices(), work.now()));
        work.ledger(self.account, &charge).map_err(ChargeRefused::Ledger)?;
        let wallet = work.wallet(self.account).expect("a wallet that was charged exists");
        let available = wallet.balances(work.prices(), work.now()).available;
        let entry = work.entries(self.account).last().expect("a charge is an entry").clone();
        work.remember(Some(&self.key), Kept::Entry { entry: Box::new(entry.clone()), available });
        Ok((entry, available))
    }
}

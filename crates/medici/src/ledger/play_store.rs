//! A real store as the subject of a scenario: its units of work, its commits, and a clock that the scenario sets.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use anyhow::{Context, Result};
use futures_util::future::join_all;
use medici_ledger::{
    AccountId, Command, Entry, Fact, Hold, PriceBook, Reply, Slice, Timestamp, Wallet,
    idempotency::{Endpoint, Keep, KeyScope},
    scenario::{Key, Outcome, Step, Subject},
};
use medici_store::{Embedded, Memory, Options};
use medici_studio::{Clock, Decide, Kept, KeyReused, KeyUse, Store, Touches, UnitOfWork, decide};
use tokio::runtime::Runtime;

use crate::machine::{hex, random};

/// A store that plays scenarios.
pub(crate) struct StoreSubject {
    runtime: Runtime,
    clock: Arc<SetClock>,
    /// `None` only while a crash replaces it.
    store: Option<Kind>,
    prices: Arc<PriceBook>,
}

enum Kind {
    Memory(Memory),
    Sqlite(Box<Embedded>, Scratch),
}

/// A directory that is gone when the play is over.
struct Scratch(std::path::PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Tells the instant of the scenario's line.
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

impl StoreSubject {
    /// A subject on the store in memory.
    pub(crate) fn memory() -> Result<Self> {
        Self::new(|clock, prices| Ok(Kind::Memory(Memory::new(clock, prices))))
    }

    /// A subject on an embedded store in a directory of its own.
    pub(crate) fn sqlite() -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("medici-play-{}-{}", COUNT.fetch_add(1, Ordering::Relaxed), hex(&random::<8>()));
        let scratch = Scratch(std::env::temp_dir().join(name));
        Self::new(|clock, prices| {
            let store = Embedded::open(&scratch.0, clock, prices, &Options::default())?;
            Ok(Kind::Sqlite(Box::new(store), scratch))
        })
    }

    fn new(open: impl FnOnce(Arc<dyn Clock>, Arc<PriceBook>) -> Result<Kind>) -> Result<Self> {
        let clock = Arc::new(SetClock(AtomicI64::new(0)));
        let prices: Arc<PriceBook> = Arc::default();
        let store = open(clock.clone(), prices.clone()).context("cannot open a store to play on")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, clock, store: Some(store), prices })
    }

    fn store(&self) -> &dyn Store {
        match self.store.as_ref().expect("a store is missing only within a crash") {
            Kind::Memory(store) => store,
            Kind::Sqlite(store, _) => &**store,
        }
    }
}

impl Subject for StoreSubject {
    fn set_prices(&mut self, book: &PriceBook) {
        self.prices = Arc::new(book.clone());
        match self.store.as_ref().expect("a store is missing only within a crash") {
            Kind::Memory(store) => store.set_prices(self.prices.clone()),
            Kind::Sqlite(store, _) => store.set_prices(self.prices.clone()),
        }
    }

    fn run(&mut self, step: &Step) -> Outcome {
        self.run_together(std::slice::from_ref(step)).remove(0)
    }

    fn run_together(&mut self, steps: &[Step]) -> Vec<Outcome> {
        let Some(first) = steps.first() else { return Vec::new() };
        self.clock.0.store(first.at.micros(), Ordering::SeqCst);
        let units = steps.iter().map(|step| decide(self.store(), Unit { step: step.clone() }));
        let answers = self.runtime.block_on(join_all(units));
        answers
            .into_iter()
            .map(|answer| answer.expect("the store of a play does not fail").unwrap_or_else(|no| no))
            .collect()
    }

    fn wallet(&mut self, account: AccountId) -> Wallet {
        self.store().wallet(account).unwrap_or_else(|| Wallet::new(account))
    }

    fn entries(&mut self, account: AccountId) -> Vec<Entry> {
        self.runtime.block_on(super::all_entries(self.store(), account)).expect("the store of a play does not fail")
    }

    /// Closes the store, with everything that is only in memory, and opens what it has kept.
    fn crash(&mut self) {
        self.store = Some(match self.store.take().expect("a store is missing only within a crash") {
            Kind::Memory(store) => Kind::Memory(store.reopen()),
            Kind::Sqlite(store, scratch) => {
                drop(store);
                let clock: Arc<dyn Clock> = self.clock.clone();
                let store = Embedded::open(&scratch.0, clock, self.prices.clone(), &Options::default());
                Kind::Sqlite(Box::new(store.expect("a store that was closed opens again")), scratch)
            }
        });
    }
}

/// One step as a unit of work: the same idempotency rules and commits as the use cases.
struct Unit {
    step: Step,
}

impl Unit {
    fn key(&self) -> Option<KeyUse> {
        let Key { endpoint, key, fingerprint } = self.step.key.clone()?;
        let scope = KeyScope { account: self.step.account, endpoint: Endpoint(endpoint), key };
        let keep = if matches!(self.step.command, Command::Grant { .. }) { Keep::Forever } else { Keep::Day };
        Some(KeyUse { scope, fingerprint, keep })
    }
}

impl Decide for Unit {
    type Reply = Outcome;
    type Refusal = Outcome;

    fn touches(&self) -> Touches {
        Touches::wallet(self.step.account).key(self.key().as_ref().map(|key| &key.scope))
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Outcome, Outcome> {
        let (account, command) = (self.step.account, &self.step.command);
        let key = self.key();
        match work.earlier(key.as_ref()) {
            Ok(None) => {}
            Ok(Some(Kept::Entry { entry, .. })) => return Ok(Outcome::Replayed(reply_of(entry))),
            Ok(Some(Kept::Job(_))) | Err(KeyReused) => return Err(Outcome::KeyReused),
        }
        let reply = work.ledger(account, command).map_err(Outcome::Refused)?;
        // A command that repeats an earlier one appends nothing of its own, so there is nothing to keep: its own
        // repeat is answered by the wallet again.
        let own = work.entries(account).last().filter(|entry| is_of(&entry.fact, command)).cloned();
        if let Some(entry) = own {
            let wallet = work.wallet(account).expect("a wallet with an entry exists");
            let available = wallet.balances(work.prices(), work.now()).available;
            work.remember(key.as_ref(), Kept::Entry { entry: Box::new(entry), available });
        }
        Ok(Outcome::Done(reply))
    }
}

/// Returns whether a fact is what this command makes, rather than what time made true before it.
fn is_of(fact: &Fact, command: &Command) -> bool {
    match command {
        Command::Open { .. } => matches!(fact, Fact::Opened { .. }),
        Command::Grant { .. } => matches!(fact, Fact::Granted(_)),
        Command::Hold { hold, .. } => matches!(fact, Fact::Held { hold: of, .. } if of == hold),
        Command::Extend { hold, .. } => matches!(fact, Fact::Extended { hold: of, .. } if of == hold),
        Command::Capture { hold, .. } => matches!(fact, Fact::Captured { hold: of, .. } if of == hold),
        Command::Void { hold, .. } => matches!(fact, Fact::Voided { hold: of, .. } if of == hold),
        Command::Charge { charge, .. } => matches!(fact, Fact::Charged { charge: of, .. } if of == charge),
        Command::Uncollected { hold, .. } => matches!(fact, Fact::Uncollected { hold: of, .. } if of == hold),
        Command::Settle => false,
    }
}

/// Rebuilds the answer from the entry that it was about.
fn reply_of(entry: &Entry) -> Reply {
    match &entry.fact {
        Fact::Opened { .. } => Reply::Opened,
        Fact::Granted(grant) => Reply::Granted(grant.lot),
        Fact::Held { hold, quote, slices, expires_at } => Reply::Held(Hold {
            id: *hold,
            amount: quote.amount,
            quote: quote.clone(),
            slices: slices.clone(),
            placed_at: entry.effective_at,
            expires_at: *expires_at,
        }),
        Fact::Extended { expires_at, .. } => Reply::Extended { expires_at: *expires_at },
        Fact::Captured { hold, amount, captured, .. } => {
            Reply::Captured { hold: *hold, amount: *amount, slices: captured.clone() }
        }
        Fact::Voided { hold, released, .. } => Reply::Voided { hold: *hold, released: sum(released) },
        Fact::Charged { charge, quote, slices } => {
            Reply::Charged { charge: *charge, amount: quote.amount, slices: slices.clone() }
        }
        Fact::Uncollected { .. } => Reply::Uncollected,
        Fact::HoldExpired { .. } | Fact::LotExpired { .. } => {
            unreachable!("what time makes true is never kept under a key")
        }
    }
}

fn sum(slices: &[Slice]) -> medici_ledger::Credits {
    let sum = slices.iter().try_fold(medici_ledger::Credits::ZERO, |sum, slice| sum.checked_add(slice.amount));
    sum.expect("the slices of a hold sum to what was held")
}

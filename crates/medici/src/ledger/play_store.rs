//! A real store as the subject of a scenario: its units of work, its commits, and a clock that the scenario sets.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use anyhow::Result;
use futures_util::future::join_all;
use medici_ledger::{
    AccountId, Entry, Fact, Hold, Money, PriceBook, Reply, ReversalState, Slice, Timestamp, Wallet,
    idempotency::{Endpoint, Keep, KeyScope},
    scenario::{Key, Outcome, Step, Subject},
};
use medici_store::{Embedded, Memory, Options};
use medici_studio::{Clock, Decide, Kept, KeyReused, KeyUse, Store, Touches, UnitOfWork, decide};
use tokio::runtime::Runtime;

use crate::machine::{hex, random};

/// Stores that play a scenario: one, unless the scenario tells an account's story after a later one's.
///
/// A store never goes back in time, so an account whose first line is earlier than what the others have booked
/// gets a store of its own. No decision crosses accounts, so it decides the same there.
pub(crate) struct StoreSubject {
    runtime: Runtime,
    kind: Kind,
    stores: Vec<Placed>,
    homes: HashMap<AccountId, usize>,
    prices: Arc<PriceBook>,
}

/// What kind of store is played on.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// In memory.
    Memory,
    /// On a disk.
    Sqlite,
}

/// One store, its clock and the last instant that it was asked at.
struct Placed {
    clock: Arc<SetClock>,
    /// `None` only while a crash replaces it.
    open: Option<Open>,
    last: Timestamp,
}

enum Open {
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

const OPEN: &str = "a store is missing only within a crash";
const SOUND: &str = "the store of a play does not fail";

impl Placed {
    fn new(kind: Kind, prices: Arc<PriceBook>) -> Self {
        let clock = Arc::new(SetClock(AtomicI64::new(0)));
        let open = match kind {
            Kind::Memory => Open::Memory(Memory::new(clock.clone(), prices)),
            Kind::Sqlite => {
                let scratch = Scratch(std::env::temp_dir().join(format!("medici-play-{}", hex(&random::<8>()))));
                let store = Embedded::open(&scratch.0, clock.clone(), prices, &Options::new(&random()));
                Open::Sqlite(Box::new(store.expect("the directory for temporary files takes a store")), scratch)
            }
        };
        Self { clock, open: Some(open), last: Timestamp::MIN }
    }

    fn store(&self) -> &dyn Store {
        match self.open.as_ref().expect(OPEN) {
            Open::Memory(store) => store,
            Open::Sqlite(store, _) => &**store,
        }
    }

    fn set_prices(&self, prices: Arc<PriceBook>) {
        match self.open.as_ref().expect(OPEN) {
            Open::Memory(store) => store.set_prices(prices),
            Open::Sqlite(store, _) => store.set_prices(prices),
        }
    }

    /// Closes the store, with everything that is only in memory, and opens what it has kept.
    fn crash(&mut self, prices: &Arc<PriceBook>) {
        self.open = Some(match self.open.take().expect(OPEN) {
            Open::Memory(store) => Open::Memory(store.reopen()),
            Open::Sqlite(store, scratch) => {
                drop(store);
                let clock: Arc<dyn Clock> = self.clock.clone();
                let store = Embedded::open(&scratch.0, clock, prices.clone(), &Options::new(&random()));
                Open::Sqlite(Box::new(store.expect("a store that was closed opens again")), scratch)
            }
        });
    }
}

impl StoreSubject {
    /// A subject without accounts.
    pub(crate) fn new(kind: Kind) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, kind, stores: Vec::new(), homes: HashMap::new(), prices: Arc::default() })
    }

    /// Returns the store of an account; places one that is new.
    fn home(&mut self, account: AccountId, at: Timestamp) -> usize {
        if let Some(home) = self.homes.get(&account) {
            return *home;
        }
        let home = self.stores.iter().position(|placed| placed.last <= at).unwrap_or_else(|| {
            self.stores.push(Placed::new(self.kind, self.prices.clone()));
            self.stores.len() - 1
        });
        self.homes.insert(account, home);
        home
    }

    fn known(&self, account: AccountId) -> Option<&Placed> {
        self.homes.get(&account).map(|home| &self.stores[*home])
    }
}

impl Subject for StoreSubject {
    fn set_prices(&mut self, book: &PriceBook) {
        self.prices = Arc::new(book.clone());
        self.stores.iter().for_each(|placed| placed.set_prices(self.prices.clone()));
    }

    fn run(&mut self, step: &Step) -> Outcome {
        self.run_together(std::slice::from_ref(step)).remove(0)
    }

    fn run_together(&mut self, steps: &[Step]) -> Vec<Outcome> {
        let homes: Vec<usize> = steps.iter().map(|step| self.home(step.account, step.at)).collect();
        for (home, step) in homes.iter().zip(steps) {
            let placed = &mut self.stores[*home];
            placed.last = placed.last.max(step.at);
            placed.clock.0.store(step.at.micros(), Ordering::SeqCst);
        }
        let asked = homes.iter().zip(steps);
        let units = asked.map(|(home, step)| decide(self.stores[*home].store(), Unit { step: step.clone() }));
        let answers = self.runtime.block_on(join_all(units));
        answers.into_iter().map(|answer| answer.expect(SOUND).unwrap_or_else(|refused| refused)).collect()
    }

    fn wallet(&mut self, account: AccountId) -> Wallet {
        self.known(account).and_then(|placed| placed.store().wallet(account)).unwrap_or_else(|| Wallet::new(account))
    }

    fn entries(&mut self, account: AccountId) -> Vec<Entry> {
        let Some(placed) = self.known(account) else { return Vec::new() };
        self.runtime.block_on(super::all_entries(placed.store(), account)).expect(SOUND)
    }

    fn crash(&mut self) {
        for placed in &mut self.stores {
            placed.crash(&self.prices);
        }
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
        Some(KeyUse { scope, fingerprint, keep: Keep::of(&self.step.command) })
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
            Ok(Some(Kept::Entry { entry, .. })) => {
                let wallet = work.wallet(account).expect("a wallet with an entry exists");
                return Ok(Outcome::Replayed(reply_of(entry, wallet)));
            }
            Ok(Some(Kept::Job(_))) | Err(KeyReused) => return Err(Outcome::KeyReused),
        }
        let reply = work.ledger(account, command).map_err(Outcome::Refused)?;
        // A command that repeats an earlier one appends nothing of its own, so there is nothing to keep: its own
        // repeat is answered by the wallet again.
        let own = work.entries(account).iter().rfind(|entry| command.books(&entry.fact)).cloned();
        if let Some(entry) = own {
            let wallet = work.wallet(account).expect("a wallet with an entry exists");
            let available = wallet.balances(work.prices(), work.now()).available;
            work.remember(key.as_ref(), Kept::Entry { entry: Box::new(entry), available });
        }
        Ok(Outcome::Done(reply))
    }
}

/// Rebuilds the answer from the entry that it was about; an order is told as it stands now.
fn reply_of(entry: &Entry, wallet: &Wallet) -> Reply {
    let order = || {
        let id = entry.fact.order().expect("a fact of an order names it");
        Box::new(wallet.order(id).expect("orders never leave the wallet").clone())
    };
    match &entry.fact {
        Fact::Opened { .. } => Reply::Opened,
        Fact::Granted(grant) => Reply::Granted(grant.lot),
        Fact::Held { hold, quote, slices, expires_at, spender } => Reply::Held(Hold {
            id: *hold,
            amount: quote.amount,
            quote: quote.clone(),
            slices: slices.clone(),
            placed_at: entry.effective_at,
            expires_at: *expires_at,
            spender: *spender,
        }),
        Fact::Extended { expires_at, .. } => Reply::Extended { expires_at: *expires_at },
        Fact::Captured { hold, amount, captured, .. } => {
            Reply::Captured { hold: *hold, amount: *amount, slices: captured.clone() }
        }
        Fact::Voided { hold, released, .. } => Reply::Voided { hold: *hold, released: sum(released) },
        Fact::Charged { charge, quote, slices, .. } => {
            Reply::Charged { charge: *charge, amount: quote.amount, slices: slices.clone() }
        }
        Fact::Uncollected { .. } => Reply::Uncollected,
        Fact::OrderPlaced(_) | Fact::OrderCancelled { .. } | Fact::OrderInvoiced { .. } | Fact::OrderPaid { .. } => {
            Reply::Order(order())
        }
        Fact::OrderReversed { reversal, .. } if reversal.state == ReversalState::Refunded => {
            let order = order();
            let amount = Money::new(reversal.amount, order.order.cost.currency);
            Reply::Refunded { amount, order }
        }
        Fact::OrderReversed { .. } => Reply::Order(order()),
        Fact::GivenBack { capture, returned, .. } => {
            Reply::GivenBack { hold: capture.hold, amount: sum(returned), total: wallet.given_back(capture.hold) }
        }
        Fact::Withdrawn { .. } => Reply::Withdrawn,
        Fact::PlanChanged { .. } => Reply::PlanChanged,
        Fact::CohortJoined { bonus, .. } => Reply::CohortJoined(bonus.map(|bonus| bonus.lot)),
        Fact::BudgetSet { .. } | Fact::OverridesSet { .. } | Fact::AlertSet { .. } => Reply::Set,
        Fact::ClockSet => Reply::ClockSet { entries: 0 },
        Fact::HoldExpired { .. } | Fact::LotExpired { .. } | Fact::LowBalance { .. } | Fact::Reopened { .. } => {
            unreachable!("what time makes true, or follows, is never kept under a key")
        }
    }
}

fn sum(slices: &[Slice]) -> medici_ledger::Credits {
    let sum = slices.iter().try_fold(medici_ledger::Credits::ZERO, |sum, slice| sum.checked_add(slice.amount));
    sum.expect("the slices of a hold sum to what was held")
}

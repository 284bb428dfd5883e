//! The contract of every store, run against both.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use medici_ledger::PriceBook;
use medici_store::{Embedded, Fault, Faults, Memory, Options};
use medici_studio::Store;
use medici_testkit::{
    ManualClock,
    store_contract::{Failure, StoreUnderTest},
};
use tempfile::TempDir;

fn fault(failure: Failure) -> Fault {
    match failure {
        Failure::Before => Fault::Before,
        Failure::AtCommit => Fault::AtCommit,
        Failure::Full => Fault::Full,
        Failure::Disk => Fault::Sync,
    }
}

struct InMemory(Memory);

impl StoreUnderTest for InMemory {
    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn reopen(self: Box<Self>) -> Box<dyn StoreUnderTest> {
        Box::new(Self(self.0.reopen()))
    }

    fn fail_next_commits(&self, times: usize, failure: Failure) {
        self.0.faults().fail_next(times, fault(failure));
    }

    fn heal(&self) {
        self.0.faults().clear();
    }
}

struct OnDisk {
    store: Embedded,
    faults: Faults,
    home: TempDir,
    clock: Arc<ManualClock>,
    prices: Arc<PriceBook>,
}

impl OnDisk {
    fn open(home: TempDir, clock: Arc<ManualClock>, prices: Arc<PriceBook>) -> Self {
        Self::open_with(home, clock, prices, &Options::for_tests())
    }

    fn open_with(home: TempDir, clock: Arc<ManualClock>, prices: Arc<PriceBook>, options: &Options) -> Self {
        let store = Embedded::open(home.path(), Arc::clone(&clock) as _, Arc::clone(&prices), options).unwrap();
        Self { faults: store.faults(), store, home, clock, prices }
    }
}

impl StoreUnderTest for OnDisk {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reopen(self: Box<Self>) -> Box<dyn StoreUnderTest> {
        let Self { store, home, clock, prices, .. } = *self;
        drop(store);
        Box::new(Self::open(home, clock, prices))
    }

    fn fail_next_commits(&self, times: usize, failure: Failure) {
        self.faults.fail_next(times, fault(failure));
    }

    fn heal(&self) {
        self.faults.clear();
    }
}

mod memory {
    use super::*;

    medici_testkit::store_contract_tests!(|clock: Arc<ManualClock>,
                                           prices: Arc<PriceBook>|
     -> Box<dyn StoreUnderTest> {
        Box::new(InMemory(Memory::new(clock, prices)))
    });
}

mod embedded {
    use super::*;

    medici_testkit::store_contract_tests!(|clock: Arc<ManualClock>,
                                           prices: Arc<PriceBook>|
     -> Box<dyn StoreUnderTest> {
        Box::new(OnDisk::open(tempfile::tempdir().unwrap(), clock, prices))
    });
}

/// The race runs a thousand times, on the bounds of production: the small ones would seal a partition of keys at
/// every commit.
mod race {
    use medici_testkit::store_contract::sixty_four_clients_get_fifteen_credits_whatever_commits_fail as race;

    use super::*;

    #[test]
    fn in_memory() {
        race(&|clock: Arc<ManualClock>, prices: Arc<PriceBook>| -> Box<dyn StoreUnderTest> {
            Box::new(InMemory(Memory::new(clock, prices)))
        });
    }

    #[test]
    fn on_disk() {
        race(&|clock: Arc<ManualClock>, prices: Arc<PriceBook>| -> Box<dyn StoreUnderTest> {
            let options = Options::new(&[7; 32]);
            Box::new(OnDisk::open_with(tempfile::tempdir().unwrap(), clock, prices, &options))
        });
    }
}

//! An embedded store in a folder of the test's own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use medici_ledger::PriceBook;
use medici_store::{Embedded, Options};
use medici_studio::Store;
use medici_testkit::{
    ManualClock,
    store_contract::{Failure, StoreUnderTest, world::World},
};
use rusqlite::Connection;

pub(crate) struct InFolder {
    store: Embedded,
    home: PathBuf,
    clock: Arc<ManualClock>,
    prices: Arc<PriceBook>,
}

impl InFolder {
    fn open(home: PathBuf, clock: Arc<ManualClock>, prices: Arc<PriceBook>) -> Self {
        let store = Embedded::open(&home, Arc::clone(&clock) as _, Arc::clone(&prices), &Options::for_tests()).unwrap();
        Self { store, home, clock, prices }
    }
}

impl StoreUnderTest for InFolder {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reopen(self: Box<Self>) -> Box<dyn StoreUnderTest> {
        let Self { store, home, clock, prices } = *self;
        drop(store);
        Box::new(Self::open(home, clock, prices))
    }

    fn fail_next_commits(&self, _: usize, _: Failure) {
        unreachable!("these tests break files, not commits");
    }

    fn heal(&self) {
        unreachable!("these tests break files, not commits");
    }
}

pub(crate) fn world_in(home: &Path) -> World {
    World::new(&|clock, prices| Box::new(InFolder::open(home.to_owned(), clock, prices)))
}

/// Copies a data directory as a kill at this moment would leave it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    // The log before the database: a checkpoint in between leaves a log whose pages are all in the copy, too.
    for name in ["medici.db-wal", "medici.db", "heads", "heads.key", "heads.pub"] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// Opens the database as somebody with an editor would.
pub(crate) fn tamper(home: &Path) -> Connection {
    let db = Connection::open(home.join("medici.db")).unwrap();
    db.execute_batch(
        "DROP TRIGGER entries_are_not_updated; DROP TRIGGER entries_are_not_deleted;
         PRAGMA ignore_check_constraints = ON;",
    )
    .unwrap();
    db
}

//! The embedded store after crashes, and the bounds that keep recovery short.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::{sync::Arc, time::Duration};

use medici_ledger::{AccountId, Command, Credits, Wallet};
use medici_store::{Embedded, KeptElsewhere, OpenError, Options};
use medici_studio::{Ids, Store as _};
use medici_testkit::store_contract::world::{World, command};
use rusqlite::Connection;
use support::{copy, tamper, world_in};

fn rich(world: &World) -> AccountId {
    let account = AccountId::from_u128(world.ids.next());
    let open = Command::open("rich".parse().unwrap());
    world.run(command(account, open)).unwrap().unwrap();
    account
}

fn one(home: &std::path::Path, sql: &str) -> i64 {
    Connection::open(home.join("medici.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_copy_taken_at_any_moment_opens_with_everything_answered_by_then() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(&home.path().join("live"));
    let accounts: Vec<_> = (0..6).map(|_| rich(&world)).collect();
    for moment in 0..12_usize {
        for number in 0..40_usize {
            let account = accounts[number * number % accounts.len()];
            world.run(world.charge(account, &format!("{moment}-{number}"))).unwrap().unwrap();
        }
        let crashed = home.path().join(format!("crashed-{moment}"));
        copy(&home.path().join("live"), &crashed);
        let restarted = world_in(&crashed);
        for account in &accounts {
            assert_eq!(restarted.store().wallet(*account), world.store().wallet(*account), "moment {moment}");
        }
        drop(restarted);
        let report = medici_store::verify(&crashed, &KeptElsewhere::default()).unwrap();
        assert_eq!(report.findings, [], "moment {moment}");
    }
}

#[test]
fn the_tail_and_the_snapshots_stay_bounded_for_busy_and_for_spread_accounts() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(home.path());
    let accounts: Vec<_> = (0..50).map(|_| rich(&world)).collect();
    for round in 0..60 {
        let spread = accounts.iter().enumerate();
        // The first account is in every group, and so is never at rest.
        let charges = spread.filter(|(at, _)| *at == 0 || at % 3 == round % 3);
        let charges = charges.map(|(at, account)| world.charge(*account, &format!("{round}-{at}"))).collect();
        assert!(world.run_all(charges).into_iter().all(|answer| answer.unwrap().is_ok()));
        let last = one(home.path(), "SELECT max(row) FROM entries");
        let tail = last + 1 - one(home.path(), "SELECT coalesce(max(value), 1) FROM meta WHERE name = 'tail_from'");
        assert!(tail <= 16 + 3 * 18, "{tail} entries in the tail after round {round}");
    }
    assert!(one(home.path(), "SELECT count(*) FROM wallets WHERE seq > 40") > 0, "the busy one is snapshot too");
    drop(world);
    assert_eq!(medici_store::verify(home.path(), &KeptElsewhere::default()).unwrap().findings, []);
}

#[test]
fn superseded_snapshots_are_swept() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(home.path());
    let accounts: Vec<_> = (0..40).map(|_| rich(&world)).collect();
    let quiet = rich(&world);
    for round in 0..200 {
        let charges = accounts.iter().map(|account| world.charge(*account, &format!("{round}"))).collect();
        assert!(world.run_all(charges).into_iter().all(|answer| answer.unwrap().is_ok()));
    }
    let rows = one(home.path(), "SELECT count(*) FROM wallets");
    let written = one(home.path(), "SELECT max(id) FROM wallets");
    assert!(written > 3_000 && rows < 2_500, "{rows} of {written} snapshots are left");
    let before = world.store().wallet(quiet);
    let world = world.reopen();
    assert_eq!(world.store().wallet(quiet), before, "an account at rest keeps its snapshot");
    drop(world);
    assert_eq!(medici_store::verify(home.path(), &KeptElsewhere::default()).unwrap().findings, []);
}

#[test]
fn snapshots_and_tail_give_what_a_full_replay_gives() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(home.path());
    let accounts: Vec<_> = (0..5).map(|_| world.account()).collect();
    for number in 0..70_usize {
        let account = accounts[number % 5];
        let _refused_when_empty = world.run(world.charge(account, &format!("{number}"))).unwrap();
        world.clock.advance(Duration::from_secs(9 * 3600));
        world.run(command(account, Command::Settle)).unwrap().unwrap();
    }
    let world = world.reopen();
    for account in accounts {
        let mut replayed = Wallet::new(account);
        world.entries(account).iter().for_each(|entry| replayed.apply(entry).unwrap());
        assert_eq!(world.store().wallet(account), Some(replayed));
    }
}

#[test]
fn partitions_of_keys_are_sealed_and_dropped() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(home.path());
    let account = rich(&world);
    for round in 0..40 {
        let charges = (0..8).map(|number| world.charge(account, &format!("{round}-{number}"))).collect();
        assert!(world.run_all(charges).into_iter().all(|answer| answer.unwrap().is_ok()));
        world.clock.advance(Duration::from_secs(2 * 3600));
    }
    let parts = one(home.path(), "SELECT count(*) FROM idempotency_parts");
    let rows = one(home.path(), "SELECT count(*) FROM idempotency");
    let chunks = one(home.path(), "SELECT count(*) FROM idempotency_chunks");
    assert!((11..=14).contains(&parts), "{parts} partitions of two hours in a day");
    assert!((88..=120).contains(&rows), "{rows} records");
    assert_eq!(chunks, parts);
    let before = world.available(account);
    world.run(world.charge(account, "36-3")).unwrap().unwrap();
    assert_eq!(world.available(account), before, "a sealed key still answers");
    let world = world.reopen();
    world.run(world.charge(account, "36-3")).unwrap().unwrap();
    assert_eq!(world.available(account), before, "also after a restart");
    world.run(world.charge(account, "1-3")).unwrap().unwrap();
    assert_eq!(world.available(account), before.checked_sub(Credits::whole(1)).unwrap());
}

#[test]
fn a_second_store_on_the_same_directory_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(home.path());
    let second = Embedded::open(home.path(), world.clock.clone(), world.prices.clone(), &Options::for_tests());
    assert!(matches!(second, Err(OpenError::Directory(_))));
    drop(world);
    world_in(home.path());
}

#[test]
fn a_journal_that_was_cut_off_or_broken_in_its_tail_is_not_opened() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(home.path());
    let account = world.account();
    world.run(world.charge(account, "k")).unwrap().unwrap();
    let (clock, prices) = (world.clock.clone(), world.prices.clone());
    drop(world);
    let open = |home: &std::path::Path| {
        Embedded::open(home, clock.clone(), Arc::clone(&prices), &Options::for_tests()).map(|_| ())
    };
    let cut = home.path().join("cut");
    copy(home.path(), &cut);
    tamper(&cut).execute("DELETE FROM entries WHERE row = 3", []).unwrap();
    assert!(matches!(open(&cut), Err(OpenError::CutOff { journal: 2, heads: 3 })));
    let holed = home.path().join("holed");
    copy(home.path(), &holed);
    tamper(&holed).execute("DELETE FROM entries WHERE row = 2", []).unwrap();
    assert!(matches!(open(&holed), Err(OpenError::Broken { .. })));
    let flipped = home.path().join("flipped");
    copy(home.path(), &flipped);
    tamper(&flipped).execute("UPDATE entries SET hash = zeroblob(32) WHERE row = 3", []).unwrap();
    assert!(matches!(open(&flipped), Err(OpenError::Broken { .. })));
    open(home.path()).unwrap();
}

#[test]
fn another_price_book_holds_for_the_next_unit() {
    let home = tempfile::tempdir().unwrap();
    let clock = Arc::new(medici_testkit::ManualClock::at("2026-11-01T00:00:00Z".parse().unwrap()));
    let prices = Arc::new(medici_testkit::store_contract::world::prices());
    let store = Embedded::open(home.path(), clock, Arc::clone(&prices), &Options::for_tests()).unwrap();
    let account = AccountId::from_u128(9);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    store.set_prices(Arc::default());
    let open = medici_testkit::store_contract::world::open;
    let run = |command_: Command| runtime.block_on(medici_studio::decide(&store, command(account, command_))).unwrap();
    assert!(run(open()).is_err(), "a book without plans opens no account");
    store.set_prices(prices);
    run(open()).unwrap();
    assert_eq!(store.wallets(), 1);
}

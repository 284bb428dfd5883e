//! Promises about low balances, and about the journal in which they are told.

use std::time::Duration;

use medici_ledger::{AccountId, Command, Credits, Entry, Fact, Timestamp};
use medici_studio::LowBalance;

use super::{
    Open,
    world::{World, command},
};

fn set(world: &World, account: AccountId, below: Option<u32>) {
    let below = below.map(Credits::whole);
    world.run(command(account, Command::SetAlert { below })).unwrap().unwrap();
}

fn spend(world: &World, account: AccountId, times: usize) {
    for number in 0..times {
        let key = format!("{account}-{number}-{}", world.entries(account).len());
        world.run(world.charge(account, &key)).unwrap().unwrap();
    }
}

/// What is told: how much was available, newest first.
fn told(world: &World, account: Option<AccountId>) -> Vec<LowBalance> {
    world.wait(world.store().low_balances(account, None, 100)).unwrap()
}

fn available(alerts: &[LowBalance]) -> Vec<String> {
    alerts.iter().map(|alert| alert.available.to_string()).collect()
}

/// The rows are those of the entries that say so, also after a restart; an operator's list has no sandboxes.
pub fn a_low_balance_is_told_once_each_time_it_falls(open: Open<'_>) {
    let world = World::new(open);
    let (ann, bob, cid) = (world.account(), world.account(), world.account());
    set(&world, ann, Some(10));
    spend(&world, ann, 5);
    assert_eq!(available(&told(&world, Some(ann))), Vec::<String>::new(), "ten is not below ten");
    spend(&world, ann, 3);
    assert_eq!(available(&told(&world, Some(ann))), ["9"], "and told once");
    // A new month brings new credits; below ten is news again.
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    spend(&world, ann, 6);
    assert_eq!(available(&told(&world, Some(ann))), ["9", "9"]);
    set(&world, bob, Some(100));
    assert_eq!(available(&told(&world, Some(bob))), ["15"], "what is low already is told at once");
    set(&world, bob, Some(100));
    set(&world, bob, None);
    spend(&world, cid, 15);
    assert_eq!(available(&told(&world, None)), ["15", "9", "9"]);

    let sandbox = AccountId::from_u128(77);
    let clock: Timestamp = super::world::START.parse().unwrap();
    let opened = Command::Open { plan: "free".parse().unwrap(), sandbox: Some(clock) };
    world.run(command(sandbox, opened)).unwrap().unwrap();
    set(&world, sandbox, Some(20));
    assert_eq!(available(&told(&world, Some(sandbox))), ["15"]);
    assert!(told(&world, Some(sandbox))[0].sandbox);

    let before = told(&world, None);
    assert_eq!(before.len(), 3);
    let world = world.reopen();
    assert_eq!(told(&world, None), before);
    for alert in &before {
        let entries = world.entries(alert.account);
        let entry = entries.iter().find(|entry| entry.seq == alert.seq).unwrap();
        assert_eq!(entry.fact, Fact::LowBalance { below: alert.below, available: alert.available });
        assert_eq!(entry.recorded_at, alert.recorded_at);
    }
    let page = |before, limit| world.wait(world.store().low_balances(None, before, limit)).unwrap();
    assert_eq!(page(None, 2), before[..2]);
    assert_eq!(page(Some(before[1].row), 2), before[2..]);
    assert_eq!(page(Some(before[2].row), 2), []);
}

/// Every entry is in one page, in the order of the commits.
pub fn the_journal_comes_in_pages_oldest_first(open: Open<'_>) {
    let world = World::new(open);
    let (ann, bob) = (world.account(), world.account());
    for _ in 0..3 {
        spend(&world, ann, 1);
        spend(&world, bob, 1);
    }
    let world = world.reopen();
    let mut journal: Vec<Entry> = Vec::new();
    loop {
        let page = world.wait(world.store().journal(journal.len() as u64, 3)).unwrap();
        assert_eq!(page.last_row, 10);
        if page.entries.is_empty() {
            break;
        }
        assert!(page.entries.len() <= 3);
        journal.extend(page.entries);
    }
    assert_eq!(journal.len(), 10);
    for account in [ann, bob] {
        let own: Vec<Entry> = journal.iter().filter(|entry| entry.account == account).cloned().collect();
        assert_eq!(own, world.entries(account));
    }
    assert!(journal.is_sorted_by_key(|entry| entry.recorded_at));
    assert_eq!(world.wait(world.store().journal(u64::MAX >> 1, 3)).unwrap().entries, []);
}

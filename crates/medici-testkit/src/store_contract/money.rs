//! Promises about wallets, entries, keys and time.

use std::time::Duration;

use medici_ledger::{
    AccountId, Command, Credits, Fact, Refusal, Wallet,
    idempotency::{Endpoint, Fingerprint, Keep},
};
use medici_studio::{Ids, Touches};

use super::{
    Open,
    world::{ChargeRefused, World, act, command, key_use, open},
};

/// A reader never sees less than what was answered.
pub fn an_answered_unit_is_seen_at_once_and_after_a_restart(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let (entry, available) = world.run(world.charge(account, "k")).unwrap().unwrap();
    assert_eq!(available, Credits::whole(14));
    assert_eq!(world.available(account), Credits::whole(14));
    let wallet = world.store().wallet(account).unwrap();
    assert_eq!(world.entries(account).last(), Some(&entry));
    assert_eq!(world.store().wallet(AccountId::from_u128(1)), None);

    let world = world.reopen();
    assert_eq!(world.store().wallet(account).unwrap(), wallet);
    assert_eq!(world.entries(account).last(), Some(&entry));
    assert_eq!(wallet.check(), Ok(()));
}

/// A refusal leaves no trace, whatever the unit did before it was refused.
pub fn a_refused_unit_changes_nothing(open: Open<'_>) {
    let world = World::new(open);
    let (one, other) = (world.account(), world.account());
    let before = world.store().wallet(one).unwrap();
    let groups = world.store().counters().groups;
    let charge =
        Command::charge(world.charge(one, "k").charge, super::world::quote(&world.prices, before.recorded_at()));
    let touches = Touches { wallets: vec![one, other], ..Touches::default() };
    let refused = world.run(act(touches, move |work| {
        work.ledger(one, &charge)?;
        work.ledger(other, &Command::open("rich".parse().expect("a name")))?;
        Ok::<_, Refusal>(())
    }));
    assert_eq!(refused.unwrap(), Err(Refusal::AlreadyOpen));
    assert_eq!(world.store().wallet(one).unwrap(), before);
    assert_eq!(world.store().counters().groups, groups, "nothing was committed");
    assert_eq!(world.reopen().store().wallet(one).unwrap(), before);
}

/// L5: admission is decided on the wallet itself, also within a group.
pub fn sixty_four_charges_of_fifteen_credits_give_fifteen(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let charges = (0..64).map(|number| world.charge(account, &format!("k{number}"))).collect();
    let answers = world.run_all(charges);
    let (charged, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().map(|answer| answer.unwrap()).partition(Result::is_ok);
    assert_eq!((charged.len(), refused.len()), (15, 49));
    let short = |refusal: ChargeRefused| matches!(refusal, ChargeRefused::Ledger(Refusal::InsufficientCredits { .. }));
    assert!(refused.into_iter().all(|refusal| short(refusal.unwrap_err())));
    assert_eq!(world.available(account), Credits::ZERO);
    let world = world.reopen();
    assert_eq!(world.available(account), Credits::ZERO);
    let charged = world.entries(account).iter().filter(|entry| matches!(entry.fact, Fact::Charged { .. })).count();
    assert_eq!(charged, 15);
}

/// Entries are all there is: replaying them, across many snapshots and restarts, gives the wallets in memory.
pub fn every_interleaving_of_accounts_replays_to_the_same_wallets(open: Open<'_>) {
    let mut world = World::new(open);
    let accounts: Vec<_> = (0..12).map(|_| world.account()).collect();
    for round in 0..10 {
        let charges = (0..30_usize).map(|number| {
            // Some accounts are busy, some are hardly touched.
            let account = accounts[(number * number + round) % accounts.len()];
            world.charge(account, &format!("{round}-{number}"))
        });
        let charges = charges.collect();
        for answer in world.run_all(charges) {
            assert!(matches!(answer, Ok(Ok(_) | Err(ChargeRefused::Ledger(Refusal::InsufficientCredits { .. })))));
        }
        world.clock.advance(Duration::from_secs(20));
        let before: Vec<_> = accounts.iter().map(|account| world.store().wallet(*account)).collect();
        world = world.reopen();
        let after: Vec<_> = accounts.iter().map(|account| world.store().wallet(*account)).collect();
        assert_eq!(before, after, "after round {round}");
    }
    for account in accounts {
        let mut replayed = Wallet::new(account);
        for entry in world.entries(account) {
            replayed.apply(&entry).unwrap();
        }
        assert_eq!(Some(replayed), world.store().wallet(account));
    }
}

/// L4: the same request gets the first outcome, another request is refused, and neither has an effect.
pub fn a_repeat_of_a_key_gives_the_first_outcome_also_after_a_restart(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let charges: Vec<_> = (0..20).map(|_| world.charge(account, "same")).collect();
    let mut answers = world.run_all(charges).into_iter().map(|answer| answer.unwrap().unwrap());
    let first = answers.next().unwrap();
    assert!(answers.all(|answer| answer == first));
    assert_eq!(world.available(account), Credits::whole(14));

    let world = world.reopen();
    assert_eq!(world.run(world.charge(account, "same")).unwrap().unwrap(), first);
    let mut other = world.charge(account, "same");
    other.key.fingerprint = Fingerprint::of([&b"another request"[..]]);
    assert_eq!(world.run(other).unwrap(), Err(ChargeRefused::KeyReused));
    assert_eq!(world.available(account), Credits::whole(14));
}

/// A key holds for one account and one endpoint.
pub fn a_key_of_another_account_or_endpoint_is_another_key(open: Open<'_>) {
    let world = World::new(open);
    let (one, other) = (world.account(), world.account());
    world.run(world.charge(one, "k")).unwrap().unwrap();
    world.run(world.charge(other, "k")).unwrap().unwrap();
    let mut elsewhere = world.charge(one, "k");
    elsewhere.key.scope.endpoint = Endpoint("POST /api/other".into());
    world.run(elsewhere).unwrap().unwrap();
    assert_eq!((world.available(one), world.available(other)), (Credits::whole(13), Credits::whole(14)));
}

/// L4's table of how long keys are kept, over more keys than any partition holds.
pub fn a_key_for_spending_is_forgotten_after_a_day_and_one_for_money_never(open: Open<'_>) {
    let world = World::new(open);
    let account = AccountId::from_u128(world.ids.next());
    let rich = Command::open("rich".parse().expect("a name"));
    world.run(command(account, rich)).unwrap().unwrap();
    let mut money = world.charge(account, "money");
    money.key = key_use(account, "money", Keep::Forever);
    let paid = world.run(money.clone()).unwrap().unwrap();
    let first = world.run(world.charge(account, "spend")).unwrap().unwrap();
    for round in 0..30 {
        world.clock.advance(Duration::from_secs(45 * 60));
        let charges = (0..9).map(|number| world.charge(account, &format!("{round}-{number}"))).collect();
        assert!(world.run_all(charges).into_iter().all(|answer| answer.unwrap().is_ok()));
    }
    let world = world.reopen();
    assert_eq!(world.run(world.charge(account, "spend")).unwrap().unwrap(), first, "22.5 hours later");
    for number in 0..9 {
        let before = world.available(account);
        world.run(world.charge(account, &format!("17-{number}"))).unwrap().unwrap();
        assert_eq!(world.available(account), before, "an old key is found in whatever partition it lies");
    }
    world.clock.advance(Duration::from_secs(90 * 60));
    let again = world.run(world.charge(account, "spend")).unwrap().unwrap();
    assert!(again.0.seq > first.0.seq, "24 hours later it names a new request");
    for _ in 0..40 {
        world.clock.advance(Duration::from_secs(60 * 60));
        world.run(world.charge(account, &format!("{}", world.ids.next()))).unwrap().unwrap();
    }
    let mut repeat = world.charge(account, "money");
    repeat.key = money.key;
    let world = world.reopen();
    assert_eq!(world.run(repeat).unwrap().unwrap(), paid);
}

/// A clock that goes backwards delays nothing and revives nothing.
pub fn recorded_at_never_goes_back_whatever_the_clock_does(open: Open<'_>) {
    let mut world = World::new(open);
    let (one, other) = (world.account(), world.account());
    world.clock.advance(Duration::from_secs(3600));
    let latest = world.run(world.charge(one, "a")).unwrap().unwrap().0.recorded_at;
    world.clock.set("2026-10-01T00:00:00Z".parse().unwrap());
    assert_eq!(world.run(world.charge(other, "b")).unwrap().unwrap().0.recorded_at, latest);
    world = world.reopen();
    assert_eq!(world.run(world.charge(other, "c")).unwrap().unwrap().0.recorded_at, latest);
    world.clock.set("2026-11-02T00:00:00Z".parse().unwrap());
    let entry = world.run(world.charge(one, "d")).unwrap().unwrap().0;
    assert_eq!(entry.recorded_at.to_string(), "2026-11-02T00:00:00Z");
}

/// Pages overlap nowhere and leave nothing out, also while entries are added.
pub fn entries_come_in_pages_newest_first(open: Open<'_>) {
    let world = World::new(open);
    let (account, other) = (world.account(), world.account());
    for number in 0..5 {
        world.run(world.charge(account, &number.to_string())).unwrap().unwrap();
        world.run(world.charge(other, &number.to_string())).unwrap().unwrap();
    }
    let read = |cursor, limit| world.wait(world.store().entries(account, cursor, limit)).unwrap();
    let seqs = |page: &medici_studio::EntryPage| page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>();
    let first = read(None, 3);
    assert_eq!(seqs(&first), [7, 6, 5]);
    world.run(world.charge(account, "later")).unwrap().unwrap();
    let second = read(first.next, 3);
    assert_eq!(seqs(&second), [4, 3, 2]);
    let third = read(second.next, 3);
    assert_eq!(seqs(&third), [1]);
    assert_eq!(third.next, None);
    assert_eq!(seqs(&read(None, 100)), [8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(read(None, 8).next, None);
    let nobody = world.wait(world.store().entries(AccountId::from_u128(5), None, 3)).unwrap();
    assert_eq!(nobody, medici_studio::EntryPage::default());
}

/// A cursor is a number that a client could invent: it never shows another account's entries.
pub fn a_cursor_of_another_account_shows_nothing(open: Open<'_>) {
    let world = World::new(open);
    let (one, other) = (world.account(), world.account());
    world.run(world.charge(one, "k")).unwrap().unwrap();
    world.run(world.charge(other, "k")).unwrap().unwrap();
    for cursor in (0..20).chain([u64::MAX]) {
        let page = world.wait(world.store().entries(one, Some(cursor), 100)).unwrap();
        assert!(page.entries.iter().all(|entry| entry.account == one), "cursor {cursor}");
    }
}

/// What time has made true is found for booking, and is not found again once it is booked.
pub fn accounts_are_due_when_something_in_them_is(open: Open<'_>) {
    let world = World::new(open);
    let quiet = world.account();
    let busy = world.account();
    world.job(busy);
    let now = |text: &str| text.parse().unwrap();
    assert_eq!(world.store().accounts_due(now("2026-11-01T00:59:59Z"), 10), []);
    assert_eq!(world.store().accounts_due(now("2026-11-01T01:00:00Z"), 10), [busy]);
    let world = world.reopen();
    assert_eq!(world.store().accounts_due(now("2026-11-01T01:00:00Z"), 10), [busy]);
    world.clock.set(now("2026-11-01T01:00:00Z"));
    world.run(command(busy, Command::Settle)).unwrap().unwrap();
    assert_eq!(world.store().accounts_due(now("2026-11-01T01:00:00Z"), 10), []);
    assert_eq!(world.available(busy), Credits::whole(15));

    let mut due = world.store().accounts_due(now("2026-12-01T00:00:00Z"), 10);
    due.sort_unstable();
    assert_eq!(due, [quiet.min(busy), quiet.max(busy)]);
    assert_eq!(world.store().accounts_due(now("2026-12-01T00:00:00Z"), 1).len(), 1);
    let fresh = AccountId::from_u128(world.ids.next());
    world.run(command(fresh, self::open())).unwrap().unwrap();
    assert_eq!(world.store().accounts_due(now("2026-11-01T01:00:00Z"), 10), []);
}

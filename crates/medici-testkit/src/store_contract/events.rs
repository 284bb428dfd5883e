//! Promises about meter events and units that are submitted together.

use std::time::Duration;

use medici_ledger::{AccountId, Command, Credits, ExternalId, HoldId, Refusal, idempotency::EVENT_MEMORY_MIN};
use medici_studio::{
    Decide, EventFingerprint, EventKey, EventReused, Ids, StoreError, Touches, UnitOfWork, decide_all,
};

use super::{
    Failure, Open,
    world::{World, command, quote},
};

/// Charges of one credit for events of one account, as the use case makes them.
#[derive(Clone)]
struct Events {
    account: AccountId,
    charge: u128,
    events: Vec<(EventKey, EventFingerprint)>,
}

/// What became of an event: charged now or before, refused for its id or by the wallet.
type Outcome = Result<(Credits, bool), Option<EventReused>>;

impl Decide for Events {
    type Reply = Vec<Outcome>;
    type Refusal = Refusal;

    fn touches(&self) -> Touches {
        let events = self.events.iter().map(|(event, _)| *event).collect();
        Touches { events, ..Touches::wallet(self.account) }
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<Outcome>, Refusal> {
        let numbered = (self.charge..).zip(&self.events);
        let outcomes = numbered.map(|(charge, (event, fingerprint))| {
            if let Some(credits) = work.earlier_event(*event, *fingerprint).map_err(Some)? {
                return Ok((credits, false));
            }
            let quote = quote(work.prices(), work.now());
            let credits = quote.amount;
            work.ledger(self.account, &Command::charge(HoldId::from_u128(charge), quote)).map_err(|_| None)?;
            work.remember_event(*event, *fingerprint, credits);
            Ok((credits, true))
        });
        Ok(outcomes.collect())
    }
}

fn events(world: &World, account: AccountId, ids: impl IntoIterator<Item = u32>) -> Events {
    let event = |id: u32| {
        let id: ExternalId = format!("event-{id}").parse().expect("an id");
        (EventKey::of(account, &id), EventFingerprint::of(id.as_str().as_bytes()))
    };
    Events { account, charge: world.ids.next(), events: ids.into_iter().map(event).collect() }
}

fn rich(world: &World) -> AccountId {
    let account = AccountId::from_u128(world.ids.next());
    world.run(command(account, Command::open("rich".parse().expect("a name")))).unwrap().unwrap();
    account
}

fn charged(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Ok((_, true)))).count()
}

/// Over more events than any partition holds: the same event is charged once, whatever unit it comes in.
pub fn a_unit_of_many_events_counts_each_once_also_after_a_restart(open: Open<'_>) {
    let world = World::new(open);
    let (account, other) = (rich(&world), rich(&world));
    let before = world.available(account);
    let run = |world: &World, unit: Events| world.run(unit).unwrap().unwrap();
    let first = run(&world, events(&world, account, (0..250).chain(0..250)));
    assert_eq!(charged(&first), 250, "each once within a unit");
    assert!(first[250..].iter().all(|outcome| *outcome == Ok((Credits::whole(1), false))));
    assert_eq!(charged(&run(&world, events(&world, other, 0..10))), 10, "an id is its account's own");
    world.clock.advance(Duration::from_secs(90));
    assert_eq!(charged(&run(&world, events(&world, account, 200..270))), 20);

    let world = world.reopen();
    assert_eq!(charged(&run(&world, events(&world, account, 0..280))), 10);
    let mut reused = events(&world, account, [7, 300]);
    reused.events[0].1 = EventFingerprint::of(b"another event");
    let outcomes = run(&world, reused);
    assert_eq!(outcomes, [Err(Some(EventReused)), Ok((Credits::whole(1), true))]);
    assert_eq!(before.checked_sub(world.available(account)), Some(Credits::whole(281)));
    world.store().wallet(account).unwrap().check().unwrap();
}

/// A week, because late usage counts for a day only. Afterwards the id names a new event.
pub fn an_event_is_known_for_a_week_or_longer_than_late_usage_counts(open: Open<'_>) {
    let world = World::new(open);
    let account = rich(&world);
    let run = |world: &World, ids: std::ops::Range<u32>| world.run(events(world, account, ids)).unwrap().unwrap();
    assert_eq!(charged(&run(&world, 0..50)), 50);
    for day in 1..7 {
        world.clock.advance(Duration::from_secs(24 * 60 * 60));
        run(&world, 100 * day..100 * day + 50);
    }
    world.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    let world = world.reopen();
    assert_eq!(charged(&run(&world, 0..50)), 0, "a second less than a week later");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(EVENT_MEMORY_MIN.as_secs(), 7 * 24 * 60 * 60);
    assert_eq!(charged(&run(&world, 0..50)), 50, "a week later");
    for _ in 0..8 {
        assert_eq!(charged(&run(&world, 0..50)), 0);
        assert_eq!(charged(&run(&world, 600..650)), 0, "what is not a week old is not dropped with the rest");
        world.clock.advance(Duration::from_secs(60 * 60));
    }
}

/// One commit carries them all, in their order.
pub fn units_that_are_submitted_together_are_one_commit(open: Open<'_>) {
    let world = World::new(open);
    let accounts: Vec<_> = (0..30).map(|_| rich(&world)).collect();
    let before = world.store().counters();
    let units = accounts.iter().map(|account| events(&world, *account, 0..3)).collect();
    let answers = world.wait(decide_all(world.store(), units));
    assert!(answers.into_iter().all(|answer| charged(&answer.unwrap().unwrap()) == 3));
    let after = world.store().counters();
    assert_eq!((after.groups - before.groups, after.units - before.units), (1, 30));
    let twice = vec![events(&world, accounts[0], 3..5), events(&world, accounts[0], 4..6)];
    let answers: Vec<_> = world.wait(decide_all(world.store(), twice));
    let charged: Vec<_> = answers.into_iter().map(|answer| charged(&answer.unwrap().unwrap())).collect();
    assert_eq!(charged, [2, 1], "the second sees the first");
    assert!(world.wait(decide_all::<Events>(world.store(), Vec::new())).is_empty());
}

/// The events of one account are all charged or none of them, and a repeat finds which.
pub fn whatever_commits_fail_many_events_are_charged_exactly_once(open: Open<'_>) {
    let world = World::new(open);
    let accounts: Vec<_> = (0..3).map(|_| rich(&world)).collect();
    let before: Vec<_> = accounts.iter().map(|account| world.available(*account)).collect();
    let units = |world: &World| accounts.iter().map(|account| events(world, *account, 0..40)).collect::<Vec<_>>();
    for times in 0..5 {
        // The group twice, then its members one by one.
        world.under_test.fail_next_commits(times, Failure::AtCommit);
        for answer in world.wait(decide_all(world.store(), units(&world))) {
            match answer {
                Ok(outcomes) => assert_eq!(outcomes.unwrap().len(), 40),
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error}"),
            }
        }
        world.under_test.heal();
    }
    let world = world.reopen();
    for answer in world.wait(decide_all(world.store(), units(&world))) {
        assert_eq!(charged(&answer.unwrap().unwrap()), 0);
    }
    for (account, before) in accounts.iter().zip(before) {
        assert_eq!(before.checked_sub(world.available(*account)), Some(Credits::whole(40)));
    }
}

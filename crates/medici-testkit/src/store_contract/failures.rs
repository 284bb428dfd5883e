//! Promises about commits that fail and decisions that panic.

use medici_ledger::{AccountId, Credits, HoldId};
use medici_studio::{Health, Ids, Job, StoreError, Touches};

use super::{
    Failure, Open,
    world::{World, act, job},
};

/// A commit that fails once is made the second time.
pub fn a_commit_that_fails_once_is_tried_again_and_nobody_notices(open: Open<'_>) {
    for failure in [Failure::Before, Failure::AtCommit, Failure::Full] {
        let world = World::new(open);
        let account = world.account();
        world.under_test.fail_next_commits(1, failure);
        world.run(world.charge(account, "k")).unwrap().unwrap();
        assert_eq!(world.available(account), Credits::whole(14));
        assert_eq!(world.store().health(), Health::Ready);
    }
}

/// However many commits fail, and however often a client repeats: one charge a key.
pub fn whatever_commits_fail_a_charge_with_a_key_happens_exactly_once(open: Open<'_>) {
    for failure in [Failure::Before, Failure::AtCommit, Failure::Full] {
        for times in 1..8 {
            let mut world = World::new(open);
            let account = world.account();
            world.under_test.fail_next_commits(times, failure);
            let charges = |world: &World| (0..5).map(|number| world.charge(account, &format!("k{number}"))).collect();
            let first = world.run_all(charges(&world));
            let done = first.iter().filter(|answer| answer.is_ok()).count();
            assert_eq!(world.available(account), Credits::whole(15 - done as u32), "an error is an error");
            world.under_test.heal();
            world = world.reopen();
            assert_eq!(world.available(account), Credits::whole(15 - done as u32), "also after a restart");
            for (again, first) in world.run_all(charges(&world)).into_iter().zip(first) {
                let again = again.unwrap().unwrap();
                assert!(first.is_err() || first.unwrap().unwrap() == again);
            }
            assert_eq!(world.available(account), Credits::whole(10));
            assert_eq!(world.entries(account).len(), 7, "opened, granted, five charges");
        }
    }
}

/// Rounds of the race, each on an account of its own.
const RACES: usize = 1_000;

/// Sixty-four clients race for fifteen credits while commits fail; whoever has no answer asks again.
pub fn sixty_four_clients_get_fifteen_credits_whatever_commits_fail(open: Open<'_>) {
    let world = World::new(open);
    for race in 0..RACES {
        let account = world.account();
        let failure = if race % 2 == 0 { Failure::Before } else { Failure::AtCommit };
        // One failure is tried again as a group. More are tried member by member, which takes a commit each.
        let failures = if race % 20 == 19 { 2 + race / 20 % 6 } else { race % 3 % 2 };
        world.under_test.fail_next_commits(failures, failure);
        let mut waiting: Vec<String> = (0..64).map(|client| format!("client-{client}")).collect();
        let (mut charged, mut refused) = (0, 0);
        while !waiting.is_empty() {
            let charges = waiting.iter().map(|key| world.charge(account, key)).collect();
            let answers = world.run_all(charges);
            let asked = std::mem::take(&mut waiting);
            for (key, answer) in asked.into_iter().zip(answers) {
                match answer {
                    Ok(Ok(_)) => charged += 1,
                    Ok(Err(_)) => refused += 1,
                    Err(_) => waiting.push(key),
                }
            }
        }
        assert_eq!((charged, refused), (15, 49), "race {race}");
        assert_eq!(world.available(account), Credits::ZERO, "race {race}");
        let wallet = world.store().wallet(account).expect("the account was opened");
        let captured: i64 = wallet.lots().map(|lot| lot.captured.micro()).sum();
        assert_eq!(captured, Credits::whole(15).micro(), "race {race}");
        assert_eq!(wallet.seq(), 2 + 15, "race {race}: opened, granted, and each capture once");
    }
}

/// Nobody fails for another's rows.
pub fn a_group_whose_commits_fail_is_decided_one_by_one(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let taken = job(&world.ids, account, &world.prices);
    let put_image = |world: &World, job: &Job, id: u128, index: u32| {
        let image = medici_studio::Image {
            id: medici_studio::ImageId::from_u128(id),
            job: job.id,
            account,
            index,
            blob: medici_studio::BlobHash([7; 32]),
            blob_bytes: 1,
            format: Default::default(),
            size: medici_studio::engine::Size::square(1),
            latent: Vec::new(),
            reading: None,
            created_at: job.created_at,
        };
        let charge = super::world::Charge { charge: HoldId::from_u128(world.ids.next()), ..world.charge(account, "") };
        let touches = Touches::wallet(account).job(job.id);
        act(touches, move |work| {
            let quote = super::world::quote(work.prices(), work.now());
            work.ledger(account, &medici_ledger::Command::charge(charge.charge, quote))?;
            work.put_image(image.clone());
            Ok::<_, medici_ledger::Refusal>(())
        })
    };
    // The same image id twice is what no unit would do, and no store may keep.
    let units = [(1, 0), (2, 1), (1, 2), (3, 3)].map(|(id, index)| put_image(&world, &taken, id, index));
    let answers = world.run_all(units.into());
    let kept = answers.iter().filter(|answer| matches!(answer, Ok(Ok(())))).count();
    let failed = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Unavailable(_)))).count();
    assert_eq!((kept, failed), (3, 1));
    assert_eq!(world.available(account), Credits::whole(12));
    assert_eq!(world.reopen().available(account), Credits::whole(12));
}

/// A full disk refuses clearly, loses nothing, and needs nobody to end it.
pub fn a_full_disk_is_said_and_ends_by_itself(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    world.under_test.fail_next_commits(100, Failure::Full);
    for _ in 0..3 {
        let refused = world.run(world.charge(account, "k")).unwrap_err();
        assert!(matches!(refused, StoreError::Full), "{refused}");
        assert_eq!(world.store().health(), Health::Full);
    }
    assert_eq!(world.available(account), Credits::whole(15), "reads go on");
    assert_eq!(world.entries(account).len(), 2, "reads go on");
    world.under_test.heal();
    world.run(world.charge(account, "k")).unwrap().unwrap();
    assert_eq!(world.store().health(), Health::Ready);
    assert_eq!(world.available(account), Credits::whole(14));
}

/// After a sync that failed nobody knows what the disk holds, so nothing more is promised.
pub fn a_failed_disk_acknowledges_nothing_until_a_restart(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    world.run(world.charge(account, "before")).unwrap().unwrap();
    world.under_test.fail_next_commits(1, Failure::Disk);
    for key in ["k", "k", "l"] {
        let refused = world.run(world.charge(account, key)).unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
        assert_eq!(world.store().health(), Health::Failed);
    }
    let world = world.reopen();
    assert_eq!(world.store().health(), Health::Ready);
    assert_eq!(world.available(account), Credits::whole(14));
    world.run(world.charge(account, "k")).unwrap().unwrap();
    assert_eq!(world.available(account), Credits::whole(13));
}

/// A panic costs one request, never the writer and never the group.
pub fn a_unit_that_panics_costs_nobody_else_anything(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let unit = |number: u32| {
        let charge = HoldId::from_u128(world.ids.next());
        act(Touches::wallet(account), move |work| {
            let quote = super::world::quote(work.prices(), work.now());
            work.ledger(account, &medici_ledger::Command::charge(charge, quote))?;
            assert!(number != 3, "a broken invariant");
            Ok::<_, medici_ledger::Refusal>(())
        })
    };
    let answers = world.run_all((0..6).map(unit).collect::<Vec<_>>());
    std::panic::set_hook(quiet);
    for (number, answer) in answers.into_iter().enumerate() {
        match number {
            3 => assert!(matches!(answer, Err(StoreError::Unavailable(_)))),
            _ => answer.unwrap().unwrap(),
        }
    }
    assert_eq!(world.available(account), Credits::whole(10));
    assert_eq!(world.reopen().available(account), Credits::whole(10));
}

/// A decision on a wallet that was not loaded would be a decision on a guess.
pub fn a_unit_that_hides_what_it_touches_is_not_kept(open: Open<'_>) {
    let world = World::new(open);
    let (account, hidden) = (world.account(), AccountId::from_u128(world.ids.next()));
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let answer = world.run(act(Touches::wallet(account), move |work| {
        work.ledger(hidden, &super::world::open())?;
        Ok::<_, medici_ledger::Refusal>(())
    }));
    std::panic::set_hook(quiet);
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    assert_eq!(world.store().wallet(hidden), None);
    world.run(world.charge(account, "k")).unwrap().unwrap();
}

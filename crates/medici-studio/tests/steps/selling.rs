//! Orders, give-backs, budgets and sandboxes, between crashes and repeats.

use std::time::Duration;

use medici_ledger::{
    BudgetPeriod, Command, Fact, GiveBackReason, HoldId, KeyId, OrderId, Refusal, Spender, Subject, Timestamp,
};
use medici_studio::{
    ApiKeyId, Captured, ClockMove, GiveBack, GiveBackError, NewAccount, Outcome, PlaceOrder, PlaceOrderError,
    RunCommandError, SubmitError, Tax, Wanted,
};

use crate::world::{World, free, key_use};

fn pack(world: &World, key: &str, packs: u32) -> PlaceOrder {
    let wanted = Wanted::Packs { pack: "pack-115".parse().unwrap(), packs };
    let key = key_use(world.account, "/api/orders", key, &packs.to_string());
    PlaceOrder { account: world.account, wanted, tax: Tax::Rate("20".parse().unwrap()), key }
}

fn order_of(done: &medici_studio::Done) -> OrderId {
    done.entry.as_ref().unwrap().fact.order().unwrap()
}

#[tokio::test]
async fn an_order_and_its_payment_survive_a_crash_between_them_and_repeats_after_it() {
    let world = World::new().await;
    let placed = world.studio.place_order(pack(&world, "o-1", 1)).await.unwrap();
    let order = order_of(&placed);
    let world = world.crash().await;
    let again = world.studio.place_order(pack(&world, "o-1", 1)).await.unwrap();
    assert!(again.replayed);
    assert_eq!(order_of(&again), order);
    let reused = world.studio.place_order(pack(&world, "o-1", 2)).await;
    assert!(matches!(reused, Err(PlaceOrderError::Run(RunCommandError::KeyReused(_)))), "{reused:?}");
    let pay = async |world: &World, key: &str| {
        let key = key_use(world.account, "/api/pay", key, "all");
        world.studio.pay_order(world.account, order, None, key).await.unwrap()
    };
    assert_eq!(pay(&world, "p-1").await.available.to_string(), "130");
    let world = world.crash().await;
    assert!(pay(&world, "p-1").await.replayed);
    let other = pay(&world, "p-2").await;
    assert_eq!((other.entry, other.replayed), (None, false), "another key finds it paid");
    assert_eq!(world.facts().await, ["opened", "granted", "order_placed", "order_paid"]);
    world.audit().await;
}

#[tokio::test]
async fn a_budget_bounds_the_second_hold_of_a_job_as_the_first() {
    let world = World::new().await;
    let key = ApiKeyId::from_u128(7);
    let ticket = world.submit_with(Some(key), "a red fox", "key-1").await.unwrap();
    let drawing = world.work_until_drawing().await;
    // The worker is silent until the hold has ended by itself, and meanwhile the key has got a budget.
    world.clock.advance(Duration::from_secs(16 * 60));
    let subject = Subject::Key(KeyId::from_u128(7));
    let budget = Command::SetBudget { subject, period: BudgetPeriod::Day, limit: Some("0.5".parse().unwrap()) };
    world.studio.run_command(world.account, budget, None).await.unwrap();
    world.engine.open();
    let finished = world.studio.finished(ticket.job).await.unwrap().unwrap();
    drawing.abort();
    let uncollected = Outcome::Uncollected { amount: "1".parse().unwrap() };
    assert!(
        matches!(&finished.job.state, medici_studio::JobState::Done { outcome, .. } if *outcome == uncollected),
        "{:?}",
        finished.job.state
    );
    let refused = world.submit_with(Some(key), "another fox", "key-2").await;
    assert!(matches!(refused, Err(SubmitError::Refused(Refusal::BudgetExceeded { .. }))), "{refused:?}");
    world.submit_with(None, "a third fox", "key-3").await.unwrap();
    world.audit().await;
}

#[tokio::test]
async fn what_a_job_captured_is_given_back_with_whoever_spent_it() {
    let world = World::new().await;
    let ticket = world.submit_with(Some(ApiKeyId::from_u128(7)), "a red fox", "key-1").await.unwrap();
    world.work_until_ended(ticket.job).await;
    world.clock.advance(Duration::from_secs(2 * 24 * 3600));
    let world = world.crash().await;
    let give = |captured, key: &str| GiveBack {
        account: world.account,
        captured,
        credits: None,
        reason: GiveBackReason::Goodwill,
        key: key_use(world.account, "/api/give-backs", key, "all"),
    };
    let done = world.studio.give_back(give(Captured::Job(ticket.job), "g-1")).await.unwrap();
    let Some(Fact::GivenBack { capture, .. }) = done.entry.map(|entry| entry.fact) else { panic!("nothing is booked") };
    assert_eq!(capture.spender, Spender { member: None, key: Some(KeyId::from_u128(7)) });
    assert_eq!(capture.admitted_at.to_string(), "2026-11-22T16:00:00Z");
    let again = world.studio.give_back(give(Captured::Hold(capture.hold), "g-1")).await.unwrap();
    assert!(again.replayed);
    let nothing = world.studio.give_back(give(Captured::Hold(HoldId::from_u128(9)), "g-2")).await;
    assert!(matches!(nothing, Err(GiveBackError::NothingCaptured)), "{nothing:?}");
    // A hold that was voided is no capture.
    let queued = world.submit("another fox", "key-2").await.unwrap();
    world.studio.cancel(world.account, queued.job).await.unwrap();
    let job = world.studio.store.job(queued.job).await.unwrap().unwrap();
    for captured in [Captured::Job(job.id), Captured::Hold(job.hold)] {
        let nothing = world.studio.give_back(give(captured, "g-2")).await;
        assert!(matches!(nothing, Err(GiveBackError::NothingCaptured)), "{nothing:?}");
    }
    assert_eq!(world.available().await, "15");
    world.audit().await;
}

#[tokio::test]
async fn a_sandbox_draws_at_its_own_time_and_its_clock_ends_what_waits() {
    let mut world = World::new().await;
    let clock_at: Timestamp = "2030-01-31T00:00:00Z".parse().unwrap();
    let new = NewAccount { name: "lab".into(), plan: free(), sandbox: Some(clock_at), code: None };
    world.account = world.studio.open_new(new).await.unwrap().id;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    world.work_until_ended(ticket.job).await;
    let waiting = world.submit("another fox", "key-2").await.unwrap();
    let month = ClockMove::By("P1M".parse().unwrap());
    let key = key_use(world.account, "/api/clock", "m-1", "P1M");
    let moved = world.studio.set_clock(world.account, month, Some(key.clone())).await.unwrap();
    assert_eq!(moved.wallet.sandbox_clock().unwrap().to_string(), "2030-02-28T00:00:00Z");
    assert!(world.studio.set_clock(world.account, month, Some(key)).await.unwrap().replayed);
    let too_late = world.work_until_ended(waiting.job).await;
    assert_eq!(too_late.job.state.name(), "failed", "its hold ended on the way");
    assert_eq!(world.studio.sweep_once().await.unwrap(), 0);
    assert_eq!(
        world.facts().await,
        ["opened", "granted", "held", "captured", "held", "hold_expired", "lot_expired", "granted", "clock_set"]
    );
    assert_eq!(world.available().await, "15");
    world.audit().await;
}

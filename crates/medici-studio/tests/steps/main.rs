//! The steps between a request and its pictures: crash after each, repeat each, then audit.
//!
//! A crash is a worker whose future is dropped and a store that is opened again on its rows; whatever was only
//! in memory is gone.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod deleting;
mod files;
mod moderating;
mod selling;
mod world;

use std::time::Duration;

use medici_ledger::Fact;
use medici_store::Fault;
use medici_studio::{CancelError, FailReason, JobState, Outcome, Submit, SubmitError};
use world::{World, free};

#[tokio::test]
async fn a_prompt_costs_one_credit_and_becomes_four_images() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    assert_eq!(world.available().await, "14", "one credit is held");
    let done = world.work_until_ended(ticket.job).await;
    assert_eq!(done.images.len(), 4);
    assert!(matches!(done.job.state, JobState::Done { outcome: Outcome::Charged { .. }, .. }), "{:?}", done.job.state);
    assert_eq!(world.available().await, "14");
    assert_eq!(world.facts().await, ["opened", "granted", "held", "captured"]);
    world.audit().await;
}

#[tokio::test]
async fn the_same_key_finds_the_same_job_and_another_request_under_it_is_refused() {
    let world = World::new().await;
    let first = world.submit("a red fox", "key-1").await.unwrap();
    let again = world.submit("a red fox", "key-1").await.unwrap();
    assert_eq!((again.job, again.replayed), (first.job, true));
    assert!(matches!(world.submit("a blue fox", "key-1").await, Err(SubmitError::KeyReused(_))));
    world.work_until_ended(first.job).await;
    let late = world.submit("a red fox", "key-1").await.unwrap();
    assert_eq!(late.job, first.job);
    assert_eq!(world.available().await, "14");
    world.audit().await;
}

#[tokio::test]
async fn a_crash_after_queueing_leaves_a_job_that_is_drawn_after_the_restart() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let world = world.crash().await;
    assert_eq!(world.submit("a red fox", "key-1").await.unwrap().job, ticket.job);
    assert_eq!(world.work_until_ended(ticket.job).await.images.len(), 4);
    assert_eq!(world.available().await, "14");
    world.audit().await;
}

#[tokio::test]
async fn a_crash_while_drawing_is_drawn_again_and_paid_once() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let worker = world.work_until_drawing().await;
    worker.abort();
    let world = world.crash().await;
    let done = world.work_until_ended(ticket.job).await;
    assert_eq!((done.images.len(), done.job.attempts), (4, 2));
    assert_eq!(world.count_of("captured").await, 1);
    world.audit().await;
}

#[tokio::test]
async fn a_crash_after_the_files_were_stored_names_none_of_them_until_they_are_paid() {
    let world = World::new().await;
    world.store().faults().clear();
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    world.blobs.hang_after(4);
    let worker = world.work_until(|world| world.blobs.stored() >= 4).await;
    worker.abort();
    assert!(world.studio.store.images(ticket.job).await.unwrap().is_empty());
    world.blobs.hang_after(usize::MAX);
    let world = world.crash().await;
    assert_eq!(world.work_until_ended(ticket.job).await.images.len(), 4);
    assert_eq!(world.count_of("captured").await, 1);
    world.audit().await;
}

#[tokio::test]
async fn a_crash_after_the_capture_answers_the_retry_from_rows() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let before = world.work_until_ended(ticket.job).await;
    let world = world.crash().await;
    let again = world.submit("a red fox", "key-1").await.unwrap();
    let after = world.studio.finished(again.job).await.unwrap().unwrap();
    assert_eq!(after, before);
    assert_eq!(world.available().await, "14");
    world.audit().await;
}

#[tokio::test]
async fn two_lost_workers_fail_the_job_and_give_the_credit_back() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let mut world = world;
    for _ in 0..2 {
        let worker = world.work_until_drawing().await;
        worker.abort();
        world = world.crash().await;
    }
    let done = world.work_until_ended(ticket.job).await;
    assert!(matches!(done.job.state, JobState::Failed { reason: FailReason::WorkerLost, .. }), "{:?}", done.job.state);
    assert_eq!(world.available().await, "15");
    assert_eq!(world.facts().await.last().unwrap(), "voided");
    world.audit().await;
}

#[tokio::test]
async fn a_worker_that_was_thought_lost_cannot_deliver_a_second_time() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let late = world.work_until_drawing().await;
    // Its lease ends unheard; the sweeper takes the job back, and another worker draws it.
    world.clock.advance(Duration::from_secs(31));
    world.studio.sweep_once().await.unwrap();
    world.engine.open();
    let done = world.work_until_ended(ticket.job).await;
    assert_eq!(done.images.len(), 4);
    late.abort();
    assert_eq!(world.count_of("captured").await, 1);
    assert_eq!(world.studio.store.images(ticket.job).await.unwrap().len(), 4);
    world.audit().await;
}

#[tokio::test]
async fn a_hold_that_ran_out_while_drawing_is_placed_again_at_the_end() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let worker = world.work_until_drawing().await;
    world.clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(world.available().await, "15", "the hold ended by itself");
    world.engine.open();
    let done = world.studio.finished(ticket.job).await.unwrap().unwrap();
    worker.abort();
    assert!(matches!(done.job.state, JobState::Done { outcome: Outcome::Charged { .. }, .. }), "{:?}", done.job.state);
    assert_eq!(world.available().await, "14");
    world.audit().await;
}

#[tokio::test]
async fn pictures_whose_credits_were_spent_meanwhile_are_delivered_uncollected() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let worker = world.work_until_drawing().await;
    world.clock.advance(Duration::from_secs(16 * 60));
    world.charge_all("charge-1").await;
    assert_eq!(world.available().await, "0");
    world.engine.open();
    let done = world.studio.finished(ticket.job).await.unwrap().unwrap();
    worker.abort();
    assert!(matches!(done.job.state, JobState::Done { outcome: Outcome::Uncollected { .. }, .. }));
    assert_eq!(done.images.len(), 4);
    assert_eq!(world.facts().await.last().unwrap(), "uncollected");
    assert_eq!(world.available().await, "0");
    world.audit().await;
}

#[tokio::test]
async fn a_job_whose_hold_ran_out_in_the_queue_fails_undrawn() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    world.clock.advance(Duration::from_secs(15 * 60));
    let done = world.work_until_ended(ticket.job).await;
    assert!(matches!(done.job.state, JobState::Failed { reason: FailReason::HoldExpired, .. }));
    assert_eq!((done.job.attempts, world.engine.runs()), (0, 0));
    assert_eq!(world.available().await, "15");
    world.audit().await;
}

#[tokio::test]
async fn a_failed_engine_gives_the_credit_back_and_both_entries_are_on_the_books() {
    let world = World::new().await;
    for prompt in ["[fail]", "[panic]", "[oom]"] {
        let ticket = world.submit(prompt, prompt).await.unwrap();
        let done = world.work_until_ended(ticket.job).await;
        assert!(matches!(done.job.state, JobState::Failed { reason: FailReason::Engine, .. }), "{prompt}");
        assert!(done.images.is_empty());
        assert_eq!(world.available().await, "15", "{prompt}");
        assert_eq!(world.facts().await[world.facts().await.len() - 2..], ["held", "voided"], "{prompt}");
    }
    world.audit().await;
}

#[tokio::test]
async fn fewer_pictures_than_asked_for_are_kept_and_cost_nothing() {
    let world = World::new().await;
    let ticket = world.submit("a red fox [short 2]", "key-1").await.unwrap();
    let done = world.work_until_ended(ticket.job).await;
    assert!(matches!(done.job.state, JobState::Done { outcome: Outcome::Free, .. }), "{:?}", done.job.state);
    assert_eq!(done.images.len(), 2);
    assert_eq!(world.available().await, "15");
    world.audit().await;
}

#[tokio::test]
async fn a_cancel_gives_the_credit_back_in_the_queue_and_while_drawing_and_not_after() {
    let world = World::new().await;
    let queued = world.submit("a red fox", "key-1").await.unwrap();
    let cancelled = world.studio.cancel(world.account, queued.job).await.unwrap();
    assert!(matches!(cancelled.state, JobState::Cancelled { .. }));
    assert_eq!(world.studio.cancel(world.account, queued.job).await.unwrap(), cancelled, "a repeat is answered alike");
    assert_eq!(world.available().await, "15");

    let running = world.submit("a red fox", "key-2").await.unwrap();
    let worker = world.work_until_drawing().await;
    world.studio.cancel(world.account, running.job).await.unwrap();
    world.engine.open();
    let third = world.submit("a red fox", "key-3").await.unwrap();
    let done = world.studio.finished(third.job).await.unwrap().unwrap();
    worker.abort();
    assert_eq!(done.images.len(), 4, "the worker goes on with the next job");
    assert!(world.studio.store.images(running.job).await.unwrap().is_empty());
    let late = world.studio.cancel(world.account, third.job).await;
    assert!(matches!(late, Err(CancelError::Ended(_))), "{late:?}");
    assert_eq!(world.available().await, "14");
    world.audit().await;
}

#[tokio::test]
async fn another_account_cannot_see_or_stop_a_job() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let other = world.studio.open_account("other", free()).await.unwrap();
    assert!(world.studio.job(other.id, ticket.job).await.unwrap().is_none());
    assert!(matches!(world.studio.cancel(other.id, ticket.job).await, Err(CancelError::NoJob)));
    assert_eq!(world.available().await, "14");
}

#[tokio::test]
async fn without_credits_nothing_is_queued() {
    let world = World::new().await;
    world.charge_all("charge-1").await;
    let refused = world.submit("a red fox", "key-1").await;
    assert!(matches!(refused, Err(SubmitError::Refused(_))), "{refused:?}");
    assert_eq!(world.studio.store.queued(), 0);
    world.grant("5", "grant-1").await;
    world.submit("a red fox", "key-1").await.expect("a refusal is not kept under the key");
    world.audit().await;
}

#[tokio::test]
async fn turns_are_fair_between_accounts() {
    let world = World::new().await;
    world.grant("200", "grant-1").await;
    let mut mine = Vec::new();
    for n in 0..100 {
        mine.push(world.submit("a red fox", &format!("key-{n}")).await.unwrap().job);
    }
    let other = world.studio.open_account("other", free()).await.unwrap();
    let theirs = world.submit_for(other.id, "a blue fox", "key-1").await.unwrap().job;
    assert!(world.studio.store.ahead_of(theirs).unwrap() <= 1);
    world.work_until_ended(theirs).await;
    let mut drawn = 0;
    for job in mine {
        let job = world.studio.store.job(job).await.unwrap().unwrap();
        drawn += usize::from(matches!(job.state, JobState::Done { .. }));
    }
    assert!(drawn <= 2, "{drawn} of the other account's jobs went first");
}

#[tokio::test]
async fn every_commit_of_a_job_may_fail_once_and_nothing_is_lost_or_done_twice() {
    for fault in [Fault::Before, Fault::AtCommit, Fault::Full] {
        let world = World::new().await;
        let ticket = loop {
            world.store().faults().fail_next(1, fault);
            match world.submit("a red fox", "key-1").await {
                Ok(ticket) => break ticket,
                Err(SubmitError::Store(_)) => world.clock.advance(Duration::from_millis(100)),
                Err(other) => panic!("{other}"),
            };
        };
        world.store().faults().fail_next(1, fault);
        let done = world.work_until_ended(ticket.job).await;
        assert_eq!(done.images.len(), 4, "{fault:?}");
        assert_eq!(world.count_of("captured").await, 1, "{fault:?}");
        assert_eq!(world.available().await, "14", "{fault:?}");
        world.audit().await;
    }
}

#[tokio::test]
async fn each_step_is_told_and_previews_come_in_order() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let mut news = world.studio.progress.watch(ticket.job);
    world.work_until_ended(ticket.job).await;
    let last = news.wait_for(|progress| progress.ended).await.unwrap().clone();
    let step = last.step.expect("steps were told");
    assert_eq!(step.at, step.of);
    assert_eq!(last.previews.len(), 4);
    assert!(last.previews.iter().flatten().all(|preview| preview.number >= 3), "{:?}", last.previews);
}

#[tokio::test]
async fn a_worker_that_drains_claims_nothing_more() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    world.engine.open();
    let worker = world.worker();
    worker.drain();
    worker.run().await;
    assert_eq!(world.studio.store.job(ticket.job).await.unwrap().unwrap().state, JobState::Queued);
    world.audit().await;
}

#[tokio::test]
async fn the_sweeper_books_what_is_true_already() {
    let world = World::new().await;
    world.submit("a red fox", "key-1").await.unwrap();
    world.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(world.available().await, "15");
    assert_eq!(world.studio.sweep_once().await.unwrap(), 1);
    assert_eq!(world.available().await, "15");
    let entries = world.entries().await;
    assert!(matches!(entries[0].fact, Fact::HoldExpired { .. }), "{:?}", entries[0].fact);
    assert_eq!(world.studio.sweep_once().await.unwrap(), 0);
    world.audit().await;
}

#[tokio::test]
async fn what_nobody_can_come_back_for_ends_with_the_process_and_costs_nothing() {
    let world = World::new().await;
    let keyed = world.submit("a red fox", "key-1").await.unwrap();
    let attended = Submit { key: None, attended: true, ..world.request(world.account, "a red fox", "") };
    let running = world.studio.submit(attended.clone()).await.unwrap();
    world.studio.submit(attended).await.unwrap();
    assert_eq!(world.available().await, "12");
    let worker = world.work_until_drawing().await;
    worker.abort();
    let world = world.crash().await;
    for _ in 0..2 {
        world.studio.end_attended().await.unwrap();
        assert_eq!(world.available().await, "14");
    }
    let job = world.studio.store.job(running.job).await.unwrap().unwrap();
    assert!(matches!(job.state, JobState::Cancelled { .. }), "{:?}", job.state);
    let done = world.work_until_ended(keyed.job).await;
    assert_eq!((done.images.len(), world.count_of("captured").await), (4, 1));
    world.audit().await;
}

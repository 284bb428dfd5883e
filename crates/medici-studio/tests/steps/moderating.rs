//! What is not allowed costs nothing, whenever it is found out; and readings, which are judged too.

use std::sync::atomic::Ordering;

use medici_ledger::{Fact, VoidReason};
use medici_studio::{
    FailReason, JobState, KeepError, Submit, SubmitError,
    engine::{Given, Pixels, Size},
    moderation::Zeal,
};

use crate::world::{Look, World};

#[track_caller]
fn assert_blocked<T: std::fmt::Debug>(outcome: Result<T, SubmitError>) {
    match outcome {
        Err(SubmitError::Blocked { categories }) => assert_eq!(categories, ["violence"]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn blocked_words_cost_nothing_and_leave_nothing_behind() {
    let world = World::new().await;
    let before = world.facts().await;
    assert_blocked(world.submit("a forbidden fox", "key-1").await);
    assert_eq!((world.available().await.as_str(), world.studio.store.queued()), ("15", 0));
    assert_eq!(world.facts().await, before, "nothing is booked for it");
    assert!(world.studio.history(world.account, None, 10).await.unwrap().is_empty());
    world.submit("a red fox", "key-1").await.expect("a refusal is not kept under the key");
    world.audit().await;
}

#[tokio::test]
async fn words_that_cannot_be_judged_are_not_drawn_and_cost_nothing() {
    let world = World::new().await;
    let refused = world.submit("a fox unheard of", "key-1").await;
    assert!(matches!(refused, Err(SubmitError::NotJudged)), "{refused:?}");
    assert_eq!((world.available().await.as_str(), world.studio.store.queued()), ("15", 0));
    world.audit().await;
}

#[tokio::test]
async fn little_zeal_lets_more_pass() {
    let world = World::new().await;
    assert_blocked(world.submit("a dubious fox", "key-1").await);
    let request = Submit { zeal: Zeal::Low, ..world.request(world.account, "a dubious fox", "key-2") };
    world.studio.submit(request).await.unwrap();
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_was_and_nobody_is_asked_again() {
    let world = World::new().await;
    let first = world.submit("a red fox", "key-1").await.unwrap();
    assert_eq!(world.moderator.asked(), 1);
    world.moderator.closed.store(true, Ordering::SeqCst);
    let again = world.submit("a red fox", "key-1").await.unwrap();
    assert_eq!((again.job, again.replayed, world.moderator.asked()), (first.job, true, 1));
    assert!(matches!(world.submit("a forbidden fox", "key-1").await, Err(SubmitError::KeyReused(_))));
    assert_blocked(world.submit("a red fox", "key-2").await);
    let world = world.crash().await;
    assert_eq!(world.submit("a red fox", "key-1").await.unwrap().job, first.job);
    assert_eq!(world.available().await, "14");
    world.audit().await;
}

#[tokio::test]
async fn readings_that_come_with_a_request_are_judged_with_its_words() {
    let world = World::new().await;
    let mut request = world.request(world.account, "a fox", "key-1");
    request.spec.readings = ["a fox", "a fox", "a forbidden fox", "a fox"].map(str::to_owned).to_vec();
    assert_blocked(world.studio.submit(request).await);
    assert_eq!(world.available().await, "15");
}

#[tokio::test]
async fn a_blocked_picture_gives_the_credit_back_and_nothing_is_stored() {
    for looks in [&[Look::Block][..], &[Look::Pass, Look::Pass, Look::Pass, Look::Block]] {
        let world = World::new().await;
        world.moderator.look_at_pictures(looks);
        let ticket = world.submit("a red fox", "key-1").await.unwrap();
        let done = world.work_until_ended(ticket.job).await;
        assert!(matches!(done.job.state, JobState::Failed { reason: FailReason::Blocked, .. }), "{:?}", done.job.state);
        assert_eq!((done.images.len(), world.blobs.stored()), (0, 0));
        assert_eq!(world.available().await, "15");
        let last = world.entries().await.remove(0).fact;
        assert!(matches!(last, Fact::Voided { reason: VoidReason::Refused, .. }), "{last:?}");
        world.audit().await;
    }
}

#[tokio::test]
async fn pictures_are_judged_with_the_zeal_of_the_request() {
    for (zeal, images) in [(Zeal::Auto, 0), (Zeal::Low, 4)] {
        let world = World::new().await;
        world.moderator.look_at_pictures(&[Look::Doubt; 4]);
        let request = Submit { zeal, ..world.request(world.account, "a red fox", "key-1") };
        let job = world.studio.submit(request).await.unwrap().job;
        let world = world.crash().await;
        let done = world.work_until_ended(job).await;
        assert_eq!(done.images.len(), images, "{zeal:?}");
        world.audit().await;
    }
}

#[tokio::test]
async fn a_picture_that_is_sent_and_not_allowed_is_not_kept() {
    let world = World::new().await;
    let source = Pixels { size: Size::square(2), alpha: false, bytes: vec![200; 12] };
    let given = Given::Vary { source, latent: None };
    let keep = async |zeal| world.studio.keep(given.clone(), world.account, zeal).await;
    world.moderator.look_at_pictures(&[Look::Block, Look::Doubt, Look::Fail, Look::Doubt]);
    for _ in 0..2 {
        let refused = keep(Zeal::Auto).await;
        assert!(matches!(refused, Err(KeepError::Refused(SubmitError::Blocked { .. }))), "{refused:?}");
    }
    let refused = keep(Zeal::Auto).await;
    assert!(matches!(refused, Err(KeepError::Refused(SubmitError::NotJudged))), "{refused:?}");
    assert_eq!(world.blobs.stored(), 0);
    keep(Zeal::Low).await.unwrap();
    assert_eq!(world.blobs.stored(), 1);
}

#[tokio::test]
async fn a_picture_that_cannot_be_judged_is_not_shown_and_costs_nothing() {
    let world = World::new().await;
    world.moderator.look_at_pictures(&[Look::Pass, Look::Fail]);
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let done = world.work_until_ended(ticket.job).await;
    assert!(matches!(done.job.state, JobState::Failed { reason: FailReason::NotJudged, .. }), "{:?}", done.job.state);
    assert_eq!((done.images.len(), world.blobs.stored()), (0, 0));
    assert_eq!(world.available().await, "15");
    world.audit().await;
}

#[tokio::test]
async fn pictures_that_pass_are_delivered_and_none_was_seen_before() {
    let world = World::new().await;
    world.moderator.look_at_pictures(&[Look::Pass; 4]);
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let news = world.studio.progress.watch(ticket.job);
    let done = world.work_until_ended(ticket.job).await;
    assert_eq!((done.images.len(), world.available().await.as_str()), (4, "14"));
    assert!(news.borrow().previews.iter().all(Option::is_none), "nobody had judged a preview");
    world.audit().await;
}

#[tokio::test]
async fn a_crash_while_pictures_are_judged_is_drawn_again_and_paid_once() {
    let world = World::new().await;
    world.moderator.look_at_pictures(&[Look::Hang]);
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let worker = world.work_until(|world| world.moderator.seen() > 0).await;
    worker.abort();
    let world = world.crash().await;
    let done = world.work_until_ended(ticket.job).await;
    assert_eq!((done.images.len(), done.job.attempts, world.count_of("captured").await), (4, 2, 1));
    world.audit().await;
}

#[tokio::test]
async fn a_job_has_a_reading_for_each_picture_where_they_are_wanted() {
    let world = World::new().await;
    let wanted = Submit { readings: true, ..world.request(world.account, "a fox", "key-1") };
    let job = world.studio.submit(wanted).await.unwrap().job;
    let spec = world.studio.store.job(job).await.unwrap().unwrap().spec;
    assert_eq!(spec.readings, [0, 1, 2, 3].map(|at| format!("a fox, look {at} of 7")));
    assert_eq!(spec.prompt, "a fox");
    let plain = world.submit("a fox", "key-2").await.unwrap().job;
    assert!(world.studio.store.job(plain).await.unwrap().unwrap().spec.readings.is_empty());
    world.work_until_ended(plain).await;
    world.audit().await;
}

#[tokio::test]
async fn readings_that_do_not_fit_or_are_not_allowed_are_left_out() {
    let world = World::new().await;
    let long = "fox ".repeat(20_000);
    for readings in [
        &["one", "two"][..],
        &["one", "two", "three", "four", "five"],
        &["one", " ", "three", "four"],
        &["one", "two", "three", &long],
        &["one", "two", "a forbidden fox", "four"],
        &["one", "two", "a fox unheard of", "four"],
        &[],
    ] {
        world.planner.say(readings);
        let key = format!("key-{}", world.studio.store.queued());
        let wanted = Submit { readings: true, ..world.request(world.account, "a fox", &key) };
        let job = world.studio.submit(wanted).await.unwrap().job;
        let spec = world.studio.store.job(job).await.unwrap().unwrap().spec;
        assert!(spec.readings.is_empty(), "{:?}", spec.readings);
    }
}

#[tokio::test]
async fn readings_of_the_asker_are_kept_and_must_be_one_for_each_picture() {
    let world = World::new().await;
    let own = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let mut request = Submit { readings: true, ..world.request(world.account, "a fox", "key-1") };
    request.spec.readings.clone_from(&own);
    let job = world.studio.submit(request.clone()).await.unwrap().job;
    assert_eq!(world.studio.store.job(job).await.unwrap().unwrap().spec.readings, own);
    request.key = None;
    request.spec.readings.pop();
    let refused = world.studio.submit(request).await.unwrap_err().to_string();
    assert_eq!(refused, "3 readings given for 4 pictures");
}

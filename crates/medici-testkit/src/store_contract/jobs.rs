//! Promises about jobs, images, the fair queue and leases.

use std::time::Duration;

use medici_ledger::{Credits, Operation};
use medici_studio::{
    ApiKeyId, BlobHash, Candidate, FailReason, FileFormat, Ids, Image, ImageId, Job, JobId, JobState, Lease, Outcome,
    Touches,
    engine::{Background, Size},
};

use super::{
    Open,
    world::{World, act, job},
};

impl World {
    pub(super) fn put(&self, job: &Job) {
        let put = job.clone();
        self.run(act(Touches::wallet(job.account).job(job.id), move |work| {
            work.put_job(put.clone());
            Ok::<_, ()>(())
        }))
        .unwrap()
        .unwrap();
    }

    fn put_queued(&self, account: medici_ledger::AccountId) -> JobId {
        let job = job(&self.ids, account, &self.prices);
        self.put(&job);
        job.id
    }
}

/// A job's state carries its data, and comes back with all of it.
pub fn a_job_comes_back_as_it_was_put_in_every_state(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let at = world.store().wallet(account).unwrap().recorded_at();
    let amount = "0.75".parse::<Credits>().unwrap();
    let mut states = vec![
        JobState::Queued,
        JobState::Running(Lease { worker: "w-1".into(), token: 9, started_at: at, expires_at: at }),
        JobState::Done { outcome: Outcome::Charged { amount }, finished_at: at },
        JobState::Done { outcome: Outcome::Free, finished_at: at },
        JobState::Done { outcome: Outcome::Uncollected { amount }, finished_at: at },
        JobState::Cancelled { finished_at: at },
    ];
    states.extend(FailReason::ALL.map(|reason| JobState::Failed { reason, finished_at: at }));
    let mut put = Vec::new();
    for state in states {
        let mut job = world.job(account);
        job.api_key = Some(ApiKeyId::from_u128(world.ids.next()));
        job.spec.prompt = "\"quoted\", a ñandú\0 and a 🦊".into();
        job.spec.background = Background::Transparent;
        job.spec.steps = Some(12);
        job.notice = Some("\"ñandú\" is not known".into());
        job.attempts = 2;
        job.state = state;
        world.put(&job);
        put.push(job);
    }
    let mut named = world.job(account);
    named.operation = "text.tokens".parse::<Operation>().unwrap();
    world.put(&named);
    put.push(named);
    let world = world.reopen();
    for job in put {
        assert_eq!(world.wait(world.store().job(job.id)).unwrap(), Some(job));
    }
    assert_eq!(world.wait(world.store().job(JobId::from_u128(1))).unwrap(), None);
}

/// Newest first, one account only.
pub fn jobs_come_in_pages_newest_first(open: Open<'_>) {
    let world = World::new(open);
    let (one, other) = (world.account(), world.account());
    let mut expected: Vec<_> = (0..5)
        .map(|_| {
            world.job(other);
            world.job(one).id
        })
        .collect();
    expected.reverse();
    let page = |before| {
        let jobs = world.wait(world.store().jobs(one, before, 2)).unwrap();
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None), expected[..2]);
    assert_eq!(page(Some(expected[1])), expected[2..4]);
    assert_eq!(page(Some(expected[3])), expected[4..]);
    assert_eq!(page(Some(expected[4])), []);
}

/// The latent too, from the first day.
pub fn images_come_back_as_they_were_put(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let job = world.job(account);
    let image = |index: u32| Image {
        id: ImageId::from_u128(world.ids.next()),
        job: job.id,
        account,
        index,
        blob: BlobHash::of(&index.to_be_bytes()),
        blob_bytes: 123_456,
        format: FileFormat::ALL[index as usize % 3],
        size: Size { width: 256, height: 128 },
        latent: (0..=255).cycle().take(1_536).collect(),
        reading: (index == 2).then(|| "a fox, red".to_owned()),
        created_at: job.created_at,
    };
    let images: Vec<_> = [3, 1, 0, 2].map(image).into();
    let put = images.clone();
    world
        .run(act(Touches::wallet(account).job(job.id), move |work| {
            put.iter().for_each(|image| work.put_image(image.clone()));
            Ok::<_, ()>(())
        }))
        .unwrap()
        .unwrap();
    let world = world.reopen();
    let mut sorted = images.clone();
    sorted.sort_by_key(|image| image.index);
    assert_eq!(world.wait(world.store().images(job.id)).unwrap(), sorted);
    assert_eq!(world.wait(world.store().image(images[0].id)).unwrap().as_ref(), Some(&images[0]));
    assert_eq!(world.wait(world.store().image(ImageId::from_u128(1))).unwrap(), None);
    let of_file = |account| world.wait(world.store().image_of_file(account, images[0].blob)).unwrap();
    assert!(of_file(images[0].account).is_some_and(|image| image.blob == images[0].blob));
    assert_eq!(of_file(medici_ledger::AccountId::from_u128(1)), None);
}

/// Nobody waits for another's hundred jobs.
pub fn a_hundred_jobs_of_one_account_let_another_through_within_two(open: Open<'_>) {
    let world = World::new(open);
    let (greedy, modest) = (world.account(), world.account());
    let many: Vec<_> = (0..100).map(|_| world.put_queued(greedy)).collect();
    assert_eq!(world.claim("w").unwrap().id, many[0]);
    let one = world.put_queued(modest);
    assert!(world.store().ahead_of(one).unwrap() <= 1);
    let drawn: Vec<_> = (0..2).map(|_| world.claim("w").unwrap().id).collect();
    assert!(drawn.contains(&one), "{drawn:?}");
    let rest: Vec<_> = (0..98).map(|_| world.claim("w").unwrap().id).collect();
    assert_eq!(rest, many[2..], "one account's jobs are drawn in their order");
    assert_eq!(world.store().candidate(), None);
    assert_eq!(world.store().queued(), 0);
}

/// What people are told about their place is what happens.
pub fn every_job_is_drawn_after_as_many_as_were_ahead_of_it(open: Open<'_>) {
    let world = World::new(open);
    let accounts: Vec<_> = (0..4).map(|_| world.account()).collect();
    for (count, account) in [(7, 0), (1, 1), (3, 2), (2, 3), (2, 1)] {
        for _ in 0..count {
            world.put_queued(accounts[account]);
        }
    }
    world.claim("w").unwrap();
    world.claim("w").unwrap();
    assert_eq!(world.store().queued(), 13);
    let jobs = accounts.iter().flat_map(|account| world.wait(world.store().jobs(*account, None, 100)).unwrap());
    let queued = jobs.filter(|job| job.state == JobState::Queued);
    let mut expected: Vec<_> = queued.map(|job| (world.store().ahead_of(job.id).unwrap(), job.id)).collect();
    expected.sort_unstable();
    let drawn: Vec<_> = (0..13).map(|ahead| (ahead, world.claim("w").unwrap().id)).collect();
    assert_eq!(drawn, expected);
    assert_eq!(world.store().ahead_of(drawn[0].1), None);
}

/// A restart forgets whose turn it was, but no job, no lease and no order within an account.
pub fn the_queue_is_the_same_after_a_restart(open: Open<'_>) {
    let world = World::new(open);
    let (one, other) = (world.account(), world.account());
    let ones: Vec<_> = (0..3).map(|_| world.put_queued(one)).collect();
    let others: Vec<_> = (0..3).map(|_| world.put_queued(other)).collect();
    let claimed = world.claim("w").unwrap();
    let mut cancelled = world.wait(world.store().job(others[2])).unwrap().unwrap();
    cancelled.state = JobState::Cancelled { finished_at: cancelled.created_at };
    world.put(&cancelled);

    let world = world.reopen();
    assert_eq!(world.store().queued(), 4);
    let held = world.store().leases_ended(claimed.created_at, Some("w"));
    assert_eq!(held, [Candidate { job: claimed.id, account: one }]);
    let drawn: Vec<_> = (0..4).map(|_| world.claim("w").unwrap().id).collect();
    let of = |jobs: &[JobId]| drawn.iter().copied().filter(|job| jobs.contains(job)).collect::<Vec<_>>();
    assert_eq!((of(&ones), of(&others)), (ones[1..].to_vec(), others[..2].to_vec()));
}

/// A job whose worker is lost is found, and takes its account's first place again.
pub fn leases_end_by_time_or_with_their_worker(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let jobs: Vec<_> = (0..3).map(|_| world.put_queued(account)).collect();
    let mut first = world.claim("a").unwrap();
    world.clock.advance(Duration::from_secs(10));
    let second = world.claim("b").unwrap();
    let candidates = |ids: &[JobId]| ids.iter().map(|&job| Candidate { job, account }).collect::<Vec<_>>();
    let ended = |after: u64, worker| {
        let now = first.created_at.plus(Duration::from_secs(after)).unwrap();
        world.store().leases_ended(now, worker)
    };
    assert_eq!(world.store().attended(), candidates(&jobs), "queued or running");
    assert_eq!(ended(29, None), []);
    assert_eq!(ended(30, None), candidates(&jobs[..1]));
    assert_eq!(ended(40, None), candidates(&jobs[..2]));
    assert_eq!(ended(0, Some("b")), candidates(&[second.id]));
    assert_eq!(ended(0, Some("c")), []);

    if let JobState::Running(lease) = &mut first.state {
        lease.expires_at = lease.expires_at.plus(Duration::from_secs(60)).unwrap();
    }
    world.put(&first);
    let now = first.created_at.plus(Duration::from_secs(40)).unwrap();
    assert_eq!(world.store().leases_ended(now, None), candidates(&[second.id]), "a heartbeat extends a lease");
    first.state = JobState::Queued;
    world.put(&first);
    assert_eq!(world.store().candidate().unwrap().job, jobs[0]);
    assert_eq!(world.store().queued(), 2);
}

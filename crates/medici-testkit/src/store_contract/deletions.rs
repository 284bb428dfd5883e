//! Promises about what accounts delete, and about finding what they have not.

use std::convert::Infallible;

use medici_ledger::{AccountId, Timestamp};
use medici_studio::{
    Answer, BlobHash, Decide, DeletedImage, FileFormat, Ids, Image, ImageId, JOBS_LOOKED_AT_MAX, Job, JobFilter, JobId,
    JobState, KnownImage, Outcome, Source, Touches, UnitOfWork, engine::Size,
};

use super::{
    Failure, Open,
    world::{World, act, job},
};

impl World {
    /// Returns an image that no store knows yet.
    fn image(&self, job: &Job, index: u32, blob: BlobHash) -> Image {
        Image {
            id: ImageId::from_u128(self.ids.next()),
            job: job.id,
            account: job.account,
            index,
            blob,
            blob_bytes: 7,
            format: FileFormat::Png,
            size: Size::square(256),
            latent: vec![1; 16],
            reading: None,
            created_at: job.created_at,
        }
    }

    /// Puts a job that is done, with images of these blobs.
    fn drawn(&self, account: AccountId, blobs: &[BlobHash]) -> (Job, Vec<Image>) {
        let mut job = job(&self.ids, account, &self.prices);
        job.state = JobState::Done { outcome: Outcome::Free, finished_at: job.created_at };
        self.put(&job);
        let images: Vec<_> = (0..).zip(blobs).map(|(index, blob)| self.image(&job, index, *blob)).collect();
        let put = images.clone();
        self.run(act(Touches::wallet(account), move |work| {
            put.iter().for_each(|image| work.put_image(image.clone()));
            Ok::<_, Infallible>(())
        }))
        .unwrap()
        .unwrap();
        (job, images)
    }

    fn delete(&self, image: ImageId) -> Answer<Delete> {
        self.run(Delete(image))
    }

    fn known(&self, image: ImageId) -> Option<KnownImage> {
        let look = act(Touches::default().images([image]), move |work| Ok::<_, Infallible>(work.image(image).cloned()));
        self.run(look).unwrap().unwrap()
    }
}

/// Deletes an image if it is there, and tells what was known of it before.
struct Delete(ImageId);

impl Decide for Delete {
    type Reply = Option<KnownImage>;
    type Refusal = Infallible;

    fn touches(&self) -> Touches {
        Touches::default().images([self.0])
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Option<KnownImage>, Infallible> {
        let known = work.image(self.0).cloned();
        if let Some(KnownImage::Stored(image)) = &known {
            work.delete_image(image);
        }
        Ok(known)
    }
}

fn blobs(count: u32) -> Vec<BlobHash> {
    (0..count).map(|number| BlobHash::of(&number.to_be_bytes())).collect()
}

/// Of one account only, whatever job they are of.
pub fn images_of_an_account_come_in_pages_newest_first(open: Open<'_>) {
    let world = World::new(open);
    let (one, other) = (world.account(), world.account());
    let mut expected = Vec::new();
    for _ in 0..2 {
        expected.extend(world.drawn(one, &blobs(2)).1);
        world.drawn(other, &blobs(1));
    }
    expected.reverse();
    let page = |before| world.wait(world.store().account_images(one, before, 3)).unwrap();
    assert_eq!(page(None), expected[..3]);
    assert_eq!(page(Some(expected[2].id)), expected[3..]);
    assert_eq!(page(Some(expected[3].id)), []);
}

/// All of what is asked for must be true, and it is true of the account's own jobs alone.
pub fn jobs_are_found_by_their_words_their_state_and_when_they_were_asked(open: Open<'_>) {
    let world = World::new(open);
    let (one, other) = (world.account(), world.account());
    let put = |account, prompt: &str, micros: i64, state: JobState| {
        let mut job = job(&world.ids, account, &world.prices);
        job.spec.prompt = prompt.to_owned();
        job.created_at = Timestamp::from_micros(micros);
        job.state = state;
        world.put(&job);
        job.id
    };
    let cancelled = || JobState::Cancelled { finished_at: Timestamp::EPOCH };
    let old = put(one, "A Red FOX, 100% of it", 1, cancelled());
    let blue = put(one, "a blue fox", 2, JobState::Queued);
    put(other, "a red fox", 2, cancelled());
    let new = put(one, "foxes on a red_sofa", 3, cancelled());
    let find = |filter: JobFilter, before| {
        let page = world.wait(world.store().find_jobs(one, &filter, before, 10)).unwrap();
        assert_eq!(page.next, None);
        page.jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let words = |text: &str| JobFilter { words: text.parse().unwrap(), ..JobFilter::default() };
    assert_eq!(find(JobFilter::default(), None), [new, blue, old]);
    assert_eq!(find(words("fox red"), None), [new, old]);
    assert_eq!(find(words("fox red"), Some(new)), [old]);
    assert_eq!(find(words("100%"), None), [old], "no letter means another");
    assert_eq!(find(words("red_fox"), None), []);
    assert_eq!(find(JobFilter { state: Some("queued"), ..JobFilter::default() }, None), [blue]);
    assert_eq!(find(JobFilter { state: Some("cancelled"), ..words("fox") }, None), [new, old]);
    let before = |micros| Some(Timestamp::from_micros(micros));
    assert_eq!(find(JobFilter { asked_before: before(3), ..words("fox") }, None), [blue, old]);
    assert_eq!(find(JobFilter { asked_before: before(1), ..JobFilter::default() }, None), []);
}

/// A look costs the same whether there are a thousand jobs behind it or a million.
pub fn a_look_for_jobs_ends_at_its_bound_and_goes_on_from_there(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let mut jobs: Vec<Job> = (0..=JOBS_LOOKED_AT_MAX).map(|_| job(&world.ids, account, &world.prices)).collect();
    jobs[0].spec.prompt = "the first one".into();
    jobs[1].spec.prompt = "the second one".into();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    world
        .run(act(Touches::wallet(account), move |work| {
            jobs.iter().for_each(|job| work.put_job(job.clone()));
            Ok::<_, Infallible>(())
        }))
        .unwrap()
        .unwrap();
    let find = |text: &str, before, limit| {
        let filter = JobFilter { words: text.parse().unwrap(), ..JobFilter::default() };
        let page = world.wait(world.store().find_jobs(account, &filter, before, limit)).unwrap();
        (page.jobs.into_iter().map(|job| job.id).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(find("first", None, 10), (vec![], Some(ids[1])), "the bound is met before the first one");
    assert_eq!(find("first", Some(ids[1]), 10), (vec![ids[0]], None));
    assert_eq!(find("second", None, 10), (vec![ids[1]], Some(ids[1])));
    assert_eq!(find("one", Some(ids[3]), 1), (vec![ids[1]], Some(ids[1])), "a full page may have another behind it");
    assert_eq!(find("one", Some(ids[1]), 2), (vec![ids[0]], None));
}

/// The row goes; who it was stays, also after a restart.
pub fn a_deleted_image_is_gone_and_known_to_have_been_there(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let (job, images) = world.drawn(account, &blobs(3));
    let gone = &images[1];
    assert_eq!(world.delete(gone.id).unwrap(), Ok(Some(KnownImage::Stored(gone.clone()))));
    let left = DeletedImage { id: gone.id, job: job.id, account, deleted_at: job.created_at };
    let check = |world: &World| {
        assert_eq!(world.wait(world.store().image(gone.id)).unwrap(), None);
        assert_eq!(world.wait(world.store().images(job.id)).unwrap(), [images[0].clone(), images[2].clone()]);
        let newest_first = [images[2].clone(), images[0].clone()];
        assert_eq!(world.wait(world.store().account_images(account, None, 9)).unwrap(), newest_first);
        assert_eq!(world.known(gone.id), Some(KnownImage::Deleted(left)));
        assert_eq!(world.known(images[0].id), Some(KnownImage::Stored(images[0].clone())));
        assert_eq!(world.known(ImageId::from_u128(1)), None);
    };
    check(&world);
    let world = world.reopen();
    assert_eq!(world.delete(gone.id).unwrap(), Ok(Some(KnownImage::Deleted(left))), "a repeat finds it gone");
    check(&world);
}

/// Ten at once delete it once.
pub fn a_deleted_image_is_seen_by_the_next_unit_of_its_group(open: Open<'_>) {
    let world = World::new(open);
    let (_, images) = world.drawn(world.account(), &blobs(1));
    let answers = world.run_all((0..10).map(|_| Delete(images[0].id)).collect());
    let found = answers.iter().filter(|answer| matches!(answer, Ok(Ok(Some(KnownImage::Stored(_))))));
    assert_eq!(found.count(), 1);
    // One that is put is seen as well.
    let image = Image { id: ImageId::from_u128(world.ids.next()), ..images[0].clone() };
    let put = || {
        let image = image.clone();
        act(Touches::default().images([image.id]), move |work| {
            let known = work.image(image.id).cloned();
            if known.is_none() {
                work.put_image(image.clone());
            }
            Ok::<_, Infallible>(known)
        })
    };
    let answers: Vec<_> =
        world.run_all(vec![put(), put()]).into_iter().map(|answer| answer.unwrap().unwrap()).collect();
    assert_eq!(answers, [None, Some(KnownImage::Stored(image.clone()))]);
}

/// Its hold is in the journal for ever, so that something must say what it was for.
pub fn a_deleted_job_is_in_no_list_and_its_row_stays(open: Open<'_>) {
    let world = World::new(open);
    let account = world.account();
    let jobs: Vec<Job> = (0..4).map(|_| world.drawn(account, &[]).0).collect();
    let mut deleted = jobs[2].clone();
    deleted.deleted_at = Some(deleted.created_at);
    deleted.spec.prompt = String::new();
    world.put(&deleted);
    let check = |world: &World| {
        assert_eq!(world.wait(world.store().job(deleted.id)).unwrap(), Some(deleted.clone()));
        let listed = world.wait(world.store().jobs(account, None, 2)).unwrap();
        assert_eq!(listed, [jobs[3].clone(), jobs[1].clone()]);
        let found = world.wait(world.store().find_jobs(account, &JobFilter::default(), None, 9)).unwrap();
        assert_eq!(found.jobs, [jobs[3].clone(), jobs[1].clone(), jobs[0].clone()]);
    };
    check(&world);
    check(&world.reopen());
}

/// Equal pictures share a file, also between accounts.
pub fn a_blob_is_named_until_its_last_image_is_deleted(open: Open<'_>) {
    let world = World::new(open);
    let all = blobs(4);
    let (_, first) = world.drawn(world.account(), &[all[0], all[1]]);
    let (_, second) = world.drawn(world.account(), &[all[1], all[2]]);
    let unnamed = |world: &World| world.wait(world.store().unnamed(all.clone())).unwrap();
    assert_eq!(unnamed(&world), [all[3]]);
    world.delete(first[1].id).unwrap().unwrap();
    assert_eq!(unnamed(&world), [all[3]]);
    world.delete(second[0].id).unwrap().unwrap();
    assert_eq!(unnamed(&world), [all[1], all[3]]);
    let world = world.reopen();
    assert_eq!(unnamed(&world), [all[1], all[3]]);
    assert_eq!(world.wait(world.store().unnamed(Vec::new())).unwrap(), []);
}

/// A picture that was handed in has no other row than its job's.
pub fn a_blob_is_named_by_the_job_that_starts_from_it(open: Open<'_>) {
    let world = World::new(open);
    let blob = BlobHash::of(b"a picture that was handed in");
    let mut job = job(&world.ids, world.account(), &world.prices);
    job.source = Source::Edit { image: blob, mask: BlobHash::of(b"its mask") };
    world.put(&job);
    let world = world.reopen();
    let unnamed = || world.wait(world.store().unnamed(vec![blob, BlobHash([9; 32])])).unwrap();
    assert_eq!(unnamed(), [BlobHash([9; 32])]);
    job.source = Source::Words;
    job.state = JobState::Done { outcome: Outcome::Free, finished_at: job.created_at };
    job.deleted_at = Some(job.created_at);
    world.put(&job);
    assert_eq!(unnamed(), [blob, BlobHash([9; 32])]);
}

/// A file is removed when its row is gone, and not before: so the row must not come back.
pub fn a_deletion_whose_commit_fails_deletes_nothing(open: Open<'_>) {
    for failure in [Failure::Before, Failure::AtCommit, Failure::Full] {
        let world = World::new(open);
        let (_, images) = world.drawn(world.account(), &blobs(1));
        world.under_test.fail_next_commits(4, failure);
        assert!(world.delete(images[0].id).is_err(), "{failure:?}");
        world.under_test.heal();
        let world = world.reopen();
        assert_eq!(world.wait(world.store().image(images[0].id)).unwrap(), Some(images[0].clone()));
        assert_eq!(world.known(images[0].id), Some(KnownImage::Stored(images[0].clone())));
    }
}

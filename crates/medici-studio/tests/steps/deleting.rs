//! What an account deletes: crash after each step, race with a job that draws the same picture, then audit.

use std::time::Duration;

use medici_studio::{BlobHash, DeleteImageError, DeleteJobError, ImageId, JobId, JobState};

use crate::world::{Removal, World, free};

impl World {
    async fn drawn(&self, key: &str) -> JobId {
        let ticket = self.submit("a red fox", key).await.unwrap();
        self.work_until_ended(ticket.job).await;
        ticket.job
    }

    async fn images(&self, job: JobId) -> Vec<ImageId> {
        self.studio.store.images(job).await.unwrap().into_iter().map(|image| image.id).collect()
    }

    /// Deletes an image, and does not wait for its file.
    async fn delete_and_go_away(&self, image: ImageId) {
        let (studio, account) = (self.studio.clone(), self.account);
        let deleting = tokio::spawn(async move { studio.delete_image(account, image).await });
        while self.blobs.removals() == 0 {
            tokio::task::yield_now().await;
        }
        deleting.abort();
        assert!(deleting.await.unwrap_err().is_cancelled());
    }

    /// Every file there is, whoever names it.
    async fn files(&self) -> Vec<BlobHash> {
        let mut files = Vec::new();
        for first in 0..=u8::MAX {
            let shelf = medici_studio::BlobStore::shelf(&*self.blobs, first).await.unwrap();
            files.extend(shelf.into_iter().map(|blob| blob.hash));
        }
        files
    }

    async fn sweep(&self) -> usize {
        let mut removed = 0;
        for first in 0..=u8::MAX {
            removed += self.studio.sweep_shelf(first).await.unwrap();
        }
        removed
    }
}

#[tokio::test]
async fn a_deleted_image_and_its_file_are_gone_and_the_journal_stays_as_it_was() {
    let world = World::new().await;
    let job = world.drawn("key-1").await;
    let images = world.images(job).await;
    let entries = world.entries().await;
    world.studio.delete_image(world.account, images[1]).await.unwrap();
    assert!(world.studio.image(world.account, images[1]).await.unwrap().is_none());
    assert_eq!(world.images(job).await, [images[0], images[2], images[3]]);
    assert_eq!(world.files().await.len(), 3);
    world.studio.delete_image(world.account, images[1]).await.expect("a repeat is answered alike");
    assert_eq!(world.entries().await, entries);
    world.audit().await;
}

#[tokio::test]
async fn nobody_deletes_anothers_image_or_job_nor_one_that_never_was() {
    let world = World::new().await;
    let job = world.drawn("key-1").await;
    let image = world.images(job).await[0];
    let other = world.studio.open_account("other", free()).await.unwrap().id;
    let refused = |account, image| world.studio.delete_image(account, image);
    assert!(matches!(refused(other, image).await, Err(DeleteImageError::NoImage)));
    assert!(matches!(refused(world.account, ImageId::from_u128(1)).await, Err(DeleteImageError::NoImage)));
    assert!(matches!(world.studio.delete_job(other, job).await, Err(DeleteJobError::NoJob)));
    let none = world.studio.delete_job(world.account, JobId::from_u128(1)).await;
    assert!(matches!(none, Err(DeleteJobError::NoJob)));
    world.studio.delete_image(world.account, image).await.unwrap();
    assert!(matches!(refused(other, image).await, Err(DeleteImageError::NoImage)), "not even that it was there");
    world.studio.delete_job(world.account, job).await.unwrap();
    assert!(matches!(world.studio.delete_job(other, job).await, Err(DeleteJobError::NoJob)));
    world.audit().await;
}

#[tokio::test]
async fn a_file_that_two_images_share_goes_with_the_second() {
    let world = World::new().await;
    let (first, second) = (world.drawn("key-1").await, world.drawn("key-2").await);
    assert_eq!(world.files().await.len(), 4, "the same words and seed are the same pictures");
    for image in world.images(first).await {
        world.studio.delete_image(world.account, image).await.unwrap();
    }
    assert_eq!(world.files().await.len(), 4);
    world.audit().await;
    world.studio.delete_job(world.account, second).await.unwrap();
    assert_eq!(world.files().await.len(), 0);
    world.audit().await;
}

#[tokio::test]
async fn an_open_job_is_cancelled_before_it_is_deleted() {
    let world = World::new().await;
    let ticket = world.submit("a red fox", "key-1").await.unwrap();
    let open =
        |state| move |error: &DeleteJobError| matches!(error, DeleteJobError::Open { state: is } if *is == state);
    assert!(world.studio.delete_job(world.account, ticket.job).await.is_err_and(|error| open("queued")(&error)));
    let worker = world.work_until_drawing().await;
    assert!(world.studio.delete_job(world.account, ticket.job).await.is_err_and(|error| open("running")(&error)));
    world.studio.cancel(world.account, ticket.job).await.unwrap();
    world.studio.delete_job(world.account, ticket.job).await.unwrap();
    world.engine.open();
    worker.abort();
    assert_eq!(world.available().await, "15");
    world.audit().await;
}

#[tokio::test]
async fn a_deleted_job_has_no_words_is_in_no_list_and_answers_a_repeat_of_its_request() {
    let world = World::new().await;
    let job = world.drawn("key-1").await;
    let kept = world.drawn("key-2").await;
    let facts = world.facts().await;
    world.studio.delete_job(world.account, job).await.unwrap();
    world.studio.delete_job(world.account, job).await.expect("a repeat is answered alike");
    assert!(world.studio.job(world.account, job).await.unwrap().is_none());
    assert!(world.studio.cancel(world.account, job).await.is_err());
    let listed = world.studio.history(world.account, None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|finished| finished.job.id).collect::<Vec<_>>(), [kept]);

    let world = world.crash().await;
    let again = world.submit("a red fox", "key-1").await.unwrap();
    assert_eq!((again.job, again.replayed), (job, true), "nothing is drawn anew");
    let left = world.studio.finished(job).await.unwrap().unwrap();
    assert_eq!(left.images, []);
    assert_eq!((&*left.job.spec.prompt, left.job.deleted_at.is_some()), ("", true));
    assert!(matches!(left.job.state, JobState::Done { .. }), "what it cost is still known");
    assert_eq!(world.facts().await, facts);
    assert_eq!(world.available().await, "13");
    world.audit().await;
}

#[tokio::test]
async fn a_crash_before_the_file_is_removed_leaves_it_to_the_sweep() {
    let world = World::new().await;
    let job = world.drawn("key-1").await;
    let kept = world.images(job).await[0];
    let image = world.images(job).await[1];
    world.blobs.set_removal(Removal::Hangs);
    world.delete_and_go_away(image).await;
    let world = world.crash().await;
    world.blobs.set_removal(Removal::Done);
    assert!(world.studio.image(world.account, image).await.unwrap().is_none(), "the row is gone for good");
    assert_eq!(world.files().await.len(), 4);
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(world.sweep().await, 0, "somebody may be about to name it");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.sweep().await, 1);
    assert_eq!(world.files().await.len(), 3);
    assert!(world.studio.image(world.account, kept).await.unwrap().is_some());
    world.audit().await;
}

#[tokio::test]
async fn a_removal_that_has_begun_ends_though_nobody_waits_and_the_same_picture_is_stored_after_it() {
    let world = World::new().await;
    let job = world.drawn("key-1").await;
    let image = world.images(job).await[1];
    world.blobs.set_removal(Removal::Waits);
    world.delete_and_go_away(image).await;
    let same = world.submit("a red fox", "key-2").await.unwrap().job;
    let drawn = world.engine.runs();
    let worker = world.work_until(|world| world.engine.runs() > drawn).await;
    world.blobs.set_removal(Removal::Done);
    assert_eq!(world.studio.finished(same).await.unwrap().unwrap().images.len(), 4);
    worker.abort();
    assert_eq!(world.blobs.stored_at_removal(), 4, "the second job has waited for its turn");
    assert_eq!(world.files().await.len(), 4);
    world.audit().await;
}

#[tokio::test]
async fn files_of_a_job_that_is_about_to_name_them_are_neither_deleted_nor_swept() {
    let world = World::new().await;
    let first = world.drawn("key-1").await;
    world.submit("a red fox", "key-2").await.unwrap();
    // The second job has stored the same pictures, and hangs before it names them.
    world.blobs.hang_after(8);
    let worker = world.work_until(|world| world.blobs.stored() >= 8).await;
    world.clock.advance(Duration::from_secs(2 * 3_600));
    world.studio.delete_job(world.account, first).await.expect("rows wait for nobody");
    assert_eq!(world.sweep().await, 0);
    assert_eq!(world.files().await.len(), 4, "all are needed still");

    // The worker is lost: nobody names these any more, and whoever draws them again stores them again.
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    assert_eq!(world.sweep().await, 4);
    world.blobs.hang_after(usize::MAX);
    let world = world.crash().await;
    world.drawn("key-3").await;
    assert_eq!(world.files().await.len(), 4);
    world.audit().await;
}

#[tokio::test]
async fn a_deletion_whose_commit_fails_has_deleted_nothing() {
    use medici_store::Fault;
    let world = World::new().await;
    let job = world.drawn("key-1").await;
    let image = world.images(job).await[0];
    for fault in [Fault::Before, Fault::AtCommit, Fault::Full] {
        world.store().faults().fail_next(4, fault);
        assert!(world.studio.delete_image(world.account, image).await.is_err(), "{fault:?}");
        assert!(world.studio.delete_job(world.account, job).await.is_err(), "{fault:?}");
        world.store().faults().clear();
        assert_eq!((world.images(job).await.len(), world.files().await.len()), (4, 4), "{fault:?}");
        world.audit().await;
    }
    world.studio.delete_job(world.account, job).await.unwrap();
    assert_eq!((world.images(job).await.len(), world.files().await.len()), (0, 0));
}

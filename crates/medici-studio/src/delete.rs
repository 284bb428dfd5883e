//! What an account deletes: one of its images, or a job with all of them.
//!
//! The rows go first, in a unit of work; from then on nobody is shown anything of it. Then the files go that no row
//! names any more. A crash between the two leaves files that the sweep takes. What the journal tells of a job is never
//! changed, and the job's row stays with it, without its words.

use std::sync::Arc;

use medici_ledger::AccountId;
use tracing::{info, warn};

use crate::{
    blob::BlobHash,
    ids::{ImageId, JobId},
    job::KnownImage,
    naming::NobodyNames,
    store::{Candidate, StoreError},
    studio::Studio,
    unit::{Decide, Touches, UnitOfWork, decide},
};

/// Why an image was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteImageError {
    /// The account never had such an image.
    #[error("there is no such image")]
    NoImage,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a job was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteJobError {
    /// The account never had such a job.
    #[error("there is no such job")]
    NoJob,
    /// It has not ended: it must be cancelled first.
    #[error("the job is {state} and can be deleted when it has ended; cancel it first")]
    Open {
        /// The state's name.
        state: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Studio {
    /// Deletes an image of an account. A repeat changes nothing and is answered like the first.
    pub async fn delete_image(&self, account: AccountId, image: ImageId) -> Result<(), DeleteImageError> {
        let blob = decide(&*self.store, DeleteImage { account, image }).await??;
        self.remove_unnamed(blob.into_iter().collect()).await;
        Ok(())
    }

    /// Deletes a job of an account that has ended, with its images and its words. A repeat changes nothing and is
    /// answered like the first.
    pub async fn delete_job(&self, account: AccountId, job: JobId) -> Result<(), DeleteJobError> {
        let job = self.job_row(account, job).await?.ok_or(DeleteJobError::NoJob)?;
        if job.state.is_open() {
            return Err(DeleteJobError::Open { state: job.state.name() });
        }
        // A job that has ended gets no more images, so these are all.
        let images = self.store.images(job.id).await?.into_iter().map(|image| image.id).collect();
        let candidate = Candidate { job: job.id, account };
        let blobs = decide(&*self.store, DeleteJob { candidate, images }).await??;
        self.remove_unnamed(blobs).await;
        Ok(())
    }

    /// Removes files that rows have named until now, but for those that a row still names. What cannot be removed is
    /// left to the sweep: the rows are what counts.
    async fn remove_unnamed(&self, blobs: Vec<BlobHash>) {
        if blobs.is_empty() {
            return;
        }
        let Some(rests) = self.naming.rests().await else {
            info!("Left {} files of deleted images to the sweep: a job is about to name others", blobs.len());
            return;
        };
        match self.store.unnamed(blobs).await {
            Ok(unnamed) => drop(self.remove(rests, unnamed).await),
            Err(error) => warn!(%error, "Left files of deleted images to the sweep: {error}"),
        }
    }

    /// Removes files, and returns how many.
    pub(crate) async fn remove(&self, rests: NobodyNames, unnamed: Vec<BlobHash>) -> usize {
        let blobs = Arc::clone(&self.blobs);
        // A task of its own, which ends also when whoever waits for it goes away: a file that is removed after the turn
        // has passed on may have been stored anew by then.
        let removing = tokio::spawn(async move {
            let _turn = rests;
            let mut removed = 0;
            for blob in unnamed {
                match blobs.remove(blob).await {
                    Ok(()) => removed += 1,
                    Err(error) => warn!(error = &error as &dyn std::error::Error, "Could not remove an unnamed file"),
                }
            }
            removed
        });
        removing.await.unwrap_or_else(|error| {
            warn!(%error, "Removing unnamed files broke off");
            0
        })
    }
}

/// The decision: mine and there, it goes; mine and gone, the same again.
struct DeleteImage {
    account: AccountId,
    image: ImageId,
}

impl Decide for DeleteImage {
    /// The file that the image named, unless it was deleted before.
    type Reply = Option<BlobHash>;
    type Refusal = DeleteImageError;

    fn touches(&self) -> Touches {
        Touches::default().images([self.image])
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Option<BlobHash>, DeleteImageError> {
        match work.image(self.image).cloned() {
            Some(KnownImage::Stored(image)) if image.account == self.account => {
                work.delete_image(&image);
                Ok(Some(image.blob))
            }
            Some(KnownImage::Deleted(image)) if image.account == self.account => Ok(None),
            Some(_) | None => Err(DeleteImageError::NoImage),
        }
    }
}

/// The decision: the images of a job that has ended, and its words, go together.
struct DeleteJob {
    candidate: Candidate,
    images: Vec<ImageId>,
}

impl Decide for DeleteJob {
    /// The files that it and its images named.
    type Reply = Vec<BlobHash>;
    type Refusal = DeleteJobError;

    fn touches(&self) -> Touches {
        Touches::default().job(self.candidate.job).images(self.images.iter().copied())
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<BlobHash>, DeleteJobError> {
        let job = work.job(self.candidate.job).filter(|job| job.account == self.candidate.account);
        let mut job = job.cloned().ok_or(DeleteJobError::NoJob)?;
        if job.deleted_at.is_some() {
            return Ok(Vec::new());
        }
        assert!(!job.state.is_open(), "{} had ended before its images were read", job.id);
        let mut blobs = Vec::with_capacity(self.images.len());
        for id in &self.images {
            if let Some(KnownImage::Stored(image)) = work.image(*id).cloned() {
                work.delete_image(&image);
                blobs.push(image.blob);
            }
        }
        blobs.extend(job.source.blobs());
        job.erase(work.now());
        work.put_job(job);
        Ok(blobs)
    }
}

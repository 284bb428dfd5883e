//! The sweep of blobs: removes files that no row names.
//!
//! A crash leaves them between a file and its row, or between a deleted row and its file. They cost space and nothing
//! else, so this goes slowly: a shelf at a time, once a day.

use std::time::Duration;

use tracing::{info, warn};

use crate::{
    blob::{BlobError, BlobHash},
    store::StoreError,
    studio::Studio,
};

/// How old a file is before the sweep asks who names it: whoever stores pictures may take a while to say what they are
/// for.
const UNNAMED_GRACE: Duration = Duration::from_secs(60 * 60);
/// The pause between two of the 256 shelves; a sweep takes some minutes.
const SHELF_PAUSE: Duration = Duration::from_secs(1);
/// How long after a sweep the next one begins.
const SWEEP_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// The most blobs that the store is asked about at a time.
const ASKED_MAX: usize = 500;
/// The most files that are removed of a shelf in one sweep: nobody can name a file meanwhile.
const REMOVED_MAX: usize = 1_000;

/// Why a shelf was not swept.
#[derive(Debug, thiserror::Error)]
pub enum SweepBlobsError {
    /// The blob store failed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Studio {
    /// Sweeps all shelves, now and then daily, until the future is dropped.
    pub(crate) async fn sweep_blobs(&self) {
        loop {
            let mut removed = 0;
            for first in 0..=u8::MAX {
                match self.sweep_shelf(first).await {
                    Ok(files) => removed += files,
                    Err(error) => warn!(%error, "Could not sweep a shelf of blobs: {error}"),
                }
                tokio::time::sleep(SHELF_PAUSE).await;
            }
            if removed > 0 {
                info!(removed, "Removed {removed} files that no image names");
            }
            tokio::time::sleep(SWEEP_INTERVAL).await;
        }
    }

    /// Removes the files of one shelf that are older than an hour and that no row names. Returns how many.
    pub async fn sweep_shelf(&self, first: u8) -> Result<usize, SweepBlobsError> {
        // Nearly always there is nothing to remove, and so no reason to keep jobs from their files.
        if self.left_behind(first).await?.is_empty() {
            return Ok(0);
        }
        let Some(rests) = self.naming.rests().await else { return Ok(0) };
        // Again, because any of them may have been stored or named before its turn came.
        let mut left = self.left_behind(first).await?;
        left.truncate(REMOVED_MAX);
        Ok(self.remove(rests, left).await)
    }

    async fn left_behind(&self, first: u8) -> Result<Vec<BlobHash>, SweepBlobsError> {
        let mut blobs = self.blobs.shelf(first).await?;
        let now = self.clock.now();
        blobs.retain(|blob| now.since(blob.stored_at) > UNNAMED_GRACE);
        let mut left = Vec::new();
        for some in blobs.chunks(ASKED_MAX) {
            left.extend(self.store.unnamed(some.iter().map(|blob| blob.hash).collect()).await?);
        }
        Ok(left)
    }
}

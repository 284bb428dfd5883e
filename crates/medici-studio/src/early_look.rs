//! Early looks as the pictures they are looks at: of the job's size, as its kind of file.

use tracing::error;

use crate::{
    engine::Size,
    job::Job,
    picture_file::{Provenance, UploadLimits},
    progress::Preview,
    source::within,
    studio::Studio,
};

/// The most pixels of an early look: one of a larger job has its shape and fewer pixels.
const LOOK_PIXELS_MAX: u64 = 1024 * 1024;

/// An early look at a picture, as a file of the job's kind.
pub struct EarlyLook {
    /// The file, which says of itself what the picture's own will say.
    pub file: Vec<u8>,
    /// The job's size, or one of its shape that is not too large to be sent on the way.
    pub size: Size,
}

impl Studio {
    /// Makes an early look as large as the picture will be. It shows no more than the preview did.
    ///
    /// `None` where the preview cannot be read, which the log tells.
    pub async fn early_look(&self, job: &Job, index: u32, preview: &Preview) -> Option<EarlyLook> {
        let (decoder, encoder) = (self.decoder.clone(), self.encoder.clone());
        let (bytes, output, size) = (preview.bytes.clone(), job.output, within(job.spec.size, LOOK_PIXELS_MAX));
        let provenance = Provenance { index, ..self.provenance(job) };
        let made = tokio::task::spawn_blocking(move || {
            let small = decoder.decode(&bytes, &UploadLimits::default())?.pixels;
            let file = encoder.encode(&decoder.resized(&small, size), output, &provenance);
            Ok::<_, crate::UploadError>(EarlyLook { file, size })
        });
        match made.await {
            Ok(Ok(look)) => Some(look),
            Ok(Err(failure)) => {
                error!(job.id = %job.id, "A preview of {} cannot be read: {failure}", job.id);
                None
            }
            Err(panic) => {
                error!(job.id = %job.id, "An early look at {} could not be made: {panic}", job.id);
                None
            }
        }
    }

    /// Returns what the files of a job say of where they come from, as far as it is the same for all.
    pub(crate) fn provenance(&self, job: &Job) -> Provenance {
        let steps = job.spec.steps.unwrap_or_else(|| self.engine.capabilities().steps_default);
        Provenance {
            model: self.engine.model().to_owned(),
            seed: job.spec.seed,
            index: 0,
            steps: Some(steps),
            operation: job.drawing(),
            prompt: job.keep_prompt.then(|| job.spec.prompt.clone()),
            reading: None,
        }
    }
}

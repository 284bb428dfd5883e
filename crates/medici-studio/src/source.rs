//! The pictures a job starts from: as they are sent, as they are kept, and as an engine is given them.
//!
//! What is sent is bounded and decoded before anything is held. What is kept are blobs that are durable before the
//! job is queued, so that a job can be drawn after a restart, and a second time after a worker was lost.

use medici_ledger::{AccountId, Operation};

use crate::{
    blob::{BlobError, BlobHash},
    engine::{EditSizes, Given, Mask, Pixels, Size},
    job::Image,
    moderation::Zeal,
    picture_file::UploadLimits,
    store::StoreError,
    studio::Studio,
    submit::SubmitError,
};

/// The longest side at which the source of a variation is kept: an engine looks no closer.
const VARY_SIDE_MAX: u32 = 1024;

/// What a job starts from, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The words alone.
    #[default]
    Words,
    /// A picture and a mask of the job's size.
    Edit {
        /// The picture's file.
        image: BlobHash,
        /// The mask's file: a grey picture, black where the picture is kept.
        mask: BlobHash,
    },
    /// A picture that others are to be like.
    Vary {
        /// The picture's file.
        image: BlobHash,
        /// The engine's own form of it, where the engine drew it.
        latent: Option<Vec<u8>>,
    },
}

impl Source {
    /// Returns the operation that starts so.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Words => Operation::Generate,
            Self::Edit { .. } => Operation::Edit,
            Self::Vary { .. } => Operation::Vary,
        }
    }

    /// Returns the files that it names.
    pub fn blobs(&self) -> impl Iterator<Item = BlobHash> {
        let (first, second) = match self {
            Self::Words => (None, None),
            Self::Edit { image, mask } => (Some(*image), Some(*mask)),
            Self::Vary { image, .. } => (Some(*image), None),
        };
        first.into_iter().chain(second)
    }
}

/// What is known of a picture that was drawn here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The engine's own form of it, where it has one.
    pub latent: Option<Vec<u8>>,
    /// The words that it was drawn from; empty where there were none.
    pub prompt: String,
}

/// Why a picture cannot be edited as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The mask is of another size than the picture.
    #[error("the image is {image} and the mask {mask}, the same size needed")]
    MaskSize {
        /// The picture's.
        image: Size,
        /// The mask's.
        mask: Size,
    },
    /// There is neither a mask nor anything transparent in the picture.
    #[error("a mask needed, or an image with transparent parts, which are then the mask")]
    NoMask,
    /// The mask has no alpha channel, by which masks say what to change.
    #[error("a mask with an alpha channel needed: what is transparent in it is changed")]
    OpaqueMask,
    /// Nothing in the mask is transparent.
    #[error("the mask has nothing transparent, so there is nothing to change")]
    EmptyMask,
    /// The picture, or the size asked for, is one that the engine does not edit.
    #[error("the size {found} cannot be edited: sides of {} to {} pixels can be, one at most {} times the other",
        .sizes.sides.start(), .sizes.sides.end(), .sizes.aspect_max)]
    Size {
        /// The size.
        found: Size,
        /// What the engine edits.
        sizes: EditSizes,
    },
}

impl Studio {
    /// Makes of a picture and a mask what an edit starts from. Returns it with its size.
    ///
    /// What is transparent in the mask is changed. Without a mask that is what is transparent in the picture.
    /// Without a size the picture keeps its own; one that is larger than the engine edits is made as small as it must
    /// be. A size of another shape makes the canvas larger: the picture stands in its middle, and what is around it is
    /// changed too. Takes as long as the pictures are large: call it on a thread that may block.
    ///
    /// # Errors
    /// [`EditError`]: what is wrong with the picture, the mask or the size.
    pub fn edit_of(
        &self,
        image: Pixels,
        mask: Option<&Pixels>,
        size: Option<Size>,
    ) -> Result<(Given, Size), EditError> {
        let sizes = self.engine.capabilities().edits;
        let mask = mask_of(&image, mask)?;
        let size = size.unwrap_or_else(|| shrunk(image.size, *sizes.sides.end()));
        if !sizes.contain(size) {
            return Err(EditError::Size { found: size, sizes });
        }
        if image.size == size {
            return Ok((Given::Edit { source: image, mask }, size));
        }
        let inner = fitted(image.size, size);
        let source = self.decoder.resized(&image, inner);
        let mut grey = self.decoder.resized(&mask.to_pixels(), inner);
        // Resizing blurs an edge over pixels that were to be kept.
        grey.bytes.iter_mut().for_each(|change| *change = if *change < 128 { 0 } else { u8::MAX });
        let (source, mask) = centred(&source, &grey, size);
        Ok((Given::Edit { source, mask }, size))
    }

    /// Makes of a picture what variations start from.
    pub fn variation_of(&self, image: Pixels) -> Given {
        let side = image.size.width.max(image.size.height);
        let source = match side {
            0..=VARY_SIDE_MAX => image,
            _ => {
                let bound = u64::from(VARY_SIDE_MAX);
                let scaled = |of: u32| scaled(of, bound, u64::from(side));
                let size = Size { width: scaled(image.size.width), height: scaled(image.size.height) };
                self.decoder.resized(&image, size)
            }
        };
        Given::Vary { source, latent: None }
    }

    /// Returns the engine's own form of a picture that is handed in again, and the words it was drawn from, where the
    /// account has the very file among its images.
    ///
    /// # Errors
    /// [`StoreError`] where the rows could not be read.
    pub async fn known_picture(&self, account: AccountId, file: &[u8]) -> Result<Option<Known>, StoreError> {
        let Some(image) = self.store.image_of_file(account, BlobHash::of(file)).await? else { return Ok(None) };
        self.known_image(image).await.map(Some)
    }

    /// Returns the engine's own form of an image, and the words it was drawn from.
    ///
    /// # Errors
    /// [`StoreError`] where the rows could not be read.
    pub async fn known_image(&self, image: Image) -> Result<Known, StoreError> {
        let job = self.store.job(image.job).await?;
        let latent = Some(image.latent).filter(|latent| !latent.is_empty());
        Ok(Known { latent, prompt: job.map(|job| job.spec.prompt).unwrap_or_default() })
    }

    /// Judges and keeps what a job is to start from. When it returns, a power cut cannot lose it; until a job names
    /// it, it may be swept after an hour.
    ///
    /// # Errors
    /// [`KeepError`]: the picture is not allowed, or could not be written. What is not allowed is not written.
    pub async fn keep(&self, given: Given, account: AccountId, zeal: Zeal) -> Result<Source, KeepError> {
        let image = async |pixels: Pixels| {
            let file = self.encoded(pixels).await?;
            self.judge_source(account, &file, zeal).await?;
            Ok::<_, KeepError>(self.blobs.put(file).await?)
        };
        Ok(match given {
            Given::Words => Source::Words,
            Given::Edit { source, mask } => Source::Edit {
                image: image(source).await?,
                mask: self.blobs.put(self.encoded(mask.to_pixels()).await?).await?,
            },
            Given::Vary { source, latent } => Source::Vary { image: image(source).await?, latent },
        })
    }

    async fn encoded(&self, pixels: Pixels) -> Result<Vec<u8>, BlobError> {
        let encoder = self.encoder.clone();
        let encoded = tokio::task::spawn_blocking(move || encoder.plain(&pixels)).await;
        encoded.map_err(|panic| BlobError::Failed(Box::new(panic)))
    }

    /// Reads back what a job starts from.
    pub(crate) async fn given(&self, source: &Source) -> Result<Given, GivenError> {
        let read = async |hash: BlobHash| {
            let bytes = self.blobs.get(hash).await?.ok_or(GivenError::Missing(hash))?;
            let decoder = self.decoder.clone();
            let decoded = tokio::task::spawn_blocking(move || decoder.decode(&bytes, &UploadLimits::default())).await;
            match decoded {
                Ok(Ok(upload)) => Ok(upload.pixels),
                Ok(Err(_)) | Err(_) => Err(GivenError::Unreadable(hash)),
            }
        };
        Ok(match source {
            Source::Words => Given::Words,
            Source::Edit { image, mask } => {
                Given::Edit { source: read(*image).await?, mask: Mask::of_grey(&read(*mask).await?) }
            }
            Source::Vary { image, latent } => Given::Vary { source: read(*image).await?, latent: latent.clone() },
        })
    }
}

/// Why a picture that a job is to start from is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It is not allowed here, or nobody could say.
    #[error(transparent)]
    Refused(#[from] SubmitError),
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// Why a job's source could not be read back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GivenError {
    /// The file is gone.
    #[error("the file {0} of the source is missing")]
    Missing(BlobHash),
    /// The file is no picture any more.
    #[error("the file {0} of the source cannot be read")]
    Unreadable(BlobHash),
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// Returns where a picture is to be changed: where the mask, or else the picture itself, is transparent.
fn mask_of(image: &Pixels, mask: Option<&Pixels>) -> Result<Mask, EditError> {
    let from = match mask {
        Some(mask) if mask.size != image.size => {
            return Err(EditError::MaskSize { image: image.size, mask: mask.size });
        }
        Some(mask) if !mask.alpha => return Err(EditError::OpaqueMask),
        Some(mask) => mask,
        None => image,
    };
    let bytes = if from.alpha { from.bytes.chunks_exact(4).map(|pixel| 255 - pixel[3]).collect() } else { Vec::new() };
    match bytes.contains(&u8::MAX) {
        true => Ok(Mask { size: from.size, bytes }),
        false if mask.is_some() => Err(EditError::EmptyMask),
        false => Err(EditError::NoMask),
    }
}

/// Returns the size, or a smaller one of the same shape that has at most so many pixels.
pub(crate) fn within(size: Size, pixels_max: u64) -> Size {
    let pixels = u64::from(size.width) * u64::from(size.height);
    if pixels <= pixels_max {
        return size;
    }
    // Width and height shrink by the root of what the area shrinks by.
    let root = |v: u64| v.isqrt();
    let (width, height) = (u64::from(size.width), u64::from(size.height));
    let side =
        |own: u64, other: u64| u32::try_from(root(pixels_max * own / other).max(1)).expect("smaller than it was");
    Size { width: side(width, height), height: side(height, width) }
}

/// Returns the size, or a smaller one of the same shape of which no side is longer.
fn shrunk(size: Size, side_max: u32) -> Size {
    let longest = size.width.max(size.height);
    if longest <= side_max {
        return size;
    }
    let side = |own: u32| scaled(own, u64::from(side_max), u64::from(longest));
    Size { width: side(size.width), height: side(size.height) }
}

/// Returns the largest size of a picture's shape that fits into another size.
fn fitted(picture: Size, into: Size) -> Size {
    let [width, height, across, down] = [picture.width, picture.height, into.width, into.height].map(u64::from);
    // What is wider than the frame is bounded by its width, the rest by its height.
    if width * down >= across * height {
        Size { width: into.width, height: scaled(picture.height, across, width) }
    } else {
        Size { width: scaled(picture.width, down, height), height: into.height }
    }
}

/// Returns `of * to / from`, rounded, and at least 1.
fn scaled(of: u32, to: u64, from: u64) -> u32 {
    u32::try_from(((u64::from(of) * to + from / 2) / from).max(1)).expect("it is not larger than the frame")
}

/// Puts a picture and its mask into the middle of a larger canvas, of which the rest is to be changed.
fn centred(source: &Pixels, grey: &Pixels, size: Size) -> (Pixels, Mask) {
    if source.size == size {
        return (source.clone(), Mask::of_grey(grey));
    }
    let [width, inner, high] =
        [size.width, source.size.width, source.size.height].map(|side| usize::try_from(side).expect("a side is small"));
    let left = (width - inner) / 2;
    let area = width * usize::try_from(size.height).expect("a side is small");
    let top = (area / width - high) / 2;
    let mut pixels = vec![0; 4 * area];
    let mut mask = vec![u8::MAX; area];
    let channels = if source.alpha { 4 } else { 3 };
    for (row, (from, change)) in source.bytes.chunks(channels * inner).zip(grey.bytes.chunks(3 * inner)).enumerate() {
        let at = (top + row) * width + left;
        for (x, (pixel, change)) in from.chunks(channels).zip(change.chunks(3)).enumerate() {
            let to = &mut pixels[4 * (at + x)..][..4];
            to[..3].copy_from_slice(&pixel[..3]);
            to[3] = pixel.get(3).copied().unwrap_or(u8::MAX);
            mask[at + x] = change[0];
        }
    }
    (Pixels { size, alpha: true, bytes: pixels }, Mask { size, bytes: mask })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn picture(size: Size, pixel: &[u8]) -> Pixels {
        Pixels { size, alpha: pixel.len() == 4, bytes: pixel.repeat((size.width * size.height) as usize) }
    }

    #[test]
    fn the_transparent_part_of_a_mask_is_changed_and_without_a_mask_that_of_the_picture() {
        let image = picture(size(2, 1), &[9, 9, 9]);
        let mask = Pixels { size: size(2, 1), alpha: true, bytes: vec![0, 0, 0, 255, 7, 7, 7, 0] };
        assert_eq!(mask_of(&image, Some(&mask)).unwrap().bytes, [0, 255]);
        assert_eq!(mask_of(&mask, None).unwrap().bytes, [0, 255]);
        assert_eq!(mask_of(&image, None), Err(EditError::NoMask));
        assert_eq!(mask_of(&image, Some(&image)), Err(EditError::OpaqueMask));
        assert_eq!(mask_of(&image, Some(&picture(size(2, 1), &[0, 0, 0, 255]))), Err(EditError::EmptyMask));
        let other = picture(size(1, 1), &[0, 0, 0, 0]);
        let wrong = EditError::MaskSize { image: size(2, 1), mask: size(1, 1) };
        assert_eq!(mask_of(&image, Some(&other)), Err(wrong));
    }

    #[test]
    fn shapes_are_kept() {
        const MAX: u64 = 2048 * 2048;
        assert_eq!(within(size(4096, 4096), MAX), size(2048, 2048));
        assert_eq!(within(size(8192, 2048), MAX), size(4096, 1024));
        assert_eq!(within(size(300, 200), MAX), size(300, 200));
        assert_eq!(shrunk(size(4096, 3000), 4096), size(4096, 3000));
        assert_eq!(shrunk(size(8192, 3000), 4096), size(4096, 1500));
        assert_eq!(shrunk(size(3000, 8192), 4096), size(1500, 4096));
        assert_eq!(fitted(size(300, 200), size(1024, 1024)), size(1024, 683));
        assert_eq!(fitted(size(200, 300), size(1024, 1024)), size(683, 1024));
        assert_eq!(fitted(size(5000, 1), size(100, 100)), size(100, 1));
    }

    #[test]
    fn a_larger_canvas_is_changed_around_the_picture() {
        let (source, mask) = centred(&picture(size(2, 1), &[1, 2, 3]), &picture(size(2, 1), &[0, 0, 0]), size(2, 3));
        assert_eq!(mask.bytes, [255, 255, 0, 0, 255, 255]);
        assert_eq!(source.bytes[..8], [0; 8]);
        assert_eq!(source.bytes[8..16], [1, 2, 3, 255, 1, 2, 3, 255]);
    }
}

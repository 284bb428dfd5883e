//! WebP, lossy and lossless, with and without transparency, by `image-webp`.

use std::io::Cursor;

use image_webp::WebPDecoder;
use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{UploadError, UploadFormat},
};

use super::{Decoded, area, codes};
use crate::parts;

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Webp);
/// What the decoder may read of a chunk that is no picture.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Decodes a picture; of an animation the first frame, on a canvas that is transparent around it.
pub(super) fn decode(bytes: &[u8], size: Size) -> Result<Decoded<'_>, UploadError> {
    let parts = parts::webp::read(bytes)?;
    parts.lossless.iter().try_for_each(codes::check)?;
    let mut decoder = WebPDecoder::new(Cursor::new(parts.whole)).map_err(|_| BROKEN)?;
    decoder.set_memory_limit(KEPT_BYTES_MAX);
    if decoder.dimensions() != (size.width, size.height) || decoder.is_animated() != parts.animated {
        return Err(BROKEN);
    }
    if parts.animated {
        decoder.set_background_color([0; 4]).map_err(|_| BROKEN)?;
    }
    let alpha = decoder.has_alpha();
    let mut bytes = vec![0; area(size) * if alpha { 4 } else { 3 }];
    decoder.read_image(&mut bytes).map_err(|_| BROKEN)?;
    Ok((Pixels { size, alpha, bytes }, parts.exif))
}

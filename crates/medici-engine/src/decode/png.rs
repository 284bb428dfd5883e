//! PNG of every depth and colour type, by the `png` crate.

use std::io::Cursor;

use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{UploadError, UploadFormat},
};
use png::{ColorType, Decoder, Limits, Transformations};

use super::{Decoded, area, map_pixels};
use crate::parts;

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Png);
/// What the decoder may keep beside the picture: a few rows, and the chunks that say how it is coded.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// Decodes a picture; of an animation the one that stands for it where animations are not known.
pub(super) fn decode(bytes: &[u8], size: Size) -> Result<Decoded<'_>, UploadError> {
    let parts = parts::png::read(bytes)?;
    let mut decoder = Decoder::new_with_limits(Cursor::new(parts.whole), Limits { bytes: KEPT_BYTES_MAX });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|_| BROKEN)?;
    let (colour, _) = reader.output_color_type();
    let length = area(size) * colour.samples();
    if reader.output_buffer_size() != Some(length) {
        return Err(BROKEN);
    }
    let mut bytes = vec![0; length];
    let drawn = reader.next_frame(&mut bytes).map_err(|_| BROKEN)?;
    if (drawn.width, drawn.height) != (size.width, size.height) {
        return Err(BROKEN);
    }
    let (alpha, bytes) = match colour {
        ColorType::Grayscale => (false, map_pixels(&bytes, |[grey]| [grey; 3])),
        ColorType::GrayscaleAlpha => (true, map_pixels(&bytes, |[grey, alpha]| [grey, grey, grey, alpha])),
        ColorType::Rgb => (false, bytes),
        ColorType::Rgba => (true, bytes),
        ColorType::Indexed => return Err(BROKEN),
    };
    Ok((Pixels { size, alpha, bytes }, parts.exif))
}

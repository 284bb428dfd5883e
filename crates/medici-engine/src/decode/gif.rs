//! GIF, of which the first frame is taken, by the `gif` crate.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, MemoryLimit};
use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{UploadError, UploadFormat},
};

use super::{area, place};
use crate::parts;

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Gif);

/// Decodes the first frame, on a screen that is transparent around it.
pub(super) fn decode(bytes: &[u8], screen: Size) -> Result<Pixels, UploadError> {
    let whole = parts::gif::read(bytes)?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    // A frame has its place on the screen.
    options.check_frame_consistency(true);
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::new(4 * screen.pixels()).ok_or(BROKEN)?));
    let mut decoder = options.read_info(whole).map_err(|_| BROKEN)?;
    let frame = decoder.read_next_frame().map_err(|_| BROKEN)?.ok_or(BROKEN)?;
    let size = Size { width: frame.width.into(), height: frame.height.into() };
    let (left, top) = (u32::from(frame.left), u32::from(frame.top));
    let within = left + size.width <= screen.width && top + size.height <= screen.height;
    // There are frames without any pixels.
    if !within || size.pixels() == 0 || frame.buffer.len() != 4 * area(size) {
        return Err(BROKEN);
    }
    Ok(place(Pixels { size, alpha: true, bytes: frame.buffer.to_vec() }, left, top, screen))
}

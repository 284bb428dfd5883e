//! GIF, of which the first frame is taken, by the `gif` crate.

use gif::{ColorOutput, DecodeOptions, MemoryLimit};
use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{UploadError, UploadFormat},
};

use super::area;
use crate::parts;

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Gif);

/// Decodes the first frame, on a screen that is transparent around it.
pub(super) fn decode(bytes: &[u8], size: Size) -> Result<Pixels, UploadError> {
    let whole = parts::gif::read(bytes)?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.check_frame_consistency(true);
    let frame_bytes = std::num::NonZeroU64::new(4 * size.pixels()).ok_or(BROKEN)?;
    options.set_memory_limit(MemoryLimit::Bytes(frame_bytes));
    let mut decoder = options.read_info(whole).map_err(|_| BROKEN)?;
    if (u32::from(decoder.width()), u32::from(decoder.height())) != (size.width, size.height) {
        return Err(BROKEN);
    }
    let frame = decoder.read_next_frame().map_err(|_| BROKEN)?.ok_or(BROKEN)?;
    let [left, top, across] = [frame.left, frame.top, frame.width].map(usize::from);
    let row = 4 * usize::try_from(size.width).expect("a side is one of this machine's lengths");
    if frame.buffer.len() == row * usize::from(frame.height) && frame.buffer.len() == 4 * area(size) {
        return Ok(Pixels { size, alpha: true, bytes: frame.buffer.to_vec() });
    }
    let mut bytes = vec![0; 4 * area(size)];
    for (line, pixels) in frame.buffer.chunks_exact(4 * across).enumerate() {
        let at = (top + line) * row + 4 * left;
        bytes.get_mut(at..at + pixels.len()).ok_or(BROKEN)?.copy_from_slice(pixels);
    }
    Ok(Pixels { size, alpha: true, bytes })
}

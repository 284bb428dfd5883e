//! Files to pixels: sniffed, bounded by their headers, taken apart, decoded, turned upright.

mod codes;
mod gif;
mod jpeg;
mod orientation;
mod png;
mod webp;

use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{Probe, Upload, UploadError, UploadFormat, UploadLimits},
};

use crate::{parts, sniff::sniff};

/// Reads a header.
pub(crate) fn probe(bytes: &[u8]) -> Result<Probe, UploadError> {
    let format = sniff(bytes)?;
    let size = match format {
        UploadFormat::Png => parts::png::header(bytes)?,
        UploadFormat::Jpeg => parts::jpeg::header(bytes)?,
        UploadFormat::Webp => parts::webp::header(bytes)?,
        UploadFormat::Gif => parts::gif::header(bytes)?,
    };
    Ok(Probe { format, size })
}

/// Decodes a picture that is within the limits.
///
/// The order is what keeps this safe: nothing is allocated for a picture before its header was read and found small
/// enough, and each decoder is held to the size that was found.
pub(crate) fn picture(bytes: &[u8], limits: &UploadLimits) -> Result<Upload, UploadError> {
    if bytes.len() > limits.bytes_max {
        return Err(UploadError::TooManyBytes { bytes: bytes.len(), max: limits.bytes_max });
    }
    let Probe { format, size } = probe(bytes)?;
    check(size, limits)?;
    let (pixels, exif) = match format {
        UploadFormat::Png => png::decode(bytes, size)?,
        UploadFormat::Jpeg => jpeg::decode(bytes, size, limits)?,
        UploadFormat::Webp => webp::decode(bytes)?,
        UploadFormat::Gif => (gif::decode(bytes, size)?, None),
    };
    let orientation = exif.and_then(orientation::of_exif).unwrap_or(1);
    Ok(Upload { pixels: orientation::upright(pixels, orientation), format, orientation })
}

fn check(size: Size, limits: &UploadLimits) -> Result<(), UploadError> {
    if size.pixels() > limits.pixels_max {
        return Err(UploadError::TooManyPixels { size, max: limits.pixels_max });
    }
    if size.width.max(size.height) > limits.side_max {
        return Err(UploadError::SideTooLong { size, max: limits.side_max });
    }
    Ok(())
}

/// What a decoder gives: pixels as they are stored, and the EXIF block.
type Decoded<'a> = (Pixels, Option<&'a [u8]>);

/// Returns a picture's number of pixels as a length in memory.
fn area(size: Size) -> usize {
    usize::try_from(size.pixels()).expect("a size within the limits is one of this machine's")
}

/// Puts a frame onto a canvas that it lies within and that is transparent around it.
fn place(frame: Pixels, left: u32, top: u32, canvas: Size) -> Pixels {
    if frame.size == canvas {
        return frame;
    }
    let [row, from, across] =
        [canvas.width, left, frame.size.width].map(|side| 4 * usize::try_from(side).expect("a side is a length here"));
    let line = if frame.alpha { across } else { across / 4 * 3 };
    let mut bytes = vec![0; 4 * area(canvas)];
    let rows = bytes.chunks_exact_mut(row).skip(usize::try_from(top).expect("a side is a length here"));
    for (pixels, row) in frame.bytes.chunks_exact(line).zip(rows) {
        let place = &mut row[from..from + across];
        if frame.alpha {
            place.copy_from_slice(pixels);
        } else {
            place.copy_from_slice(&map_pixels(pixels, |[red, green, blue]| [red, green, blue, 255]));
        }
    }
    Pixels { size: canvas, alpha: true, bytes }
}

/// Returns each pixel of a picture, of which `FROM` bytes are stored, as `TO` bytes.
fn map_pixels<const FROM: usize, const TO: usize>(bytes: &[u8], each: impl Fn([u8; FROM]) -> [u8; TO]) -> Vec<u8> {
    let (pixels, _) = bytes.as_chunks::<FROM>();
    let mut mapped = Vec::with_capacity(pixels.len() * TO);
    pixels.iter().for_each(|pixel| mapped.extend_from_slice(&each(*pixel)));
    mapped
}

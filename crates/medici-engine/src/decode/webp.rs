//! WebP, lossy and lossless, with and without transparency, by `image-webp`.

use std::io::Cursor;

use image_webp::WebPDecoder;
use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{UploadError, UploadFormat},
};

use super::{Decoded, area, codes, place};
use crate::parts::webp::{self, ALPHA, Coded, Frame, extended_header};

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Webp);
/// In the first byte of a channel of transparency: it is coded as the green of a lossless picture.
const CODED_LOSSLESSLY: u8 = 1;

/// Decodes a picture; of an animation the first frame, on a canvas that is transparent around it.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, UploadError> {
    let parts = webp::read(bytes)?;
    check(&parts.frame)?;
    let pixels = frame(&parts.frame)?;
    let Frame { left, top, .. } = parts.frame;
    Ok((place(pixels, left, top, parts.size), parts.exif))
}

/// Refuses what would make the decoder take much memory for few pixels.
fn check(frame: &Frame<'_>) -> Result<(), UploadError> {
    match frame.coded {
        // Before the codes are a signature, the size, a flag and a version.
        Coded::Lossless { data } => codes::check(&data[5..], frame.size),
        Coded::Lossy { alpha: Some([flags, data @ ..]), .. } if flags & 3 == CODED_LOSSLESSLY => {
            codes::check(data, frame.size)
        }
        Coded::Lossy { .. } => Ok(()),
    }
}

/// Decodes what was checked: the decoder gets a file of that alone.
fn frame(frame: &Frame<'_>) -> Result<Pixels, UploadError> {
    let header = extended_header(ALPHA, frame.size);
    let file = match frame.coded {
        Coded::Lossless { data } => webp::file(&[(*b"VP8L", data)]),
        Coded::Lossy { data, alpha: None } => webp::file(&[(*b"VP8 ", data)]),
        Coded::Lossy { data, alpha: Some(alpha) } => {
            webp::file(&[(*b"VP8X", &header), (*b"ALPH", alpha), (*b"VP8 ", data)])
        }
    };
    let size = frame.size;
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|_| BROKEN)?;
    let (width, height) = decoder.dimensions();
    if (Size { width, height }) != size {
        return Err(BROKEN);
    }
    let alpha = decoder.has_alpha();
    let mut bytes = vec![0; area(size) * if alpha { 4 } else { 3 }];
    decoder.read_image(&mut bytes).map_err(|_| BROKEN)?;
    Ok(Pixels { size, alpha, bytes })
}

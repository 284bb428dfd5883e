//! JPEG, baseline and progressive, of one, three and four colours, by `jpeg-decoder`.

use jpeg_decoder::{Decoder, PixelFormat};
use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{UploadError, UploadFormat, UploadLimits},
};

use super::{Decoded, area, map_pixels};
use crate::parts::jpeg;

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Jpeg);

/// Decodes a picture.
pub(super) fn decode<'a>(bytes: &'a [u8], size: Size, limits: &UploadLimits) -> Result<Decoded<'a>, UploadError> {
    let parts = jpeg::read(bytes)?;
    let inks = parts.components == 4;
    // A fourth colour takes a third more memory than what the limit is made for.
    let max = limits.pixels_max * 3 / 4;
    if inks && size.pixels() > max {
        return Err(UploadError::TooManyPixels { size, max });
    }
    let mut decoder = Decoder::new(parts.whole);
    decoder.set_max_decoding_buffer_size(area(size) * usize::from(parts.components));
    let bytes = decoder.decode().map_err(|_| BROKEN)?;
    let info = decoder.info().ok_or(BROKEN)?;
    if (u32::from(info.width), u32::from(info.height)) != (size.width, size.height) {
        return Err(BROKEN);
    }
    let bytes = match info.pixel_format {
        PixelFormat::L8 => map_pixels(&bytes, |[grey]| [grey; 3]),
        PixelFormat::RGB24 => bytes,
        PixelFormat::CMYK32 => printed(bytes),
        PixelFormat::L16 => return Err(BROKEN),
    };
    Ok((Pixels { size, alpha: false, bytes }, parts.exif))
}

/// Turns inks into what is seen of the paper, in place.
fn printed(mut bytes: Vec<u8>) -> Vec<u8> {
    let pixels = bytes.len() / 4;
    for i in 0..pixels {
        let left = 255 - bytes[4 * i + 3];
        for colour in 0..3 {
            bytes[3 * i + colour] = times(255 - bytes[4 * i + colour], left);
        }
    }
    bytes.truncate(3 * pixels);
    bytes
}

/// Returns the product of two shares, each in parts of 255.
fn times(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b);
    u8::try_from((product + 127) / 255).expect("a share of a share is one")
}

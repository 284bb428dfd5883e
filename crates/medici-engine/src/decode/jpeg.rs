//! JPEG, baseline and progressive, of one, three and four colours, by `zune-jpeg`.

use std::borrow::Cow;

use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{UploadError, UploadFormat},
};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::{Decoded, area};
use crate::parts::jpeg::{self, ADOBE_TRANSFORM, Jpeg, SCANS_MAX, Segment, Segments, is_adobe, is_metadata};

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Jpeg);
/// The most metadata that is handed to the decoder, which keeps it all and sorts some of it again and again.
const METADATA_BYTES_MAX: usize = 64 << 10;
/// Adobe's word for colours that were transformed and black that was not.
const YCCK: u8 = 2;

/// Decodes a picture.
pub(super) fn decode(bytes: &[u8], size: Size) -> Result<Decoded<'_>, UploadError> {
    let parts = jpeg::read(bytes)?;
    let transform = parts.adobe_transform_at.map(|at| bytes[at]);
    let printed = parts.components == 4;
    let options = DecoderOptions::new_safe()
        .set_strict_mode(true)
        .set_max_width(as_length(size.width))
        .set_max_height(as_length(size.height))
        .jpeg_set_max_scans(SCANS_MAX)
        .jpeg_set_out_colorspace(if printed { ColorSpace::CMYK } else { ColorSpace::RGB });
    let prepared = prepared(&parts)?;
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*prepared), options);
    decoder.decode_headers().map_err(|_| BROKEN)?;
    let samples = if printed { 4 } else { 3 };
    if decoder.output_buffer_size() != Some(area(size) * samples) {
        return Err(BROKEN);
    }
    let mut bytes = decoder.decode().map_err(|_| BROKEN)?;
    if printed {
        to_rgb(&mut bytes, transform == Some(YCCK));
    }
    Ok((Pixels { size, alpha: false, bytes }, parts.exif))
}

fn as_length(side: u32) -> usize {
    usize::try_from(side).expect("a side within the limits is one of this machine's")
}

/// Returns the file as the decoder gets it: without more metadata than it may keep, and with inks said to be as they
/// are stored.
///
/// Told that inks are transformed, the decoder mixes black into them and returns the opposites of the colours.
fn prepared<'a>(parts: &Jpeg<'a>) -> Result<Cow<'a, [u8]>, UploadError> {
    let strip = parts.metadata > METADATA_BYTES_MAX;
    let say = parts.components == 4 && parts.adobe_transform_at.is_some();
    if !strip && !say {
        return Ok(Cow::Borrowed(parts.whole));
    }
    let (begin, end) = parts.whole.split_at(2);
    let mut kept = begin.to_vec();
    let mut segments = Segments::new(parts.whole)?;
    while let Some(Segment { marker, body, range }) = segments.next()? {
        if strip && is_metadata(marker) {
            continue;
        }
        kept.extend_from_slice(&parts.whole[range]);
        if say && is_adobe(marker, body) {
            let transform = kept.len() - body.len() + ADOBE_TRANSFORM;
            kept[transform] = 0;
        }
    }
    kept.extend_from_slice(&end[end.len() - 2..]);
    Ok(Cow::Owned(kept))
}

/// Turns inks into light, in place.
///
/// Files say how much paper is left rather than how much ink is on it: so does everything that writes them since
/// Adobe's programs did, and everything that reads them takes it so.
fn to_rgb(bytes: &mut Vec<u8>, transformed: bool) {
    let pixels = bytes.len() / 4;
    for i in 0..pixels {
        let [c, m, y, k] = [0, 1, 2, 3].map(|ink| bytes[4 * i + ink]);
        let paper = if transformed { untransformed(c, m, y) } else { [c, m, y] };
        for (channel, left) in paper.into_iter().enumerate() {
            bytes[3 * i + channel] = times(left, k);
        }
    }
    bytes.truncate(3 * pixels);
}

/// Returns the product of two shares, each in parts of 255.
fn times(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b);
    u8::try_from((product + 127) / 255).expect("a share of a share is one")
}

/// Returns three inks that were stored as brightness and two differences.
fn untransformed(brightness: u8, blue: u8, red: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(brightness), i32::from(blue) - 128, i32::from(red) - 128);
    // The factors of ITU-R BT.601 in parts of 65,536.
    let rounded = |sum: i32| (sum + 32_768) >> 16;
    let colours = [y + rounded(91_881 * cr), y - rounded(22_554 * cb + 46_802 * cr), y + rounded(116_130 * cb)];
    colours.map(|colour| 255 - u8::try_from(colour.clamp(0, 255)).expect("it was clamped"))
}

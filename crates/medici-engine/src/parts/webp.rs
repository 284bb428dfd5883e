//! WebP: a RIFF file of chunks.

use medici_studio::{
    engine::Size,
    picture_file::{UploadError, UploadFormat},
};

use super::{Reader, length};

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Webp);
/// In the first byte of an extended header.
pub(crate) const ANIMATED: u8 = 0x02;
/// In the first byte of an extended header.
pub(crate) const XMP: u8 = 0x04;
/// In the first byte of an extended header.
pub(crate) const ALPHA: u8 = 0x10;

/// A WebP file, taken apart.
#[derive(Default)]
pub(crate) struct Webp<'a> {
    /// The file up to its own end.
    pub(crate) whole: &'a [u8],
    pub(crate) size: Option<Size>,
    pub(crate) animated: bool,
    /// The losslessly coded parts of the first picture.
    pub(crate) lossless: Vec<Lossless<'a>>,
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) xmp: Option<&'a [u8]>,
}

/// Losslessly coded data.
#[derive(Clone, Copy)]
pub(crate) struct Lossless<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) size: Size,
}

/// Returns the size that the header says.
pub(crate) fn header(bytes: &[u8]) -> Result<Size, UploadError> {
    let mut reader = Reader::new(bytes, UploadFormat::Webp);
    reader.take(12)?;
    let kind: [u8; 4] = reader.array()?;
    reader.take(4)?;
    match &kind {
        b"VP8X" => Ok(extended(reader)?.1),
        b"VP8 " => lossy(reader),
        b"VP8L" => lossless(reader),
        _ => Err(BROKEN),
    }
}

/// Takes a file apart.
pub(crate) fn read(bytes: &[u8]) -> Result<Webp<'_>, UploadError> {
    let size = header(bytes)?;
    let mut reader = Reader::new(bytes, UploadFormat::Webp);
    reader.take(4)?;
    let count = length(reader.u32_le()?);
    let whole = Reader::new(bytes, UploadFormat::Webp).take(count.saturating_add(8))?;
    let mut reader = Reader::new(whole, UploadFormat::Webp);
    reader.take(12)?;
    let mut webp = Webp { whole, size: Some(size), ..Webp::default() };
    let (mut still, mut alpha, mut frames) = (0_u32, None, 0_u32);
    let mut first = true;
    while !reader.is_at_end() {
        let (kind, data) = chunk(&mut reader)?;
        match &kind {
            b"VP8X" if first => webp.animated = extended(within(data))?.0 & ANIMATED != 0,
            b"ALPH" => alpha = alpha.or(Some(data)),
            b"VP8 " | b"VP8L" => {
                still += 1;
                if still == 1 {
                    webp.lossless.extend(picture(kind, data, size)?);
                }
            }
            b"ANMF" => {
                frames += 1;
                if frames == 1 {
                    webp.lossless.extend(frame(data, size)?);
                }
            }
            b"EXIF" => webp.exif = webp.exif.or(Some(data.strip_prefix(b"Exif\0\0").unwrap_or(data))),
            b"XMP " => webp.xmp = webp.xmp.or(Some(data)),
            _ => {}
        }
        first = false;
    }
    webp.lossless.extend(alpha.and_then(|data| transparency(data, size)));
    // A decoder that finds a frame where it should not be would decode it at a size that nobody compared.
    let whole = if webp.animated { frames > 0 } else { frames == 0 && still > 0 };
    if whole { Ok(webp) } else { Err(BROKEN) }
}

fn within(data: &[u8]) -> Reader<'_> {
    Reader::new(data, UploadFormat::Webp)
}

/// Reads a chunk, and the byte that makes its length even.
fn chunk<'a>(reader: &mut Reader<'a>) -> Result<([u8; 4], &'a [u8]), UploadError> {
    let kind = reader.array()?;
    let count = length(reader.u32_le()?);
    let data = reader.take(count)?;
    if count % 2 == 1 && !reader.is_at_end() {
        reader.u8()?;
    }
    Ok((kind, data))
}

/// Returns the flags and the size of an extended header.
fn extended(mut reader: Reader<'_>) -> Result<(u8, Size), UploadError> {
    let flags = reader.u8()?;
    reader.take(3)?;
    Ok((flags, Size { width: reader.u24_le()? + 1, height: reader.u24_le()? + 1 }))
}

/// Returns the size of lossily coded data.
fn lossy(mut reader: Reader<'_>) -> Result<Size, UploadError> {
    let [tag, _, _] = reader.array()?;
    let is_key_frame = tag & 1 == 0;
    if !is_key_frame || reader.array()? != [0x9d, 0x01, 0x2a] {
        return Err(BROKEN);
    }
    // The two highest bits say how it should be enlarged.
    let (width, height) = (reader.u16_le()? & 0x3fff, reader.u16_le()? & 0x3fff);
    if width == 0 || height == 0 { Err(BROKEN) } else { Ok(Size { width: width.into(), height: height.into() }) }
}

/// Returns the size of losslessly coded data.
fn lossless(mut reader: Reader<'_>) -> Result<Size, UploadError> {
    if reader.u8()? != 0x2f {
        return Err(BROKEN);
    }
    let bits = reader.u32_le()?;
    Ok(Size { width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1 })
}

/// Compares a picture's own size with what the file says, and returns it if it is lossless.
fn picture(kind: [u8; 4], data: &[u8], size: Size) -> Result<Option<Lossless<'_>>, UploadError> {
    let is_lossless = &kind == b"VP8L";
    let own = if is_lossless { lossless(within(data))? } else { lossy(within(data))? };
    if own != size {
        return Err(BROKEN);
    }
    // Behind a signature, the size, a flag and a version.
    Ok(is_lossless.then(|| Lossless { data: &data[5..], size }))
}

/// Takes the first frame of an animation apart, and returns its losslessly coded parts.
fn frame(data: &[u8], canvas: Size) -> Result<Vec<Lossless<'_>>, UploadError> {
    let mut reader = within(data);
    let (left, top) = (reader.u24_le()? * 2, reader.u24_le()? * 2);
    let size = Size { width: reader.u24_le()? + 1, height: reader.u24_le()? + 1 };
    reader.take(4)?;
    if left + size.width > canvas.width || top + size.height > canvas.height {
        return Err(BROKEN);
    }
    let (kind, data) = chunk(&mut reader)?;
    if &kind != b"ALPH" {
        return Ok(picture(kind, data, size)?.into_iter().collect());
    }
    let transparency = transparency(data, size);
    let (kind, data) = chunk(&mut reader)?;
    if &kind != b"VP8 " {
        return Err(BROKEN);
    }
    picture(kind, data, size)?;
    Ok(transparency.into_iter().collect())
}

/// Returns the coded data of an alpha channel, if it is coded losslessly.
fn transparency(data: &[u8], size: Size) -> Option<Lossless<'_>> {
    let (flags, data) = data.split_first()?;
    (flags & 3 == 1).then_some(Lossless { data, size })
}

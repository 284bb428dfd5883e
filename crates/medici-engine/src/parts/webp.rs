//! WebP: a RIFF file of chunks.

use medici_studio::{
    engine::Size,
    picture_file::{UploadError, UploadFormat},
};

use super::{Reader, length};

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Webp);
/// In the flags of an extended header.
const ANIMATED: u8 = 0x02;
/// In the flags of an extended header.
pub(crate) const XMP: u8 = 0x04;
/// In the flags of an extended header.
pub(crate) const ALPHA: u8 = 0x10;

/// A WebP file, taken apart.
pub(crate) struct Webp<'a> {
    pub(crate) size: Size,
    /// The picture; of an animation the first.
    pub(crate) frame: Frame<'a>,
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) xmp: Option<&'a [u8]>,
}

/// A picture on its canvas. Its size is what its own data says, and it lies within the canvas.
pub(crate) struct Frame<'a> {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) size: Size,
    pub(crate) coded: Coded<'a>,
}

/// How a picture is coded.
#[derive(Clone, Copy)]
pub(crate) enum Coded<'a> {
    /// Lossily, with a channel of transparency beside it or without.
    Lossy { data: &'a [u8], alpha: Option<&'a [u8]> },
    /// Losslessly.
    Lossless { data: &'a [u8] },
}

/// Returns the size that the header says.
pub(crate) fn header(bytes: &[u8]) -> Result<Size, UploadError> {
    let mut reader = within(bytes);
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
    let mut reader = within(bytes);
    reader.take(4)?;
    let count = length(reader.u32_le()?);
    let whole = within(bytes).take(count.saturating_add(8))?;
    let mut reader = within(whole);
    reader.take(12)?;
    let (mut animated, mut alpha, mut still, mut frame) = (false, None, None, None);
    let (mut exif, mut xmp) = (None, None);
    while !reader.is_at_end() {
        let (kind, data) = chunk(&mut reader)?;
        match &kind {
            b"VP8X" => animated |= extended(within(data))?.0 & ANIMATED != 0,
            b"ALPH" => alpha = alpha.or(Some(data)),
            b"VP8 " | b"VP8L" => still = still.or(Some((kind, data))),
            b"ANMF" => frame = frame.or(Some(data)),
            b"EXIF" => exif = exif.or(Some(data.strip_prefix(b"Exif\0\0").unwrap_or(data))),
            b"XMP " => xmp = xmp.or(Some(data)),
            _ => {}
        }
    }
    let frame = match (animated, frame, still) {
        (true, Some(data), _) => animation(data, size)?,
        (false, _, Some((kind, data))) => Frame { left: 0, top: 0, size, coded: coded(kind, data, alpha, size)? },
        _ => return Err(BROKEN),
    };
    Ok(Webp { size, frame, exif, xmp })
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

/// Compares a picture's own size with what the file says. A decoder would make room for the one without the other.
fn coded<'a>(kind: [u8; 4], data: &'a [u8], alpha: Option<&'a [u8]>, size: Size) -> Result<Coded<'a>, UploadError> {
    let (own, coded) = match &kind {
        b"VP8 " => (lossy(within(data))?, Coded::Lossy { data, alpha }),
        b"VP8L" => (lossless(within(data))?, Coded::Lossless { data }),
        _ => return Err(BROKEN),
    };
    if own == size { Ok(coded) } else { Err(BROKEN) }
}

/// Takes a frame of an animation apart.
fn animation(data: &[u8], canvas: Size) -> Result<Frame<'_>, UploadError> {
    let mut reader = within(data);
    let (left, top) = (reader.u24_le()? * 2, reader.u24_le()? * 2);
    let size = Size { width: reader.u24_le()? + 1, height: reader.u24_le()? + 1 };
    reader.take(4)?;
    if left + size.width > canvas.width || top + size.height > canvas.height {
        return Err(BROKEN);
    }
    let (mut kind, mut data) = chunk(&mut reader)?;
    let mut alpha = None;
    if &kind == b"ALPH" {
        alpha = Some(data);
        (kind, data) = chunk(&mut reader)?;
    }
    Ok(Frame { left, top, size, coded: coded(kind, data, alpha, size)? })
}

/// Writes a file of chunks.
pub(crate) fn file(chunks: &[([u8; 4], &[u8])]) -> Vec<u8> {
    // Each has a name, a length, and a byte where that is odd.
    let count: usize = 4 + chunks.iter().map(|(_, data)| 8 + data.len().next_multiple_of(2)).sum::<usize>();
    let as_u32 = |count: usize| u32::try_from(count).expect("a picture has less than 4 GB").to_le_bytes();
    let mut file = Vec::with_capacity(8 + count);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&as_u32(count));
    file.extend_from_slice(b"WEBP");
    for (kind, data) in chunks {
        file.extend_from_slice(kind);
        file.extend_from_slice(&as_u32(data.len()));
        file.extend_from_slice(data);
        if data.len() % 2 == 1 {
            file.push(0);
        }
    }
    file
}

/// Writes an extended header.
pub(crate) fn extended_header(flags: u8, size: Size) -> [u8; 10] {
    let [[a, b, c, _], [d, e, f, _]] = [size.width, size.height].map(|side| (side - 1).to_le_bytes());
    [flags, 0, 0, 0, a, b, c, d, e, f]
}

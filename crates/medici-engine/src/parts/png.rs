//! PNG: a signature, then chunks, of which `IEND` is the last.

use medici_studio::{
    engine::Size,
    picture_file::{UploadError, UploadFormat},
};

use super::{Reader, length};

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Png);
/// The keyword of the text that holds an XMP packet.
pub(crate) const XMP: &str = "XML:com.adobe.xmp";
/// The keyword of the text in which image generators tell each other how a picture was made.
pub(crate) const PARAMETERS: &str = "parameters";

/// A PNG file, taken apart.
pub(crate) struct Png<'a> {
    /// The file up to its own end.
    pub(crate) whole: &'a [u8],
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) xmp: Option<&'a [u8]>,
    pub(crate) parameters: Option<Text<'a>>,
}

/// A text that is not compressed.
#[derive(Clone, Copy)]
pub(crate) enum Text<'a> {
    Latin1(&'a [u8]),
    Utf8(&'a [u8]),
}

/// Returns the size that the header says.
pub(crate) fn header(bytes: &[u8]) -> Result<Size, UploadError> {
    let mut reader = Reader::new(bytes, UploadFormat::Png);
    reader.take(8)?;
    let (kind, data) = chunk(&mut reader)?;
    size(kind, data)
}

/// Takes a file apart.
pub(crate) fn read(bytes: &[u8]) -> Result<Png<'_>, UploadError> {
    header(bytes)?;
    let mut reader = Reader::new(bytes, UploadFormat::Png);
    reader.take(8)?;
    let (mut exif, mut xmp, mut parameters) = (None, None, None);
    loop {
        let (kind, data) = chunk(&mut reader)?;
        match &kind {
            b"eXIf" => exif = exif.or(Some(data)),
            b"tEXt" | b"iTXt" => match text(kind, data) {
                Some((keyword, Text::Utf8(text))) if keyword == XMP.as_bytes() => xmp = xmp.or(Some(text)),
                Some((keyword, text)) if keyword == PARAMETERS.as_bytes() => parameters = parameters.or(Some(text)),
                _ => {}
            },
            b"IEND" => return Ok(Png { whole: &bytes[..reader.at()], exif, xmp, parameters }),
            _ => {}
        }
    }
}

/// Reads a chunk's type and data. Its checksum is for whoever decodes it.
fn chunk<'a>(reader: &mut Reader<'a>) -> Result<([u8; 4], &'a [u8]), UploadError> {
    let count = reader.u32_be()?;
    if count > i32::MAX.cast_unsigned() {
        return Err(BROKEN);
    }
    let kind = reader.array()?;
    let data = reader.take(length(count))?;
    reader.take(4)?;
    Ok((kind, data))
}

fn size(kind: [u8; 4], data: &[u8]) -> Result<Size, UploadError> {
    let ([a, b, c, d, e, f, g, h, ..], b"IHDR") = (data, &kind) else { return Err(BROKEN) };
    let (width, height) = (u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h]));
    if width == 0 || height == 0 { Err(BROKEN) } else { Ok(Size { width, height }) }
}

/// Returns a text and its keyword; `None` for one that is compressed or none at all.
fn text(kind: [u8; 4], data: &[u8]) -> Option<(&[u8], Text<'_>)> {
    let (keyword, rest) = split_at_zero(data)?;
    if &kind == b"tEXt" {
        return Some((keyword, Text::Latin1(rest)));
    }
    let [0, _method, rest @ ..] = rest else { return None };
    let (_language, rest) = split_at_zero(rest)?;
    let (_translated, rest) = split_at_zero(rest)?;
    Some((keyword, Text::Utf8(rest)))
}

fn split_at_zero(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = data.iter().position(|byte| *byte == 0)?;
    Some((&data[..at], &data[at + 1..]))
}

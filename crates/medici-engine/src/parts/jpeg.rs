//! JPEG: segments that begin with a marker, and coded data behind each start of a scan.

use std::ops::Range;

use medici_studio::{
    engine::Size,
    picture_file::{UploadError, UploadFormat},
};

use super::Reader;

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Jpeg);
/// The most passes over a picture. Progressive ones have about ten; each costs a decoder a walk over all of it.
pub(crate) const SCANS_MAX: usize = 64;
/// How a segment begins that holds an XMP packet.
pub(crate) const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXIF: &[u8] = b"Exif\0\0";

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP13: u8 = 0xed;
const APP14: u8 = 0xee;
/// Where Adobe's segment says how colours were transformed: behind the name, a version and two words of flags.
pub(crate) const ADOBE_TRANSFORM: usize = 11;

/// A JPEG file, taken apart.
pub(crate) struct Jpeg<'a> {
    /// The file up to its own end.
    pub(crate) whole: &'a [u8],
    pub(crate) size: Size,
    /// How many colours a pixel has: 1, 3 or 4.
    pub(crate) components: u8,
    /// Where Adobe's marker says how colours were transformed.
    pub(crate) adobe_transform_at: Option<usize>,
    /// How many bytes of metadata a decoder would keep.
    pub(crate) metadata: usize,
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) xmp: Option<&'a [u8]>,
}

/// A segment, and the coded data behind it.
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    pub(crate) body: &'a [u8],
    /// Where it lies in the file, from its marker to the next.
    pub(crate) range: Range<usize>,
}

/// Reads one segment after the other.
pub(crate) struct Segments<'a>(Reader<'a>);

impl<'a> Segments<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, UploadError> {
        let mut reader = Reader::new(bytes, UploadFormat::Jpeg);
        if reader.array()? != [0xff, SOI] { Err(BROKEN) } else { Ok(Self(reader)) }
    }

    /// Returns the next segment; `None` at the end of the picture.
    pub(crate) fn next(&mut self) -> Result<Option<Segment<'a>>, UploadError> {
        let reader = &mut self.0;
        let start = reader.at();
        if reader.u8()? != 0xff {
            return Err(BROKEN);
        }
        let mut marker = reader.u8()?;
        // A marker may be preceded by any number of these.
        while marker == 0xff {
            marker = reader.u8()?;
        }
        match marker {
            EOI => return Ok(None),
            0x00..=0x01 | 0xd0..=SOI => return Err(BROKEN),
            _ => {}
        }
        let count = usize::from(reader.u16_be()?).checked_sub(2).ok_or(BROKEN)?;
        let body = reader.take(count)?;
        if marker == SOS {
            reader.take(coded(reader.rest()).ok_or(UploadError::Truncated(UploadFormat::Jpeg))?)?;
        }
        Ok(Some(Segment { marker, body, range: start..reader.at() }))
    }
}

/// Returns how long the coded data is: up to a marker that is neither an escaped byte nor a restart.
fn coded(data: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + data[from..].iter().position(|byte| *byte == 0xff)?;
        match data.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => from = at + 2,
            0xff => from = at + 1,
            _ => return Some(at),
        }
    }
}

/// Returns the size that the header says.
pub(crate) fn header(bytes: &[u8]) -> Result<Size, UploadError> {
    let mut segments = Segments::new(bytes)?;
    loop {
        let segment = segments.next()?.ok_or(BROKEN)?;
        if segment.marker == SOS {
            return Err(BROKEN);
        }
        if let Some(frame) = frame(&segment)? {
            return Ok(frame.size);
        }
    }
}

/// Takes a file apart.
pub(crate) fn read(bytes: &[u8]) -> Result<Jpeg<'_>, UploadError> {
    let mut segments = Segments::new(bytes)?;
    let (mut exif, mut xmp, mut adobe_transform_at) = (None, None, None);
    let (mut scans, mut metadata) = (0, 0);
    let mut found: Option<Frame> = None;
    while let Some(segment) = segments.next()? {
        if let Some(frame) = frame(&segment)?
            && found.replace(frame).is_some()
        {
            return Err(BROKEN);
        }
        let body = segment.body;
        match segment.marker {
            SOS if found.is_none() => return Err(BROKEN),
            SOS => scans += 1,
            APP1 if body.starts_with(EXIF) => exif = exif.or(Some(&body[EXIF.len()..])),
            APP1 if body.starts_with(XMP) => xmp = xmp.or(Some(&body[XMP.len()..])),
            marker if is_adobe(marker, body) => {
                adobe_transform_at = Some(segment.range.end - body.len() + ADOBE_TRANSFORM);
            }
            _ => {}
        }
        if is_metadata(segment.marker) {
            metadata += body.len();
        }
    }
    let Some(Frame { size, components }) = found.filter(|_| scans > 0) else { return Err(BROKEN) };
    if scans > SCANS_MAX {
        return Err(UploadError::Unsupported { what: "a JPEG of more than 64 passes" });
    }
    let whole = &bytes[..segments.0.at()];
    Ok(Jpeg { whole, size, components, adobe_transform_at, metadata, exif, xmp })
}

/// Returns whether a segment is Adobe's.
pub(crate) fn is_adobe(marker: u8, body: &[u8]) -> bool {
    marker == APP14 && body.starts_with(b"Adobe") && body.len() > ADOBE_TRANSFORM
}

/// Returns whether a segment holds what a decoder keeps beside the picture.
pub(crate) fn is_metadata(marker: u8) -> bool {
    matches!(marker, APP1 | APP2 | APP13)
}

struct Frame {
    size: Size,
    components: u8,
}

/// Reads a segment that begins a frame; `None` if it does not.
fn frame(segment: &Segment<'_>) -> Result<Option<Frame>, UploadError> {
    let unsupported = |what| Err(UploadError::Unsupported { what });
    match segment.marker {
        0xc0..=0xc2 => {}
        0xc3 => return unsupported("a lossless JPEG"),
        0xc5..=0xc7 | 0xde | 0xdf => return unsupported("a hierarchical JPEG"),
        0xc9..=0xcf => return unsupported("an arithmetically coded JPEG"),
        _ => return Ok(None),
    }
    let [precision, a, b, c, d, components, ..] = segment.body else { return Err(BROKEN) };
    let (height, width) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
    match (precision, components, height) {
        (12, _, _) => unsupported("a JPEG of 12 bits a channel"),
        (8, 1 | 3 | 4, 0) => unsupported("a JPEG that tells its height at its end"),
        (8, 1 | 3 | 4, _) if width > 0 => {
            let size = Size { width: width.into(), height: height.into() };
            Ok(Some(Frame { size, components: *components }))
        }
        (8, 2, _) => unsupported("a JPEG of two colours"),
        _ => Err(BROKEN),
    }
}

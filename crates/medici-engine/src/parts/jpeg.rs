//! JPEG: segments that begin with a marker, and coded data behind each start of a scan.

use medici_studio::{
    engine::Size,
    picture_file::{UploadError, UploadFormat},
};

use super::Reader;

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Jpeg);
/// The most passes over a picture. Progressive ones have about ten; each costs a decoder a walk over all of it.
const SCANS_MAX: usize = 64;
/// How a segment begins that holds an XMP packet.
pub(crate) const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXIF: &[u8] = b"Exif\0\0";

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;

/// A JPEG file, taken apart.
pub(crate) struct Jpeg<'a> {
    /// The file up to its own end.
    pub(crate) whole: &'a [u8],
    /// How many colours a pixel has: 1, 3 or 4.
    pub(crate) components: u8,
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) xmp: Option<&'a [u8]>,
}

struct Segment<'a> {
    marker: u8,
    body: &'a [u8],
}

/// Reads one segment after the other, and skips the coded data behind it.
struct Segments<'a>(Reader<'a>);

impl<'a> Segments<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, UploadError> {
        let mut reader = Reader::new(bytes, UploadFormat::Jpeg);
        if reader.array()? != [0xff, SOI] { Err(BROKEN) } else { Ok(Self(reader)) }
    }

    /// Returns the next segment; `None` at the end of the picture.
    fn next(&mut self) -> Result<Option<Segment<'a>>, UploadError> {
        let reader = &mut self.0;
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
        Ok(Some(Segment { marker, body }))
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
    let (mut exif, mut xmp, mut scans) = (None, None, 0);
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
            _ => {}
        }
    }
    let Some(Frame { components, .. }) = found.filter(|_| scans > 0) else { return Err(BROKEN) };
    if scans > SCANS_MAX {
        return Err(UploadError::Unsupported { what: "a JPEG of more than 64 passes" });
    }
    let whole = &bytes[..segments.0.at()];
    Ok(Jpeg { whole, components, exif, xmp })
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

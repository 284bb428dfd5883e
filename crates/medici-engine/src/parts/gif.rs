//! GIF: a screen, then blocks up to a trailer.

use medici_studio::{
    engine::Size,
    picture_file::{UploadError, UploadFormat},
};

use super::Reader;

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Gif);

/// Returns the size of the screen that the frames are drawn on.
pub(crate) fn header(bytes: &[u8]) -> Result<Size, UploadError> {
    let mut reader = Reader::new(bytes, UploadFormat::Gif);
    screen(&mut reader)
}

/// Returns the file up to its own end.
pub(crate) fn read(bytes: &[u8]) -> Result<&[u8], UploadError> {
    let mut reader = Reader::new(bytes, UploadFormat::Gif);
    screen(&mut reader)?;
    let mut frames = 0_u32;
    loop {
        match reader.u8()? {
            b'!' => {
                reader.u8()?;
                blocks(&mut reader)?;
            }
            b',' => {
                reader.take(8)?;
                colours(&mut reader)?;
                reader.u8()?;
                blocks(&mut reader)?;
                frames += 1;
            }
            b';' if frames > 0 => return Ok(&bytes[..reader.at()]),
            _ => return Err(BROKEN),
        }
    }
}

fn screen(reader: &mut Reader<'_>) -> Result<Size, UploadError> {
    reader.take(6)?;
    let (width, height) = (reader.u16_le()?, reader.u16_le()?);
    let flags = reader.u8()?;
    reader.take(2)?;
    if flags & 0x80 != 0 {
        reader.take(table(flags))?;
    }
    if width == 0 || height == 0 { Err(BROKEN) } else { Ok(Size { width: width.into(), height: height.into() }) }
}

/// Skips the flags of a frame and the colours that they announce.
fn colours(reader: &mut Reader<'_>) -> Result<(), UploadError> {
    let flags = reader.u8()?;
    if flags & 0x80 != 0 {
        reader.take(table(flags))?;
    }
    Ok(())
}

fn table(flags: u8) -> usize {
    3 << ((flags & 7) + 1)
}

/// Skips blocks up to the empty one.
fn blocks(reader: &mut Reader<'_>) -> Result<(), UploadError> {
    loop {
        match reader.u8()? {
            0 => return Ok(()),
            count => reader.take(count.into())?,
        };
    }
}

//! Files taken apart along their own seams: where a picture ends, and what else lies in the file.
//!
//! Nothing is decoded, nothing is copied, and every length is compared with what is there. What follows a picture's
//! own end is no part of it: a file that is a picture and an archive at once goes on as the picture alone.

pub(crate) mod gif;
pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod webp;

use medici_studio::picture_file::{UploadError, UploadFormat};

/// The bytes of a file, read from the front.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    format: UploadFormat,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], format: UploadFormat) -> Self {
        Self { bytes, at: 0, format }
    }

    /// Returns how many bytes were read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Returns whether nothing is left.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Returns everything that is left, without reading it.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Reads so many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], UploadError> {
        let taken = self.rest().get(..count).ok_or(UploadError::Truncated(self.format))?;
        self.at += count;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], UploadError> {
        self.take(N).map(|bytes| bytes.try_into().expect("as many were taken"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, UploadError> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16_be(&mut self) -> Result<u16, UploadError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u16_le(&mut self) -> Result<u16, UploadError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u24_le(&mut self) -> Result<u32, UploadError> {
        self.array().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    pub(crate) fn u32_be(&mut self) -> Result<u32, UploadError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u32_le(&mut self) -> Result<u32, UploadError> {
        self.array().map(u32::from_le_bytes)
    }
}

/// Returns a length that a file gives as one of this machine's.
pub(crate) fn length(given: u32) -> usize {
    usize::try_from(given).unwrap_or(usize::MAX)
}

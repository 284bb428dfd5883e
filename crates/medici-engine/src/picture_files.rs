//! The studio's port of picture files.

use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{Decoder, Encoder, Output, Probe, Provenance, Upload, UploadError, UploadLimits},
};

use crate::{decode, encode, pocket::resize::resized};

/// Writes PNG, JPEG and WebP, and reads those and GIF.
///
/// Written bytes are the same on every machine: no time stamp, one fixed effort. Decoders are safe Rust throughout,
/// and none of them is asked before the header was found to be within bounds.
#[derive(Clone, Copy, Debug, Default)]
pub struct PictureFiles;

impl Encoder for PictureFiles {
    fn encode(&self, pixels: &Pixels, output: Output, provenance: &Provenance) -> Vec<u8> {
        encode::picture(pixels, output, provenance)
    }

    fn plain(&self, pixels: &Pixels) -> Vec<u8> {
        encode::plain(pixels)
    }

    fn preview(&self, pixels: &Pixels) -> (Vec<u8>, &'static str) {
        encode::preview(pixels)
    }
}

impl Decoder for PictureFiles {
    fn probe(&self, bytes: &[u8]) -> Result<Probe, UploadError> {
        decode::probe(bytes)
    }

    fn decode(&self, bytes: &[u8], limits: &UploadLimits) -> Result<Upload, UploadError> {
        decode::picture(bytes, limits)
    }

    fn resized(&self, pixels: &Pixels, size: Size) -> Pixels {
        resized(pixels, size)
    }
}

//! Picture files: what other programs wrote is read, what is written is read back, what is broken is refused.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod made;
mod provenance;
mod reads;
mod refuses;
mod writes;

use std::path::Path;

use medici_engine::PictureFiles;
use medici_studio::{
    engine::{Drawing, Pixels, Size},
    picture_file::{Decoder, Encoder, FileFormat, Output, Provenance, Upload, UploadError, UploadLimits},
};

/// Returns a file of `tests/files`; `tests/files/make` says how it was made.
fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)).unwrap()
}

fn decode(bytes: &[u8]) -> Result<Upload, UploadError> {
    PictureFiles.decode(bytes, &UploadLimits::default())
}

fn pixels(bytes: &[u8]) -> Pixels {
    decode(bytes).unwrap().pixels
}

fn encode(pixels: &Pixels, format: FileFormat, compression: u8) -> Vec<u8> {
    PictureFiles.encode(pixels, Output { format, compression }, &told())
}

/// Some provenance.
fn told() -> Provenance {
    Provenance {
        model: "pocket-1".to_owned(),
        seed: 7,
        index: 2,
        steps: Some(12),
        operation: Drawing::Generate,
        prompt: Some("a red fox — ein Fuchs & co.".to_owned()),
        reading: None,
    }
}

/// A picture of noise and slopes, with every alpha in it.
fn pattern(width: u32, height: u32, alpha: bool) -> Pixels {
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(state >> 28).unwrap()
    };
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let slopes = [x * 255 / width, y * 255 / height, (x + y) * 127 / (width + height), x * 999 / width % 256];
            let channels = if alpha { 4 } else { 3 };
            bytes.extend(slopes[..channels].iter().map(|slope| u8::try_from(*slope).unwrap().saturating_add(noise())));
        }
    }
    Pixels { size: Size { width, height }, alpha, bytes }
}

/// Returns the mean difference of two pictures' channels.
fn difference(one: &Pixels, other: &Pixels) -> f64 {
    assert_eq!((one.size, one.alpha), (other.size, other.alpha));
    assert_eq!(one.bytes.len(), other.bytes.len());
    let sum: u64 = one.bytes.iter().zip(&other.bytes).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    #[expect(clippy::cast_precision_loss, reason = "a test picture is small")]
    let mean = sum as f64 / one.bytes.len() as f64;
    mean
}

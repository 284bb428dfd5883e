//! WebP by libwebp, and the container around it by hand.
//!
//! The one place where C is at work on pictures. It gets our own pixels and nothing from outside; what people hand in
//! is decoded in safe Rust.

use medici_studio::{engine::Pixels, picture_file::Output};
use webp::{Encoder, WebPConfig};

use crate::parts::webp::{ALPHA, Coded, XMP, extended_header, file, read};

/// How hard to look for a smaller lossless file, 0 to 6 and 0 to 100: what follows costs much and saves little.
const LOSSLESS_EFFORT: (i32, f32) = (1, 20.0);
/// How hard to look for a smaller lossy file, 0 to 6.
const LOSSY_EFFORT: i32 = 2;

/// Writes a picture: every pixel of it at the best quality.
pub(super) fn encode(pixels: &Pixels, quality: u8, xmp: &str) -> Vec<u8> {
    let mut config = WebPConfig::new().expect("the library is the one this was compiled with");
    if quality == Output::COMPRESSION_MAX {
        config.lossless = 1;
        // Colours that cannot be seen are pixels too.
        config.exact = 1;
        (config.method, config.quality) = LOSSLESS_EFFORT;
    } else {
        config.method = LOSSY_EFFORT;
        config.quality = f32::from(quality);
    }
    let (width, height) = (pixels.size.width, pixels.size.height);
    let encoder = if pixels.alpha {
        Encoder::from_rgba(&pixels.bytes, width, height)
    } else {
        Encoder::from_rgb(&pixels.bytes, width, height)
    };
    let plain = encoder.encode_advanced(&config).expect("no side of a picture is longer than 16,383");
    let parts = read(&plain).expect("what libwebp writes is WebP");
    let flags = XMP | if pixels.alpha { ALPHA } else { 0 };
    let header = extended_header(flags, pixels.size);
    let (first, last) = ((*b"VP8X", &header[..]), (*b"XMP ", xmp.as_bytes()));
    match parts.frame.coded {
        Coded::Lossless { data } => file(&[first, (*b"VP8L", data), last]),
        Coded::Lossy { data, alpha: None } => file(&[first, (*b"VP8 ", data), last]),
        Coded::Lossy { data, alpha: Some(alpha) } => file(&[first, (*b"ALPH", alpha), (*b"VP8 ", data), last]),
    }
}

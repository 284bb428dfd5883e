//! WebP by libwebp, and the container around it by hand.
//!
//! The one place where C is at work on pictures. It gets our own pixels and nothing from outside; what people hand in
//! is decoded in safe Rust.

use medici_studio::{engine::Pixels, picture_file::Output};
use webp::{Encoder, WebPConfig};

use crate::parts::webp as parts;

/// How hard to look for a smaller lossless file, 0 to 6 and 0 to 100: what follows costs much and saves little.
const LOSSLESS_EFFORT: (i32, f32) = (1, 20.0);
/// How hard to look for a smaller lossy file, 0 to 6.
const LOSSY_EFFORT: i32 = 4;

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
    with_xmp(&plain, pixels, xmp)
}

/// Returns a file of libwebp's with an extended header, and a packet behind the picture.
fn with_xmp(plain: &[u8], pixels: &Pixels, xmp: &str) -> Vec<u8> {
    // A file with transparency that is lossy has an extended header already.
    let has_header = plain[12..16] == *b"VP8X";
    let coded = if has_header { &plain[30..] } else { &plain[12..] };
    let flags = parts::XMP | if pixels.alpha { parts::ALPHA } else { 0 };
    let mut chunks = b"WEBP".to_vec();
    let mut header = vec![flags, 0, 0, 0];
    for side in [pixels.size.width, pixels.size.height] {
        header.extend_from_slice(&(side - 1).to_le_bytes()[..3]);
    }
    push(&mut chunks, *b"VP8X", &header);
    chunks.extend_from_slice(coded);
    push(&mut chunks, *b"XMP ", xmp.as_bytes());
    let mut file = Vec::with_capacity(chunks.len() + 8);
    push(&mut file, *b"RIFF", &chunks);
    file
}

fn push(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend_from_slice(&kind);
    file.extend_from_slice(&u32::try_from(data.len()).expect("a picture has less than 4 GB").to_le_bytes());
    file.extend_from_slice(data);
    if data.len() % 2 == 1 {
        file.push(0);
    }
}

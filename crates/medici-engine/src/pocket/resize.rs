//! Resizing by Lanczos.
//!
//! Written out rather than taken from a library: the libraries pick other instructions, and so other roundings,
//! on other machines, and compile a copy for every kind of pixel.

use medici_studio::engine::{Pixels, Size};

/// How far the filter reaches, in pixels of the coarser side.
const REACH: f32 = 3.0;

/// For one output position: the first input position that counts, and the weights from there on.
struct Tap {
    first: usize,
    weights: Vec<f32>,
}

/// Resizes; alpha is minded, so that no colour of transparent pixels shows.
pub(crate) fn resized(pixels: &Pixels, size: Size) -> Pixels {
    if pixels.size == size {
        return pixels.clone();
    }
    let channels = if pixels.alpha { 4 } else { 3 };
    let [width, height, new_width, new_height] = [pixels.size.width, pixels.size.height, size.width, size.height]
        .map(|v| usize::try_from(v).expect("a side fits a usize"));
    let mut across = vec![0.0; new_width * height * channels];
    let mut row = vec![0.0; width * channels];
    let columns = taps(width, new_width);
    for (bytes, out) in pixels.bytes.chunks(width * channels).zip(across.chunks_mut(new_width * channels)) {
        row.iter_mut().zip(bytes).for_each(|(to, byte)| *to = f32::from(*byte));
        if pixels.alpha {
            for pixel in row.chunks_mut(4) {
                let alpha = pixel[3] / 255.0;
                pixel[..3].iter_mut().for_each(|v| *v *= alpha);
            }
        }
        for (tap, out) in columns.iter().zip(out.chunks_mut(channels)) {
            for (weight, pixel) in tap.weights.iter().zip(row[tap.first * channels..].chunks(channels)) {
                out.iter_mut().zip(pixel).for_each(|(to, from)| *to += weight * from);
            }
        }
    }
    let mut bytes = Vec::with_capacity(new_width * new_height * channels);
    let mut sum = vec![0.0; new_width * channels];
    for tap in taps(height, new_height) {
        sum.fill(0.0);
        let rows = across[tap.first * new_width * channels..].chunks(new_width * channels);
        for (weight, row) in tap.weights.iter().zip(rows) {
            sum.iter_mut().zip(row).for_each(|(to, from)| *to += weight * from);
        }
        if channels == 4 {
            for pixel in sum.chunks_mut(4) {
                let by = if pixel[3] > 0.5 { 255.0 / pixel[3] } else { 0.0 };
                pixel[..3].iter_mut().for_each(|v| *v *= by);
            }
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
        bytes.extend(sum.iter().map(|v| v.round().clamp(0.0, 255.0) as u8));
    }
    Pixels { size, alpha: pixels.alpha, bytes }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides are small; positions are clamped to them"
)]
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f32 / to as f32;
    // Shrinking widens the filter, so that every input pixel counts.
    let stretch = scale.max(1.0);
    (0..to)
        .map(|at| {
            let centre = (at as f32 + 0.5) * scale;
            let first = (centre - REACH * stretch).floor().max(0.0) as usize;
            let last = ((centre + REACH * stretch).ceil() as usize).min(from);
            let weights: Vec<f32> = (first..last).map(|i| lanczos((i as f32 + 0.5 - centre) / stretch)).collect();
            let sum: f32 = weights.iter().sum();
            Tap { first, weights: weights.iter().map(|weight| weight / sum).collect() }
        })
        .collect()
}

fn lanczos(x: f32) -> f32 {
    let angle = std::f32::consts::PI * x;
    match x.abs() {
        near if near < 1e-5 => 1.0,
        far if far >= REACH => 0.0,
        _ => REACH * angle.sin() * (angle / REACH).sin() / (angle * angle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_colour_stays_that_colour_at_every_size() {
        for (from, to) in [(64, 128), (256, 1024), (256, 128)] {
            let pixels = Pixels {
                size: Size::square(from),
                alpha: true,
                bytes: [9, 99, 199, 128].repeat((from * from) as usize),
            };
            let out = resized(&pixels, Size::square(to));
            assert_eq!(out.size, Size::square(to));
            assert!(
                out.bytes
                    .chunks(4)
                    .all(|p| p[3] == 128 && p.iter().zip([9, 99, 199, 128]).all(|(a, b)| a.abs_diff(b) <= 1))
            );
        }
    }

    #[test]
    fn colours_of_transparent_pixels_do_not_bleed() {
        // Left half clear green, right half solid red: no pixel that shows may be greenish.
        let row: Vec<u8> = (0..64).flat_map(|x| if x < 32 { [0, 255, 0, 0] } else { [255, 0, 0, 255] }).collect();
        let out = resized(&Pixels { size: Size::square(64), alpha: true, bytes: row.repeat(64) }, Size::square(256));
        assert!(out.bytes.chunks(4).filter(|p| p[3] > 8).all(|p| p[1] == 0 && p[0] > 240));
    }
}

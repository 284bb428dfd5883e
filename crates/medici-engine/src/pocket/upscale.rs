//! The upscaler: a small convolution net that removes the prior's speckle and enlarges four times.

use super::basis::SIDE;
use super::matmul::{Into, matmul};
use super::weights::{Linear, LoadError, Weights};

/// How many times larger its output is.
pub(super) const FACTOR: usize = 4;
/// Pixels along an edge of its output.
pub(super) const LARGE: usize = SIDE * FACTOR;

const CHANNELS: usize = 48;
const DILATIONS: [usize; 8] = [1, 1, 2, 2, 4, 4, 1, 1];
/// Picture rows convolved at a time: their unrolled neighbourhoods (under 1 MB) stay in the cache.
const ROWS: usize = 8;

/// The upscaler's weights.
pub(super) struct Upscaler {
    first: Linear,
    body: Vec<Linear>,
    last: Linear,
}

impl Upscaler {
    pub(super) fn new(weights: &Weights<'_>) -> Result<Self, LoadError> {
        Ok(Self {
            first: weights.convolution("sr.a", 3, CHANNELS)?,
            body: (0..DILATIONS.len())
                .map(|i| weights.convolution(&format!("sr.b.{i}"), CHANNELS, CHANNELS))
                .collect::<Result<_, _>>()?,
            last: weights.convolution("sr.c", CHANNELS, CHANNELS)?,
        })
    }

    /// Enlarges 64×64 RGB in [-1, 1] to 256×256, both pixel by pixel.
    pub(super) fn enlarge(&self, rgb: &[f32]) -> Vec<f32> {
        assert_eq!(rgb.len(), SIDE * SIDE * 3, "the upscaler knows one size");
        let mut h = convolve(&self.first, rgb, 1);
        leak(&mut h);
        for (pair, dilations) in self.body.chunks(2).zip(DILATIONS.chunks(2)) {
            let mut y = convolve(&pair[0], &h, dilations[0]);
            leak(&mut y);
            let y = convolve(&pair[1], &y, dilations[1]);
            h.iter_mut().zip(&y).for_each(|(h, y)| *h += 0.5 * y);
        }
        leak(&mut h);
        let detail = convolve(&self.last, &h, 1);
        let mut large = enlarge_smoothly(rgb, 3);
        for (at, detail) in detail.chunks(CHANNELS).enumerate() {
            let (x, y) = (at % SIDE * FACTOR, at / SIDE * FACTOR);
            // Pixel shuffle: 16 neighbours for each of three channels.
            for (i, v) in detail.iter().enumerate() {
                let (channel, dy, dx) = (i / 16, i % 16 / 4, i % 4);
                large[((y + dy) * LARGE + x + dx) * 3 + channel] += v;
            }
        }
        large.iter_mut().for_each(|v| *v = v.clamp(-1.0, 1.0));
        large
    }
}

fn leak(h: &mut [f32]) {
    h.iter_mut().for_each(|v| *v = v.max(0.1 * *v));
}

/// Convolves 3×3 with zeros around, as a product of unrolled neighbourhoods.
fn convolve(layer: &Linear, picture: &[f32], dilation: usize) -> Vec<f32> {
    let channels = layer.inputs / 9;
    let mut out = vec![0.0; SIDE * SIDE * layer.outputs];
    let mut near = vec![0.0; ROWS * SIDE * layer.inputs];
    for (strip, out) in out.chunks_mut(ROWS * SIDE * layer.outputs).enumerate() {
        unroll(&mut near, picture, channels, dilation, strip * ROWS);
        out.chunks_mut(layer.outputs).for_each(|pixel| pixel.copy_from_slice(&layer.bias));
        matmul(out, &near, &layer.weight, (ROWS * SIDE, layer.inputs, layer.outputs), Into::Sum);
    }
    out
}

/// Writes the nine neighbours of every pixel of a strip side by side.
fn unroll(near: &mut [f32], picture: &[f32], channels: usize, dilation: usize, top: usize) {
    let inside = |at: usize, tap: usize| (at + tap * dilation).checked_sub(dilation).filter(|v| *v < SIDE);
    for (at, near) in near.chunks_mut(9 * channels).enumerate() {
        let (x, y) = (at % SIDE, top + at / SIDE);
        for (tap, near) in near.chunks_mut(channels).enumerate() {
            match (inside(x, tap % 3), inside(y, tap / 3)) {
                (Some(x), Some(y)) => {
                    let from = (y * SIDE + x) * channels;
                    near.copy_from_slice(&picture[from..from + channels]);
                }
                _ => near.fill(0.0),
            }
        }
    }
}

/// Enlarges a 64×64 picture of `channels` numbers a pixel four times, bilinearly between pixel centres.
pub(super) fn enlarge_smoothly(small: &[f32], channels: usize) -> Vec<f32> {
    // For each fine position: the two coarse neighbours and how much the second counts.
    let ends: Vec<(usize, usize, f32)> = (0..LARGE)
        .map(|at| {
            #[expect(clippy::cast_precision_loss, reason = "positions are below 256")]
            let centre = ((at as f32 + 0.5) / 4.0 - 0.5).max(0.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..64")]
            let first = centre as usize;
            (first, (first + 1).min(SIDE - 1), centre.fract())
        })
        .collect();
    let mut large = Vec::with_capacity(LARGE * LARGE * channels);
    for (top, bottom, down) in &ends {
        for (left, right, across) in &ends {
            for channel in 0..channels {
                let at = |x: usize, y: usize| small[(y * SIDE + x) * channels + channel];
                let upper = at(*left, *top) * (1.0 - across) + at(*right, *top) * across;
                let lower = at(*left, *bottom) * (1.0 - across) + at(*right, *bottom) * across;
                large.push(upper * (1.0 - down) + lower * down);
            }
        }
    }
    large
}

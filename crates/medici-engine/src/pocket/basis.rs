//! Between latents and small pictures: a principal-component basis over 64×64 RGBA pixels.

use super::matmul::{Into, matmul};
use super::weights::{LoadError, Weights};
use super::{BACKGROUND, LATENT};

/// Pixels along an edge of a decoded picture.
pub(super) const SIDE: usize = 64;
/// Numbers of a decoded picture: premultiplied RGBA in [0, 1], row by row.
pub(super) const CANVAS: usize = SIDE * SIDE * 4;

const COMPONENTS: usize = BACKGROUND;
/// Latents decoded together; fixed, so that rounding does not depend on how many there are.
const BATCH: usize = 4;
/// Canvas numbers decoded at a time: the piece of the basis they need fits the second-level cache.
const STRIP: usize = 128;

/// The basis, kept as bytes where they lie in the file: as floats it would be 50 MB.
pub(super) struct Basis {
    bytes: &'static [u8],
    /// Per component: what a latent's number is multiplied by before the bytes are.
    decode: Vec<f32>,
    /// Per component: what the sum of bytes times pixels is multiplied by to give a latent's number.
    encode: Vec<f32>,
    mean: Vec<f32>,
}

impl Basis {
    pub(super) fn new(weights: &Weights<'static>) -> Result<Self, LoadError> {
        let bytes = weights.bytes("pca.U_i8", &[CANVAS, COMPONENTS])?;
        let byte_scale = weights.floats("pca.U_scale", &[COMPONENTS])?;
        let spread = weights.floats("pca.sig", &[COMPONENTS])?;
        // A latent is a coefficient over the root of its spread, normed to a mean spread of 1.
        let norm = (spread.iter().map(|v| f64::from(*v)).sum::<f64>() / 768.0).sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "f32 is the model's precision")]
        let scale: Vec<f32> = spread.iter().map(|v| (f64::from(*v).sqrt() * norm) as f32).collect();
        Ok(Self {
            bytes,
            decode: scale.iter().zip(&byte_scale).map(|(s, b)| s * b).collect(),
            encode: scale.iter().zip(&byte_scale).map(|(s, b)| b / s).collect(),
            mean: weights.floats("pca.mu", &[CANVAS])?,
        })
    }

    /// Decodes latents to premultiplied RGBA, [`CANVAS`] numbers each.
    pub(super) fn decode(&self, latents: &[&[f32]]) -> Vec<Vec<f32>> {
        let mut canvases = self.decode_linearly(latents);
        for pixel in canvases.iter_mut().flat_map(|canvas| canvas.chunks_mut(4)) {
            pixel[3] = pixel[3].clamp(0.0, 1.0);
            for channel in 0..3 {
                pixel[channel] = pixel[channel].clamp(0.0, 1.0).min(pixel[3]);
            }
        }
        canvases
    }

    /// Decodes latents as they are: numbers may be outside of what a pixel can be. [`Basis::encode`] gives the
    /// very latents back, but for rounding.
    pub(super) fn decode_linearly(&self, latents: &[&[f32]]) -> Vec<Vec<f32>> {
        latents.chunks(BATCH).flat_map(|batch| self.decode_batch(batch)).collect()
    }

    fn decode_batch(&self, latents: &[&[f32]]) -> Vec<Vec<f32>> {
        let mut scaled = vec![0.0; BATCH * COMPONENTS];
        for (row, latent) in scaled.chunks_mut(COMPONENTS).zip(latents) {
            assert_eq!(latent.len(), LATENT, "a latent has one length");
            row.iter_mut().zip(*latent).zip(&self.decode).for_each(|((to, z), by)| *to = z * by);
        }
        // The product runs basis rows by latents, so its right side is the latents, one a column.
        let mut columns = vec![0.0; COMPONENTS * BATCH];
        for (row, latent) in scaled.chunks(COMPONENTS).enumerate() {
            latent.iter().enumerate().for_each(|(i, v)| columns[i * BATCH + row] = *v);
        }
        let mut canvases = vec![vec![0.0; CANVAS]; latents.len()];
        let mut basis = vec![0.0; STRIP * COMPONENTS];
        let mut out = vec![0.0; STRIP * BATCH];
        for start in (0..CANVAS).step_by(STRIP) {
            let bytes = &self.bytes[start * COMPONENTS..(start + STRIP) * COMPONENTS];
            basis.iter_mut().zip(bytes).for_each(|(to, byte)| *to = f32::from(byte.cast_signed()));
            matmul(&mut out, &basis, &columns, (STRIP, COMPONENTS, BATCH), Into::Fresh);
            for (at, row) in out.chunks(BATCH).enumerate() {
                for (canvas, v) in canvases.iter_mut().zip(row) {
                    canvas[start + at] = f32::midpoint(*v, self.mean[start + at]);
                }
            }
        }
        canvases
    }

    /// Encodes premultiplied RGBA as latents, on white.
    pub(super) fn encode(&self, canvases: &[&[f32]]) -> Vec<Vec<f32>> {
        canvases.chunks(BATCH).flat_map(|batch| self.encode_batch(batch)).collect()
    }

    fn encode_batch(&self, canvases: &[&[f32]]) -> Vec<Vec<f32>> {
        let mut sums = vec![0.0; BATCH * COMPONENTS];
        let mut basis = vec![0.0; STRIP * COMPONENTS];
        let mut strip = vec![0.0; BATCH * STRIP];
        for start in (0..CANVAS).step_by(STRIP) {
            let bytes = &self.bytes[start * COMPONENTS..(start + STRIP) * COMPONENTS];
            basis.iter_mut().zip(bytes).for_each(|(to, byte)| *to = f32::from(byte.cast_signed()));
            for (row, canvas) in strip.chunks_mut(STRIP).zip(canvases) {
                assert_eq!(canvas.len(), CANVAS, "a canvas has one length");
                let own = canvas[start..start + STRIP].iter().zip(&self.mean[start..start + STRIP]);
                row.iter_mut().zip(own).for_each(|(to, (v, mean))| *to = v * 2.0 - mean);
            }
            matmul(&mut sums, &strip, &basis, (BATCH, STRIP, COMPONENTS), Into::Sum);
        }
        let latent = |sums: &[f32]| {
            let numbers = sums.iter().zip(&self.encode).map(|(sum, by)| sum * by);
            numbers.chain([3.0; LATENT - COMPONENTS]).collect()
        };
        sums.chunks(COMPONENTS).take(canvases.len()).map(latent).collect()
    }
}

/// Returns the background colour the model gave a latent, in [0, 1].
#[cfg(test)]
pub(super) fn regressed_background(latent: &[f32]) -> [f32; 3] {
    let colour: [f32; 3] = std::array::from_fn(|i| f32::midpoint(latent[COMPONENTS + i] / 3.0, 1.0).clamp(0.0, 1.0));
    if colour.iter().all(|v| *v > 0.86) { [1.0; 3] } else { colour }
}

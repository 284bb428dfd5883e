//! A picture before it is pixels: latents, how they are arranged, and what is behind them.

use half::f16;

use super::{BACKGROUND, LATENT};

/// Bytes of one latent as stored: 771 numbers of two bytes.
pub(super) const LATENT_BYTES: usize = 2 * LATENT;

/// Everything a picture is made from. Drawing the same scene again gives the same picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    /// One latent a layer, [`LATENT`] numbers each, rounded to f16; at least one. Their background numbers
    /// are not used: `backdrop` counts.
    pub(super) layers: Vec<Vec<f32>>,
    pub(super) arrangement: Arrangement,
    pub(super) mirrored: bool,
    /// The exact colour behind the layers.
    pub(super) backdrop: [u8; 3],
}

/// How the layers of a picture stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrangement {
    /// One layer fills the picture; several stand in rows.
    Rows,
    /// The first stands on the second.
    On,
    /// The first has the second on its head.
    Hat,
    /// The first has the second before its eyes.
    Glasses,
}

const ARRANGEMENTS: [Arrangement; 4] = [Arrangement::Rows, Arrangement::On, Arrangement::Hat, Arrangement::Glasses];

/// Added once or more to a background number to carry a flag beside the colour, which spans -3 to 3. At this
/// size f16 still resolves a third of a colour step.
const FLAG: f32 = 8.0;

/// Why stored latents could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LatentError {
    /// The bytes are not a whole number of latents.
    #[error("{found} bytes, expected a multiple of {LATENT_BYTES}")]
    Length {
        /// How many there were.
        found: usize,
    },
    /// A number is none, infinite or out of range.
    #[error("the latent holds a number that is out of range")]
    Range,
}

impl Scene {
    /// Returns the scene as bytes: each layer's 771 numbers as little-endian f16.
    ///
    /// The last three numbers of the first layer are the backdrop (-3 is none of a colour, 3 is all), the
    /// first of them 8 higher where the picture is mirrored, the second 8 higher for each step through the
    /// arrangements. So a plain picture is exactly what the reference inference would call its latent.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.layers.len() * LATENT_BYTES);
        for layer in &self.layers {
            assert_eq!(layer.len(), LATENT, "a latent has one length");
            bytes.extend(layer.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()));
        }
        let at = ARRANGEMENTS.iter().position(|a| *a == self.arrangement).expect("every arrangement is listed");
        #[expect(clippy::cast_precision_loss, reason = "there are four arrangements")]
        let flags = [if self.mirrored { FLAG } else { 0.0 }, at as f32 * FLAG, 0.0];
        for (i, (colour, flag)) in self.backdrop.iter().zip(flags).enumerate() {
            let number = f32::from(*colour) / 255.0 * 6.0 - 3.0 + flag;
            let place = 2 * (BACKGROUND + i);
            bytes[place..place + 2].copy_from_slice(&f16::from_f32(number).to_le_bytes());
        }
        bytes
    }

    /// Reads a scene back. The scene that was written, exactly.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, LatentError> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(LATENT_BYTES) {
            return Err(LatentError::Length { found: bytes.len() });
        }
        let mut layers: Vec<Vec<f32>> = bytes
            .chunks(LATENT_BYTES)
            .map(|layer| layer.chunks(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect())
            .collect();
        if layers.iter().flatten().any(|v| !v.is_finite() || v.abs() > 1_000.0) {
            return Err(LatentError::Range);
        }
        let mut backdrop = [0; 3];
        let mut flags = [0; 3];
        for i in 0..3 {
            let number = layers[0][BACKGROUND + i] + 3.0;
            let flag = ((number + 1.0) / FLAG).floor();
            let level = ((number - flag * FLAG) / 6.0 * 255.0).round();
            if !(0.0..=255.0).contains(&level) || !(0.0..4.0).contains(&flag) {
                return Err(LatentError::Range);
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both ranges were checked")]
            {
                backdrop[i] = level as u8;
                flags[i] = flag as usize;
            }
        }
        layers.iter_mut().for_each(|layer| layer[BACKGROUND..].fill(0.0));
        Ok(Self { layers, arrangement: ARRANGEMENTS[flags[1]], mirrored: flags[0] == 1, backdrop })
    }
}

/// Returns a latent as it will be stored, so that drawing from the stored one gives the very same picture.
pub(super) fn rounded(latent: &[f32]) -> Vec<f32> {
    let mut rounded: Vec<f32> = latent.iter().map(|v| f16::from_f32(*v).to_f32()).collect();
    rounded[BACKGROUND..].fill(0.0);
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pocket::noise::{Chance, Stream};

    fn latent(layer: u32) -> Vec<f32> {
        rounded(&Chance::new(5, Stream::Noise { picture: 0, layer }).normal(LATENT))
    }

    #[test]
    fn every_scene_is_read_back_exactly() {
        for arrangement in ARRANGEMENTS {
            for level in 0..=255 {
                let scene = Scene {
                    layers: vec![latent(0), latent(1)],
                    arrangement,
                    mirrored: level % 2 == 0,
                    backdrop: [level, 255 - level, level / 3],
                };
                assert_eq!(Scene::from_bytes(&scene.to_bytes()), Ok(scene));
            }
        }
    }

    #[test]
    fn one_layer_is_1542_bytes() {
        let scene =
            Scene { layers: vec![latent(0)], arrangement: Arrangement::Rows, mirrored: true, backdrop: [1, 2, 3] };
        assert_eq!(scene.to_bytes().len(), 1542);
    }

    #[test]
    fn bytes_that_are_no_latent_are_refused() {
        assert_eq!(Scene::from_bytes(&[]), Err(LatentError::Length { found: 0 }));
        assert_eq!(Scene::from_bytes(&[0; 1541]), Err(LatentError::Length { found: 1541 }));
        assert_eq!(Scene::from_bytes(&[0xff; 1542]), Err(LatentError::Range));
    }
}

//! Chance, from a seed: every picture and every layer of it has its own stream.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// What a stream of chance is for. Streams of one seed never overlap.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    /// The noise a layer of a picture starts from.
    Noise { picture: u32, layer: u32 },
    /// The choices made for all pictures of a seed together, so that they differ from each other.
    Choices,
}

/// A stream of numbers that depends on the seed and on what it is for, alone.
pub(super) struct Chance(ChaCha12Rng);

impl Chance {
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        // The key is written out rather than left to the library's seeding, which may change between versions.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..22].copy_from_slice(b"medici pocket1");
        let mut rng = ChaCha12Rng::from_seed(key);
        rng.set_stream(match stream {
            Stream::Noise { picture, layer } => 1 + (u64::from(picture) << 16) + u64::from(layer),
            Stream::Choices => 0,
        });
        Self(rng)
    }

    /// Returns a number from 0 to `below - 1`.
    pub(super) fn below(&mut self, below: usize) -> usize {
        assert!(below > 0, "there must be something to choose from");
        usize::try_from(self.0.next_u32()).expect("32 bits fit a usize") % below
    }

    /// Puts a list in a random order.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            let other = self.below(end + 1);
            list.swap(end, other);
        }
    }

    /// Returns normally distributed numbers of variance 1, by Box and Muller.
    pub(super) fn normal(&mut self, count: usize) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(count + 1);
        while numbers.len() < count {
            let (a, b) = (self.unit(), self.unit());
            let radius = (-2.0 * a.ln()).sqrt();
            let angle = std::f64::consts::TAU * b;
            #[expect(clippy::cast_possible_truncation, reason = "f32 is the network's precision")]
            numbers.extend([(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]);
        }
        numbers.truncate(count);
        numbers
    }

    /// Returns a number in (0, 1], never 0, whose logarithm is infinite.
    fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()).mul_add(2.0_f64.powi(-32), 2.0_f64.powi(-33))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_the_same_for_the_same_seed_and_picture_only() {
        let draw = |seed, picture, layer| Chance::new(seed, Stream::Noise { picture, layer }).normal(771);
        assert_eq!(draw(7, 1, 0), draw(7, 1, 0));
        assert_ne!(draw(7, 1, 0), draw(7, 2, 0));
        assert_ne!(draw(7, 1, 0), draw(7, 1, 1));
        assert_ne!(draw(7, 1, 0), draw(8, 1, 0));
    }

    #[test]
    fn noise_is_normal() {
        let numbers = Chance::new(3, Stream::Noise { picture: 0, layer: 0 }).normal(20_000);
        let mean = numbers.iter().sum::<f32>() / 20_000.0;
        let variance = numbers.iter().map(|v| v * v).sum::<f32>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "mean {mean}, variance {variance}");
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut list: Vec<u32> = (0..12).collect();
        Chance::new(1, Stream::Choices).shuffle(&mut list);
        assert_ne!(list, (0..12).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..12).collect::<Vec<_>>());
    }
}

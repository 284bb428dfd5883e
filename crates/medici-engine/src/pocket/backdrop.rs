//! What is behind a subject, where that is plain: one colour, or one that changes evenly over the picture.

use medici_studio::engine::{Pixels, Size};

/// How far from the backdrop, in its worst channel, a pixel may be and still be it.
pub(super) const NEAR: f32 = 0.04;
/// From how far on a pixel is no backdrop at all; between the two it is mixed.
pub(super) const FAR: f32 = 0.12;
/// The share of the pixels along the edges that must be backdrop for there to be one.
const PLAIN: f32 = 0.75;
/// The fewest pixels to judge by.
const SAMPLES_MIN: usize = 16;

/// A colour that changes evenly over a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Backdrop {
    /// For each channel: the value in the middle, and what it gains from there to the right and lower edge.
    planes: [[f64; 3]; 3],
}

/// Where a pixel is, as the factors of a plane, and its colour.
type Sample = ([f64; 3], [f32; 3]);

impl Backdrop {
    /// Finds the backdrop by those pixels along the edges that `counts` lets in; none if they are of several colours.
    pub(super) fn of(pixels: &Pixels, counts: impl Fn(u32, u32) -> bool) -> Option<Self> {
        let Size { width, height } = pixels.size;
        let across = (0..width).flat_map(|x| [(x, 0), (x, height - 1)]);
        let down = (0..height).flat_map(|y| [(0, y), (width - 1, y)]);
        let edge = across.chain(down).filter(|(x, y)| counts(*x, *y));
        let samples: Vec<Sample> = edge.map(|(x, y)| (factors(pixels.size, x, y), colour(pixels, x, y))).collect();
        if samples.len() < SAMPLES_MIN {
            return None;
        }
        // Where a subject touches the edge, one colour fits better than a slope drawn through the subject.
        let inside = |backdrop: &Self, far: f32| -> Vec<Sample> {
            samples.iter().filter(|(at, colour)| backdrop.apart(*at, *colour) < far).copied().collect()
        };
        let sloped = Self::fitted(&samples);
        let even = Self::even(&samples);
        let mut best = if inside(&even, FAR).len() > inside(&sloped, FAR).len() { even } else { sloped };
        for _ in 0..2 {
            let fitting = inside(&best, FAR);
            if fitting.len() < SAMPLES_MIN {
                return None;
            }
            best = Self::fitted(&fitting);
        }
        #[expect(clippy::cast_precision_loss, reason = "an edge has few pixels")]
        let share = inside(&best, 1.5 * NEAR).len() as f32 / samples.len() as f32;
        (share >= PLAIN).then_some(best)
    }

    /// One colour: in each channel the median.
    fn even(samples: &[Sample]) -> Self {
        Self {
            planes: std::array::from_fn(|c| {
                let mut values: Vec<f32> = samples.iter().map(|(_, colour)| colour[c]).collect();
                values.sort_by(f32::total_cmp);
                [f64::from(values[values.len() / 2]), 0.0, 0.0]
            }),
        }
    }

    /// The plane nearest to the samples, by least squares.
    fn fitted(samples: &[Sample]) -> Self {
        // A little weight on the slopes keeps the system solvable when all samples lie on one line.
        let mut normal = [[1e-9, 0.0, 0.0], [0.0, 1e-3, 0.0], [0.0, 0.0, 1e-3]];
        let mut right = [[0.0; 3]; 3];
        for (at, colour) in samples {
            for i in 0..3 {
                (0..3).for_each(|j| normal[i][j] += at[i] * at[j]);
                (0..3).for_each(|c| right[c][i] += at[i] * f64::from(colour[c]));
            }
        }
        let whole = determinant(&normal);
        // Cramer's rule, for the three numbers of each channel.
        let solved = |right: [f64; 3]| {
            std::array::from_fn(|unknown| {
                let mut changed = normal;
                (0..3).for_each(|row| changed[row][unknown] = right[row]);
                determinant(&changed) / whole
            })
        };
        Self { planes: right.map(solved) }
    }

    /// Returns the colour behind a pixel of a picture.
    pub(super) fn colour(&self, size: Size, x: u32, y: u32) -> [f32; 3] {
        self.at(factors(size, x, y))
    }

    /// Returns the colour in the middle, in bytes.
    pub(super) fn middle(&self) -> [u8; 3] {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
        self.at([1.0, 0.0, 0.0]).map(|v| (v * 255.0).round() as u8)
    }

    /// Returns how far a pixel of a picture is from the backdrop, in its worst channel.
    pub(super) fn distance(&self, pixels: &Pixels, x: u32, y: u32) -> f32 {
        self.apart(factors(pixels.size, x, y), colour(pixels, x, y))
    }

    fn at(&self, factors: [f64; 3]) -> [f32; 3] {
        #[expect(clippy::cast_possible_truncation, reason = "f32 is precise enough for a colour")]
        self.planes.map(|plane| {
            let sum: f64 = plane.iter().zip(factors).map(|(a, b)| a * b).sum();
            sum.clamp(0.0, 1.0) as f32
        })
    }

    fn apart(&self, factors: [f64; 3], colour: [f32; 3]) -> f32 {
        self.at(factors).iter().zip(colour).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }
}

fn determinant(m: &[[f64; 3]; 3]) -> f64 {
    m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
}

/// A place as what a plane's numbers are multiplied by: 1, and two coordinates from -1 to 1.
fn factors(size: Size, x: u32, y: u32) -> [f64; 3] {
    let along = |at: u32, side: u32| (f64::from(at) + 0.5) / f64::from(side) * 2.0 - 1.0;
    [1.0, along(x, size.width), along(y, size.height)]
}

/// Returns a pixel's colour in [0, 1].
pub(super) fn colour(pixels: &Pixels, x: u32, y: u32) -> [f32; 3] {
    let at = offset(pixels, x, y);
    std::array::from_fn(|c| f32::from(pixels.bytes[at + c]) / 255.0)
}

/// Returns a pixel's alpha in [0, 1].
pub(super) fn alpha(pixels: &Pixels, x: u32, y: u32) -> f32 {
    if pixels.alpha { f32::from(pixels.bytes[offset(pixels, x, y) + 3]) / 255.0 } else { 1.0 }
}

/// Returns where a pixel begins among the bytes.
pub(super) fn offset(pixels: &Pixels, x: u32, y: u32) -> usize {
    let [x, y, width] = [x, y, pixels.size.width].map(|v| usize::try_from(v).expect("a side fits a usize"));
    (y * width + x) * if pixels.alpha { 4 } else { 3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(size: Size, colour: impl Fn(u32, u32) -> [u8; 3]) -> Pixels {
        let bytes = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        Pixels { size, alpha: false, bytes: bytes.flat_map(|(x, y)| colour(x, y)).collect() }
    }

    #[test]
    fn a_slope_of_colour_is_found_behind_a_subject_that_touches_the_edge() {
        let size = Size { width: 90, height: 60 };
        let slope = |x: u32, y: u32| [u8::try_from(40 + x).unwrap(), u8::try_from(200 - y).unwrap(), 120];
        let pixels = painted(size, |x, y| if x < 12 && y > 20 { [250, 10, 10] } else { slope(x, y) });
        let backdrop = Backdrop::of(&pixels, |_, _| true).unwrap();
        for (x, y) in [(0, 0), (89, 0), (45, 30), (89, 59)] {
            let found = backdrop.colour(size, x, y).map(|v| v * 255.0);
            assert!(found.iter().zip(slope(x, y)).all(|(a, b)| (a - f32::from(b)).abs() < 3.0), "{found:?}");
        }
        assert!(backdrop.distance(&pixels, 3, 40) > FAR);
    }

    #[test]
    fn several_colours_are_no_backdrop() {
        let size = Size::square(64);
        let halves = painted(size, |_, y| if y < 32 { [90, 160, 250] } else { [60, 140, 40] });
        assert_eq!(Backdrop::of(&halves, |_, _| true), None);
        assert!(Backdrop::of(&halves, |_, y| y < 32).is_some(), "the upper half is one colour");
        assert_eq!(Backdrop::of(&halves, |x, y| x < 2 && y < 2), None, "three pixels are too few");
    }
}

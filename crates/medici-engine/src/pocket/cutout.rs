//! A subject taken off what is behind it: from a picture of any kind to what the basis decodes.

use medici_studio::engine::{Pixels, Size};

use super::backdrop::{self, Backdrop, FAR, NEAR};
use super::basis::{CANVAS, SIDE};
use super::resize::resized;

/// Pixels along the longer side of the copy that is looked at.
const COPY_SIDE: u32 = 256;
/// The share of the pixels that must be clear for a picture to count as already cut out.
const CLEAR: f32 = 0.02;
/// Alpha from which a pixel belongs to the subject, when its extent is measured.
const VISIBLE: f32 = 0.15;
/// Pixels of the canvas that the longer side of a subject takes, as in the model's training.
pub(super) const SUBJECT_SIDE: u32 = 58;

/// A small copy of a picture, its subject taken off.
pub(super) struct Cutout {
    /// Straight RGBA, clear where the subject is not.
    pub(super) pixels: Pixels,
    pub(super) behind: Behind,
}

/// What was behind a subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Behind {
    /// Nothing: the picture is clear there.
    Nothing,
    /// One colour or an even change of it.
    Plain(Backdrop),
    /// It cannot be told from the subject, and counts as part of it.
    Mixed,
}

/// How a picture is held when it is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turn {
    /// Clockwise.
    pub(super) degrees: f32,
    /// Mirrored left to right, after it was turned.
    pub(super) mirrored: bool,
}

/// A box of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) size: Size,
}

impl Cutout {
    /// Takes the subject off. Only pixels that `known` lets in say what is behind it.
    pub(super) fn of(copy: Pixels, known: impl Fn(u32, u32) -> bool) -> Self {
        let Size { width, height } = copy.size;
        let (mut all, mut clear) = (0.0, 0.0);
        for (x, y) in places(copy.size).filter(|(x, y)| known(*x, *y)) {
            all += 1.0;
            clear += if backdrop::alpha(&copy, x, y) < 0.5 { 1.0 } else { 0.0 };
        }
        let behind = if clear > CLEAR * all {
            Behind::Nothing
        } else {
            let counts = |x: u32, y: u32| known(x, y) && backdrop::alpha(&copy, x, y) > 0.5;
            Backdrop::of(&copy, counts).map_or(Behind::Mixed, Behind::Plain)
        };
        let mut bytes = Vec::with_capacity(usize::try_from(width * height * 4).expect("a copy is small"));
        let alphas = match behind {
            Behind::Plain(backdrop) => alphas(&copy, &backdrop),
            Behind::Nothing | Behind::Mixed => vec![1.0; places(copy.size).count()],
        };
        for ((x, y), alpha) in places(copy.size).zip(alphas) {
            let mut colour = backdrop::colour(&copy, x, y);
            if let Behind::Plain(backdrop) = behind
                && alpha > 0.0
            {
                // What a mixed pixel has of the backdrop is taken out of its colour.
                let under = backdrop.colour(copy.size, x, y);
                colour = std::array::from_fn(|c| ((colour[c] - under[c] * (1.0 - alpha)) / alpha).clamp(0.0, 1.0));
            }
            let [r, g, b] = colour;
            bytes.extend([r, g, b, alpha * backdrop::alpha(&copy, x, y)].map(byte));
        }
        Self { pixels: Pixels { size: copy.size, alpha: true, bytes }, behind }
    }

    /// Returns the box of the subject; the whole picture where there is none.
    pub(super) fn extent(&self) -> Extent {
        extent(&self.pixels)
    }

    /// Returns the subject as the model's training pictures stand: premultiplied RGBA, 58 of 64 pixels long.
    pub(super) fn canvas(&self, turn: Turn) -> Vec<f32> {
        let turned = if turn.degrees.abs() < 0.5 { self.pixels.clone() } else { turned(&self.pixels, turn.degrees) };
        let found = extent(&turned);
        let long = found.size.width.max(found.size.height);
        let fit = |side: u32| ((side * SUBJECT_SIDE + long / 2) / long).max(1);
        let size = Size { width: fit(found.size.width), height: fit(found.size.height) };
        let small = resized(&cropped(&turned, found), size);
        let full = u32::try_from(SIDE).expect("the canvas is small");
        let (left, top) = ((full - size.width) / 2, (full - size.height) / 2);
        let mut canvas = vec![0.0; CANVAS];
        for (x, y) in places(size) {
            let column = if turn.mirrored { full - 1 - (left + x) } else { left + x };
            let at = usize::try_from(((top + y) * full + column) * 4).expect("the canvas is small");
            let alpha = backdrop::alpha(&small, x, y);
            let colour = backdrop::colour(&small, x, y);
            (0..3).for_each(|c| canvas[at + c] = colour[c] * alpha);
            canvas[at + 3] = alpha;
        }
        canvas
    }
}

/// Returns a copy of a picture that is small enough to look at.
pub(super) fn copy(pixels: &Pixels) -> Pixels {
    let Size { width, height } = pixels.size;
    let long = width.max(height);
    if long <= COPY_SIDE {
        return pixels.clone();
    }
    let fit = |side: u32| (side * COPY_SIDE / long).max(1);
    resized(pixels, Size { width: fit(width), height: fit(height) })
}

/// Returns all places of a picture, row by row.
pub(super) fn places(size: Size) -> impl Iterator<Item = (u32, u32)> {
    (0..size.height).flat_map(move |y| (0..size.width).map(move |x| (x, y)))
}

/// Returns how much of each pixel is subject, from 0 to 1.
fn alphas(copy: &Pixels, backdrop: &Backdrop) -> Vec<f32> {
    let distances: Vec<f32> = places(copy.size).map(|(x, y)| backdrop.distance(copy, x, y)).collect();
    let outside = reached(copy.size, &distances);
    // White inside a closed outline is more likely an eye than a hole; the very colour of another backdrop is a hole.
    let telling = backdrop.middle().iter().any(|v| *v < 250);
    let alpha = |(distance, outside): (&f32, bool)| {
        if outside || (telling && *distance < NEAR) { ((distance - NEAR) / (FAR - NEAR)).clamp(0.0, 1.0) } else { 1.0 }
    };
    distances.iter().zip(outside).map(alpha).collect()
}

/// Returns which pixels can be reached from the edges over pixels that may be backdrop.
fn reached(size: Size, distances: &[f32]) -> Vec<bool> {
    let [width, height] = [size.width, size.height].map(|v| usize::try_from(v).expect("a copy is small"));
    let edge = |at: &usize| {
        let (x, y) = (at % width, at / width);
        x == 0 || y == 0 || x == width - 1 || y == height - 1
    };
    let mut reached = vec![false; distances.len()];
    let mut wave: Vec<usize> = (0..distances.len()).filter(edge).collect();
    while let Some(at) = wave.pop() {
        if reached[at] || distances[at] >= FAR {
            continue;
        }
        reached[at] = true;
        let (x, y) = (at % width, at / width);
        let near = [(x > 0, 1, 0), (x + 1 < width, 0, 1), (y > 0, width, 0), (y + 1 < height, 0, width)];
        wave.extend(near.into_iter().filter(|(inside, _, _)| *inside).map(|(_, back, on)| at - back + on));
    }
    reached
}

/// Returns the box of what one sees of a picture with alpha; all of it where that is nothing.
pub(super) fn extent(pixels: &Pixels) -> Extent {
    let Size { width, height } = pixels.size;
    let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
    for (x, y) in places(pixels.size).filter(|(x, y)| backdrop::alpha(pixels, *x, *y) > VISIBLE) {
        (left, top) = (left.min(x), top.min(y));
        (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
    }
    if right == 0 {
        Extent { left: 0, top: 0, size: pixels.size }
    } else {
        Extent { left, top, size: Size { width: right - left, height: bottom - top } }
    }
}

/// Returns a box of a picture with alpha.
pub(super) fn cropped(pixels: &Pixels, to: Extent) -> Pixels {
    let mut bytes = Vec::new();
    for y in to.top..to.top + to.size.height {
        let from = backdrop::offset(pixels, to.left, y);
        let row = usize::try_from(to.size.width * 4).expect("a copy is small");
        bytes.extend(&pixels.bytes[from..from + row]);
    }
    Pixels { size: to.size, alpha: true, bytes }
}

/// Turns a cut-out picture about its middle, in a square that holds it all.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a copy is small; places are checked to lie inside before they are looked up"
)]
fn turned(pixels: &Pixels, degrees: f32) -> Pixels {
    let Size { width, height } = pixels.size;
    let side = (width as f32).hypot(height as f32).ceil() as u32;
    let (sin, cos) = degrees.to_radians().sin_cos();
    let mut bytes = Vec::with_capacity((side * side * 4) as usize);
    for (x, y) in places(Size::square(side)) {
        let middle = side as f32 / 2.0;
        let (dx, dy) = (x as f32 + 0.5 - middle, y as f32 + 0.5 - middle);
        let from_x = dx * cos + dy * sin + width as f32 / 2.0 - 0.5;
        let from_y = dy * cos - dx * sin + height as f32 / 2.0 - 0.5;
        let mut sum = [0.0; 4];
        for (i, j) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let (px, py) = (from_x.floor() + i, from_y.floor() + j);
            if px < 0.0 || py < 0.0 || px >= width as f32 || py >= height as f32 {
                continue;
            }
            let weight = (1.0 - (from_x - px).abs()) * (1.0 - (from_y - py).abs());
            let (px, py) = (px as u32, py as u32);
            let alpha = backdrop::alpha(pixels, px, py) * weight;
            let colour = backdrop::colour(pixels, px, py);
            (0..3).for_each(|c| sum[c] += colour[c] * alpha);
            sum[3] += alpha;
        }
        let by = if sum[3] > 0.0 { 1.0 / sum[3] } else { 0.0 };
        bytes.extend([sum[0] * by, sum[1] * by, sum[2] * by, sum[3]].map(byte));
    }
    Pixels { size: Size::square(side), alpha: true, bytes }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(v: f32) -> u8 {
    (v * 255.0).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPRIGHT: Turn = Turn { degrees: 0.0, mirrored: false };

    /// A disc of one colour with a white pupil, right of the middle of a picture.
    fn disc(size: Size, behind: [u8; 4]) -> Pixels {
        let colour = |(x, y): (u32, u32)| {
            let from = |cx: u32| x.abs_diff(cx).pow(2) + y.abs_diff(size.height / 2).pow(2);
            match (from(size.width * 3 / 4), from(size.width * 3 / 4)) {
                (0..9, _) => [255, 255, 255, 255],
                (_, 0..170) => [220, 40, 30, 255],
                _ => behind,
            }
        };
        Pixels { size, alpha: true, bytes: places(size).flat_map(colour).collect() }
    }

    #[test]
    fn a_subject_is_found_on_a_colour_and_on_nothing_alike() {
        let size = Size { width: 120, height: 60 };
        let on_nothing = Cutout::of(disc(size, [0; 4]), |_, _| true);
        let on_white = Cutout::of(disc(size, [255; 4]), |_, _| true);
        assert_eq!(on_nothing.behind, Behind::Nothing);
        assert!(matches!(on_white.behind, Behind::Plain(backdrop) if backdrop.middle() == [255; 3]));
        assert_eq!(on_white.extent(), on_nothing.extent());
        assert_eq!(on_white.extent(), Extent { left: 77, top: 17, size: Size { width: 27, height: 27 } });
        assert!(on_white.canvas(UPRIGHT) == on_nothing.canvas(UPRIGHT), "the white pupil is no hole");
    }

    #[test]
    fn a_subject_is_put_in_the_middle_of_the_canvas() {
        let canvas = Cutout::of(disc(Size { width: 120, height: 60 }, [0; 4]), |_, _| true).canvas(UPRIGHT);
        let alpha = |x: usize, y: usize| canvas[(y * SIDE + x) * 4 + 3];
        assert!(alpha(32, 4) > 0.9 && alpha(4, 32) > 0.9 && alpha(59, 32) > 0.9);
        assert!(alpha(1, 32) < 0.1 && alpha(6, 6) < 0.1);
    }

    #[test]
    fn a_turn_and_the_turn_back_lose_little() {
        let mut bar = disc(Size::square(100), [0; 4]);
        bar.bytes.chunks_mut(4).enumerate().for_each(|(i, p)| {
            let (x, y) = (i % 100, i / 100);
            p.copy_from_slice(if (20..80).contains(&x) && (40..60).contains(&y) {
                &[9, 99, 199, 255]
            } else {
                &[0; 4]
            });
        });
        let there = Cutout { pixels: turned(&bar, 30.0), behind: Behind::Nothing };
        let back = there.canvas(Turn { degrees: -30.0, mirrored: true });
        let straight = Cutout { pixels: bar, behind: Behind::Nothing }.canvas(UPRIGHT);
        let apart: f32 =
            back.iter().zip(&straight).map(|(a, b)| (a - b).abs()).sum::<f32>() / straight.iter().sum::<f32>();
        assert!(apart < 0.15, "{apart}");
    }

    #[test]
    fn where_all_is_mixed_the_whole_picture_is_subject() {
        let size = Size { width: 64, height: 40 };
        let bytes =
            places(size).flat_map(|(x, y)| [x * 3, y * 5, (x * y) % 255].map(|v| u8::try_from(v % 256).unwrap()));
        let cutout = Cutout::of(Pixels { size, alpha: false, bytes: bytes.collect() }, |_, _| true);
        assert_eq!(cutout.behind, Behind::Mixed);
        assert_eq!(cutout.extent(), Extent { left: 0, top: 0, size });
    }
}

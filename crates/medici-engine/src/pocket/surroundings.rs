//! What a mask leaves of a picture, and what lies under the new things inside it.
//!
//! On a plain backdrop the backdrop goes on under the mask; otherwise the colours around the mask run smoothly
//! into it. A subject that the mask only grazes is not cut: its own pixels stay under the new ones.

use medici_studio::engine::{Background, Mask, Pixels, Size};

use super::backdrop::{self, Backdrop};
use super::cutout::{self, Behind, Cutout, places};
use super::region::{self, shrunk};

/// A subject is grazed if less of it than this lies under the mask, and it covers less than this of the mask.
const GRAZED: f32 = 0.2;
/// The share of the mask's outline that must be backdrop for the backdrop to go on inside.
const OPEN: f32 = 0.2;

/// A small copy of a picture, and how the mask lies on it.
pub(super) struct Surroundings {
    pub(super) copy: Pixels,
    pub(super) mask: Mask,
    pub(super) cutout: Cutout,
    /// How much of each pixel of the copy is a grazed subject that stays.
    grazed: Vec<f32>,
    fill: Fill,
}

/// What lies under the new things, in straight RGBA.
pub(super) enum Fill {
    /// One colour, or nothing.
    Even([f32; 4]),
    /// The picture's own backdrop.
    Plain(Backdrop),
    /// The colours around, over the whole copy.
    Smooth(Vec<[f32; 4]>),
}

impl Surroundings {
    pub(super) fn of(source: &Pixels, mask: &Mask) -> Self {
        let copy = firm(cutout::copy(source), source);
        let mask = shrunk(mask, copy.size);
        let cutout = Cutout::of(copy.clone(), |x, y| region::at(&mask, x, y) == 0);
        let grazed = if cutout.behind == Behind::Mixed { vec![0.0; mask.bytes.len()] } else { grazed(&cutout, &mask) };
        let open = is_open(&cutout, &mask);
        let fill = match cutout.behind {
            Behind::Plain(backdrop) if open => Fill::Plain(backdrop),
            Behind::Nothing if open => Fill::Even([0.0; 4]),
            _ => Fill::Smooth(spread_inwards(&copy, &mask)),
        };
        Self { copy, mask, cutout, grazed, fill }
    }

    /// Returns whether the mask keeps all of a pixel of the copy.
    pub(super) fn keeps(&self, x: u32, y: u32) -> bool {
        region::at(&self.mask, x, y) == 0
    }

    /// Returns how much of a pixel of the copy is a grazed subject.
    pub(super) fn grazed(&self, x: u32, y: u32) -> f32 {
        self.grazed[index(self.copy.size, x, y)]
    }

    /// Returns what lies under what is drawn: the backdrop itself where a subject is completed on it.
    pub(super) fn fill(&self, completed: bool) -> Fill {
        match (&self.fill, self.cutout.behind) {
            (Fill::Smooth(_), Behind::Plain(backdrop)) if completed => Fill::Plain(backdrop),
            (Fill::Smooth(_), Behind::Nothing) if completed => Fill::Even([0.0; 4]),
            (Fill::Smooth(smooth), _) => Fill::Smooth(smooth.clone()),
            (Fill::Plain(backdrop), _) => Fill::Plain(*backdrop),
            (Fill::Even(colour), _) => Fill::Even(*colour),
        }
    }

    /// Returns the fill of a pixel of the picture at any size: straight RGBA in [0, 1].
    pub(super) fn filled(&self, fill: &Fill, completed: bool, target: &Pixels, x: u32, y: u32) -> [f32; 4] {
        let under = match fill {
            Fill::Even(colour) => *colour,
            Fill::Plain(backdrop) => opaque(backdrop.colour(target.size, x, y)),
            Fill::Smooth(smooth) => between(self.copy.size, target.size, x, y, |at| smooth[at]),
        };
        if completed {
            return under;
        }
        let [stays, ..] = between(self.copy.size, target.size, x, y, |at| [self.grazed[at]; 4]);
        if stays <= 0.0 {
            return under;
        }
        let own = backdrop::colour(target, x, y);
        faded([own[0], own[1], own[2], backdrop::alpha(target, x, y)], under, stays)
    }
}

impl Fill {
    /// Returns the fill as the background that was asked for wants it.
    pub(super) fn on(self, background: Background, colour: Option<[u8; 3]>) -> Self {
        let bytes = |colour: [u8; 3]| opaque(colour.map(|v| f32::from(v) / 255.0));
        match (background, colour, self) {
            (Background::Transparent, _, _) => Self::Even([0.0; 4]),
            (_, Some(colour), _) => Self::Even(bytes(colour)),
            (Background::Opaque, None, Self::Even(under)) => Self::Even(over(under, bytes([255; 3]))),
            (Background::Opaque, None, Self::Smooth(smooth)) => {
                Self::Smooth(smooth.into_iter().map(|under| over(under, bytes([255; 3]))).collect())
            }
            (_, None, fill) => fill,
        }
    }
}

/// Lays one straight RGBA colour over another.
pub(super) fn over(upper: [f32; 4], lower: [f32; 4]) -> [f32; 4] {
    let rest = lower[3] * (1.0 - upper[3]);
    let alpha = upper[3] + rest;
    if alpha <= 0.0 {
        return [0.0; 4];
    }
    let mixed = |c: usize| (upper[c] * upper[3] + lower[c] * rest) / alpha;
    [mixed(0), mixed(1), mixed(2), alpha]
}

/// Makes each pixel of a copy opaque that stands for opaque ones only. Resizing reaches further, and lets a hole beside
/// them make them a little clear, which a fill would go on with.
fn firm(mut copy: Pixels, source: &Pixels) -> Pixels {
    if source.alpha && copy.size != source.size {
        let bytes = source.bytes.chunks(4).map(|pixel| u8::MAX - pixel[3]).collect();
        let clear = shrunk(&Mask { size: source.size, bytes }, copy.size);
        let solid = copy.bytes.chunks_mut(4).zip(clear.bytes).filter(|(_, clear)| *clear == 0);
        solid.for_each(|(pixel, _)| pixel[3] = u8::MAX);
    }
    copy
}

/// Lets what stays of an old straight RGBA colour pass into a new one. What the old one lacks in alpha the new one
/// makes up for: the result is never clearer than the new one is, or an edge of a hole would show as a clear line.
pub(super) fn faded(old: [f32; 4], new: [f32; 4], stays: f32) -> [f32; 4] {
    let kept = old[3] * stays;
    let alpha = new[3].max(kept + new[3] * (1.0 - stays));
    if alpha <= 0.0 {
        return [0.0; 4];
    }
    let mixed = |c: usize| (old[c] * kept + new[c] * (alpha - kept)) / alpha;
    [mixed(0), mixed(1), mixed(2), alpha]
}

fn opaque([r, g, b]: [f32; 3]) -> [f32; 4] {
    [r, g, b, 1.0]
}

fn index(size: Size, x: u32, y: u32) -> usize {
    usize::try_from(y * size.width + x).expect("a copy is small")
}

/// Looks a place of the picture up in its copy, between pixels.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides are small; places are clamped to the copy"
)]
fn between(copy: Size, target: Size, x: u32, y: u32, look: impl Fn(usize) -> [f32; 4]) -> [f32; 4] {
    let along = |at: u32, from: u32, to: u32| {
        let place = ((at as f32 + 0.5) * to as f32 / from as f32 - 0.5).clamp(0.0, (to - 1) as f32);
        (place as u32, (place as u32 + 1).min(to - 1), place.fract())
    };
    let (x0, x1, dx) = along(x, target.width, copy.width);
    let (y0, y1, dy) = along(y, target.height, copy.height);
    let [a, b, c, d] = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)].map(|(x, y)| look(index(copy, x, y)));
    std::array::from_fn(|i| (a[i] * (1.0 - dx) + b[i] * dx) * (1.0 - dy) + (c[i] * (1.0 - dx) + d[i] * dx) * dy)
}

/// Returns how much of each pixel is a subject that the mask only grazes.
fn grazed(cutout: &Cutout, mask: &Mask) -> Vec<f32> {
    let size = mask.size;
    let alphas: Vec<f32> = places(size).map(|(x, y)| backdrop::alpha(&cutout.pixels, x, y)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a copy is small")]
    let masked = mask.bytes.iter().filter(|byte| **byte > 0).count() as f32;
    let mut grazed = vec![0.0; alphas.len()];
    let mut seen = vec![false; alphas.len()];
    for start in 0..alphas.len() {
        let piece = piece(size, start, &mut seen, |at| alphas[at] > 0.3);
        #[expect(clippy::cast_precision_loss, reason = "a copy is small")]
        let (all, inside) = (piece.len() as f32, piece.iter().filter(|at| mask.bytes[**at] > 0).count() as f32);
        if inside < GRAZED * all && inside < GRAZED * masked {
            piece.iter().for_each(|at| grazed[*at] = alphas[*at]);
        }
    }
    // Its soft edge belongs to it.
    let [width, height] = [size.width, size.height].map(|v| usize::try_from(v).expect("a copy is small"));
    let hard = grazed.clone();
    for at in (0..alphas.len()).filter(|at| hard[*at] <= 0.0 && alphas[*at] > 0.0) {
        let (x, y) = (at % width, at / width);
        let rows = y.saturating_sub(2)..(y + 3).min(height);
        let mut near = rows.flat_map(|y| (x.saturating_sub(2)..(x + 3).min(width)).map(move |x| y * width + x));
        if near.any(|near| hard[near] > 0.0) {
            grazed[at] = alphas[at];
        }
    }
    grazed
}

/// Returns the pixels that hang together with one, itself included; none if it was seen before or is not among them.
fn piece(size: Size, start: usize, seen: &mut [bool], among: impl Fn(usize) -> bool) -> Vec<usize> {
    let width = usize::try_from(size.width).expect("a copy is small");
    let mut piece = Vec::new();
    let mut wave = vec![start];
    while let Some(at) = wave.pop() {
        if seen[at] || !among(at) {
            continue;
        }
        seen[at] = true;
        piece.push(at);
        let x = at % width;
        wave.extend((x > 0).then(|| at - 1));
        wave.extend((x + 1 < width).then_some(at + 1));
        wave.extend(at.checked_sub(width));
        wave.extend(Some(at + width).filter(|at| *at < seen.len()));
    }
    piece
}

/// Returns whether the backdrop goes on inside the mask: it reaches the picture's edge, or enough of its outline is
/// backdrop.
fn is_open(cutout: &Cutout, mask: &Mask) -> bool {
    let Size { width, height } = mask.size;
    let changed = |x: u32, y: u32| region::at(mask, x, y) > 0;
    let mut edge =
        (0..width).flat_map(|x| [(x, 0), (x, height - 1)]).chain((0..height).flat_map(|y| [(0, y), (width - 1, y)]));
    if edge.any(|(x, y)| changed(x, y)) {
        return true;
    }
    let (mut all, mut open) = (0.0, 0.0);
    // Two pixels off the mask, where the feather of whatever was there has ended.
    for (x, y) in places(mask.size).filter(|(x, y)| !changed(*x, *y)) {
        let near = (x.saturating_sub(2)..(x + 3).min(width)).any(|x| changed(x, y))
            || (y.saturating_sub(2)..(y + 3).min(height)).any(|y| changed(x, y));
        if near {
            all += 1.0;
            open += if backdrop::alpha(&cutout.pixels, x, y) < 0.5 { 1.0 } else { 0.0 };
        }
    }
    open >= OPEN * all
}

/// Lets the kept colours of a copy run into what the mask changes: halves the picture again and again, then goes
/// back and takes what is missing from the coarser picture. Straight RGBA.
fn spread_inwards(copy: &Pixels, mask: &Mask) -> Vec<[f32; 4]> {
    // Premultiplied colours and, fifth, how much is known.
    let mut finest: Vec<[f32; 5]> = Vec::with_capacity(mask.bytes.len());
    for (x, y) in places(copy.size) {
        let alpha = backdrop::alpha(copy, x, y);
        let [r, g, b] = backdrop::colour(copy, x, y).map(|v| v * alpha);
        finest.push(if region::at(mask, x, y) == 0 { [r, g, b, alpha, 1.0] } else { [0.0; 5] });
    }
    let mut levels = vec![(copy.size, finest)];
    while let Some((size, level)) = levels.last()
        && (size.width > 1 || size.height > 1)
    {
        let half = halved(*size, level);
        levels.push(half);
    }
    let (mut coarse_size, mut coarse) = levels.pop().expect("the finest level is there");
    while let Some((size, level)) = levels.pop() {
        let widened = |at: usize| -> [f32; 4] {
            let [r, g, b, a, known] = coarse[at];
            if known > 0.0 { [r, g, b, a].map(|v| v / known) } else { [0.0; 4] }
        };
        let finer = places(size).map(|(x, y)| {
            let own = level[index(size, x, y)];
            let missing = 1.0 - own[4];
            if missing <= 0.0 {
                return own;
            }
            let from = between(coarse_size, size, x, y, widened);
            [
                own[0] + from[0] * missing,
                own[1] + from[1] * missing,
                own[2] + from[2] * missing,
                own[3] + from[3] * missing,
                1.0,
            ]
        });
        coarse = finer.collect();
        coarse_size = size;
    }
    coarse
        .iter()
        .map(|[r, g, b, alpha, _]| if *alpha > 0.0 { [r / alpha, g / alpha, b / alpha, *alpha] } else { [0.0; 4] })
        .collect()
}

/// Returns a level of half the size: each pixel the mean of what is known of up to four.
fn halved(size: Size, level: &[[f32; 5]]) -> (Size, Vec<[f32; 5]>) {
    let half = Size { width: size.width.div_ceil(2), height: size.height.div_ceil(2) };
    let mean = |(x, y): (u32, u32)| {
        let mut sum = [0.0; 5];
        for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| (2 * x + i, 2 * y + j)) {
            if x < size.width && y < size.height {
                sum.iter_mut().zip(level[index(size, x, y)]).for_each(|(sum, v)| *sum += v);
            }
        }
        // What is known a little counts as fully known one level up, so that the holes close.
        let by = if sum[4] > 0.0 { 1.0 / sum[4] } else { 0.0 };
        sum.map(|v| v * by)
    };
    (half, places(half).map(mean).collect())
}

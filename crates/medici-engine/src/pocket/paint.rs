//! From scenes to pixels: decode, enlarge, arrange, put on the backdrop, resize.
//!
//! A layer is enlarged on its own: its colours are first bled outwards over the transparent pixels, so that
//! the upscaler sees no edge that is not in the subject, and its alpha is enlarged smoothly and steepened. The
//! layers are then put together at full size. That keeps the backdrop exact and layers sharp at any scale.

use medici_studio::engine::{Pixels, Size};

use super::basis::{Basis, SIDE};
use super::resize::resized;
use super::scene::{Arrangement, Scene};
use super::upscale::{LARGE, Upscaler, enlarge_smoothly};

/// Alpha below this is haze of the prior, above the other its speckle.
const HAZE: f32 = 0.08;
const SOLID: f32 = 0.88;
/// Pixels along an edge of a preview.
pub(super) const PREVIEW_SIDE: u32 = 128;

/// Straight RGBA in [0, 1], square, row by row.
pub(super) struct Sheet {
    side: usize,
    rgba: Vec<f32>,
}

/// Where a layer goes: the box of its subject on the sheet, in pixels of the sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

/// The box of what is visible in a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    left: usize,
    top: usize,
    /// One past the last.
    right: usize,
    bottom: usize,
}

/// Decodes the layers of scenes, in order, to canvases for [`paint`] and [`sketch`].
pub(super) fn decoded(basis: &Basis, scenes: &[Scene]) -> Vec<Vec<Vec<f32>>> {
    let latents: Vec<&[f32]> = scenes.iter().flat_map(|scene| scene.layers.iter().map(Vec::as_slice)).collect();
    let mut canvases = basis.decode(&latents).into_iter();
    scenes.iter().map(|scene| canvases.by_ref().take(scene.layers.len()).collect()).collect()
}

/// Draws a scene at full size: 256×256, straight RGBA without its backdrop.
pub(super) fn paint(upscaler: &Upscaler, scene: &Scene, canvases: &[Vec<f32>]) -> Sheet {
    finished(scene, canvases.iter().map(|canvas| enlarged(upscaler, &cleaned(canvas))).collect())
}

/// Draws a scene small and without the upscaler, 64×64: a cheap early look.
pub(super) fn sketch(scene: &Scene, canvases: &[Vec<f32>]) -> Sheet {
    finished(scene, canvases.iter().map(|canvas| Sheet { side: SIDE, rgba: bled(&cleaned(canvas)) }).collect())
}

fn finished(scene: &Scene, sheets: Vec<Sheet>) -> Sheet {
    let mut sheet = arranged(scene.arrangement, sheets);
    if scene.mirrored {
        for row in sheet.rgba.chunks_mut(sheet.side * 4) {
            let pixels = row.len() / 4;
            for x in 0..pixels / 2 {
                for channel in 0..4 {
                    row.swap(x * 4 + channel, (pixels - 1 - x) * 4 + channel);
                }
            }
        }
    }
    sheet
}

/// Takes haze and speckle out of a decoded picture's alpha. Premultiplied in and out.
fn cleaned(canvas: &[f32]) -> Vec<f32> {
    let mut canvas = canvas.to_vec();
    for pixel in canvas.chunks_mut(4) {
        let alpha = ((pixel[3] - HAZE) / (SOLID - HAZE)).clamp(0.0, 1.0);
        let by = if pixel[3] > 0.0 { alpha / pixel[3] } else { 0.0 };
        pixel.iter_mut().for_each(|v| *v = (*v * by).min(alpha));
        pixel[3] = alpha;
    }
    canvas
}

/// Turns premultiplied into straight RGBA, the colours spread outwards over what is transparent.
fn bled(canvas: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; canvas.len()];
    let mut known = vec![false; SIDE * SIDE];
    for ((to, from), known) in out.chunks_mut(4).zip(canvas.chunks(4)).zip(&mut known) {
        to[3] = from[3];
        // A colour divided by a small alpha is mostly rounding: such pixels take their neighbours' instead.
        if from[3] > 0.5 {
            *known = true;
            (0..3).for_each(|c| to[c] = (from[c] / from[3]).clamp(0.0, 1.0));
        }
    }
    let mut wave: Vec<usize> = (0..known.len()).collect();
    loop {
        let mut next = Vec::new();
        let mut rest = Vec::new();
        for at in wave {
            if known[at] {
                continue;
            }
            let (x, y) = (at % SIDE, at / SIDE);
            let mut sum = [0.0; 3];
            let mut count = 0.0;
            for (nx, ny) in neighbours(x, y) {
                let near = ny * SIDE + nx;
                if known[near] {
                    count += 1.0;
                    (0..3).for_each(|c| sum[c] += out[near * 4 + c]);
                }
            }
            if count > 0.0 { next.push((at, sum.map(|v| v / count))) } else { rest.push(at) }
        }
        if next.is_empty() {
            return out;
        }
        for (at, colour) in next {
            known[at] = true;
            out[at * 4..at * 4 + 3].copy_from_slice(&colour);
        }
        wave = rest;
    }
}

fn neighbours(x: usize, y: usize) -> impl Iterator<Item = (usize, usize)> {
    let (x0, x1) = (x.saturating_sub(1), (x + 1).min(SIDE - 1));
    let (y0, y1) = (y.saturating_sub(1), (y + 1).min(SIDE - 1));
    (y0..=y1).flat_map(move |ny| (x0..=x1).map(move |nx| (nx, ny)))
}

fn enlarged(upscaler: &Upscaler, canvas: &[f32]) -> Sheet {
    let straight = bled(canvas);
    let rgb: Vec<f32> = straight.chunks(4).flat_map(|p| [p[0], p[1], p[2]].map(|v| v * 2.0 - 1.0)).collect();
    let alpha: Vec<f32> = straight.chunks(4).map(|p| p[3]).collect();
    let (rgb, alpha) = (upscaler.enlarge(&rgb), enlarge_smoothly(&alpha, 1));
    let mut rgba = Vec::with_capacity(LARGE * LARGE * 4);
    for (colour, alpha) in rgb.chunks(3).zip(alpha) {
        rgba.extend(colour.iter().map(|v| f32::midpoint(*v, 1.0)));
        rgba.push(steepened(alpha));
    }
    Sheet { side: LARGE, rgba }
}

/// Makes an edge that is four pixels wide after enlarging about two wide.
fn steepened(alpha: f32) -> f32 {
    let t = ((alpha - 0.2) / 0.6).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

impl Sheet {
    /// Returns the sheet on a backdrop, or as straight RGBA without one: as a square in the middle of `size`.
    pub(super) fn pixels(&self, backdrop: Option<[u8; 3]>, size: Size) -> Pixels {
        let mut bytes = Vec::with_capacity(self.side * self.side * 4);
        for pixel in self.rgba.chunks(4) {
            let alpha = pixel[3];
            match backdrop {
                Some(behind) => {
                    bytes.extend((0..3).map(|c| byte(pixel[c] * 255.0 * alpha + f32::from(behind[c]) * (1.0 - alpha))))
                }
                None => bytes.extend(pixel.iter().map(|v| byte(v * 255.0))),
            }
        }
        let own = Size::square(u32::try_from(self.side).expect("a sheet is small"));
        let square = Size::square(size.width.min(size.height));
        let pixels = resized(&Pixels { size: own, alpha: backdrop.is_none(), bytes }, square);
        widened(pixels, size, backdrop)
    }

    fn extent(&self) -> Extent {
        let (mut left, mut top, mut right, mut bottom) = (self.side, self.side, 0, 0);
        for (at, pixel) in self.rgba.chunks(4).enumerate() {
            if pixel[3] > 0.3 {
                let (x, y) = (at % self.side, at / self.side);
                (left, top) = (left.min(x), top.min(y));
                (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
            }
        }
        // An empty sheet counts as a full one, so that placing it does not divide by nothing.
        if right == 0 {
            Extent { left: 0, top: 0, right: self.side, bottom: self.side }
        } else {
            Extent { left, top, right, bottom }
        }
    }

    /// Returns the alpha-weighted centre of the rows `from..to`, as a column.
    #[expect(clippy::cast_precision_loss, reason = "a sheet is small")]
    fn centre_of_rows(&self, from: usize, to: usize) -> Option<f32> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for y in from..to {
            for x in 0..self.side {
                let alpha = self.rgba[(y * self.side + x) * 4 + 3];
                sum += alpha * (x as f32 + 0.5);
                weight += alpha;
            }
        }
        (weight > 0.0).then(|| sum / weight)
    }

    /// Lays the subject of `other` over this sheet.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "coordinates are within a sheet, clamped before they become indices"
    )]
    fn lay(&mut self, other: &Sheet, place: Place) {
        let extent = other.extent();
        let scale =
            ((extent.right - extent.left) as f32 / place.width).max((extent.bottom - extent.top) as f32 / place.height);
        let (middle_x, middle_y) = (place.left + place.width / 2.0, place.top + place.height / 2.0);
        let (from_x, from_y) = ((extent.left + extent.right) as f32 / 2.0, (extent.top + extent.bottom) as f32 / 2.0);
        // Each pixel averages a square of samples as wide as it covers in the source: a box filter.
        let samples = (scale.ceil() as usize).clamp(1, 8);
        for y in 0..self.side {
            for x in 0..self.side {
                let mut sum = [0.0; 4];
                for i in 0..samples * samples {
                    let offset = |k: usize| (k as f32 + 0.5) / samples as f32;
                    let sx = from_x + (x as f32 + offset(i % samples) - middle_x) * scale;
                    let sy = from_y + (y as f32 + offset(i / samples) - middle_y) * scale;
                    if let Some(p) = other.sample(sx, sy) {
                        (0..3).for_each(|c| sum[c] += p[c] * p[3]);
                        sum[3] += p[3];
                    }
                }
                let count = (samples * samples) as f32;
                let alpha = sum[3] / count;
                if alpha > 0.0 {
                    let to = &mut self.rgba[(y * self.side + x) * 4..][..4];
                    let total = alpha + to[3] * (1.0 - alpha);
                    (0..3).for_each(|c| to[c] = (sum[c] / count + to[c] * to[3] * (1.0 - alpha)) / total);
                    to[3] = total;
                }
            }
        }
    }

    /// Returns the pixel at a place between pixels, blended of its four neighbours; none outside.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie inside"
    )]
    fn sample(&self, x: f32, y: f32) -> Option<[f32; 4]> {
        let (x, y) = (x - 0.5, y - 0.5);
        let last = (self.side - 1) as f32;
        if x < 0.0 || y < 0.0 || x > last || y > last {
            return None;
        }
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(self.side - 1), (y0 + 1).min(self.side - 1));
        let (dx, dy) = (x.fract(), y.fract());
        let at = |x: usize, y: usize, c: usize| self.rgba[(y * self.side + x) * 4 + c];
        Some(std::array::from_fn(|c| {
            (at(x0, y0, c) * (1.0 - dx) + at(x1, y0, c) * dx) * (1.0 - dy)
                + (at(x0, y1, c) * (1.0 - dx) + at(x1, y1, c) * dx) * dy
        }))
    }
}

/// Puts a square into the middle of a size whose shorter side it fills.
fn widened(square: Pixels, size: Size, backdrop: Option<[u8; 3]>) -> Pixels {
    if square.size == size {
        return square;
    }
    let [side, width, height] =
        [square.size.width, size.width, size.height].map(|v| usize::try_from(v).expect("a side fits a usize"));
    let behind: Vec<u8> = backdrop.map_or(vec![0; 4], |colour| colour.to_vec());
    let channels = behind.len();
    let mut bytes = behind.repeat(width * height);
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    for (y, row) in square.bytes.chunks(side * channels).enumerate() {
        let at = ((top + y) * width + left) * channels;
        bytes[at..at + row.len()].copy_from_slice(row);
    }
    Pixels { size, alpha: square.alpha, bytes }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few layers on a small sheet"
)]
fn arranged(arrangement: Arrangement, mut sheets: Vec<Sheet>) -> Sheet {
    assert!(!sheets.is_empty(), "a scene has a layer");
    if sheets.len() == 1 {
        return sheets.remove(0);
    }
    let side = sheets[0].side;
    let unit = side as f32;
    let mut out = Sheet { side, rgba: vec![0.0; side * side * 4] };
    match arrangement {
        Arrangement::Rows => {
            let columns = (sheets.len() as f32).sqrt().ceil() as usize;
            let rows = sheets.len().div_ceil(columns);
            let cell = unit / columns as f32;
            for (at, sheet) in sheets.iter().enumerate() {
                let (column, row) = (at % columns, at / columns);
                let in_row = columns.min(sheets.len() - row * columns);
                let left = (unit - in_row as f32 * cell) / 2.0 + column as f32 * cell;
                let top = (unit - rows as f32 * cell) / 2.0 + row as f32 * cell;
                out.lay(
                    sheet,
                    Place { left: left + cell * 0.04, top: top + cell * 0.04, width: cell * 0.92, height: cell * 0.92 },
                );
            }
        }
        Arrangement::On => {
            let base = Place { left: unit * 0.14, top: unit * 0.40, width: unit * 0.72, height: unit * 0.58 };
            out.lay(&sheets[1], base);
            let ground = out.extent();
            let overlap = (ground.bottom - ground.top) as f32 * 0.22;
            let bottom = (ground.top as f32 + overlap).min(unit * 0.72);
            let size = unit * 0.50;
            let upper = out_fit(&sheets[0], size);
            out.lay(
                &sheets[0],
                Place { left: (unit - upper.0) / 2.0, top: bottom - upper.1, width: upper.0, height: upper.1 },
            );
        }
        Arrangement::Hat | Arrangement::Glasses => {
            let hat = arrangement == Arrangement::Hat;
            let (top, size) = if hat { (0.22, 0.76) } else { (0.06, 0.88) };
            let body =
                Place { left: unit * (1.0 - size) / 2.0, top: unit * top, width: unit * size, height: unit * size };
            out.lay(&sheets[0], body);
            let wearer = out.extent();
            let (width, height) = ((wearer.right - wearer.left) as f32, (wearer.bottom - wearer.top) as f32);
            let head = wearer.top + ((wearer.bottom - wearer.top) / 6).max(1);
            let centre = out.centre_of_rows(wearer.top, head).unwrap_or(unit / 2.0);
            let (share, drop) = if hat { (0.56, 0.10) } else { (0.78, 0.44) };
            let fit = out_fit(&sheets[1], width * share);
            let y = wearer.top as f32 + height * drop;
            let (left, top) = if hat {
                (centre - fit.0 / 2.0, (y - fit.1 * 0.82).max(0.0))
            } else {
                (wearer.left as f32 + (width - fit.0) / 2.0, y - fit.1 / 2.0)
            };
            out.lay(&sheets[1], Place { left, top, width: fit.0, height: fit.1 });
        }
    }
    out
}

/// Returns the width and height of a sheet's subject when its longer side is `size`.
#[expect(clippy::cast_precision_loss, reason = "a sheet is small")]
fn out_fit(sheet: &Sheet, size: f32) -> (f32, f32) {
    let extent = sheet.extent();
    let (width, height) = ((extent.right - extent.left) as f32, (extent.bottom - extent.top) as f32);
    let by = size / width.max(height);
    (width * by, height * by)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(v: f32) -> u8 {
    v.round().clamp(0.0, 255.0) as u8
}

//! Finding room in a mask: where, and how large, a subject goes so that it lies whole inside.

use medici_studio::engine::{Pixels, Size};

use super::completion::Frame;
use super::cutout::{self, Extent, places};
use super::resize::resized;

/// Cells along the longer side of the room that is searched, or more where its shorter side has fewer than the other.
const CELLS: f32 = 48.0;
const CELLS_ACROSS: f32 = 12.0;
/// How much of its place a subject takes: it is drawn a little otherwise than it was expected.
const FILLED: f32 = 0.96;
/// How much of a subject may lie outside of the room.
const OUTSIDE: f32 = 0.015;
/// Cells of the smallest subject that one would still recognise.
const SMALLEST: u32 = 3;

/// The room there is, as cells.
pub(super) struct Room {
    /// The box of the copy that the cells cover, each `cell` pixels of the copy square.
    left: f32,
    top: f32,
    cell: f32,
    size: Size,
    free: Vec<bool>,
    /// The middle of what is free, in cells.
    middle: (f32, f32),
}

/// Where a sheet goes, and how large its subject is then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) frame: Frame,
    /// Pixels of the copy along the subject's longer side.
    pub(super) long: f32,
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cells and copies are small"
)]
impl Room {
    /// Measures the room in a box of a copy: a cell is free where `free` is true of all its pixels.
    pub(super) fn of(extent: Extent, free: impl Fn(u32, u32) -> bool) -> Self {
        let (width, height) = (extent.size.width as f32, extent.size.height as f32);
        let cell = (width.max(height) / CELLS).min(width.min(height) / CELLS_ACROSS).max(1.0);
        let count = |side: u32| ((side as f32 / cell).round() as u32).max(1);
        let size = Size { width: count(extent.size.width), height: count(extent.size.height) };
        let span = |at: u32, from: u32, side: u32| {
            let edge = |at: u32| (at as f32 * cell) as u32;
            from + edge(at).min(side - 1)..from + edge(at + 1).clamp(1, side)
        };
        let is_free = |(x, y): (u32, u32)| {
            let (mut rows, columns) =
                (span(y, extent.top, extent.size.height), span(x, extent.left, extent.size.width));
            rows.all(|y| columns.clone().all(|x| free(x, y)))
        };
        let free: Vec<bool> = places(size).map(is_free).collect();
        let (mut sum, mut count) = ((0.0, 0.0), 0.0);
        for ((x, y), _) in places(size).zip(&free).filter(|(_, free)| **free) {
            sum = (sum.0 + x as f32 + 0.5, sum.1 + y as f32 + 0.5);
            count += 1.0;
        }
        let middle = if count > 0.0 {
            (sum.0 / count, sum.1 / count)
        } else {
            (size.width as f32 / 2.0, size.height as f32 / 2.0)
        };
        Self { left: extent.left as f32, top: extent.top as f32, cell, size, free, middle }
    }

    /// Returns the largest place for a sheet's subject, nearest to the middle; none where there is too little room.
    pub(super) fn fit(&self, sheet: &Pixels) -> Option<Fit> {
        let found = cutout::extent(sheet);
        let subject = cutout::cropped(sheet, found);
        let long = found.size.width.max(found.size.height);
        let longest = self.size.width.max(self.size.height);
        for side in (SMALLEST..=longest).rev() {
            let along = |own: u32| (own * side).div_ceil(long).max(1);
            let size = Size { width: along(found.size.width), height: along(found.size.height) };
            if size.width > self.size.width || size.height > self.size.height {
                continue;
            }
            let shape: Vec<u8> = resized(&subject, size).bytes.chunks(4).map(|pixel| pixel[3]).collect();
            if let Some((x, y)) = self.place(size, &shape) {
                return Some(self.fit_at(
                    sheet,
                    found,
                    side as f32,
                    (x as f32 + size.width as f32 / 2.0, y as f32 + size.height as f32 / 2.0),
                ));
            }
        }
        None
    }

    /// Returns the place that fills the whole box, for a room in which nothing fits.
    pub(super) fn filled(&self, sheet: &Pixels) -> Fit {
        let side = self.size.width.max(self.size.height) as f32;
        let middle = (self.size.width as f32 / 2.0, self.size.height as f32 / 2.0);
        self.fit_at(sheet, cutout::extent(sheet), side, middle)
    }

    fn fit_at(&self, sheet: &Pixels, found: Extent, side: f32, middle: (f32, f32)) -> Fit {
        let long = side * self.cell * FILLED;
        let scale = long / found.size.width.max(found.size.height) as f32;
        let from = |room: f32, middle: f32, left: u32, side: u32| {
            room + middle * self.cell - (left as f32 + side as f32 / 2.0) * scale
        };
        let frame = Frame {
            left: from(self.left, middle.0, found.left, found.size.width),
            top: from(self.top, middle.1, found.top, found.size.height),
            side: sheet.size.width as f32 * scale,
        };
        Fit { frame, long }
    }

    /// Returns the free place nearest to the middle for a shape.
    fn place(&self, size: Size, shape: &[u8]) -> Option<(u32, u32)> {
        let all: u32 = shape.iter().map(|alpha| u32::from(*alpha)).sum();
        let allowed = (OUTSIDE * all as f32) as u32;
        let mut best: Option<(f32, (u32, u32))> = None;
        for (x, y) in
            places(Size { width: self.size.width - size.width + 1, height: self.size.height - size.height + 1 })
        {
            let (dx, dy) = (
                x as f32 + size.width as f32 / 2.0 - self.middle.0,
                y as f32 + size.height as f32 / 2.0 - self.middle.1,
            );
            let far = dx * dx + dy * dy;
            if best.is_some_and(|(nearest, _)| nearest <= far) {
                continue;
            }
            let mut outside = 0;
            for ((i, j), alpha) in places(size).zip(shape) {
                if !self.free[((y + j) * self.size.width + x + i) as usize] {
                    outside += u32::from(*alpha);
                    if outside > allowed {
                        break;
                    }
                }
            }
            if outside <= allowed {
                best = Some((far, (x, y)));
            }
        }
        best.map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disc, 40 of 64 pixels wide.
    fn disc() -> Pixels {
        let pixel = |(x, y): (u32, u32)| {
            let inside = (2 * x + 1).abs_diff(64).pow(2) + (2 * y + 1).abs_diff(64).pow(2) < 1_600;
            [200, 10, 10, if inside { 255 } else { 0 }]
        };
        Pixels { size: Size::square(64), alpha: true, bytes: places(Size::square(64)).flat_map(pixel).collect() }
    }

    fn room(width: u32, height: u32, free: impl Fn(u32, u32) -> bool) -> Room {
        Room::of(Extent { left: 10, top: 20, size: Size { width, height } }, free)
    }

    #[test]
    fn a_subject_fills_a_square_and_stays_inside() {
        let fit = room(96, 96, |_, _| true).fit(&disc()).unwrap();
        assert!((fit.long - 96.0 * FILLED).abs() < 3.0, "{fit:?}");
        let Frame { left, top, side } = fit.frame;
        assert!((left + side / 2.0 - 58.0).abs() < 2.0 && (top + side / 2.0 - 68.0).abs() < 2.0, "{fit:?}");
        assert!((side - 92.0 * 64.0 / 40.0).abs() < 6.0, "the sheet's margin lies outside of the room");
    }

    #[test]
    fn a_subject_avoids_what_is_taken() {
        let fit = room(120, 60, |x, _| x >= 70).fit(&disc()).unwrap();
        let middle = fit.frame.left + fit.frame.side / 2.0;
        assert!((95.0..105.0).contains(&middle) && fit.long > 44.0, "{fit:?}");
    }

    #[test]
    fn where_nothing_fits_the_box_is_filled() {
        let full = room(90, 20, |x, y| (x + y) % 2 == 0);
        assert!(full.fit(&disc()).is_none());
        assert!((full.filled(&disc()).long - 90.0 * FILLED).abs() < 2.0);
    }
}

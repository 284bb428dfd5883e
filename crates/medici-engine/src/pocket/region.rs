//! Where a picture is changed: the mask's box, its feather, and what a small copy knows of it.

use medici_studio::engine::{FEATHER_MAX, Mask, Size};

use super::cutout::{Extent, places};

/// Chamfer distances: a step along a side and one across a corner, three a pixel.
const STEP: u8 = 3;
const CORNER: u8 = 4;

/// How much of each pixel is drawn anew.
pub(super) struct Region {
    /// The smallest box around what the mask changes.
    pub(super) extent: Extent,
    /// A byte a pixel of the box: 0 keeps it bit for bit, 255 is all new.
    shares: Vec<u8>,
    /// How deep in the mask each pixel of the box is, and where the feather ends.
    depths: Vec<u8>,
    full: f32,
}

impl Region {
    /// Feathers a mask that is not empty: inwards, and no deeper than a quarter of its thickness.
    pub(super) fn of(mask: &Mask) -> Self {
        let extent = extent(mask);
        let depths = depths(mask, extent);
        let deepest = depths.iter().copied().max().unwrap_or(0) / STEP;
        let shorter = mask.size.width.min(mask.size.height);
        let wide = u8::try_from((shorter / 64).clamp(2, FEATHER_MAX)).expect("a feather is narrow");
        let full = f32::from(STEP) * (f32::from(wide.min(deepest / 2)) + 1.0);
        let share = |((x, y), depth): ((u32, u32), &u8)| {
            let smooth = smooth(*depth, full);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a byte")]
            let share = (smooth * f32::from(at(mask, extent.left + x, extent.top + y))).ceil() as u8;
            share
        };
        let shares = places(extent.size).zip(&depths).map(share).collect();
        Self { extent, shares, depths, full }
    }

    /// Returns the kept pixel beside one that the feather takes, and how much of it the feather leaves.
    pub(super) fn beside(&self, size: Size, x: u32, y: u32) -> Option<((u32, u32), f32)> {
        let depth = self.depths[self.index(x, y)?];
        let stays = 1.0 - smooth(depth, self.full);
        if stays <= 0.0 {
            return None;
        }
        let is_kept = |(x, y): &(u32, u32)| self.index(*x, *y).is_none_or(|at| self.shares[at] == 0);
        // Squares around it, each wider than the last.
        let nearest = (1..=u32::from(depth / STEP)).find_map(|far| {
            let [xs, ys] = [(x, size.width), (y, size.height)].map(|(at, end)| {
                let (first, last) = (at.saturating_sub(far), (at + far).min(end - 1));
                first..=last
            });
            let square = ys.flat_map(|y| xs.clone().map(move |x| (x, y)));
            let apart = |at: &(u32, u32)| (at.0.abs_diff(x), at.1.abs_diff(y));
            let ring = square.filter(|at| apart(at).0.max(apart(at).1) == far);
            ring.filter(is_kept).min_by_key(|at| apart(at).0 + apart(at).1)
        });
        nearest.map(|at| (at, stays))
    }

    /// Returns where a pixel of the picture is among those of the box.
    fn index(&self, x: u32, y: u32) -> Option<usize> {
        let (x, y) = (x.checked_sub(self.extent.left)?, y.checked_sub(self.extent.top)?);
        let Size { width, height } = self.extent.size;
        let index = usize::try_from(u64::from(y) * u64::from(width) + u64::from(x)).expect("a box fits a usize");
        (x < width && y < height).then_some(index)
    }

    /// Returns the shares of a row of the box.
    pub(super) fn row(&self, y: u32) -> &[u8] {
        let [y, width] = [y, self.extent.size.width].map(|v| usize::try_from(v).expect("a side fits a usize"));
        &self.shares[y * width..(y + 1) * width]
    }
}

/// Returns how much of a pixel is new that is so deep in the mask, if the feather ends at `full`.
fn smooth(depth: u8, full: f32) -> f32 {
    let rise = (f32::from(depth) / full).min(1.0);
    rise * rise * (3.0 - 2.0 * rise)
}

/// Returns a mask shrunk to the size of a copy; 0 only where it keeps all that the pixel stands for.
pub(super) fn shrunk(mask: &Mask, to: Size) -> Mask {
    let span = |at: u32, from: u32, to: u32| {
        let (from, to, at) = (u64::from(from), u64::from(to), u64::from(at));
        let range = at * from / to..((at + 1) * from).div_ceil(to);
        [range.start, range.end].map(|v| u32::try_from(v).expect("a side is 32 bits"))
    };
    let mean = |(x, y): (u32, u32)| {
        let [left, right] = span(x, mask.size.width, to.width);
        let [top, bottom] = span(y, mask.size.height, to.height);
        let all = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
        let sum: u64 = all.map(|(x, y)| u64::from(at(mask, x, y))).sum();
        let count = u64::from(right - left) * u64::from(bottom - top);
        u8::try_from(sum.div_ceil(count)).expect("a mean of bytes is a byte")
    };
    Mask { size: to, bytes: places(to).map(mean).collect() }
}

/// Returns a mask's byte at a pixel.
pub(super) fn at(mask: &Mask, x: u32, y: u32) -> u8 {
    let [x, y, width] = [x, y, mask.size.width].map(|v| usize::try_from(v).expect("a side fits a usize"));
    mask.bytes[y * width + x]
}

fn extent(mask: &Mask) -> Extent {
    let (mut left, mut top, mut right, mut bottom) = (mask.size.width, mask.size.height, 0, 0);
    for (x, y) in places(mask.size).filter(|(x, y)| at(mask, *x, *y) > 0) {
        (left, top) = (left.min(x), top.min(y));
        (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
    }
    assert!(right > 0, "an empty mask is refused before");
    Extent { left, top, size: Size { width: right - left, height: bottom - top } }
}

/// Returns how deep in the mask each pixel of its box is, three a pixel: 0 where it is kept, and no more than a
/// feather's depth needs. The edge of the picture is no edge of the mask.
fn depths(mask: &Mask, extent: Extent) -> Vec<u8> {
    let most = STEP * u8::try_from(2 * FEATHER_MAX + 2).expect("a feather is narrow");
    let [width, height] = [extent.size.width, extent.size.height].map(|v| usize::try_from(v).expect("it fits"));
    // A frame of one pixel around the box: kept where the picture goes on, of no account where it ends.
    let wide = width + 2;
    let mut depths = vec![0_u8; wide * (height + 2)];
    for (i, depth) in depths.iter_mut().enumerate() {
        let [x, y] = [i % wide, i / wide].map(|v| u32::try_from(v).expect("a side is 32 bits"));
        let (x, y) = ((extent.left + x).wrapping_sub(1), (extent.top + y).wrapping_sub(1));
        let outside = x >= mask.size.width || y >= mask.size.height;
        *depth = if outside || at(mask, x, y) > 0 { most } else { 0 };
    }
    let last = depths.len() - 1;
    let mut pass = |backwards: bool| {
        for y in 1..=height {
            for x in 1..=width {
                let here = y * wide + x;
                let toward = |i: usize| if backwards { last - i } else { i };
                let here_at = toward(here);
                let near = [(1, STEP), (wide, STEP), (wide + 1, CORNER), (wide - 1, CORNER)];
                for (back, step) in near {
                    let through = depths[toward(here - back)].saturating_add(step);
                    depths[here_at] = depths[here_at].min(through);
                }
            }
        }
    };
    pass(false);
    pass(true);
    (1..=height).flat_map(|y| depths[y * wide + 1..y * wide + 1 + width].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(size: Size, changed: impl Fn(u32, u32) -> u8) -> Mask {
        Mask { size, bytes: places(size).map(|(x, y)| changed(x, y)).collect() }
    }

    #[test]
    fn the_feather_lies_inside_the_mask_and_ends_at_its_depth() {
        let size = Size { width: 600, height: 520 };
        let mask = mask(size, |x, y| if x >= 100 && (50..450).contains(&y) { 255 } else { 0 });
        let region = Region::of(&mask);
        assert_eq!(region.extent, Extent { left: 100, top: 50, size: Size { width: 500, height: 400 } });
        let row = region.row(200);
        assert!(row[0] > 0 && row[0] < 30, "next to what is kept it begins: {}", row[0]);
        assert!(row.windows(2).all(|pair| pair[0] <= pair[1]));
        let depth = row.iter().position(|share| *share == 255).unwrap();
        assert_eq!(depth, usize::try_from(FEATHER_MAX).unwrap());
        assert_eq!(row[499], 255, "the picture's edge has no feather");
    }

    #[test]
    fn a_thin_mask_still_changes_something() {
        for thickness in [1, 2, 5] {
            let mask = mask(Size::square(64), |_, y| if (30..30 + thickness).contains(&y) { 255 } else { 0 });
            let region = Region::of(&mask);
            assert!(region.row(thickness / 2).iter().all(|share| *share >= 128), "{thickness}");
        }
    }

    #[test]
    fn a_soft_mask_mixes_by_its_bytes() {
        let region = Region::of(&mask(Size::square(64), |x, _| if x < 32 { 100 } else { 0 }));
        assert_eq!((region.row(10)[0], region.row(10)[31] < 100), (100, true));
    }

    #[test]
    fn a_shrunken_mask_keeps_nothing_that_changes() {
        let one = mask(Size { width: 1000, height: 500 }, |x, y| u8::from(x == 777 && y == 3) * 255);
        let small = shrunk(&one, Size { width: 256, height: 128 });
        let changed = small.bytes.iter().filter(|byte| **byte > 0).count();
        assert!((1..=4).contains(&changed), "as many as have a part in the pixel: {changed}");
        assert!(shrunk(&one, one.size).bytes == one.bytes);
    }
}

//! Subjects that the picture already shows a part of, and that the mask's part can be completed from.
//!
//! The model draws one thing in the middle of its canvas, and knows few shapes of it. Where what the mask keeps has
//! the shape of the thing asked for, holding it fast at every step completes the thing without a seam: the other
//! half of an apple, crying eyes on a grinning face. Where it has another, the model gives in to neither and smears
//! ("dog" above half a cat), or draws on as if nothing had been asked ("balloon" beside a cat). So the shape is
//! compared first, and whatever does not fit is drawn whole and laid into the mask instead: see [`super::edit`].

use medici_studio::engine::{Pixels, Size};

use super::Pocket;
use super::backdrop;
use super::basis::{CANVAS, SIDE};
use super::cutout::{Behind, SUBJECT_SIDE, places};
use super::names::ConceptId;
use super::prompt::{Style, Thing, Wish};
use super::reading::{self, Choices};
use super::resize::resized;
use super::surroundings::Surroundings;
use super::walk::Held;
use super::words::normal;

/// How far the kept alpha may be from a prototype's, as a mean square over both shapes. Of the same thing it is
/// at most 0.013, of things of another shape at least 0.04 and mostly 0.1 to 0.6.
const SHAPE_APART: f32 = 0.03;
/// How far the colours may be apart too where the mask covers little of the subject: a blue patch on an orange book
/// is no blue book.
const COLOUR_APART: f32 = 0.25;
const LITTLE: f32 = 0.35;
/// How much must be seen of the subject, in pixels of the canvas, to compare anything.
const SEEN_MIN: f32 = 200.0;
/// A subject that covers less than this of the mask adds nothing that one would see.
const ADDS: f32 = 0.1;

/// A square of a picture's copy, in its pixels; it may reach beyond the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) side: f32,
}

/// What is kept of a picture, the way the model would draw it.
pub(super) struct View {
    pub(super) frame: Frame,
    pub(super) mirrored: bool,
    pub(super) held: Held,
}

/// A subject of a wish that a view can be completed to.
#[derive(Clone, Copy)]
pub(super) struct Completion<'a> {
    pub(super) view: &'a View,
    /// Which of the wish's subjects it is.
    pub(super) subject: usize,
    pub(super) name: ConceptId,
    pub(super) style: Style,
    /// Whether it puts something into the mask that one would see.
    pub(super) adds: bool,
}

/// Returns the ways to look at what a mask keeps: the whole picture, or the subject's square, each also mirrored.
pub(super) fn views(around: &Surroundings) -> Vec<View> {
    if around.cutout.behind == Behind::Mixed {
        return Vec::new();
    }
    let Size { width, height } = around.copy.size;
    let long = width.max(height);
    let found = around.cutout.extent();
    let subject = found.size.width.max(found.size.height);
    // As much room around the subject as the model leaves.
    let side = subject + (subject * (u32::try_from(SIDE).expect("it is small") - SUBJECT_SIDE)) / SUBJECT_SIDE;
    let middle = [2 * found.left + found.size.width, 2 * found.top + found.size.height];
    let squares = [([width, height], long), (middle, side.max(1))];
    let frames = squares.map(|(twice, side)| {
        // Whole pixels of the copy, so that nothing is resampled twice.
        let from = |twice: u32| (i64::from(twice) - i64::from(side)).div_euclid(2);
        (from(twice[0]), from(twice[1]), side)
    });
    frames.into_iter().flat_map(|frame| [false, true].map(|mirrored| view(around, frame, mirrored))).collect()
}

fn view(around: &Surroundings, (left, top, side): (i64, i64, u32), mirrored: bool) -> View {
    let inside = |x: u32, y: u32| {
        let at = |from: i64, at: u32, end: u32| u32::try_from(from + i64::from(at)).ok().filter(|at| *at < end);
        Some((at(left, x, around.copy.size.width)?, at(top, y, around.copy.size.height)?))
    };
    let square = Size::square(side);
    let mut bytes = Vec::new();
    for (x, y) in places(square) {
        match inside(x, y).filter(|(x, y)| around.keeps(*x, *y)) {
            Some((x, y)) => {
                bytes.extend(&around.cutout.pixels.bytes[backdrop::offset(&around.cutout.pixels, x, y)..][..4])
            }
            None => bytes.extend([0; 4]),
        }
    }
    let small =
        resized(&Pixels { size: square, alpha: true, bytes }, Size::square(u32::try_from(SIDE).expect("small")));
    let mut canvas = Vec::with_capacity(CANVAS);
    for pixel in small.bytes.chunks(4) {
        let alpha = f32::from(pixel[3]) / 255.0;
        canvas.extend((0..3).map(|c| f32::from(pixel[c]) / 255.0 * alpha));
        canvas.push(alpha);
    }
    let mut shares = vec![1.0; SIDE * SIDE];
    for (x, y) in places(square).filter(|(x, y)| inside(*x, *y).is_some_and(|(x, y)| !around.keeps(x, y))) {
        // Every pixel of the canvas that a changed pixel has a part in is free.
        let cells = |at: u32| {
            let full = u64::try_from(SIDE).expect("it is small");
            let (first, last) =
                (u64::from(at) * full / u64::from(side), (u64::from(at + 1) * full).div_ceil(u64::from(side)));
            [first, last].map(|v| usize::try_from(v).expect("it is small"))
        };
        let ([x0, x1], [y0, y1]) = (cells(x), cells(y));
        (y0..y1).for_each(|y| shares[y * SIDE + x0..y * SIDE + x1].fill(0.0));
    }
    if mirrored {
        for (row, shares) in canvas.chunks_mut(SIDE * 4).zip(shares.chunks_mut(SIDE)) {
            shares.reverse();
            row.reverse();
            row.chunks_mut(4).for_each(<[f32]>::reverse);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a copy is small")]
    let frame = Frame { left: left as f32, top: top as f32, side: side as f32 };
    View { frame, mirrored, held: Held { canvas, shares } }
}

impl Pocket {
    /// Returns the subject of a wish that a view can best be completed to, if there is one.
    pub(super) fn completion<'a>(&self, wish: &Wish, views: &'a [View]) -> Option<Completion<'a>> {
        let mut best: Option<(f32, Completion<'a>)> = None;
        if views.is_empty() {
            return None;
        }
        for (subject, wanted) in wish.subjects.iter().enumerate() {
            let Thing::Known(senses) = &wanted.thing else { continue };
            // What is worn made a face of its wearer; the picture may show it whole.
            let whole = senses.iter().filter_map(|name| {
                self.names.labelled(normal(&self.names.concept(*name).label).strip_suffix(" face")?)
            });
            let names: Vec<ConceptId> = senses.iter().copied().chain(whole).collect();
            let looks = [Style::Solid, Style::Flat];
            let kinds: Vec<(ConceptId, Style)> =
                names.iter().flat_map(|name| looks.map(|style| (*name, style))).collect();
            let captions: Vec<String> = kinds
                .iter()
                .map(|(name, style)| reading::caption(wanted, Some(*name), &self.names, Choices::of(0).word(*style, 0)))
                .collect();
            let latents = self.predicted(&captions.iter().map(String::as_str).collect::<Vec<_>>());
            let prototypes = self.basis.decode(&latents.iter().map(Vec::as_slice).collect::<Vec<_>>());
            for (view, ((name, style), prototype)) in
                views.iter().flat_map(|view| kinds.iter().zip(&prototypes).map(move |kind| (view, kind)))
            {
                let match_ = compared(&view.held, prototype);
                let fits = match_.seen >= SEEN_MIN
                    && match_.shape <= SHAPE_APART
                    && (match_.colour <= COLOUR_APART || match_.covered >= LITTLE);
                if fits && best.as_ref().is_none_or(|(apart, _)| match_.colour < *apart) {
                    let adds = match_.adds >= ADDS;
                    best = Some((match_.colour, Completion { view, subject, name: *name, style: *style, adds }));
                }
            }
        }
        best.map(|(_, completion)| completion)
    }
}

/// How what is kept of a picture compares to a prototype.
struct Comparison {
    /// Pixels that either of them covers.
    seen: f32,
    /// Mean square distance over those, of alpha and of all four channels.
    shape: f32,
    colour: f32,
    /// The share of the prototype that the mask covers, and of the mask that the prototype does.
    covered: f32,
    adds: f32,
}

fn compared(held: &Held, prototype: &[f32]) -> Comparison {
    let (mut seen, mut shape, mut colour) = (0.0, 0.0, 0.0);
    let (mut all, mut inside, mut free) = (0.0, 0.0, 0.0);
    for ((kept, drawn), share) in held.canvas.chunks(4).zip(prototype.chunks(4)).zip(&held.shares) {
        let square = |c: usize| (kept[c] - drawn[c]) * (kept[c] - drawn[c]);
        seen += kept[3].max(drawn[3]) * share;
        shape += square(3) * share;
        colour += (0..4).map(square).sum::<f32>() * share;
        all += drawn[3];
        inside += drawn[3] * (1.0 - share);
        free += 1.0 - share;
    }
    let seen_some = seen.max(1.0);
    Comparison {
        seen,
        shape: shape / seen_some,
        colour: colour / seen_some,
        covered: inside / f32::max(all, 1.0),
        adds: inside / f32::max(free, 1.0),
    }
}

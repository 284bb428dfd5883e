//! Edits: a picture changed inside a mask.
//!
//! The model draws one thing on a canvas of its own; it does not paint into photographs. So an edit draws the things
//! that the prompt names as they are, and lays each whole, as large as fits, into the mask, over what
//! [`super::surroundings`] puts there. Only where the picture already shows a part of what is asked for is it
//! completed by holding that part fast at every step ([`super::completion`]); in all other cases that was tried
//! too, and it smeared. What the mask keeps is copied from the source, bit for bit.

use medici_studio::engine::{Background, Control, EngineError, Mask, Picture, Pixels, Size, Spec};

use super::backdrop;
use super::completion::{Completion, Frame, views};
use super::fit::Room;
use super::generate::said;
use super::noise::{Chance, Stream};
use super::paint::{self, PREVIEW_SIDE};
use super::prompt::Wish;
use super::reading::{self, Choices, Reading};
use super::region::Region;
use super::resize::resized;
use super::scene::Arrangement;
use super::surroundings::{Fill, Surroundings, faded, over};
use super::walk::{Held, Look, Start};
use super::{LATENT, Pocket};

/// A subject may be this much smaller to stand beside a completed one rather than before it.
const ASIDE: f32 = 0.4;

/// One picture of an edit.
struct Sketch<'a> {
    completion: Option<Completion<'a>>,
    /// Of the completed subject: its caption and colour.
    completed: Option<Reading>,
    /// The things that are laid into the mask, and where.
    laid: Option<(Reading, Frame)>,
    background: Background,
    /// The colour that the words want behind.
    colour: Option<[u8; 3]>,
    said: Option<String>,
}

impl Sketch<'_> {
    /// Returns the readings it is drawn from, in the order of its layers.
    fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.completed.iter().chain(self.laid.iter().map(|(reading, _)| reading))
    }

    /// Returns what each of its layers is drawn from, and what it must show.
    fn layers(&self) -> impl Iterator<Item = (&String, Option<&Held>)> {
        let held = self.completion.map(|completion| &completion.view.held);
        let completed = self.completed.iter().flat_map(|reading| &reading.captions).map(move |caption| (caption, held));
        let laid = self.laid.iter().flat_map(|(reading, _)| &reading.captions).map(|caption| (caption, None));
        completed.chain(laid)
    }
}

impl Pocket {
    pub(super) fn edit(
        &self,
        spec: &Spec,
        source: &Pixels,
        mask: &Mask,
        control: &dyn Control,
    ) -> Result<Vec<Picture>, EngineError> {
        if mask.bytes.iter().all(|byte| *byte == 255) {
            return self.generate(spec, control);
        }
        let around = Surroundings::of(source, mask);
        let views = views(&around);
        let wishes = self.wishes(spec);
        let mut sketches: Vec<Sketch<'_>> = Vec::with_capacity(wishes.len());
        let mut before: Option<(&Wish, Option<Completion<'_>>)> = None;
        for (index, wish) in (0..).zip(&wishes) {
            let completion = match before.take() {
                Some((same, completion)) if same == wish => completion,
                _ => self.completion(wish, &views),
            };
            sketches.push(self.sketched(spec, &around, wish, completion, index));
            before = Some((wish, completion));
        }
        let readings: Vec<&Reading> = sketches.iter().flat_map(Sketch::readings).collect();
        let conditions = self.conditions(readings.iter().flat_map(|reading| &reading.captions));
        let mut starts = Vec::new();
        for (picture, sketch) in (0..).zip(&sketches) {
            for (layer, (caption, held)) in (0..).zip(sketch.layers()) {
                let z = Chance::new(spec.seed, Stream::Noise { picture, layer }).normal(LATENT);
                starts.push(Start { z, from: 0.0, condition: &conditions[caption], held });
            }
        }
        let small = Target { source: &around.copy, region: Region::of(&around.mask) };
        let latents = self.walk(spec, &starts, control, |look, clean| {
            let pictures = self.composed(&sketches, &readings, clean, &around, &small, Some(look));
            for (index, pixels) in (0..).zip(pictures) {
                control.preview(index, resized(&pixels, preview_size(pixels.size)));
            }
        })?;
        let full = Target { source, region: Region::of(mask) };
        let latents: Vec<&[f32]> = latents.iter().map(Vec::as_slice).collect();
        let pixels = self.composed(&sketches, &readings, &latents, &around, &full, None);
        let pictures = (0..).zip(pixels).zip(&sketches).map(|((index, pixels), sketch)| Picture {
            index,
            pixels,
            latent: Vec::new(),
            reading: said(spec, index, sketch.said.clone()),
        });
        Ok(pictures.collect())
    }

    /// Decides what picture `index` completes, and what it lays into the mask.
    fn sketched<'a>(
        &self,
        spec: &Spec,
        around: &Surroundings,
        wish: &Wish,
        completion: Option<Completion<'a>>,
        index: u32,
    ) -> Sketch<'a> {
        let at = usize::try_from(index).expect("32 bits fit a usize");
        let mut rest = wish.clone();
        if let Some(completion) = completion
            && (completion.adds || rest.subjects.len() > 1)
        {
            rest.subjects.remove(completion.subject);
            rest.arrangement = if rest.subjects.len() < 2 { Arrangement::Rows } else { rest.arrangement };
        }
        let completed = completion.map(|completion| {
            let subject = &wish.subjects[completion.subject];
            let style = wish.style.unwrap_or(completion.style);
            let word = Choices::of(spec.seed).word(style, at);
            Reading {
                captions: vec![reading::caption(subject, Some(completion.name), &self.names, word)],
                colours: vec![reading::wanted_colour(subject, Some(completion.name), &self.names)],
                arrangement: Arrangement::Rows,
                backdrop: [255; 3],
                mirrored: completion.view.mirrored,
                transparent: true,
                said: None,
            }
        });
        let laid = (!rest.subjects.is_empty()).then(|| {
            let reading = reading::take(&rest, &self.names, spec.seed, index, true);
            let taken = completion
                .zip(completed.as_ref())
                .map(|(completion, completed)| (self.expected(completed), completion.view.frame));
            let frame = room_for(&self.expected(&reading), around, taken.as_ref());
            (reading, frame)
        });
        let background = match spec.background {
            Background::Auto if wish.transparent => Background::Transparent,
            asked => asked,
        };
        Sketch {
            completion,
            completed,
            said: laid.as_ref().and_then(|(reading, _)| reading.said.clone()),
            laid,
            background,
            colour: wish.backdrop.as_ref().map(|colour| colour.rgb),
        }
    }

    /// Returns about what a reading will look like, small. Room is made for it before the first step, so that
    /// nothing jumps from one preview to the next.
    fn expected(&self, reading: &Reading) -> Pixels {
        let captions: Vec<&str> = reading.captions.iter().map(String::as_str).collect();
        let latents = self.predicted(&captions);
        let scenes = self.scenes(&[reading], &latents.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let canvases = paint::decoded(&self.basis, &scenes);
        paint::sketch(&scenes[0], &canvases[0]).pixels(None, Size::square(64))
    }

    /// Puts the pictures together from one latent a layer.
    fn composed(
        &self,
        sketches: &[Sketch<'_>],
        readings: &[&Reading],
        latents: &[&[f32]],
        around: &Surroundings,
        target: &Target<'_>,
        look: Option<Look>,
    ) -> Vec<Pixels> {
        let sheets = self.sheets(&self.scenes(readings, latents), look);
        let side = look.and_then(Look::side).unwrap_or(256);
        let mut sheets = sheets.iter().map(|sheet| sheet.pixels(None, Size::square(side)));
        let mut pictures = Vec::with_capacity(sketches.len());
        for sketch in sketches {
            let mut layers = Vec::new();
            if let Some(completion) = sketch.completion {
                layers.push((sheets.next().expect("every reading has a sheet"), completion.view.frame));
            }
            if let Some((_, frame)) = sketch.laid {
                layers.push((sheets.next().expect("every reading has a sheet"), frame));
            }
            pictures.push(target.changed(around, sketch, &layers));
        }
        pictures
    }
}

/// Returns where a sheet goes: as large as fits in the mask, beside what is there already if that costs little.
fn room_for(sheet: &Pixels, around: &Surroundings, completed: Option<&(Pixels, Frame)>) -> Frame {
    let region = Region::of(&around.mask);
    let is_taken = |x: u32, y: u32| around.grazed(x, y) > 0.3 || completed.is_some_and(|layer| shows(layer, x, y));
    let Size { width, height } = around.copy.size;
    // A pixel from the edge, which the feather takes.
    let is_free = |x: u32, y: u32| {
        let inside = x > 0 && y > 0 && x + 1 < width && y + 1 < height;
        inside && [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)].iter().all(|(x, y)| !around.keeps(*x, *y))
    };
    let all = Room::of(region.extent, is_free);
    let aside = Room::of(region.extent, |x, y| is_free(x, y) && !is_taken(x, y)).fit(sheet);
    let before = all.fit(sheet);
    match (aside, before) {
        (Some(aside), Some(before)) if aside.long >= ASIDE * before.long => aside.frame,
        (_, Some(before)) => before.frame,
        (_, None) => all.filled(sheet).frame,
    }
}

/// Returns whether a layer covers a pixel of the copy.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie inside the sheet"
)]
fn shows((sheet, frame): &(Pixels, Frame), x: u32, y: u32) -> bool {
    let side = sheet.size.width as f32;
    let along = |at: u32, from: f32| (at as f32 + 0.5 - from) / frame.side * side;
    let (x, y) = (along(x, frame.left), along(y, frame.top));
    let inside = |v: f32| v >= 0.0 && v < side;
    inside(x) && inside(y) && backdrop::alpha(sheet, x as u32, y as u32) > 0.3
}

fn preview_size(size: Size) -> Size {
    let long = size.width.max(size.height);
    let fit = |side: u32| (side * PREVIEW_SIDE / long).max(1);
    Size { width: fit(size.width), height: fit(size.height) }
}

/// The picture that is changed, at full size or as its copy.
struct Target<'a> {
    source: &'a Pixels,
    region: Region,
}

impl Target<'_> {
    /// Returns the picture with layers laid into the mask.
    fn changed(&self, around: &Surroundings, sketch: &Sketch<'_>, layers: &[(Pixels, Frame)]) -> Pixels {
        let completed = sketch.completion.is_some();
        let fill = around.fill(completed).on(sketch.background, sketch.colour);
        let alpha = self.source.alpha || sketch.background == Background::Transparent;
        let mut pixels = with_alpha(self.source, alpha);
        let layers: Vec<Laid> =
            layers.iter().map(|(sheet, frame)| Laid::new(sheet, *frame, around.copy.size, self.source.size)).collect();
        let box_ = self.region.extent;
        for y in 0..box_.size.height {
            for (x, share) in (0..).zip(self.region.row(y)).filter(|(_, share)| **share > 0) {
                let (x, y) = (box_.left + x, box_.top + y);
                let mut new = self.under(around, &fill, completed, x, y);
                for layer in &layers {
                    new = over(layer.at(x, y), new);
                }
                mix(&mut pixels, x, y, new, f32::from(*share) / 255.0);
            }
        }
        pixels
    }

    fn under(&self, around: &Surroundings, fill: &Fill, completed: bool, x: u32, y: u32) -> [f32; 4] {
        let [r, g, b, alpha] = around.filled(fill, completed, self.source, x, y);
        if backdrop::alpha(self.source, x, y) >= 1.0 {
            return [r, g, b, alpha];
        }
        // Where there is no old colour to mix with, the one beside it goes on, or the edge of a hole would show.
        let beside = self.region.beside(self.source.size, x, y);
        let Some(((x, y), stays)) = beside.filter(|((x, y), _)| backdrop::alpha(self.source, *x, *y) > 0.0) else {
            return [r, g, b, alpha];
        };
        let stays = stays * backdrop::alpha(self.source, x, y);
        let old = backdrop::colour(self.source, x, y);
        let mixed = |new: f32, c: usize| new + (old[c] - new) * stays;
        [mixed(r, 0), mixed(g, 1), mixed(b, 2), alpha]
    }
}

/// The longest edge at which a sheet is kept. What is larger in the picture is mostly outside of it, and looked up at
/// this size: a subject that is expected tiny may have a sheet of a hundred times its mask.
const SHEET_SIDE_MAX: u32 = 4096;

/// A sheet at the size it has in the picture.
struct Laid {
    pixels: Pixels,
    /// Its edge in pixels of the picture.
    side: u32,
    left: i64,
    top: i64,
}

impl Laid {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sheet is a few times as large as the picture at most"
    )]
    fn new(sheet: &Pixels, frame: Frame, copy: Size, size: Size) -> Self {
        let scale = size.width.max(size.height) as f32 / copy.width.max(copy.height) as f32;
        let side = ((frame.side * scale).round() as u32).max(1);
        Self {
            pixels: resized(sheet, Size::square(side.min(SHEET_SIDE_MAX))),
            side,
            left: (frame.left * scale).round() as i64,
            top: (frame.top * scale).round() as i64,
        }
    }

    /// Returns the sheet's pixel at a place of the picture; nothing beyond its edges.
    fn at(&self, x: u32, y: u32) -> [f32; 4] {
        let kept = u64::from(self.pixels.size.width);
        let inside = |at: u32, from: i64| {
            let at = u32::try_from(i64::from(at) - from).ok().filter(|at| *at < self.side)?;
            u32::try_from(u64::from(at) * kept / u64::from(self.side)).ok()
        };
        let (Some(x), Some(y)) = (inside(x, self.left), inside(y, self.top)) else { return [0.0; 4] };
        let [r, g, b] = backdrop::colour(&self.pixels, x, y);
        [r, g, b, backdrop::alpha(&self.pixels, x, y)]
    }
}

/// Returns a copy of a picture, with an alpha channel if it has or needs one.
fn with_alpha(source: &Pixels, alpha: bool) -> Pixels {
    if source.alpha || !alpha {
        return source.clone();
    }
    let bytes = source.bytes.chunks(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    Pixels { size: source.size, alpha: true, bytes }
}

/// Mixes a new colour into a pixel: `share` of the new one, and all of it where there is nothing old.
fn mix(pixels: &mut Pixels, x: u32, y: u32, new: [f32; 4], share: f32) {
    let [r, g, b] = backdrop::colour(pixels, x, y);
    let out = faded([r, g, b, backdrop::alpha(pixels, x, y)], new, 1.0 - share);
    let at = backdrop::offset(pixels, x, y);
    let channels = if pixels.alpha { 4 } else { 3 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
    for (to, v) in pixels.bytes[at..at + channels].iter_mut().zip(out) {
        *to = (v * 255.0).round().clamp(0.0, 255.0) as u8;
    }
}

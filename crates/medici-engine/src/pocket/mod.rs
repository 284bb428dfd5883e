//! The pocket model: a small image model inside the binary. It draws stickers and icons of everyday things.
//!
//! A prompt is read ([`prompt`]) and each picture takes its own reading of it ([`reading`]); the prior turns
//! captions and noise into latents, the basis turns those into 64×64 RGBA, the upscaler enlarges them, and
//! [`paint`] arranges them on the backdrop.
//!
//! Invariant: a picture depends on the prompt, the steps, the seed and its index alone. Noise comes from a stream
//! of its own, and matrix products have fixed shapes whatever the count.

mod basis;
mod colour;
mod estimate;
mod matmul;
mod names;
mod noise;
mod paint;
mod prior;
mod prompt;
mod reading;
pub(crate) mod resize;
mod scene;
mod understanding;
mod upscale;
mod weights;
mod words;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors_tests;

use std::collections::HashMap;

use medici_studio::engine::{
    Background, Capabilities, Control, Drawing, EditSizes, Engine, EngineError, Estimate, Given, Picture, Pixels, Size,
    Spec, Step, Understanding,
};

use basis::{Basis, SIDE};
use estimate::Pace;
use names::Names;
use noise::{Chance, Stream};
use paint::PREVIEW_SIDE;
use prior::{BATCH, Prior, Walk};
use reading::Reading;
use resize::resized;
pub use scene::LatentError;
use scene::{Arrangement, Scene};
use upscale::Upscaler;
pub use weights::LoadError;
use weights::Weights;

/// Numbers of a latent: 768 principal components, then a background colour.
const LATENT: usize = 771;
/// Where in a latent its background colour begins.
const BACKGROUND: usize = 768;

const SIDES: [u32; 3] = [256, 512, 1024];
const EDIT_SIDES: std::ops::RangeInclusive<u32> = 16..=4096;
const EDIT_ASPECT_MAX: u32 = 4;
const COUNT_MAX: u32 = 10;
const STEPS: std::ops::RangeInclusive<u32> = 4..=50;
const STEPS_DEFAULT: u32 = 12;
const GUIDANCE: f32 = 2.0;
/// Of 480 pictures of 20 names, 469 were of the right thing with this and 459 without.
const EARLY_GUIDANCE: f32 = 4.0;
const PROMPT_CHARS_MAX: usize = 1_000;
/// Threads of one run. Pictures do not depend on it; more than a few only take cores from the server.
const THREADS_MAX: usize = 4;

static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pocket/pocket.safetensors"));
static TOKENIZER: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pocket/tokenizer.json"));
static NAMES: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pocket/names.json"));

/// The pocket model, loaded. Share one: a run keeps nothing in it but how long it took.
pub struct Pocket {
    names: Names,
    prior: Prior,
    basis: Basis,
    upscaler: Upscaler,
    /// The condition of the empty prompt, which guidance leads away from.
    null: Vec<f32>,
    pace: Pace,
}

/// Latents that are denoised together.
struct Batch<'a> {
    z: Vec<f32>,
    clean: Vec<f32>,
    conditions: [&'a [f32]; BATCH],
}

impl Pocket {
    /// Loads the model from the bytes inside the binary; needs no file and no network.
    ///
    /// # Errors
    /// If the embedded files do not belong together, which a test of this crate would have shown.
    pub fn load() -> Result<Self, LoadError> {
        // The tokenizer and the weights take about as long as each other.
        let (names, weights) = std::thread::scope(|scope| {
            let names = scope.spawn(|| Names::new(NAMES, TOKENIZER));
            let weights = Weights::new(MODEL)
                .and_then(|weights| Ok((Prior::new(&weights)?, Basis::new(&weights)?, Upscaler::new(&weights)?)));
            (names.join().expect("reading names does not panic"), weights)
        });
        let (names, (prior, basis, upscaler)) = (names?, weights?);
        let null = prior.condition(&[]);
        Ok(Self { names, prior, basis, upscaler, null, pace: Pace::default() })
    }

    /// Draws a stored latent again: the same picture, bit for bit on one build and processor.
    ///
    /// # Errors
    /// If the bytes are not a latent of this model.
    ///
    /// # Panics
    /// If `size` is none of the engine's sizes.
    pub fn redraw(&self, latent: &[u8], size: Size, transparent: bool) -> Result<Pixels, LatentError> {
        assert!(self.capabilities().sizes.contains(&size), "the size is one of the engine's");
        let scene = Scene::from_bytes(latent)?;
        let drawn = self.draw(&[scene], size.width, transparent, false);
        Ok(drawn.into_iter().next().expect("one scene was drawn"))
    }

    /// Draws scenes at `side` pixels, on a few threads; as sketches without the upscaler where that will do.
    fn draw(&self, scenes: &[Scene], side: u32, transparent: bool, sketched: bool) -> Vec<Pixels> {
        let canvases = paint::decoded(&self.basis, scenes);
        let mut drawn: Vec<_> = scenes.iter().zip(&canvases).map(|(scene, own)| (scene, own, None)).collect();
        spread(&mut drawn, |(scene, canvases, pixels)| {
            let sheet =
                if sketched { paint::sketch(scene, canvases) } else { paint::paint(&self.upscaler, scene, canvases) };
            *pixels = Some(sheet.pixels((!transparent).then_some(scene.backdrop), side));
        });
        drawn.into_iter().map(|(_, _, pixels)| pixels.expect("every scene was drawn")).collect()
    }

    /// Reports one early look at every picture.
    fn preview(&self, look: Look, scenes: &[Scene], transparent: bool, control: &dyn Control) {
        let drawn = self.draw(scenes, look.side().unwrap_or(PREVIEW_SIDE), transparent, look.side().is_some());
        for (index, pixels) in (0..).zip(drawn) {
            control.preview(index, resized(pixels, PREVIEW_SIDE));
        }
    }

    fn check(&self, spec: &Spec) -> Result<(), EngineError> {
        let bad = |message: String| Err(EngineError::BadSpec(message));
        if spec.prompt.trim().is_empty() {
            return bad("the prompt is empty, expected at least one word".to_owned());
        }
        let chars = spec.prompt.chars().count();
        if chars > PROMPT_CHARS_MAX {
            return bad(format!("the prompt has {chars} characters, expected at most {PROMPT_CHARS_MAX}"));
        }
        if spec.count == 0 || spec.count > COUNT_MAX {
            return bad(format!("{} pictures asked for, expected 1 to {COUNT_MAX}", spec.count));
        }
        if !SIDES.iter().any(|side| spec.size == Size::square(*side)) {
            return bad(format!("the size is {}, expected 256x256, 512x512 or 1024x1024", spec.size));
        }
        match spec.steps {
            Some(steps) if !STEPS.contains(&steps) => {
                bad(format!("{steps} steps asked for, expected {} to {}", STEPS.start(), STEPS.end()))
            }
            _ => Ok(()),
        }
    }

    /// Puts latents into batches: every layer of every picture in order, so that a picture's place in its
    /// batch does not depend on how many follow.
    fn batches<'a>(
        &'a self,
        spec: &Spec,
        readings: &[Reading],
        conditions: &'a HashMap<String, Vec<f32>>,
    ) -> Vec<Batch<'a>> {
        let mut noise = Vec::new();
        let mut wanted: Vec<&[f32]> = Vec::new();
        for (picture, reading) in (0..spec.count).zip(readings) {
            for (layer, caption) in (0..).zip(&reading.captions) {
                noise.push(Chance::new(spec.seed, Stream::Noise { picture, layer }).normal(LATENT));
                wanted.push(&conditions[caption]);
            }
        }
        let batches = noise.chunks(BATCH).zip(wanted.chunks(BATCH));
        batches
            .map(|(noise, wanted)| {
                let mut z = noise.concat();
                z.resize(BATCH * LATENT, 0.0);
                let conditions = std::array::from_fn(|i| wanted.get(i).copied().unwrap_or(&self.null));
                Batch { clean: z.clone(), z, conditions }
            })
            .collect()
    }

    /// Builds the pictures' scenes from one latent a layer.
    fn scenes(&self, readings: &[Reading], arrangement: Arrangement, latents: &[&[f32]]) -> Vec<Scene> {
        let mut rest = latents;
        let mut scenes = Vec::with_capacity(readings.len());
        for reading in readings {
            let (own, after) = rest.split_at(reading.captions.len());
            rest = after;
            let layers = own.iter().zip(&reading.colours).map(|(z, colour)| {
                let tinted = colour.as_ref().and_then(|colour| colour.tint(&self.basis.decode(&[z])[0]));
                // The tint is part of the latent from here on, so the stored one shows it too.
                tinted.map_or_else(|| scene::rounded(z), |canvas| scene::rounded(&self.basis.encode(&canvas)))
            });
            scenes.push(Scene {
                layers: layers.collect(),
                arrangement,
                mirrored: reading.mirrored,
                backdrop: reading.backdrop,
            });
        }
        scenes
    }
}

impl Engine for Pocket {
    fn model(&self) -> &'static str {
        "pocket-1"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            operations: vec![Drawing::Generate],
            sizes: SIDES.map(Size::square).to_vec(),
            edits: EditSizes { sides: EDIT_SIDES, aspect_max: EDIT_ASPECT_MAX },
            edit_without_mask: false,
            batch_max: COUNT_MAX,
            steps: STEPS,
            steps_default: STEPS_DEFAULT,
            transparent: true,
            previews: true,
            prompt_chars_max: PROMPT_CHARS_MAX,
            licence: "MIT".to_owned(),
            commercial: true,
        }
    }

    fn estimate(&self, spec: &Spec) -> Estimate {
        let layers = prompt::read(&spec.prompt, &self.names, &self.prior).subjects.len();
        self.pace.estimate(spec, layers)
    }

    fn understanding(&self, prompt: &str) -> Understanding {
        understanding::of(&prompt::read(prompt, &self.names, &self.prior))
    }

    fn run(&self, spec: &Spec, given: &Given, control: &dyn Control) -> Result<Vec<Picture>, EngineError> {
        self.check(spec)?;
        if *given != Given::Words {
            return Err(EngineError::BadSpec("this engine draws from words alone".to_owned()));
        }
        let started = estimate::now();
        let wish = prompt::read(&spec.prompt, &self.names, &self.prior);
        let transparent = match spec.background {
            Background::Transparent => true,
            Background::Opaque => false,
            Background::Auto => wish.transparent,
        };
        let readings: Vec<Reading> =
            (0..spec.count).map(|i| reading::take(&wish, &self.names, spec.seed, i, transparent)).collect();
        let mut conditions = HashMap::new();
        for caption in readings.iter().flat_map(|reading| &reading.captions) {
            if !conditions.contains_key(caption) {
                conditions.insert(caption.clone(), self.prior.condition(&self.names.pieces(caption)));
            }
        }
        let mut batches = self.batches(spec, &readings, &conditions);
        let layers: usize = readings.iter().map(|reading| reading.captions.len()).sum();
        let steps = spec.steps.unwrap_or(STEPS_DEFAULT);
        let walk = Walk {
            steps: usize::try_from(steps).expect("steps are few"),
            guidance: GUIDANCE,
            early_guidance: EARLY_GUIDANCE,
            from: 0.0,
        };
        for at in 0..steps {
            if control.cancelled() {
                return Err(EngineError::Cancelled);
            }
            let number = usize::try_from(at).expect("steps are few");
            spread(&mut batches, |batch| {
                batch.clean = self.prior.step(&mut batch.z, &batch.conditions, &self.null, walk, number);
            });
            if let Some(look) = Look::after(at + 1, steps, spec.previews) {
                let clean: Vec<&[f32]> =
                    batches.iter().flat_map(|batch| batch.clean.chunks(LATENT)).take(layers).collect();
                self.preview(look, &self.scenes(&readings, wish.arrangement, &clean), transparent, control);
            }
            control.step(Step { of: steps, at: at + 1 });
        }
        if control.cancelled() {
            return Err(EngineError::Cancelled);
        }
        let latents: Vec<&[f32]> = batches.iter().flat_map(|batch| batch.z.chunks(LATENT)).take(layers).collect();
        let scenes = self.scenes(&readings, wish.arrangement, &latents);
        let drawn = self.draw(&scenes, spec.size.width, transparent, false);
        self.pace.note(spec, wish.subjects.len(), started.elapsed());
        let pictures = (0..).zip(drawn).zip(scenes.iter().zip(readings));
        Ok(pictures
            .map(|((index, pixels), (scene, reading))| Picture {
                index,
                pixels,
                latent: scene.to_bytes(),
                reading: reading.said,
            })
            .collect())
    }
}

/// An early look at the pictures: the `nth` of `of`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    nth: u32,
    of: u32,
}

impl Look {
    /// Returns the look that is due after step `done`: they are spread evenly before the last step, at most
    /// one a step.
    fn after(done: u32, steps: u32, previews: u32) -> Option<Self> {
        let of = previews.min(steps - 1);
        // Steps are at least as many as looks, so no two looks round to one step, nor to the first or last.
        (1..=of).find(|nth| (2 * nth * steps + of + 1) / (2 * (of + 1)) == done).map(|nth| Self { nth, of })
    }

    /// Returns how finely this look is drawn, in pixels of an edge; none is by the upscaler.
    ///
    /// Successive predictions of the clean latent may differ less than a sketch differs from a picture. What
    /// makes every look nearer to the picture than the one before is that each is drawn finer.
    fn side(self) -> Option<u32> {
        let full = u32::try_from(SIDE).expect("the canvas is small");
        (self.nth < self.of).then(|| full * (self.nth + 1) / (self.of + 1))
    }
}

/// Does the same to every item, on a few threads; a panic in one is the caller's.
fn spread<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(items.len());
    if threads < 2 {
        return items.iter_mut().for_each(work);
    }
    std::thread::scope(|scope| {
        let share = items.len().div_ceil(threads);
        let (first, rest) = items.split_at_mut(share);
        for share in rest.chunks_mut(share) {
            scope.spawn(|| share.iter_mut().for_each(&work));
        }
        first.iter_mut().for_each(&work);
    });
}

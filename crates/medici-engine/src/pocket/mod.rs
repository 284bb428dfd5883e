//! The pocket model: a small image model inside the binary. It draws stickers and icons of everyday things.
//!
//! A prompt is read ([`prompt`]) and each picture takes its own reading of it ([`reading`]); the prior turns
//! captions and noise into latents, the basis turns those into 64×64 RGBA, the upscaler enlarges them, and
//! [`paint`] arranges them on the backdrop. An edit ([`edit`]) lays them into a mask or completes what the picture
//! shows; a variation ([`vary`]) begins from the latents of a picture instead of from noise.
//!
//! Invariant: a picture depends on the prompt, the steps, the seed and its index alone. Noise comes from a stream
//! of its own, and matrix products have fixed shapes whatever the count. What an edit's mask keeps is the
//! source's, bit for bit.

mod backdrop;
mod basis;
mod colour;
mod completion;
mod cutout;
mod edit;
mod estimate;
mod fit;
mod generate;
mod matmul;
mod names;
mod nearest;
mod noise;
mod paint;
mod prior;
mod prompt;
mod reading;
mod region;
pub(crate) mod resize;
mod scene;
mod surroundings;
mod understanding;
mod upscale;
mod vary;
mod walk;
mod weights;
mod words;

#[cfg(test)]
mod edit_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vary_tests;
#[cfg(test)]
mod vectors_tests;

use std::sync::OnceLock;

use medici_studio::engine::{
    Capabilities, Control, Drawing, EditSizes, Engine, EngineError, Estimate, Given, Picture, Pixels, Size, Spec,
    Understanding,
};

use crate::check::check;
use basis::Basis;
use estimate::Pace;
use names::Names;
use nearest::Prototypes;
use prior::Prior;
pub use scene::LatentError;
use scene::Scene;
use upscale::Upscaler;
pub use weights::LoadError;
use weights::Weights;

/// Numbers of a latent: 768 principal components, then a background colour.
const LATENT: usize = 771;
/// Where in a latent its background colour begins.
const BACKGROUND: usize = 768;

const SIDES: [u32; 3] = [256, 512, 1024];
const EDITS: EditSizes = EditSizes { sides: 16..=4096, aspect_max: 4 };
const COUNT_MAX: u32 = 10;
const STEPS: std::ops::RangeInclusive<u32> = 4..=50;
const STEPS_DEFAULT: u32 = 12;
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
    /// Made when a variation first asks what a picture shows.
    prototypes: OnceLock<Prototypes>,
    pace: Pace,
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
        Ok(Self { names, prior, basis, upscaler, null, prototypes: OnceLock::new(), pace: Pace::default() })
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
        let backdrop = (!transparent).then_some(scene.backdrop);
        let sheets = self.sheets(&[scene], None);
        Ok(sheets.first().expect("one scene was painted").pixels(backdrop, size))
    }

    /// Returns how many layers a picture of a spec has at most.
    fn layers(&self, spec: &Spec) -> usize {
        self.wishes(spec).iter().map(|wish| wish.subjects.len()).max().unwrap_or(1)
    }
}

impl Engine for Pocket {
    fn model(&self) -> &'static str {
        "pocket-1"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            operations: vec![Drawing::Generate, Drawing::Edit, Drawing::Vary],
            sizes: SIDES.map(Size::square).to_vec(),
            edits: EDITS,
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
        self.pace.estimate(spec, self.layers(spec))
    }

    fn understanding(&self, prompt: &str) -> Understanding {
        understanding::of(&prompt::read(prompt, &self.names, &self.prior))
    }

    fn run(&self, spec: &Spec, given: &Given, control: &dyn Control) -> Result<Vec<Picture>, EngineError> {
        check(spec, given, &self.capabilities())?;
        let started = estimate::now();
        let pictures = match given {
            Given::Words => self.generate(spec, control)?,
            Given::Edit { source, mask } => self.edit(spec, source, mask, control)?,
            Given::Vary { source, latent } => self.vary(spec, source, latent.as_deref(), control)?,
        };
        // Finding out what an upload shows is no part of drawing it, and takes long only once.
        if !matches!(given, Given::Vary { latent: None, .. }) {
            self.pace.note(spec, self.layers(spec), started.elapsed());
        }
        Ok(pictures)
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

//! From noise to latents: batches of one shape, step by step, with early looks on the way.

use medici_studio::engine::{Control, EngineError, Spec, Step};

use super::basis::{Basis, SIDE};
use super::prior::{BATCH, Walk};
use super::{LATENT, Pocket, STEPS_DEFAULT, spread};

const GUIDANCE: f32 = 2.0;
/// Of 480 pictures of 20 names, 469 were of the right thing with this and 459 without.
const EARLY_GUIDANCE: f32 = 4.0;

/// What one latent starts from, and where it goes.
pub(super) struct Start<'a> {
    pub(super) z: Vec<f32>,
    /// How far on the way that is: 0 is noise, 1 the picture.
    pub(super) from: f32,
    /// The words it goes to; [`super::prior::Prior::condition`].
    pub(super) condition: &'a [f32],
    /// What it must show.
    pub(super) held: Option<&'a Held>,
}

impl<'a> Start<'a> {
    /// Starts near a latent: `kept` of it, from 0 to 1, and noise for the rest.
    pub(super) fn near(like: &[f32], kept: f32, noise: &[f32], condition: &'a [f32]) -> Self {
        let z = like.iter().zip(noise).map(|(like, noise)| kept * like + (1.0 - kept) * noise).collect();
        Self { z, from: kept, condition, held: None }
    }
}

/// Pixels that a latent must show.
pub(super) struct Held {
    /// Premultiplied RGBA, as the basis decodes it.
    pub(super) canvas: Vec<f32>,
    /// How much of each pixel is held, from 0 (free) to 1.
    pub(super) shares: Vec<f32>,
}

/// Latents that are denoised together.
struct Batch<'a> {
    z: Vec<f32>,
    clean: Vec<f32>,
    from: [f32; BATCH],
    conditions: [&'a [f32]; BATCH],
    held: [Option<&'a Held>; BATCH],
}

impl Pocket {
    /// Walks every start to its picture's latent, and shows the predictions of some steps on the way.
    ///
    /// A start's place in its batch does not depend on how many follow, nor does its latent.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] within a step of `control` asking for it.
    pub(super) fn walk(
        &self,
        spec: &Spec,
        starts: &[Start<'_>],
        control: &dyn Control,
        mut look: impl FnMut(Look, &[&[f32]]),
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut batches: Vec<Batch<'_>> = starts.chunks(BATCH).map(|starts| self.batch(starts)).collect();
        let steps = spec.steps.unwrap_or(STEPS_DEFAULT);
        let walk = Walk {
            steps: usize::try_from(steps).expect("steps are few"),
            guidance: GUIDANCE,
            early_guidance: EARLY_GUIDANCE,
        };
        for at in 0..steps {
            if control.cancelled() {
                return Err(EngineError::Cancelled);
            }
            let number = usize::try_from(at).expect("steps are few");
            spread(&mut batches, |batch| {
                let clean = self.prior.predict(&batch.z, batch.from, &batch.conditions, &self.null, walk, number);
                batch.clean = hold(&self.basis, clean, batch.held);
                walk.advance(&mut batch.z, &batch.clean, batch.from, number);
            });
            if let Some(due) = Look::after(at + 1, steps, spec.previews) {
                let clean: Vec<&[f32]> =
                    batches.iter().flat_map(|batch| batch.clean.chunks(LATENT)).take(starts.len()).collect();
                look(due, &clean);
            }
            control.step(Step { of: steps, at: at + 1 });
        }
        if control.cancelled() {
            return Err(EngineError::Cancelled);
        }
        Ok(batches.iter().flat_map(|batch| batch.z.chunks(LATENT)).take(starts.len()).map(<[f32]>::to_vec).collect())
    }

    fn batch<'a>(&'a self, starts: &[Start<'a>]) -> Batch<'a> {
        let mut z: Vec<f32> = starts.iter().flat_map(|start| start.z.iter().copied()).collect();
        z.resize(BATCH * LATENT, 0.0);
        Batch {
            clean: z.clone(),
            z,
            from: std::array::from_fn(|i| starts.get(i).map_or(0.0, |start| start.from)),
            conditions: std::array::from_fn(|i| starts.get(i).map_or(&*self.null, |start| start.condition)),
            held: std::array::from_fn(|i| starts.get(i).and_then(|start| start.held)),
        }
    }
}

/// Returns the latents of a batch as they are once the held pixels are put into what they decode to.
fn hold(basis: &Basis, mut clean: Vec<f32>, held: [Option<&Held>; BATCH]) -> Vec<f32> {
    if held.iter().all(Option::is_none) {
        return clean;
    }
    let mut canvases = basis.decode_linearly(&clean.chunks(LATENT).collect::<Vec<_>>());
    for (canvas, held) in canvases.iter_mut().zip(held) {
        let Some(held) = held else { continue };
        assert_eq!(held.shares.len(), SIDE * SIDE, "a share a pixel");
        for ((pixel, kept), share) in canvas.chunks_mut(4).zip(held.canvas.chunks(4)).zip(&held.shares) {
            pixel.iter_mut().zip(kept).for_each(|(to, kept)| *to += (kept - *to) * share);
        }
    }
    let encoded = basis.encode(&canvases.iter().map(Vec::as_slice).collect::<Vec<_>>());
    for ((clean, encoded), held) in clean.chunks_mut(LATENT).zip(encoded).zip(held) {
        if held.is_some() {
            clean[..super::BACKGROUND].copy_from_slice(&encoded[..super::BACKGROUND]);
        }
    }
    clean
}

/// An early look at the pictures: the `nth` of `of`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    nth: u32,
    of: u32,
}

impl Look {
    /// Returns the look that is due after step `done`: they are spread evenly before the last step, at most
    /// one a step.
    pub(super) fn after(done: u32, steps: u32, previews: u32) -> Option<Self> {
        let of = previews.min(steps - 1);
        // Steps are at least as many as looks, so no two looks round to one step, nor to the first or last.
        (1..=of).find(|nth| (2 * nth * steps + of + 1) / (2 * (of + 1)) == done).map(|nth| Self { nth, of })
    }

    /// Returns how finely this look is drawn, in pixels of an edge; none is by the upscaler.
    ///
    /// Successive predictions of the clean latent may differ less than a sketch differs from a picture. What
    /// makes every look nearer to the picture than the one before is that each is drawn finer.
    pub(super) fn side(self) -> Option<u32> {
        let full = u32::try_from(SIDE).expect("the canvas is small");
        (self.nth < self.of).then(|| full * (self.nth + 1) / (self.of + 1))
    }
}

//! How long a spec takes: a rule of thumb, corrected by what past runs took.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use medici_studio::engine::{Estimate, Spec};

use super::prior::BATCH;
use super::{SIDES, STEPS_DEFAULT};

/// Milliseconds of one step of a batch, of enlarging a layer and of finishing a megapixel, on one slow core.
const STEP_MS: f64 = 10.0;
const LAYER_MS: f64 = 35.0;
const MEGAPIXEL_MS: f64 = 30.0;
/// How much one run counts against all before it.
const NEWEST: f64 = 0.25;

/// What past runs took against the rule of thumb, a factor a size.
#[derive(Default)]
pub(super) struct Pace(Mutex<[Option<f64>; SIDES.len()]>);

impl Pace {
    pub(super) fn estimate(&self, spec: &Spec, layers: usize) -> Estimate {
        let factors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A size that was never drawn goes by one that was.
        let factor = factors[place(spec)].or(factors.iter().flatten().next().copied()).unwrap_or(1.0);
        let pixels = u64::from(spec.size.width) * u64::from(spec.size.height);
        let sheets = u64::try_from(layers).expect("layers are few") + 1;
        // A layer is 256×256×4 floats and the unrolled neighbourhoods of a strip; pixels are kept twice.
        let picture = sheets * 256 * 256 * 16 + pixels * 8;
        // An edit enlarges its layers one picture after the other, and keeps the feather of its mask.
        let shared = 16_000_000 + pixels * 8;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and far below 2^53")]
        let render_ms = (thumb_ms(spec, layers) * factor).ceil() as u64;
        Estimate { render_ms, memory_bytes: shared + u64::from(spec.count) * picture }
    }

    /// Takes note of what a run took.
    pub(super) fn note(&self, spec: &Spec, layers: usize, took: Duration) {
        let seen = took.as_secs_f64() * 1_000.0 / thumb_ms(spec, layers);
        let at = place(spec);
        let mut factors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        factors[at] = Some(factors[at].map_or(seen, |before| before + NEWEST * (seen - before)));
    }
}

/// Returns the time, from which a run's length is told. Only an estimate depends on it, never a picture.
#[expect(clippy::disallowed_methods, reason = "it measures this machine; nothing is decided by it")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Returns the place of the smallest size that has as many pixels, else of the largest: edits are of any size.
fn place(spec: &Spec) -> usize {
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let wanted = area(spec.size.width, spec.size.height);
    SIDES.iter().position(|side| area(*side, *side) >= wanted).unwrap_or(SIDES.len() - 1)
}

#[expect(clippy::cast_precision_loss, reason = "layers and batches are few")]
fn thumb_ms(spec: &Spec, layers: usize) -> f64 {
    let count = f64::from(spec.count);
    let batches = (count * layers as f64 / BATCH as f64).ceil();
    let megapixels = f64::from(spec.size.width) * f64::from(spec.size.height) / 1e6;
    let steps = f64::from(spec.steps.unwrap_or(STEPS_DEFAULT));
    steps * batches * STEP_MS + count * layers as f64 * LAYER_MS + count * megapixels * MEGAPIXEL_MS
}

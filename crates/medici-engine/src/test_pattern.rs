//! An engine that draws bars instead of pictures: for tests and benchmarks, never for customers.
//!
//! It honours everything in a spec, is deterministic, and misbehaves on demand: by a [`Script`] given when it
//! is made, or by words in square brackets in a prompt, which win over the script:
//!
//! | words | what happens |
//! |---|---|
//! | `[fail]` | the run fails after half its steps |
//! | `[fail once]` | as `[fail]`, but only the first run of this prompt on this engine |
//! | `[oom]` | out of memory before the first step |
//! | `[panic]` | a panic after half the steps |
//! | `[slow 200ms]` | every step takes this long (`ms` or `s`, at most 60 s) |
//! | `[stall]` | stops reporting after half the steps, until it is cancelled |
//! | `[short 2]` | returns two pictures fewer than asked for |

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use medici_studio::engine::{
    Background, Capabilities, Control, Drawing, EditSizes, Engine, EngineError, Estimate, Given, Mask, Picture, Pixels,
    Size, Spec, Step, Understanding,
};

const STEPS_DEFAULT: u32 = 8;
const EDITS: EditSizes = EditSizes { sides: 16..=4096, aspect_max: 4 };
const COUNT_MAX: u32 = 10;
const PROMPT_CHARS_MAX: usize = 32_000;
const STEP_MAX: Duration = Duration::from_secs(60);
/// How often a waiting run looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(2);

/// How an engine behaves where a prompt does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// How long every step takes, beyond the microseconds of drawing.
    pub step: Duration,
    /// How many pictures fewer than asked for it returns.
    pub short: u32,
    /// What goes wrong.
    pub mishap: Option<Mishap>,
}

/// What can go wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It fails after half its steps.
    Fail,
    /// It fails after half its steps, the first time each prompt is drawn.
    FailOnce,
    /// It is out of memory before the first step.
    OutOfMemory,
    /// It panics after half its steps.
    Panic,
    /// It stops after half its steps and waits to be cancelled.
    Stall,
}

/// The test engine.
#[derive(Debug, Default)]
pub struct TestPattern {
    script: Script,
    failed_once: Mutex<HashSet<String>>,
}

impl TestPattern {
    /// Makes an engine that follows a script.
    pub fn new(script: Script) -> Self {
        Self { script, failed_once: Mutex::default() }
    }

    /// Returns the script as a prompt changes it.
    fn script_for(&self, prompt: &str) -> Result<Script, EngineError> {
        let mut script = self.script.clone();
        for part in prompt.split('[').skip(1) {
            let Some((order, _)) = part.split_once(']') else { continue };
            match order.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["fail"] => script.mishap = Some(Mishap::Fail),
                ["fail", "once"] => script.mishap = Some(Mishap::FailOnce),
                ["oom"] => script.mishap = Some(Mishap::OutOfMemory),
                ["panic"] => script.mishap = Some(Mishap::Panic),
                ["stall"] => script.mishap = Some(Mishap::Stall),
                ["slow", time] => script.step = duration(time)?,
                ["short", number] => {
                    script.short = number.parse().map_err(|_| bad(format!("[short {number}]: expected a number")))?;
                }
                _ => return Err(bad(format!("[{order}] is no order of the test engine"))),
            }
        }
        Ok(script)
    }

    /// Waits for a step, looking for cancellation all along.
    fn wait(control: &dyn Control, time: Duration) -> Result<(), EngineError> {
        let mut rest = time;
        while !rest.is_zero() {
            if control.cancelled() {
                return Err(EngineError::Cancelled);
            }
            let nap = rest.min(LOOK);
            std::thread::sleep(nap);
            rest -= nap;
        }
        Ok(())
    }

    fn befall(&self, mishap: Mishap, prompt: &str, control: &dyn Control) -> Result<(), EngineError> {
        match mishap {
            Mishap::Fail => Err(EngineError::Failed("the test engine was told to fail".into())),
            Mishap::FailOnce => {
                let first = self.failed_once.lock().unwrap_or_else(PoisonError::into_inner).insert(prompt.to_owned());
                if first { Err(EngineError::Failed("the test engine was told to fail once".into())) } else { Ok(()) }
            }
            Mishap::Panic => panic!("the test engine was told to panic"),
            Mishap::Stall => loop {
                Self::wait(control, STEP_MAX)?;
            },
            // It befalls a run before its first step.
            Mishap::OutOfMemory => Ok(()),
        }
    }
}

fn bad(message: String) -> EngineError {
    EngineError::BadSpec(message)
}

fn duration(text: &str) -> Result<Duration, EngineError> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or(""), 1_000),
    };
    let time = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)).map(Duration::from_millis);
    time.filter(|time| *time <= STEP_MAX).ok_or_else(|| bad(format!("[slow {text}]: expected 1ms to 60s")))
}

fn check(spec: &Spec, given: &Given) -> Result<(), EngineError> {
    if spec.prompt.trim().is_empty() && !matches!(given, Given::Vary { .. }) {
        return Err(bad("the prompt is empty, expected at least one word".to_owned()));
    }
    if spec.count == 0 || spec.count > COUNT_MAX {
        return Err(bad(format!("{} pictures asked for, expected 1 to {COUNT_MAX}", spec.count)));
    }
    if !spec.readings.is_empty() && spec.readings.len() != spec.count as usize {
        return Err(bad(format!("{} readings for {} pictures", spec.readings.len(), spec.count)));
    }
    check_size(spec, given)?;
    match spec.steps {
        Some(steps) if !(1..=50).contains(&steps) => Err(bad(format!("{steps} steps asked for, expected 1 to 50"))),
        _ => Ok(()),
    }
}

fn check_size(spec: &Spec, given: &Given) -> Result<(), EngineError> {
    let Given::Edit { source, mask } = given else {
        let drawn = [64, 256, 512, 1024].iter().any(|side| spec.size == Size::square(*side));
        let wrong = || bad(format!("the size is {}, expected a square of 64, 256, 512 or 1024", spec.size));
        return if drawn { Ok(()) } else { Err(wrong()) };
    };
    if source.size != spec.size || mask.size != spec.size {
        let (source, mask) = (source.size, mask.size);
        return Err(bad(format!("the size is {}, the picture's {source}, the mask's {mask}, expected one", spec.size)));
    }
    if !EDITS.contain(spec.size) {
        return Err(bad(format!("a picture of {} cannot be edited", spec.size)));
    }
    match mask.bytes.iter().any(|change| *change > 0) {
        true => Ok(()),
        false => Err(bad("the mask is empty, expected something to change".to_owned())),
    }
}

impl Engine for TestPattern {
    fn model(&self) -> &'static str {
        "test-pattern"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            operations: vec![Drawing::Generate, Drawing::Edit, Drawing::Vary],
            sizes: [64, 256, 512, 1024].map(Size::square).to_vec(),
            edits: EDITS,
            edit_without_mask: false,
            batch_max: COUNT_MAX,
            steps: 1..=50,
            steps_default: STEPS_DEFAULT,
            transparent: true,
            previews: true,
            prompt_chars_max: PROMPT_CHARS_MAX,
            licence: "MIT OR Apache-2.0".to_owned(),
            commercial: false,
        }
    }

    fn estimate(&self, spec: &Spec) -> Estimate {
        let step = self.script_for(&spec.prompt).map_or(self.script.step, |script| script.step);
        let time = step * spec.steps.unwrap_or(STEPS_DEFAULT);
        let pixels = u64::from(spec.size.width) * u64::from(spec.size.height);
        Estimate {
            render_ms: u64::try_from(time.as_millis()).expect("50 steps of a minute fit") + 1,
            memory_bytes: u64::from(spec.count) * pixels * 4,
        }
    }

    fn understanding(&self, _: &str) -> Understanding {
        Understanding { score: 1.0, unknown: Vec::new(), notice: None }
    }

    fn run(&self, spec: &Spec, given: &Given, control: &dyn Control) -> Result<Vec<Picture>, EngineError> {
        check(spec, given)?;
        let script = self.script_for(&spec.prompt)?;
        if script.mishap == Some(Mishap::OutOfMemory) {
            return Err(EngineError::OutOfMemory);
        }
        let steps = spec.steps.unwrap_or(STEPS_DEFAULT);
        for at in 1..=steps {
            if control.cancelled() {
                return Err(EngineError::Cancelled);
            }
            if let Some(mishap) = script.mishap.filter(|_| at == steps.div_ceil(2)) {
                self.befall(mishap, &spec.prompt, control)?;
            }
            Self::wait(control, script.step)?;
            // Previews fall due evenly before the last step, never two after one step.
            let due = |at: u32| at * (spec.previews.min(steps - 1) + 1) / steps;
            if at < steps && due(at) > due(at - 1) {
                for index in 0..spec.count {
                    control.preview(index, picture(spec, given, index, Some((at, steps))));
                }
            }
            control.step(Step { of: steps, at });
        }
        let count = spec.count.saturating_sub(script.short);
        Ok((0..count)
            .map(|index| Picture {
                index,
                pixels: picture(spec, given, index, None),
                latent: mixed(spec.seed ^ u64::from(index)).to_le_bytes().repeat(4),
                reading: Some(match spec.readings.get(index as usize) {
                    Some(reading) => reading.clone(),
                    None => format!("bars, number {index}"),
                }),
            })
            .collect())
    }
}

/// Draws picture `index`: bars; for an edit, bars where the mask says, over the picture; for variations, bars that
/// are of the picture's middle colour by half.
fn picture(spec: &Spec, given: &Given, index: u32, early: Option<(u32, u32)>) -> Pixels {
    let drawn = bars(spec, index, early);
    match given {
        Given::Words => drawn,
        Given::Edit { source, mask } => over(source, mask, &drawn),
        Given::Vary { source, .. } => tinted(drawn, source),
    }
}

/// Puts what was drawn over a picture, as far as the mask says.
fn over(source: &Pixels, mask: &Mask, drawn: &Pixels) -> Pixels {
    let channels = |pixels: &Pixels| if pixels.alpha { 4 } else { 3 };
    let alpha = source.alpha || drawn.alpha;
    let mut bytes = Vec::with_capacity(mask.bytes.len() * if alpha { 4 } else { 3 });
    let pixels = source.bytes.chunks(channels(source)).zip(drawn.bytes.chunks(channels(drawn)));
    for ((old, new), change) in pixels.zip(&mask.bytes) {
        let opaque = |pixel: &[u8], at: usize| pixel.get(at).copied().unwrap_or(u8::MAX);
        bytes.extend((0..if alpha { 4 } else { 3 }).map(|at| {
            let (old, new, change) = (opaque(old, at), opaque(new, at), u32::from(*change));
            let sum = u32::from(old) * (255 - change) + u32::from(new) * change;
            u8::try_from(sum / 255).expect("a mean of bytes")
        }));
    }
    Pixels { size: source.size, alpha, bytes }
}

fn tinted(mut drawn: Pixels, source: &Pixels) -> Pixels {
    let own = if source.alpha { 4 } else { 3 };
    let pixels = (source.bytes.len() / own).max(1) as u64;
    let mean: [u64; 3] =
        std::array::from_fn(|at| source.bytes.chunks(own).map(|pixel| u64::from(pixel[at])).sum::<u64>() / pixels);
    for pixel in drawn.bytes.chunks_mut(if drawn.alpha { 4 } else { 3 }) {
        for (value, mean) in pixel.iter_mut().zip(mean) {
            *value = u8::try_from((u64::from(*value) + mean) / 2).expect("a mean of bytes");
        }
    }
    drawn
}

/// Draws eight bars whose colours come from the prompt, the seed and the index; a preview is greyer the
/// earlier it is, so each is nearer to the picture than the one before.
fn bars(spec: &Spec, index: u32, early: Option<(u32, u32)>) -> Pixels {
    let prompt = spec.readings.get(index as usize).unwrap_or(&spec.prompt);
    let words = prompt.bytes().fold(0, |sum, byte| mixed(sum ^ u64::from(byte)));
    let key = mixed(words ^ mixed(spec.seed) ^ mixed(u64::from(index) << 32));
    let colours: Vec<[u8; 3]> = (0..8_u64)
        .map(|bar| {
            let [r, g, b, ..] = mixed(key ^ bar).to_le_bytes();
            let (at, of) = early.unwrap_or((1, 1));
            let mix = |v: u8| u8::try_from((u32::from(v) * at + 128 * (of - at)) / of).expect("a mean of bytes");
            [mix(r), mix(g), mix(b)]
        })
        .collect();
    let alpha = spec.background == Background::Transparent;
    let (width, height) = (spec.size.width, spec.size.height);
    let mut row = Vec::new();
    for x in 0..width {
        row.extend(colours[usize::try_from(x * 8 / width).expect("below 8")]);
        if alpha {
            row.push(u8::try_from(x * 255 / width.max(1)).expect("below 255"));
        }
    }
    let bytes = row.repeat(usize::try_from(height).expect("a side fits a usize"));
    Pixels { size: spec.size, alpha, bytes }
}

/// Mixes bits well enough that neighbouring seeds look nothing alike (the finaliser of SplitMix64).
fn mixed(v: u64) -> u64 {
    let v = (v.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ (v >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let v = (v ^ (v >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    v ^ (v >> 31)
}

#[cfg(test)]
mod tests;

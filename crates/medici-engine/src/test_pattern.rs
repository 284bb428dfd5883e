//! An engine that draws bars instead of pictures: for tests and benchmarks, never for customers.
//!
//! It honours everything in a spec and all that is given ([`bars`] says how), is deterministic, and misbehaves on demand: by a [`Script`] given when it
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
    Capabilities, Control, Drawing, EditSizes, Engine, EngineError, Estimate, Given, Picture, Size, Spec, Step,
    Understanding,
};

use crate::check::check;
use bars::{Progress, mixed, picture, words};

mod bars;

const STEPS_DEFAULT: u32 = 8;
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

impl Engine for TestPattern {
    fn model(&self) -> &'static str {
        "test-pattern"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            operations: vec![Drawing::Generate, Drawing::Edit, Drawing::Vary],
            sizes: [64, 256, 512, 1024].map(Size::square).to_vec(),
            edits: EditSizes { sides: 16..=4096, aspect_max: 4 },
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
        check(spec, given, &self.capabilities())?;
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
                    control.preview(index, picture(spec, given, index, Progress { at, of: steps }));
                }
            }
            control.step(Step { of: steps, at });
        }
        let count = spec.count.saturating_sub(script.short);
        Ok((0..count)
            .map(|index| Picture {
                index,
                pixels: picture(spec, given, index, Progress::DONE),
                latent: mixed(spec.seed ^ u64::from(index)).to_le_bytes().repeat(4),
                reading: Some(match spec.readings.is_empty() {
                    true => format!("bars, number {index}"),
                    false => words(spec, index).to_owned(),
                }),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests;

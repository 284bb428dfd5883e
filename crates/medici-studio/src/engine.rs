//! The port of the image engines: what an engine is asked, what it reports, what it answers.
//!
//! An engine knows nothing of credits, accounts or HTTP. It is called on a blocking thread, owns its step
//! loop, and reports after every step; the [`Control`] it is given may ask it to stop between two steps.

use std::ops::RangeInclusive;

/// Turns a spec into pictures.
pub trait Engine: Send + Sync {
    /// Returns the name under which requests and image rows mention this engine's model, e.g. `pocket-1`.
    fn model(&self) -> &str;

    /// Returns what this engine can do. Constant for the life of the engine.
    fn capabilities(&self) -> Capabilities;

    /// Returns how long and how large a spec is likely to be, before it runs.
    fn estimate(&self, spec: &Spec) -> Estimate;

    /// Says how well the engine knows the words of a prompt, where it can tell.
    fn understanding(&self, prompt: &str) -> Understanding;

    /// Draws `spec.count` pictures in one go, on the calling thread, from what is given.
    ///
    /// Picture `i` depends on the spec's words, on what is given and on `(spec.seed, i)` alone, so a larger count
    /// begins with the pictures of a smaller one. Reports every step through `control`, and returns
    /// [`EngineError::Cancelled`] within one step of `control` asking for it. May return fewer pictures than
    /// asked for; each knows its index.
    fn run(&self, spec: &Spec, given: &Given, control: &dyn Control) -> Result<Vec<Picture>, EngineError>;
}

/// What an engine can do.
#[derive(Clone, Debug, PartialEq)]
pub struct Capabilities {
    /// The operations it draws.
    pub operations: Vec<Drawing>,
    /// The sizes it draws, smallest first.
    pub sizes: Vec<Size>,
    /// The most pictures of one call to [`Engine::run`].
    pub batch_max: u32,
    /// The denoising steps it accepts.
    pub steps: RangeInclusive<u32>,
    /// The steps it takes when the spec leaves them open.
    pub steps_default: u32,
    /// Whether a transparent background can be asked for.
    pub transparent: bool,
    /// Whether it reports previews.
    pub previews: bool,
    /// The longest prompt it looks at, in characters.
    pub prompt_chars_max: usize,
    /// The SPDX expression of the weights' licence.
    pub licence: String,
    /// Whether pictures of these weights may be sold.
    pub commercial: bool,
}

/// A kind of drawing an engine may be capable of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// Pictures from a prompt.
    Generate,
    /// A picture changed inside a mask.
    Edit,
    /// Pictures like a given one.
    Vary,
}

impl Drawing {
    /// Returns its word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Edit => "edit",
            Self::Vary => "vary",
        }
    }

    /// Returns the drawing of a word.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Generate, Self::Edit, Self::Vary].into_iter().find(|drawing| drawing.name() == name)
    }
}

/// A width and a height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// Returns a square size.
    pub const fn square(side: u32) -> Self {
        Self { width: side, height: side }
    }

    /// Returns how many pixels that are in all.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// Why a text is not a size.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size such as 256x256 needed, {found:?} found")]
pub struct SizeError {
    found: String,
}

impl std::str::FromStr for Size {
    type Err = SizeError;

    /// Parses `256x512`.
    fn from_str(text: &str) -> Result<Self, SizeError> {
        let side = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
        let parsed =
            text.split_once('x').and_then(|(width, height)| Some(Self { width: side(width)?, height: side(height)? }));
        parsed.ok_or_else(|| SizeError { found: text.chars().take(32).collect() })
    }
}

/// What to draw. Everything an engine needs to draw the same pictures again.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The words. Empty only for a variation of a picture of which no words are known.
    pub prompt: String,
    /// What each picture is drawn from in place of `prompt`: empty, or one for each picture in order.
    pub readings: Vec<String>,
    /// How many pictures, at least 1.
    pub count: u32,
    /// How large.
    pub size: Size,
    /// The seed all pictures of this spec are derived from.
    pub seed: u64,
    /// Whether the background is left transparent.
    pub background: Background,
    /// The denoising steps; `None` is the engine's own choice.
    pub steps: Option<u32>,
    /// How many previews a picture to report on the way, evenly over the steps; 0 is none.
    pub previews: u32,
}

/// The pictures that a spec starts from.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// None: the words alone.
    Words,
    /// A picture to change.
    Edit {
        /// The picture, of the spec's size. What the mask keeps is the same in what comes out, bit for bit, but for
        /// the feather at the mask's edge.
        source: Pixels,
        /// Where it is changed.
        mask: Mask,
    },
    /// A picture that others are to be like.
    Vary {
        /// The picture, of any size.
        source: Pixels,
        /// The engine's own form of it, where the engine drew it; [`Picture::latent`].
        latent: Option<Vec<u8>>,
    },
}

/// Which pixels of a picture are to be changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    /// The size of the picture.
    pub size: Size,
    /// A byte a pixel, row by row from the top: 0 keeps it, 255 draws it anew, and what is between mixes both.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({})", self.size)
    }
}

/// What is behind the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Background {
    /// The engine's choice, or what the prompt says.
    #[default]
    Auto,
    /// Never transparent.
    Opaque,
    /// Transparent.
    Transparent,
}

/// Pixels in memory: 8 bits a channel, RGB or straight (not premultiplied) RGBA, row by row from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Width and height.
    pub size: Size,
    /// Whether a fourth channel, alpha, is there.
    pub alpha: bool,
    /// `width * height * (3 or 4)` bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pixels({}, {})", self.size, if self.alpha { "RGBA" } else { "RGB" })
    }
}

/// One picture that was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Which of the spec's pictures this is, from 0.
    pub index: u32,
    /// The pixels.
    pub pixels: Pixels,
    /// The engine's own compact form of the picture, for exact variations and edits later; little-endian f16.
    pub latent: Vec<u8>,
    /// How the engine read the prompt for this picture (style, background, flip), where it differs from the
    /// prompt itself.
    pub reading: Option<String>,
}

/// What a running engine is told and tells. Called on the engine's thread; must not block.
pub trait Control: Sync {
    /// Returns whether the engine should stop before its next step.
    fn cancelled(&self) -> bool;
    /// Takes note of a finished step.
    fn step(&self, step: Step);
    /// Takes an early look at picture `index`. Each is nearer to the end result than the one before.
    fn preview(&self, index: u32, pixels: Pixels);
}

/// A control that never cancels and notes nothing.
pub struct Uncontrolled;

impl Control for Uncontrolled {
    fn cancelled(&self) -> bool {
        false
    }
    fn step(&self, _: Step) {}
    fn preview(&self, _: u32, _: Pixels) {}
}

/// How far a run is: `at` of `of` steps are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Steps in all.
    pub of: u32,
    /// Steps done.
    pub at: u32,
}

/// What a spec is likely to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Milliseconds from start to pictures, on this machine when idle.
    pub render_ms: u64,
    /// Peak bytes of memory beyond the loaded model.
    pub memory_bytes: u64,
}

/// How well an engine knows the words of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Understanding {
    /// From 0 (no word known) to 1 (all known).
    pub score: f32,
    /// Words the engine does not know, each with the nearest one it does.
    pub unknown: Vec<UnknownWord>,
    /// What to tell the person, when the score is low enough to warrant it.
    pub notice: Option<String>,
}

/// A word an engine does not know, and the nearest name that it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// The word as it stands in the prompt, in lower case.
    pub word: String,
    /// The nearest name in the engine's vocabulary.
    pub nearest: Option<String>,
}

/// Why an engine drew nothing.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The spec cannot be drawn by this engine; the caller's fault.
    #[error("{0}")]
    BadSpec(String),
    /// Not enough memory; the same spec with a smaller count may pass.
    #[error("the engine ran out of memory")]
    OutOfMemory,
    /// The control asked it to stop.
    #[error("cancelled between two steps")]
    Cancelled,
    /// Anything else; the chain is for the log.
    #[error("the engine failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_nonsense_is_not() {
        assert_eq!("256x512".parse(), Ok(Size { width: 256, height: 512 }));
        for text in ["256", "x", "256x", "ax1", "-1x4", "+1x4", "256×256", "1x2x3", "9999999999x1"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}

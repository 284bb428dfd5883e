//! Image engines behind the studio's port, and the encoder that makes files of their pixels.
//!
//! - [`Pocket`]: our own small model, inside the binary; draws stickers and icons of everyday things at once.
//! - [`TestPattern`]: bars instead of pictures, deterministic, misbehaving on demand; for tests.
//! - [`PngEncoder`]: pixels to PNG, equal bytes for equal pixels.
//!
//! An engine never hears of accounts, credits or HTTP, never asks the clock for anything but how long it took,
//! and takes all chance from the spec's seed.
//!
//! Invariants:
//! - Picture `i` depends on its words, the steps, what is given and `(seed, i)` alone: more pictures begin with the
//!   same ones.
//! - A stored latent gives the very picture it was stored with.
//! - Where the mask of an edit is 0, what comes out is the source, bit for bit.

mod check;
mod encode;
mod pocket;
mod test_pattern;

pub use encode::PngEncoder;
pub use pocket::{LatentError, LoadError, Pocket};
pub use test_pattern::{Mishap, Script, TestPattern};

//! Image engines behind the studio's port, and the files that pictures come from and go to.
//!
//! - [`Pocket`]: our own small model, inside the binary; draws stickers and icons of everyday things at once.
//! - [`TestPattern`]: bars instead of pictures, deterministic, misbehaving on demand; for tests.
//! - [`PictureFiles`]: pixels to PNG, JPEG and WebP, each with its provenance in it; and what people hand in, of
//!   these and GIF, to pixels.
//! - [`inspect`]: what a file says of where it comes from.
//!
//! An engine never hears of accounts, credits or HTTP, never asks the clock for anything but how long it took,
//! and takes all chance from the spec's seed.
//!
//! Invariants:
//! - Picture `i` depends on its words, the steps, what is given and `(seed, i)` alone: more pictures begin with the
//!   same ones.
//! - A stored latent gives the very picture it was stored with.
//! - Where the mask of an edit is 0, what comes out is the source, bit for bit.
//! - Equal pixels with equal provenance make equal files, on every machine.
//! - A file that was handed in costs memory in proportion to what its header says, and nothing before that was found
//!   to be within the limits. Decoders are safe Rust; C (libwebp) only ever writes our own pixels.

mod check;
mod decode;
mod encode;
mod inspect;
mod parts;
mod picture_files;
mod pocket;
mod provenance;
mod sniff;
mod test_pattern;

pub use inspect::{Inspection, inspect};
pub use picture_files::PictureFiles;
pub use pocket::{LatentError, LoadError, Pocket};
pub use test_pattern::{Mishap, Script, TestPattern};

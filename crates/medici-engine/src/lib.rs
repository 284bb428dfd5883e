//! Image engines behind the studio's port.
mod pocket;
pub use pocket::{LatentError, LoadError, Pocket};

//! A request for variations, as OpenAI's clients write it: a form with one file.

use medici_studio::engine::{Capabilities, Drawing, Size};

use super::{
    edit::able,
    generation::size,
    looks::{Call, Looks},
    params::Params,
};
use crate::error::Fault;

/// A request for variations, checked as far as its file need not be looked at.
#[derive(Debug, PartialEq)]
pub(crate) struct Variation {
    pub(crate) size: Size,
    pub(crate) looks: Looks,
}

impl Variation {
    /// Reads a request. `engine` is the name of the engine's own model, `can` what it can do.
    pub(crate) fn read(params: Params<'_>, engine: &str, can: &Capabilities) -> Result<Self, Fault> {
        let looks = Looks::read(params, Call::Vary, engine, can)?;
        able(can, Drawing::Vary, &looks, "variations")?;
        let size = size(looks.size.as_deref(), looks.profile, can)?;
        Ok(Self { size, looks })
    }
}

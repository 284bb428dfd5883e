//! A request to edit, as OpenAI's clients write it: a form with files, or JSON with data URLs.

use medici_studio::engine::{Capabilities, Drawing, EditSizes, Size};

use super::{
    generation::{prompt, size},
    looks::{Call, Looks},
    params::{Params, not_here, shown},
    profile::{Family, Profile},
};
use crate::error::Fault;

/// A request to edit, checked as far as its files need not be looked at.
#[derive(Debug, PartialEq)]
pub(crate) struct Edit {
    pub(crate) prompt: String,
    /// The size asked for; none is the picture's own.
    pub(crate) size: Option<Size>,
    pub(crate) looks: Looks,
}

impl Edit {
    /// Reads a request. `engine` is the name of the engine's own model, `can` what it can do.
    pub(crate) fn read(params: Params<'_>, engine: &str, can: &Capabilities) -> Result<Self, Fault> {
        let looks = Looks::read(params, Call::Edit, engine, can)?;
        able(can, Drawing::Edit, &looks, "edits")?;
        let prompt = prompt(&params, looks.profile, can)?.to_owned();
        let size = edited_size(looks.size.as_deref(), looks.profile, can)?;
        Ok(Self { prompt, size, looks })
    }
}

/// Refuses what the model never had, and what the engine has not.
pub(super) fn able(can: &Capabilities, drawing: Drawing, looks: &Looks, what: &str) -> Result<(), Fault> {
    if looks.profile.family == Family::DallE3 {
        return Err(not_here("model", &format!("The model 'dall-e-3' has no {what}; 'dall-e-2' has.")));
    }
    if !can.operations.contains(&drawing) {
        return Err(not_here("model", &format!("The engine of this server has no {what}.")));
    }
    Ok(())
}

fn edited_size(asked: Option<&str>, profile: Profile, can: &Capabilities) -> Result<Option<Size>, Fault> {
    match (asked, profile.family) {
        (Some("auto"), _) | (None, Family::Gpt | Family::Own) => Ok(None),
        (asked, Family::DallE2 | Family::DallE3) => size(asked, profile, can).map(Some),
        (Some(text), Family::Gpt | Family::Own) => match text.parse().ok().filter(|size| can.edits.contain(*size)) {
            Some(size) => Ok(Some(size)),
            None => Err(bad_edit_size(can, text)),
        },
    }
}

/// Returns the fault of a size that no edit can have.
fn bad_edit_size(can: &Capabilities, found: &str) -> Fault {
    let EditSizes { sides, aspect_max } = &can.edits;
    let message = format!(
        "Invalid value: '{}'. Supported values are: 'auto', and any width x height of {} to {} pixels a side, one at most \
         {aspect_max} times the other.",
        shown(found),
        sides.start(),
        sides.end(),
    );
    Fault::param("invalid_value", "size", message)
}

//! A request to generate, as OpenAI's clients write it.

use medici_studio::engine::{Capabilities, Size};

use super::{
    looks::{Call, Looks},
    params::{Params, codeless, not_one_of, shown},
    profile::{self, Family, Profile},
};
use crate::error::Fault;

/// A request to generate, checked.
#[derive(Debug, PartialEq)]
pub(crate) struct Generation {
    pub(crate) prompt: String,
    pub(crate) size: Size,
    pub(crate) looks: Looks,
}

impl Generation {
    /// Reads a request. `engine` is the name of the engine's own model, `can` what it can do.
    pub(crate) fn read(params: Params<'_>, engine: &str, can: &Capabilities) -> Result<Self, Fault> {
        let looks = Looks::read(params, Call::Generate, engine, can)?;
        let prompt = prompt(&params, looks.profile, can)?.to_owned();
        let size = size(looks.size.as_deref(), looks.profile, can)?;
        Ok(Self { prompt, size, looks })
    }
}

/// Reads the words that a request must have.
pub(crate) fn prompt<'a>(params: &Params<'a>, profile: Profile, can: &Capabilities) -> Result<&'a str, Fault> {
    let missing = || Fault::param("missing_required_parameter", "prompt", "Missing required parameter: 'prompt'.");
    let prompt = params.text("prompt")?.filter(|text| !text.trim().is_empty()).ok_or_else(missing)?;
    let (length, max) = (prompt.chars().count(), profile.prompt_chars_max(can));
    if length > max {
        let message = format!(
            "Prompt must be length {max} or less. Your prompt length is {length}. Please reduce your prompt length."
        );
        return Err(codeless("prompt", message));
    }
    Ok(prompt)
}

/// Returns the size of new pictures: one that the profile and the engine both have.
pub(crate) fn size(asked: Option<&str>, profile: Profile, can: &Capabilities) -> Result<Size, Fault> {
    let none = || Fault::request("invalid_value", "The engine of this server draws no size.");
    let size = match asked {
        None => profile.size_default(can).ok_or_else(none)?,
        Some("auto") => profile::size_auto(can).ok_or_else(none)?,
        Some(text) => {
            let sizes = profile.sizes(can);
            let size = sizes.iter().find(|size| size.to_string() == text);
            *size.ok_or_else(|| bad_size(profile, &sizes, text))?
        }
    };
    Ok(size)
}

/// Returns the fault of a size that is none of those.
pub(crate) fn bad_size(profile: Profile, sizes: &[Size], found: &str) -> Fault {
    let words: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    match profile.family {
        Family::DallE2 => {
            let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            codeless("size", format!("'{}' is not one of [{}] - 'size'", shown(found), words.join(", ")))
        }
        Family::DallE3 => Fault::request("invalid_size", "The size is not supported by this model."),
        Family::Gpt | Family::Own => {
            let words: Vec<&str> = words.iter().map(String::as_str).chain(["auto"]).collect();
            not_one_of("size", found, &words)
        }
    }
}

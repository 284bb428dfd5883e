//! A request to generate, as OpenAI's clients write it: every parameter with its limits and refusals.

use medici_studio::engine::{Background, Capabilities, Size};
use serde_json::{Map, Value};

use super::{
    params::{Params, codeless, not_here, not_one_of, shown},
    profile::{self, Family, Profile},
};
use crate::error::Fault;

/// The largest seed: exact in every JSON reader.
const SEED_MAX: u64 = (1 << 53) - 1;
/// The longest name of the caller's own user, in characters.
const USER_CHARS_MAX: usize = 512;
/// Parameters that only the newer models have.
const GPT_ONLY: [&str; 10] = [
    "background",
    "output_format",
    "output_compression",
    "moderation",
    "partial_images",
    "complexity",
    "frame_count",
    "frame_duration_ms",
    "svg",
    "input_fidelity",
];
/// Parameters of animations and drawings by outline, which no engine here makes.
const NEWEST_ONLY: [&str; 4] = ["complexity", "frame_count", "frame_duration_ms", "svg"];

/// A request to generate, checked.
#[derive(Debug, PartialEq)]
pub(crate) struct Generation {
    /// The model as the caller called it, or the one meant.
    pub(crate) model: String,
    pub(crate) prompt: String,
    pub(crate) count: u32,
    pub(crate) size: Size,
    pub(crate) background: Background,
    /// The caller's own seed, an extension.
    pub(crate) seed: Option<u64>,
    pub(crate) format: Format,
    /// The caller's own user, echoed.
    pub(crate) safety_identifier: Option<String>,
}

/// How images are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// As links.
    Url,
    /// Inside the reply.
    Base64,
}

impl Generation {
    /// Reads a request. `engine` is the name of the engine's own model, `can` what it can do.
    pub(crate) fn read(body: &Map<String, Value>, engine: &str, can: &Capabilities) -> Result<Self, Fault> {
        let params = Params(body);
        let named = params.text("model")?;
        let (model, profile) = model(&params, named, engine)?;
        refuse_streams(&params)?;
        if profile.strict
            && let Some(unknown) = body.keys().find(|name| params.get(name).is_some() && !profile.knows(name))
        {
            let unknown = shown(unknown);
            return Err(Fault::param("unknown_parameter", &unknown, format!("Unknown parameter: '{unknown}'.")));
        }
        for name in NEWEST_ONLY {
            if params.get(name).is_some() {
                return Err(not_here(name, &format!("'{name}' is not available on this server.")));
            }
        }
        let prompt = prompt(&params, profile, can)?;
        let count = params.integer("n", 1, u64::from(profile.count_max()))?.unwrap_or(1);
        let size = size(&params, profile, can)?;
        check_looks(&params, profile)?;
        let background = background(&params, can, engine)?;
        let format = match params.one_of("response_format", &["url", "b64_json"])? {
            Some("b64_json") => Format::Base64,
            Some(_) => Format::Url,
            None if named.is_some() && profile.family == Family::Gpt => Format::Base64,
            None => Format::Url,
        };
        Ok(Self {
            model,
            prompt: prompt.to_owned(),
            count: u32::try_from(count).expect("the bound is small"),
            size,
            background,
            seed: params.integer("seed", 0, SEED_MAX)?,
            format,
            safety_identifier: safety_identifier(&params)?,
        })
    }
}

fn model(params: &Params<'_>, named: Option<&str>, engine: &str) -> Result<(String, Profile), Fault> {
    let Some(name) = named else {
        let newer = GPT_ONLY.iter().any(|name| params.get(name).is_some());
        let name = if newer { profile::DEFAULT_GPT } else { profile::DEFAULT };
        let profile = profile::named(name, engine).expect("the default models have profiles");
        return Ok((name.to_owned(), Profile { strict: false, ..profile }));
    };
    match profile::named(name, engine) {
        Some(profile) => Ok((name.to_owned(), profile)),
        None if profile::is_plain(name) => Err(Fault::UnknownModel { model: name.to_owned() }),
        None => Err(Fault::UnknownModel { model: "…".to_owned() }),
    }
}

fn refuse_streams(params: &Params<'_>) -> Result<(), Fault> {
    if params.flag("stream")? == Some(true) {
        return Err(not_here("stream", "Streaming is not available on this server yet: send stream=false."));
    }
    let partial = params.integer("partial_images", 0, 3)?;
    if partial.is_some_and(|count| count > 0) {
        return Err(not_here("partial_images", "partial_images needs stream=true, which is not available here yet."));
    }
    Ok(())
}

fn prompt<'a>(params: &Params<'a>, profile: Profile, can: &Capabilities) -> Result<&'a str, Fault> {
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

fn size(params: &Params<'_>, profile: Profile, can: &Capabilities) -> Result<Size, Fault> {
    let none = || Fault::request("invalid_value", "The engine of this server draws no size.");
    let size = match params.text("size")? {
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

fn bad_size(profile: Profile, sizes: &[Size], found: &str) -> Fault {
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

/// Checks the parameters that change nothing here: they must still be what they may be.
fn check_looks(params: &Params<'_>, profile: Profile) -> Result<(), Fault> {
    let qualities: &[&str] = match profile.family {
        Family::DallE2 => &["standard", "auto"],
        Family::DallE3 => &["standard", "hd", "auto"],
        Family::Gpt | Family::Own => &["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"],
    };
    params.one_of("quality", qualities)?;
    params.one_of("style", &["vivid", "natural"])?;
    params.one_of("moderation", &["auto", "low"])?;
    match params.one_of("output_format", &["png", "jpeg", "webp", "gif", "svg"])? {
        None | Some("png") => {}
        Some(format) => {
            let message = format!("Images are handed over as png on this server; {format} is not available yet.");
            return Err(not_here("output_format", &message));
        }
    }
    if params.integer("output_compression", 0, 100)?.is_some_and(|percent| percent < 100) {
        let message = "Compression less than 100 is only possible with output_format jpeg or webp.";
        return Err(not_here("output_compression", message));
    }
    Ok(())
}

fn background(params: &Params<'_>, can: &Capabilities, engine: &str) -> Result<Background, Fault> {
    Ok(match params.one_of("background", &["auto", "opaque", "transparent"])? {
        Some("transparent") if !can.transparent => {
            let message = format!("The model {engine} has no transparent background.");
            return Err(not_here("background", &message));
        }
        Some("transparent") => Background::Transparent,
        Some("opaque") => Background::Opaque,
        _ => Background::Auto,
    })
}

/// Returns the caller's own user: `safety_identifier`, or `user` where that is empty.
fn safety_identifier(params: &Params<'_>) -> Result<Option<String>, Fault> {
    let mut effective = None;
    for name in ["user", "safety_identifier"] {
        let text = params.text(name)?.filter(|text| !text.is_empty());
        let length = text.map_or(0, |text| text.chars().count());
        if length > USER_CHARS_MAX {
            let message = format!("'{name}' has {length} characters, {USER_CHARS_MAX} may be used.");
            return Err(Fault::param("string_above_max_length", name, message));
        }
        effective = text.or(effective);
    }
    Ok(effective.map(str::to_owned))
}

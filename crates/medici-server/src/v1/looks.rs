//! What every request for pictures says besides its words and files: the model, how many, how they are handed over.

use medici_studio::{
    FileFormat, Output,
    engine::{Background, Capabilities},
};

use super::{
    params::{Params, not_here, shown},
    profile::{self, Family, Profile},
};
use crate::error::Fault;

/// The largest seed: exact in every JSON reader.
const SEED_MAX: u64 = (1 << 53) - 1;
/// The longest name of the caller's own user, in characters.
const USER_CHARS_MAX: usize = 512;
/// The most early looks at each picture of a streamed request, as OpenAI has it.
const PARTIAL_IMAGES_MAX: u64 = 3;
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
/// Parameters of animations, drawings by outline and overlays, which no engine here knows.
const NEWEST_ONLY: [&str; 5] = ["complexity", "frame_count", "frame_duration_ms", "svg", "markup"];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Generate,
    Edit,
    Vary,
}

/// What a request says of its pictures, checked.
#[derive(Debug, PartialEq)]
pub(crate) struct Looks {
    /// The model as the caller called it, or the one meant.
    pub(crate) model: String,
    pub(crate) profile: Profile,
    pub(crate) count: u32,
    /// The size as it was written; checked by the call, which knows what sizes it has.
    pub(crate) size: Option<String>,
    pub(crate) background: Background,
    pub(crate) output: Output,
    /// The quality as it was asked for, where the newer models have it.
    pub(crate) quality: Option<&'static str>,
    /// Whether blocked words are looked for with less zeal.
    pub(crate) lenient_moderation: bool,
    /// The caller's own seed, an extension.
    pub(crate) seed: Option<u64>,
    /// Whether each picture is drawn after a reading of its own, an extension.
    pub(crate) readings: bool,
    pub(crate) format: Format,
    /// For a streamed reply: how many early looks at each picture.
    pub(crate) stream: Option<u32>,
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

impl Looks {
    /// Returns what a reply says as `revised_prompt`: how a picture's prompt was read, for the model that OpenAI
    /// itself says it of, and where readings were asked for.
    pub(crate) fn revised_prompt<'a>(&self, reading: Option<&'a str>) -> Option<&'a str> {
        reading.filter(|_| self.readings || self.profile.family == Family::DallE3)
    }

    /// Reads what a request says. `engine` is the name of the engine's own model, `can` what it can do.
    pub(crate) fn read(params: Params<'_>, call: Call, engine: &str, can: &Capabilities) -> Result<Self, Fault> {
        let named = params.text("model")?;
        let (model, profile) = model(&params, named, call, engine)?;
        if profile.strict
            && let Some(unknown) = params.names().find(|name| !profile.knows(call, name))
        {
            let unknown = shown(unknown);
            return Err(Fault::param("unknown_parameter", &unknown, format!("Unknown parameter: '{unknown}'.")));
        }
        for name in params.names() {
            let base = name.split('[').next().unwrap_or(name);
            if let Some(newest) = NEWEST_ONLY.iter().find(|newest| **newest == base) {
                return Err(not_here(newest, &format!("'{newest}' is not available on this server.")));
            }
        }
        let count = params.integer("n", 1, u64::from(profile.count_max()))?.unwrap_or(1);
        let quality = quality(&params, profile)?;
        params.one_of("style", &["vivid", "natural"])?;
        params.one_of("input_fidelity", &["high", "low"])?;
        let lenient_moderation = params.one_of("moderation", &["auto", "low"])? == Some("low");
        let background = background(&params, can, engine)?;
        let output = output(&params, background)?;
        let stream = stream(&params, call)?;
        let format = match params.one_of("response_format", &["url", "b64_json"])? {
            Some("b64_json") => Format::Base64,
            Some(_) => Format::Url,
            None if named.is_some() && profile.family == Family::Gpt => Format::Base64,
            None => Format::Url,
        };
        Ok(Self {
            model,
            profile,
            count: u32::try_from(count).expect("the bound is small"),
            size: params.text("size")?.map(str::to_owned),
            background,
            output,
            quality,
            lenient_moderation,
            seed: params.integer("seed", 0, SEED_MAX)?,
            readings: params.flag("readings")? == Some(true),
            format,
            stream,
            safety_identifier: safety_identifier(&params)?,
        })
    }
}

fn model(params: &Params<'_>, named: Option<&str>, call: Call, engine: &str) -> Result<(String, Profile), Fault> {
    let Some(name) = named else {
        let newer = match call {
            Call::Generate => GPT_ONLY.iter().any(|name| params.get(name).is_some()),
            Call::Edit => true,
            Call::Vary => false,
        };
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

/// Returns how many early looks a streamed request wants at each picture; `None` for a reply in one piece.
fn stream(params: &Params<'_>, call: Call) -> Result<Option<u32>, Fault> {
    let streamed = params.flag("stream")? == Some(true);
    let partial = params.integer("partial_images", 0, PARTIAL_IMAGES_MAX)?;
    if streamed && call == Call::Vary {
        return Err(not_here("stream", "Variations are not streamed: send stream=false."));
    }
    if !streamed && partial.is_some_and(|count| count > 0) {
        return Err(not_here("partial_images", "partial_images needs stream=true."));
    }
    Ok(streamed.then(|| u32::try_from(partial.unwrap_or(0)).expect("the bound is small")))
}

fn quality(params: &Params<'_>, profile: Profile) -> Result<Option<&'static str>, Fault> {
    let words: &[&str] = match profile.family {
        Family::DallE2 => &["standard", "auto"],
        Family::DallE3 => &["standard", "hd", "auto"],
        Family::Gpt | Family::Own => &["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"],
    };
    params.one_of("quality", words)
}

/// Reads the file format and its compression, and whether they go with the background.
fn output(params: &Params<'_>, background: Background) -> Result<Output, Fault> {
    let format = match params.one_of("output_format", &["png", "jpeg", "webp", "gif", "svg"])? {
        None | Some("png") => FileFormat::Png,
        Some("jpeg") => FileFormat::Jpeg,
        Some("webp") => FileFormat::Webp,
        Some(format) => {
            let message = format!("Images are handed over as png, jpeg or webp on this server, not as {format}.");
            return Err(not_here("output_format", &message));
        }
    };
    let compression = params.integer("output_compression", 0, 100)?.unwrap_or(100);
    if format == FileFormat::Png && compression < 100 {
        let message = "Compression less than 100 is only possible with output_format jpeg or webp.";
        return Err(not_here("output_compression", message));
    }
    if format == FileFormat::Jpeg && background == Background::Transparent {
        return Err(not_here("background", "A transparent background needs output_format png or webp."));
    }
    Ok(Output { format, compression: u8::try_from(compression).expect("the bound is small") })
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

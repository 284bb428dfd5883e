//! The reply with pictures, in one piece: OpenAI's fields, and ours that its clients keep or ignore.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use medici_ledger::Credits;
use medici_studio::{
    Finished, Image, ImageId, Job, JobId,
    engine::{Background, Size},
};
use serde::Serialize;

use super::{
    looks::{Format, Looks},
    profile::Family,
};
use crate::{error::Fault, links, reply::CreditHeaders, state::AppState, wire::Text};

/// Pixels along the edge of what one output token stands for.
const TOKEN_SIDE: u64 = 16;
/// Characters of a prompt that one input token stands for.
const TOKEN_CHARS: usize = 4;

#[derive(Serialize)]
struct ImagesBody<'a> {
    created: u32,
    data: Vec<ImageBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background: Option<&'static str>,
    output_format: &'static str,
    size: Text<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<&'a str>,
    // What follows is ours.
    id: Text<JobId>,
    seed: u64,
    credits: CreditsBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'a str>,
}

#[derive(Serialize)]
struct ImageBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64_json: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revised_prompt: Option<&'a str>,
    // What follows is ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    reading: Option<&'a str>,
    id: Text<ImageId>,
}

#[derive(Serialize)]
pub(super) struct CreditsBody {
    charged: Text<Credits>,
    balance: Text<Credits>,
}

/// Tokens, as the newer models count. Nothing is charged by them; clients that add them up find them plausible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
    input_tokens_details: InputTokens,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct InputTokens {
    text_tokens: u64,
    image_tokens: u64,
}

impl Usage {
    /// Returns what `images` of a job's pictures stand for.
    pub(super) fn of(job: &Job, images: usize) -> Self {
        let Size { width, height } = job.spec.size;
        let image = u64::from(width).div_ceil(TOKEN_SIDE) * u64::from(height).div_ceil(TOKEN_SIDE);
        let text_tokens = job.spec.prompt.chars().count().div_ceil(TOKEN_CHARS) as u64;
        let image_tokens = image * job.source.blobs().count() as u64;
        let (input_tokens, output_tokens) = (text_tokens + image_tokens, image * images as u64);
        let total_tokens = input_tokens + output_tokens;
        Self {
            input_tokens,
            output_tokens,
            total_tokens,
            input_tokens_details: InputTokens { text_tokens, image_tokens },
        }
    }
}

impl From<CreditHeaders> for CreditsBody {
    fn from(credits: CreditHeaders) -> Self {
        Self { charged: Text(credits.charged), balance: Text(credits.balance) }
    }
}

/// Writes the reply of a job that is done; `None` where all its images were deleted.
pub(super) async fn json(
    state: &AppState,
    finished: &Finished,
    looks: &Looks,
    credits: CreditHeaders,
) -> Result<Option<Vec<u8>>, Fault> {
    let job = &finished.job;
    let mut data = Vec::with_capacity(finished.images.len());
    for image in &finished.images {
        let (url, b64_json) = match looks.format {
            Format::Url => (Some(links::absolute(&state.config, image, state.studio.clock.now())), None),
            Format::Base64 => {
                let Some(file) = base64(state, image).await? else { continue };
                (None, Some(file))
            }
        };
        let reading = image.reading.as_deref();
        let revised_prompt = looks.revised_prompt(reading);
        data.push(ImageBody { url, b64_json, revised_prompt, reading, id: Text(image.id) });
    }
    if data.is_empty() {
        return Ok(None);
    }
    let body = ImagesBody {
        created: created(job),
        data,
        background: match job.spec.background {
            Background::Auto => None,
            Background::Opaque => Some("opaque"),
            Background::Transparent => Some("transparent"),
        },
        output_format: job.output.format.name(),
        size: Text(job.spec.size),
        // The clients' types know only these.
        quality: looks.quality.filter(|quality| matches!(*quality, "low" | "medium" | "high")),
        usage: matches!(looks.profile.family, Family::Gpt).then(|| Usage::of(job, finished.images.len())),
        safety_identifier: looks.safety_identifier.as_deref(),
        id: Text(job.id),
        seed: job.spec.seed,
        credits: credits.into(),
        notice: job.notice.as_deref(),
    };
    Ok(Some(serde_json::to_vec(&body).expect("strings and numbers make JSON")))
}

/// Returns an image's file as bare base64; `None` for an image that is deleted just now.
pub(super) async fn base64(state: &AppState, image: &Image) -> Result<Option<String>, Fault> {
    Ok(state.studio.image_file(image).await?.map(|bytes| STANDARD.encode(bytes)))
}

/// Returns when a job was asked for, in seconds, as small as the strictest client reads it.
pub(super) fn created(job: &Job) -> u32 {
    u32::try_from(job.created_at.micros().div_euclid(1_000_000)).unwrap_or(u32::MAX)
}

/// Marks a reply as JSON that nobody keeps.
pub(super) fn as_json(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

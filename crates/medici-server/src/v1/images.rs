//! `POST /v1/images/generations`: from a request to pictures, paid for with credits.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use medici_ledger::{
    Credits, Operation,
    idempotency::{Fingerprint, Keep},
};
use medici_studio::{
    Finished, Image, JobId, JobState, KeyUse, Outcome, ReadImageError, Submit,
    engine::{Background, Spec},
    moderation::Zeal,
};
use serde::Serialize;
use serde_json::Value;
use tracing::Instrument;

use super::{
    attempts::Waiting,
    generation::{Format, Generation},
};
use crate::{
    auth::AccountCaller,
    body::JsonObject,
    error::Fault,
    idempotency::{canonical, key, key_use},
    links,
    reply::{CreditHeaders, Replayed},
    state::AppState,
    wire::Text,
};

pub(crate) const GENERATIONS: &str = "/v1/images/generations";

/// Draws pictures from a prompt and waits for them.
pub(crate) async fn generate(
    State(state): State<AppState>,
    caller: AccountCaller,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, Fault> {
    let studio = &state.studio;
    let request = Generation::read(&body, studio.engine.model(), &studio.engine.capabilities())?;
    let key = key(&headers)?;
    // Of what the client sent, not of what it means: the same request is the same after an update.
    let body = canonical(&Value::Object(body));
    let ours = caller.key.as_u128().to_be_bytes();
    let attempt = Fingerprint::of([GENERATIONS.as_bytes(), ours.as_slice(), &body]);
    let implicit = key.is_none().then_some(attempt);
    let earlier = implicit
        .filter(|_| is_retry(&headers))
        .and_then(|attempt| state.shared.attempts.claim(&attempt, studio.clock.now()));
    let (waiting, replayed) = match earlier {
        Some(job) => (Waiting::begin(&state, caller.account, job, implicit), true),
        None => {
            let fingerprint = Fingerprint::of([body.as_slice()]);
            let key = key.map(|key| key_use(caller.account, GENERATIONS, key, fingerprint, Keep::Day));
            accept(&state, submission(&state, caller, &request, key), implicit).await?
        }
    };
    finish(&state, caller, &request, replayed, waiting).await
}

fn submission(state: &AppState, caller: AccountCaller, request: &Generation, key: Option<KeyUse>) -> Submit {
    Submit {
        account: caller.account,
        api_key: Some(caller.key),
        operation: Operation::Generate,
        model: request.model.clone(),
        spec: Spec {
            prompt: request.prompt.clone(),
            count: request.count,
            size: request.size,
            seed: request.seed.unwrap_or_else(|| fresh_seed(state.studio.ids.secret())),
            background: request.background,
            steps: None,
            previews: 0,
            readings: Vec::new(),
        },
        zeal: Zeal::Auto,
        readings: false,
        key,
    }
}

/// Submits a request and begins to wait for its job. Returns whether it is a repeat, too.
///
/// Runs beside the request: a client that goes away while the hold is being committed must leave somebody who
/// knows of the job, or it would be drawn and paid for nobody.
async fn accept(state: &AppState, submit: Submit, request: Option<Fingerprint>) -> Result<(Waiting, bool), Fault> {
    let state = state.clone();
    let account = submit.account;
    let submitting = async move {
        let ticket = state.studio.submit(submit).await?;
        Ok((Waiting::begin(&state, account, ticket.job, request), ticket.replayed))
    };
    match tokio::spawn(submitting.in_current_span()).await {
        Ok(accepted) => accepted,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(Fault::internal(&cancelled)),
        },
    }
}

/// Waits for the job's end and replies from its committed rows.
async fn finish(
    state: &AppState,
    caller: AccountCaller,
    request: &Generation,
    replayed: bool,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let finished = state.studio.finished(waiting.job()).await?;
    let finished = finished.filter(|finished| finished.job.account == caller.account);
    let finished = finished.ok_or(Fault::NotFound { what: "job" })?;
    let balance = state.studio.balances(caller.account).map_or(Credits::ZERO, |balances| balances.available);
    let outcome = match &finished.job.state {
        JobState::Done { outcome, .. } => outcome,
        ended => {
            // A retry after a failure is a new request, unless a key says that it is the old one.
            waiting.answered();
            let fault = match ended {
                JobState::Failed { reason, .. } => Fault::JobFailed { reason: *reason },
                JobState::Cancelled { .. } => Fault::JobCancelled,
                JobState::Queued | JobState::Running(_) | JobState::Done { .. } => {
                    unreachable!("a finished job has ended")
                }
            };
            return Ok((CreditHeaders { charged: Credits::ZERO, balance }, Replayed(replayed), fault).into_response());
        }
    };
    let charged = match outcome {
        Outcome::Charged { amount } => *amount,
        Outcome::Free | Outcome::Uncollected { .. } => Credits::ZERO,
    };
    let body = reply(state, &finished, request, charged, balance).await?;
    let body = serde_json::to_vec(&body).expect("strings and numbers make JSON");
    let mut response = Response::new(waiting.body(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((CreditHeaders { charged, balance }, Replayed(replayed), response).into_response())
}

#[derive(Serialize)]
struct ImagesBody<'a> {
    created: u32,
    data: Vec<ImageBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background: Option<&'static str>,
    output_format: &'static str,
    size: Text<medici_studio::engine::Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<&'a str>,
    // What follows is ours; OpenAI's clients keep or ignore it.
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
    id: Text<medici_studio::ImageId>,
}

#[derive(Serialize)]
struct CreditsBody {
    charged: Text<Credits>,
    balance: Text<Credits>,
}

async fn reply<'a>(
    state: &AppState,
    finished: &'a Finished,
    request: &'a Generation,
    charged: Credits,
    balance: Credits,
) -> Result<ImagesBody<'a>, Fault> {
    let job = &finished.job;
    let mut data = Vec::with_capacity(finished.images.len());
    for image in &finished.images {
        data.push(image_body(state, image, request.format).await?);
    }
    let created = job.created_at.micros().div_euclid(1_000_000);
    Ok(ImagesBody {
        created: u32::try_from(created).unwrap_or(u32::MAX),
        data,
        background: match job.spec.background {
            Background::Auto => None,
            Background::Opaque => Some("opaque"),
            Background::Transparent => Some("transparent"),
        },
        output_format: "png",
        size: Text(job.spec.size),
        safety_identifier: request.safety_identifier.as_deref(),
        id: Text(job.id),
        seed: job.spec.seed,
        credits: CreditsBody { charged: Text(charged), balance: Text(balance) },
        notice: job.notice.as_deref(),
    })
}

async fn image_body<'a>(state: &AppState, image: &'a Image, format: Format) -> Result<ImageBody<'a>, Fault> {
    let (url, b64_json) = match format {
        Format::Url => (Some(links::absolute(&state.config, image.id, state.studio.clock.now())), None),
        Format::Base64 => {
            let bytes = state.studio.blobs.get(image.blob).await?.ok_or(ReadImageError::Missing(image.id))?;
            (None, Some(STANDARD.encode(bytes)))
        }
    };
    Ok(ImageBody { url, b64_json, revised_prompt: image.reading.as_deref(), id: Text(image.id) })
}

/// Returns whether an OpenAI client says that it tries again.
fn is_retry(headers: &HeaderMap) -> bool {
    let count = headers.get("x-stainless-retry-count").and_then(|count| count.to_str().ok());
    count.and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count > 0)
}

/// Returns a seed that a person can type and every JSON reader keeps: 32 random bits.
fn fresh_seed(secret: [u8; 32]) -> u64 {
    let [a, b, c, d, ..] = secret;
    u64::from(u32::from_be_bytes([a, b, c, d]))
}

//! Bodies: read within a bound and a time, and refused in the dialect of the path when they are not JSON.

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{error::Fault, error::sentence, idempotency::canonical, state::AppState};

/// The largest JSON body of our own API: nothing there is long.
const API_BYTES_MAX: usize = 64 << 10;
/// The largest JSON body under `/v1`. A parsed body takes many times its length in memory, and the longest
/// prompt that any profile allows is 32,000 characters of at most 12 bytes each.
const V1_BYTES_MAX: usize = 1 << 20;
/// The largest JSON body with pictures in it: sixteen data URLs need not fit, one of the longest does.
const PICTURES_BYTES_MAX: usize = 64 << 20;
/// The longest body that is read away when it is refused; a longer one is refused at once.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
/// The longest excerpt of a parser's message that is repeated to the caller.
const PROBLEM_CHARS_MAX: usize = 240;

/// A JSON body of a type that cannot be wrong afterwards.
pub(crate) struct JsonBody<T>(pub(crate) T);

/// A JSON body as [`JsonBody`] reads it, and the canonical form of what was sent, for an idempotency key.
pub(crate) struct JsonRequest<T> {
    pub(crate) body: T,
    pub(crate) canonical: Vec<u8>,
}

/// A JSON object, whose members are looked at one by one.
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

/// A JSON object that may have pictures in it.
pub(crate) struct LargeJsonObject(pub(crate) Map<String, Value>);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Fault> {
        let bytes = read_json(request, state, API_BYTES_MAX).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for JsonRequest<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Fault> {
        let bytes = read_json(request, state, API_BYTES_MAX).await?;
        // The type first: it refuses a member that is there twice, of which the other reading would keep one.
        let body = parse(&bytes)?;
        Ok(Self { body, canonical: canonical(&parse::<Value>(&bytes)?) })
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|problem| match problem.classify() {
        serde_json::error::Category::Data => Fault::request("invalid_value", excerpt(&problem)),
        _ => malformed(&problem),
    })
}

impl FromRequest<AppState> for JsonObject {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Fault> {
        object(request, state, V1_BYTES_MAX).await.map(Self)
    }
}

impl FromRequest<AppState> for LargeJsonObject {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Fault> {
        object(request, state, PICTURES_BYTES_MAX).await.map(Self)
    }
}

async fn object(request: Request, state: &AppState, bytes_max: usize) -> Result<Map<String, Value>, Fault> {
    let bytes = read_json(request, state, bytes_max).await?;
    // Only syntax can be wrong here, and the messages about it repeat nothing of the body.
    match serde_json::from_slice(&bytes).map_err(|problem| malformed(&problem))? {
        Value::Object(object) => Ok(object),
        _ => Err(Fault::request("invalid_json", "The request's body must be a JSON object.")),
    }
}

/// Returns the fault of a body that is no JSON.
pub(crate) fn malformed(problem: &serde_json::Error) -> Fault {
    let message = format!("We could not parse the JSON body of your request: {}", excerpt(problem));
    Fault::request("invalid_json", message)
}

fn excerpt(problem: &serde_json::Error) -> String {
    let text = sentence(problem);
    if text.chars().count() <= PROBLEM_CHARS_MAX {
        return text;
    }
    text.chars().take(PROBLEM_CHARS_MAX).chain("….".chars()).collect()
}

async fn read_json(request: Request, state: &AppState, bytes_max: usize) -> Result<Bytes, Fault> {
    if !is_json(request.headers()) {
        return Err(Fault::UnsupportedMedia { message: "The request's body must be application/json." });
    }
    read(request.into_body(), state, bytes_max.min(state.config.body_bytes_max)).await
}

fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|text| text.eq_ignore_ascii_case("application/json"))
}

/// Returns the type of a body, without its parameters, if it is said once.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return None };
    value.to_str().ok().and_then(|text| text.split(';').next()).map(str::trim)
}

/// Reads a body away, within its bounds, before it is refused: many clients write all of it before they read anything,
/// and would meet a connection that was closed instead of the reason.
async fn discard(mut body: Body, state: &AppState) {
    let reading = async {
        let mut left = DISCARDED_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // Whoever is slower than that has its answer late, or not at all.
    let _ = tokio::time::timeout(state.config.body_timeout, reading).await;
}

/// Reads a body of at most `bytes_max` bytes within the configured time.
pub(crate) async fn read(body: Body, state: &AppState, bytes_max: usize) -> Result<Bytes, Fault> {
    let too_large = Fault::BodyTooLarge { bytes_max };
    // What is announced as too long is not kept.
    let announced = body.size_hint().lower();
    if announced > bytes_max as u64 {
        if announced <= DISCARDED_BYTES_MAX as u64 {
            discard(body, state).await;
        }
        return Err(too_large);
    }
    let reading = Limited::new(body, bytes_max).collect();
    let read = tokio::time::timeout(state.config.body_timeout, reading).await.map_err(|_| Fault::BodyTimeout)?;
    read.map(Collected::to_bytes).map_err(|failure| match failure.downcast_ref::<LengthLimitError>() {
        Some(_) => too_large,
        None => Fault::request("malformed_request", "The request's body ended early or was malformed."),
    })
}

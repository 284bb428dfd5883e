//! `POST /api/events`: meter events of other services of the operator, by the thousand.

use std::{collections::HashMap, io::Write};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use medici_ledger::{AccountId, Credits, QuoteError, Refusal};
use medici_studio::{EventOutcome, EventRefused, Usages};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::event_body::{self, Reader, Sent, Value, Wrong};
use crate::{
    auth::ServiceCaller,
    body::{media_type, read},
    error::{Fault, sentence},
    state::AppState,
    wire::Text,
};

/// The largest body.
const EVENTS_BYTES_MAX: usize = 8 << 20;
/// Bodies that are read and decided at a time; further requests wait. So they take at most 128 MiB, and what they are
/// parsed to a few times that.
const TOGETHER_MAX: usize = 16;

/// How many requests with events may be read at a time.
pub(crate) struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(TOGETHER_MAX))
    }
}

impl Turns {
    async fn take(&self) -> SemaphorePermit<'_> {
        self.0.acquire().await.expect("the semaphore is never closed")
    }
}

/// How events are separated.
#[derive(Clone, Copy)]
enum Form {
    Array,
    Lines,
}

/// A request, whose body is read once it is its turn.
pub(crate) struct EventsRequest {
    form: Form,
    request: Request,
}

impl FromRequest<AppState> for EventsRequest {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Fault> {
        let form = match media_type(request.headers()) {
            Some(kind) if kind.eq_ignore_ascii_case("application/json") => Form::Array,
            Some(kind) if kind.eq_ignore_ascii_case("application/x-ndjson") => Form::Lines,
            _ => {
                let message = "The request's body must be application/json or application/x-ndjson.";
                return Err(Fault::UnsupportedMedia { message });
            }
        };
        Ok(Self { form, request })
    }
}

/// What became of an event that is not charged.
#[derive(Serialize)]
struct ResultBody<'a> {
    id: Option<&'a str>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<Text<Credits>>,
}

/// Where the outcome of an event is found.
enum Place {
    /// Among those of its account.
    Usages(usize),
    NoAccount,
    Wrong(Wrong),
}

/// Charges each event once, whatever is sent again, and says of each what became of it.
pub(crate) async fn record(
    State(state): State<AppState>,
    _: ServiceCaller,
    EventsRequest { form, request }: EventsRequest,
) -> Result<Response, Fault> {
    let _turn = state.shared.event_turns.take().await;
    let bytes: Bytes = read(request.into_body(), &state, EVENTS_BYTES_MAX.min(state.config.body_bytes_max)).await?;
    let text = std::str::from_utf8(&bytes).map_err(|problem| {
        let line = bytes[..problem.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::request("invalid_json", format!("Line {line} of the body is no text in UTF-8."))
    })?;
    let sent = match form {
        Form::Array => event_body::array(text)?,
        Form::Lines => event_body::lines(text)?,
    };
    let (places, usages) = sort(&state, &sent).await?;
    let outcomes = state.studio.record_usage(usages).await?;
    let reply = reply(&sent, places, outcomes);
    Ok(([(header::CONTENT_TYPE, "application/json")], reply).into_response())
}

/// Sorts events by their accounts, which are looked up once each.
async fn sort(state: &AppState, sent: &[Sent<'_>]) -> Result<(Vec<Place>, Vec<Usages>), Fault> {
    let (mut places, mut usages) = (Vec::with_capacity(sent.len()), Vec::new());
    let mut named: HashMap<&str, Option<usize>> = HashMap::new();
    let mut by_id: HashMap<AccountId, usize> = HashMap::new();
    let mut last: Option<(&str, usize)> = None;
    let mut reader = Reader::default();
    for sent in sent {
        let event = match reader.event(sent) {
            Ok(event) => event,
            Err(wrong) => {
                places.push(Place::Wrong(wrong));
                continue;
            }
        };
        let at = match last.filter(|(name, _)| *name == event.account) {
            Some((_, at)) => Some(at),
            None => match named.get(event.account) {
                Some(at) => *at,
                None => {
                    let id = account(state, event.account).await?;
                    let at = id.map(|id| {
                        *by_id.entry(id).or_insert_with(|| {
                            usages.push(Usages::of(id));
                            usages.len() - 1
                        })
                    });
                    named.insert(event.account, at);
                    at
                }
            },
        };
        let Some(at) = at else {
            places.push(Place::NoAccount);
            continue;
        };
        last = Some((event.account, at));
        usages[at].push(event.id, event.usage, event.spender, event.happened_at, event.fingerprint);
        places.push(Place::Usages(at));
    }
    Ok((places, usages))
}

/// Returns the account of an id or a name. An id is not looked up: the charge itself finds whether it exists.
async fn account(state: &AppState, text: &str) -> Result<Option<AccountId>, Fault> {
    match text.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Ok(state.studio.store.account_named(text).await?.map(|account| account.id)),
    }
}

/// Returns the reply's JSON.
fn reply(sent: &[Sent<'_>], places: Vec<Place>, outcomes: Vec<Vec<EventOutcome>>) -> Vec<u8> {
    let mut outcomes: Vec<_> = outcomes.into_iter().map(Vec::into_iter).collect();
    let (mut charged, mut duplicate, mut refused, mut invalid) = (0, 0, 0, 0);
    let mut results = Vec::with_capacity(96 * sent.len() + 2);
    for (sent, place) in sent.iter().zip(places) {
        results.push(if results.is_empty() { b'[' } else { b',' });
        let id = match &sent.id {
            Value::Text(id) if id.len() <= medici_ledger::EXTERNAL_ID_MAX => Some(&**id),
            _ => None,
        };
        let outcome = match place {
            Place::Usages(at) => outcomes[at].next().expect("each event has an outcome"),
            Place::NoAccount => EventOutcome::Refused(EventRefused::NoAccount),
            Place::Wrong(Wrong { code, detail }) => {
                invalid += 1;
                let (code, detail) = (Some(code), Some(detail));
                put(&mut results, &ResultBody { id, outcome: "invalid", code, detail, available: None });
                continue;
            }
        };
        match outcome {
            EventOutcome::Charged(credits) => {
                charged += 1;
                put_settled(&mut results, id, "charged", credits);
            }
            EventOutcome::Duplicate(credits) => {
                duplicate += 1;
                put_settled(&mut results, id, "duplicate", credits);
            }
            EventOutcome::Refused(problem) => {
                refused += 1;
                put(&mut results, &refusal(id, &problem));
            }
        }
    }
    if results.is_empty() {
        results.push(b'[');
    }
    let mut json =
        format!(r#"{{"charged":{charged},"duplicate":{duplicate},"refused":{refused},"invalid":{invalid},"results":"#)
            .into_bytes();
    json.reserve_exact(results.len() + 2);
    json.extend_from_slice(&results);
    json.extend_from_slice(b"]}");
    json
}

/// Writes what became of an event that is charged. Without a serializer: nearly all outcomes of a request are these.
fn put_settled(json: &mut Vec<u8>, id: Option<&str>, outcome: &str, credits: Credits) {
    json.extend_from_slice(br#"{"id":"#);
    match id.filter(|id| !id.bytes().any(|byte| matches!(byte, b'"' | b'\\'))) {
        // An id that was charged is of visible characters.
        Some(id) => {
            json.push(b'"');
            json.extend_from_slice(id.as_bytes());
            json.push(b'"');
        }
        None => put(json, &id),
    }
    json.extend_from_slice(br#","outcome":""#);
    json.extend_from_slice(outcome.as_bytes());
    write!(json, r#"","credits":"{credits}"}}"#).expect("writing to memory cannot fail");
}

fn put<T: Serialize>(json: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(json, value).expect("writing to memory cannot fail");
}

fn refusal<'a>(id: Option<&'a str>, refused: &EventRefused) -> ResultBody<'a> {
    let available = match refused {
        EventRefused::Ledger(Refusal::InsufficientCredits { available, .. }) => Some(Text(*available)),
        _ => None,
    };
    let code = match refused {
        EventRefused::Reused(_) => "idempotency_key_reused",
        EventRefused::NoPrice(QuoteError::NothingAsked) => "integer_below_min_value",
        EventRefused::NoPrice(QuoteError::TooMany { .. }) => "integer_above_max_value",
        EventRefused::NoPrice(QuoteError::NoPrice { .. } | QuoteError::NoSize { .. } | QuoteError::NoMeter { .. }) => {
            "no_price"
        }
        EventRefused::Ledger(Refusal::NotOpen) | EventRefused::NoAccount => "not_found",
        EventRefused::Ledger(refusal) => refusal.code(),
    };
    let detail = Some(sentence(refused));
    ResultBody { id, outcome: "refused", code: Some(code), detail, available }
}

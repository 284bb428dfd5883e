//! The three calls for pictures: from a request to a job, paid for with credits, and to its reply.

use axum::{
    extract::{Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use medici_ledger::{
    Credits,
    idempotency::{Fingerprint, Keep},
};
use medici_studio::{Finished, JobState, KeyUse, Outcome};
use tracing::Instrument;

use super::{
    attempts::{Arriving, Waiting, join_earlier},
    images_body,
    looks::Call,
    request::{self, Asked},
    stream,
};
use crate::{
    auth::AccountCaller,
    error::Fault,
    idempotency::{key, key_use},
    rate_limit::RateNote,
    reply::{CreditHeaders, Replayed},
    state::AppState,
};

pub(crate) const GENERATIONS: &str = "/v1/images/generations";
pub(crate) const EDITS: &str = "/v1/images/edits";
pub(crate) const VARIATIONS: &str = "/v1/images/variations";

/// Draws pictures from a prompt.
pub(crate) async fn generate(
    State(state): State<AppState>,
    caller: AccountCaller,
    request: Request,
) -> Result<Response, Fault> {
    answer(&state, caller, Call::Generate, request).await
}

/// Changes a picture where its mask says.
pub(crate) async fn edit(
    State(state): State<AppState>,
    caller: AccountCaller,
    request: Request,
) -> Result<Response, Fault> {
    answer(&state, caller, Call::Edit, request).await
}

/// Draws pictures that are like another.
pub(crate) async fn vary(
    State(state): State<AppState>,
    caller: AccountCaller,
    request: Request,
) -> Result<Response, Fault> {
    answer(&state, caller, Call::Vary, request).await
}

fn path(call: Call) -> &'static str {
    match call {
        Call::Generate => GENERATIONS,
        Call::Edit => EDITS,
        Call::Vary => VARIATIONS,
    }
}

async fn answer(state: &AppState, caller: AccountCaller, call: Call, request: Request) -> Result<Response, Fault> {
    let headers = request.headers().clone();
    let note = request.extensions().get::<RateNote>().cloned().unwrap_or_default();
    let key = key(&headers)?;
    let sent = request::read(call, request, state).await?;
    // Of what the client sent, not of what it means: the same request is the same after an update.
    let body = sent.canonical();
    let asked = Asked::read(call, sent, state)?;
    let ours = caller.key.as_u128().to_be_bytes();
    let attempt = Fingerprint::of([path(call).as_bytes(), ours.as_slice(), &body]);
    let implicit = key.is_none().then_some(attempt);
    let earlier = match implicit.filter(|_| is_retry(&headers)) {
        Some(attempt) => join_earlier(state, caller.account, &attempt).await,
        None => None,
    };
    let fingerprint = Fingerprint::of([body.as_slice()]);
    let key = key.map(|key| key_use(caller.account, path(call), key, fingerprint, Keep::Day));
    let (asked, waiting, replayed) = match earlier {
        Some(waiting) => (asked, waiting, true),
        None => match accept(state, caller, asked, key, implicit, note).await {
            Ok(accepted) => accepted,
            // What could have used credits tells how many there are, most of all where they are too few.
            Err(fault) => {
                let credits = CreditHeaders { charged: Credits::ZERO, balance: balance(state, caller) };
                return Ok((credits, fault).into_response());
            }
        },
    };
    match asked.looks.stream {
        Some(_) => stream::reply(state, caller, asked, waiting, replayed).await,
        None => finish(state, caller, &asked, replayed, waiting).await,
    }
}

/// Submits a request and begins to wait for its job. Returns whether it is a repeat, too.
///
/// Runs beside the request: a client that goes away while the hold is being committed must leave somebody who
/// knows of the job, or it would be drawn and paid for nobody.
async fn accept(
    state: &AppState,
    caller: AccountCaller,
    asked: Asked,
    key: Option<KeyUse>,
    implicit: Option<Fingerprint>,
    note: RateNote,
) -> Result<(Asked, Waiting, bool), Fault> {
    let arriving = Arriving::begin(state, implicit);
    let state = state.clone();
    let submitting = async move {
        let mut asked = asked;
        let (given, size) = asked.given(&state, caller).await?;
        let mut submit = asked.submission(caller, fresh_seed(state.studio.ids.secret()), size);
        submit.attended = key.is_none();
        submit.key = key;
        let family = asked.looks.profile.family;
        let ticket = state.submit(submit, given, &note).await.map_err(|fault| fault.for_family(family))?;
        Ok((asked, arriving.got(caller.account, ticket.job), ticket.replayed))
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
    asked: &Asked,
    replayed: bool,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let finished = state.studio.finished(waiting.job()).await?;
    let finished = finished.filter(|finished| finished.job.account == caller.account);
    let finished = finished.ok_or(Fault::NotFound { what: "job" })?;
    let credits = |charged| CreditHeaders { charged, balance: balance(state, caller) };
    match ending(&finished) {
        Err(fault) => {
            let fault = state.stopping(fault);
            // A retry after a failure is a new request, unless a key says that it is the old one.
            waiting.answered();
            let fault = fault.for_family(asked.looks.profile.family);
            Ok((credits(Credits::ZERO), Replayed(replayed), fault).into_response())
        }
        Ok(charged) => {
            let told = credits(charged);
            let Some(body) = images_body::json(state, &finished, &asked.looks, told).await? else {
                // A job that is done has drawn some: they were deleted one by one.
                waiting.answered();
                return Ok((credits(Credits::ZERO), Replayed(replayed), Fault::Deleted).into_response());
            };
            let mut response = Response::new(waiting.body(body));
            images_body::as_json(response.headers_mut());
            Ok((told, Replayed(replayed), response).into_response())
        }
    }
}

/// Returns what a job that has ended was charged, or how it failed.
pub(super) fn ending(finished: &Finished) -> Result<Credits, Fault> {
    match &finished.job.state {
        _ if finished.job.deleted_at.is_some() => Err(Fault::Deleted),
        JobState::Done { outcome: Outcome::Charged { amount }, .. } => Ok(*amount),
        JobState::Done { outcome: Outcome::Free | Outcome::Uncollected { .. }, .. } => Ok(Credits::ZERO),
        JobState::Failed { reason, .. } => Err(Fault::JobFailed { reason: *reason }),
        JobState::Cancelled { .. } => Err(Fault::JobCancelled),
        JobState::Queued | JobState::Running(_) => unreachable!("a finished job has ended"),
    }
}

/// Returns what the caller has now.
pub(super) fn balance(state: &AppState, caller: AccountCaller) -> Credits {
    state.studio.balances(caller.account).map_or(Credits::ZERO, |balances| balances.available)
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

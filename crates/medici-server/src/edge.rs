//! The edge: what is done to every request and every reply, in one layer.
//!
//! Refuses what could be read in two ways, names the request, catches a panic, writes failures in the dialect
//! of the path, and adds the headers that everything carries.

use std::{panic::AssertUnwindSafe, sync::Arc, sync::OnceLock};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use medici_ledger::AccountId;
use tracing::Instrument;

use crate::{
    api::problem,
    error::Fault,
    rate_limit::RateNote,
    state::{AppState, ServerConfig},
    v1,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROCESSING_MS: HeaderName = HeaderName::from_static("openai-processing-ms");
const VERSION: HeaderName = HeaderName::from_static("openai-version");
const ORGANIZATION: HeaderName = HeaderName::from_static("openai-organization");
/// The version of its API that OpenAI's replies name.
const OPENAI_VERSION: HeaderValue = HeaderValue::from_static("2020-10-01");

/// Where the account of a `/v1` request is noted once its key is known, for the header that names it.
#[derive(Clone, Default)]
pub(crate) struct Organization(pub(crate) Arc<OnceLock<AccountId>>);

/// Says that the bytes of a connection could be read in two ways, and how. The connection is closed after it.
#[derive(Clone, Copy)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// The layer around everything.
pub(crate) async fn edge(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let begun = state.studio.clock.now();
    let id = format!("req_{:032x}", state.studio.ids.next());
    let close = request.extensions().get::<Malformed>().is_some();
    let openai = v1::is_v1(request.uri().path());
    let organization = openai.then(Organization::default);
    if let Some(organization) = &organization {
        request.extensions_mut().insert(organization.clone());
    }
    let rates = RateNote::default();
    request.extensions_mut().insert(rates.clone());
    let mut response = match check(&state.config, &request) {
        Err(fault) => fault.into_response(),
        Ok(()) => {
            let span = tracing::info_span!("request", %id);
            let run = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span);
            run.await.unwrap_or_else(|panic| {
                tracing::error!(%id, "A handler panicked: {}", panic_message(&*panic));
                Fault::Internal.into_response()
            })
        }
    };
    if let Some(fault) = response.extensions_mut().remove::<Fault>() {
        let refused = if openai { v1::error::write(&fault) } else { problem::write(&fault) };
        refused.write_over(&mut response);
    }
    let text = |text: &str| HeaderValue::from_str(text).expect("letters and digits make a header");
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, text(&id));
    if close {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(levels) = rates.0.get() {
        levels.write(headers);
    }
    if let Some(organization) = organization {
        let took = state.studio.clock.now().since(begun).as_millis();
        headers.insert(PROCESSING_MS, HeaderValue::from(u64::try_from(took).unwrap_or(u64::MAX)));
        headers.insert(VERSION, OPENAI_VERSION);
        if let Some(account) = organization.0.get() {
            headers.insert(ORGANIZATION, text(&account.to_string()));
        }
    }
    response
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// Refuses requests that another server in front of us could read differently, and names that are not ours.
fn check(config: &ServerConfig, request: &Request) -> Result<(), Fault> {
    let headers = request.headers();
    let count = |name: HeaderName| headers.get_all(name).iter().count();
    let malformed = |message: &str| Err(Fault::request("malformed_request", message));
    if let Some(Malformed(message)) = request.extensions().get::<Malformed>() {
        return malformed(message);
    }
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return malformed("A request has either Content-Length or Transfer-Encoding.");
    }
    if count(header::CONTENT_LENGTH) > 1 || count(header::TRANSFER_ENCODING) > 1 {
        return malformed("A request states the length of its body once.");
    }
    if count(header::HOST) != 1 {
        return malformed("A request has one Host header.");
    }
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
    if encoded {
        return Err(Fault::UnsupportedMedia { message: "A request's body is sent without Content-Encoding." });
    }
    // Probes of an orchestrator come by address, and learn nothing.
    if matches!(request.uri().path(), "/healthz" | "/readyz") {
        return Ok(());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let authority = request.uri().authority().map_or(host, |authority| authority.as_str());
    if authority != host || !config.is_our_host(host) {
        return Err(Fault::ForeignHost);
    }
    Ok(())
}

//! The owner's session in the web app: a one-time token in the printed URL becomes a signed cookie.
//!
//! Sign-in with accounts comes later; until then whoever started the server is the only person of the pages.

use std::sync::atomic::Ordering;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use medici_ledger::AccountId;
use subtle::ConstantTimeEq;

use crate::{
    error::Fault,
    sign::{Purpose, sign, verify},
    state::{AppState, ServerConfig},
};

/// How long a browser stays signed in.
const SESSION_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A signed-in browser: the extractor of every page and of everything a page calls.
///
/// On a method that changes something it also demands that the request came from our own pages. A refusal
/// carries its [`Fault`], so that pages may say it in their own words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    /// Whose pages these are.
    pub(crate) account: AccountId,
}

impl FromRequestParts<AppState> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let Some(account) = signed_in(state, &parts.headers) else {
            return Err(Fault::NoSession.into_response());
        };
        if !parts.method.is_safe() && !from_our_pages(&parts.headers) {
            return Err(Fault::ForeignOrigin.into_response());
        }
        Ok(Self { account })
    }
}

/// Turns the token of the printed URL, `/?token=…`, into the owner's cookie. Wraps the pages' routes.
pub(crate) async fn sign_in(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let token = token_of(&request);
    let Some(token) = token else { return next.run(request).await };
    if signed_in(&state, request.headers()).is_some() {
        return home(None);
    }
    // A browser that loads pages ahead of time, or somebody's link preview, must not use the token up.
    let ahead = ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .any(|name| request.headers().get(*name).is_some_and(|value| value.as_bytes().starts_with(b"prefetch")));
    if ahead {
        return (StatusCode::SERVICE_UNAVAILABLE, no_store()).into_response();
    }
    let right: bool = token.as_bytes().ct_eq(state.config.sign_in_token.as_bytes()).into();
    if !right || state.config.sign_in_token.is_empty() {
        return closed(WRONG_TOKEN);
    }
    if state.shared.token_used.swap(true, Ordering::SeqCst) {
        return closed(USED_TOKEN);
    }
    home(Some(cookie(&state)))
}

fn token_of(request: &Request) -> Option<String> {
    let wanted = request.method() == Method::GET && request.uri().path() == "/";
    let query = request.uri().query().filter(|_| wanted)?;
    query.split('&').find_map(|pair| pair.strip_prefix("token=")).map(str::to_owned)
}

fn home(cookie: Option<String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")], no_store()).into_response();
    if let Some(cookie) = cookie {
        let cookie = HeaderValue::from_str(&cookie).expect("letters, digits and punctuation make a header");
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn no_store() -> [(header::HeaderName, &'static str); 2] {
    [(header::CACHE_CONTROL, "no-store"), (header::REFERRER_POLICY, "no-referrer")]
}

/// The cookie's name. Over TLS the prefix ties it to this very host.
fn cookie_name(config: &ServerConfig) -> &'static str {
    if config.is_secure() { "__Host-medici" } else { "medici" }
}

fn cookie(state: &AppState) -> String {
    let ends = state.studio.clock.now().micros() / 1_000_000 + SESSION_SECONDS;
    let body = format!("{}.{ends}", state.config.owner);
    let signature = sign(&state.config.signing_secret, Purpose::Session, &body);
    let secure = if state.config.is_secure() { "; Secure" } else { "" };
    let name = cookie_name(&state.config);
    format!("{name}={body}.{signature}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax{secure}")
}

/// Returns whose session the cookie is, if it is ours and has not ended.
fn signed_in(state: &AppState, headers: &HeaderMap) -> Option<AccountId> {
    let name = cookie_name(&state.config);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut ours = cookies.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    });
    ours.find_map(|value| {
        let (body, signature) = value.rsplit_once('.')?;
        if !verify(&state.config.signing_secret, Purpose::Session, body, signature) {
            return None;
        }
        let (account, ends) = body.split_once('.')?;
        let ends: i64 = ends.parse().ok()?;
        let live = state.studio.clock.now().micros() / 1_000_000 < ends;
        let account: AccountId = account.parse().ok()?;
        (live && account == state.config.owner).then_some(account)
    })
}

/// Returns whether a request that changes something came from a page of this very origin.
///
/// `Sec-Fetch-Site` decides where a browser sends it, else `Origin`. Neither is no browser of today.
fn from_our_pages(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    // The Host header has been checked to be one of ours before anything else.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match (origin.and_then(|origin| origin.split_once("://")), host) {
        (Some(("http" | "https", origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

const WRONG_TOKEN: &str = "This address is not the one that the running server printed. A server prints a new \
    one each time it starts.";
const USED_TOKEN: &str = "This address has been used already, in another browser. Restart <code>medici \
    serve</code> for a new one.";

fn closed(words: &'static str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Medici</title></head>\
         <body style=\"font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto; padding: 0 1rem\">\
         <h1>Medici</h1><p>{words}</p></body></html>"
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let guards = [(header::CONTENT_SECURITY_POLICY, policy), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (StatusCode::UNAUTHORIZED, guards, no_store(), Html(page)).into_response()
}

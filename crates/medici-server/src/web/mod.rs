//! The web app: pages, their files, and the news of a job.
//!
//! Owns: what a person sees. Every word of it is in `strings`, all markup in `templates/`, all style and
//! behaviour in `assets/`. Everything works by plain forms and links; the script only makes it live.
//! Never does: price, hold, draw or judge; a handler asks the studio and shows what it says.
//!
//! Invariants:
//! - No page carries script or style of its own, so the policy below can refuse them.
//! - A form that costs credits carries an idempotency key made for that rendering of it.

mod api_page;
mod api_samples;
mod api_words;
mod card;
mod create;
mod credits_chip;
mod events;
mod home;
mod jobs;
mod page;
mod price_words;
mod prices;
mod strings;
mod visitor;
mod zone;

mod assets;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};

use crate::{AppState, error::Fault};

/// The largest form of a page, in bytes: the longest prompt, each of its characters escaped, and a few words.
const FORM_BYTES_MAX: usize = 512 * 1024;

/// What pages may load and do: our own files, and previews that came with the page.
const POLICY: &str = "default-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Returns the routes of the pages.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(home::home))
        .route("/create", post(create::create))
        .route("/surprise", get(create::surprise))
        .route("/jobs/{id}", get(jobs::show))
        .route("/jobs/{id}/card", get(jobs::show_card))
        .route("/jobs/{id}/events", get(events::events))
        .route("/jobs/{id}/cancel", post(jobs::cancel))
        .route("/jobs/{id}/images/{number}", get(jobs::image))
        .route("/prices", get(prices::show))
        .route("/docs/api", get(api_page::show))
        .route("/assets/{file}", get(assets::serve))
        .route("/{*path}", any(nowhere))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(axum::middleware::map_response(guarded))
}

/// Answers for every address that nobody else answers for: with a page to a person, else in the dialect of the
/// path.
async fn nowhere(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let machine = ["/v1/", "/api/"].iter().any(|prefix| uri.path().starts_with(prefix));
    let reads_pages = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if machine || method != Method::GET || !reads_pages.is_some_and(|accept| accept.contains("text/html")) {
        return Fault::NoRoute.into_response();
    }
    page::not_found(&headers)
}

/// Adds what keeps a page from being used for something else.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let guards = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in guards {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

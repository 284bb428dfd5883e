//! What surrounds every page, and the pages that say only one thing.

use askama::Template;
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use medici_ledger::Balances;
use tracing::error;

use super::{assets, credits_chip::CreditsChip, strings, visitor::Theme, zone::Zone};

/// What surrounds a page: its title, its files, and the credits of whoever looks at it.
pub(super) struct Frame {
    pub(super) title: &'static str,
    pub(super) theme: Option<Theme>,
    pub(super) style: String,
    pub(super) script: String,
    pub(super) icon: String,
    pub(super) chip: Option<CreditsChip>,
    /// Whether a browser without scripts should load the page again, to see how a job goes.
    pub(super) refresh: bool,
}

impl Frame {
    pub(super) fn new(title: &'static str, theme: Option<Theme>) -> Self {
        let (style, script, icon) = (assets::style_url(), assets::script_url(), assets::icon_url());
        Self { title, theme, style, script, icon, chip: None, refresh: false }
    }

    pub(super) fn with_credits(self, balances: Option<&Balances>, zone: &Zone) -> Self {
        Self { chip: balances.map(|balances| CreditsChip::new(balances, zone)), ..self }
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    frame: Frame,
    heading: &'static str,
    hint: &'static str,
    way_back: bool,
}

/// Answers with a page. Pages are made for one person at one moment, so nobody keeps them.
pub(super) fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(body) => {
            let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
            (status, headers, body).into_response()
        }
        Err(cause) => {
            error!(%cause, "A page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn message(
    status: StatusCode,
    headers: &HeaderMap,
    heading: &'static str,
    hint: &'static str,
    way_back: bool,
) -> Response {
    let frame = Frame::new(heading, Theme::of(headers));
    html(status, &Message { frame, heading, hint, way_back })
}

/// The page for an address that leads nowhere. `404`
pub(super) fn not_found(headers: &HeaderMap) -> Response {
    message(StatusCode::NOT_FOUND, headers, strings::NOT_FOUND, strings::NOT_FOUND_HINT, true)
}

/// The page for a browser without the owner's cookie. `401`
pub(super) fn signed_out(headers: &HeaderMap) -> Response {
    message(StatusCode::UNAUTHORIZED, headers, strings::SIGNED_OUT, strings::SIGNED_OUT_HINT, false)
}

/// The page for a form that another site sent. `403`
pub(super) fn elsewhere(headers: &HeaderMap) -> Response {
    message(StatusCode::FORBIDDEN, headers, strings::ELSEWHERE, strings::ELSEWHERE_HINT, true)
}

/// The page for a form that cannot be read. `400`
pub(super) fn unreadable(headers: &HeaderMap) -> Response {
    message(StatusCode::BAD_REQUEST, headers, strings::UNREADABLE, strings::UNREADABLE_HINT, true)
}

/// The page for a failure of ours, which is logged here and said nowhere else. `503`
pub(super) fn broken(headers: &HeaderMap, cause: &dyn std::error::Error) -> Response {
    let source = cause.source().map(ToString::to_string).unwrap_or_default();
    error!(%cause, %source, "A page could not be made");
    message(StatusCode::SERVICE_UNAVAILABLE, headers, strings::BROKEN, strings::BROKEN_HINT, true)
}

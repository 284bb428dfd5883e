//! Who looks at a page, and how they like to see it.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
    response::Response,
};
use medici_ledger::{AccountId, Balances};

use super::{
    page::{self, Frame},
    zone::{Zone, cookie},
};
use crate::{AppState, error::Fault, session::Session};

/// The person whose browser carries the session's cookie.
pub(super) struct Visitor {
    /// Whose studio they look at.
    pub(super) account: AccountId,
    /// Their days and hours.
    pub(super) zone: Zone,
    /// The theme they chose, if they did.
    pub(super) theme: Option<Theme>,
    /// Whether a script asks, which wants a part of a page and not all of it.
    pub(super) wants_part: bool,
}

/// A choice against what the system prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Returns the theme that a browser's cookie remembers.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        match cookie(headers, "theme") {
            Some("light") => Some(Self::Light),
            Some("dark") => Some(Self::Dark),
            _ => None,
        }
    }

    /// Returns the theme's word in the pages' markup and in the cookie.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Visitor {
    /// Returns what the account has now. An account that is gone has nothing.
    pub(super) fn balances(&self, state: &AppState) -> Option<Balances> {
        state.studio.balances(self.account)
    }

    /// Returns what surrounds a page for this visitor.
    pub(super) fn frame(&self, title: &'static str, balances: Option<&Balances>) -> Frame {
        Frame::new(title, self.theme).with_credits(balances, &self.zone)
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        // What a session is, and whether a form came from our own pages, is the session's to say; here it only
        // gets the words of the pages.
        let session = Session::from_request_parts(parts, state).await.map_err(|refused| {
            match refused.extensions().get::<Fault>() {
                Some(Fault::NoSession) => page::signed_out(&parts.headers),
                Some(Fault::ForeignOrigin) => page::elsewhere(&parts.headers),
                Some(_) | None => refused,
            }
        })?;
        Ok(Self {
            account: session.account,
            zone: Zone::of(&parts.headers, state.studio.clock.now()),
            theme: Theme::of(&parts.headers),
            wants_part: parts.headers.contains_key("x-part"),
        })
    }
}

//! The prices page: what is in force, what comes, what was, and what changed with each version.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use medici_ledger::{PriceVersion, Timestamp};
use medici_studio::PublishedVersion;

use super::{
    page::{self, Frame},
    price_words::{self, Offer},
    strings,
    visitor::Visitor,
};
use crate::AppState;

#[derive(Template)]
#[template(path = "prices.html")]
struct PricesPage {
    frame: Frame,
    /// What comes, soonest last; what is in force; what was, newest first.
    versions: Vec<VersionView>,
}

struct VersionView {
    /// The anchor by which a link leads here.
    anchor: String,
    heading: String,
    machine: String,
    in_force: bool,
    upcoming: bool,
    /// When and why it was published.
    note: Option<String>,
    sections: Vec<Section>,
}

/// What is sold of one kind.
struct Section {
    heading: &'static str,
    rows: Vec<Row>,
}

/// One thing that is sold, beside what the version before said of it.
struct Row {
    name: String,
    terms: String,
    before: Option<String>,
}

/// `GET /prices`
pub(super) async fn show(State(state): State<AppState>, visitor: Visitor, headers: HeaderMap) -> Response {
    let (book, now) = (state.studio.prices(), state.studio.clock.now());
    let published = match state.studio.store.price_versions().await {
        Ok(published) => published,
        Err(error) => return page::broken(&headers, &error),
    };
    let versions = book.versions();
    let views = (0..versions.len()).rev().map(|at| {
        let row = published.iter().find(|row| row.effective_at == versions[at].effective_at);
        view(versions, at, now, row, &visitor)
    });
    let balances = visitor.balances(&state);
    let frame = visitor.frame(strings::PRICES_TITLE, balances.as_ref());
    page::html(StatusCode::OK, &PricesPage { frame, versions: views.collect() })
}

fn view(
    versions: &[PriceVersion],
    at: usize,
    now: Timestamp,
    row: Option<&PublishedVersion>,
    visitor: &Visitor,
) -> VersionView {
    let version = &versions[at];
    let until = versions.get(at + 1).map(|next| next.effective_at);
    let upcoming = version.effective_at > now;
    let in_force = !upcoming && until.is_none_or(|until| until > now);
    let day = |at: Timestamp| visitor.zone.day(at);
    let heading = match until {
        _ if upcoming => strings::prices_from(&day(version.effective_at)),
        Some(until) if !in_force => strings::prices_between(&day(version.effective_at), &day(until)),
        _ => strings::prices_since(&day(version.effective_at)),
    };
    VersionView {
        anchor: format!("v{}", version.effective_at.micros()),
        heading,
        machine: version.effective_at.to_string(),
        in_force,
        upcoming,
        note: row.map(|row| strings::prices_published(&day(row.published_at), &row.reason)),
        sections: sections(version, at.checked_sub(1).map(|before| &versions[before])),
    }
}

/// Lists what a version sells, and what it no longer does.
fn sections(version: &PriceVersion, before: Option<&PriceVersion>) -> Vec<Section> {
    type Offers = fn(&PriceVersion) -> Vec<Offer>;
    let kinds: [(&'static str, Offers); 4] = [
        (strings::PRICES_OPERATIONS, price_words::operations),
        (strings::PRICES_PLANS, price_words::plans),
        (strings::PRICES_PACKS, price_words::packs),
        (strings::PRICES_GIFTS, price_words::gifts),
    ];
    let sections = kinds.into_iter().map(|(heading, offers)| {
        let earlier = before.map(offers);
        Section { heading, rows: rows(offers(version), earlier) }
    });
    sections.filter(|section| !section.rows.is_empty()).collect()
}

fn rows(offers: Vec<Offer>, earlier: Option<Vec<Offer>>) -> Vec<Row> {
    let first = earlier.is_none();
    let mut earlier = earlier.unwrap_or_default();
    let mut rows: Vec<Row> = offers
        .into_iter()
        .map(|Offer { name, terms }| {
            let old = earlier.iter().position(|old| old.name == name).map(|place| earlier.remove(place));
            let before = match old {
                Some(old) if old.terms == terms => None,
                Some(old) => Some(strings::prices_before(&old.terms)),
                None if first => None,
                None => Some(strings::PRICES_NEW.to_owned()),
            };
            Row { name, terms, before }
        })
        .collect();
    rows.extend(earlier.into_iter().map(|old| Row {
        name: old.name,
        terms: strings::PRICES_GONE.to_owned(),
        before: Some(strings::prices_before(&old.terms)),
    }));
    rows
}

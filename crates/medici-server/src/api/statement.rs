//! Statements: what happened to an account in a period, as JSON, CSV or a page.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use medici_ledger::{
    Timestamp,
    calendar::{Months, month_of, months_after},
    statement::{Period, Statement},
};
use serde::Deserialize;

use super::credits::{account_of, entries_of};
use crate::{
    auth::Caller,
    documents::StatementOf,
    error::{Fault, sentence},
    query::QueryOf,
    state::AppState,
};

/// What a page that loads and runs nothing may do.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'none'";

/// Whose statement, of when, and how it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementQuery {
    account: Option<String>,
    from: Option<String>,
    to: Option<String>,
    month: Option<String>,
    #[serde(default)]
    format: Format,
}

/// How a statement is written.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
    Html,
}

/// `GET /api/credits/statement`: opening + entries = closing.
pub(crate) async fn statement(
    State(state): State<AppState>,
    caller: Caller,
    QueryOf(query): QueryOf<StatementQuery>,
) -> Result<Response, Fault> {
    let period = period(query.from.as_deref(), query.to.as_deref(), query.month.as_deref())?;
    let account = account_of(&state, caller, query.account.as_deref()).await?;
    let entries = entries_of(&state, account).await?;
    let account = state.studio.store.account(account).await?.ok_or(Fault::NotFound { what: "account" })?;
    let statement = Statement::of(&entries, period);
    let of = StatementOf { account: &account, statement: &statement, made_at: state.studio.clock.now() };
    let private = (header::CACHE_CONTROL, "no-store");
    Ok(match query.format {
        Format::Json => ([private], Json(of.json())).into_response(),
        Format::Csv => {
            let name = format!("attachment; filename=\"statement-{}.csv\"", account.name);
            let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present");
            ([private, kind], [(header::CONTENT_DISPOSITION, name)], of.csv()).into_response()
        }
        Format::Html => {
            let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
            let policy = (header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
            let plain = (HeaderName::from_static("x-content-type-options"), "nosniff");
            ([private, kind, policy, plain], of.html()).into_response()
        }
    })
}

/// Reads a period: a month, or two instants of which each may be missing.
pub(super) fn period(from: Option<&str>, to: Option<&str>, month: Option<&str>) -> Result<Period, Fault> {
    if let Some(text) = month {
        if from.is_some() || to.is_some() {
            return Err(Fault::param("invalid_value", "month", "A period is a month, or from and to."));
        }
        let bad = || Fault::param("invalid_value", "month", "A month such as 2026-11 needed.");
        let first: Timestamp = format!("{text}-01").parse().map_err(|_| bad())?;
        let until = months_after(first, Months::ONE);
        return if text.len() == 7 && month_of(first) == first {
            Ok(Period { from: first, until })
        } else {
            Err(bad())
        };
    }
    let instant = |param, text: Option<&str>, other| match text {
        None => Ok(other),
        Some(text) => self::instant(param, text),
    };
    let period =
        Period { from: instant("from", from, Period::ALWAYS.from)?, until: instant("to", to, Period::ALWAYS.until)? };
    if period.from >= period.until {
        return Err(Fault::param("invalid_value", "to", "A period ends after it begins."));
    }
    Ok(period)
}

/// Reads an instant.
pub(super) fn instant(param: &'static str, text: &str) -> Result<Timestamp, Fault> {
    text.parse().map_err(|problem| Fault::param("invalid_value", param, sentence(&problem)))
}

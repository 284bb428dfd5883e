//! Reports over all accounts, for the operator.

use axum::{Json, extract::State};
use medici_ledger::{
    calendar::MONTHS_MAX,
    report::{Basis, Grouping, Report, Reporting},
};
use serde::Deserialize;
use serde_json::Value;

use super::statement::{instant, period};
use crate::{
    auth::AdminCaller,
    documents::{report_json, trial_balance_json},
    error::Fault,
    query::QueryOf,
    state::AppState,
};

/// A report's period, and how it is divided.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevenueQuery {
    from: Option<String>,
    to: Option<String>,
    by: Option<By>,
    #[serde(default)]
    basis: BasisText,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Month,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BasisText {
    #[default]
    Effective,
    Recorded,
}

impl From<BasisText> for Basis {
    fn from(text: BasisText) -> Self {
        match text {
            BasisText::Effective => Self::Effective,
            BasisText::Recorded => Self::Recorded,
        }
    }
}

/// `GET /api/reports/revenue`: what was received, earned and is still owed, per currency and period.
pub(crate) async fn revenue(
    State(state): State<AppState>,
    _: AdminCaller,
    QueryOf(query): QueryOf<RevenueQuery>,
) -> Result<Json<Value>, Fault> {
    let period = period(query.from.as_deref(), query.to.as_deref(), None)?;
    let grouping = query.by.map_or(Grouping::Whole, |By::Month| Grouping::Month);
    let too_long = |_| Fault::param("invalid_value", "to", format!("A report has at most {MONTHS_MAX} months."));
    let reporting = Reporting::new(period, grouping, query.basis.into()).map_err(too_long)?;
    Ok(Json(report_json(&fed(&state, reporting).await?)))
}

/// The instant of a trial balance.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialQuery {
    at: Option<String>,
    #[serde(default)]
    basis: BasisText,
}

/// `GET /api/reports/trial-balance`: the sum of every ledger account; zero in each unit.
pub(crate) async fn trial_balance(
    State(state): State<AppState>,
    _: AdminCaller,
    QueryOf(query): QueryOf<TrialQuery>,
) -> Result<Json<Value>, Fault> {
    let at = query.at.as_deref().map_or_else(|| Ok(state.studio.clock.now()), |text| instant("at", text))?;
    let report = fed(&state, Reporting::until(at, query.basis.into())).await?;
    let mut value = trial_balance_json(&report);
    value["at"] = at.to_string().into();
    Ok(Json(value))
}

async fn fed(state: &AppState, mut reporting: Reporting) -> Result<Report, Fault> {
    state.studio.each_entry(|entry| reporting.feed(entry)).await?;
    Ok(reporting.finish())
}

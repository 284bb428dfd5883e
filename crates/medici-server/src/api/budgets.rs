//! Budgets: how much of an account's credits may be spent in a day, a month or for ever, and by whom.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use medici_ledger::{AccountId, Budget, BudgetPeriod, Command, Credits, Subject, Timestamp, Wallet};
use medici_studio::{ApiKeyId, Done};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    accounts::{found, parse},
    change::{Change, answer},
    credits::{Whose, account_of},
};
use crate::{
    auth::{AdminCaller, Caller},
    error::Fault,
    query::{PathText, PathTexts, QueryOf},
    state::AppState,
    wire::Text,
};

pub(super) const BUDGET: &str = "/api/accounts/{id}/budgets/{subject}/{period}";

#[derive(Serialize)]
pub(super) struct BudgetBody {
    /// `account`, a member or an API key.
    subject: Text<Subject>,
    period: &'static str,
    limit: Text<Credits>,
    /// What is used in the window that runs.
    used: Text<Credits>,
    since: Text<Timestamp>,
}

impl BudgetBody {
    /// Writes all budgets of an account as they are at its own time.
    pub(super) fn all(wallet: &Wallet, now: Timestamp) -> Vec<Self> {
        let now = wallet.own_time(now);
        let body = |budget: &Budget| Self {
            subject: Text(budget.subject),
            period: budget.period.as_str(),
            limit: Text(budget.limit),
            used: Text(budget.used_at(now)),
            since: Text(budget.since),
        };
        wallet.budgets().iter().map(body).collect()
    }
}

/// A bound.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitBody {
    limit: String,
}

/// `PUT /api/accounts/{id}/budgets/{subject}/{period}`: sets or changes a budget. A repeat changes nothing.
pub(super) async fn set(
    State(state): State<AppState>,
    _: AdminCaller,
    PathTexts((account, subject, period)): PathTexts<(String, String, String)>,
    change: Change<LimitBody>,
) -> Result<Response, Fault> {
    let limit: Credits = parse("limit", &change.body.limit)?;
    let (subject, period) = (subject_of(&subject)?, period_of(&period)?);
    let account = found(&state, &account).await?.id;
    if let Subject::Key(key) = subject {
        // A budget of a key that does not exist would bound nothing: more likely a typing error.
        let known = state.studio.store.api_key_by_id(ApiKeyId::from_u128(key.as_u128())).await?;
        known.ok_or(Fault::NotFound { what: "API key" })?;
    }
    let key = change.key(account, BUDGET, &[&subject.to_string(), period.as_str()]);
    let command = Command::SetBudget { subject, period, limit: Some(limit) };
    let done = state.studio.run_command(account, command, key).await?;
    Ok(told(&state, &done))
}

/// `DELETE /api/accounts/{id}/budgets/{subject}/{period}`: removes a budget. A repeat changes nothing.
pub(super) async fn remove(
    State(state): State<AppState>,
    _: AdminCaller,
    PathTexts((account, subject, period)): PathTexts<(String, String, String)>,
) -> Result<Response, Fault> {
    let (subject, period) = (subject_of(&subject)?, period_of(&period)?);
    let account = found(&state, &account).await?.id;
    let command = Command::SetBudget { subject, period, limit: None };
    let done = state.studio.run_command(account, command, None).await?;
    Ok(told(&state, &done))
}

/// `GET /api/accounts/{id}/budgets`.
pub(super) async fn list(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
) -> Result<Json<Value>, Fault> {
    let account = found(&state, &account).await?.id;
    Ok(Json(all(&state, account)?))
}

/// `GET /api/budgets`: as above, for an account's own key.
pub(super) async fn own(
    State(state): State<AppState>,
    caller: Caller,
    QueryOf(whose): QueryOf<Whose>,
) -> Result<Json<Value>, Fault> {
    let account = account_of(&state, caller, whose.account.as_deref()).await?;
    Ok(Json(all(&state, account)?))
}

fn all(state: &AppState, account: AccountId) -> Result<Value, Fault> {
    let wallet = state.studio.wallet(account).ok_or(Fault::NotFound { what: "account" })?;
    let budgets = BudgetBody::all(&wallet, state.studio.clock.now());
    Ok(json!({ "account": Text(account), "budgets": budgets }))
}

fn told(state: &AppState, done: &Done) -> Response {
    let budgets = BudgetBody::all(&done.wallet, state.studio.clock.now());
    answer(StatusCode::OK, done, json!({ "budgets": budgets }))
}

fn subject_of(text: &str) -> Result<Subject, Fault> {
    let member = || text.parse().ok().map(Subject::Member);
    let key = || text.parse().ok().map(Subject::Key);
    let known = if text == "account" { Some(Subject::Account) } else { member().or_else(key) };
    let message = "The subject of a budget is account, member_… or key_….";
    known.ok_or_else(|| Fault::param("invalid_value", "subject", message))
}

fn period_of(text: &str) -> Result<BudgetPeriod, Fault> {
    let period = BudgetPeriod::ALL.into_iter().find(|period| period.as_str() == text);
    period.ok_or_else(|| Fault::param("invalid_value", "period", "The period of a budget is day, month or always."))
}

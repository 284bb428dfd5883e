//! Low balances: who is told, and what was told.

use axum::{Json, extract::State};
use medici_ledger::{AccountId, Credits, Timestamp};
use medici_studio::{KeyOwner, LowBalance};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::credits::account_of;
use crate::{
    auth::{AccountCaller, AdminCaller, Caller},
    body::JsonBody,
    error::{Fault, sentence},
    query::{PathText, QueryOf, page_limit},
    state::AppState,
    wire::Text,
};

/// The longest page of alerts.
const ALERTS_MAX: usize = 200;
const ALERTS_DEFAULT: usize = 50;

/// A page of alerts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertsQuery {
    account: Option<String>,
    cursor: Option<u64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(crate) struct AlertsBody {
    /// Whose; null for all accounts.
    account: Option<Text<AccountId>>,
    /// The bound that is set now, of one account.
    below: Option<Text<Credits>>,
    alerts: Vec<AlertBody>,
    next_cursor: Option<u64>,
}

#[derive(Serialize)]
struct AlertBody {
    account: Text<AccountId>,
    seq: u64,
    at: Text<Timestamp>,
    below: Text<Credits>,
    available: Text<Credits>,
}

/// `GET /api/alerts`: what was told, newest first. A service's key, or the operator's, may ask for all accounts.
pub(crate) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    QueryOf(query): QueryOf<AlertsQuery>,
) -> Result<Json<AlertsBody>, Fault> {
    let limit = page_limit(query.limit, ALERTS_DEFAULT, ALERTS_MAX)?;
    let account = match (caller.owner, query.account.as_deref()) {
        (KeyOwner::Service | KeyOwner::Admin, None) => None,
        (_, asked) => Some(account_of(&state, caller, asked).await?),
    };
    let alerts = state.studio.store.low_balances(account, query.cursor, limit).await?;
    let wallet = account.and_then(|account| state.studio.store.wallet(account));
    Ok(Json(AlertsBody {
        account: account.map(Text),
        below: wallet.and_then(|wallet| wallet.alert()).map(|alert| Text(alert.below)),
        // A full page may have another behind it; an empty one then says that it had not.
        next_cursor: alerts.last().filter(|_| alerts.len() == limit).map(|last| last.row),
        alerts: alerts.iter().map(alert_body).collect(),
    }))
}

fn alert_body(alert: &LowBalance) -> AlertBody {
    AlertBody {
        account: Text(alert.account),
        seq: alert.seq,
        at: Text(alert.recorded_at),
        below: Text(alert.below),
        available: Text(alert.available),
    }
}

/// Below what is told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetBody {
    /// A decimal, or null to be told no more; never left out, so that a slip does not silence anybody.
    below: Value,
}

#[derive(Serialize)]
pub(crate) struct SetReply {
    account: Text<AccountId>,
    below: Option<Text<Credits>>,
}

/// `PUT /api/accounts/{id}/alert`: the operator sets below what an account is told.
pub(crate) async fn set(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    JsonBody(body): JsonBody<SetBody>,
) -> Result<Json<SetReply>, Fault> {
    let found = state.studio.find_account(&account).await?;
    put(&state, found.ok_or(Fault::NotFound { what: "account" })?.id, &body).await
}

/// `PUT /api/alerts`: an account sets it for itself.
pub(crate) async fn set_own(
    State(state): State<AppState>,
    caller: AccountCaller,
    JsonBody(body): JsonBody<SetBody>,
) -> Result<Json<SetReply>, Fault> {
    put(&state, caller.account, &body).await
}

async fn put(state: &AppState, account: AccountId, body: &SetBody) -> Result<Json<SetReply>, Fault> {
    let below: Option<Credits> = match &body.below {
        Value::Null => None,
        Value::String(text) => {
            let bad = |problem| Fault::param("invalid_value", "below", sentence(&problem));
            Some(text.parse().map_err(bad)?)
        }
        _ => {
            let message = "A decimal as text, such as \"5\", or null needed.";
            return Err(Fault::param("invalid_type", "below", message));
        }
    };
    if below.is_some_and(Credits::is_zero) {
        let message = "A bound above 0 needed: no balance is below 0. Null removes it.";
        return Err(Fault::param("invalid_value", "below", message));
    }
    state.studio.set_alert(account, below).await?;
    Ok(Json(SetReply { account: Text(account), below: below.map(Text) }))
}

//! Explanations: what one entry did, or everything that happened to one hold.

use axum::{Json, extract::State};
use medici_ledger::{AccountId, Entry, HoldId, explanations};
use serde::Deserialize;
use serde_json::{Value, json};

use super::credits::{account_of, entries_of};
use crate::{
    auth::Caller,
    documents::explanation_json,
    error::{Fault, sentence},
    query::{PathText, QueryOf},
    state::AppState,
    wire::Text,
};

/// Whose entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    account: Option<String>,
}

/// `GET /api/credits/entries/{seq}`: one entry, explained.
pub(crate) async fn entry(
    State(state): State<AppState>,
    caller: Caller,
    PathText(seq): PathText,
    QueryOf(whose): QueryOf<Whose>,
) -> Result<Json<Value>, Fault> {
    let missing = || Fault::NotFound { what: "entry" };
    let account = account_of(&state, caller, whose.account.as_deref()).await?;
    let seq: u64 = seq.parse().map_err(|_| missing())?;
    let explained = explained(&state, account, |entry| entry.seq == seq).await?;
    explained.into_iter().next().map(Json).ok_or_else(missing)
}

/// Returns every entry of a hold or charge, oldest first, explained.
pub(super) async fn of_hold(state: &AppState, account: AccountId, hold: &str) -> Result<Json<Value>, Fault> {
    let bad = |problem| Fault::param("invalid_value", "hold", sentence(&problem));
    let hold: HoldId = hold.parse().map_err(bad)?;
    let explained = explained(state, account, |entry| entry.fact.hold() == Some(hold)).await?;
    if explained.is_empty() {
        return Err(Fault::NotFound { what: "hold" });
    }
    Ok(Json(json!({ "account": Text(account), "hold": Text(hold), "entries": explained })))
}

async fn explained(state: &AppState, account: AccountId, wanted: impl Fn(&Entry) -> bool) -> Result<Vec<Value>, Fault> {
    let entries = entries_of(state, account).await?;
    let explained = explanations(account, &entries, wanted).map_err(|broken| Fault::internal(&broken))?;
    Ok(explained.iter().map(explanation_json).collect())
}

//! Credits given back to a customer, and credits taken back that were given for nothing.

use axum::{extract::State, http::StatusCode, response::Response};
use medici_ledger::{Command, Credits, Fact, GiveBackReason, LotNumber};
use medici_studio::{Captured, GiveBack};
use serde::Deserialize;
use serde_json::json;

use super::{
    accounts::{found, parse},
    change::{Change, answer},
};
use crate::{auth::AdminCaller, error::Fault, query::PathText, state::AppState, wire::Text};

pub(super) const GIVE_BACKS: &str = "/api/accounts/{id}/give-backs";
pub(super) const WITHDRAWALS: &str = "/api/accounts/{id}/withdrawals";

/// Which captured credits are given back, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveBackBody {
    /// A hold, a charge or a job.
    capture: String,
    credits: Option<String>,
    reason: ReasonBody,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReasonBody {
    ServiceFault,
    Goodwill,
}

/// `POST /api/accounts/{id}/give-backs`: gives captured credits back to the lots they came from.
pub(super) async fn give_back(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    change: Change<GiveBackBody>,
) -> Result<Response, Fault> {
    let captured = match change.body.capture.parse() {
        Ok(job) => Captured::Job(job),
        Err(_) => Captured::Hold(parse("capture", &change.body.capture)?),
    };
    let credits: Option<Credits> = change.body.credits.as_deref().map(|text| parse("credits", text)).transpose()?;
    let reason = match change.body.reason {
        ReasonBody::ServiceFault => GiveBackReason::ServiceFault,
        ReasonBody::Goodwill => GiveBackReason::Goodwill,
    };
    let account = found(&state, &account).await?.id;
    let key = change.required_key(account, GIVE_BACKS, &[])?;
    let done = state.studio.give_back(GiveBack { account, captured, credits, reason, key }).await?;
    let thing = match done.entry.as_ref().map(|entry| &entry.fact) {
        Some(Fact::GivenBack { capture, returned, .. }) => {
            let micro = returned.iter().map(|slice| slice.amount.micro()).sum();
            let credits = Credits::from_micro(micro).expect("slices are not negative");
            json!({
                "hold": Text(capture.hold),
                "credits": Text(credits),
                // Of this capture, by this and all other give-backs.
                "given_back": Text(done.wallet.given_back(capture.hold)),
            })
        }
        other => unreachable!("a give-back that was not refused is booked, not {other:?}"),
    };
    Ok(answer(StatusCode::CREATED, &done, thing))
}

/// Which credits are withdrawn.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawBody {
    lot: u32,
    credits: String,
}

/// `POST /api/accounts/{id}/withdrawals`: takes back credits that were given for nothing.
pub(super) async fn withdraw(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    change: Change<WithdrawBody>,
) -> Result<Response, Fault> {
    let amount: Credits = parse("credits", &change.body.credits)?;
    let lot = LotNumber::new(change.body.lot);
    let account = found(&state, &account).await?.id;
    let key = change.required_key(account, WITHDRAWALS, &[])?;
    let done = state.studio.run_command(account, Command::Withdraw { lot, amount }, Some(key)).await?;
    Ok(answer(StatusCode::CREATED, &done, json!({ "lot": lot.get(), "credits": Text(amount) })))
}

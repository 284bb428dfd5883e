//! `POST /api/charges`: one durable charge, asked by another service of the operator.
//!
//! The busiest route of the server: nothing here is read from the store before the charge is decided, and the
//! reply is written from the receipt alone.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use medici_ledger::{
    AccountId, Credits, Fact, HoldId, KeyId, MemberId, Operation, Spender,
    idempotency::{Fingerprint, Keep},
};
use medici_studio::{Charge, StoreError};
use serde::{Deserialize, Serialize};

use crate::{
    auth::ServiceCaller,
    body::JsonBody,
    error::{Fault, sentence},
    idempotency::{key_use, required_key},
    reply::{CreditHeaders, Replayed},
    state::AppState,
    wire::{EntryBody, Text},
};

pub(crate) const CHARGES: &str = "/api/charges";

/// What is charged: how many of an operation, to which account (its id, or its name).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeBody {
    account: String,
    operation: String,
    #[serde(default = "one")]
    count: u32,
    /// Which of the account's people spends: whose budgets bound it.
    member: Option<String>,
}

fn one() -> u32 {
    1
}

#[derive(Serialize)]
struct ReceiptBody<'a> {
    id: Option<Text<HoldId>>,
    account: Text<AccountId>,
    operation: &'a str,
    count: u32,
    credits: Text<Credits>,
    available: Text<Credits>,
    entry: EntryBody<'a>,
}

/// Charges at the price in force. A repeat with the same key answers as the first time.
pub(crate) async fn charge(
    State(state): State<AppState>,
    caller: ServiceCaller,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ChargeBody>,
) -> Result<Response, Fault> {
    let key = required_key(&headers)?;
    let bad_operation = |problem| Fault::param("invalid_value", "operation", sentence(&problem));
    let operation: Operation = body.operation.parse().map_err(bad_operation)?;
    let account = account(&state, &body.account).await?;
    let count = body.count.to_be_bytes();
    let bad_member = |problem| Fault::param("invalid_value", "member", sentence(&problem));
    let member: Option<MemberId> = body.member.as_deref().map(str::parse).transpose().map_err(bad_member)?;
    let spender = Spender { member, key: Some(KeyId::from_u128(caller.key.as_u128())) };
    // Without a member the fingerprint is what it was before there were any.
    let fields = [body.account.as_bytes(), body.operation.as_bytes(), count.as_slice()];
    let fingerprint = Fingerprint::of(fields.into_iter().chain(body.member.as_deref().map(str::as_bytes)));
    let key = key_use(account, CHARGES, key, fingerprint, Keep::Day);
    let receipt = state.studio.charge(Charge { account, operation, count: body.count, spender, key }).await?;
    let charged = match &receipt.entry.fact {
        Fact::Charged { quote, .. } => quote.amount,
        other => unreachable!("the entry of a charge says charged, not {}", other.name()),
    };
    let reply = ReceiptBody {
        id: receipt.entry.fact.hold().map(Text),
        account: Text(account),
        operation: &body.operation,
        count: body.count,
        credits: Text(charged),
        available: Text(receipt.available),
        entry: EntryBody::of(&receipt.entry),
    };
    let credits = CreditHeaders { charged, balance: receipt.available };
    Ok((StatusCode::CREATED, credits, Replayed(receipt.replayed), Json(reply)).into_response())
}

/// Returns the account of an id or a name. An id is not looked up: the charge itself finds whether it exists.
async fn account(state: &AppState, text: &str) -> Result<AccountId, Fault> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let found: Result<_, StoreError> = state.studio.store.account_named(text).await;
    found?.map(|account| account.id).ok_or(Fault::NotFound { what: "account" })
}

#[derive(Serialize)]
pub(crate) struct HelloBody {
    account: String,
    operation: String,
    count: u32,
    words: &'static str,
}

/// As many bytes as the entry of a charge takes.
const HELLO_WORDS: &str = "This answer does nothing. It is the yardstick of `medici bench http`: a request that \
    goes through the same sockets, the same layers and the same parser as a charge, reads the same JSON and is \
    answered at the same length, without a key being looked up, a price being asked, a wallet being loaded, or a \
    byte being written to the disk. This text is as long as an entry with its postings and its hash, so that \
    neither of the two has less to write.";

/// Parses what a charge parses and answers at the same length: the yardstick of the benchmark.
pub(crate) async fn hello(JsonBody(body): JsonBody<ChargeBody>) -> (StatusCode, Json<HelloBody>) {
    let ChargeBody { account, operation, count, member: _ } = body;
    (StatusCode::CREATED, Json(HelloBody { account, operation, count, words: HELLO_WORDS }))
}

//! What all changes of an account have in common: the key that makes a repeat safe, and the shape of the answer.

use axum::{
    Json,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use medici_ledger::{
    AccountId, Credits,
    idempotency::{Fingerprint, Keep},
};
use medici_studio::{Done, KeyUse};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    body::JsonRequest,
    error::Fault,
    idempotency::{key, key_required, key_use},
    reply::{CREDITS_BALANCE, Replayed},
    state::AppState,
    wire::{EntryBody, Text},
};

/// A change that is asked for: its body, and its idempotency key if one was sent.
pub(super) struct Change<T> {
    pub(super) body: T,
    key: Option<String>,
    canonical: Vec<u8>,
}

impl<T: DeserializeOwned> FromRequest<AppState> for Change<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Fault> {
        let key = key(request.headers())?.map(str::to_owned);
        let JsonRequest { body, canonical } = JsonRequest::from_request(request, state).await?;
        Ok(Self { body, key, canonical })
    }
}

impl<T> Change<T> {
    /// Returns the key of this change, if one was sent. `of` is what the path names besides the account.
    pub(super) fn key(&self, account: AccountId, endpoint: &str, of: &[&str]) -> Option<KeyUse> {
        let fields = of.iter().map(|name| name.as_bytes()).chain([self.canonical.as_slice()]);
        let fingerprint = Fingerprint::of(fields);
        // What an operator does to an account is about money, or about terms of it: kept for ever.
        self.key.as_deref().map(|key| key_use(account, endpoint, key, fingerprint, Keep::Forever))
    }

    /// Returns the key of a change that a repeat would make twice.
    pub(super) fn required_key(&self, account: AccountId, endpoint: &str, of: &[&str]) -> Result<KeyUse, Fault> {
        self.key(account, endpoint, of).ok_or_else(key_required)
    }
}

#[derive(Serialize)]
struct DoneBody<'a, T> {
    account: Text<AccountId>,
    /// What was available right after the entry.
    available: Text<Credits>,
    /// Null where everything was already as asked.
    entry: Option<EntryBody<'a>>,
    #[serde(flatten)]
    thing: T,
}

/// Answers with the entry of a change, and with what was changed as it stands now.
pub(super) fn answer<T: Serialize>(status: StatusCode, done: &Done, thing: T) -> Response {
    let body = DoneBody {
        account: Text(done.wallet.account()),
        available: Text(done.available),
        entry: done.entry.as_ref().map(EntryBody::of),
        thing,
    };
    let balance = [(CREDITS_BALANCE, done.available.to_string())];
    (status, balance, Replayed(done.replayed), Json(body)).into_response()
}

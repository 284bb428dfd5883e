//! Credits given by the operator: a bonus, goodwill, or a purchase that was paid elsewhere.

use medici_ledger::{AccountId, Cents, Class, Command, Credits, Money, Refusal, Source, Timestamp};

use crate::{
    charge::{Receipt, booked, repeated},
    store::StoreError,
    studio::Studio,
    unit::{Decide, KeyReused, KeyUse, Touches, UnitOfWork, decide},
};

/// A request to give credits.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Who gets them.
    pub account: AccountId,
    /// How many.
    pub credits: Credits,
    /// Of which class.
    pub class: Class,
    /// What was paid for them, for the class `paid`.
    pub cost: Option<Money>,
    /// When they end; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// Why they are given.
    pub source: Source,
    /// The idempotency key: without one a retry would give twice.
    pub key: KeyUse,
}

/// Why nothing was given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The ledger refused it.
    #[error(transparent)]
    Refused(Refusal),
    /// The idempotency key belongs to another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// There is no such account.
    #[error("there is no such account")]
    NoAccount,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Studio {
    /// Gives credits, live from now. A repeat with the same key returns the first receipt.
    pub async fn grant(&self, request: Grant) -> Result<Receipt, GrantError> {
        decide(&*self.store, MakeGrant { request }).await?
    }
}

struct MakeGrant {
    request: Grant,
}

impl Decide for MakeGrant {
    type Reply = Receipt;
    type Refusal = GrantError;

    fn touches(&self) -> Touches {
        Touches::wallet(self.request.account).key(Some(&self.request.key.scope))
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Receipt, GrantError> {
        let request = &self.request;
        if let Some(receipt) = repeated(work, &request.key)? {
            return Ok(receipt);
        }
        if work.wallet(request.account).is_none() {
            return Err(GrantError::NoAccount);
        }
        let command = Command::Grant {
            class: request.class,
            credits: request.credits,
            cost: request.cost,
            effective_at: work.time_of(request.account),
            expires_at: request.expires_at,
            priority: 0,
            source: request.source,
            tax: Cents::ZERO,
        };
        work.ledger(request.account, &command).map_err(GrantError::Refused)?;
        Ok(booked(work, request.account, &command, &request.key))
    }
}

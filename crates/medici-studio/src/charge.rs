//! One durable charge of any operation, asked by another service of the operator.

use medici_ledger::{AccountId, Command, Credits, Entry, HoldId, Operation, QuoteError, Refusal, Spender, Usage};

use crate::{
    store::StoreError,
    studio::Studio,
    unit::{Decide, Kept, KeyReused, KeyUse, Touches, UnitOfWork, decide},
};

/// A request to charge: hold and capture in one.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// Who pays.
    pub account: AccountId,
    /// What was done, as the price book calls it.
    pub operation: Operation,
    /// How many of it.
    pub count: u32,
    /// Who spends: whose budgets bound it.
    pub spender: Spender,
    /// The idempotency key: without one a retry would charge twice.
    pub key: KeyUse,
}

/// An entry that is on the books.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The entry.
    pub entry: Entry,
    /// What was available right after it.
    pub available: Credits,
    /// Whether this request is a repeat of the one that made the entry.
    pub replayed: bool,
}

/// Why nothing was charged.
#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    /// The price book has no price for this operation.
    #[error(transparent)]
    NoPrice(QuoteError),
    /// Too few credits.
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
    /// Charges at the price in force. A repeat with the same key returns the first receipt.
    pub async fn charge(&self, request: Charge) -> Result<Receipt, ChargeError> {
        let charge = HoldId::from_u128(self.ids.next());
        decide(&*self.store, MakeCharge { charge, request }).await?
    }
}

struct MakeCharge {
    charge: HoldId,
    request: Charge,
}

impl Decide for MakeCharge {
    type Reply = Receipt;
    type Refusal = ChargeError;

    fn touches(&self) -> Touches {
        Touches::wallet(self.request.account).key(Some(&self.request.key.scope))
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Receipt, ChargeError> {
        let request = &self.request;
        if let Some(receipt) = repeated(work, &request.key)? {
            return Ok(receipt);
        }
        if work.wallet(request.account).is_none() {
            return Err(ChargeError::NoAccount);
        }
        let usage = Usage::of(request.operation.clone(), request.count);
        let quote = work.prices().quote(&usage, work.time_of(request.account)).map_err(ChargeError::NoPrice)?;
        let (charge, spender) = (self.charge, request.spender);
        let command = Command::Charge { charge, quote, spender, happened_at: None, event: None };
        work.ledger(request.account, &command).map_err(ChargeError::Refused)?;
        Ok(booked(work, request.account, &command, &request.key))
    }
}

/// Returns the receipt of an earlier request with the same key.
pub(crate) fn repeated(work: &UnitOfWork<'_>, key: &KeyUse) -> Result<Option<Receipt>, KeyReused> {
    Ok(match work.earlier(Some(key))? {
        Some(Kept::Entry { entry, available }) => {
            Some(Receipt { entry: (**entry).clone(), available: *available, replayed: true })
        }
        // The endpoint is part of the key's scope, and each endpoint keeps one kind of outcome.
        Some(Kept::Job(_)) => return Err(KeyReused),
        None => None,
    })
}

/// Returns the receipt of the entry this unit's command booked last, and keeps it under the key.
pub(crate) fn booked(work: &mut UnitOfWork<'_>, account: AccountId, command: &Command, key: &KeyUse) -> Receipt {
    let mut entries = work.entries(account).iter();
    let entry = entries.rfind(|entry| command.books(&entry.fact)).expect("what was not refused is booked").clone();
    let available = work.available(account).expect("a wallet with an entry exists");
    work.remember(Some(key), Kept::Entry { entry: Box::new(entry.clone()), available });
    Receipt { entry, available, replayed: false }
}

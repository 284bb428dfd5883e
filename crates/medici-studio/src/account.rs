//! Accounts and their API keys.

use medici_ledger::{AccountId, Timestamp};

use crate::ids::ApiKeyId;

/// The customer that owns credits and bills. What it owns is in its wallet, not here.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its name in the ledger.
    pub id: AccountId,
    /// Its unique handle, as the operator and the command line call it: `[a-z0-9][a-z0-9._-]{0,62}`.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// An API key as it is kept: the secret itself is shown once and never stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// Its name.
    pub id: ApiKeyId,
    /// Whose requests it signs.
    pub owner: KeyOwner,
    /// The public part by which it is found.
    pub lookup: String,
    /// The SHA-256 of the whole key. A fast hash is enough for 256 random bits.
    pub secret_hash: [u8; 32],
    /// What the person called it.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped working, if it did.
    pub revoked_at: Option<Timestamp>,
}

/// Whose requests a key signs, and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOwner {
    /// An account's own key: draws for, and reads, that account.
    Account(AccountId),
    /// One of the operator's other services: charges any account, reads balances.
    Service,
    /// The operator: everything a service may, and administration.
    Admin,
}

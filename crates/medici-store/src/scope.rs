//! The name under which an idempotency key is looked up.

use medici_ledger::{Hash, idempotency::KeyScope};

/// The first 128 bits of the SHA-256 of a key's scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ScopeHash(pub(crate) [u8; 16]);

impl ScopeHash {
    /// Returns the hash of account, endpoint and key, each of which ends where it says.
    pub(crate) fn of(scope: &KeyScope) -> Self {
        let endpoint = scope.endpoint.0.as_bytes();
        let mut bytes = Vec::with_capacity(24 + endpoint.len() + scope.key.len());
        bytes.extend_from_slice(&scope.account.as_u128().to_be_bytes());
        bytes.extend_from_slice(&u64::try_from(endpoint.len()).expect("a length fits 64 bits").to_be_bytes());
        bytes.extend_from_slice(endpoint);
        bytes.extend_from_slice(scope.key.as_bytes());
        let hash = Hash::of(&bytes);
        Self(hash.as_bytes()[..16].try_into().expect("half of 32 bytes"))
    }

    /// Returns the half by which it is indexed.
    pub(crate) fn prefix(self) -> u64 {
        u64::from_be_bytes(self.0[..8].try_into().expect("half of 16 bytes"))
    }
}

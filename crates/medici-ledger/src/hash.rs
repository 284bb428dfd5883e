//! The hash chain.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::ids::write_hex;

/// A SHA-256 hash: of an entry and all before it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first entry of an account is chained to.
    pub const ZERO: Self = Self([0; 32]);

    /// Returns the hash of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns SHA-256 of `previous` followed by `bytes`.
    pub(crate) fn chain(previous: &Self, bytes: &[u8]) -> Self {
        Self(Sha256::new().chain_update(previous.0).chain_update(bytes).finalize().into())
    }

    /// Returns SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    /// Writes 64 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

//! Meter events as stores keep them: by whom and what they were, in a fixed number of bytes.

use std::hash::Hasher;

use medici_ledger::{AccountId, Credits, ExternalId, Hash, Timestamp};

/// Names one meter event of one account: the first 128 bits of the SHA-256 of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(pub [u8; 16]);

/// The canonical hash of what the service said of an event: 128 bits of SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFingerprint(pub [u8; 16]);

/// What is kept of an event that was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Which event.
    pub event: EventKey,
    /// What was said of it.
    pub fingerprint: EventFingerprint,
    /// What it was charged.
    pub credits: Credits,
    /// When it was charged.
    pub recorded_at: Timestamp,
}

impl EventKey {
    /// Returns the name of an account's event.
    #[must_use]
    pub fn of(account: AccountId, id: &ExternalId) -> Self {
        let mut bytes = [0; 16 + medici_ledger::EXTERNAL_ID_MAX];
        let id = id.as_str().as_bytes();
        bytes[..16].copy_from_slice(&account.as_u128().to_be_bytes());
        bytes[16..16 + id.len()].copy_from_slice(id);
        Self(half(&bytes[..16 + id.len()]))
    }

    /// Returns the half by which it is indexed.
    #[must_use]
    pub fn prefix(self) -> u64 {
        u64::from_be_bytes(self.0[..8].try_into().expect("half of 16 bytes"))
    }
}

impl EventFingerprint {
    /// Returns the fingerprint of an event's canonical bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(half(bytes))
    }
}

fn half(bytes: &[u8]) -> [u8; 16] {
    Hash::of(bytes).as_bytes()[..16].try_into().expect("half of 32 bytes")
}

/// Takes an event's key, which is a hash, as its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventHasher(u64);

impl Hasher for EventHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {
        // The length of a key says nothing.
    }
}

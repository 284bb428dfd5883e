//! Idempotency: one key, one request, one outcome.
//!
//! Only an outcome that had an effect is recorded, in the same commit as the effect; a refusal is evaluated
//! anew. The fingerprint is of what the client sent, never of what it resolved to, so a repeat after a price
//! change, an expiry or a plan change is still the same request.

use std::time::Duration;

use crate::command::Command;
use crate::hash::Hash;
use crate::ids::AccountId;
use crate::policy::Policy;
use crate::time::Timestamp;

/// How long a key for spending is kept: 24 hours.
pub const KEY_MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the ids of meter events are kept at least: a week, so that a service may be away for some days and then
/// send all again.
pub const EVENT_MEMORY_MIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Returns how long the ids of meter events are kept: a day longer than late usage counts when it happened.
#[must_use]
pub fn event_memory(policy: &Policy) -> Duration {
    EVENT_MEMORY_MIN.max(policy.late_grace + KEY_MEMORY)
}

/// The call that a key is for. The same key on two endpoints is two keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(pub Box<str>);

/// Where a key holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyScope {
    /// Whose key.
    pub account: AccountId,
    /// For which call.
    pub endpoint: Endpoint,
    /// The key as the client wrote it.
    pub key: Box<str>,
}

/// The canonical hash of a client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of the fields of a request, in the caller's canonical order.
    ///
    /// Each field carries its length, so that moving a character from one to the next is another request.
    #[must_use]
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut bytes = Vec::new();
        for field in fields {
            bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
            bytes.extend_from_slice(field);
        }
        Self(*Hash::of(&bytes).as_bytes())
    }
}

/// How long a record answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// For [`KEY_MEMORY`]: spending. Afterwards the key names a new request.
    Day,
    /// For ever: money.
    Forever,
}

impl Keep {
    /// Returns how long a key of this command answers: a day for spending, for ever for all that gives or takes.
    #[must_use]
    pub const fn of(command: &Command) -> Self {
        match command {
            Command::Hold { .. }
            | Command::Extend { .. }
            | Command::Capture { .. }
            | Command::Void { .. }
            | Command::Charge { .. }
            | Command::Uncollected { .. }
            | Command::Settle => Self::Day,
            Command::Open { .. }
            | Command::Grant { .. }
            | Command::PlaceOrder(_)
            | Command::InvoiceOrder { .. }
            | Command::PayOrder { .. }
            | Command::CancelOrder { .. }
            | Command::Refund { .. }
            | Command::Reverse { .. }
            | Command::GiveBack { .. }
            | Command::Withdraw { .. }
            | Command::ChangePlan { .. }
            | Command::JoinCohort { .. }
            | Command::SetBudget { .. }
            | Command::SetOverrides { .. }
            | Command::SetAlert { .. }
            | Command::SetClock { .. } => Self::Forever,
        }
    }
}

/// What a key led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord<O> {
    /// Where the key holds.
    pub scope: KeyScope,
    /// Of the request that was carried out.
    pub fingerprint: Fingerprint,
    /// What to answer from.
    pub outcome: O,
    /// When it was carried out.
    pub recorded_at: Timestamp,
    /// How long it answers.
    pub keep: Keep,
}

impl<O> KeyRecord<O> {
    /// Returns whether the record still answers.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        match self.keep {
            Keep::Day => now.since(self.recorded_at) < KEY_MEMORY,
            Keep::Forever => true,
        }
    }
}

/// What to do with a request that carries a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a, O> {
    /// Carry it out.
    New,
    /// Answer from this outcome.
    Replay(&'a O),
    /// Refuse: the key belongs to another request.
    Reused,
}

/// Judges a request by what its key led to before.
#[must_use]
pub fn judge<O>(record: Option<&KeyRecord<O>>, fingerprint: Fingerprint, now: Timestamp) -> Verdict<'_, O> {
    match record.filter(|record| record.is_kept(now)) {
        None => Verdict::New,
        Some(record) if record.fingerprint == fingerprint => Verdict::Replay(&record.outcome),
        Some(_) => Verdict::Reused,
    }
}

#[cfg(test)]
mod tests;

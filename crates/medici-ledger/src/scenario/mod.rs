//! The scenario language: a story of one or more accounts, one step a line, that checks itself.
//!
//! ```text
//! 2026-01-01  grant    free  15  until 2026-02-01
//! 2026-01-05  grant    pack 115  until 2027-01-05  paid $15.00
//! 2026-01-06  hold     job-1 1
//! 2026-01-06  capture  job-1 1
//! expect available 129
//! ```
//!
//! A scenario runs over any [`Subject`]: the pure ledger here, real stores elsewhere. The language is described
//! in `docs/reference/scenarios.md`.

mod expect;
mod names;
mod parse;
mod play;
mod prices;
mod pure;
mod run;
mod steps;
mod usage;
mod words;

use std::fmt;

use crate::command::{Command, Reply};
use crate::entry::Entry;
use crate::idempotency::Fingerprint;
use crate::ids::AccountId;
use crate::price_book::PriceBook;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::wallet::Wallet;

pub use play::{play, render};
pub use pure::PureSubject;
pub use run::{Options, Played, Sweeper, run, run_every_order};

/// What a scenario is played on: one ledger, with its store or without. Synchronous.
pub trait Subject {
    /// Takes the price book that is in force from now on.
    fn set_prices(&mut self, book: &PriceBook);

    /// Carries out one step and commits it.
    fn run(&mut self, step: &Step) -> Outcome;

    /// Carries out steps that arrive at once, and returns their outcomes in the order given.
    ///
    /// A subject that can, runs them concurrently; one that cannot, one after the other.
    fn run_together(&mut self, steps: &[Step]) -> Vec<Outcome>;

    /// Returns an account's wallet as committed; [`Wallet::new`] for an unknown account.
    fn wallet(&mut self, account: AccountId) -> Wallet;

    /// Returns an account's entries as committed, from the first on.
    fn entries(&mut self, account: AccountId) -> Vec<Entry>;

    /// Loses everything that is not durable and starts again.
    fn crash(&mut self);
}

/// One request of a scenario.
#[derive(Clone, Debug)]
pub struct Step {
    /// When it arrives.
    pub at: Timestamp,
    /// Whose wallet it is for.
    pub account: AccountId,
    /// What it asks.
    pub command: Command,
    /// Its idempotency key, if it carries one.
    pub key: Option<Key>,
}

/// The idempotency key of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The verb, which is the endpoint of the key's scope.
    pub endpoint: Box<str>,
    /// The key.
    pub key: Box<str>,
    /// Of the request as written, without its instant.
    pub fingerprint: Fingerprint,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Done(Reply),
    /// Its key had been carried out before; this is the stored answer.
    Replayed(Reply),
    /// It was refused, and nothing was written.
    Refused(Refusal),
    /// Its key belongs to another request.
    KeyReused,
}

impl Outcome {
    /// Returns the answer, unless it was refused.
    #[must_use]
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Done(reply) | Self::Replayed(reply) => Some(reply),
            Self::Refused(_) | Self::KeyReused => None,
        }
    }

    /// Returns the code of the refusal, if it was refused.
    #[must_use]
    pub const fn refusal_code(&self) -> Option<&'static str> {
        match self {
            Self::Done(_) | Self::Replayed(_) => None,
            Self::Refused(refusal) => Some(refusal.code()),
            Self::KeyReused => Some("idempotency_key_reused"),
        }
    }
}

/// Why a scenario stopped: a line that cannot be read, or an expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The line, from 1.
    pub line: usize,
    /// What was expected and found.
    pub message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScenarioError {}

#[cfg(test)]
mod tests;

//! A second ledger, written to be obviously right: integers, vectors, everything looked up by walking.
//!
//! It reads the ledger's commands and shares nothing else with it. Instants are microseconds, credits
//! micro-credits, money minor units. Answers are text, so that whoever compares need not share types either.

mod calendar;
mod model;
mod time;

pub use model::{Flaw, Naive, NaiveHold, NaiveLot, NaivePlan, NaiveVersion, State};

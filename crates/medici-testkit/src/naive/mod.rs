//! A second ledger, written to be obviously right: integers, vectors, everything looked up by walking.
//!
//! It reads the ledger's commands and shares nothing else with it but names. Instants are microseconds, credits
//! micro-credits, money minor units. Answers are text, so that whoever compares need not share types either.

mod accounts;
mod budgets;
mod calendar;
mod flaw;
mod holds;
mod lots;
mod model;
mod orders;
mod plans;
mod prices;
mod reversals;
mod time;

pub use accounts::Account;
pub use budgets::{NaiveBudget, Spend};
pub use flaw::Flaw;
pub use holds::{NaiveHold, State};
pub use lots::{NaiveLot, NaiveSource};
pub use model::{Naive, NaiveAccount};
pub use orders::{NaiveOrder, Repayment};
pub use prices::{NaiveCohort, NaivePlan, NaiveVersion};
pub use time::BalanceRow;

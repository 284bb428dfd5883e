//! What tests need and the product never ships: a clock that is set by hand, ids from a seed, and a second,
//! naive ledger to compare the real one with.
//!
//! Owns: test doubles of the studio's ports and models of what the product promises. A dev-dependency
//! everywhere, a dependency nowhere.
//! Never does: ask the machine for time or chance; two runs with the same seed are the same run.
//!
//! Invariants:
//! - [`naive`] shares nothing with the ledger but its commands: an error in one is not an error in both.

pub mod clock;
pub mod ids;
pub mod naive;
pub mod store_contract;
pub mod story;

pub use clock::ManualClock;
pub use ids::SeededIds;

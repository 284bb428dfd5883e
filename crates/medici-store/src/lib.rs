//! The ports of the studio on a database: one SQLite file with its wallets in memory, or memory alone.
//!
//! Owns: the group commit that every store shares, the rows and migrations of the embedded store, its recovery,
//! its checkpoints, the blobs on disk, the heads and their key, and the offline proof that what is stored is what
//! was decided.
//! Never does: rules of money. Those are the ledger's; this crate loads, commits and answers.
//!
//! Invariants:
//! - What was answered survives a power cut; what was not answered is wholly there or wholly absent.
//! - Entries are only ever appended, in dense rows; a wallet in memory is its entries, replayed.
//! - Neither memory nor start-up grows with traffic: both are bounded by accounts and by constants.

mod blobs;
mod embedded;
mod faults;
mod group;
mod hex;
mod memory;
mod overlay;
mod proof;
mod queue;
mod read_only;
mod scope;
mod signing;
mod verify;
mod wallets;

pub use blobs::{DiskBlobs, MemoryBlobs};
pub use embedded::{
    DirectoryError, Embedded, HeadKeyError, JournalHead, JournalHeadError, MigrateError, OpenError, Options,
};
pub use faults::{Fault, Faults};
pub use group::{GROUP_MAX, WAITING_MAX};
pub use memory::Memory;
pub use proof::{ProofError, ProofOf, ProofReport, Proved, verify_proof, write_proof};
pub use read_only::ReadOnly;
pub use signing::{HeadKey, PublicKey, PublicKeyError};
pub use verify::{FINDINGS_MAX, Finding, KeptElsewhere, Report, VerifyError, verify};

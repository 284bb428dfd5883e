//! Verification of a data directory: proves what is stored from the entries alone.
//!
//! Reads in one snapshot of the database, so it may run beside a server. Every entry is replayed in the order of
//! its row with the ledger's own rules, and compared with whatever else speaks of it: the rows' columns, the
//! wallet rows, the file of heads, jobs and their holds, images and their blobs, idempotency records.
//!
//! What it cannot see: entries cut off at the very end of the journal that nothing else has seen yet, that is,
//! committed after the last line of heads (about a second before a kill; none after a clean stop), and named by
//! no wallet row, job, image or idempotency record; and a directory put back as a whole to what it once was, or
//! signed anew with the key that lies in it. Against these stand a public key and heads that were kept elsewhere:
//! see [`KeptElsewhere`]. `due_at` of a wallet row is a hint to the sweeper and is not compared.
//!
//! Memory: the replayed wallets, and a few bytes for each wallet row and job.

mod blobs;
mod heads;
mod jobs;
mod journal;

use std::{fmt, path::Path};

use medici_ledger::{AccountId, verify::TrialLine};

use crate::{
    embedded::{FILE, JournalHead, readers},
    signing::PublicKey,
};

/// Findings that are listed; further ones are counted.
pub const FINDINGS_MAX: usize = 1_000;

/// What somebody kept outside the data directory, to compare with it.
#[derive(Clone, Debug, Default)]
pub struct KeptElsewhere {
    /// The key with which heads must be signed.
    pub public_key: Option<PublicKey>,
    /// A head, for example of the log, that must be in the file of heads.
    pub head: Option<JournalHead>,
}

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong, in the order in which it was found; empty if all is well.
    pub findings: Vec<Finding>,
    /// How many further findings are not listed.
    pub findings_left_out: u64,
    /// Entries replayed.
    pub entries: u64,
    /// Accounts that have entries.
    pub accounts: u64,
    /// Lots in their wallets.
    pub lots: u64,
    /// Jobs compared with their holds.
    pub jobs: u64,
    /// Images compared with their blobs.
    pub images: u64,
    /// Lines of the file of heads.
    pub heads: u64,
    /// Of which signed.
    pub heads_signed: u64,
    /// What the newest of them says of the journal's end.
    pub head: Option<JournalHead>,
    /// The key that the signatures were checked with.
    pub public_key: Option<PublicKey>,
    /// The sum of each ledger account in each unit, over the accounts without findings.
    pub trial_balance: Vec<TrialLine>,
}

/// Something that contradicts something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whose, where it is known.
    pub account: Option<AccountId>,
    /// Which entry of the account, where it is about one.
    pub seq: Option<u64>,
    /// Which row of the journal, where it is about one.
    pub row: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(account) = self.account {
            write!(f, "{account} ")?;
        }
        if let Some(seq) = self.seq {
            write!(f, "entry {seq} ")?;
        }
        if let Some(row) = self.row {
            write!(f, "(row {row}) ")?;
        }
        write!(f, "{}", self.what)
    }
}

/// Why a data directory could not be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The database cannot be opened or read.
    #[error("the database cannot be read")]
    Database(#[from] rusqlite::Error),
    /// A file beside it cannot be read.
    #[error("a file of the data directory cannot be read")]
    Io(#[from] std::io::Error),
}

impl Report {
    /// Returns whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.findings_left_out += 1;
        }
    }
}

impl Finding {
    pub(crate) fn of(what: impl Into<String>) -> Self {
        Self { account: None, seq: None, row: None, what: what.into() }
    }

    pub(crate) fn account(self, account: AccountId) -> Self {
        Self { account: Some(account), ..self }
    }

    pub(crate) fn seq(self, seq: u64) -> Self {
        Self { seq: Some(seq), ..self }
    }

    fn row(self, row: u64) -> Self {
        Self { row: Some(row), ..self }
    }
}

/// Verifies a data directory, in use or not, against itself and what was kept elsewhere. Changes nothing in it.
///
/// # Errors
/// [`VerifyError`] where it cannot be read; whatever can be read and is wrong is a [`Finding`].
pub fn verify(home: &Path, kept: &KeptElsewhere) -> Result<Report, VerifyError> {
    let mut report = Report::default();
    // The heads are opened before the snapshot is taken: they never speak of entries that are not in it.
    let lines = heads::Lines::open(home, kept, &mut report)?;
    let db = readers::open(&home.join(FILE))?;
    let tx = db.unchecked_transaction()?;
    let jobs = jobs::load(&tx, &mut report)?;
    let journal = journal::replay(&tx, lines, jobs, &mut report)?;
    journal::compare_wallets(&journal, &mut report);
    journal::compare_keys(&tx, &journal, &mut report)?;
    journal::compare_alerts(&tx, &journal, &mut report)?;
    jobs::compare(&journal.jobs, &mut report);
    blobs::compare(&tx, home, &journal.jobs, &mut report)?;
    journal::sum_up(&tx, journal, &mut report)?;
    tx.finish()?;
    Ok(report)
}

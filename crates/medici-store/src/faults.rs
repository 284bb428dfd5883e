//! Commit failures on demand, so that tests can take every path a full or dying disk would take.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use crate::group::CommitError;

/// How an injected commit fails. Nothing is kept in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Before the first row is written.
    Before,
    /// After every row was written, at the commit itself.
    AtCommit,
    /// As a full disk fails.
    Full,
    /// As a disk fails that cannot sync: for good.
    Sync,
}

/// A handle through which a test makes the next commits of a store fail. Production stores hold an empty one.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    planned: Arc<Mutex<VecDeque<Fault>>>,
}

impl Faults {
    /// Makes the next `times` commits (or probes, for a full disk) fail this way, after those already planned.
    pub fn fail_next(&self, times: usize, fault: Fault) {
        let mut planned = self.planned.lock().expect("no code panics while it plans faults");
        planned.extend(std::iter::repeat_n(fault, times));
    }

    /// Forgets every planned failure.
    pub fn clear(&self) {
        self.planned.lock().expect("no code panics while it plans faults").clear();
    }

    /// Takes the next planned failure.
    pub(crate) fn take(&self) -> Option<Fault> {
        self.planned.lock().expect("no code panics while it plans faults").pop_front()
    }
}

impl Fault {
    /// Returns the error that the real failure would give.
    pub(crate) fn error(self) -> CommitError {
        match self {
            Self::Before => CommitError::Refused("injected before the first row".into()),
            Self::AtCommit => CommitError::Refused("injected at the commit".into()),
            Self::Full => CommitError::Full,
            Self::Sync => CommitError::Failed("injected: the disk cannot sync".into()),
        }
    }
}

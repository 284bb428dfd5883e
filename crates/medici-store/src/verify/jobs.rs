//! Jobs against their holds: a job that is charged has its capture, and no job that ended holds anything.

use std::collections::HashMap;

use medici_ledger::{AccountId, Credits, HoldId};
use medici_studio::{JobId, JobState, Outcome};
use rusqlite::Connection;

use super::{Finding, Report, VerifyError};
use crate::embedded::rows;

/// Every job, and what the journal says about their holds.
#[derive(Default)]
pub(super) struct Jobs {
    pub(super) jobs: HashMap<JobId, JobRow>,
    pub(super) holds: HashMap<HoldId, Seen>,
}

/// What of a job is compared.
pub(super) struct JobRow {
    pub(super) account: AccountId,
    hold: HoldId,
    ended: Ended,
    deleted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    NotYet,
    Charged {
        amount: Credits,
    },
    /// Done without a capture.
    Uncharged,
    Undrawn,
}

/// What the journal says about a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Never,
    Open { account: AccountId },
    Captured { account: AccountId, amount: Credits },
    Released { account: AccountId },
}

/// Reads every job.
pub(super) fn load(db: &Connection, report: &mut Report) -> Result<Jobs, VerifyError> {
    let mut jobs = Jobs::default();
    rows::all_jobs(db, |job| {
        let job = match job {
            Ok(job) => job,
            Err(error) => return report.find(Finding::of(format!("a job row cannot be read: {error}"))),
        };
        let ended = match &job.state {
            JobState::Queued | JobState::Running(_) => Ended::NotYet,
            JobState::Done { outcome: Outcome::Charged { amount }, .. } => Ended::Charged { amount: *amount },
            JobState::Done { outcome: Outcome::Free | Outcome::Uncollected { .. }, .. } => Ended::Uncharged,
            JobState::Failed { .. } | JobState::Cancelled { .. } => Ended::Undrawn,
        };
        jobs.holds.insert(job.hold, Seen::Never);
        let deleted = job.deleted_at.is_some();
        jobs.jobs.insert(job.id, JobRow { account: job.account, hold: job.hold, ended, deleted });
    })?;
    report.jobs = jobs.jobs.len() as u64;
    Ok(jobs)
}

/// Compares every job with its hold.
pub(super) fn compare(jobs: &Jobs, report: &mut Report) {
    let mut ids: Vec<_> = jobs.jobs.keys().copied().collect();
    ids.sort_unstable();
    for id in ids {
        let job = &jobs.jobs[&id];
        let hold = jobs.holds[&job.hold];
        if let Some(what) = contradiction(job, hold) {
            report.find(Finding::of(format!("{id}: {what} ({})", job.hold)).account(job.account));
        }
    }
}

fn contradiction(job: &JobRow, hold: Seen) -> Option<String> {
    let owner = match hold {
        Seen::Never => return Some("its hold is not in the journal".into()),
        Seen::Open { account } | Seen::Captured { account, .. } | Seen::Released { account } => account,
    };
    if owner != job.account {
        return Some(format!("its hold is of {owner}"));
    }
    match (job.ended, hold) {
        (Ended::Charged { amount }, Seen::Captured { amount: captured, .. }) if amount == captured => None,
        (Ended::Charged { amount }, Seen::Captured { amount: captured, .. }) => {
            Some(format!("it says that it was charged {amount}, captured was {captured}"))
        }
        (Ended::Charged { .. }, _) => Some("it says that it was charged, and nothing was captured".into()),
        (_, Seen::Captured { .. }) => Some("its hold was captured, and it does not say so".into()),
        // A hold that ran out while its job waits is found out by the claim, or by finishing.
        (Ended::NotYet, _) => None,
        (Ended::Uncharged | Ended::Undrawn, Seen::Open { .. }) => Some("it has ended, and its hold is open".into()),
        (Ended::Uncharged | Ended::Undrawn, _) => None,
    }
}

impl JobRow {
    /// Returns what is wrong with the number of a job's images.
    pub(super) fn images_contradict(&self, images: Images) -> Option<&'static str> {
        let drawn = images.stored + images.deleted;
        match (self.ended, drawn) {
            (Ended::Charged { .. } | Ended::Uncharged, 0) => Some("it is done and has no image"),
            (Ended::NotYet | Ended::Undrawn, 1..) => Some("it has images and is not done"),
            (Ended::NotYet, 0) if self.deleted => Some("it is deleted and has not ended"),
            (Ended::Charged { .. } | Ended::Uncharged, 1..) if self.deleted && images.stored > 0 => {
                Some("it is deleted and has images")
            }
            (Ended::NotYet | Ended::Undrawn, 0) | (Ended::Charged { .. } | Ended::Uncharged, 1..) => None,
        }
    }
}

/// The images of one job.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Images {
    /// That are there.
    pub(super) stored: u64,
    /// That their owner deleted.
    pub(super) deleted: u64,
}

//! The decisions in a job's life after it was queued: claim, heartbeat, finish, fail, cancel, take back.
//!
//! Each is one unit of work. A claim's token fences off whoever was thought lost and comes back: a result
//! with an older token is refused, and so nothing is captured or stored twice.

use std::time::Duration;

use medici_ledger::{AccountId, Command, HoldId, HoldState, Refusal, Timestamp, VoidReason};

use crate::{
    ids::JobId,
    job::{ATTEMPTS_MAX, FailReason, Image, Job, JobState, Lease, Outcome},
    naming::NamesSoon,
    store::Candidate,
    studio::Limits,
    unit::{Decide, Touches, UnitOfWork},
};

/// Claims a queued job for a worker, and makes sure that its hold outlives the work.
pub(crate) struct Claim {
    pub(crate) candidate: Candidate,
    pub(crate) worker: String,
    pub(crate) limits: Limits,
}

/// What came of a claim.
pub(crate) enum Claimed {
    /// The job is this worker's.
    Mine(Box<Job>),
    /// Somebody else has it, or it has ended.
    Gone,
    /// Its hold had run out while it waited: it failed undrawn.
    TooLate,
}

impl Decide for Claim {
    type Reply = Claimed;
    type Refusal = std::convert::Infallible;

    fn touches(&self) -> Touches {
        Touches::wallet(self.candidate.account).job(self.candidate.job)
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Claimed, Self::Refusal> {
        let now = work.now();
        let Some(mut job) = work.job(self.candidate.job).filter(|job| job.state == JobState::Queued).cloned() else {
            return Ok(Claimed::Gone);
        };
        let extend = Command::Extend { hold: job.hold, timeout: self.limits.hold_timeout };
        if work.ledger(job.account, &extend).is_err() {
            void(work, &job, VoidReason::WorkerLost);
            job.state = JobState::Failed { reason: FailReason::HoldExpired, finished_at: now };
            work.put_job(job);
            return Ok(Claimed::TooLate);
        }
        job.attempts += 1;
        job.state = JobState::Running(Lease {
            worker: self.worker.clone(),
            token: u64::from(job.attempts),
            started_at: now,
            expires_at: after(now, self.limits.lease),
        });
        work.put_job(job.clone());
        Ok(Claimed::Mine(Box::new(job)))
    }
}

/// The claim is no longer this worker's: whatever it made is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease of {job} is another's or has ended")]
pub struct StaleLease {
    /// The job.
    pub job: JobId,
}

/// Says that the worker is alive: extends the lease, and the hold before it gets short.
pub(crate) struct Heartbeat {
    pub(crate) claim: Held,
    pub(crate) limits: Limits,
}

/// A job as the worker that claimed it names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) job: JobId,
    pub(crate) account: AccountId,
    pub(crate) token: u64,
}

impl Held {
    fn touches(&self) -> Touches {
        Touches::wallet(self.account).job(self.job)
    }

    /// Returns the job and its lease while the claim is good.
    fn job(&self, work: &UnitOfWork<'_>) -> Result<(Job, Lease), StaleLease> {
        let stale = StaleLease { job: self.job };
        let job = work.job(self.job).ok_or(stale)?;
        match &job.state {
            JobState::Running(lease) if lease.token == self.token => Ok((job.clone(), lease.clone())),
            _ => Err(stale),
        }
    }
}

impl Decide for Heartbeat {
    type Reply = ();
    type Refusal = StaleLease;

    fn touches(&self) -> Touches {
        self.claim.touches()
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<(), StaleLease> {
        let now = work.now();
        let (mut job, lease) = self.claim.job(work)?;
        let hold = work.wallet(job.account).and_then(|wallet| wallet.hold(job.hold));
        // Every extension is an entry: one for each half of the timeout says as much as one for each beat.
        let short = matches!(&hold, Some(HoldState::Open(hold))
            if hold.expires_at < after(now, self.limits.hold_timeout / 2));
        if short {
            let extend = Command::Extend { hold: job.hold, timeout: self.limits.hold_timeout };
            // A hold at its longest cannot be extended; finishing finds out what can still be captured.
            let _ = work.ledger(job.account, &extend);
        }
        job.state = JobState::Running(Lease { expires_at: after(now, self.limits.lease), ..lease });
        work.put_job(job);
        Ok(())
    }
}

/// Ends a job whose images are durable: capture, image rows and `done` together.
pub(crate) struct Finish {
    pub(crate) claim: Held,
    /// The images, without their instant: it is the commit's.
    pub(crate) images: Vec<Image>,
    /// Their files stay until this is answered, also when the worker is gone by then.
    pub(crate) _names_soon: NamesSoon,
    /// The name of the hold that is placed if the first one ran out.
    pub(crate) second_hold: HoldId,
    pub(crate) limits: Limits,
}

impl Decide for Finish {
    type Reply = Outcome;
    type Refusal = StaleLease;

    fn touches(&self) -> Touches {
        self.claim.touches()
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Outcome, StaleLease> {
        let now = work.now();
        let (mut job, _) = self.claim.job(work)?;
        let delivered = u32::try_from(self.images.len()).expect("a job has at most a few images");
        let outcome = match job.quote.for_delivered(delivered) {
            Some(amount) => self.capture(work, &mut job, amount),
            None => {
                void(work, &job, VoidReason::Shortfall);
                Outcome::Free
            }
        };
        for image in &self.images {
            work.put_image(Image { created_at: now, ..image.clone() });
        }
        job.state = JobState::Done { outcome: outcome.clone(), finished_at: now };
        work.put_job(job);
        Ok(outcome)
    }
}

impl Finish {
    fn capture(&self, work: &mut UnitOfWork<'_>, job: &mut Job, amount: medici_ledger::Credits) -> Outcome {
        let capture = Command::Capture { hold: job.hold, amount };
        if work.ledger(job.account, &capture).is_ok() {
            return Outcome::Charged { amount };
        }
        // The hold ran out while the worker was silent. The pictures are there, so a second hold is tried;
        // without credits for it they are delivered all the same, at the operator's cost.
        let (hold, quote, spender) = (self.second_hold, job.quote.clone(), job.spender());
        let again = Command::Hold { hold, quote, timeout: self.limits.hold_timeout, spender };
        if work.ledger(job.account, &again).is_ok() {
            job.hold = self.second_hold;
            let capture = Command::Capture { hold: job.hold, amount };
            work.ledger(job.account, &capture).expect("a hold placed in this unit can be captured");
            return Outcome::Charged { amount };
        }
        let uncollected = Command::Uncollected { hold: job.hold, amount };
        work.ledger(job.account, &uncollected).expect("a fact on the operator has nothing to refuse");
        Outcome::Uncollected { amount }
    }
}

/// Ends a job that could not be drawn: void and `failed` together.
pub(crate) struct Fail {
    pub(crate) claim: Held,
    pub(crate) reason: FailReason,
}

impl Decide for Fail {
    type Reply = ();
    type Refusal = StaleLease;

    fn touches(&self) -> Touches {
        self.claim.touches()
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<(), StaleLease> {
        let (mut job, _) = self.claim.job(work)?;
        void(work, &job, void_reason(self.reason));
        job.state = JobState::Failed { reason: self.reason, finished_at: work.now() };
        work.put_job(job);
        Ok(())
    }
}

/// Takes a job back from a worker that is lost: into the queue, or after the last attempt into failure.
pub(crate) struct TakeBack {
    pub(crate) candidate: Candidate,
    /// Takes the lease of this worker whether it has ended or not: it is known to be gone.
    pub(crate) worker: Option<String>,
}

impl Decide for TakeBack {
    /// The job if it was taken back.
    type Reply = Option<Job>;
    type Refusal = std::convert::Infallible;

    fn touches(&self) -> Touches {
        Touches::wallet(self.candidate.account).job(self.candidate.job)
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Option<Job>, Self::Refusal> {
        let now = work.now();
        let lost = |lease: &Lease| lease.expires_at <= now || self.worker.as_ref() == Some(&lease.worker);
        let job = work.job(self.candidate.job);
        let Some(mut job) = job.filter(|job| matches!(&job.state, JobState::Running(lease) if lost(lease))).cloned()
        else {
            return Ok(None);
        };
        if job.attempts < ATTEMPTS_MAX {
            job.state = JobState::Queued;
        } else {
            void(work, &job, VoidReason::WorkerLost);
            job.state = JobState::Failed { reason: FailReason::WorkerLost, finished_at: now };
        }
        work.put_job(job.clone());
        Ok(Some(job))
    }
}

/// Puts a job back that its worker stops drawing because the process ends. Its hold stays.
pub(crate) struct HandBack {
    pub(crate) claim: Held,
}

impl Decide for HandBack {
    type Reply = ();
    type Refusal = StaleLease;

    fn touches(&self) -> Touches {
        self.claim.touches()
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<(), StaleLease> {
        let (mut job, _) = self.claim.job(work)?;
        job.state = JobState::Queued;
        work.put_job(job);
        Ok(())
    }
}

/// Stops a job for its owner; before its images are durable that always gives the credits back.
pub(crate) struct Cancel {
    pub(crate) candidate: Candidate,
}

/// Why a job was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The account has no such job.
    #[error("there is no such job")]
    NoJob,
    /// It has ended: its state says how.
    #[error("the job is {} already", .0.state.name())]
    Ended(Box<Job>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl Decide for Cancel {
    type Reply = Job;
    type Refusal = CancelError;

    fn touches(&self) -> Touches {
        Touches::wallet(self.candidate.account).job(self.candidate.job)
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Job, CancelError> {
        let own = |job: &&Job| job.account == self.candidate.account && job.deleted_at.is_none();
        let mut job = work.job(self.candidate.job).filter(own).cloned().ok_or(CancelError::NoJob)?;
        match job.state {
            // A repeat is answered like the first.
            JobState::Cancelled { .. } => return Ok(job),
            JobState::Done { .. } | JobState::Failed { .. } => return Err(CancelError::Ended(Box::new(job))),
            JobState::Queued | JobState::Running(_) => {}
        }
        void(work, &job, VoidReason::Cancelled);
        job.state = JobState::Cancelled { finished_at: work.now() };
        work.put_job(job.clone());
        Ok(job)
    }
}

/// Returns what the ledger calls the reason of a failure. What is our fault costs nobody credits that end meanwhile.
fn void_reason(reason: FailReason) -> VoidReason {
    match reason {
        FailReason::Blocked => VoidReason::Refused,
        FailReason::WorkerLost => VoidReason::WorkerLost,
        FailReason::Engine
        | FailReason::BadSpec
        | FailReason::HoldExpired
        | FailReason::Storage
        | FailReason::NotJudged
        | FailReason::Source => VoidReason::EngineFailed,
    }
}

/// Gives a job's credits back. A hold that time has ended already has given them back by itself.
fn void(work: &mut UnitOfWork<'_>, job: &Job, reason: VoidReason) {
    match work.ledger(job.account, &Command::Void { hold: job.hold, reason }) {
        Ok(_) | Err(Refusal::HoldExpired | Refusal::UnknownHold) => {}
        Err(refusal) => panic!("the hold of the open {} is not open: {refusal}", job.id),
    }
}

fn after(now: Timestamp, span: Duration) -> Timestamp {
    now.plus(span).expect("an instant some minutes from now can be written")
}

//! Clients that go away, and clients that come back.
//!
//! A client that is gone keeps its job for a grace time, so that a retry may join it; then the job is
//! cancelled and costs nothing. OpenAI's clients retry by themselves and never send an `Idempotency-Key`: such
//! a retry claims one earlier attempt at the same request whose reply was not wholly written, so that nobody
//! pays twice for one call. An attempt can be claimed from when its request was read: its pictures may still be
//! decoded, or its hold be on its way to the disk. All of this is of one process and of minutes; what must survive
//! goes by the key.

use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use medici_ledger::{AccountId, Timestamp, idempotency::Fingerprint};
use medici_studio::{CancelError, JobId};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::state::AppState;

/// How long an attempt can be claimed by a retry.
const CLAIMABLE_FOR: Duration = Duration::from_secs(15 * 60);
/// The most attempts that can be claimed; the oldest are forgotten first.
const CLAIMABLE_MAX: usize = 10_000;
/// The piece of a reply that is handed to the connection at a time: the next one is asked for when the
/// client has taken most of the one before.
const PIECE_BYTES: usize = 64 << 10;

/// Who waits for which job, and which replies were not wholly written.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    waiting: HashMap<JobId, usize>,
    /// Oldest first.
    claimable: VecDeque<Attempt>,
    last: u64,
}

struct Attempt {
    number: u64,
    request: Fingerprint,
    fate: watch::Receiver<Fate>,
    begun_at: Timestamp,
    /// Whether its client is known to be gone.
    abandoned: bool,
}

/// What has become of a request so far.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It is on its way to a job.
    Pending,
    /// It has a job.
    Job(JobId),
}

impl Attempts {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims, for a retry, one earlier attempt at the same request: no other retry gets it then. The retry is an
    /// attempt of its own, which yet another can claim.
    ///
    /// An attempt whose client is known to be gone is taken first: a retry may arrive before the connection
    /// that it replaces is seen to have ended.
    fn claim(&self, request: &Fingerprint, now: Timestamp) -> Option<(u64, watch::Receiver<Fate>)> {
        let mut inner = self.lock();
        inner.forget_old(now);
        let same = |attempt: &Attempt| attempt.request == *request;
        let attempts = &inner.claimable;
        let index = attempts.iter().position(|attempt| same(attempt) && attempt.abandoned);
        let index = index.or_else(|| attempts.iter().position(same))?;
        let claimed = inner.claimable.remove(index)?;
        Some((inner.add(*request, claimed.fate.clone(), now), claimed.fate))
    }

    fn arrive(&self, request: Fingerprint, fate: watch::Receiver<Fate>, now: Timestamp) -> u64 {
        let mut inner = self.lock();
        inner.forget_old(now);
        inner.add(request, fate, now)
    }

    fn wait(&self, job: JobId) {
        *self.lock().waiting.entry(job).or_default() += 1;
    }

    /// Takes note that an attempt came to nothing: it cannot be claimed any more.
    fn forget(&self, number: u64) {
        let mut inner = self.lock();
        if let Some(index) = inner.index(number) {
            inner.claimable.remove(index);
        }
    }

    /// Takes note that the client of an attempt is gone.
    fn abandon(&self, number: u64) {
        let mut inner = self.lock();
        if let Some(index) = inner.index(number) {
            inner.claimable[index].abandoned = true;
        }
    }

    /// Ends an attempt. Returns whether nobody else waits for the job.
    fn end(&self, job: JobId, number: Option<u64>, written: bool) -> bool {
        let mut inner = self.lock();
        match number.and_then(|number| inner.index(number)) {
            Some(index) if written => drop(inner.claimable.remove(index)),
            Some(index) => inner.claimable[index].abandoned = true,
            None => {}
        }
        match inner.waiting.get_mut(&job) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => {
                inner.waiting.remove(&job);
                true
            }
        }
    }

    fn is_waited_for(&self, job: JobId) -> bool {
        self.lock().waiting.contains_key(&job)
    }
}

impl Inner {
    fn add(&mut self, request: Fingerprint, fate: watch::Receiver<Fate>, now: Timestamp) -> u64 {
        self.last += 1;
        let number = self.last;
        self.claimable.push_back(Attempt { number, request, fate, begun_at: now, abandoned: false });
        number
    }

    fn index(&self, number: u64) -> Option<usize> {
        // Numbers rise along the queue.
        self.claimable.binary_search_by_key(&number, |attempt| attempt.number).ok()
    }

    fn forget_old(&mut self, now: Timestamp) {
        let old = |attempt: &Attempt| now.since(attempt.begun_at) > CLAIMABLE_FOR;
        while self.claimable.front().is_some_and(old) || self.claimable.len() >= CLAIMABLE_MAX {
            self.claimable.pop_front();
        }
    }
}

/// A request on its way to a job. Dropped without one, it is as if it had never come.
pub(crate) struct Arriving {
    state: AppState,
    number: Option<u64>,
    fate: watch::Sender<Fate>,
}

impl Arriving {
    /// Takes note of a request that was read. `request` makes it one that a retry may claim.
    pub(crate) fn begin(state: &AppState, request: Option<Fingerprint>) -> Self {
        let (fate, told) = watch::channel(Fate::Pending);
        let now = state.studio.clock.now();
        let number = request.map(|request| state.shared.attempts.arrive(request, told, now));
        Self { state: state.clone(), number, fate }
    }

    /// Waits from now on for the job that the request has become.
    pub(crate) fn got(mut self, account: AccountId, job: JobId) -> Waiting {
        let waiting = Waiting::begin(&self.state, account, job, self.number.take());
        self.fate.send_replace(Fate::Job(job));
        waiting
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.number.take().into_iter().for_each(|number| self.state.shared.attempts.forget(number));
    }
}

/// A retry that has claimed an earlier attempt. Dropped, it can be claimed itself.
struct Claimed {
    state: AppState,
    number: Option<u64>,
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.number.take().into_iter().for_each(|number| self.state.shared.attempts.abandon(number));
    }
}

/// Claims an earlier attempt at the same request for a retry, and waits from now on for its job. `None` where there is
/// no such attempt, or where it came to nothing: then the retry is a new request.
pub(crate) async fn join_earlier(state: &AppState, account: AccountId, request: &Fingerprint) -> Option<Waiting> {
    let (number, mut fate) = state.shared.attempts.claim(request, state.studio.clock.now())?;
    let mut claimed = Claimed { state: state.clone(), number: Some(number) };
    let known = fate.wait_for(|fate| *fate != Fate::Pending).await.map(|fate| *fate);
    let number = claimed.number.take();
    match known {
        Ok(Fate::Job(job)) => Some(Waiting::begin(state, account, job, number)),
        // It was refused, or its handler has died: nobody will ever tell.
        Ok(Fate::Pending) | Err(_) => {
            number.into_iter().for_each(|number| state.shared.attempts.forget(number));
            None
        }
    }
}

/// A client that waits for a job. Dropped before its reply is written, it begins the grace time.
pub(crate) struct Waiting {
    state: AppState,
    account: AccountId,
    job: JobId,
    number: Option<u64>,
    written: bool,
}

impl Waiting {
    fn begin(state: &AppState, account: AccountId, job: JobId, number: Option<u64>) -> Self {
        state.shared.attempts.wait(job);
        Self { state: state.clone(), account, job, number, written: false }
    }

    /// Returns the job.
    pub(crate) fn job(&self) -> JobId {
        self.job
    }

    /// Ends the wait: the client has its answer, or gets one that another try need not join.
    pub(crate) fn answered(mut self) {
        self.written = true;
    }

    /// Returns a body that ends the wait when the client has taken it.
    pub(crate) fn body(self, bytes: Vec<u8>) -> Body {
        Body::new(Written { left: bytes.into(), waiting: Some(self) })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let last = self.state.shared.attempts.end(self.job, self.number, self.written);
        if self.written || !last {
            return;
        }
        // Outside a runtime, at the very end of the process, nobody is left to cancel anything.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(cancel_after_grace(self.state.clone(), self.account, self.job));
    }
}

/// Cancels a job that nobody waits for any more, once its grace time is over.
async fn cancel_after_grace(state: AppState, account: AccountId, job: JobId) {
    tokio::time::sleep(state.config.disconnect_grace).await;
    if state.shared.attempts.is_waited_for(job) {
        return;
    }
    match state.studio.cancel(account, job).await {
        Ok(_) => info!(job.id = %job, "Cancelled {job}: its client is gone"),
        Err(CancelError::Ended(_) | CancelError::NoJob) => {}
        Err(CancelError::Store(failure)) => warn!(job.id = %job, %failure, "Could not cancel {job}"),
    }
}

/// A body in pieces, which knows when its last one was taken.
struct Written {
    left: Bytes,
    waiting: Option<Waiting>,
}

impl http_body::Body for Written {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.left.len().min(PIECE_BYTES);
        let piece = self.left.split_to(length);
        if self.left.is_empty()
            && let Some(waiting) = self.waiting.take()
        {
            waiting.answered();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn job(number: u128) -> JobId {
        JobId::from_u128(number)
    }

    const REQUEST: Fingerprint = Fingerprint([1; 32]);

    /// Begins an attempt that has a job.
    fn begin(attempts: &Attempts, number: u128) -> Option<u64> {
        let (fate, told) = watch::channel(Fate::Job(job(number)));
        drop(fate);
        attempts.wait(job(number));
        Some(attempts.arrive(REQUEST, told, at(0)))
    }

    fn claimed(attempts: &Attempts, request: &Fingerprint, second: i64) -> Option<Fate> {
        let (number, fate) = attempts.claim(request, at(second))?;
        attempts.forget(number);
        Some(*fate.borrow())
    }

    #[test]
    fn a_retry_claims_one_attempt_and_the_abandoned_one_first() {
        let attempts = Attempts::default();
        begin(&attempts, 1);
        let second = begin(&attempts, 2);
        assert!(attempts.end(job(2), second, false));
        assert_eq!(claimed(&attempts, &Fingerprint([2; 32]), 1), None);
        assert_eq!(claimed(&attempts, &REQUEST, 1), Some(Fate::Job(job(2))));
        assert_eq!(claimed(&attempts, &REQUEST, 1), Some(Fate::Job(job(1))));
        assert_eq!(claimed(&attempts, &REQUEST, 1), None);
    }

    #[test]
    fn a_retry_can_be_claimed_by_the_next_one() {
        let attempts = Attempts::default();
        let first = begin(&attempts, 1);
        attempts.end(job(1), first, false);
        let (second, _) = attempts.claim(&REQUEST, at(1)).unwrap();
        attempts.abandon(second);
        let (third, fate) = attempts.claim(&REQUEST, at(2)).unwrap();
        assert_eq!(*fate.borrow(), Fate::Job(job(1)));
        attempts.forget(third);
        assert_eq!(claimed(&attempts, &REQUEST, 3), None);
    }

    #[test]
    fn an_answered_attempt_cannot_be_claimed_nor_an_old_one() {
        let attempts = Attempts::default();
        let first = begin(&attempts, 1);
        assert!(attempts.end(job(1), first, true));
        assert_eq!(claimed(&attempts, &REQUEST, 1), None);
        let second = begin(&attempts, 2);
        attempts.end(job(2), second, false);
        assert_eq!(claimed(&attempts, &REQUEST, 15 * 60 + 1), None);
    }

    #[test]
    fn a_job_is_waited_for_until_the_last_client_has_gone() {
        let attempts = Attempts::default();
        attempts.wait(job(1));
        attempts.wait(job(1));
        assert!(!attempts.end(job(1), None, false));
        assert!(attempts.is_waited_for(job(1)));
        assert!(attempts.end(job(1), None, false));
        assert!(!attempts.is_waited_for(job(1)));
    }

    #[test]
    fn the_number_of_attempts_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..2 * CLAIMABLE_MAX as u128 {
            begin(&attempts, number);
        }
        assert!(attempts.lock().claimable.len() <= CLAIMABLE_MAX);
    }
}

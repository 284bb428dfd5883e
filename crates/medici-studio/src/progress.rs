//! News of jobs within this process: where in the queue, which step, what it looks like so far.
//!
//! News is a convenience. Truth is in the store: whoever misses news reads rows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Notify, watch};

use crate::{engine::Step, ids::JobId};

/// Tells whoever watches a job how it goes.
#[derive(Default)]
pub struct Hub {
    jobs: Mutex<HashMap<JobId, watch::Sender<Progress>>>,
    queue: watch::Sender<u64>,
    wake: Notify,
}

/// How far a job is, as far as this process knows.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The step it is at, once it is drawn.
    pub step: Option<Step>,
    /// The latest preview of each picture.
    pub previews: Vec<Option<Arc<Preview>>>,
    /// Every preview so far with the index of its picture, in the order they came, for whoever begins to
    /// watch late. Bounded by [`crate::Limits::previews`] for each picture.
    pub trail: Vec<(u32, Arc<Preview>)>,
    /// Whether the job has ended; its rows say how.
    pub ended: bool,
}

/// An early look at one picture.
#[derive(Debug)]
pub struct Preview {
    /// Which preview of this picture it is, from 1. Later ones are nearer to the end result.
    pub number: u32,
    /// The encoded picture.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
}

impl Hub {
    /// Watches a job. The receiver begins with what is known now.
    pub fn watch(&self, job: JobId) -> watch::Receiver<Progress> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever stopped watching a job that nobody works on would otherwise stay for ever.
        jobs.retain(|id, sender| *id == job || sender.receiver_count() > 0 || sender.borrow().step.is_some());
        jobs.entry(job).or_default().subscribe()
    }

    /// Watches the queue: the number changes whenever a job joins or leaves it.
    pub fn watch_queue(&self) -> watch::Receiver<u64> {
        self.queue.subscribe()
    }

    /// Tells workers and watchers that the queue has changed.
    pub fn queue_changed(&self) {
        self.queue.send_modify(|count| *count = count.wrapping_add(1));
        self.wake.notify_one();
    }

    /// Waits until the queue may have something new for a worker.
    pub async fn work(&self) {
        self.wake.notified().await;
    }

    /// Takes note of a finished step.
    pub(crate) fn step(&self, job: JobId, step: Step) {
        self.update(job, |progress| progress.step = Some(step));
    }

    /// Takes note of a preview.
    pub(crate) fn preview(&self, job: JobId, index: u32, bytes: Vec<u8>, media_type: &'static str) {
        self.update(job, |progress| {
            let at = index as usize;
            if progress.previews.len() <= at {
                progress.previews.resize(at + 1, None);
            }
            let number = progress.previews[at].as_ref().map_or(1, |earlier| earlier.number + 1);
            let preview = Arc::new(Preview { number, bytes, media_type });
            progress.previews[at] = Some(preview.clone());
            progress.trail.push((index, preview));
        });
    }

    /// Takes note that a job begins anew, on another attempt.
    pub(crate) fn restarted(&self, job: JobId) {
        self.update(job, |progress| *progress = Progress::default());
    }

    /// Tells the watchers of a job that its end is committed, and forgets it.
    pub(crate) fn ended(&self, job: JobId) {
        let sender = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
        if let Some(sender) = sender {
            sender.send_modify(|progress| progress.ended = true);
        }
    }

    fn update(&self, job: JobId, change: impl FnOnce(&mut Progress)) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.entry(job).or_default().send_modify(change);
    }
}

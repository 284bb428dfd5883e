//! The news of one job, whoever it is told to: its place in the queue, its steps, its early looks, its end.
//!
//! News is told from what this process knows, and the end from committed rows.

use std::time::Duration;

use medici_ledger::AccountId;
use medici_studio::{Finished, Job, JobId, Preview, Progress, engine::Step};
use tokio::sync::watch;

use crate::{error::Fault, state::AppState};

/// How often a job that nothing is heard of says that it lives.
const ALIVE_EVERY: Duration = Duration::from_secs(10);
/// How often the row is read although nobody told of a change: another process may have written it.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Something that is new of a job.
pub(crate) enum News {
    /// It waits, and so many are drawn before it.
    Place(usize),
    /// It waits no more.
    Begun,
    /// It is drawn, and so far.
    Step(Step),
    /// An early look at one of its pictures.
    Look(u32, std::sync::Arc<Preview>),
    /// Nothing for a while.
    Alive,
    /// Its end; nothing comes after it.
    Ended(Box<Finished>),
}

/// Follows a job.
pub(crate) struct JobNews {
    state: AppState,
    account: AccountId,
    job: Job,
    progress: watch::Receiver<Progress>,
    queue: watch::Receiver<u64>,
    looks: usize,
    place: Option<usize>,
    step: Option<Step>,
    begun: bool,
}

impl JobNews {
    /// Begins to follow a job of an account.
    ///
    /// # Errors
    /// A fault where the account has no such job, or its row cannot be read.
    pub(crate) async fn of(state: &AppState, account: AccountId, id: JobId) -> Result<Self, Fault> {
        // Watching begins before the row is read, so that no change falls between the two.
        let (progress, queue) = (state.studio.progress.watch(id), state.studio.progress.watch_queue());
        let job = state.studio.job(account, id).await?.ok_or(Fault::NotFound { what: "job" })?;
        Ok(Self {
            state: state.clone(),
            account,
            job,
            progress,
            queue,
            looks: 0,
            place: None,
            step: None,
            begun: false,
        })
    }

    /// Returns the job's row as it was read last.
    pub(crate) fn job(&self) -> &Job {
        &self.job
    }

    /// Skips early looks that were told before.
    pub(crate) fn after_looks(&mut self, told: usize) {
        self.looks = told;
    }

    /// Waits for news; never returns none.
    ///
    /// # Errors
    /// A fault where the rows cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Vec<News>, Fault> {
        loop {
            let mut look = !self.begun;
            if self.begun {
                match tokio::time::timeout(ALIVE_EVERY, self.change()).await {
                    Ok(changed) => look = changed,
                    Err(_) => return Ok(vec![News::Alive]),
                }
            }
            self.begun = true;
            let news = self.gather(look).await?;
            if !news.is_empty() {
                return Ok(news);
            }
        }
    }

    /// Waits for a change, and returns whether the row may have changed too.
    async fn change(&mut self) -> bool {
        tokio::select! {
            changed = self.progress.changed() => match changed {
                Ok(()) => self.progress.borrow().ended,
                // Its end was told, or the process has forgotten it: the row knows.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    self.progress = self.state.studio.progress.watch(self.job.id);
                    true
                }
            },
            _ = self.queue.changed() => false,
            () = tokio::time::sleep(LOOK_AGAIN) => true,
        }
    }

    async fn gather(&mut self, look: bool) -> Result<Vec<News>, Fault> {
        let progress = self.progress.borrow_and_update().clone();
        if look || progress.ended {
            let job = self.state.studio.job(self.account, self.job.id).await?;
            self.job = job.ok_or(Fault::NotFound { what: "job" })?;
        }
        // After a restart of the job the looks count from the beginning.
        if progress.trail.len() < self.looks {
            self.looks = 0;
        }
        let fresh = progress.trail[self.looks..].iter().map(|(index, look)| News::Look(*index, look.clone()));
        let mut news: Vec<News> = fresh.collect();
        self.looks = progress.trail.len();
        if !self.job.state.is_open() {
            let finished = self.state.studio.finished(self.job.id).await?.ok_or(Fault::NotFound { what: "job" })?;
            news.push(News::Ended(Box::new(finished)));
            return Ok(news);
        }
        let place = self.state.studio.store.ahead_of(self.job.id);
        match place {
            Some(ahead) if place != self.place => news.push(News::Place(ahead)),
            None if self.place.is_some() => news.push(News::Begun),
            Some(_) | None => {}
        }
        if let Some(step) = progress.step.filter(|_| progress.step != self.step) {
            news.push(News::Step(step));
        }
        (self.place, self.step) = (place, progress.step);
        Ok(news)
    }
}

//! The loop that draws: claim, render, judge, store, finish; with a heartbeat beside it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::{collections::HashMap, sync::Mutex, sync::PoisonError, time::Duration};

use medici_ledger::{AccountId, HoldId};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::{
    blob::{BlobError, BlobHash},
    engine::{Control, EngineError, Picture, Pixels, Step},
    ids::{ImageId, JobId},
    job::{FailReason, Image, Job, JobState},
    naming::NamesSoon,
    picture_file::Provenance,
    run_job::{Cancel, CancelError, Claim, Claimed, Fail, Finish, HandBack, Heartbeat, Held, TakeBack},
    store::{Candidate, StoreError},
    studio::Studio,
    unit::decide,
};

/// How long an idle worker waits before it looks at the queue although nobody woke it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a worker waits after the store refused it.
const STORE_RETRY: Duration = Duration::from_millis(500);
/// How long a job may go on after the worker was told to drain.
const DRAIN: Duration = Duration::from_secs(20);

/// Claims jobs one after the other and draws them with the studio's engine.
pub struct Worker {
    studio: Arc<Studio>,
    name: String,
    running: Arc<Running>,
    draining: watch::Sender<bool>,
}

/// The flags by which jobs that are drawn in this process are told to stop.
#[derive(Default)]
pub struct Running(Mutex<HashMap<JobId, Arc<AtomicBool>>>);

impl Running {
    fn begin(&self, job: JobId) -> Arc<AtomicBool> {
        let flag = Arc::new(AtomicBool::new(false));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(job, flag.clone());
        flag
    }

    fn end(&self, job: JobId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
    }

    pub(crate) fn stop(&self, job: JobId) {
        if let Some(flag) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&job) {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

impl Studio {
    /// Stops a job for its owner and gives its credits back. A repeat is answered like the first.
    pub async fn cancel(&self, account: AccountId, job: JobId) -> Result<Job, CancelError> {
        let job = decide(&*self.store, Cancel { candidate: Candidate { job, account } }).await??;
        self.running.stop(job.id);
        self.progress.ended(job.id);
        self.progress.queue_changed();
        Ok(job)
    }

    /// Cancels every open job whose caller waited on a connection and has no key to come back with, and gives its
    /// credits back: at start, when those connections are long gone, and before the last connections are cut at the
    /// end. Nobody could ever fetch its pictures.
    ///
    /// # Errors
    /// The store failed; a repeat goes on with the rest.
    pub async fn end_attended(&self) -> Result<(), StoreError> {
        for Candidate { job, account } in self.store.attended() {
            match self.cancel(account, job).await {
                Ok(_) => info!(job.id = %job, "Cancelled {job}: nobody waits for it any more"),
                Err(CancelError::Ended(_) | CancelError::NoJob) => {}
                Err(CancelError::Store(failure)) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Takes back every job whose worker is lost: its lease has ended, or it is `worker`, known to be gone.
    pub async fn take_back(&self, worker: Option<&str>) -> Result<(), StoreError> {
        for candidate in self.store.leases_ended(self.clock.now(), worker) {
            let take = TakeBack { candidate, worker: worker.map(str::to_owned) };
            let Ok(taken) = decide(&*self.store, take).await?;
            let Some(job) = taken else { continue };
            warn!(job.id = %job.id, attempts = job.attempts, "Took {} back from a lost worker", job.id);
            // The worker may be alive in this process and merely late: its result would be refused anyway.
            self.running.stop(job.id);
            if job.state.is_open() {
                self.progress.restarted(job.id);
            } else {
                self.progress.ended(job.id);
            }
            self.progress.queue_changed();
        }
        Ok(())
    }
}

impl Worker {
    /// Makes a worker. Its name must be its own while it runs, and the same after a restart.
    pub fn new(studio: Arc<Studio>, name: impl Into<String>) -> Self {
        let running = studio.running.clone();
        Self { studio, name: name.into(), running, draining: watch::Sender::new(false) }
    }

    /// Makes [`Worker::run`] return: after the job it is at, or, when that takes too long, with the job put
    /// back into the queue, its hold untouched.
    pub fn drain(&self) {
        self.draining.send_replace(true);
        self.studio.progress.queue_changed();
    }

    /// Draws jobs until told to drain. First takes back what it held before a restart.
    ///
    /// Dropped in the middle of a job, it leaves a lease that ends by itself or is taken back at start.
    pub async fn run(&self) {
        while let Err(error) = self.studio.take_back(Some(&self.name)).await {
            warn!(%error, "Could not take jobs back");
            tokio::time::sleep(STORE_RETRY).await;
        }
        while !*self.draining.borrow() {
            let Some(candidate) = self.studio.store.candidate() else {
                let _ = tokio::time::timeout(LOOK_AGAIN, self.studio.progress.work()).await;
                continue;
            };
            if let Err(error) = self.run_one(candidate).await {
                warn!(job.id = %candidate.job, %error, "The store refused the worker");
                tokio::time::sleep(STORE_RETRY).await;
            }
        }
    }

    /// Claims one job and works on it to its end.
    async fn run_one(&self, candidate: Candidate) -> Result<(), StoreError> {
        let studio = &self.studio;
        let limits = studio.limits.clone();
        let claim = Claim { candidate, worker: self.name.clone(), limits };
        let Ok(claimed) = decide(&*studio.store, claim).await?;
        studio.progress.queue_changed();
        let job = match claimed {
            Claimed::Mine(job) => *job,
            Claimed::Gone => return Ok(()),
            Claimed::TooLate => {
                studio.progress.ended(candidate.job);
                return Ok(());
            }
        };
        let JobState::Running(lease) = &job.state else { unreachable!("a claimed job is running") };
        let held = Held { job: job.id, account: job.account, token: lease.token };
        let stop = self.running.begin(job.id);
        let ended = self.draw_and_end(&job, held, stop).await;
        self.running.end(job.id);
        ended
    }

    async fn draw_and_end(&self, job: &Job, held: Held, stop: Arc<AtomicBool>) -> Result<(), StoreError> {
        let studio = &self.studio;
        let begun = studio.clock.now();
        let drawn = tokio::select! {
            drawn = self.draw(job, held, stop.clone()) => drawn,
            () = self.drained() => {
                stop.store(true, Ordering::Relaxed);
                info!(job.id = %job.id, "Puts {} back into the queue", job.id);
                // A stale claim means that somebody else has settled the job meanwhile.
                let _ = decide(&*studio.store, HandBack { claim: held }).await?;
                return Ok(());
            }
        };
        // Cancelled, or taken back: the rows say so already, and nothing is left to end.
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let reason = match drawn {
            Ok(kept) => match self.finish(job, held, kept).await? {
                Some(()) => {
                    let render_ms = studio.clock.now().micros().saturating_sub(begun.micros()) / 1000;
                    info!(job.id = %job.id, render_ms, "Drew {} images for {}", job.spec.count, job.id);
                    return Ok(());
                }
                None => return Ok(()),
            },
            Err(reason) => reason,
        };
        match decide(&*studio.store, Fail { claim: held, reason }).await? {
            Ok(()) => studio.progress.ended(job.id),
            Err(stale) => warn!(job.id = %job.id, "{stale}"),
        }
        Ok(())
    }

    /// Waits until the worker was told to drain, and its last job has had its time.
    async fn drained(&self) {
        let _ = self.draining.subscribe().wait_for(|draining| *draining).await;
        tokio::time::sleep(DRAIN).await;
    }

    /// Renders, has judged and stores, while the heartbeat says that the worker is alive.
    async fn draw(&self, job: &Job, held: Held, stop: Arc<AtomicBool>) -> Result<Kept, FailReason> {
        let work = async {
            let pictures = self.render(job, stop.clone()).await?;
            self.studio.judge_pictures(job, &pictures, job.output.format.media_type()).await?;
            self.keep(job, pictures).await
        };
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(self.studio.limits.heartbeat) => {
                    let beat = Heartbeat { claim: held, limits: self.studio.limits.clone() };
                    match decide(&*self.studio.store, beat).await {
                        Ok(Ok(())) => {}
                        Ok(Err(stale)) => {
                            warn!(job.id = %job.id, "{stale}");
                            stop.store(true, Ordering::Relaxed);
                        }
                        // The lease outlives a few lost heartbeats.
                        Err(error) => warn!(job.id = %job.id, %error, "A heartbeat was lost"),
                    }
                }
            }
        }
    }

    /// Runs the engine on a thread of its own, and encodes what it drew there. A panic costs this job only.
    async fn render(&self, job: &Job, stop: Arc<AtomicBool>) -> Result<Vec<(Picture, Vec<u8>)>, FailReason> {
        let studio = self.studio.clone();
        let given = match studio.given(&job.source).await {
            Ok(given) => given,
            Err(failure) => {
                error!(job.id = %job.id, error = &failure as &dyn std::error::Error, "Could not draw {}", job.id);
                return Err(FailReason::Source);
            }
        };
        let (id, spec, output) = (job.id, job.spec.clone(), job.output);
        let provenance = self.studio.provenance(job);
        let mut abandoned = Abandoned { stop: Some(stop.clone()) };
        let run = tokio::task::spawn_blocking(move || {
            let control = JobControl { studio: &studio, job: id, stop: &stop };
            let pictures = studio.engine.run(&spec, &given, &control)?;
            let encoder = &*studio.encoder;
            std::thread::scope(|scope| {
                let encode = |picture: Picture| {
                    let provenance = of_picture(&provenance, &picture);
                    scope.spawn(move || {
                        let file = encoder.encode(&picture.pixels, output, &provenance);
                        (picture, file)
                    })
                };
                let threads: Vec<_> = pictures.into_iter().map(encode).collect();
                let joined = threads.into_iter().map(|thread| thread.join().expect("the encoder does not panic"));
                Ok::<_, EngineError>(joined.collect::<Vec<_>>())
            })
        });
        let ran = run.await;
        abandoned.stop = None;
        match ran {
            Ok(Ok(pictures)) if pictures.is_empty() => {
                error!(job.id = %id, "The engine drew nothing for {id}");
                Err(FailReason::Engine)
            }
            Ok(Ok(pictures)) => Ok(pictures),
            Ok(Err(EngineError::BadSpec(message))) => {
                warn!(job.id = %id, "The engine refused the spec: {message}");
                Err(FailReason::BadSpec)
            }
            // Somebody wanted it so: its owner, or whoever took the job back.
            Ok(Err(EngineError::Cancelled)) => {
                info!(job.id = %id, "Stopped drawing {id}");
                Err(FailReason::Engine)
            }
            Ok(Err(failure)) => {
                let cause = std::error::Error::source(&failure).map(ToString::to_string).unwrap_or_default();
                error!(job.id = %id, %cause, "Could not draw {id}: {failure}");
                Err(FailReason::Engine)
            }
            Err(panic) => {
                error!(job.id = %id, "The engine panicked on {id}: {panic}");
                Err(FailReason::Engine)
            }
        }
    }

    /// Stores the files under their content hash. When this returns they are durable, and nobody names them.
    async fn keep(&self, job: &Job, pictures: Vec<(Picture, Vec<u8>)>) -> Result<Kept, FailReason> {
        let names_soon = self.studio.naming.begin().await;
        let mut images = Vec::with_capacity(pictures.len());
        for (picture, file) in pictures {
            let blob_bytes = file.len() as u64;
            let blob = self.put(job, file).await?;
            images.push(Image {
                id: ImageId::from_u128(self.studio.ids.next()),
                job: job.id,
                account: job.account,
                index: picture.index,
                blob,
                blob_bytes,
                format: job.output.format,
                size: picture.pixels.size,
                latent: picture.latent,
                reading: picture.reading,
                created_at: job.created_at,
            });
        }
        Ok(Kept { images, names_soon })
    }

    async fn put(&self, job: &Job, file: Vec<u8>) -> Result<BlobHash, FailReason> {
        self.studio.blobs.put(file).await.map_err(|failure| {
            match &failure {
                BlobError::Full => warn!(job.id = %job.id, "{failure}"),
                BlobError::Failed(cause) => error!(job.id = %job.id, %cause, "{failure}"),
            }
            FailReason::Storage
        })
    }

    /// Captures, names the images and ends the job. `None` if the claim was lost meanwhile.
    async fn finish(&self, job: &Job, held: Held, kept: Kept) -> Result<Option<()>, StoreError> {
        let studio = &self.studio;
        let Kept { images, names_soon } = kept;
        loop {
            let finish = Finish {
                claim: held,
                images: images.clone(),
                _names_soon: names_soon.clone(),
                second_hold: HoldId::from_u128(studio.ids.next()),
                limits: studio.limits.clone(),
            };
            match decide(&*studio.store, finish).await {
                Ok(Ok(_)) => {
                    studio.progress.ended(job.id);
                    return Ok(Some(()));
                }
                Ok(Err(stale)) => {
                    warn!(job.id = %job.id, "{stale}");
                    return Ok(None);
                }
                // Full or busy: the pictures are durable, so it is worth trying until the lease is lost.
                Err(StoreError::Full | StoreError::Overloaded) => tokio::time::sleep(STORE_RETRY).await,
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
            }
        }
    }
}

/// Returns what one picture's file says of where it comes from.
fn of_picture(job: &Provenance, picture: &Picture) -> Provenance {
    // A reading repeats words of the prompt: it is told or kept with them.
    let reading = picture.reading.clone().filter(|_| job.prompt.is_some());
    Provenance { index: picture.index, reading, ..job.clone() }
}

/// Images whose files are durable and whose rows are not there yet.
struct Kept {
    images: Vec<Image>,
    names_soon: NamesSoon,
}

/// Stops the engine's thread when nobody waits for it any more: a worker that is dropped would leave it behind.
struct Abandoned {
    /// `None` once the engine has come back.
    stop: Option<Arc<AtomicBool>>,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(stop) = &self.stop {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Passes an engine's news on, and the wish to stop.
struct JobControl<'a> {
    studio: &'a Studio,
    job: JobId,
    stop: &'a AtomicBool,
}

impl Control for JobControl<'_> {
    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn step(&self, step: Step) {
        self.studio.progress.step(self.job, step);
    }

    fn preview(&self, index: u32, pixels: Pixels) {
        let (bytes, media_type) = self.studio.encoder.preview(&pixels);
        self.studio.progress.preview(self.job, index, bytes, media_type);
    }
}

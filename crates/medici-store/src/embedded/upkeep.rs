//! Upkeep off the commit path: checkpoints, so that the write-ahead log stays bounded, and the file of heads.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{fresh::Fresh, heads::Heads, readers};

/// Pages in the log (4 KiB each) from which a checkpoint is made.
const CHECKPOINT_PAGES: u64 = 2_000;
/// Pages from which the writer is asked to finish a checkpoint, so that the log can begin anew: 64 MiB.
const LOG_PAGES_MAX: u64 = 16_384;
/// Pages from which the writer finishes a checkpoint whatever it costs: 256 MiB.
const LOG_PAGES_LIMIT: u64 = 4 * LOG_PAGES_MAX;
/// How often heads are written, at most.
const HEADS_EVERY: Duration = Duration::from_secs(1);
/// How often the newest head is logged, at most.
const HEADS_LOGGED_EVERY: Duration = Duration::from_secs(60);

/// How long the write-ahead log is, told by the writer after every commit.
#[derive(Default)]
pub(crate) struct Wal {
    pages: AtomicU64,
    finish: AtomicBool,
}

impl Wal {
    /// Has the writer's connection report the log's length after every commit, and wake the upkeep where it is long.
    pub(crate) fn watch(self: &Arc<Self>, writer: &mut Connection, wake: Wake) -> rusqlite::Result<()> {
        let wal = Arc::clone(self);
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            let pages = u64::try_from(pages).unwrap_or(0);
            wal.pages.store(pages, Ordering::Relaxed);
            if pages >= CHECKPOINT_PAGES {
                wake.now();
            }
            Ok(())
        }))
    }

    /// Copies the rest of the log into the database, on the writer's own time. Between two commits nothing is
    /// added meanwhile, so the next commit begins the log anew.
    pub(crate) fn finish_if_asked(&self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if self.finish.swap(false, Ordering::Relaxed) || pages >= LOG_PAGES_LIMIT {
            checkpoint(writer);
        }
    }

    fn checkpoint(&self, db: &Connection) {
        if self.pages.load(Ordering::Relaxed) < CHECKPOINT_PAGES {
            return;
        }
        checkpoint(db);
        if self.pages.load(Ordering::Relaxed) >= LOG_PAGES_MAX {
            self.finish.store(true, Ordering::Relaxed);
        }
    }
}

fn checkpoint(db: &Connection) {
    let done = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = done {
        // Nothing is lost: the log keeps what the database does not have yet, and the next checkpoint tries again.
        tracing::warn!(%error, "A checkpoint was not made: {error}");
    }
}

/// Wakes the upkeep before its second is over.
#[derive(Clone)]
pub(crate) struct Wake(SyncSender<()>);

impl Wake {
    fn now(&self) {
        // One call that waits is enough.
        let _ = self.0.try_send(());
    }
}

/// The upkeep, before its thread runs.
pub(crate) struct Upkeep {
    calls: Receiver<()>,
    pub(crate) wake: Wake,
    pub(crate) wal: Arc<Wal>,
    pub(crate) fresh: Arc<Fresh>,
}

/// The thread; dropping it ends it, after a last line of heads.
pub(crate) struct Running {
    stop: Arc<AtomicBool>,
    wake: Wake,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    pub(crate) fn new() -> Self {
        let (wake, calls) = sync_channel(1);
        Self { calls, wake: Wake(wake), wal: Arc::default(), fresh: Arc::default() }
    }

    /// Starts the thread with connections of its own.
    pub(crate) fn start(self, file: &Path, checkpoints: Connection, mut heads: Heads) -> rusqlite::Result<Running> {
        let reader = readers::open(file)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, wake) = (Arc::clone(&stop), self.wake.clone());
        let thread = std::thread::Builder::new()
            .name("medici-upkeep".into())
            .spawn(move || {
                let (mut written, mut logged) = (now(), now());
                let mut logged_row = heads.end().row;
                loop {
                    let called = self.calls.recv_timeout(HEADS_EVERY);
                    if stopped.load(Ordering::Acquire) || called == Err(RecvTimeoutError::Disconnected) {
                        break;
                    }
                    self.wal.checkpoint(&checkpoints);
                    if written.elapsed() >= HEADS_EVERY {
                        write_heads(&mut heads, &reader, &self.fresh);
                        written = now();
                    }
                    if logged.elapsed() >= HEADS_LOGGED_EVERY && heads.end().row > logged_row {
                        log_head(&heads);
                        (logged, logged_row) = (now(), heads.end().row);
                    }
                }
                write_heads(&mut heads, &reader, &self.fresh);
                log_head(&heads);
            })
            .expect("a process that starts can start a thread");
        Ok(Running { stop, wake, thread: Some(thread) })
    }
}

fn write_heads(heads: &mut Heads, reader: &Connection, fresh: &Fresh) {
    if let Err(error) = heads.catch_up(reader, &fresh.take()) {
        tracing::warn!(error = &error as &dyn std::error::Error, "The heads were not written: {error}");
    }
}

/// Writes the newest head to the log: a third place, which who can change the directory may not reach.
fn log_head(heads: &Heads) {
    let head = heads.end();
    tracing::info!(head.row, %head.digest, "The journal's newest head is {head}");
}

#[expect(clippy::disallowed_methods, reason = "it paces upkeep; no decision and no row depends on it")]
fn now() -> Instant {
    Instant::now()
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake.now();
        if let Some(thread) = self.thread.take() {
            // The thread says itself what went wrong in it.
            let _ = thread.join();
        }
    }
}

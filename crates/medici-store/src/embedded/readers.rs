//! Readers: a few threads, each with its own connection, so that a read neither waits for the writer nor holds it
//! up, and needs no runtime of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use medici_studio::StoreError;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::errors;

/// Reads that may wait; more are refused as [`StoreError::Overloaded`].
const WAITING_MAX: usize = 1_024;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// The threads that read.
pub(crate) struct Readers {
    waiting: Option<SyncSender<Read>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts the threads on a database that exists.
    pub(crate) fn start(file: &Path, threads: usize) -> rusqlite::Result<Self> {
        let (waiting, reads) = sync_channel::<Read>(WAITING_MAX);
        let reads = Arc::new(Mutex::new(reads));
        let mut started = Vec::with_capacity(threads);
        for number in 0..threads {
            let db = open(file)?;
            let reads = Arc::clone(&reads);
            let thread = std::thread::Builder::new()
                .name(format!("medici-reader-{number}"))
                .spawn(move || read_on(&db, &reads))
                .expect("a process that starts can start a thread");
            started.push(thread);
        }
        Ok(Self { waiting: Some(waiting), threads: started })
    }

    /// Runs a read on one of the threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (caller, answer) = oneshot::channel();
        let read: Read = Box::new(move |db| {
            // A caller that stopped waiting needs no answer.
            let _ = caller.send(read(db));
        });
        let waiting = self.waiting.as_ref().expect("readers stop only when they are dropped");
        match waiting.try_send(read) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(StoreError::Overloaded),
            Err(TrySendError::Disconnected(_)) => return Err(StoreError::Unavailable("the readers stopped".into())),
        }
        match answer.await {
            Ok(rows) => rows.map_err(|error| errors::of_read(&error)),
            Err(_) => Err(StoreError::Unavailable("a read panicked".into())),
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.waiting = None;
        for thread in self.threads.drain(..) {
            // A reader catches the panics of reads; there is nothing else to hear from it.
            let _ = thread.join();
        }
    }
}

/// Opens a connection that cannot write.
pub(crate) fn open(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

fn read_on(db: &Connection, reads: &Mutex<Receiver<Read>>) {
    loop {
        // The lock is given back before the read begins.
        let next = reads.lock().expect("no reader panics while it waits").recv();
        let Ok(read) = next else { return };
        if catch_unwind(AssertUnwindSafe(|| read(db))).is_err() {
            tracing::error!("A read panicked");
        }
    }
}

//! Blobs by content hash: files on disk, durable before anybody names them, and maps in memory for tests.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use medici_studio::{BlobError, BlobHash, BlobStore};

use crate::embedded::{directory, errors::is_full};

/// The name of the blobs' folder in the data directory.
pub(crate) const FOLDER: &str = "blobs";
const TEMPORARY: &str = "tmp";

/// Blobs as files: `blobs/ab/cd/abcd…`, 64 hex digits.
///
/// A file appears under its name only when its bytes are on the disk, and `put` returns only when the name is
/// there too. What a crash leaves in between is swept when the store is opened.
#[derive(Clone, Debug)]
pub struct DiskBlobs {
    folder: PathBuf,
    next: Arc<AtomicU64>,
    /// Held while a folder is made, so that nobody builds on one whose name is not durable yet.
    making: Arc<Mutex<()>>,
}

impl DiskBlobs {
    /// Opens the blobs of a data directory, and removes files that were never named.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(home: &Path) -> io::Result<Self> {
        let folder = home.join(FOLDER);
        let temporary = folder.join(TEMPORARY);
        directory::make(&temporary)?;
        for left in fs::read_dir(&temporary)? {
            fs::remove_file(left?.path())?;
        }
        Ok(Self { folder, next: Arc::default(), making: Arc::default() })
    }

    /// Stores the bytes on the calling thread; see [`BlobStore::put`].
    pub fn put_now(&self, bytes: &[u8]) -> Result<BlobHash, BlobError> {
        let hash = BlobHash::of(bytes);
        let path = path_of(&self.folder, hash);
        let parent = path.parent().expect("a blob lies in a folder");
        if path.exists() {
            // Whoever put it may not have come so far yet; where they have, this is free.
            directory::sync(parent).map_err(failed)?;
            return Ok(hash);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(TEMPORARY).join(format!("{hash}-{number}"));
        let stored = self.write(&temporary, &path, bytes);
        if stored.is_err() {
            // What cannot be removed now is swept at the next start.
            let _ = fs::remove_file(&temporary);
        }
        stored.map(|()| hash).map_err(failed)
    }

    /// Returns the bytes of a name on the calling thread; see [`BlobStore::get`].
    pub fn get_now(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, BlobError> {
        match fs::read(path_of(&self.folder, hash)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes blobs that nobody names and that were stored longer than `grace` ago. Returns how many.
    ///
    /// A blob is stored before the row that names it is committed: `grace` must be longer than that can take.
    /// `named` is asked for one blob at a time; an error of it ends the sweep.
    ///
    /// # Errors
    /// The folder cannot be read, or `named` could not say.
    pub fn sweep_unnamed<E: From<io::Error>>(
        &self,
        now: SystemTime,
        grace: Duration,
        mut named: impl FnMut(BlobHash) -> Result<bool, E>,
    ) -> Result<usize, E> {
        let mut removed = 0;
        self.each(|hash, path| {
            let stored_at = fs::metadata(path)?.modified()?;
            let is_old = now.duration_since(stored_at).is_ok_and(|age| age > grace);
            if is_old && !named(hash)? {
                fs::remove_file(path)?;
                removed += 1;
            }
            Ok::<(), E>(())
        })?;
        Ok(removed)
    }

    fn write(&self, temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let parent = path.parent().expect("a blob lies in a folder");
        {
            let _making = self.making.lock().expect("making a folder does not panic");
            directory::make(parent)?;
        }
        fs::rename(temporary, path)?;
        directory::sync(parent)
    }

    fn each<E: From<io::Error>>(&self, mut each: impl FnMut(BlobHash, &Path) -> Result<(), E>) -> Result<(), E> {
        for outer in fs::read_dir(&self.folder)? {
            let outer = outer?;
            if outer.file_name() == TEMPORARY {
                continue;
            }
            for inner in fs::read_dir(outer.path())? {
                for file in fs::read_dir(inner?.path())? {
                    let file = file?;
                    if let Some(hash) = file.file_name().to_str().and_then(hash_of) {
                        each(hash, &file.path())?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Returns where a blob lies in the blobs' folder.
pub(crate) fn path_of(folder: &Path, hash: BlobHash) -> PathBuf {
    let name = hash.to_string();
    folder.join(&name[..2]).join(&name[2..4]).join(name)
}

fn hash_of(name: &str) -> Option<BlobHash> {
    let mut bytes = [0; 32];
    if name.len() != 64 || !name.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&name[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(BlobHash(bytes))
}

fn failed(error: io::Error) -> BlobError {
    if is_full(&error) { BlobError::Full } else { BlobError::Failed(Box::new(error)) }
}

/// Runs blocking file work on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BlobError::Failed(Box::new(error))),
    }
}

#[async_trait::async_trait]
impl BlobStore for DiskBlobs {
    async fn put(&self, bytes: Vec<u8>) -> Result<BlobHash, BlobError> {
        let blobs = self.clone();
        blocking(move || blobs.put_now(&bytes)).await
    }

    async fn get(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, BlobError> {
        let blobs = self.clone();
        blocking(move || blobs.get_now(hash)).await
    }
}

/// Blobs in memory, for tests and scenarios.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    blobs: RwLock<HashMap<BlobHash, Vec<u8>>>,
}

#[async_trait::async_trait]
impl BlobStore for MemoryBlobs {
    async fn put(&self, bytes: Vec<u8>) -> Result<BlobHash, BlobError> {
        let hash = BlobHash::of(&bytes);
        self.blobs.write().expect("no code panics while it holds the blobs").insert(hash, bytes);
        Ok(hash)
    }

    async fn get(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, BlobError> {
        Ok(self.blobs.read().expect("no code panics while it holds the blobs").get(&hash).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_comes_back_by_its_hash_and_is_stored_once() {
        let home = tempfile::tempdir().unwrap();
        let blobs = DiskBlobs::open(home.path()).unwrap();
        let hash = blobs.put_now(b"a picture").unwrap();
        let path = path_of(&home.path().join(FOLDER), hash);
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(blobs.put_now(b"a picture").unwrap(), hash);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
        assert_eq!(blobs.get_now(hash).unwrap().as_deref(), Some(&b"a picture"[..]));
        assert_eq!(blobs.get_now(BlobHash([7; 32])).unwrap(), None);
    }

    #[test]
    fn what_a_crash_left_half_written_is_swept_at_the_next_start() {
        let home = tempfile::tempdir().unwrap();
        DiskBlobs::open(home.path()).unwrap();
        let left = home.path().join(FOLDER).join(TEMPORARY).join("half");
        fs::write(&left, b"half").unwrap();
        DiskBlobs::open(home.path()).unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn old_blobs_without_a_name_are_swept_and_others_stay() {
        let home = tempfile::tempdir().unwrap();
        let blobs = DiskBlobs::open(home.path()).unwrap();
        let named = blobs.put_now(b"named").unwrap();
        let unnamed = blobs.put_now(b"unnamed").unwrap();
        let stored = fs::metadata(path_of(&home.path().join(FOLDER), unnamed)).unwrap().modified().unwrap();
        let hour = Duration::from_secs(3600);
        let ask = |hash| Ok::<_, io::Error>(hash == named);
        assert_eq!(blobs.sweep_unnamed(stored, hour, ask).unwrap(), 0);
        assert_eq!(blobs.sweep_unnamed(stored + 2 * hour, hour, ask).unwrap(), 1);
        assert!(blobs.get_now(named).unwrap().is_some());
        assert!(blobs.get_now(unnamed).unwrap().is_none());
    }
}

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
    time::{SystemTime, UNIX_EPOCH},
};

use medici_ledger::Timestamp;
use medici_studio::{BlobError, BlobHash, BlobStore, Clock, StoredBlob};

use crate::embedded::{directory, errors::is_full};

/// The name of the blobs' folder in the data directory.
pub(crate) const FOLDER: &str = "blobs";
const TEMPORARY: &str = "tmp";

/// Blobs as files: `blobs/ab/cd/abcd…`, 64 hex digits.
///
/// A file appears under its name only when its bytes are on the disk, and `put` returns only when the name is
/// there too. What a crash leaves in between is swept when the store is opened. A file's time of change says when its
/// bytes were stored last.
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
        if touch(&path).map_err(failed)? {
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

    /// Removes the file of a name on the calling thread; see [`BlobStore::remove`].
    pub fn remove_now(&self, hash: BlobHash) -> Result<(), BlobError> {
        // The name is not made to be gone at once: after a power cut it may be back, and is swept.
        match fs::remove_file(path_of(&self.folder, hash)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Returns the blobs of a shelf on the calling thread; see [`BlobStore::shelf`].
    pub fn shelf_now(&self, first: u8) -> Result<Vec<StoredBlob>, BlobError> {
        let mut blobs = Vec::new();
        let shelf = self.folder.join(format!("{first:02x}"));
        for folder in entries(&shelf).map_err(failed)? {
            for file in entries(&folder.path()).map_err(failed)? {
                let Some(hash) = file.file_name().to_str().and_then(hash_of) else { continue };
                match file.metadata().and_then(|metadata| metadata.modified()) {
                    Ok(modified) => blobs.push(StoredBlob { hash, stored_at: instant(modified) }),
                    // It was removed since it was listed.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        Ok(blobs)
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
}

/// Says of a file that it was stored now. Returns whether there is one.
fn touch(path: &Path) -> io::Result<bool> {
    match File::options().append(true).open(path) {
        Ok(file) => file.set_modified(now()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[expect(clippy::disallowed_methods, reason = "a file system tells the machine's time of every file that it makes")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn instant(time: SystemTime) -> Timestamp {
    let micros = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// Returns what is in a folder; nothing where there is no folder, or something else in its place.
fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(error),
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

    async fn remove(&self, hash: BlobHash) -> Result<(), BlobError> {
        let blobs = self.clone();
        blocking(move || blobs.remove_now(hash)).await
    }

    async fn shelf(&self, first: u8) -> Result<Vec<StoredBlob>, BlobError> {
        let blobs = self.clone();
        blocking(move || blobs.shelf_now(first)).await
    }
}

/// Blobs in memory, for tests and scenarios.
pub struct MemoryBlobs {
    blobs: RwLock<HashMap<BlobHash, (Timestamp, Vec<u8>)>>,
    clock: Arc<dyn Clock>,
}

const UNPOISONED: &str = "no code panics while it holds the blobs";

impl MemoryBlobs {
    /// Makes an empty store, in which blobs are stored at what the clock says.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { blobs: RwLock::default(), clock }
    }
}

#[async_trait::async_trait]
impl BlobStore for MemoryBlobs {
    async fn put(&self, bytes: Vec<u8>) -> Result<BlobHash, BlobError> {
        let hash = BlobHash::of(&bytes);
        self.blobs.write().expect(UNPOISONED).insert(hash, (self.clock.now(), bytes));
        Ok(hash)
    }

    async fn get(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, BlobError> {
        Ok(self.blobs.read().expect(UNPOISONED).get(&hash).map(|(_, bytes)| bytes.clone()))
    }

    async fn remove(&self, hash: BlobHash) -> Result<(), BlobError> {
        self.blobs.write().expect(UNPOISONED).remove(&hash);
        Ok(())
    }

    async fn shelf(&self, first: u8) -> Result<Vec<StoredBlob>, BlobError> {
        let blobs = self.blobs.read().expect(UNPOISONED);
        let shelf = blobs.iter().filter(|(hash, _)| hash.0[0] == first);
        Ok(shelf.map(|(hash, (stored_at, _))| StoredBlob { hash: *hash, stored_at: *stored_at }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(home: &Path, hash: BlobHash) -> PathBuf {
        path_of(&home.join(FOLDER), hash)
    }

    #[test]
    fn a_blob_comes_back_by_its_hash_and_is_stored_once() {
        let home = tempfile::tempdir().unwrap();
        let blobs = DiskBlobs::open(home.path()).unwrap();
        let hash = blobs.put_now(b"a picture").unwrap();
        let file = || fs::metadata(file_of(home.path(), hash)).unwrap();
        let inode = std::os::unix::fs::MetadataExt::ino(&file());
        assert_eq!(blobs.put_now(b"a picture").unwrap(), hash);
        assert_eq!(std::os::unix::fs::MetadataExt::ino(&file()), inode);
        assert_eq!(blobs.get_now(hash).unwrap().as_deref(), Some(&b"a picture"[..]));
        assert_eq!(blobs.get_now(BlobHash([7; 32])).unwrap(), None);
    }

    #[test]
    fn a_removed_blob_is_gone_and_can_be_stored_again() {
        let home = tempfile::tempdir().unwrap();
        let blobs = DiskBlobs::open(home.path()).unwrap();
        let hash = blobs.put_now(b"a picture").unwrap();
        blobs.remove_now(hash).unwrap();
        blobs.remove_now(hash).expect("what is gone already is no failure");
        assert_eq!(blobs.get_now(hash).unwrap(), None);
        assert_eq!(blobs.put_now(b"a picture").unwrap(), hash);
        assert!(blobs.get_now(hash).unwrap().is_some());
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
    fn shelves_have_every_blob_with_when_it_was_stored_last() {
        let home = tempfile::tempdir().unwrap();
        let blobs = DiskBlobs::open(home.path()).unwrap();
        let mut stored: Vec<_> = (0..600_u32).map(|n| blobs.put_now(&n.to_be_bytes()).unwrap()).collect();
        for stray in ["notes".to_owned(), format!("{:02x}/notes", stored[0].0[0])] {
            fs::write(home.path().join(FOLDER).join(stray), "no blob").unwrap();
        }
        let old = UNIX_EPOCH + std::time::Duration::from_secs(1_000);
        File::options().append(true).open(file_of(home.path(), stored[0])).unwrap().set_modified(old).unwrap();
        let stored_at = |hash: BlobHash| {
            let shelf = blobs.shelf_now(hash.0[0]).unwrap();
            shelf.into_iter().find(|blob| blob.hash == hash).unwrap().stored_at
        };
        assert_eq!(stored_at(stored[0]), Timestamp::from_micros(1_000_000_000));
        blobs.put_now(&0_u32.to_be_bytes()).unwrap();
        assert!(stored_at(stored[0]) >= stored_at(stored[1]), "storing the same bytes again says so");
        let shelves = (0..=u8::MAX).flat_map(|first| blobs.shelf_now(first).unwrap());
        let mut found: Vec<_> = shelves.map(|blob| blob.hash).collect();
        found.sort_unstable();
        stored.sort_unstable();
        assert_eq!(found, stored);
    }
}

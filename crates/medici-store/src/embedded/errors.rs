//! What SQLite's errors mean for a commit and for a reader.

use std::{fs::File, io::Write, path::Path};

use medici_studio::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

use crate::group::CommitError;

/// Says what a failed statement of the writer means.
pub(crate) fn of_commit(error: &Error, directory: &Path) -> CommitError {
    let Error::SqliteFailure(code, _) = error else { return CommitError::Refused(error.to_string()) };
    match code.code {
        ErrorCode::DiskFull => CommitError::Full,
        // After a sync that failed, nobody knows what the disk holds: trying again would lie.
        ErrorCode::SystemIoFailure
            if matches!(code.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) =>
        {
            CommitError::Failed(error.to_string())
        }
        // SQLite reports a full disk as an I/O error where it grows its shared memory, and a full quota everywhere.
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => match probe(directory) {
            Err(CommitError::Full) => CommitError::Full,
            Ok(()) | Err(CommitError::Failed(_) | CommitError::Refused(_)) => CommitError::Failed(error.to_string()),
        },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ReadOnly => {
            CommitError::Failed(error.to_string())
        }
        _ => CommitError::Refused(error.to_string()),
    }
}

/// Says what a failed read means.
pub(crate) fn of_read(error: &Error) -> StoreError {
    StoreError::Unavailable(format!("a read failed: {error}"))
}

/// Writes, syncs and removes a small file, to find out whether there is space.
pub(crate) fn probe(directory: &Path) -> Result<(), CommitError> {
    let path = directory.join("probe.tmp");
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&[0x5a; 256 * 1024])?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&path);
    match written {
        Ok(()) => removed.map_err(|error| CommitError::Failed(error.to_string())),
        Err(error) if is_full(&error) => Err(CommitError::Full),
        Err(error) => Err(CommitError::Failed(error.to_string())),
    }
}

/// Returns whether an I/O error says that there is no space, on the disk or in the quota.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

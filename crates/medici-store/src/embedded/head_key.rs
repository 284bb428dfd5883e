//! The files of the key that signs heads: the secret one, and the public one to be copied elsewhere.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::directory;
use crate::{
    hex,
    signing::{HeadKey, PublicKey},
};

/// The name of the secret key in the data directory.
const SECRET_FILE: &str = "heads.key";
/// The name of the public key in the data directory.
const PUBLIC_FILE: &str = "heads.pub";

/// Why the key that signs heads cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HeadKeyError {
    /// The heads are signed, and the key is gone.
    #[error(
        "{SECRET_FILE} is missing, but heads are signed with it: put it back from a backup, or move heads and \
         {PUBLIC_FILE} out of the data directory to begin anew with another key"
    )]
    Lost,
    /// The key is not the one with which the heads were signed so far.
    #[error(
        "{SECRET_FILE} is not the key that {PUBLIC_FILE} names: put the right one back from a backup, or move heads \
         and {PUBLIC_FILE} out of the data directory to begin anew with this key"
    )]
    Replaced,
    /// A file that holds no key.
    #[error("{file} is damaged: 64 hex digits of a key needed")]
    Damaged {
        /// Which of the two.
        file: &'static str,
    },
    /// A file cannot be read or written.
    #[error("the file of heads or its key cannot be used")]
    Io(#[from] io::Error),
}

/// Returns the directory's key; keeps `new` as its key where it has none. Whoever calls it has the directory.
pub(super) fn take(home: &Path, new: &HeadKey, heads_are_signed: bool) -> Result<HeadKey, HeadKeyError> {
    let public = read_public(home)?;
    match read_secret(home)? {
        Some(key) if public.is_some_and(|public| public != key.public()) => Err(HeadKeyError::Replaced),
        Some(key) => Ok(key),
        None if heads_are_signed || public.is_some() => Err(HeadKeyError::Lost),
        None => {
            write_whole(home, SECRET_FILE, &new.secret_text(), 0o600)?;
            Ok(new.clone())
        }
    }
}

/// Says in the directory which key signs its heads. Once it is said, heads without signatures are no heads.
pub(super) fn publish(home: &Path, key: &HeadKey) -> Result<(), HeadKeyError> {
    if read_public(home)?.is_none() {
        write_whole(home, PUBLIC_FILE, &format!("{}\n", key.public()), 0o644)?;
    }
    Ok(())
}

/// Reads the secret key, or `None` where the directory has none.
pub(crate) fn read_secret(home: &Path) -> Result<Option<HeadKey>, HeadKeyError> {
    let Some(text) = read(home, SECRET_FILE)? else { return Ok(None) };
    let secret = hex::decode_array(text.trim()).ok_or(HeadKeyError::Damaged { file: SECRET_FILE })?;
    Ok(Some(HeadKey::from_bytes(&secret)))
}

/// Reads the public key, or `None` where the directory has none.
pub(crate) fn read_public(home: &Path) -> Result<Option<PublicKey>, HeadKeyError> {
    let Some(text) = read(home, PUBLIC_FILE)? else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| HeadKeyError::Damaged { file: PUBLIC_FILE })
}

fn read(home: &Path, file: &'static str) -> Result<Option<String>, HeadKeyError> {
    match fs::read_to_string(home.join(file)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(HeadKeyError::Damaged { file }),
        Err(error) => Err(error.into()),
    }
}

/// Writes a file that is either wholly there or not at all, whatever happens to the power.
fn write_whole(home: &Path, name: &str, text: &str, mode: u32) -> io::Result<()> {
    let temporary = home.join(format!("{name}.tmp"));
    // What a crash left of an earlier try may have another mode.
    let _ = fs::remove_file(&temporary);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, home.join(name))?;
        directory::sync(home)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

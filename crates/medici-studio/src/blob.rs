//! The port of the blobs: bytes named by their content, durable before anybody names them.

use std::fmt;

use medici_ledger::Timestamp;

/// Stores bytes under their SHA-256.
#[async_trait::async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores the bytes and returns their name. When it returns, a power cut cannot lose them.
    ///
    /// Storing the same bytes again costs little and changes nothing but when they were stored last.
    async fn put(&self, bytes: Vec<u8>) -> Result<BlobHash, BlobError>;
    /// Returns the bytes of a name, or `None` where there are none.
    async fn get(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, BlobError>;
    /// Removes the bytes of a name, if there are any. Whoever calls this has made sure that no row names them, and that
    /// none is about to: see [`crate::Naming`].
    async fn remove(&self, hash: BlobHash) -> Result<(), BlobError>;
    /// Returns every blob whose name begins with this byte. All blobs are in 256 such shelves, about as full as each
    /// other.
    async fn shelf(&self, first: u8) -> Result<Vec<StoredBlob>, BlobError>;
}

/// A blob, and when it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its name.
    pub hash: BlobHash,
    /// When its bytes were stored last.
    pub stored_at: Timestamp,
}

/// The name of a blob: the SHA-256 of its bytes. Displayed as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
    /// Returns the name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobHash({self})")
    }
}

/// Why a blob could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk or the quota is full; nothing was stored.
    #[error("no space left for images")]
    Full,
    /// Anything else; the chain is for the log.
    #[error("the blob store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

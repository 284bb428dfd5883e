//! Time and identity come in as arguments, so that a test can set them and a replay repeats them.

use medici_ledger::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the present instant, UTC. May go backwards; whoever orders by it must not rely on it.
    fn now(&self) -> Timestamp;
}

/// Makes names and secrets that nobody can guess.
pub trait Ids: Send + Sync {
    /// Returns a fresh 128-bit id whose order follows its creation (UUID version 7).
    fn next(&self) -> u128;
    /// Returns 32 bytes from the machine's source of secrets.
    fn secret(&self) -> [u8; 32];
}

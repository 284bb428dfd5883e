//! The machine's clock and its source of secrets: the one place where either is asked.

use std::time::{SystemTime, UNIX_EPOCH};

use medici_ledger::Timestamp;
use medici_studio::{Clock, Ids};

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let micros = since_epoch().as_micros();
        Timestamp::from_micros(i64::try_from(micros).expect("the clock is before the year 292000"))
    }
}

#[expect(clippy::disallowed_methods, reason = "the wiring is where the system clock comes in")]
fn since_epoch() -> std::time::Duration {
    // A clock before 1970 is a machine without one: the ledger takes it for its own last instant.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A stop watch for benches and progress; never for the ledger.
#[expect(clippy::disallowed_methods, reason = "measuring needs the machine's monotonic clock")]
pub(crate) fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

/// Ids in order of their making, and secrets from the operating system.
pub(crate) struct RandomIds;

impl Ids for RandomIds {
    fn next(&self) -> u128 {
        let now = since_epoch();
        // UUID version 7 with the sub-millisecond part in its twelve spare bits (RFC 9562, method 3), so that
        // ids of one millisecond are in order too; the last 62 bits are random.
        let fraction = u128::from(now.subsec_nanos() % 1_000_000) * 4096 / 1_000_000;
        let random = u128::from_le_bytes(random()) & ((1 << 62) - 1);
        (now.as_millis() << 80) | (7 << 76) | (fraction << 64) | (0b10 << 62) | random
    }

    fn secret(&self) -> [u8; 32] {
        random()
    }
}

/// Returns random bytes. A machine without a source of randomness cannot make keys, so it does not start.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has a source of randomness");
    bytes
}

/// Returns bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_follow_their_making() {
        let mut ids: Vec<u128> = (0..10_000).map(|_| RandomIds.next()).collect();
        assert!(ids.is_sorted_by_key(|id| id >> 64), "the first half is the time");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 10_000);
        assert_eq!((ids[0] >> 76) & 0xf, 7, "the version");
        assert_eq!((ids[0] >> 62) & 0b11, 0b10, "the variant");
    }

    #[test]
    fn the_clock_is_in_this_century() {
        let year_2024: Timestamp = "2024-01-01".parse().unwrap();
        assert!(SystemClock.now() > year_2024);
    }
}

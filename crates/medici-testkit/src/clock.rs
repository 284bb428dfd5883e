//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use medici_ledger::Timestamp;
use medici_studio::Clock;

/// A clock that is set by hand. Shared behind an `Arc`; every holder sees a move at once.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// Starts a clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { micros: AtomicI64::new(now.micros()) }
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.micros.store(now.micros(), Ordering::SeqCst);
    }

    /// Moves the clock forwards and returns what it shows then. Stops at the end of time.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let moved = |micros: i64| Some(Timestamp::from_micros(micros).plus(by).unwrap_or(Timestamp::MAX).micros());
        let before = self.micros.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        let before = before.expect("the move is always made");
        Timestamp::from_micros(moved(before).expect("the move is always made"))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_until_it_is_moved_either_way() {
        let clock = ManualClock::at("2026-11-30T23:59:00Z".parse().unwrap());
        assert_eq!(clock.now().to_string(), "2026-11-30T23:59:00Z");
        assert_eq!(clock.now().to_string(), "2026-11-30T23:59:00Z");
        assert_eq!(clock.advance(Duration::from_secs(60)).to_string(), "2026-12-01T00:00:00Z");
        assert_eq!(clock.now().to_string(), "2026-12-01T00:00:00Z");
        clock.set("2026-11-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.now().to_string(), "2026-11-01T00:00:00Z");
    }

    #[test]
    fn it_stops_at_the_end_of_time() {
        let clock = ManualClock::at(Timestamp::MAX);
        assert_eq!(clock.advance(Duration::MAX), Timestamp::MAX);
    }
}

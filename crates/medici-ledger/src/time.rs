//! Instants in microseconds, UTC. The calendar is in [`crate::calendar`].

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

/// Why a text is not an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampError {
    found: Box<str>,
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an instant such as 2026-11-30T23:59:00Z needed, {:?} found", self.found)
    }
}

impl std::error::Error for TimestampError {}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self { micros: 0 };
    /// The first instant that can be written down: −9999-01-02T01:59:59Z, jiff's limit.
    pub const MIN: Self = Self { micros: -377_705_023_201_000_000 };
    /// The last instant that can be written down: 9999-12-30T22:00:00Z, jiff's limit.
    pub const MAX: Self = Self { micros: 253_402_207_200_000_000 };

    /// Returns the instant `micros` microseconds after 1970, held within [`Self::MIN`] and [`Self::MAX`].
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        let micros = if micros < Self::MIN.micros { Self::MIN.micros } else { micros };
        let micros = if micros > Self::MAX.micros { Self::MAX.micros } else { micros };
        Self { micros }
    }

    /// Returns the microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// Returns the instant `by` later, or `None` after [`Self::MAX`].
    #[must_use]
    pub fn plus(self, by: Duration) -> Option<Self> {
        let by = i64::try_from(by.as_micros()).ok()?;
        let micros = self.micros.checked_add(by)?;
        (micros <= Self::MAX.micros).then_some(Self { micros })
    }

    /// Returns the instant `by` earlier, or `None` before [`Self::MIN`].
    #[must_use]
    pub fn minus(self, by: Duration) -> Option<Self> {
        let by = i64::try_from(by.as_micros()).ok()?;
        let micros = self.micros.checked_sub(by)?;
        (micros >= Self::MIN.micros).then_some(Self { micros })
    }

    /// Returns how long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros - earlier.micros).unwrap_or(0))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Parses RFC 3339, or `2026-11-30 23:59:00` or `2026-11-30` taken as UTC. Finer than a microsecond is cut off.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let bad = |_: jiff::Error| TimestampError { found: text.chars().take(40).collect::<String>().into() };
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::from_micros(instant.as_microsecond()));
        }
        let civil: jiff::civil::DateTime = text.parse().map_err(bad)?;
        let instant = jiff::tz::Offset::UTC.to_timestamp(civil).map_err(bad)?;
        Ok(Self::from_micros(instant.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC: `2026-11-30T23:59:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant =
            jiff::Timestamp::from_microsecond(self.micros).expect("the constructors keep instants within jiff's range");
        write!(f, "{instant}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_stop_at_the_ends_of_time() {
        let micro = Duration::from_micros(1);
        assert_eq!(Timestamp::from_micros(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::from_micros(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_micros(7).micros(), 7);
        assert_eq!(Timestamp::MAX.plus(micro), None);
        assert_eq!(Timestamp::MIN.minus(micro), None);
        let last = Timestamp::from_micros(Timestamp::MAX.micros() - 1);
        assert_eq!(last.plus(micro), Some(Timestamp::MAX));
        let second = Timestamp::from_micros(Timestamp::MIN.micros() + 1);
        assert_eq!(second.minus(micro), Some(Timestamp::MIN));
        assert_eq!(Timestamp::from_micros(7).minus(Duration::from_micros(5)), Some(Timestamp::from_micros(2)));
        assert_eq!(Timestamp::EPOCH.plus(Duration::MAX), None);
        assert_eq!((last.since(second) > micro, second.since(last)), (true, Duration::ZERO));
    }
}

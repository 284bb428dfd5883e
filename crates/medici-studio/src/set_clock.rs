//! A sandbox's clock is moved, and with it the months of a whole year if somebody likes.

use std::{fmt, str::FromStr, time::Duration};

use medici_ledger::{
    AccountId, AnchorPolicy, Command, Refusal, Timestamp,
    calendar::{MONTHS_MAX, occurrence},
};

use crate::{
    run_command::{Done, RunCommandError},
    studio::Studio,
    unit::{KeyUse, UnitOfWork},
};

/// Where a sandbox's clock is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMove {
    /// To an instant.
    To(Timestamp),
    /// So far on from where it stands.
    By(Span),
}

/// A span of the calendar: months, clamped to the month's end, then seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    months: u32,
    seconds: u64,
}

/// Why a text is not a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanError {
    found: Box<str>,
}

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a span such as P1M, P10D or P1Y2M3DT4H30M needed, {:?} found", self.found)
    }
}

impl std::error::Error for SpanError {}

impl Studio {
    /// Moves a sandbox's clock. To an instant, a repeat changes nothing; by a span, it needs a key to be safe.
    pub async fn set_clock(
        &self,
        account: AccountId,
        how: ClockMove,
        key: Option<KeyUse>,
    ) -> Result<Done, RunCommandError> {
        let make = move |work: &UnitOfWork<'_>| {
            let to = match how {
                ClockMove::To(to) => to,
                ClockMove::By(span) => {
                    let clock = work.wallet(account).and_then(medici_ledger::Wallet::sandbox_clock);
                    span.after(clock.ok_or(Refusal::NotSandbox)?)
                }
            };
            Ok(Command::SetClock { to })
        };
        self.run_made(account, key, make).await
    }
}

impl Span {
    /// Returns the instant so long after another, or the end of time.
    #[must_use]
    pub fn after(self, from: Timestamp) -> Timestamp {
        let months = occurrence(from, self.months, AnchorPolicy::Keep);
        months.plus(Duration::from_secs(self.seconds)).unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    /// Parses an ISO 8601 duration of whole numbers: `P1Y2M3W4DT5H6M7S`, each part at most once and in that order.
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let error = || SpanError { found: text.chars().take(40).collect::<String>().into() };
        let body = text.strip_prefix('P').ok_or_else(error)?;
        let (dates, times) = match body.split_once('T') {
            Some((_, "")) => return Err(error()),
            Some(parts) => parts,
            None => (body, ""),
        };
        if body.is_empty() {
            return Err(error());
        }
        let [years, months, weeks, days] = parts(dates, ['Y', 'M', 'W', 'D']).ok_or_else(error)?;
        let [hours, minutes, seconds] = parts(times, ['H', 'M', 'S']).ok_or_else(error)?;
        let months = years * 12 + months;
        if months > u64::from(MONTHS_MAX) {
            return Err(error());
        }
        Ok(Self {
            months: u32::try_from(months).map_err(|_| error())?,
            seconds: (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds,
        })
    }
}

/// Reads numbers that are followed by these letters, in this order; what is not there is zero.
fn parts<const N: usize>(mut text: &str, letters: [char; N]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for (number, letter) in numbers.iter_mut().zip(letters) {
        let Some((before, rest)) = text.split_once(letter) else { continue };
        // Eight digits are more than the furthest move in seconds, and too few to overflow anything.
        let plain = (1..=8).contains(&before.len()) && before.bytes().all(|byte| byte.is_ascii_digit());
        *number = before.parse().ok().filter(|_| plain)?;
        text = rest;
    }
    text.is_empty().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_counted_from_the_instant_it_is_added_to() {
        let from: Timestamp = "2027-01-31T10:00:00Z".parse().unwrap();
        let after = |text: &str| text.parse::<Span>().unwrap().after(from).to_string();
        assert_eq!(after("P1M"), "2027-02-28T10:00:00Z");
        assert_eq!(after("P1Y"), "2028-01-31T10:00:00Z");
        assert_eq!(after("P1M1D"), "2027-03-01T10:00:00Z");
        assert_eq!(after("P1W"), "2027-02-07T10:00:00Z");
        assert_eq!(after("PT36H"), "2027-02-01T22:00:00Z");
        assert_eq!(after("P1DT1H1M1S"), "2027-02-01T11:01:01Z");
        assert_eq!(after("P0D"), from.to_string());
        assert_eq!(after("P99999999D"), Timestamp::MAX.to_string());
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for wrong in ["", "P", "PT", "1M", "P1", "PM", "P1M1Y", "P1M2M", "P1DT", "P1H", "P-1D", "P1.5D", "P101Y", "p1m"]
        {
            assert!(wrong.parse::<Span>().is_err(), "{wrong:?}");
        }
    }
}

//! The reader's clock: which day it is where they are.
//!
//! The browser says how far it is from UTC in a cookie; before it has, and without scripts, days are UTC's.

use axum::http::HeaderMap;
use jiff::{
    civil,
    tz::{Offset, TimeZone},
};
use medici_ledger::Timestamp;

use super::strings;

/// The furthest that any clock on Earth is from UTC, in minutes.
const OFFSET_MINUTES_MAX: i32 = 14 * 60;

/// Turns instants into the reader's days and hours.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    zone: TimeZone,
    today: civil::Date,
}

impl Zone {
    /// Returns the reader's zone: minutes east of UTC from the cookie `tz`, and UTC where it makes no sense.
    pub(super) fn of(headers: &HeaderMap, now: Timestamp) -> Self {
        let minutes = cookie(headers, "tz").and_then(|text| text.parse::<i32>().ok());
        Self::east_of_utc(minutes.unwrap_or(0), now)
    }

    fn east_of_utc(minutes: i32, now: Timestamp) -> Self {
        let minutes = if minutes.abs() <= OFFSET_MINUTES_MAX { minutes } else { 0 };
        let offset = Offset::from_seconds(minutes * 60).expect("half a day is an offset");
        let zone = TimeZone::fixed(offset);
        let today = civil_time(now, &zone).date();
        Self { zone, today }
    }

    /// Returns the reader's day of an instant.
    pub(super) fn date(&self, at: Timestamp) -> civil::Date {
        civil_time(at, &self.zone).date()
    }

    /// Writes a day as a heading: `Today`, `Yesterday`, `Friday 20 November 2026`.
    pub(super) fn heading(&self, date: civil::Date) -> String {
        if date == self.today {
            return strings::TODAY.into();
        }
        if self.today.yesterday().is_ok_and(|yesterday| date == yesterday) {
            return strings::YESTERDAY.into();
        }
        let weekday = date.weekday().to_monday_zero_offset();
        strings::day_long(weekday, date.day(), date.month(), date.year())
    }

    /// Writes the day of an instant within a sentence: `1 Dec`.
    pub(super) fn day(&self, at: Timestamp) -> String {
        let date = self.date(at);
        strings::day_short(date.day(), date.month(), date.year(), self.today.year())
    }

    /// Writes the hour and minute of an instant: `14:05`.
    pub(super) fn time(&self, at: Timestamp) -> String {
        let time = civil_time(at, &self.zone).time();
        format!("{:02}:{:02}", time.hour(), time.minute())
    }
}

fn civil_time(at: Timestamp, zone: &TimeZone) -> civil::DateTime {
    let instant =
        jiff::Timestamp::from_microsecond(at.micros()).expect("the ledger keeps instants within jiff's range");
    zone.to_datetime(instant)
}

/// Returns the value of a cookie. For what a page may know without being told who asks.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(axum::http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_the_readers() {
        let now: Timestamp = "2026-11-22T23:30:00Z".parse().unwrap();
        let utc = Zone::east_of_utc(0, now);
        let rome = Zone::east_of_utc(60, now);
        assert_eq!(utc.heading(utc.date(now)), "Today");
        assert_eq!((rome.day(now), rome.time(now)), ("23 Nov".into(), "00:30".into()));
        let earlier: Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
        assert_eq!(rome.heading(rome.date(earlier)), "Yesterday");
        let long_ago: Timestamp = "2025-01-02T20:00:00Z".parse().unwrap();
        assert_eq!(rome.heading(rome.date(long_ago)), "Thursday 2 January 2025");
        assert_eq!(rome.day(long_ago), "2 Jan 2025");
    }

    #[test]
    fn a_senseless_offset_is_utc() {
        let now: Timestamp = "2026-11-22T23:30:00Z".parse().unwrap();
        for cookie in ["tz=9999", "tz=abc", "tzz=60", "other=1"] {
            let mut headers = HeaderMap::new();
            headers.insert("cookie", cookie.parse().unwrap());
            assert_eq!(Zone::of(&headers, now).time(now), "23:30", "{cookie}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("cookie", "a=b; tz=-90".parse().unwrap());
        assert_eq!(Zone::of(&headers, now).time(now), "22:00");
    }
}

//! The calendar: months counted from an anchor, in UTC, by whole-number arithmetic.
//!
//! An occurrence is always computed from the anchor, never from the one before: an anchor on January 31
//! gives February 28 and then March 31.

use crate::time::{MICROS_PER_SECOND, Timestamp};

const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// The most months a period may have: a hundred years.
pub const MONTHS_MAX: u16 = 1_200;

/// A period of whole months, from 1 to [`MONTHS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Months(u16);

impl Months {
    /// One month.
    pub const ONE: Self = Self(1);

    /// Returns that many months, or `None` outside 1 to [`MONTHS_MAX`].
    #[must_use]
    pub const fn new(months: u16) -> Option<Self> {
        if months >= 1 && months <= MONTHS_MAX { Some(Self(months)) } else { None }
    }

    /// Returns the number of months.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// Which day of the month an anchor stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AnchorPolicy {
    /// The anchor's own day, or the month's last where it has no such day.
    #[default]
    Keep,
    /// DALL·E's rule: anchors on the 29th, 30th and 31st refill on the 28th.
    OpenAi28,
}

/// Returns the instant of the `index`th monthly occurrence counted from `anchor`; the 0th is the anchor itself.
///
/// Saturates at the end of time, where nothing is due any more.
#[must_use]
pub fn occurrence(anchor: Timestamp, index: u32, policy: AnchorPolicy) -> Timestamp {
    if index == 0 {
        return anchor;
    }
    let (days, time) = split(anchor);
    let (year, month, day) = civil_from_days(days);
    let day = match policy {
        AnchorPolicy::Keep => day,
        AnchorPolicy::OpenAi28 => day.min(28),
    };
    let months = year * 12 + (month - 1) + i64::from(index);
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    if year > 9_999 {
        return Timestamp::MAX;
    }
    let day = day.min(days_in_month(year, month));
    Timestamp::from_micros(days_from_civil(year, month, day) * MICROS_PER_DAY + time)
}

/// Returns the index of the latest occurrence that is not after `now`, or `None` before the anchor.
#[must_use]
pub fn occurrence_at(anchor: Timestamp, now: Timestamp, policy: AnchorPolicy) -> Option<u32> {
    if now < anchor {
        return None;
    }
    let (year, month, _) = civil_from_days(split(now).0);
    let (anchor_year, anchor_month, _) = civil_from_days(split(anchor).0);
    let index = u32::try_from((year - anchor_year) * 12 + (month - anchor_month)).ok()?;
    // The occurrence of this very month may still be ahead.
    if index > 0 && occurrence(anchor, index, policy) > now { Some(index - 1) } else { Some(index) }
}

/// Returns the instant `months` after `from`, clamped to the month's end: how packs expire.
#[must_use]
pub fn months_after(from: Timestamp, months: Months) -> Timestamp {
    occurrence(from, u32::from(months.get()), AnchorPolicy::Keep)
}

/// Returns the midnight that began the day.
#[must_use]
pub fn day_of(instant: Timestamp) -> Timestamp {
    Timestamp::from_micros(split(instant).0 * MICROS_PER_DAY)
}

/// Returns the midnight that began the calendar month.
#[must_use]
pub fn month_of(instant: Timestamp) -> Timestamp {
    let (year, month, _) = civil_from_days(split(instant).0);
    Timestamp::from_micros(days_from_civil(year, month, 1) * MICROS_PER_DAY)
}

fn split(instant: Timestamp) -> (i64, i64) {
    (instant.micros().div_euclid(MICROS_PER_DAY), instant.micros().rem_euclid(MICROS_PER_DAY))
}

/// Returns the proleptic Gregorian (year, month, day) of a day counted from 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Years are counted from March, so that the leap day is a year's last.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests;

//! Months counted on the fingers: one month after the other, from the length of each.

pub(super) const DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// 2020-01-01T00:00:00Z in microseconds. The model knows no earlier time.
const START: i64 = 1_577_836_800_000_000;

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the instants of occurrences 0 to `count - 1` of a month that begins at `anchor`.
pub(super) fn occurrences(anchor: i64, on_28th: bool, count: usize) -> Vec<i64> {
    assert!(anchor >= START, "the naive calendar begins in 2020");
    let (mut year, mut month, mut month_starts_at) = (2020, 1, START);
    while month_starts_at + days_in(year, month) * DAY <= anchor {
        month_starts_at += days_in(year, month) * DAY;
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let day = (anchor - month_starts_at) / DAY + 1;
    let time_of_day = (anchor - month_starts_at) % DAY;
    let wanted = if on_28th { day.min(28) } else { day };

    let mut found = vec![anchor];
    while found.len() < count {
        month_starts_at += days_in(year, month) * DAY;
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        found.push(month_starts_at + (wanted.min(days_in(year, month)) - 1) * DAY + time_of_day);
    }
    found
}

/// Returns the instant `months` after another, on its day of the month or the month's last.
pub(super) fn months_after(from: i64, months: usize) -> i64 {
    occurrences(from, false, months + 1)[months]
}

/// Returns when the calendar month began that an instant falls in.
pub(super) fn month_start(at: i64) -> i64 {
    let (mut year, mut month, mut month_starts_at) = (2020, 1, START);
    while month_starts_at + days_in(year, month) * DAY <= at {
        month_starts_at += days_in(year, month) * DAY;
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    month_starts_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use medici_ledger::Timestamp;

    fn dates(anchor: &str, on_28th: bool) -> Vec<String> {
        let anchor: Timestamp = anchor.parse().unwrap();
        let instants = occurrences(anchor.micros(), on_28th, 15);
        instants.into_iter().map(|micros| Timestamp::from_micros(micros).to_string()[..10].to_owned()).collect()
    }

    #[test]
    fn the_anchor_day_comes_back_after_a_short_month() {
        assert_eq!(
            dates("2027-01-31T10:00:00Z", false),
            [
                "2027-01-31",
                "2027-02-28",
                "2027-03-31",
                "2027-04-30",
                "2027-05-31",
                "2027-06-30",
                "2027-07-31",
                "2027-08-31",
                "2027-09-30",
                "2027-10-31",
                "2027-11-30",
                "2027-12-31",
                "2028-01-31",
                "2028-02-29",
                "2028-03-31"
            ]
        );
    }

    #[test]
    fn the_old_rule_refills_on_the_28th() {
        assert_eq!(dates("2027-12-30", true)[..4], ["2027-12-30", "2028-01-28", "2028-02-28", "2028-03-28"]);
        assert_eq!(dates("2027-12-27", true)[..3], ["2027-12-27", "2028-01-27", "2028-02-27"]);
    }
}

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn occurrences_are_counted_from_the_anchor_and_clamped() {
    let anchor = at("2027-01-31 10:30:00");
    let expected = ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"];
    for (index, date) in (0..).zip(expected) {
        assert_eq!(occurrence(anchor, index, AnchorPolicy::Keep), at(&format!("{date} 10:30:00")));
    }
    assert_eq!(occurrence(anchor, 13, AnchorPolicy::Keep), at("2028-02-29 10:30:00"));
    assert_eq!(occurrence(anchor, 1, AnchorPolicy::OpenAi28), at("2027-02-28 10:30:00"));
    assert_eq!(occurrence(anchor, 2, AnchorPolicy::OpenAi28), at("2027-03-28 10:30:00"));
    assert_eq!(occurrence(anchor, 0, AnchorPolicy::OpenAi28), anchor);
}

#[test]
fn the_calendar_agrees_with_jiff_on_every_day_of_four_centuries() {
    let mut date = jiff::civil::date(1899, 12, 30);
    for _ in 0..146_200 {
        let days = date.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
        let civil = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
        assert_eq!(civil_from_days(days.into()), civil);
        assert_eq!(days_from_civil(civil.0, civil.1, civil.2), i64::from(days));
        assert_eq!(days_in_month(civil.0, civil.1), i64::from(date.days_in_month()));
        date = date.tomorrow().unwrap();
    }
}

#[test]
fn every_instant_lies_in_exactly_one_occurrence() {
    for anchor in ["2027-01-31", "2024-02-29 23:59:59", "1969-12-31 00:00:01", "2027-06-15 12:00:00"].map(at) {
        for policy in [AnchorPolicy::Keep, AnchorPolicy::OpenAi28] {
            assert_eq!(occurrence_at(anchor, Timestamp::from_micros(anchor.micros() - 1), policy), None);
            for index in 0..60 {
                let begin = occurrence(anchor, index, policy);
                let end = occurrence(anchor, index + 1, policy);
                assert!(begin < end);
                assert_eq!(occurrence_at(anchor, begin, policy), Some(index));
                assert_eq!(occurrence_at(anchor, Timestamp::from_micros(end.micros() - 1), policy), Some(index));
            }
        }
    }
}

#[test]
fn the_end_of_time_is_not_an_error() {
    assert_eq!(occurrence(Timestamp::MAX, u32::MAX, AnchorPolicy::Keep), Timestamp::MAX);
    assert!(occurrence(Timestamp::MIN, 1, AnchorPolicy::Keep) > Timestamp::MIN);
    assert_eq!(months_after(at("2026-11-10"), Months::new(12).unwrap()), at("2027-11-10"));
    assert_eq!(Months::new(0), None);
}

#[test]
fn the_last_year_has_its_months_and_a_day_and_a_month_begin_at_midnight() {
    assert_eq!(occurrence(at("9999-10-05"), 2, AnchorPolicy::Keep), at("9999-12-05"));
    assert_eq!(occurrence(at("9999-10-05"), 3, AnchorPolicy::Keep), Timestamp::MAX);
    for instant in ["2028-02-29 00:00:00", "2028-02-29 23:59:59.999999", "1969-02-28 12:00:00"] {
        let date = &instant[..10];
        assert_eq!(day_of(at(instant)), at(date));
        assert_eq!(month_of(at(instant)), at(&format!("{}01", &date[..8])));
    }
}

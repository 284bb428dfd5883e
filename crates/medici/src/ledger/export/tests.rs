use std::path::Path;

use medici_testkit::story::{ANN, BOB, CID, DEN, EVE, Story};

use super::*;

fn selection(period: Period, basis: Basis) -> Selection {
    let names = [(ANN, "ann"), (BOB, "bob"), (CID, "cid"), (DEN, "den \"the\" \\"), (EVE, "eve")];
    let names = names.into_iter().map(|(account, name)| (account, name.to_owned())).collect();
    Selection { period, basis, names, sandboxes: HashSet::new() }
}

fn beancount(story: &Story, period: Period, basis: Basis) -> String {
    let mut selection = selection(period, basis);
    let mut book = Beancount::new(Reporting::new(period, Grouping::Month, basis).unwrap());
    story.journal.iter().for_each(|entry| book.count(entry));
    let mut out = Vec::new();
    book.begin(&mut out).unwrap();
    for entry in &story.journal {
        if selection.admits(entry) {
            book.entry(&mut out, entry, basis.of(entry), &selection.name(entry.account)).unwrap();
        }
    }
    book.end(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Compares a book with the one that `tests/clients` gives to `bean-check`.
///
/// `MEDICI_WRITE_REFERENCE=1` writes it anew.
fn compare(name: &str, book: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/books").join(name);
    if std::env::var_os("MEDICI_WRITE_REFERENCE").is_some() {
        fs::write(&file, book).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap() == book,
        "{name} is out of date: write it with MEDICI_WRITE_REFERENCE=1"
    );
}

#[test]
fn a_book_has_every_live_entry_with_postings_and_is_the_one_that_bean_check_reads() {
    let story = Story::told();
    for (basis, name) in [(Basis::Effective, "whole.beancount"), (Basis::Recorded, "recorded.beancount")] {
        let book = beancount(&story, Period::ALWAYS, basis);
        compare(name, &book);
        let live = story.journal.iter().filter(|entry| entry.account != EVE && !entry.postings.is_empty());
        assert_eq!(book.matches("  hash: ").count(), live.count());
        assert!(!book.contains(&EVE.to_string()), "a sandbox is no business");
    }
}

#[test]
fn a_period_begins_with_what_was_there_before() {
    let story = Story::told();
    let period = Period { from: "2026-12-01".parse().unwrap(), until: "2027-02-01".parse().unwrap() };
    let book = beancount(&story, period, Basis::Effective);
    compare("period.beancount", &book);
    assert!(book.contains("2026-12-01 * \"Medici\" \"what the accounts had before\"\n"), "{book}");
    assert!(!book.contains("\n2026-11-"));
    assert!(book.contains("2027-01-01 balance ") && book.contains("2027-02-01 balance "));
}

#[test]
fn a_csv_has_one_record_a_posting() {
    let story = Story::told();
    let mut selection = selection(Period::ALWAYS, Basis::Effective);
    let mut out = Vec::new();
    csv::begin(&mut out).unwrap();
    let mut postings = 0;
    for entry in story.journal.iter() {
        if selection.admits(entry) {
            postings += entry.postings.len();
            csv::entry(&mut out, entry, &selection.name(entry.account)).unwrap();
        }
    }
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("\r\n").count(), postings + 1);
    let paid = text.lines().find(|line| line.contains("order_paid,cash")).unwrap();
    assert!(paid.starts_with("acct_0000000000000000000000000000000a,ann,5,2026-11-10T00:05:00Z,"), "{paid}");
    assert!(paid.contains(",cash,2,USD,18.00,,order_00000000000000000000000000000001,"), "{paid}");
}

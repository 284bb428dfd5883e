use super::*;
use crate::amount::Credits;
use crate::plan::PlanTerms;
use crate::price_book::PriceVersion;
use crate::price_rule::{Conditions, OperationPrice, PriceRule, Rate};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn book(price: &str, monthly: u32) -> PriceBook {
    let price = OperationPrice::per_operation(price.parse().unwrap(), 4);
    let version = PriceVersion {
        effective_at: Timestamp::EPOCH,
        operations: [(Operation::Generate, price)].into(),
        plans: [("free".parse().unwrap(), PlanTerms::monthly(Credits::whole(monthly)))].into(),
        ..PriceVersion::default()
    };
    PriceBook::new(vec![version]).unwrap()
}

/// Ten charges in November, one each day, by an account that was opened in October.
fn november(book: &PriceBook) -> (AccountId, Vec<Entry>) {
    let account = AccountId::from_u128(1);
    let mut wallet = Wallet::new(account);
    let mut entries = Vec::new();
    let mut run = |command: Command, now: Timestamp| {
        let decision = wallet.decide(&command, book, now).unwrap();
        wallet = decision.wallet;
        entries.extend(decision.entries);
    };
    run(Command::open("free".parse().unwrap()), at("2026-10-01"));
    for day in 1..=10 {
        let now = at(&format!("2026-11-{day:02} 12:00:00"));
        let quote = book.quote(&Usage::of(Operation::Generate, 4), now).unwrap();
        run(Command::charge(HoldId::from_u128(day), quote), now);
    }
    (account, entries)
}

fn in_november() -> Period {
    Period { from: at("2026-11-01"), until: at("2026-12-01") }
}

#[test]
fn the_same_prices_give_the_same_past() {
    let book = book("1", 15);
    let (account, entries) = november(&book);
    let simulation = simulate(account, &entries, &Asked::new(), &book, in_november());
    assert_eq!(simulation.before, simulation.after);
    assert_eq!(simulation.before.spent[&Operation::Generate], 10_000_000);
    assert_eq!(simulation.before.count[&Operation::Generate], 10);
    assert_eq!((simulation.dry_at, simulation.refused, simulation.unpriced), (None, 0, 0));
}

#[test]
fn dearer_prices_run_an_account_dry_at_the_charge_that_it_cannot_pay() {
    let before = book("1", 15);
    let (account, entries) = november(&before);
    let dearer = as_from(&book("2", 15), at("2026-11-01"));
    let simulation = simulate(account, &entries, &Asked::new(), &dearer, in_november());
    assert_eq!(simulation.after.spent[&Operation::Generate], 14_000_000);
    assert_eq!(simulation.refused, 3);
    assert_eq!(simulation.dry_at, Some(at("2026-11-08 12:00:00")));
}

#[test]
fn a_smaller_plan_counts_from_the_period_on() {
    let before = book("1", 15);
    let (account, entries) = november(&before);
    let smaller = as_from(&book("1", 5), at("2026-11-01"));
    let simulation = simulate(account, &entries, &Asked::new(), &smaller, in_november());
    assert_eq!((simulation.before.given, simulation.after.given), (15_000_000, 5_000_000));
    assert_eq!(simulation.refused, 5);
}

#[test]
fn what_the_other_book_does_not_sell_is_counted() {
    let before = book("1", 15);
    let (account, entries) = november(&before);
    let nothing = PriceBook::new(vec![PriceVersion { effective_at: Timestamp::EPOCH, ..PriceVersion::default() }]);
    let simulation = simulate(account, &entries, &Asked::new(), &nothing.unwrap(), in_november());
    assert_eq!((simulation.unpriced, simulation.refused), (10, 0));
}

#[test]
fn accounts_add_up_and_the_first_to_run_dry_stays_the_first() {
    let before = book("1", 15);
    let (account, entries) = november(&before);
    let dearer = simulate(account, &entries, &Asked::new(), &as_from(&book("2", 15), at("2026-11-01")), in_november());
    let nothing = PriceBook::new(vec![PriceVersion { effective_at: Timestamp::EPOCH, ..PriceVersion::default() }]);
    let nothing = simulate(account, &entries, &Asked::new(), &nothing.unwrap(), in_november());
    let mut sum = Simulation::default();
    sum.add(&nothing);
    sum.add(&dearer);
    sum.add(&dearer);
    assert_eq!((sum.refused, sum.unpriced, sum.dry_at), (6, 10, dearer.dry_at));
    assert_eq!(sum.before.spent[&Operation::Generate], 30_000_000);
    assert_eq!(sum.before.count[&Operation::Generate], 30);
    assert_eq!(sum.after.spent[&Operation::Generate], 28_000_000);
    assert_eq!((sum.before.given, sum.after.given), (45_000_000, dearer.after.given * 2 + nothing.after.given));
}

#[test]
fn all_that_an_account_buys_and_is_given_is_lived_through_again() {
    use crate::scenario::{Options, PureSubject, Subject as _, run};
    let text = "
        prices
          price generate 1 included 4
          price text 0 per-1k input=1
          plan free monthly 15
          plan large monthly 40
          pack 115 for $15.00 name small
          cohort friends bonus 5
          policy invoice on
        end
        2026-11-01  open plan free
        join friends
        2026-11-02  charge text input=2000 event e1
        2026-11-05  grant goodwill 3
        2026-11-06  buy P pack small
        2026-11-07  order Q pack small
        invoice Q
        2026-11-08  pay Q
        2026-11-10  hold job-1 generate x80
        capture job-1 all
        2026-11-12  hold job-2 generate x4
        void job-2 cancelled
        2026-11-15  plan large
        2026-11-16  charge generate x160
    ";
    let mut subject = PureSubject::new();
    let played = run(text, &mut subject, Options::default()).unwrap();
    let account = played.accounts[0].1;
    let simulation = simulate(account, &subject.entries(account), &Asked::new(), &played.book, Period::ALWAYS);
    assert_eq!(simulation.before, simulation.after);
    let outcome = simulation.before;
    assert_eq!(outcome.spent.values().sum::<i128>(), 62_000_000);
    assert_eq!(outcome.count.values().sum::<u64>(), 3);
    assert_eq!(outcome.given, 40_000_000, "the month, and what the better plan adds");
    assert!(outcome.recognised[&crate::Currency::USD] > 0);
}

/// Lives through a story at its own prices again.
fn again(text: &str, period: Period) -> Simulation {
    use crate::scenario::{Options, PureSubject, Subject as _, run};
    let mut subject = PureSubject::new();
    let played = run(text, &mut subject, Options::default()).unwrap();
    let account = played.accounts[0].1;
    simulate(account, &subject.entries(account), &Asked::new(), &played.book, period)
}

#[test]
fn a_period_has_its_first_instant_and_not_its_end() {
    let text = "
        prices
          price generate 1 included 4
          plan free monthly 15
        end
        2026-11-01 00:00:00  open plan free
        2026-11-02 00:00:00  charge generate x4
        2026-11-03 00:00:00  charge generate x8
        2026-11-04 00:00:00  charge generate x12
    ";
    let spent = |from: &str, until: &str| {
        let simulation = again(text, Period { from: at(from), until: at(until) });
        assert_eq!(simulation.before, simulation.after);
        simulation.before.spent.get(&Operation::Generate).copied().unwrap_or_default() / 1_000_000
    };
    assert_eq!(spent("2026-11-02", "2026-11-04"), 3);
    assert_eq!(spent("2026-11-02 00:00:00.000001", "2026-11-04 00:00:00.000001"), 5);
    assert_eq!(spent("2026-11-03", "2026-11-03"), 0);
}

#[test]
fn a_capture_of_nothing_counts_as_none() {
    let simulation = again(
        "
        prices
          price generate 1 included 4
          plan free monthly 15
        end
        2026-11-01  open plan free
        hold job-1 generate x4
        capture job-1 0
        hold job-2 generate x8
        capture job-2 all
        ",
        Period::ALWAYS,
    );
    assert_eq!(simulation.before, simulation.after);
    assert_eq!(simulation.before.count, [(Operation::Generate, 1)].into());
    assert_eq!(simulation.before.spent, [(Operation::Generate, 2_000_000)].into());
}

#[test]
fn what_is_spent_of_orders_is_there_to_be_spent() {
    let book = "
        prices
          price generate 1 included 4
          plan free monthly 15
          pack 115 for $15.00 name small
          policy invoice on
        end
        2026-11-01  open plan free
    ";
    for order in ["buy P pack small", "order P pack small\n invoice P", "order P pack small\n pay P"] {
        let simulation = again(&format!("{book}\n2026-11-02  {order}\n charge generate x400\n"), Period::ALWAYS);
        assert_eq!(simulation.before, simulation.after, "{order}");
        assert_eq!(simulation.before.spent[&Operation::Generate], 100_000_000, "{order}");
        assert!(simulation.before.recognised[&Currency::USD] > 0, "{order}");
        assert_eq!((simulation.refused, simulation.dry_at), (0, None), "{order}");
    }
}

#[test]
fn what_was_asked_for_under_a_hold_is_priced_as_it_was_asked() {
    let (account, entries) = november(&book("1", 15));
    let size = |side| Usage { width: side, height: side, ..Usage::of(Operation::Generate, 4) };
    let asked: Asked =
        [(1, 1024), (2, 1024), (3, 256)].map(|(hold, side)| (HoldId::from_u128(hold), size(side))).into();
    let large = Conditions { size: Some((1024, 1024)), ..Conditions::default() };
    let rule = PriceRule { when: large, rate: Rate::per_operation("3".parse().unwrap(), 4) };
    let mut version = book("1", 15).versions()[0].clone();
    version.operations.get_mut(&Operation::Generate).unwrap().rules = vec![rule];
    let dearer = PriceBook::new(vec![version]).unwrap();
    let spent = |asked: &Asked| {
        let simulation = simulate(account, &entries, asked, &dearer, in_november());
        simulation.after.spent[&Operation::Generate]
    };
    assert_eq!(spent(&asked), 14_000_000);
    assert_eq!(spent(&Asked::new()), 10_000_000, "nothing is known of them");
}

#[test]
fn gifts_and_a_sandboxs_own_time_are_lived_through_again() {
    let simulation = again(
        "
        prices
          price generate 1 included 4
          plan free monthly 15
        end
        2026-01-31  open plan free sandbox
        grant goodwill 3
        charge generate x72
        clock 2026-02-28
        charge generate x60
        clock 2026-05-15
        charge generate x60
        ",
        Period::ALWAYS,
    );
    assert_eq!(simulation.before, simulation.after);
    assert_eq!(simulation.after.spent[&Operation::Generate], 48_000_000);
    assert_eq!((simulation.after.given, simulation.refused), (60_000_000, 0), "a month on the way is given too");
}

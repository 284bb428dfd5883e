//! The answers of the ledger, on a story in which everything happens.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use medici_ledger::{
    Credits, Entry, LedgerAccount, Timestamp, Unit, explanations,
    history::{AsOf, wallet_as_of},
    report::{Basis, Grouping, Report, Reporting, Sums, TooManyMonths},
    statement::{Period, Statement},
    summary,
    verify::Replay,
};
use medici_testkit::story::{ANN, BOB, CID, EVE, Story};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn report(entries: &[Entry], period: Period, grouping: Grouping, basis: Basis) -> Report {
    let mut reporting = Reporting::new(period, grouping, basis).unwrap();
    entries.iter().for_each(|entry| reporting.feed(entry));
    reporting.finish()
}

#[test]
fn the_story_has_every_fact_and_proves() {
    let story = Story::told();
    let mut replay = Replay::new();
    story.journal.iter().for_each(|entry| replay.feed(entry).unwrap());
    replay.finish().unwrap();
    let told: BTreeSet<&str> = story.journal.iter().map(|entry| entry.fact.name()).collect();
    let all = [
        "alert_set",
        "budget_set",
        "captured",
        "charged",
        "clock_set",
        "cohort_joined",
        "extended",
        "given_back",
        "granted",
        "held",
        "hold_expired",
        "lot_expired",
        "low_balance",
        "opened",
        "order_cancelled",
        "order_invoiced",
        "order_paid",
        "order_placed",
        "order_reversed",
        "overrides_set",
        "plan_changed",
        "reopened",
        "uncollected",
        "voided",
        "withdrawn",
    ];
    assert_eq!(told.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn every_entry_is_explained_and_its_cents_can_be_followed() {
    let story = Story::told();
    for account in story.accounts() {
        let entries = story.entries(account);
        let explained = explanations(account, &entries, |_| true).unwrap();
        assert_eq!(explained.len(), entries.len());
        for explanation in explained {
            let entry = explanation.entry;
            let text = explanation.to_string();
            let told = summary(&entry.fact);
            assert!(told.contains("minor units") || text.contains(&told), "{text}");
            let posted = |account: &LedgerAccount| -> i64 {
                let of = entry.postings.iter().filter(|posting| posting.account == *account);
                of.map(|posting| posting.amount).sum()
            };
            // The shares before and after are what was posted.
            let deferred: i64 = explanation.lots.iter().map(|lot| lot.deferred().1 - lot.deferred().0).sum();
            assert_eq!(-posted(&LedgerAccount::Deferred), deferred, "{text}");
            let lot: i64 = explanation
                .lots
                .iter()
                .map(|lot| lot.after.available.micro() - lot.before.map_or(0, |before| before.available.micro()))
                .sum();
            assert_eq!(posted(&LedgerAccount::Lot), lot, "{text}");
        }
    }
}

#[test]
fn a_capture_is_explained_with_its_price_its_slices_and_its_rounding() {
    let story = Story::told();
    let entries = story.entries(ANN);
    let explained = explanations(ANN, &entries, |entry| entry.fact.name() == "captured").unwrap();
    assert_eq!(
        explained[0].to_string(),
        "entry 8 of acct_0000000000000000000000000000000a, effective 2026-11-11T00:02:00Z: captured 17 of \
         hold_00000000000000000000000000000001 (15 from lot 1, 2 from lot 2), released (3 from lot 2)\n\
         price: 20 x 1, each for up to 4, for 80: 20 (prices of 2026-01-01T00:00:00Z)\n\
         lot 1, 15 free credits (monthly): held 15 -> 0, captured 0 -> 15\n\
         lot 2, 115 paid credits (purchase) for 15.00 USD: available 110 -> 113, held 5 -> 0, captured 0 -> 2\n  \
         earned floor(15.00 USD x 2 / 115) = 0.26 USD, before 0.00 USD: 0.26 USD\n  \
         deferred floor(15.00 USD x 115 / 115) - earned = 15.00 USD - 0.26 USD = 14.74 USD, before 15.00 USD: \
         -0.26 USD\n  \
         held 1 -15\n  used:generate 1 +15\n  held 2 -5\n  used:generate 2 +2\n  lot 2 +3\n  \
         deferred 2 +0.26 USD\n  revenue:generate 2 -0.26 USD"
    );
    let slices = explained[0].slices();
    assert_eq!(
        slices.iter().map(|(name, slices)| (*name, slices.len())).collect::<Vec<_>>(),
        [("captured", 2), ("released", 1)]
    );
}

#[test]
fn a_dispute_is_explained_with_what_is_withdrawn_and_owed() {
    let story = Story::told();
    let entries = story.entries(BOB);
    let explained = explanations(BOB, &entries, |entry| entry.fact.name() == "order_reversed").unwrap();
    let text = explained[0].to_string();
    assert!(
        text.contains("order: a pack of 115 credits for 15.00 USD + tax 3.00 USD = 18.00 USD, now disputed"),
        "{text}"
    );
    assert!(text.contains("reversed 18.00 USD, of which 15.00 USD without tax"), "{text}");
    assert!(text.contains("and 40 owed, of which 0 repaid"), "{text}");
}

#[test]
fn what_was_altered_is_not_explained() {
    let story = Story::told();
    let mut entries = story.entries(ANN);
    entries[1].effective_at = at("2026-11-02");
    let broken = explanations(ANN, &entries, |entry| entry.seq == 8).unwrap_err();
    assert_eq!(broken.seq, 2);
    assert!(explanations(ANN, &entries, |entry| entry.seq == 1).is_ok(), "what came before is as it was");
}

#[test]
fn opening_and_lines_make_the_closing() {
    let story = Story::told();
    let months = ["2026-11-01", "2026-12-01", "2027-01-01", "2027-02-01", "2028-01-01"].map(at);
    for account in story.accounts() {
        let entries = story.entries(account);
        let mut closing = 0;
        for pair in months.windows(2) {
            let statement = Statement::of(&entries, Period { from: pair[0], until: pair[1] });
            assert_eq!(statement.opening(), closing);
            let changes: i64 = statement.lines.iter().map(|line| line.change()).sum();
            closing = statement.closing();
            assert_eq!(statement.opening() + changes, closing);
            assert_eq!(statement.lines.last().map_or(statement.opening(), |line| line.balance), closing);
            for money in &statement.money {
                let lines = statement.lines.iter().flat_map(|line| &line.deferred);
                let change: i64 = lines.filter(|(currency, _)| *currency == money.currency).map(|(_, n)| n).sum();
                assert_eq!(money.opening_deferred + change, money.closing_deferred);
            }
        }
    }
}

#[test]
fn a_statement_tells_orders_as_they_stood_at_its_end() {
    let story = Story::told();
    let entries = story.entries(BOB);
    let statuses = |from: &str, until: &str| -> Vec<(&str, i64)> {
        let statement = Statement::of(&entries, Period { from: at(from), until: at(until) });
        statement.orders.iter().map(|order| (order.status.as_str(), order.reversed.minor())).collect()
    };
    assert_eq!(statuses("2026-11-01", "2026-12-01"), [("cancelled", 0), ("paid", 0)]);
    assert_eq!(statuses("2026-12-01", "2027-01-01"), [("disputed", 1800), ("paid", 0)]);
    assert_eq!(statuses("2027-01-01", "2027-02-01"), [("won", 0), ("partly_refunded", 500)]);
    assert_eq!(statuses("2027-02-01", "2027-03-01"), []);
    let record = story.wallet(BOB).orders();
    assert_eq!((record[1].status().as_str(), record[2].status().as_str()), ("won", "partly_refunded"));
}

#[test]
fn a_statement_in_text_adds_up_before_the_readers_eyes() {
    let story = Story::told();
    let period = Period { from: at("2026-12-01"), until: at("2027-01-01") };
    let text = Statement::of(&story.entries(CID), period).to_string();
    assert_eq!(
        text,
        "opening  130
    5  2026-12-15T00:00:00Z       -15       115  lot 1 expired with 15 unspent
    6  2026-12-15T00:00:00Z       +15       130  granted 15 free credits (monthly) as lot 3, until 2027-01-15T00:00:00Z
    7  2026-12-20T00:00:00Z    -19.32    110.68  order_00000000000000000000000000000005: refund re-1 of 3.00 USD is refunded
closing  110.68
order_00000000000000000000000000000005  a pack of 115 credits 15.00 USD + tax 2.85 USD = 17.85 USD, partly_refunded, back 3.00 USD
free   opening 15 + granted 15 - captured 0 - expired 15 - withdrawn 0 = closing 15, of which held 0
paid   opening 115 + granted 0 - captured 0 - expired 0 - withdrawn 19.32 = closing 95.68, of which held 0
USD    deferred 15.00 USD + received -3.00 USD - tax -0.48 USD - recognised 0.00 USD - breakage 0.00 USD + owed 0.00 USD + lost 0.00 USD = deferred 12.48 USD
"
    );
    assert!(Statement::of(&story.entries(EVE), period).to_string().starts_with("a sandbox"));
}

#[test]
fn a_report_is_the_sum_of_the_statements_and_ties_out() {
    let story = Story::told();
    let months = ["2026-11-01", "2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01", "2027-04-01"].map(at);
    let period = Period { from: months[0], until: months[5] };
    let told = report(&story.journal, period, Grouping::Month, Basis::Effective);
    assert_eq!(told.periods.len(), 5);
    assert!(told.ties_out());
    assert!(told.sandbox_entries > 5);
    for (month, pair) in told.periods.iter().zip(months.windows(2)) {
        assert_eq!((month.period.from, month.period.until), (pair[0], pair[1]));
        let live = story.accounts().filter(|account| *account != EVE);
        let statements: Vec<Statement> =
            live.map(|account| Statement::of(&story.entries(account), month.period)).collect();
        for money in month.money() {
            let sum = |part: fn(&medici_ledger::statement::MoneyLine) -> i64| -> i128 {
                let lines = statements.iter().flat_map(|statement| &statement.money);
                lines.filter(|line| line.currency == money.currency).map(|line| i128::from(part(line))).sum()
            };
            assert_eq!(money.deferred_opening, sum(|line| line.opening_deferred));
            assert_eq!(money.deferred_closing, sum(|line| line.closing_deferred));
            assert_eq!(money.received - money.returned + money.receivable, sum(|line| line.received));
            assert_eq!(money.tax, sum(|line| line.tax));
            assert_eq!(money.recognised_in_all(), sum(|line| line.recognised));
            assert_eq!(money.breakage, sum(|line| line.breakage));
            assert_eq!(money.customer_debt, sum(|line| line.owed));
            assert_eq!(money.refunds, sum(|line| line.lost));
            let closing = money.deferred_opening + money.received - money.returned + money.receivable
                - money.tax
                - money.recognised_in_all()
                - money.breakage
                + money.customer_debt
                + money.refunds;
            assert_eq!(closing, money.deferred_closing);
        }
    }
}

#[test]
fn what_is_deferred_is_what_the_lots_stand_for_at_every_instant() {
    let story = Story::told();
    for basis in [Basis::Recorded, Basis::Effective] {
        for instant in story.journal.iter().map(|entry| entry.recorded_at) {
            let mut reporting = Reporting::until(instant, basis);
            story.journal.iter().for_each(|entry| reporting.feed(entry));
            let told = reporting.finish();
            if basis == Basis::Effective {
                continue;
            }
            assert!(told.ties_out(), "{instant}");
            let mut lots = 0;
            for account in story.accounts().filter(|account| *account != EVE) {
                let wallet = wallet_as_of(account, &story.entries(account), AsOf::Recorded(instant)).unwrap();
                let dollars = |lot: &medici_ledger::Lot| lot.cost.is_some_and(|cost| cost.currency.as_str() == "USD");
                lots += wallet.lots().filter(dollars).map(|lot| i128::from(lot.deferred().minor())).sum::<i128>();
            }
            let dollars = told.periods[0].money().into_iter().find(|money| money.currency.as_str() == "USD");
            assert_eq!(dollars.map_or(0, |money| money.deferred_closing), lots, "{instant}");
        }
    }
}

#[test]
fn a_trial_balance_is_zero_and_leaves_sandboxes_out() {
    let story = Story::told();
    let mut reporting = Reporting::until(at("2028-01-01"), Basis::Effective);
    story.journal.iter().for_each(|entry| reporting.feed(entry));
    let lines = reporting.finish().trial_balance();
    for unit in [Unit::Credits, Unit::Money("USD".parse().unwrap()), Unit::Money("JPY".parse().unwrap())] {
        let of: Vec<i128> = lines.iter().filter(|line| line.unit == unit).map(|line| line.amount).collect();
        assert!(of.len() > 2 && of.iter().sum::<i128>() == 0, "{unit}: {of:?}");
    }
    let cash = lines.iter().find(|line| line.account == LedgerAccount::Cash && line.unit != Unit::Credits).unwrap();
    let mut with_sandbox = Replay::new();
    story.journal.iter().for_each(|entry| with_sandbox.feed(entry).unwrap());
    let all = with_sandbox.finish().unwrap().trial_balance;
    let all = all.iter().find(|line| (&line.account, line.unit) == (&cash.account, cash.unit)).unwrap();
    let dollars = if cash.unit == Unit::Money("USD".parse().unwrap()) { 1_500 } else { 0 };
    assert_eq!(all.amount - cash.amount, dollars, "the sandbox's pack is not ours");
}

#[test]
fn a_report_without_bounds_has_the_months_in_which_something_happened_and_those_between() {
    let story = Story::told();
    let told = report(&story.journal, Period::ALWAYS, Grouping::Month, Basis::Recorded);
    assert_eq!(told.periods.len(), 13, "November 2026 to November 2027");
    assert_eq!(told.periods[0].period.from, at("2026-11-01"));
    assert!(told.ties_out());
    assert!(report(&[], Period::ALWAYS, Grouping::Month, Basis::Recorded).periods.is_empty());
    assert_eq!(report(&[], Period::ALWAYS, Grouping::Whole, Basis::Recorded).periods.len(), 1);
    let cut = Period { from: at("2026-11-10T12:00"), until: at("2026-12-03") };
    let told = report(&story.journal, cut, Grouping::Month, Basis::Effective);
    let months: Vec<_> = told.periods.iter().map(|month| (month.period.from, month.period.until)).collect();
    assert_eq!(months, [(cut.from, at("2026-12-01")), (at("2026-12-01"), cut.until)]);
    let opening = told.periods[0].opening[&(LedgerAccount::Cash, Unit::Money("USD".parse().unwrap()))];
    assert_eq!(opening, 3_600, "two packs were paid before");
    let long = Period { from: at("1900-01-01"), until: at("2100-01-01") };
    assert_eq!(Reporting::new(long, Grouping::Month, Basis::Effective).unwrap_err(), TooManyMonths);
    assert!(Reporting::new(long, Grouping::Whole, Basis::Effective).is_ok());
}

#[test]
fn a_month_that_is_over_never_changes_by_when_it_was_recorded() {
    let story = Story::told();
    let december = Period { from: at("2026-12-01"), until: at("2027-01-01") };
    let known: Vec<Entry> = story.journal.iter().filter(|entry| entry.recorded_at < december.until).cloned().collect();
    let then = report(&known, december, Grouping::Whole, Basis::Recorded);
    let now = report(&story.journal, december, Grouping::Whole, Basis::Recorded);
    assert_eq!(then.periods, now.periods);
    let credits =
        |told: &Report| told.periods[0].closing[&(LedgerAccount::Used("text".parse().unwrap()), Unit::Credits)];
    let late = report(&story.journal, december, Grouping::Whole, Basis::Effective);
    assert_eq!(
        credits(&late),
        i128::from("0.014006".parse::<Credits>().unwrap().micro()),
        "late usage counts when it happened"
    );
}

#[test]
fn a_period_has_its_first_instant_and_not_the_one_after_it() {
    let november = Period { from: at("2026-11-01"), until: at("2026-12-01") };
    let inside = ["2026-10-31T23:59:59Z", "2026-11-01", "2026-11-30T23:59:59Z", "2026-12-01"].map(at);
    assert_eq!(inside.map(|instant| november.contains(instant)), [false, true, true, false]);
}

#[test]
fn money_that_went_back_is_told_apart_from_money_that_came() {
    let story = Story::told();
    let period = Period { from: at("2026-11-01"), until: at("2027-04-01") };
    let told = report(&story.journal, period, Grouping::Month, Basis::Effective);
    let mut returned = 0;
    for month in &told.periods {
        for money in month.money() {
            let cash =
                story.journal.iter().filter(|entry| entry.account != EVE && month.period.contains(entry.effective_at));
            let cash = cash.flat_map(|entry| &entry.postings).filter(|posting| {
                posting.account == LedgerAccount::Cash && posting.unit == Unit::Money(money.currency)
            });
            let amounts: Vec<i128> = cash.map(|posting| i128::from(posting.amount)).collect();
            assert_eq!(money.received, amounts.iter().filter(|amount| **amount > 0).sum::<i128>());
            assert_eq!(money.returned, -amounts.iter().filter(|amount| **amount < 0).sum::<i128>());
            returned += money.returned;
        }
    }
    assert!(returned > 0);
    assert_eq!(
        told.entries,
        story.journal.iter().filter(|entry| entry.account != EVE && entry.effective_at < period.until).count() as u64
    );
}

#[test]
fn a_report_of_altered_postings_does_not_tie_out() {
    let story = Story::told();
    let altered = |accounts: &[LedgerAccount]| {
        let mut journal = story.journal.clone();
        let entry = journal.iter_mut().rfind(|entry| {
            let has = |account: &LedgerAccount| entry.postings.iter().any(|posting| posting.account == *account);
            entry.account != EVE && has(&LedgerAccount::Deferred) && has(&LedgerAccount::Cash)
        });
        let entry = entry.unwrap();
        for (account, change) in accounts.iter().zip([1, -1]) {
            entry.postings.iter_mut().find(|posting| posting.account == *account).unwrap().amount += change;
        }
        report(&journal, Period::ALWAYS, Grouping::Whole, Basis::Recorded).ties_out()
    };
    assert!(altered(&[]));
    assert!(!altered(&[LedgerAccount::Cash]), "it does not sum to zero");
    assert!(!altered(&[LedgerAccount::Cash, LedgerAccount::Deferred]), "it is not what the lots stand for");
}

#[test]
fn an_explanation_names_what_it_is_about_and_its_slices() {
    let story = Story::told();
    for account in story.accounts() {
        let entries = story.entries(account);
        for explanation in explanations(account, &entries, |_| true).unwrap() {
            let fact = &explanation.entry.fact;
            let text = summary(fact);
            let hold = fact.hold().map(|hold| hold.to_string());
            let order = fact.order().map(|order| order.to_string());
            let lots = fact.grants().iter().map(|grant| format!("as lot {}", grant.lot));
            let moved = fact.replacements().iter().map(|moved| format!("lot {}", moved.lot));
            for name in hold.into_iter().chain(order).chain(lots).chain(moved) {
                assert!(text.contains(&name), "{name} in {text}");
            }
            let slices = explanation.slices();
            let names: Vec<&str> = slices.iter().map(|(name, _)| *name).collect();
            let sums: Vec<i64> =
                (slices.iter()).map(|(_, slices)| slices.iter().map(|slice| slice.amount.micro()).sum()).collect();
            match fact {
                medici_ledger::Fact::Held { quote, .. } => {
                    assert_eq!((names, sums), (vec!["held"], vec![quote.amount.micro()]))
                }
                medici_ledger::Fact::Voided { .. } | medici_ledger::Fact::HoldExpired { .. } => {
                    assert_eq!(names, ["released"])
                }
                medici_ledger::Fact::Charged { quote, .. } if !quote.amount.is_zero() => {
                    assert_eq!((names, sums), (vec!["captured"], vec![quote.amount.micro()]));
                }
                medici_ledger::Fact::GivenBack { .. } => {
                    assert_eq!(names, ["returned"]);
                    let amount = Credits::from_micro(sums[0]).unwrap();
                    assert!(text.contains(&format!("gave back {amount} of")) && text.contains(" to lot "), "{text}");
                }
                _ => {}
            }
            for lot in &explanation.lots {
                let kept = |lot: &medici_ledger::Lot| lot.captured.micro() + lot.available.micro() + lot.held.micro();
                let (before, after) = lot.kept();
                assert_eq!(before.micro(), lot.before.as_ref().map_or(0, kept));
                assert_eq!(after.micro(), kept(&lot.after));
            }
        }
    }
}

#[test]
fn what_happens_at_the_first_instant_of_a_report_is_in_it() {
    let story = Story::told();
    let is_cash = |entry: &&Entry| entry.postings.iter().any(|posting| posting.account == LedgerAccount::Cash);
    let paid = story.journal.iter().filter(|entry| entry.account != EVE).filter(is_cash);
    let from = paid.map(|entry| entry.effective_at).min().unwrap();
    let told = report(&story.journal, Period { from, ..Period::ALWAYS }, Grouping::Whole, Basis::Effective);
    let has_cash = |sums: &Sums| sums.keys().any(|(account, _)| *account == LedgerAccount::Cash);
    assert!(!has_cash(&told.periods[0].opening));
    assert!(has_cash(&told.periods[0].closing));
}

/// Plays a scenario, and returns the entries of its first account.
fn played(text: &str) -> Vec<Entry> {
    use medici_ledger::scenario::{Options, PureSubject, Subject as _, run};
    let mut subject = PureSubject::new();
    let played = run(text, &mut subject, Options::default()).unwrap();
    subject.entries(played.accounts[0].1)
}

#[test]
fn a_report_has_its_first_instant_and_not_its_end() {
    let entries = played(
        "
        prices
          price generate 1 included 4
          plan free monthly 15
          pack 115 for $15.00 name small
        end
        2026-11-01 00:00:00  open plan free
        2026-11-02 00:00:00  buy P pack small
        ",
    );
    for basis in [Basis::Effective, Basis::Recorded] {
        for grouping in [Grouping::Whole, Grouping::Month] {
            let received = |from: &str, until: &str| {
                let report = report(&entries, Period { from: at(from), until: at(until) }, grouping, basis);
                report.periods[0].money().first().map_or(0, |money| money.received)
            };
            assert_eq!(received("2026-11-02", "2026-11-03"), 1_500);
            assert_eq!(received("2026-11-02 00:00:00.000001", "2026-11-03"), 0);
            assert_eq!(received("2026-11-01", "2026-11-02"), 0);
        }
    }
}

#[test]
fn a_line_of_a_statement_tells_each_currency_by_itself() {
    let entries = played(
        "
        prices
          price generate 1 included 4
          plan free monthly 0
          pack 2 for $3.00 name dollars
          pack 2 for €5.00 name euros
        end
        2026-11-01  open plan free
        2026-11-02  buy P pack dollars
        2026-11-03  buy Q pack euros
        2026-11-04  charge generate x12
        ",
    );
    let statement = Statement::of(&entries, Period::ALWAYS);
    let line = statement.lines.last().unwrap();
    assert_eq!(line.fact, "charged");
    let deferred: Vec<_> = line.deferred.iter().map(|(currency, amount)| (currency.to_string(), *amount)).collect();
    assert_eq!(deferred, [("USD".to_owned(), -300), ("EUR".to_owned(), -250)]);
}

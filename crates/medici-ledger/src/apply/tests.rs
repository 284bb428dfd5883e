//! Entries that nobody decided: whoever can write the database and chain it anew is still refused.

use super::*;
use crate::order::{REVERSALS_MAX, Reversal, ReversalState};
use crate::scenario::{Options, PureSubject, Subject as _, run};
use crate::{AccountId, Cents, Class, OrderId};

const PRICES: &str = "
    prices
      plan free monthly 15
      plan roll monthly 20 rollover 5 for 2 months
      pack 115 for $15.00 name small
      pack 10 for $1.00 name gift bonus 5
      cohort friends bonus 5
      policy invoice on
    end
";

/// Plays a story of one account and returns its entries.
fn told(story: &str) -> Vec<Entry> {
    let mut subject = PureSubject::new();
    let text = format!("{PRICES}{story}").replace(" / ", "\n");
    let played = run(&text, &mut subject, Options::default()).unwrap();
    subject.entries(played.accounts[0].1)
}

fn wallet_of(entries: &[Entry]) -> Wallet {
    let mut wallet = Wallet::new(entries[0].account);
    entries.iter().for_each(|entry| wallet.apply(entry).unwrap());
    wallet
}

/// Returns what is wrong with a fact after a story.
fn after(story: &str, at: &str, fact: Fact) -> String {
    let at = at.parse().unwrap();
    wallet_of(&told(story)).transition(&fact, at, at).unwrap_err().to_string()
}

/// Changes the last fact of its kind in a story and returns what is wrong with it in its place.
///
/// As it was, it can be: that is tried first.
fn changed(story: &str, kind: &str, change: impl FnOnce(&Wallet, &mut Fact, &mut Timestamp)) -> String {
    let entries = told(story);
    let index = entries.iter().rposition(|entry| entry.fact.name() == kind).unwrap();
    let wallet = wallet_of(&entries[..index]);
    let Entry { mut fact, mut effective_at, recorded_at, .. } = entries[index].clone();
    wallet.clone().transition(&fact, effective_at, recorded_at).unwrap();
    change(&wallet, &mut fact, &mut effective_at);
    let recorded_at = recorded_at.max(effective_at);
    wallet.clone().transition(&fact, effective_at, recorded_at).unwrap_err().to_string()
}

/// Returns what is wrong with the last fact of its kind coming once more at the end of a story.
fn again(story: &str, kind: &str, change: impl FnOnce(&mut Fact)) -> String {
    let entries = told(story);
    let mut entry = entries.iter().rfind(|entry| entry.fact.name() == kind).unwrap().clone();
    change(&mut entry.fact);
    wallet_of(&entries).transition(&entry.fact, entry.effective_at, entry.recorded_at).unwrap_err().to_string()
}

fn credits(text: &str) -> Credits {
    text.parse().unwrap()
}

fn slice(lot: u32, amount: &str) -> Slice {
    Slice { lot: LotNumber(lot), amount: credits(amount) }
}

/// A match on the one kind of fact that a case is about.
macro_rules! with {
    ($fact:expr, $pattern:pat => $change:expr) => {
        match $fact {
            $pattern => $change,
            other => panic!("{} was not meant", other.name()),
        }
    };
}

const GRANT: &str = "2026-11-01 grant free 15 as F until 2026-12-01";

#[test]
fn a_grant_has_the_next_number_something_in_it_and_a_source_of_its_own() {
    let wrong = |change: fn(&mut Grant)| {
        changed("2026-11-01 open plan free / grant free 15 until 2026-12-01", "granted", |_, fact, _| {
            with!(fact, Fact::Granted(grant) => change(grant));
        })
    };
    let numbered = "lots are numbered in order and never empty: not so here";
    assert_eq!(wrong(|grant| grant.lot = LotNumber(3)), numbered);
    assert_eq!(wrong(|grant| grant.credits = Credits::ZERO), numbered);
    let once = "a monthly occurrence is granted once: not so here";
    assert_eq!(wrong(|grant| grant.source = Source::Monthly { occurrence: 0 }), once);
    assert_eq!(
        wrong(|grant| grant.source = Source::Monthly { occurrence: u32::MAX }),
        "a month within time: not so here"
    );
    let end = "a lot that replaces another comes with that one's end: not so here";
    assert_eq!(wrong(|grant| grant.source = Source::Replacement { of: LotNumber(1) }), end);
    assert_eq!(wrong(|grant| grant.source = Source::Rollover { of: LotNumber(1) }), end);
}

#[test]
fn an_account_is_opened_once_and_first() {
    let wrong = "an account is opened once, before everything else: not so here";
    assert_eq!(again(GRANT, "opened", |_| ()), wrong);
    let wallet = &mut Wallet::new(AccountId::from_u128(1));
    let at = "2026-11-01".parse().unwrap();
    assert_eq!(wallet.transition(&Fact::ClockSet, at, at).unwrap_err().to_string(), wrong);
}

#[test]
fn a_hold_is_of_what_live_lots_have_for_its_amount_and_once() {
    let story = format!("{GRANT} / hold job-0 5 / hold job-1 5");
    let held = |story: &str, change: fn(&Wallet, &mut Fact, &mut Timestamp)| changed(story, "held", change);
    let whole = "a hold is placed once, for its amount, for some time: not so here";
    let changes: [fn(&Wallet, &mut Fact, &mut Timestamp); _] = [
        |_, fact, _| with!(fact, Fact::Held { slices, .. } => slices[0] = slice(1, "6")),
        |_, fact, at| with!(fact, Fact::Held { expires_at, .. } => *expires_at = *at),
        |wallet, fact, _| with!(fact, Fact::Held { hold, .. } => *hold = wallet.open_holds().next().unwrap().id),
    ];
    for change in changes {
        assert_eq!(held(&story, change), whole);
    }
    let gone = held(&story, |_, fact, _| with!(fact, Fact::Held { slices, .. } => slices[0].lot = LotNumber(2)));
    assert_eq!(gone, "a slice of a lot that has something left: not so here");
    let live = "a slice of what a live lot has available: not so here";
    let changes: [fn(&Wallet, &mut Fact, &mut Timestamp); _] = [
        |_, fact, _| with!(fact, Fact::Held { slices, .. } => slices.push(slice(1, "0"))),
        |_, fact, _| {
            with!(fact, Fact::Held { slices, quote, .. } => {
                slices[0] = slice(1, "10.000001");
                quote.amount = slices[0].amount;
            });
        },
        |_, fact, at| {
            *at = "2026-12-01".parse().unwrap();
            with!(fact, Fact::Held { expires_at, .. } => *expires_at = "2026-12-01 00:15:00".parse().unwrap());
        },
        |_, _, at| *at = "2026-10-31 23:59:59".parse().unwrap(),
    ];
    for change in changes {
        assert_eq!(held(&story, change), live);
    }
}

#[test]
fn a_hold_is_extended_to_a_later_time_within_a_day() {
    let story = format!("{GRANT} / hold job-1 5 / +1m extend job-1 20m");
    let until = |text: &'static str| {
        changed(&story, "extended", |_, fact, _| {
            with!(fact, Fact::Extended { expires_at, .. } => *expires_at = text.parse().unwrap());
        })
    };
    let wrong = "a hold is extended to a later time, of 24 hours in all: not so here";
    assert_eq!(until("2026-11-01 00:15:00"), wrong);
    assert_eq!(until("2026-11-02 00:00:00.000001"), wrong);
    let unknown = changed(&story, "extended", |_, fact, _| {
        with!(fact, Fact::Extended { hold, .. } => *hold = HoldId::from_u128(0));
    });
    assert_eq!(unknown, "a hold that is open: not so here");
    let day = format!("{GRANT} / hold job-1 5 / +1m extend job-1 24h");
    with!(&told(&day)[3].fact, Fact::Extended { expires_at, .. } => assert_eq!(*expires_at, "2026-11-02".parse().unwrap()));
}

#[test]
fn a_hold_ends_whole_and_in_its_order() {
    let two = "2026-11-01 grant free 5 as A until 2026-12-01 / grant free 5 as B until 2026-12-02";
    let capture = format!("{two} / hold job-1 10 / capture job-1 3");
    let captured = |change: fn(&mut Fact)| changed(&capture, "captured", |_, fact, _| change(fact));
    let sum = "captured slices sum to the amount: not so here";
    assert_eq!(captured(|fact| with!(fact, Fact::Captured { amount, .. } => *amount = credits("4"))), sum);
    let split = "a hold's first slices are captured and the rest released, last first: not so here";
    let changes: [fn(&mut Fact); _] = [
        |fact| with!(fact, Fact::Captured { captured, .. } => captured[0].lot = LotNumber(2)),
        |fact| with!(fact, Fact::Captured { released, .. } => released.reverse()),
        |fact| with!(fact, Fact::Captured { released, .. } => released.truncate(1)),
    ];
    for change in changes {
        assert_eq!(captured(change), split);
    }
    let void = format!("{two} / hold job-1 10 / void job-1 cancelled");
    let voided = |change: fn(&mut Fact)| changed(&void, "voided", |_, fact, _| change(fact));
    assert_eq!(voided(|fact| with!(fact, Fact::Voided { released, .. } => released.clear())), split);
    let replaced = voided(|fact| {
        with!(fact, Fact::Voided { replacements, .. } => replacements.push(Replacement {
            lot: LotNumber(3),
            of: LotNumber(1),
            credits: credits("5"),
            cost: None,
            expires_at: "2026-11-08".parse().unwrap(),
        }));
    });
    assert_eq!(replaced, "lots are replaced where the fault is the operator's, and only there: not so here");
    let expired = format!("{two} / hold job-1 10 / +20m sweep");
    let early = changed(&expired, "hold_expired", |_, _, at| *at = "2026-11-01 00:14:59".parse().unwrap());
    assert_eq!(early, "a hold expires at its own time: not so here");
    assert_eq!(again(&expired, "hold_expired", |_| ()), "a hold that is open: not so here");
}

#[test]
fn a_charge_takes_its_amount_and_stays_within_its_budgets() {
    let story = format!("{GRANT} / budget account always 5 / charge 5");
    let sum = changed(&story, "charged", |_, fact, _| {
        with!(fact, Fact::Charged { slices, .. } => slices[0] = slice(1, "4"));
    });
    assert_eq!(sum, "a charge's slices sum to its amount: not so here");
    let over = changed(&story, "charged", |_, fact, _| {
        with!(fact, Fact::Charged { slices, quote, .. } => {
            slices[0] = slice(1, "5.000001");
            quote.amount = slices[0].amount;
        });
    });
    assert_eq!(over, "a spend stays within every budget: not so here");
}

#[test]
fn a_lot_expires_once_at_its_time_with_what_it_has() {
    let story = format!("{GRANT} / 2026-11-30 23:00:00 hold job-1 5 for 24h / 2026-12-01 sweep");
    let expired =
        |change: fn(&mut Fact, &mut Timestamp)| changed(&story, "lot_expired", |_, fact, at| change(fact, at));
    let wrong = "a lot expires once, at its own time, with what is available: not so here";
    let changes: [fn(&mut Fact, &mut Timestamp); _] = [
        |_, at| *at = "2026-12-01 00:00:01".parse().unwrap(),
        |fact, _| with!(fact, Fact::LotExpired { amount, .. } => *amount = credits("15")),
    ];
    for change in changes {
        assert_eq!(expired(change), wrong);
    }
    let none = |fact: &mut Fact| with!(fact, Fact::LotExpired { amount, .. } => *amount = Credits::ZERO);
    assert_eq!(again(&story, "lot_expired", none), wrong);
    let other = expired(|fact, _| with!(fact, Fact::LotExpired { lot, .. } => *lot = LotNumber(2)));
    assert_eq!(other, "a lot expires while it has something left: not so here");
}

#[test]
fn what_rolls_over_is_a_part_of_what_expires() {
    let story = "2026-11-01 open plan roll / charge 17 / 2026-12-01 sweep";
    let rolled = |change: fn(&mut Replacement)| {
        changed(story, "lot_expired", |_, fact, _| {
            with!(fact, Fact::LotExpired { rollover: Some(rollover), .. } => change(rollover));
        })
    };
    let changes: [fn(&mut Replacement); _] = [
        |rollover| rollover.of = LotNumber(2),
        |rollover| rollover.lot = LotNumber(3),
        |rollover| rollover.credits = credits("3.000001"),
        |rollover| rollover.cost = "0.01 USD".parse().ok(),
    ];
    for change in changes {
        assert_eq!(rolled(change), "what rolls over is a part of what expires, with its cost: not so here");
    }
}

#[test]
fn an_expiry_is_undone_once_whole_and_where_nothing_came_in_its_place() {
    let story = format!("{GRANT} / 2026-12-01 10:00:00 charge 1 at 2026-11-30T12:00:00Z");
    let reopened = |change: fn(&mut Fact, &mut Timestamp)| changed(&story, "reopened", |_, fact, at| change(fact, at));
    let wrong = "an expiry is undone where there is one, at its own time, with what expired: not so here";
    let changes: [fn(&mut Fact, &mut Timestamp); _] = [
        |_, at| *at = "2026-11-30".parse().unwrap(),
        |fact, _| with!(fact, Fact::Reopened { amount, .. } => *amount = credits("14")),
    ];
    for change in changes {
        assert_eq!(reopened(change), wrong);
    }
    let other = reopened(|fact, _| with!(fact, Fact::Reopened { lot, .. } => *lot = LotNumber(2)));
    assert_eq!(other, "an expiry is undone of a lot that was granted: not so here");
    let lot = LotNumber(1);
    let live = after(GRANT, "2026-12-01", Fact::Reopened { lot, amount: credits("15") });
    assert_eq!(live, wrong);
    // Nothing expired of it, though it ended: all of it was held, and then captured.
    let spent = format!("{GRANT} / 2026-11-30 23:55:00 hold job-1 15 / 2026-12-01 00:01:00 capture job-1 all");
    assert_eq!(after(&spent, "2026-12-01", Fact::Reopened { lot, amount: Credits::ZERO }), wrong);
    let replaced =
        format!("{GRANT} / 2026-11-30 23:55:00 hold job-1 15 / 2026-12-01 00:01:00 void job-1 engine-failed");
    assert_eq!(after(&replaced, "2026-12-01", Fact::Reopened { lot, amount: credits("15") }), wrong);
}

#[test]
fn only_what_was_given_for_nothing_is_withdrawn() {
    let story = "2026-11-01 grant goodwill 15 as G / grant pack 115 as P paid $15.00 / buy O pack gift / withdraw G 5";
    let withdrawn = |lot: u32, amount: &'static str| {
        changed(story, "withdrawn", |_, fact, _| {
            *fact = Fact::Withdrawn { lot: LotNumber(lot), amount: credits(amount) }
        })
    };
    let wrong = "at most what is available is withdrawn, of a lot without a cost: not so here";
    // The goodwill lot, then one that money stands for, an order's, and its bonus.
    for (lot, amount) in [(1, "0"), (1, "15.000001"), (2, "1"), (3, "1"), (4, "1")] {
        assert_eq!(withdrawn(lot, amount), wrong, "lot {lot}");
    }
    assert_eq!(withdrawn(5, "1"), "credits are withdrawn of a lot that has some: not so here");
}

#[test]
fn a_cohort_is_joined_once_and_a_clock_never_goes_back() {
    let joined = "2026-11-01 open / join friends";
    assert_eq!(again(joined, "cohort_joined", |_| ()), "a cohort is joined once: not so here");
    let clock = "a sandbox's clock is set, and never back: not so here";
    assert_eq!(after("2026-11-01 open sandbox / clock +1h", "2026-11-01 00:59:59", Fact::ClockSet), clock);
    assert_eq!(after("2026-11-01 open", "2026-11-02", Fact::ClockSet), clock);
}

#[test]
fn a_low_balance_is_told_once_when_it_is_one() {
    let story = format!("{GRANT} / alert 10 / charge 6");
    let low = |below: &str, available: &str| Fact::LowBalance { below: credits(below), available: credits(available) };
    let told = |fact: Fact| changed(&story, "low_balance", |_, old, _| *old = fact);
    let wrong = "a low balance is told once, when it is low: not so here";
    for fact in [low("11", "9"), low("10", "8")] {
        assert_eq!(told(fact), wrong);
    }
    assert_eq!(again(&story, "low_balance", |_| ()), wrong);
    let enough = format!("{GRANT} / alert 10 / charge 5");
    assert_eq!(after(&enough, "2026-11-01", low("10", "10")), wrong);
}

#[test]
fn what_was_captured_is_given_back_at_most_once() {
    let story = format!("{GRANT} / charge job-1 5 / give-back job-1 2 goodwill");
    let given = |change: fn(&mut Fact)| changed(&story, "given_back", |_, fact, _| change(fact));
    let once = "what was captured is given back once, the last captured first: not so here";
    let changes: [fn(&mut Fact); _] = [
        |fact| with!(fact, Fact::GivenBack { returned, .. } => returned.clear()),
        |fact| with!(fact, Fact::GivenBack { returned, .. } => returned[0] = slice(1, "5.000001")),
        |fact| with!(fact, Fact::GivenBack { returned, .. } => returned[0].lot = LotNumber(2)),
    ];
    for change in changes {
        assert_eq!(given(change), once);
    }
    let most = |fact: &mut Fact| with!(fact, Fact::GivenBack { returned, .. } => returned[0] = slice(1, "3.000001"));
    assert_eq!(again(&story, "given_back", most), once);
    // A capture that was never that large, and one of a lot that never was.
    let forged = |lot: u32| {
        changed(&story, "given_back", |_, fact, _| {
            with!(fact, Fact::GivenBack { capture, returned, .. } => {
                capture.slices = vec![slice(lot, "5.000001")];
                returned.clone_from(&capture.slices);
            });
        })
    };
    assert_eq!(forged(1), "at most what was captured of a lot is given back to it: not so here");
    assert_eq!(forged(2), "credits are given back to a lot that was granted: not so here");
    let late = format!("{GRANT} / charge job-1 5 / 2026-12-02 give-back job-1 2 service-fault");
    let kept = changed(&late, "given_back", |_, fact, _| {
        with!(fact, Fact::GivenBack { replacements, .. } => replacements.clear());
    });
    assert_eq!(kept, "lots are replaced where the fault is the operator's, and only there: not so here");
}

#[test]
fn an_order_moves_on_once() {
    let placed = "2026-11-01 open / order O pack small";
    assert_eq!(again(placed, "order_placed", |_| ()), "an order is placed once: not so here");
    let cancelled = format!("{placed} / cancel O");
    let wrong = "an order is cancelled before it is paid or invoiced: not so here";
    assert_eq!(again(&cancelled, "order_cancelled", |_| ()), wrong);
    let invoiced = format!("{placed} / invoice O");
    assert_eq!(again(&invoiced, "order_invoiced", |_| ()), "an order is invoiced once, before it is paid: not so here");
    let once = "an order is paid once, and granted once: not so here";
    assert_eq!(again(&format!("{placed} / pay O"), "order_paid", |_| ()), once);
    // On an invoice it has its lots already.
    let entries = told(&format!("{invoiced} / pay O"));
    let lots = entries[2].fact.grants().to_vec();
    let twice = changed(&format!("{invoiced} / pay O"), "order_paid", |_, fact, _| {
        with!(fact, Fact::OrderPaid { lots: granted, .. } => *granted = lots);
    });
    assert_eq!(twice, once);
    let unknown = Fact::OrderCancelled { order: OrderId::from_u128(0) };
    assert_eq!(after(placed, "2026-11-01", unknown), "an order that was placed: not so here");
}

#[test]
fn an_order_grants_what_was_ordered_at_its_price() {
    let paid = |pack: &str, change: fn(&mut Vec<Grant>)| {
        changed(&format!("2026-11-01 open / order O pack {pack} tax $0.10 / pay O"), "order_paid", |_, fact, _| {
            with!(fact, Fact::OrderPaid { lots, .. } => change(lots));
        })
    };
    let count = "an order grants one lot, and one for its bonus: not so here";
    for (pack, change) in [
        ("small", (|lots: &mut Vec<Grant>| lots.clear()) as fn(&mut Vec<Grant>)),
        ("small", |lots| lots.push(Grant { lot: LotNumber(2), class: Class::Promo, ..lots[0] })),
        ("gift", |lots| lots.truncate(1)),
    ] {
        assert_eq!(paid(pack, change), count, "{pack}");
    }
    let price = "an order grants what was ordered, at its price: not so here";
    let changes: [fn(&mut Vec<Grant>); _] = [
        |lots| lots[0].class = Class::Promo,
        |lots| lots[0].credits = credits("10.000001"),
        |lots| lots[0].cost = None,
        |lots| lots[0].tax = Cents::ZERO,
        |lots| lots[0].lot = LotNumber(2),
        |lots| lots[1].class = Class::Free,
        |lots| lots[1].credits = credits("5.000001"),
    ];
    for change in changes {
        assert_eq!(paid("gift", change), price);
    }
}

#[test]
fn a_reversal_is_news_of_one_kind_and_bounded() {
    let story = "2026-11-01 open / buy O pack small / refund O $1.00 as r1";
    let wrong = "a reversal is news of a refund or of a dispute: not so here";
    assert_eq!(again(story, "order_reversed", |_| ()), wrong);
    let kind = |fact: &mut Fact| {
        with!(fact, Fact::OrderReversed { reversal, .. } => reversal.state = ReversalState::Disputed);
    };
    assert_eq!(again(story, "order_reversed", kind), wrong);
    let entries = told(story);
    let mut wallet = wallet_of(&entries);
    let order = entries[1].fact.order().unwrap();
    let at = "2026-11-01".parse().unwrap();
    let mut report = |number: usize| {
        let amount = Cents::from_minor(1).unwrap();
        let reversal = Reversal { id: format!("r{number}").parse().unwrap(), state: ReversalState::Won, amount };
        wallet.transition(&Fact::OrderReversed { order, reversal }, at, at)
    };
    (2..=REVERSALS_MAX).for_each(|number| drop(report(number).unwrap()));
    assert_eq!(report(REVERSALS_MAX + 1).unwrap_err().to_string(), wrong);
}

#[test]
fn an_order_of_nothing_grants_nothing() {
    let entries = told("2026-11-01 open / order O pack small / pay O");
    let mut wallet = wallet_of(&entries[..1]);
    let at = "2026-11-01".parse().unwrap();
    let (mut placed, mut paid) = (entries[1].fact.clone(), entries[2].fact.clone());
    with!(&mut placed, Fact::OrderPlaced(order) => order.credits = Credits::ZERO);
    with!(&mut paid, Fact::OrderPaid { lots, .. } => lots[0].credits = Credits::ZERO);
    wallet.transition(&placed, at, at).unwrap();
    let fault = wallet.transition(&paid, at, at).unwrap_err();
    assert_eq!(fault, Fault::Fact("an order grants what was ordered, at its price"));
}

#[test]
fn what_repays_a_debt_is_captured() {
    let story = "2026-11-01 open / buy O pack small / charge 115 / reverse O d1 disputed $15.00 / buy P pack small";
    let mut wallet = wallet_of(&told(story));
    wallet.check().unwrap();
    assert_eq!(wallet.closed_lots().len(), 2, "all of the second pack repays");
    wallet.reopen_lot(LotNumber(2));
    wallet.open_lots[0].captured -= 1;
    assert_eq!(wallet.check().unwrap_err().fault, Fault::Wallet("what repays a debt is captured"));
}

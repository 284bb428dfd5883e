use std::time::Duration;

use super::*;
use crate::lot::{Class, Source};
use crate::{
    AccountId, Cents, Charge, HoldId, LotNumber, Operation, OperationPrice, PlanTerms, PriceVersion, Spender, Usage,
    VoidReason,
};

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn book() -> PriceBook {
    let price = OperationPrice::per_operation(Credits::whole(1), 1);
    PriceBook::new(vec![PriceVersion {
        effective_at: instant("2026-01-01"),
        operations: [(Operation::Generate, price)].into(),
        plans: [("free", 15), ("none", 0)]
            .map(|(plan, monthly)| (plan.parse().unwrap(), PlanTerms::monthly(Credits::whole(monthly))))
            .into(),
        ..PriceVersion::default()
    }])
    .unwrap()
}

/// A wallet whose month has ended with something left and something held.
fn wallet(book: &PriceBook) -> Wallet {
    let wallet = Wallet::new(AccountId::from_u128(1));
    let open = Command::open("free".parse().unwrap());
    let wallet = wallet.decide(&open, book, instant("2026-11-01")).unwrap().wallet;
    let quote = book.quote(&Usage::of(Operation::Generate, 4), instant("2026-11-01")).unwrap();
    let hold = Command::hold(HoldId::from_u128(1000), quote, Duration::from_secs(3600));
    wallet.decide(&hold, book, instant("2026-11-30T23:30:00Z")).unwrap().wallet
}

/// Commands of every kind that a unit of work combines, some of which are refused.
fn command(chance: &mut u64, book: &PriceBook, now: Timestamp) -> Command {
    let mut draw = |below: u64| {
        *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*chance >> 33) % below
    };
    let hold = HoldId::from_u128(1000 + u128::from(draw(6)));
    let count = 1 + u32::try_from(draw(7)).unwrap();
    let quote = book.quote(&Usage::of(Operation::Generate, count), now).unwrap();
    match draw(10) {
        0..4 => {
            let happened_at = (draw(3) == 0).then(|| instant("2026-11-30T12:00:00Z"));
            Command::Charge { charge: hold, quote, spender: Spender::NOBODY, happened_at, event: None }
        }
        4 => Command::hold(hold, quote, Duration::from_secs(60)),
        5 => Command::Capture { hold, amount: Credits::whole(1) },
        6 => Command::Void { hold, reason: VoidReason::EngineFailed },
        7 => Command::Withdraw { lot: LotNumber::new(2), amount: Credits::whole(count) },
        8 => Command::SetAlert { below: Some(Credits::whole(count * 2)) },
        _ => Command::Grant {
            class: Class::Promo,
            credits: Credits::whole(count),
            cost: None,
            effective_at: now,
            expires_at: None,
            priority: 0,
            source: Source::Bonus,
            tax: Cents::ZERO,
        },
    }
}

#[test]
fn a_session_leaves_what_its_commands_one_by_one_leave() {
    let book = book();
    let begin = wallet(&book);
    let now = instant("2026-12-01T00:10:00Z");
    for seed in 0..400 {
        let mut chance = seed;
        let mut session = Session::new(Cow::Borrowed(&begin), &book, now);
        let (mut alone, mut entries) = (begin.clone(), Vec::new());
        for _ in 0..12 {
            let command = command(&mut chance, &book, now);
            let decision = alone.decide(&command, &book, now);
            match &command {
                // The other way to charge leads to the same.
                Command::Charge { charge, quote, spender, happened_at, event } if seed % 2 == 0 => {
                    let (quote, event) = (quote.clone(), event.clone());
                    let asked = Charge { charge: *charge, quote, spender: *spender, happened_at: *happened_at, event };
                    assert_eq!(session.charge(asked), decision.as_ref().map(|_| ()).map_err(Clone::clone));
                }
                _ => {
                    let expected = decision.as_ref().map(|decision| decision.reply.clone()).map_err(Clone::clone);
                    assert_eq!(session.decide(&command), expected, "seed {seed}: {command:?}");
                }
            }
            if let Ok(decision) = decision {
                entries.extend(decision.entries);
                alone = decision.wallet;
            }
            assert_eq!(session.wallet(), &alone, "seed {seed}: {command:?}");
            assert_eq!(session.entries(), entries);
            assert_eq!(session.available(), alone.balances(&book, now).available);
        }
        let Some(Booked { wallet, entries: booked, bodies }) = session.end() else {
            assert!(entries.is_empty());
            continue;
        };
        assert_eq!((wallet, booked), (alone, entries.clone()));
        let bodies: Vec<Vec<u8>> =
            bodies.iter().zip(&entries).map(|(body, entry)| [body, entry.hash.as_bytes()].concat()).collect();
        assert_eq!(bodies, entries.iter().map(Entry::encode).collect::<Vec<_>>());
    }
}

#[test]
fn a_session_in_which_all_is_refused_has_no_entries_though_some_were_due() {
    let book = book();
    let begin = wallet(&book);
    let mut session = Session::new(Cow::Borrowed(&begin), &book, instant("2026-12-01T01:00:00Z"));
    let too_much = book.quote(&Usage::of(Operation::Generate, 100), instant("2026-12-01")).unwrap();
    for _ in 0..2 {
        session.decide(&Command::charge(HoldId::from_u128(1), too_much.clone())).unwrap_err();
        let (quote, spender) = (too_much.clone(), Spender::NOBODY);
        let asked = Charge { charge: HoldId::from_u128(1), quote, spender, happened_at: None, event: None };
        session.charge(asked).unwrap_err();
    }
    assert_eq!(session.wallet(), &begin);
    assert!(session.entries().is_empty());
    assert_eq!(session.end(), None);
}

#[test]
fn a_command_that_is_refused_takes_back_what_became_due_before_it() {
    let book = book();
    let now = instant("2026-11-01");
    let mut session = Session::new(Cow::Owned(Wallet::new(AccountId::from_u128(1))), &book, now);
    let run = |session: &mut Session<'_>, command: &Command| session.decide(command).map(drop);
    run(&mut session, &Command::open("none".parse().unwrap())).unwrap();
    let overrides = crate::Overrides { monthly: Some(Credits::whole(20)), ..crate::Overrides::default() };
    run(&mut session, &Command::SetOverrides { overrides: Some(overrides) }).unwrap();
    // The month that runs is granted now, but not by a command that is refused.
    let unknown = Command::Void { hold: HoldId::from_u128(9), reason: VoidReason::Cancelled };
    assert!(run(&mut session, &unknown).is_err());
    let names = |entries: &[Entry]| entries.iter().map(|entry| entry.fact.name()).collect::<Vec<_>>();
    assert_eq!(names(session.entries()), ["opened", "overrides_set"]);
    run(&mut session, &Command::SetAlert { below: Some(Credits::whole(1)) }).unwrap();
    let booked = session.end().unwrap();
    assert_eq!(names(&booked.entries), ["opened", "overrides_set", "granted", "alert_set"]);
    let bodies: Vec<Vec<u8>> = booked.bodies.iter().map(<[u8]>::to_vec).collect();
    let encoded: Vec<Vec<u8>> =
        booked.entries.iter().map(|entry| entry.encode()[..entry.encode().len() - 32].to_vec()).collect();
    assert_eq!(bodies, encoded);
}

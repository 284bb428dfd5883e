//! A small journal in which everything happens that can.

use std::time::Duration;

use medici_ledger::{AccountId, Cents, Class, Command, Credits, Currency, HoldId, Money, Source, VoidReason};
use medici_studio::{Clock, Ids};
use medici_testkit::store_contract::world::{World, command, quote};

const HOUR: Duration = Duration::from_secs(3600);

/// Facts that a life leads to.
const FACTS: [&str; 10] = [
    "captured",
    "charged",
    "extended",
    "granted",
    "held",
    "hold_expired",
    "lot_expired",
    "opened",
    "uncollected",
    "voided",
];

/// Lives a month and a day in which every fact happens to the first account, and something to the second.
pub(crate) fn live(world: &World) -> [AccountId; 2] {
    let accounts = [world.account(), world.account()];
    let [account, other] = accounts;
    let run = |command_: Command| world.run(command(account, command_)).unwrap().unwrap();
    let aside = |number: usize| world.run(world.charge(other, &number.to_string())).unwrap().unwrap();
    let hold = |timeout: Duration| {
        let hold = HoldId::from_u128(world.ids.next());
        run(Command::hold(hold, quote(&world.prices, world.clock.now()), timeout));
        hold
    };
    let dollar = Cents::from_minor(100).unwrap();
    run(Command::Grant {
        class: Class::Paid,
        credits: Credits::whole(3),
        cost: Some(Money::new(dollar, "USD".parse::<Currency>().unwrap())),
        effective_at: world.clock.now(),
        expires_at: None,
        priority: 0,
        source: Source::Purchase,
        tax: Cents::from_minor(19).unwrap(),
    });
    let charge = HoldId::from_u128(world.ids.next());
    run(Command::charge(charge, quote(&world.prices, world.clock.now())));
    aside(1);
    let drawn = hold(HOUR);
    world.clock.advance(HOUR / 2);
    run(Command::Extend { hold: drawn, timeout: HOUR });
    run(Command::Capture { hold: drawn, amount: Credits::from_micro(250_000).unwrap() });
    aside(2);
    let cancelled = hold(HOUR);
    run(Command::Void { hold: cancelled, reason: VoidReason::Cancelled });
    let late = hold(HOUR);
    world.clock.advance(2 * HOUR);
    run(Command::Settle);
    run(Command::Uncollected { hold: late, amount: Credits::whole(1) });
    world.clock.advance(29 * 24 * HOUR);
    // The month's lot ends while this is held, and the fault is the operator's.
    let failed = hold(24 * HOUR);
    aside(3);
    world.clock.advance(23 * HOUR);
    run(Command::Settle);
    run(Command::Void { hold: failed, reason: VoidReason::EngineFailed });
    let entries = world.entries(account);
    let lacks = FACTS.iter().find(|fact| entries.iter().all(|entry| entry.fact.name() != **fact));
    assert_eq!(lacks, None);
    accounts
}

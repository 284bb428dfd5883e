//! The ledger against the naive model: random histories, everything compared after every step.
//!
//! `MEDICI_MODEL_STEPS` sets how many steps are taken (200,000 unless told), `MEDICI_MODEL_SEED` where the
//! histories start (0). A disagreement is cut down to the fewest steps that still show it and printed.

#![expect(clippy::unwrap_used, reason = "all of this is a test; the lint only knows functions marked as one")]

mod command;
mod compare;
mod generate;
mod generate_orders;
mod history;
mod kept;
mod reached;
mod shrink;
mod words;
mod world;

use std::collections::BTreeSet;
use std::env;

use medici_ledger::{
    AMOUNT_MAX, Class, HOLD_MEMORY_COUNT_MAX, HoldId, OPEN_HOLDS_MAX, OPEN_LOTS_MAX, Source, Timestamp, Wallet,
};
use medici_testkit::naive::Flaw;

use command::Asked;
use compare::Pair;
use generate::Generator;
use history::{Action, GrantStep, Step};
use world::World;

/// A history on which ledger and model disagree at its last step, and on what.
struct Disagreement {
    seed: u64,
    steps: Vec<Step>,
    about: String,
}

/// What was played without a disagreement.
#[derive(Default)]
struct Played {
    steps: usize,
    reached: BTreeSet<&'static str>,
}

/// Plays one random history and adds it to what was played.
fn play(world: &World, seed: u64, flaw: Flaw, played: &mut Played) -> Result<(), Disagreement> {
    let mut generator = Generator::new(seed);
    let mut pair = Pair::new(world, flaw);
    let mut steps = Vec::new();
    for _ in 0..generator.length() {
        steps.push(generator.step(&pair.model));
        let outcome = pair.step(steps.last().expect("a step was just added"));
        if let Err(about) = outcome {
            return Err(Disagreement { seed, steps, about });
        }
    }
    if let Err(about) = pair.replay_from_nothing() {
        return Err(Disagreement { seed, steps, about });
    }
    played.steps += steps.len();
    played.reached.append(&mut pair.reached);
    Ok(())
}

/// Plays until `count` steps were taken, or to the first disagreement.
fn search(count: usize, first_seed: u64, flaw: Flaw) -> Result<Played, Disagreement> {
    let world = World::new();
    let mut played = Played::default();
    for seed in first_seed.. {
        if played.steps >= count {
            break;
        }
        play(&world, seed, flaw, &mut played)?;
    }
    Ok(played)
}

/// Takes the steps again from nothing; returns the first disagreement and after how many steps it shows.
fn replay(world: &World, steps: &[Step], flaw: Flaw) -> Option<(usize, String)> {
    let mut pair = Pair::new(world, flaw);
    for (index, step) in steps.iter().enumerate() {
        if let Err(about) = pair.step(step) {
            return Some((index + 1, about));
        }
    }
    pair.replay_from_nothing().err().map(|about| (steps.len(), about))
}

/// The answers that random histories must get to. The two limits, `too_many_open` and `overflow`, are not among
/// them: the model has none, and a test below goes there.
const ANSWERS: [&str; 60] = [
    "opened",
    "granted",
    "held",
    "extended",
    "captured",
    "voided",
    "charged",
    "uncollected",
    "settled",
    "order",
    "refunded",
    "given_back",
    "withdrawn",
    "plan_changed",
    "joined",
    "set",
    "clock_set",
    "not_open",
    "already_open",
    "unknown_plan",
    "insufficient_credits",
    "hold_exists",
    "unknown_hold",
    "hold_expired",
    "already_captured",
    "already_voided",
    "hold_open",
    "already_uncollected",
    "more_than_held",
    "hold_timeout",
    "bad_grant",
    "budget_exceeded",
    "in_debt",
    "unknown_order",
    "order_exists",
    "order_of_nothing",
    "order_without_price",
    "no_upgrade",
    "other_currency",
    "no_invoice",
    "order_cancelled",
    "order_granted",
    "order_paid",
    "order_not_granted",
    "order_disputed",
    "order_bonus",
    "amount_differs",
    "refund_too_much",
    "reversal_exists",
    "more_than_captured",
    "bad_withdrawal",
    "plan_costs",
    "unknown_cohort",
    "wrong_code",
    "cohort_joined",
    "not_sandbox",
    "clock_range",
    "fact:reopened",
    "fact:low_balance",
    "fact:hold_expired",
];

/// Where several rules meet, and random histories must get to all the same.
const SITUATIONS: [&str; 16] = [
    "owed",
    "repaid",
    "repaid in another currency",
    "repayment undone",
    "withdrawn credits came back",
    "came back to a lot that is over",
    "bonus taken back",
    "reversed before it was paid",
    "cancelled and paid",
    "rolled over",
    "money rolled over",
    "reopened after rolling over",
    "given back to a lot that is over",
    "replaced after giving back",
    "anchor moved",
    "period paid ahead",
];

/// What an order must come to in random histories.
const STATUSES: [&str; 9] =
    ["placed", "cancelled", "invoiced", "paid", "partly_refunded", "refunded", "disputed", "won", "lost"];

fn number(name: &str, otherwise: u64) -> u64 {
    match env::var(name) {
        Ok(text) => {
            text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name} is a whole number, found {text:?}"))
        }
        Err(_) => otherwise,
    }
}

#[test]
fn the_ledger_agrees_with_the_naive_model_after_every_step() {
    let count = usize::try_from(number("MEDICI_MODEL_STEPS", 200_000)).unwrap();
    match search(count, number("MEDICI_MODEL_SEED", 0), Flaw::None) {
        Ok(played) => {
            assert!(played.steps >= count);
            // A comparison that never gets somewhere proves nothing about it.
            let wanted = ANSWERS.iter().chain(&STATUSES).chain(&SITUATIONS);
            let missing: Vec<_> = wanted.filter(|answer| !played.reached.contains(*answer)).collect();
            assert!(count < 100_000 || missing.is_empty(), "no history gets to {missing:?}");
        }
        Err(found) => panic!("{}", shrink::report(&World::new(), found, Flaw::None)),
    }
}

#[test]
fn every_planted_mistake_is_found_and_cut_down() {
    let world = World::new();
    for flaw in Flaw::ALL {
        let found = search(20_000, 0, flaw).err().unwrap_or_else(|| panic!("{flaw:?} is not found in 20,000 steps"));
        let (steps, about) = shrink::smallest(&world, found.steps, flaw);
        assert!(steps.len() <= 8, "{flaw:?} needs {} steps: {about}", steps.len());
    }
}

#[test]
fn the_last_256_ends_of_holds_are_remembered_and_no_more() {
    let world = World::new();
    let mut pair = Pair::new(&world, Flaw::None);
    let at = 1_780_000_000_000_000;
    let mut take = |action| pair.step(&Step { at, look_at: at, action }).unwrap_or_else(|about| panic!("{about}"));
    take(Action::Open { plan: "free", sandbox: None });
    for id in 1..=300 {
        take(Action::Charge { id, operation: "gift", count: 1, spender: 0, happened_at: None });
        take(Action::Hold { id: 1000 + id, operation: "gift", count: 1, timeout: 1, spender: 0 });
        take(Action::Capture { id: 1000 + id, amount: 0 });
    }
    assert_eq!(pair.wallet.hold(HoldId::from_u128(1)), None);
    let remembered = |id: u32| pair.wallet.hold(HoldId::from_u128(u128::from(id))).is_some();
    assert_eq!((1..=300).chain(1001..=1300).filter(|id| remembered(*id)).count(), HOLD_MEMORY_COUNT_MAX);
    assert!(remembered(300) && remembered(1300));
}

/// Asks the ledger alone, where the model has no limit to compare with.
fn answer(pair: &mut Pair<'_>, step: &Step) -> &'static str {
    let Asked::Command(command) = pair.asked(step) else { panic!("nothing is asked by {step}") };
    match pair.wallet.decide(&command, &pair.world.book, Timestamp::from_micros(step.at)) {
        Ok(decision) => {
            pair.wallet = decision.wallet;
            "done"
        }
        Err(refusal) => refusal.code(),
    }
}

fn grant(at: i64, amount: i64) -> Action {
    let class = Class::Promo;
    let source = Source::Goodwill;
    Action::Grant(GrantStep { class, amount, cost: None, tax: 0, from: at, until: None, priority: 0, source })
}

#[test]
fn a_wallet_at_its_limits_refuses_and_stays_sound() {
    let world = World::new();
    let at = 1_780_000_000_000_000;
    let step = |action| Step { at, look_at: at, action };
    let mut pair = Pair::new(&world, Flaw::None);
    assert_eq!(answer(&mut pair, &step(Action::Open { plan: "none", sandbox: None })), "done");
    assert_eq!(answer(&mut pair, &step(grant(at, AMOUNT_MAX - 999))), "done");
    assert_eq!(answer(&mut pair, &step(grant(at, 1_000))), "overflow");
    for _ in 1..OPEN_LOTS_MAX {
        assert_eq!(answer(&mut pair, &step(grant(at, 1))), "done");
    }
    assert_eq!(answer(&mut pair, &step(grant(at, 1))), "too_many_open");

    let hold = |id| step(Action::Hold { id, operation: "gift", count: 1, timeout: 1, spender: 0 });
    for id in 1..=u32::try_from(OPEN_HOLDS_MAX).unwrap() {
        assert_eq!(answer(&mut pair, &hold(id)), "done");
    }
    assert_eq!(answer(&mut pair, &hold(u32::MAX)), "too_many_open");
    assert_eq!(answer(&mut pair, &hold(1)), "done", "a repeat is no further hold");
    pair.wallet.check().unwrap();
    assert_eq!(Wallet::decode(&pair.wallet.encode()).as_ref(), Ok(&pair.wallet));

    // Time makes room.
    let later = Step { at: at + 1, ..hold(u32::MAX) };
    assert_eq!(answer(&mut pair, &later), "done");
    assert_eq!(pair.wallet.open_holds().count(), 1);
    pair.wallet.check().unwrap();
}

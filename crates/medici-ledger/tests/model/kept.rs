//! Histories on which ledger and model once disagreed, cut down; the ledger was wrong.

use medici_ledger::{BudgetPeriod, Class, GiveBackReason, ReversalState, Source};
use medici_testkit::naive::Flaw;

use crate::history::{Action, GrantStep, Step, Twist, WishStep};
use crate::replay;
use crate::world::World;

fn at(instant: &str) -> i64 {
    instant.parse::<medici_ledger::Timestamp>().unwrap().micros()
}

fn agree(steps: &[(&str, Action)]) {
    let steps: Vec<Step> = (steps.iter())
        .map(|(instant, action)| Step { at: at(instant), look_at: at(instant), action: action.clone() })
        .collect();
    let disagreement = replay(&World::new(), &steps, Flaw::None);
    assert!(disagreement.is_none(), "{disagreement:?}");
}

fn order(order: u32, wish: WishStep) -> Action {
    Action::Place { order, wish, tax: 0, twist: Twist::Right }
}

fn charge(id: u32, count: u32) -> Action {
    Action::Charge { id, operation: "generate", count, spender: 0, happened_at: None }
}

#[test]
fn a_sandboxs_clock_sees_the_months_that_a_later_version_brings() {
    // The plan `zero` costs something until June 2027, and nothing from then on.
    agree(&[
        ("2026-10-31T06:00:00Z", Action::Open { plan: "zero", sandbox: Some(at("2026-10-31T06:00:00Z")) }),
        ("2026-10-31T06:00:00Z", Action::SetClock { to: at("2028-01-01T00:00:00Z") }),
    ]);
}

#[test]
fn an_operators_withdrawal_of_a_bonus_is_not_undone_by_a_refund() {
    let bonus = 2;
    agree(&[
        ("2026-03-01T00:00:00Z", Action::Open { plan: "none", sandbox: None }),
        ("2026-03-02T00:00:00Z", order(1, WishStep::Packs { pack: 1, packs: 1 })),
        ("2026-03-02T00:00:00Z", Action::Pay { order: 1, more: 0 }),
        ("2026-03-03T00:00:00Z", Action::Withdraw { lot: bonus, amount: 7_000_000 }),
        ("2026-03-04T00:00:00Z", Action::Refund { order: 1, name: 11, amount: Some(10) }),
        (
            "2026-03-05T00:00:00Z",
            Action::Reverse { order: 1, name: 11, state: ReversalState::RefundFailed, amount: 10 },
        ),
    ]);
}

#[test]
fn a_budget_gives_no_room_for_what_was_charged_before_it_at_its_own_instant() {
    let limit = Some(3_000_000);
    agree(&[
        ("2026-03-01T00:00:00Z", Action::Open { plan: "free", sandbox: None }),
        ("2026-03-02T00:00:00Z", charge(1, 4)),
        ("2026-03-02T00:00:00Z", Action::SetBudget { subject: 0, period: BudgetPeriod::Always, limit }),
        ("2026-03-02T00:00:00Z", charge(2, 12)),
        ("2026-03-03T00:00:00Z", Action::GiveBack { id: 1, amount: 1_000_000, reason: GiveBackReason::Goodwill }),
        ("2026-03-03T00:00:00Z", charge(3, 4)),
    ]);
}

#[test]
fn a_price_of_nothing_has_no_currency_to_differ_in() {
    // A period of `zero` is paid for while it costs something and runs when it does not.
    agree(&[
        ("2027-02-01T06:00:00Z", Action::Open { plan: "zero", sandbox: Some(at("2027-02-01T06:00:00Z")) }),
        ("2027-03-02T12:00:00Z", order(1, WishStep::Period)),
        ("2027-06-20T00:00:00Z", Action::SetClock { to: at("2027-06-20T00:00:00Z") }),
        ("2027-06-20T00:00:00Z", Action::Pay { order: 1, more: 0 }),
        ("2027-06-20T00:00:00Z", order(2, WishStep::Change { plan: "euro", full: false })),
    ]);
}

#[test]
fn paid_credits_of_a_period_are_not_cut_even_where_they_cost_nothing() {
    // A change of plan in the last moment of a period is prorated to nothing.
    agree(&[
        ("2026-03-01T00:00:00Z", Action::Open { plan: "free", sandbox: None }),
        ("2026-03-31T23:59:59.99Z", order(1, WishStep::Change { plan: "studio", full: false })),
        ("2026-03-31T23:59:59.99Z", Action::Pay { order: 1, more: 0 }),
        ("2026-03-31T23:59:59.999Z", Action::ChangePlan { plan: "free" }),
    ]);
    let gift = GrantStep {
        class: Class::Paid,
        amount: 1_000_000,
        cost: None,
        tax: 0,
        from: at("2026-03-01T00:00:00Z"),
        until: None,
        priority: 0,
        source: Source::Goodwill,
    };
    // What was given for nothing can be taken back, whatever its class.
    agree(&[
        ("2026-03-01T00:00:00Z", Action::Open { plan: "none", sandbox: None }),
        ("2026-03-01T00:00:00Z", Action::Grant(gift)),
        ("2026-03-01T00:00:00Z", Action::Withdraw { lot: 1, amount: 1_000_000 }),
    ]);
}

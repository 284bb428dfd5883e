use super::*;
use crate::calendar::Months;
use crate::pack::{Tier, TierMode};
use crate::price_rule::{OperationPrice, Rate};

fn plan(name: &str) -> PlanName {
    name.parse().unwrap()
}

fn pack(name: &str, credits: u32, price: &str, expires: u16) -> Pack {
    let (price, expires, credits) = (price.parse().unwrap(), Months::new(expires).unwrap(), Credits::whole(credits));
    let name = name.parse().ok();
    Pack { credits, price, expires, mode: TierMode::Volume, tiers: Vec::new(), name, bonus: Credits::ZERO }
}

/// The built-in prices.
fn version() -> PriceVersion {
    let price = |included| OperationPrice::per_operation(Credits::whole(1), included);
    let studio = PlanTerms { price: "12.00 USD".parse().ok(), ..PlanTerms::monthly(Credits::whole(150)) };
    PriceVersion {
        operations: [(Operation::Generate, price(4)), (Operation::Edit, price(3)), (Operation::Vary, price(3))].into(),
        plans: [(plan("free"), PlanTerms::monthly(Credits::whole(15))), (plan("studio"), studio)].into(),
        packs: vec![pack("pack-115", 115, "15.00 USD", 12)],
        ..PriceVersion::default()
    }
}

fn like() -> Usage {
    Usage { width: 1_000, height: 1_000, ..Usage::of(Operation::Generate, 1) }
}

fn month(prompts: u32) -> Month {
    Month { prompts, ..Month::default() }
}

fn said(version: &PriceVersion, month: Month) -> Vec<String> {
    let estimate = version.estimate(month, plan("free"), &like()).unwrap();
    estimate.ways.iter().map(ToString::to_string).chain(estimate.break_evens.iter().map(ToString::to_string)).collect()
}

#[test]
fn what_the_plan_covers_is_free() {
    let asked = Month { prompts: 10, edits: 3, variations: 2 };
    let estimate = version().estimate(asked, plan("free"), &like()).unwrap();
    assert_eq!(estimate.needed, Credits::whole(15));
    assert_eq!(estimate.ways[0].to_string(), "free");
    assert_eq!(estimate.ways[0].covered, Credits::whole(15));
}

#[test]
fn the_rest_is_bought_in_packs_or_by_a_plan() {
    // 30 a month beyond the 15: a pack lasts 3.83 months and costs 15.00 x 30 / 115 = 3.913 a month.
    assert_eq!(
        said(&version(), month(45)),
        [
            "plan free and one pack (pack-115) every 3.8 months: 3.92 USD a month",
            "plan studio: 12.00 USD a month",
            "plan studio is cheaper from 108 prompts a month on",
        ]
    );
    assert_eq!(
        said(&version(), month(200))[..2],
        [
            "plan studio and one pack (pack-115) every 2.3 months: 18.53 USD a month",
            "plan free and 2 packs (pack-115) every 1.2 months: 24.14 USD a month",
        ]
    );
}

#[test]
fn the_break_even_is_the_first_number_at_which_a_plan_costs_less() {
    let version = version();
    let free = plan("free");
    for edits in [0, 7, 90, 107, 500] {
        let asked = |prompts| Month { prompts, edits, variations: 0 };
        let found = version.estimate(asked(0), free, &like()).unwrap().break_evens[0].prompts;
        let cheapest = |prompts| version.estimate(asked(prompts), free, &like()).unwrap().ways[0].plan;
        assert_eq!(cheapest(found), plan("studio"), "{edits}");
        assert!((0..found).all(|prompts| cheapest(prompts) == free), "{edits}");
    }
    let mut dear = version;
    dear.plans.get_mut(&plan("studio")).unwrap().price = "900.00 USD".parse().ok();
    assert!(dear.estimate(month(9), free, &like()).unwrap().break_evens.is_empty());
}

#[test]
fn a_pack_that_expires_costs_what_it_costs() {
    let mut version = version();
    version.packs = vec![pack("pack-115", 115, "15.00 USD", 2)];
    // 5 a month for 2 months: 105 of 115 expire.
    let first = &said(&version, month(20))[0];
    assert_eq!(
        first,
        "plan free and one pack (pack-115) every 2 months, when what is left of them expires: 7.50 USD a month"
    );
}

#[test]
fn tiers_are_used_while_the_packs_can_be_spent() {
    let cents = |minor| Cents::from_minor(minor).unwrap();
    let mut version = version();
    version.plans.remove(&plan("studio"));
    version.packs[0].tiers = vec![Tier { from: 5, price: cents(1_400) }, Tier { from: 100, price: cents(1) }];
    // 100 a month: 5 packs last 5.75 months; 100 of them would outlive themselves.
    assert_eq!(said(&version, month(115)), ["plan free and 5 packs (pack-115) every 5.7 months: 12.18 USD a month"]);
    // 20 a month: 5 packs would last 28 months, and expire after 12.
    assert_eq!(said(&version, month(35)), ["plan free and one pack (pack-115) every 5.7 months: 2.61 USD a month"]);
}

#[test]
fn the_best_of_several_packs_is_taken_and_a_bonus_counts() {
    let mut version = version();
    version.plans.remove(&plan("studio"));
    version.packs.push(Pack { bonus: Credits::whole(100), ..pack("large", 500, "66.00 USD", 12) });
    version.packs.push(pack("abroad", 10_000, "1.00 EUR", 12));
    assert_eq!(said(&version, month(115)), ["plan free and one pack (large) every 6 months: 11.00 USD a month"]);
}

#[test]
fn where_nothing_is_sold_only_the_plan_counts() {
    let mut version = version();
    version.packs.clear();
    version.plans.remove(&plan("studio"));
    assert_eq!(said(&version, month(15)), ["free"]);
    assert_eq!(said(&version, month(16)), [""; 0]);
}

#[test]
fn an_operation_without_a_price_matters_only_to_those_who_ask_for_it() {
    let mut version = version();
    version.operations.remove(&Operation::Vary);
    assert!(version.estimate(month(3), plan("free"), &like()).is_ok());
    let asked = Month { variations: 1, ..month(3) };
    let refused = version.estimate(asked, plan("free"), &like());
    assert_eq!(refused, Err(EstimateError::NoPrice(QuoteError::NoPrice { operation: Operation::Vary })));
    let unknown = version.estimate(month(3), plan("gold"), &like());
    assert_eq!(unknown, Err(EstimateError::UnknownPlan { plan: plan("gold") }));
}

#[test]
fn prices_by_the_size_are_of_the_size_that_is_asked_about() {
    let mut version = version();
    let rate = Rate { per_megapixel: Credits::whole(2), ..Rate::per_image(Credits::ZERO) };
    version.operations.insert(Operation::Generate, rate.into());
    assert_eq!(version.estimate(month(3), plan("free"), &like()).unwrap().needed, Credits::whole(6));
}

#[test]
fn sums_that_cannot_be_stated_are_refused() {
    let mut version = version();
    let most = OperationPrice::per_operation(Credits::from_micro(AMOUNT_MAX).unwrap(), 1);
    version.operations.insert(Operation::Edit, most);
    let asked = Month { edits: u32::MAX, ..month(u32::MAX) };
    assert_eq!(version.estimate(asked, plan("free"), &like()), Err(EstimateError::TooMany));
}

#[test]
fn a_plan_that_costs_something_is_one_way_beside_the_other_paid_ones() {
    let ways: Vec<String> = version()
        .estimate(month(45), plan("studio"), &like())
        .unwrap()
        .ways
        .iter()
        .map(|way| way.plan.to_string())
        .collect();
    assert_eq!(ways, ["studio"], "once, and what costs nothing is no offer");
    let mut foreign = version();
    foreign.plans.get_mut(&plan("studio")).unwrap().price = "0.12 EUR".parse().ok();
    foreign
        .plans
        .insert(plan("atelier"), PlanTerms { price: "1.00 USD".parse().ok(), ..PlanTerms::monthly(Credits::ZERO) });
    let ways = foreign.estimate(month(45), plan("free"), &like()).unwrap().ways;
    assert!(ways.iter().all(|way| way.plan != plan("studio")), "what costs another currency cannot be compared");
}

#[test]
fn a_request_is_of_as_many_pictures_as_its_price_includes_and_meters_nothing() {
    let mut metered = version();
    let rate = &mut metered.operations.get_mut(&Operation::Generate).unwrap().rate;
    rate.per_1k = [("input".parse().unwrap(), Credits::whole(1))].into();
    let like = Usage { count: 9, meters: [("input".parse().unwrap(), 5_000)].into(), ..like() };
    assert_eq!(metered.estimate(month(10), plan("free"), &like).unwrap().needed, Credits::whole(10));
}

#[test]
fn packs_that_are_spent_to_the_last_credit_are_not_one_too_many_and_do_not_expire() {
    let mut version = version();
    version.plans.remove(&plan("studio"));
    version.packs = vec![pack("fifty", 50, "5.00 USD", 1)];
    assert_eq!(said(&version, month(65)), ["plan free and one pack (fifty) every month: 5.00 USD a month"]);
    assert_eq!(said(&version, month(115)), ["plan free and 2 packs (fifty) every month: 10.00 USD a month"]);
    assert_eq!(
        said(&version, month(105)),
        ["plan free and 2 packs (fifty) every month, when what is left of them expires: 10.00 USD a month"]
    );
}

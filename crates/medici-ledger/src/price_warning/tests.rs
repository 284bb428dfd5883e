use super::*;
use crate::amount::{Cents, Credits};
use crate::calendar::Months;
use crate::pack::{Tier, TierMode};
use crate::price_rule::{PriceRule, Rate};

fn version(at: &str) -> PriceVersion {
    let one = || OperationPrice::per_operation(Credits::whole(1), 4);
    let operations = [(Operation::Generate, one()), (Operation::Edit, one()), (Operation::Vary, one())].into();
    PriceVersion { effective_at: at.parse().unwrap(), operations, ..PriceVersion::default() }
}

fn warnings(versions: Vec<PriceVersion>) -> Vec<String> {
    PriceBook::new(versions).unwrap().warnings().iter().map(ToString::to_string).collect()
}

fn pack(credits: u32, price: &str) -> Pack {
    let (price, expires, credits) = (price.parse().unwrap(), Months::ONE, Credits::whole(credits));
    Pack { credits, price, expires, mode: TierMode::Volume, tiers: Vec::new(), name: None, bonus: Credits::ZERO }
}

#[test]
fn what_is_not_sold_or_costs_nothing_is_said() {
    let mut odd = version("2026-01-01");
    odd.operations.remove(&Operation::Vary);
    let rules = vec![PriceRule {
        when: Conditions { count_max: Some(2), ..Conditions::default() },
        rate: Rate::per_image(Credits::ZERO),
    }];
    odd.operations.get_mut(&Operation::Edit).unwrap().rules = rules;
    let free = PlanTerms { price: "0.00 USD".parse().ok(), ..PlanTerms::monthly(Credits::whole(15)) };
    odd.plans =
        [("free".parse().unwrap(), PlanTerms::monthly(Credits::whole(15))), ("gift".parse().unwrap(), free)].into();
    odd.packs = vec![pack(115, "0.00 USD")];
    assert_eq!(
        warnings(vec![odd]),
        [
            "vary has no price from 2026-01-01T00:00:00Z on",
            "operation edit, rule 1 costs nothing from 2026-01-01T00:00:00Z on",
            "plan gift costs nothing from 2026-01-01T00:00:00Z on",
            "the pack of 115 costs nothing from 2026-01-01T00:00:00Z on",
        ]
    );
}

#[test]
fn a_rule_that_an_earlier_one_covers_is_said() {
    let none = Conditions::default;
    let conditions = [
        Conditions { quality: Some("hd".into()), ..none() },
        Conditions { quality: Some("hd".into()), model: Some("pocket".into()), ..none() },
        Conditions { pixels_max: Some(65_536), ..none() },
        Conditions { size: Some((256, 256)), steps_max: Some(5), ..none() },
        Conditions { size: Some((256, 257)), pixels_max: Some(65_536), ..none() },
        Conditions { count_max: Some(4), ..none() },
        Conditions { count_max: Some(5), ..none() },
        none(),
    ];
    let rate = Rate::per_operation(Credits::whole(2), 4);
    let rules = conditions.into_iter().map(|when| PriceRule { when, rate: rate.clone() }).collect();
    let mut version = version("2026-01-01");
    version.operations.get_mut(&Operation::Edit).unwrap().rules = rules;
    let from = "from 2026-01-01T00:00:00Z on";
    assert_eq!(
        warnings(vec![version]),
        [
            format!("edit: rule 2 is never used {from}, because rule 1 takes all its requests"),
            format!("edit: rule 4 is never used {from}, because rule 3 takes all its requests"),
            format!("edit: rule 5 is never used {from}, because its conditions contradict each other"),
            format!("edit: its own price is never used {from}, because rule 8 takes all its requests"),
        ]
    );
}

#[test]
fn packs_that_are_dearer_in_number_or_in_size_are_said() {
    let cents = |minor| Cents::from_minor(minor).unwrap();
    let tiers = vec![Tier { from: 5, price: cents(1_400) }, Tier { from: 10, price: cents(1_250) }];
    let small = Pack { tiers, name: "small".parse().ok(), ..pack(115, "15.00 USD") };
    let mut version = version("2026-01-01");
    // A bonus makes the larger pack worth its price; another currency is not compared.
    let fair = Pack { bonus: Credits::whole(20), ..pack(230, "31.00 USD") };
    version.packs = vec![pack(1_000, "140.00 USD"), small, fair, pack(2_000, "9000.00 EUR")];
    assert_eq!(
        warnings(vec![version]),
        [
            "from 2026-01-01T00:00:00Z on 9 of pack small cost 126.00 USD, more than the 125.00 USD of 10",
            "from 2026-01-01T00:00:00Z on a credit costs more in the pack of 1000 than in the pack of 230",
        ]
    );
}

#[test]
fn what_changes_for_those_who_are_there_is_said_field_by_field() {
    let terms = || PlanTerms { price: "12.00 USD".parse().ok(), ..PlanTerms::monthly(Credits::whole(150)) };
    let rollover = Some(Rollover { max: Credits::whole(50), months: Months::ONE });
    let plans = |at: &str, plans: Vec<(&str, PlanTerms)>| {
        let plans = plans.into_iter().map(|(name, terms)| (name.parse().unwrap(), terms)).collect();
        PriceVersion { plans, ..version(at) }
    };
    let limits = PlanLimits { images_max: Some(2), ..PlanLimits::default() };
    let dearer = PlanTerms { price: "15.00 USD".parse().ok(), rollover, limits, grandfather: true, ..terms() };
    let shorter = PlanTerms { monthly: Credits::whole(100), ..dearer.clone() };
    let said = warnings(vec![
        plans("2026-01-01", vec![("studio", terms()), ("old", terms())]),
        plans("2026-02-01", vec![("studio", dearer), ("new", terms())]),
        plans(
            "2026-03-01",
            vec![
                ("studio", PlanTerms { grandfather: false, ..shorter }),
                ("new", PlanTerms { grandfather: true, ..terms() }),
            ],
        ),
    ]);
    assert_eq!(
        said,
        [
            "plan old ends at 2026-02-01T00:00:00Z: its 150 credits a month are no longer granted",
            "plan studio changes 3 terms at 2026-02-01T00:00:00Z: price 12.00 USD becomes 15.00 USD; rollover none \
             becomes 50 for 1 month; pictures a request unlimited becomes 2; accounts that are on it before keep the \
             terms they have",
            "plan studio changes 2 terms at 2026-03-01T00:00:00Z: monthly 150 becomes 100; older terms that accounts \
             had kept end; accounts that are on it get the new terms",
        ]
    );
}

#[test]
fn what_an_operation_costs_from_then_on_is_said() {
    let mut before = version("2026-01-01");
    before.operations.insert("text".parse().unwrap(), OperationPrice::per_operation(Credits::whole(1), 1));
    let mut after = version("2026-02-01");
    let rules = vec![PriceRule {
        when: Conditions { count_max: Some(1), ..Conditions::default() },
        rate: Rate::per_image(Credits::whole(1)),
    }];
    after.operations.insert(Operation::Edit, OperationPrice { rate: Rate::per_operation(Credits::whole(2), 3), rules });
    assert_eq!(
        warnings(vec![before, after]),
        [
            "the price of edit changes at 2026-02-01T00:00:00Z: 1 credit for up to 4 pictures becomes 2 credits for \
             up to 3 pictures; rules that differ: 1",
            "text is no longer sold from 2026-02-01T00:00:00Z on",
        ]
    );
}

#[test]
fn only_what_changes_is_said_to_change() {
    let named = |version: &mut PriceVersion, credits| {
        let price = OperationPrice::per_operation(Credits::whole(credits), 1);
        version.operations.insert("text".parse().unwrap(), price);
    };
    let kinds = |before: u32, after: u32| {
        let (mut first, mut second) = (version("2026-01-01"), version("2026-02-01"));
        named(&mut first, before);
        named(&mut second, after);
        warnings(vec![first, second]).len()
    };
    assert_eq!((kinds(1, 1), kinds(1, 2)), (0, 1));
    assert!(!pack(10, "1.00 USD").is_dearer_than(&pack(20, "2.00 USD")), "ten for one are as dear as twenty for two");
    assert!(pack(10, "1.01 USD").is_dearer_than(&pack(20, "2.00 USD")));
    let plan = |grandfather| PlanTerms { grandfather, ..PlanTerms::monthly(Credits::whole(1)) };
    let said = |before, after| plan_changes(&plan(before), &plan(after)).len();
    assert_eq!([said(false, false), said(false, true), said(true, true), said(true, false)], [0, 0, 0, 1]);
    let rules = |counts: &[u32]| {
        let when = |count| Conditions { count_max: Some(count), ..Conditions::default() };
        let rate = Rate::per_operation(Credits::whole(1), 1);
        let rules = counts.iter().map(|count| PriceRule { when: when(*count), rate: rate.clone() }).collect();
        OperationPrice { rate: rate.clone(), rules }
    };
    assert_eq!(price_changes(&rules(&[1, 2, 3]), &rules(&[1, 2, 5, 6])), ["rules that differ: 2"]);
}

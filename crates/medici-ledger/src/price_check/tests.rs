use super::*;
use crate::amount::{Cents, Credits, Money};
use crate::calendar::Months;
use crate::cohort::CohortName;
use crate::pack::{Tier, TierMode};
use crate::plan::{PlanLimits, PlanName, Rollover};
use crate::price_book::PriceBook;
use crate::price_rule::{Conditions, PriceRule};

fn refused(change: impl FnOnce(&mut PriceVersion)) -> String {
    let mut version = PriceVersion { effective_at: Timestamp::EPOCH, ..PriceVersion::default() };
    change(&mut version);
    match PriceBook::new(vec![version]) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

fn pack() -> Pack {
    let (price, expires) = ("15.00 USD".parse::<Money>().unwrap(), Months::ONE);
    let (credits, bonus) = (Credits::whole(115), Credits::ZERO);
    Pack { credits, price, expires, mode: TierMode::Volume, tiers: Vec::new(), name: None, bonus }
}

fn cohort() -> CohortTerms {
    let (code, from, until) = (None, None, None);
    CohortTerms { bonus: Credits::whole(50), expires: Months::ONE, priority: 0, code, from, until }
}

const LARGE: Option<Credits> = Credits::from_micro(AMOUNT_MAX + 1);

#[test]
fn a_price_that_covers_nothing_or_too_much_is_refused_with_its_place() {
    let price = |rate: Rate| refused(|version| drop(version.operations.insert(Operation::Edit, rate.into())));
    let one = || Rate::per_operation(Credits::whole(1), 3);
    assert_eq!(price(one()), "");
    let nothing = price(Rate { included: 0, ..one() });
    assert_eq!(
        nothing,
        "version 1970-01-01T00:00:00Z, operation edit, included: a price covers at least 1 picture, 0 found"
    );
    let large = price(Rate { per_megapixel: LARGE.unwrap(), ..one() });
    assert!(large.contains("operation edit, per_megapixel: amounts go up to"), "{large}");
    let large = price(Rate { per_1k: [("input".parse().unwrap(), LARGE.unwrap())].into(), ..one() });
    assert!(large.contains("operation edit, per_1k input"), "{large}");
}

#[test]
fn a_rule_is_checked_like_the_price_it_replaces() {
    let rule = |rate| PriceRule { when: Conditions::default(), rate };
    let with = |rules| {
        let rate = Rate::per_operation(Credits::whole(1), 3);
        refused(|version| drop(version.operations.insert(Operation::Edit, OperationPrice { rate, rules })))
    };
    let base = with(vec![rule(Rate::per_image(Credits::ZERO)), rule(Rate::per_image(LARGE.unwrap()))]);
    assert!(base.contains("operation edit, rule 2, credits"), "{base}");
    let many = with(vec![rule(Rate::per_image(Credits::ZERO)); RULES_MAX + 1]);
    assert!(many.contains("operation edit, rules: at most 100 allowed, 101 found"), "{many}");
}

#[test]
fn a_pack_needs_credits_a_name_of_its_own_and_tiers_that_ascend() {
    let tier = |from| Tier { from, price: Cents::ZERO };
    let with = |pack: Pack| refused(|version| version.packs.push(pack));
    assert_eq!(with(Pack { tiers: vec![tier(5), tier(10)], ..pack() }), "");
    for tiers in [vec![tier(1)], vec![tier(5), tier(5)], vec![tier(10), tier(5)]] {
        let tiers = with(Pack { tiers, ..pack() });
        assert!(tiers.contains("pack 1, tiers: they begin at 2 or more and ascend"), "{tiers}");
    }
    let empty = with(Pack { credits: Credits::ZERO, ..pack() });
    assert!(empty.contains("pack 1, credits: more than 0 needed"), "{empty}");
    let bonus = with(Pack { bonus: LARGE.unwrap(), ..pack() });
    assert!(bonus.contains("pack 1, bonus: amounts go up to"), "{bonus}");
    let named = Pack { name: "small".parse().ok(), ..pack() };
    let twice = refused(|version| version.packs = vec![named.clone(), pack(), pack(), named]);
    assert!(twice.contains("pack 4: its name is that of pack 1 too"), "{twice}");
}

#[test]
fn a_cohort_needs_a_bonus_a_code_of_its_own_and_a_window_in_which_somebody_can_join() {
    let with = |cohorts: Vec<(&str, CohortTerms)>| {
        refused(|version| {
            let named = |(name, terms): (&str, CohortTerms)| (name.parse::<CohortName>().unwrap(), terms);
            version.cohorts = cohorts.into_iter().map(named).collect();
        })
    };
    assert_eq!(with(vec![("beta", cohort()), ("gamma", cohort())]), "");
    let coded = |code: &str| CohortTerms { code: Some(code.into()), ..cohort() };
    let twice = with(vec![("beta", coded("X")), ("gamma", coded("X"))]);
    assert!(twice.contains("cohort gamma: its code is that of cohort beta too"), "{twice}");
    assert_eq!(with(vec![("beta", coded("X")), ("gamma", coded("x"))]), "");
    let empty = with(vec![("beta", coded(""))]);
    assert!(empty.contains("cohort beta, code: 1 to 64 characters needed"), "{empty}");
    let nothing = with(vec![("beta", CohortTerms { bonus: Credits::ZERO, ..cohort() })]);
    assert!(nothing.contains("cohort beta, bonus: more than 0 needed"), "{nothing}");
    let window =
        |from: &str, until: &str| CohortTerms { from: from.parse().ok(), until: until.parse().ok(), ..cohort() };
    assert_eq!(with(vec![("beta", window("2026-01-01", "2026-01-02"))]), "");
    for until in ["2026-01-01", "2025-12-31"] {
        let ends = with(vec![("beta", window("2026-01-01", until))]);
        assert!(ends.contains("cohort beta, until: after 2026-01-01T00:00:00Z needed"), "{ends}");
    }
}

#[test]
fn a_plan_allows_something_and_may_roll_more_over_than_a_month_brings() {
    let with = |terms| refused(|version| drop(version.plans.insert("studio".parse::<PlanName>().unwrap(), terms)));
    let terms = || PlanTerms::monthly(Credits::whole(15));
    let rollover = Some(Rollover { max: Credits::whole(1_000), months: Months::ONE });
    assert_eq!(with(PlanTerms { rollover, ..terms() }), "");
    let no_images = PlanLimits { images_max: Some(0), ..PlanLimits::default() };
    let none = with(PlanTerms { limits: no_images, ..terms() });
    assert!(none.contains("plan studio, limits.images_max: at least 1 needed, 0 found"), "{none}");
    let no_models = PlanLimits { models: Some([].into()), ..PlanLimits::default() };
    let none = with(PlanTerms { limits: no_models, ..terms() });
    assert!(none.contains("plan studio, limits.models: at least 1 model needed"), "{none}");
}

#[test]
fn late_events_count_when_they_happened_for_a_month_at_most() {
    assert_eq!(refused(|version| version.policy.late_grace = LATE_GRACE_MAX), "");
    let long = refused(|version| version.policy.late_grace = LATE_GRACE_MAX + Duration::from_secs(1));
    assert!(long.contains("policy, late_grace: at most 31 days allowed"), "{long}");
}

#[test]
fn as_much_and_as_many_as_is_allowed_is_allowed() {
    let most = Credits::from_micro(AMOUNT_MAX).unwrap();
    assert_eq!(refused(|version| version.packs.push(Pack { credits: most, ..pack() })), "");
    let cohorts = |count: usize| {
        refused(|version| {
            version.cohorts = (0..count).map(|number| (format!("c{number}").parse().unwrap(), cohort())).collect();
        })
    };
    assert_eq!(cohorts(OFFERS_MAX), "");
    assert!(cohorts(OFFERS_MAX + 1).contains("cohorts: at most 100 allowed, 101 found"));
}

use super::*;
use crate::amount::Credits;
use crate::operation::Operation;
use crate::policy::Policy;

fn version(at: &str, credits: u32) -> PriceVersion {
    let price = OperationPrice::per_operation(Credits::whole(credits), 4);
    let effective_at = at.parse().unwrap();
    PriceVersion { effective_at, operations: [(Operation::Generate, price)].into(), ..PriceVersion::default() }
}

#[test]
fn the_version_in_force_prices_a_request() {
    let book = PriceBook::new(vec![version("2026-12-01", 2), version("2026-01-01", 1)]).unwrap();
    let usage = |count| Usage::of(Operation::Generate, count);
    let amount = |count, at: &str| book.quote(&usage(count), at.parse().unwrap()).map(|quote| quote.amount);
    assert_eq!(amount(4, "2026-11-30 23:59:59"), Ok(Credits::whole(1)));
    assert_eq!(amount(4, "2026-12-01"), Ok(Credits::whole(2)));
    assert_eq!(amount(5, "2026-12-01"), Ok(Credits::whole(4)));
    assert_eq!(amount(0, "2026-12-01"), Err(QuoteError::NothingAsked));
    let none = Err(QuoteError::NoPrice { operation: Operation::Generate });
    assert_eq!(amount(4, "2025-12-31"), none);
    let vary = book.quote(&Usage::of(Operation::Vary, 3), "2026-12-01".parse().unwrap());
    assert_eq!(vary, Err(QuoteError::NoPrice { operation: Operation::Vary }));
}

#[test]
fn versions_are_told_apart_by_their_instant_and_never_in_the_past() {
    let same = PriceBook::new(vec![version("2026-12-01", 2), version("2026-12-01", 1)]);
    assert!(matches!(same, Err(PriceBookError::SameInstant { .. })));
    let book = PriceBook::new(vec![version("2026-01-01", 1)]).unwrap();
    let now = "2026-11-01".parse().unwrap();
    assert!(matches!(book.publish(version("2026-10-31", 2), now), Err(PriceBookError::PastDated { .. })));
    assert_eq!(book.publish(version("2026-12-01", 2), now).unwrap().versions().len(), 2);
}

/// Returns versions of a plan: when, credits a month (none for a version without the plan), grandfathered or not.
fn plans(rows: &[(&str, Option<u32>, bool)]) -> PriceBook {
    let version = |&(at, monthly, grandfather): &(&str, Option<u32>, bool)| {
        let mut version = version(at, 1);
        if let Some(monthly) = monthly {
            let terms = PlanTerms { grandfather, ..PlanTerms::monthly(Credits::whole(monthly)) };
            version.plans.insert("studio".parse().unwrap(), terms);
        }
        version
    };
    PriceBook::new(rows.iter().map(version).collect()).unwrap()
}

#[test]
fn grandfathered_accounts_keep_the_terms_they_had() {
    let monthly = |book: &PriceBook, since: &str, at: &str| {
        let terms = book.terms(&"studio".parse().unwrap(), since.parse().unwrap(), at.parse().unwrap());
        terms.map(|terms| terms.monthly.to_string()).unwrap_or_default()
    };
    let kept =
        plans(&[("2026-01-01", Some(100), false), ("2026-02-01", Some(200), true), ("2026-03-01", Some(300), true)]);
    assert_eq!(monthly(&kept, "2026-01-15", "2026-01-20"), "100");
    assert_eq!(monthly(&kept, "2026-01-15", "2026-03-15"), "100");
    assert_eq!(monthly(&kept, "2026-02-01", "2026-03-15"), "200");
    assert_eq!(monthly(&kept, "2026-03-01", "2026-03-15"), "300");
    // A version that does not grandfather ends what was kept, for good.
    let ended =
        plans(&[("2026-01-01", Some(100), false), ("2026-02-01", Some(200), false), ("2026-03-01", Some(300), true)]);
    assert_eq!(monthly(&ended, "2026-01-15", "2026-03-15"), "200");
    // Terms of before a gap are gone: there is nothing that an account could have kept.
    let gap = plans(&[("2026-01-01", Some(100), false), ("2026-02-01", None, false), ("2026-03-01", Some(300), true)]);
    assert_eq!(monthly(&gap, "2026-01-15", "2026-02-15"), "");
    assert_eq!(monthly(&gap, "2026-01-15", "2026-03-15"), "300");
    // Nor is there anything before the first version.
    let first = plans(&[("2026-01-01", Some(100), true)]);
    assert_eq!(monthly(&first, "2025-01-01", "2026-01-15"), "100");
    assert_eq!(monthly(&first, "2025-01-01", "2025-12-31"), "");
}

#[test]
fn packs_cohorts_and_the_policy_are_those_of_the_version_in_force() {
    let mut later = version("2026-12-01", 1);
    later.policy = Policy { invoice: true, ..Policy::default() };
    let book = PriceBook::new(vec![version("2026-01-01", 1), later]).unwrap();
    let invoice = |at: &str| book.policy_at(at.parse().unwrap()).invoice;
    assert!(!invoice("2025-01-01") && !invoice("2026-11-30") && invoice("2026-12-01"));
    let at = "2026-12-01".parse().unwrap();
    assert_eq!(book.pack_named(at, &"pack-115".parse().unwrap()), None);
    assert_eq!(book.cohort_at(&"beta".parse().unwrap(), at), None);
}

#[test]
fn a_version_may_begin_now_and_its_packs_are_found_by_name() {
    let book = PriceBook::new(vec![version("2026-01-01", 1)]).unwrap();
    let now = "2026-11-01".parse().unwrap();
    let mut next = version("2026-11-01", 2);
    let price = "1.00 USD".parse().unwrap();
    let pack = |name: &str, credits| Pack {
        credits: Credits::whole(credits),
        price,
        expires: crate::Months::ONE,
        mode: crate::TierMode::Volume,
        tiers: Vec::new(),
        name: name.parse().ok(),
        bonus: Credits::ZERO,
    };
    next.packs = vec![pack("small", 10), pack("large", 100)];
    let book = book.publish(next, now).unwrap();
    let credits = |name: &str| book.pack_named(now, &name.parse().unwrap()).map(|pack| pack.credits);
    assert_eq!(credits("small"), Some(Credits::whole(10)));
    assert_eq!(credits("large"), Some(Credits::whole(100)));
    assert_eq!(credits("huge"), None);
    assert_eq!(book.pack_named("2026-10-31".parse().unwrap(), &"small".parse().unwrap()), None);
}

use super::*;
use crate::amount::{Credits, Money};
use crate::calendar::Months;
use crate::pack::{Tier, TierMode};

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

#[test]
fn a_price_that_covers_nothing_or_too_much_is_refused() {
    let mut nothing = version("2026-01-01", 1);
    nothing.operations.get_mut(&Operation::Generate).unwrap().rate.included = 0;
    assert!(matches!(PriceBook::new(vec![nothing]), Err(PriceBookError::NothingIncluded { .. })));
    let mut large = version("2026-01-01", 1);
    large.operations.get_mut(&Operation::Generate).unwrap().rate.credits = Credits::from_micro(AMOUNT_MAX + 1).unwrap();
    assert!(matches!(PriceBook::new(vec![large]), Err(PriceBookError::TooLarge { .. })));
    let book = PriceBook::new(vec![version("2026-01-01", u32::MAX)]).unwrap();
    let usage = Usage::of(Operation::Generate, u32::MAX);
    let now = "2026-02-01".parse().unwrap();
    assert_eq!(book.quote(&usage, now), Err(QuoteError::TooMany { count: u32::MAX }));
}

#[test]
fn a_pack_needs_credits_and_tiers_that_ascend() {
    let tier = |from| Tier { from, price: crate::Cents::ZERO };
    let with = |credits, tiers| {
        let price: Money = "15.00 USD".parse().unwrap();
        let pack = Pack {
            credits,
            price,
            expires: Months::ONE,
            mode: TierMode::Volume,
            tiers,
            name: None,
            bonus: Credits::ZERO,
        };
        PriceBook::new(vec![PriceVersion { packs: vec![pack], ..version("2026-01-01", 1) }])
    };
    assert!(with(Credits::whole(115), vec![tier(5), tier(10)]).is_ok());
    for tiers in [vec![tier(1)], vec![tier(5), tier(5)], vec![tier(10), tier(5)]] {
        assert_eq!(with(Credits::whole(115), tiers), Err(PriceBookError::Pack { index: 0 }));
    }
    assert_eq!(with(Credits::ZERO, Vec::new()), Err(PriceBookError::Pack { index: 0 }));
}

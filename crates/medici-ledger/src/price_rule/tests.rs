use super::*;
use crate::operation::Operation;
use crate::price_book::PriceVersion;
use crate::quote::Quote;

fn credits(text: &str) -> Credits {
    text.parse().unwrap()
}

fn quote(price: impl Into<OperationPrice>, usage: &Usage) -> Result<Quote, QuoteError> {
    let operations = [(Operation::Generate, price.into())].into();
    PriceVersion { operations, ..PriceVersion::default() }.quote(usage)
}

fn pictures(count: u32, width: u32, height: u32) -> Usage {
    Usage { width, height, ..Usage::of(Operation::Generate, count) }
}

fn metered(meters: &[(&str, u64)]) -> Usage {
    let meters = meters.iter().map(|(meter, count)| (meter.parse().unwrap(), *count)).collect();
    Usage { meters, ..Usage::of(Operation::Generate, 1) }
}

#[test]
fn the_base_is_paid_once_and_with_the_first_picture() {
    let each = Rate { base: credits("0.5"), ..Rate::per_image(credits("0.25")) };
    let quote = quote(each, &pictures(4, 256, 256)).unwrap();
    assert_eq!((quote.amount, quote.base, quote.unit), (credits("1.5"), credits("0.5"), credits("0.25")));
    assert_eq!(quote.for_delivered(0), None);
    assert_eq!(quote.for_delivered(1), Some(credits("0.75")));
    assert_eq!(quote.for_delivered(4), Some(credits("1.5")));
    assert_eq!(quote.for_delivered(9), Some(credits("1.5")));
}

#[test]
fn an_operation_with_a_base_is_all_or_nothing() {
    let rate = Rate { base: credits("0.5"), ..Rate::per_operation(credits("1"), 4) };
    let quote = quote(rate, &pictures(5, 256, 256)).unwrap();
    assert_eq!(quote.amount, credits("2.5"));
    assert_eq!((quote.for_delivered(4), quote.for_delivered(5)), (None, Some(credits("2.5"))));
}

#[test]
fn megapixels_are_rounded_up_once_a_request() {
    // 100 pixels of 0.001 credits a million are a tenth of a micro-credit.
    let rate = Rate { per_megapixel: credits("0.001"), ..Rate::per_image(Credits::ZERO) };
    let amount = |count| quote(rate.clone(), &pictures(count, 10, 10)).unwrap().amount.micro();
    assert_eq!((amount(1), amount(10), amount(11)), (1, 1, 2));
    let eleven = quote(rate.clone(), &pictures(11, 10, 10)).unwrap();
    // One picture is at least a micro-credit; all of them are never more than was held.
    assert_eq!(eleven.for_delivered(1).unwrap().micro(), 1);
    assert_eq!(eleven.for_delivered(10).unwrap().micro(), 2);
    let large = quote(Rate { per_megapixel: credits("0.5"), ..rate }, &pictures(2, 1024, 1024)).unwrap();
    assert_eq!(large.amount, credits("1.048576"));
}

#[test]
fn meters_are_rounded_up_once_an_event() {
    let per_1k = [("input", "0.002"), ("output", "0.006")].map(|(name, price)| (name.parse().unwrap(), credits(price)));
    let rate = Rate { per_1k: per_1k.into(), ..Rate::per_operation(Credits::ZERO, 1) };
    let amount = |meters: &[(&str, u64)]| quote(rate.clone(), &metered(meters)).map(|quote| quote.amount);
    assert_eq!(amount(&[("input", 1_000), ("output", 500)]), Ok(credits("0.005")));
    // A token is 2 or 6 micro-credits: exact. At a ten-thousandth of a credit a thousand they are not.
    let fine = Rate { per_1k: [("input".parse().unwrap(), credits("0.0001"))].into(), ..rate.clone() };
    let fine = |count| quote(fine.clone(), &metered(&[("input", count)])).unwrap().amount.micro();
    assert_eq!((fine(0), fine(1), fine(10), fine(11)), (0, 1, 1, 2));
    assert!(matches!(amount(&[("images", 1)]), Err(QuoteError::NoMeter { .. })));
    assert!(matches!(amount(&[("input", u64::MAX), ("output", u64::MAX)]), Err(QuoteError::TooMany { .. })));
    // Where no meter has a price, what was counted costs nothing of its own.
    assert_eq!(quote(Rate::per_operation(credits("1"), 1), &metered(&[("input", 5)])).unwrap().amount, credits("1"));
}

#[test]
fn a_request_without_a_size_has_no_price_by_the_megapixel() {
    let rate = Rate { per_megapixel: credits("0.5"), ..Rate::per_operation(credits("1"), 4) };
    let none = quote(rate, &Usage::of(Operation::Generate, 1));
    assert_eq!(none, Err(QuoteError::NoSize { operation: Operation::Generate }));
}

#[test]
fn sums_that_cannot_be_stated_are_refused() {
    let most = Credits::from_micro(AMOUNT_MAX).unwrap();
    for rate in [
        Rate { base: most, ..Rate::per_operation(credits("0.000001"), 1) },
        Rate { per_megapixel: most, ..Rate::per_image(Credits::ZERO) },
        Rate::per_image(most),
    ] {
        let refused = quote(rate, &pictures(u32::MAX, u32::MAX, u32::MAX));
        assert_eq!(refused, Err(QuoteError::TooMany { count: u32::MAX }));
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_else_the_operation() {
    let rule = |when, price: &str| PriceRule { when, rate: Rate::per_operation(credits(price), 1) };
    let none = Conditions::default;
    let price = OperationPrice {
        rate: Rate::per_operation(credits("1"), 4),
        rules: vec![
            rule(Conditions { quality: Some("hd".into()), pixels_max: Some(65_536), ..none() }, "2"),
            rule(Conditions { quality: Some("hd".into()), ..none() }, "3"),
            rule(Conditions { model: Some("pocket".into()), steps_max: Some(10), ..none() }, "0.5"),
            rule(Conditions { size: Some((64, 64)), count_max: Some(1), ..none() }, "0.1"),
        ],
    };
    let paid = |usage: Usage| {
        let quote = quote(price.clone(), &usage).unwrap();
        (quote.rule, quote.amount.to_string())
    };
    let hd = |usage| Usage { quality: Some("hd".into()), ..usage };
    assert_eq!(paid(hd(pictures(1, 256, 256))), (1, "2".to_owned()));
    assert_eq!(paid(hd(pictures(1, 257, 256))), (2, "3".to_owned()));
    // What a request does not say fulfils no condition.
    assert_eq!(paid(hd(Usage::of(Operation::Generate, 1))), (2, "3".to_owned()));
    let pocket = |steps| Usage { model: Some("pocket".into()), steps, ..pictures(1, 256, 256) };
    assert_eq!(paid(pocket(Some(10))), (3, "0.5".to_owned()));
    assert_eq!(paid(pocket(Some(11))), (0, "1".to_owned()));
    assert_eq!(paid(pocket(None)), (0, "1".to_owned()));
    assert_eq!(paid(pictures(1, 64, 64)), (4, "0.1".to_owned()));
    assert_eq!(paid(pictures(2, 64, 64)), (0, "1".to_owned()));
    assert_eq!(paid(pictures(1, 64, 65)), (0, "1".to_owned()));
}

#[test]
fn a_rate_and_its_conditions_are_said_in_words() {
    assert_eq!(Rate::per_operation(credits("1"), 4).to_string(), "1 credit for up to 4 pictures");
    assert_eq!(Rate::per_operation(Credits::ZERO, 1).to_string(), "nothing");
    let each = Rate { base: credits("0.5"), per_megapixel: credits("0.1"), ..Rate::per_image(credits("0.25")) };
    assert_eq!(each.to_string(), "0.5 credits a request and 0.25 credits a picture and 0.1 credits a megapixel");
    let when =
        Conditions { model: Some("pocket".into()), size: Some((64, 64)), steps_max: Some(9), ..Conditions::default() };
    assert_eq!(when.to_string(), "model pocket, size 64x64, up to 9 steps");
}

#[test]
fn a_size_is_within_a_bound_of_pixels_by_its_area() {
    let none = Conditions::default;
    let bound = |max| Conditions { pixels_max: Some(max), ..none() };
    let size = |width, height| Conditions { size: Some((width, height)), ..none() };
    assert!(bound(200).cover(&size(20, 10)));
    assert!(!bound(199).cover(&size(20, 10)));
    assert!(bound(200).cover(&Conditions { pixels_max: Some(5), ..size(20, 10) }), "the size says how many there are");
    assert!(size(20, 10).cover(&size(20, 10)));
    assert!(!size(20, 10).cover(&size(10, 20)));
    assert!(!size(20, 10).cover(&none()));
}

#[test]
fn conditions_that_no_request_fulfils_are_known() {
    let none = Conditions::default;
    let size = |width, height| Conditions { size: Some((width, height)), ..none() };
    let within = |max, when: Conditions| Conditions { pixels_max: Some(max), ..when };
    assert!(within(199, size(20, 10)).contradict());
    assert!(!within(200, size(20, 10)).contradict());
    assert!(within(0, none()).contradict());
    assert!(size(20, 0).contradict());
    assert!(Conditions { count_max: Some(0), ..none() }.contradict());
    assert!(!Conditions { count_max: Some(1), ..none() }.contradict());
    assert!(!none().contradict());
}

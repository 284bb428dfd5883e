use super::*;

#[test]
fn amounts_are_written_the_shortest_exact_way_and_read_back() {
    for (text, micro) in [("0", 0), ("15", 15_000_000), ("14.25", 14_250_000), ("0.000001", 1), ("1.5", 1_500_000)] {
        let credits: Credits = text.parse().unwrap();
        assert_eq!(credits.micro(), micro);
        assert_eq!(credits.to_string(), text);
    }
    assert_eq!("9007199254.740991".parse::<Credits>().unwrap().micro(), AMOUNT_MAX);
    assert_eq!("1.50".parse::<Credits>().unwrap().to_string(), "1.5");
}

#[test]
fn what_is_not_an_amount_is_refused() {
    for text in ["", "-1", "+1", ".5", "5.", "1e3", "1,5", " 1", "1 ", "0x1", "1.2.3", "١"] {
        assert!(matches!(text.parse::<Credits>(), Err(AmountError::Malformed { .. })), "{text:?}");
    }
    assert_eq!("1.0000000".parse::<Credits>(), Err(AmountError::TooFine { decimals: 6 }));
    assert_eq!("9007199254.740992".parse::<Credits>(), Err(AmountError::TooLarge));
    assert_eq!("99999999999999999999999999".parse::<Credits>(), Err(AmountError::TooLarge));
}

#[test]
fn a_price_is_exact_or_refused() {
    assert_eq!(Credits::parse_price("1/4"), "0.25".parse());
    assert_eq!(Credits::parse_price("1.5"), "1.5".parse());
    assert!(matches!(Credits::parse_price("1/3"), Err(AmountError::Inexact { .. })));
    for text in ["1/0", "1/-4", "1/", "/4", "1/4/2"] {
        assert!(matches!(Credits::parse_price(text), Err(AmountError::Malformed { .. })), "{text:?}");
    }
}

#[test]
fn money_knows_the_decimals_of_its_currency() {
    for (text, minor) in [("15.00 USD", 1_500), ("1500 JPY", 1_500), ("1.500 KWD", 1_500)] {
        let money: Money = text.parse().unwrap();
        assert_eq!(money.amount.minor(), minor);
        assert_eq!(money.to_string(), text);
    }
    assert_eq!("$15.00".parse::<Money>().unwrap().to_string(), "15.00 USD");
    assert_eq!("$15".parse::<Money>().unwrap().to_string(), "15.00 USD");
    assert_eq!("1.5 JPY".parse::<Money>(), Err(AmountError::TooFine { decimals: 0 }));
    for text in ["15.00", "15.00 usd", "15.00 EURO", "USD 15.00", "-$1.00", "$-1.00"] {
        assert!(text.parse::<Money>().is_err(), "{text:?}");
    }
}

#[test]
fn arithmetic_stops_at_its_ends() {
    let one = Credits::whole(1);
    assert_eq!(Credits::ZERO.checked_sub(one), None);
    assert_eq!(one.checked_sub(one), Some(Credits::ZERO));
    assert_eq!(Credits::from_micro(i64::MAX).unwrap().checked_add(one), None);
    assert_eq!(Credits::from_micro(-1), None);
    assert_eq!(Credits::whole(u32::MAX).checked_mul(3), None);
    assert_eq!(Cents::ZERO.checked_sub(Cents::from_minor(1).unwrap()), None);
}

use super::*;

fn quote(charge: ChargeMode, rule: u16, base: u32) -> Quote {
    Quote {
        version: Timestamp::EPOCH,
        operation: Operation::Edit,
        count: 4,
        unit: Credits::from_micro(200).unwrap(),
        included: 3,
        charge,
        amount: Credits::from_micro(300).unwrap(),
        rule,
        base: Credits::from_micro(i64::from(base)).unwrap(),
    }
}

fn written(quote: &Quote) -> Vec<u8> {
    let mut writer = Writer::with_capacity(32);
    writer.quote(quote);
    writer.into_bytes()
}

fn read(bytes: &[u8]) -> Read<Quote> {
    let mut reader = Reader::new(bytes);
    let quote = reader.quote()?;
    reader.end().map(|()| quote)
}

/// The bytes before and after the charge mode.
const HEAD: [u8; 13] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 0xc8, 1, 3];
const TAIL: [u8; 2] = [0xac, 2];

#[test]
fn a_quote_without_rule_and_base_has_the_bytes_it_always_had() {
    for (charge, byte) in [(ChargeMode::PerOperation, 0), (ChargeMode::PerImage, 1)] {
        let bytes = [&HEAD[..], &[byte], &TAIL].concat();
        assert_eq!(written(&quote(charge, 0, 0)), bytes);
        assert_eq!(read(&bytes), Ok(quote(charge, 0, 0)));
    }
}

#[test]
fn a_rule_and_a_base_take_bytes_of_their_own() {
    for (charge, byte) in [(ChargeMode::PerOperation, 2), (ChargeMode::PerImage, 3)] {
        for (rule, base, more) in [(7, 0, vec![7, 0]), (0, 5, vec![0, 5]), (300, 129, vec![0xac, 2, 0x81, 1])] {
            let bytes = [&HEAD[..], &[byte], &more, &TAIL].concat();
            assert_eq!(written(&quote(charge, rule, base)), bytes);
            assert_eq!(read(&bytes), Ok(quote(charge, rule, base)));
        }
    }
}

#[test]
fn a_quote_has_one_form() {
    for byte in [2, 3] {
        let both_zero = [&HEAD[..], &[byte, 0, 0], &TAIL].concat();
        assert_eq!(read(&both_zero), Err(bad("rule")));
        let large_rule = [&HEAD[..], &[byte, 0x80, 0x80, 4, 0], &TAIL].concat();
        assert_eq!(read(&large_rule), Err(bad("rule")));
    }
    for byte in [4, 5, 255] {
        assert_eq!(read(&[&HEAD[..], &[byte], &TAIL].concat()), Err(bad("charge mode")));
    }
}

#[test]
fn an_order_or_a_term_that_cannot_be_stated_is_not_read() {
    let most = crate::AMOUNT_MAX;
    let order = |cost, tax| {
        let cents = |minor| crate::Cents::from_minor(minor).unwrap();
        let mut writer = Writer::with_capacity(32);
        writer.order(&crate::Order {
            id: crate::OrderId::from_u128(1),
            item: crate::Item::Period,
            credits: Credits::whole(1),
            bonus: Credits::ZERO,
            cost: crate::Money::new(cents(cost), crate::Currency::USD),
            tax: cents(tax),
        });
        let bytes = writer.into_bytes();
        Reader::new(&bytes).order().map(drop)
    };
    assert_eq!(order(most, most), Ok(()));
    assert_eq!(order(most + 1, 0), Err(bad("order")));
    assert_eq!(order(most + 2, 0), Err(bad("order")));
    assert_eq!(order(0, most + 1), Err(bad("order")));
    assert_eq!(order(0, most + 2), Err(bad("order")));
}

#[test]
fn a_number_has_one_form_and_64_bits() {
    let read = |bytes: &[u8]| Reader::new(bytes).number().ok();
    assert_eq!((read(&[0]), read(&[0x7f]), read(&[0x80, 1])), (Some(0), Some(127), Some(128)));
    assert_eq!(read(&[0x80, 0]), None, "a zero more than is needed");
    let last = |byte| read(&[&[0xff; 9][..], &[byte]].concat());
    assert_eq!(last(1), Some(u64::MAX));
    assert_eq!((last(2), last(3), last(0)), (None, None, None));
}

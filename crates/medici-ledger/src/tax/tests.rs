use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::*;
use crate::amount::AMOUNT_MAX;

fn cents(minor: i64) -> Cents {
    Cents::from_minor(minor).unwrap()
}

fn shares(total: i64, weights: &[i64]) -> Vec<i64> {
    let weights: Vec<Cents> = weights.iter().copied().map(cents).collect();
    allocate(cents(total), &weights).into_iter().map(Cents::minor).collect()
}

#[test]
fn a_rate_is_rounded_half_up_on_the_whole_amount() {
    let tax = |rate: &str, minor: i64| rate.parse::<TaxRate>().unwrap().on(cents(minor)).minor();
    assert_eq!(tax("20", 1500), 300);
    assert_eq!(tax("8.875", 1500), 133);
    assert_eq!(tax("8.875%", 400), 36, "35.5 is rounded up");
    assert_eq!(tax("8.1", 1500), 122, "121.5 is rounded up");
    assert_eq!(tax("0.0001", 499_999), 0);
    assert_eq!(tax("0.0001", 500_000), 1);
    assert_eq!(tax("0", AMOUNT_MAX), 0);
    assert_eq!(tax("100", AMOUNT_MAX), AMOUNT_MAX);
}

#[test]
fn a_rate_is_a_plain_percentage_and_is_written_as_short_as_it_can() {
    for (text, written) in [("20", "20"), ("8.875 %", "8.875"), ("007", "7"), ("0.10", "0.1"), ("100.0000", "100")] {
        assert_eq!(text.parse::<TaxRate>().unwrap().to_string(), written);
    }
    for wrong in ["", "%", ".5", "5.", "-1", "+1", "100.0001", "101", "1.00001", "1e2", "0020", "20 percent", "２"] {
        assert!(wrong.parse::<TaxRate>().is_err(), "{wrong:?}");
    }
}

#[test]
fn what_is_left_over_goes_to_the_largest_remainders() {
    assert_eq!(shares(100, &[1, 1, 1]), [34, 33, 33]);
    assert_eq!(shares(10, &[1500, 5600, 5000]), [1, 5, 4]);
    assert_eq!(shares(0, &[3, 4]), [0, 0]);
    assert_eq!(shares(7, &[0, 5, 0]), [0, 7, 0]);
    assert_eq!(shares(7, &[0, 0]), [7, 0], "without weights the first has it all");
    assert_eq!(shares(7, &[]), [0; 0]);
}

/// Shares add up, each is its exact share rounded down or up, and no share that was rounded up has a smaller
/// remainder than one that was rounded down.
#[test]
fn any_total_is_shared_out_whole_and_fairly() {
    let mut chance = ChaCha8Rng::seed_from_u64(9);
    let amount = |chance: &mut ChaCha8Rng| {
        let most = [1, 10, 1_000, 1 << 30, AMOUNT_MAX][usize::try_from(chance.next_u32() % 5).unwrap()];
        i64::try_from(chance.next_u64() % u64::try_from(most + 1).unwrap()).unwrap()
    };
    for _ in 0..20_000 {
        let total = amount(&mut chance);
        let count = 1 + chance.next_u32() % 8;
        let weights: Vec<i64> = (0..count).map(|_| amount(&mut chance)).collect();
        let sum: i128 = weights.iter().copied().map(i128::from).sum();
        let shares = shares(total, &weights);
        assert_eq!(shares.iter().copied().map(i128::from).sum::<i128>(), i128::from(total), "{total} by {weights:?}");
        if sum == 0 {
            continue;
        }
        let (mut rounded_up, mut rounded_down) = (i128::MAX, -1);
        for (share, weight) in shares.iter().zip(&weights) {
            let exact = i128::from(total) * i128::from(*weight);
            let up = i128::from(*share) - exact / sum;
            assert!(up == 0 || (up == 1 && exact % sum > 0), "{total} by {weights:?}: {shares:?}");
            if up == 1 {
                rounded_up = rounded_up.min(exact % sum);
            } else {
                rounded_down = rounded_down.max(exact % sum);
            }
        }
        assert!(rounded_up >= rounded_down, "{total} by {weights:?}: {shares:?}");
    }
}

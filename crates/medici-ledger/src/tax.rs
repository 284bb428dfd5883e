//! Tax: a rate on a document's total, and the total's tax shared out among its lines.
//!
//! The ledger books the tax it is told; this is how a document comes to it.

use std::fmt;
use std::str::FromStr;

use crate::amount::Cents;

/// Parts of one percent in which rates are kept: ten-thousandths.
const PARTS_PER_PERCENT: i64 = 10_000;
/// Parts in the whole: a rate of 100 %.
const PARTS_MAX: i64 = 100 * PARTS_PER_PERCENT;
/// How many decimals a rate has at most.
const DECIMALS: usize = 4;

/// A rate of tax from 0 to 100 percent, exact to a ten-thousandth of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxRate {
    parts: i64,
}

/// Why a text is not a rate of tax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRateError {
    found: Box<str>,
}

impl fmt::Display for TaxRateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.found;
        write!(f, "a percentage from 0 to 100 with at most {DECIMALS} decimals needed, {found:?} found")
    }
}

impl std::error::Error for TaxRateError {}

impl TaxRate {
    /// Returns the tax on an amount, rounded half up to the minor unit.
    #[must_use]
    pub fn on(self, amount: Cents) -> Cents {
        let parts = i128::from(amount.minor()) * i128::from(self.parts);
        let tax = (2 * parts + i128::from(PARTS_MAX)) / (2 * i128::from(PARTS_MAX));
        let tax = i64::try_from(tax).ok().and_then(Cents::from_minor);
        tax.expect("a tax is at most the amount it is on")
    }
}

impl FromStr for TaxRate {
    type Err = TaxRateError;

    /// Parses a percentage: `20`, `8.875`, with or without `%`.
    fn from_str(text: &str) -> Result<Self, TaxRateError> {
        let error = || TaxRateError { found: text.chars().take(32).collect::<String>().into() };
        let number = text.strip_suffix('%').map_or(text, str::trim_end);
        let (whole, fraction) = match number.split_once('.') {
            Some((_, "")) => return Err(error()),
            Some(parts) => parts,
            None => (number, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        // Three digits are all that a percentage needs; more could only overflow.
        if !(1..=3).contains(&whole.len()) || fraction.len() > DECIMALS || !digits(whole) || !digits(fraction) {
            return Err(error());
        }
        let parts = format!("{whole}{fraction:0<DECIMALS$}").parse().map_err(|_| error())?;
        if parts <= PARTS_MAX { Ok(Self { parts }) } else { Err(error()) }
    }
}

impl fmt::Display for TaxRate {
    /// Writes the shortest percentage: `20`, `8.875`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.parts / PARTS_PER_PERCENT, self.parts % PARTS_PER_PERCENT);
        let fraction = format!("{fraction:0DECIMALS$}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}

/// Shares an amount out in proportion to weights, by the largest remainder; of equal remainders the first.
///
/// The shares add up to the amount, and each is its exact share rounded down or up. Without any weight everything
/// falls to the first share; without shares nothing is shared out.
#[must_use]
pub fn allocate(total: Cents, weights: &[Cents]) -> Vec<Cents> {
    let sum: i128 = weights.iter().map(|weight| i128::from(weight.minor())).sum();
    let exact = |weight: &Cents| i128::from(total.minor()) * i128::from(weight.minor());
    let mut shares: Vec<i128> = weights.iter().map(|weight| exact(weight).checked_div(sum).unwrap_or(0)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    // The sort is stable, so that equal remainders stay in the order of the document.
    by_remainder.sort_by_key(|index| std::cmp::Reverse(exact(&weights[*index]).checked_rem(sum).unwrap_or(0)));
    let left = i128::from(total.minor()) - shares.iter().sum::<i128>();
    if sum == 0 {
        shares.iter_mut().take(1).for_each(|first| *first = left);
    } else {
        let left = usize::try_from(left).expect("fewer units are left than there are shares");
        by_remainder.iter().take(left).for_each(|index| shares[*index] += 1);
    }
    let share = |share: i128| i64::try_from(share).ok().and_then(Cents::from_minor);
    shares.into_iter().map(|amount| share(amount).expect("a share is at most the total")).collect()
}

#[cfg(test)]
mod tests;

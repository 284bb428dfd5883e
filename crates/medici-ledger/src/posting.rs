//! Postings: one signed amount on one ledger account.

use std::fmt;

use crate::amount::{CREDIT_DECIMALS, Currency, SignedCredits, SignedMoney, write_decimal};
use crate::ids::LotNumber;
use crate::lot::Class;
use crate::operation::Operation;

/// A double-entry account. Credits flow `issuance → lot → held → used | expired | withdrawn`; money beside them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerAccount {
    /// Where credits of a class come from; negative.
    Issuance(Class),
    /// Credits of a lot that can be held.
    Lot,
    /// Credits of a lot that open holds have set aside.
    Held,
    /// Credits spent on an operation.
    Used(Operation),
    /// Credits that expired unspent.
    Expired,
    /// Credits that were taken back: with their money, or by an operator.
    Withdrawn,
    /// Credits that the customer owes, because their money went back after they were spent; negative.
    Debt,
    /// The counterpart of `debt`: spent credits whose money went back.
    Clawed,
    /// Money received.
    Cash,
    /// Money that the customer owes for an invoice.
    Receivable,
    /// Tax owed to the state; negative.
    TaxPayable,
    /// Money received for credits of a lot not spent yet; negative.
    Deferred,
    /// Money earned by an operation; negative.
    Revenue(Operation),
    /// Money earned by credits that expired; negative.
    BreakageRevenue,
    /// What reversals cost in the end: differences that neither credits nor a debt stand for.
    Refunds,
    /// Earned money that went back, as far as the customer still owes its credits.
    CustomerDebt,
}

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuance(class) => write!(f, "issuance:{class}"),
            Self::Lot => f.write_str("lot"),
            Self::Held => f.write_str("held"),
            Self::Used(operation) => write!(f, "used:{operation}"),
            Self::Expired => f.write_str("expired"),
            Self::Cash => f.write_str("cash"),
            Self::TaxPayable => f.write_str("tax_payable"),
            Self::Deferred => f.write_str("deferred"),
            Self::Revenue(operation) => write!(f, "revenue:{operation}"),
            Self::BreakageRevenue => f.write_str("breakage_revenue"),
            Self::Withdrawn => f.write_str("withdrawn"),
            Self::Debt => f.write_str("debt"),
            Self::Clawed => f.write_str("clawed"),
            Self::Receivable => f.write_str("receivable"),
            Self::Refunds => f.write_str("refunds"),
            Self::CustomerDebt => f.write_str("customer_debt"),
        }
    }
}

/// What a posting counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Micro-credits.
    Credits,
    /// Minor units of a currency.
    Money(Currency),
}

impl Unit {
    /// Returns an amount of the unit, in micro-credits or minor units, to be written as a decimal.
    #[must_use]
    pub fn decimal(self, amount: impl Into<i128>) -> Signed {
        Signed { amount: amount.into(), unit: self }
    }
}

impl fmt::Display for Unit {
    /// Writes `credits`, or the currency's three letters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credits => f.pad("credits"),
            Self::Money(currency) => f.pad(currency.as_str()),
        }
    }
}

/// A signed amount without its unit, to be written as an exact decimal: `-14.25`. Made by [`Unit::decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    amount: i128,
    unit: Unit,
}

impl fmt::Display for Signed {
    /// Writes credits as short as they are exact, and money with all decimals of its currency. With `{:#}` both
    /// have all decimals of their unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.amount < 0 { "-" } else { "" })?;
        let (decimals, shortest) = match self.unit {
            Unit::Credits => (CREDIT_DECIMALS, !f.alternate()),
            Unit::Money(currency) => (currency.minor_digits(), false),
        };
        write_decimal(f, self.amount.unsigned_abs(), decimals, shortest)
    }
}

/// One signed amount on one ledger account. Names its lot, so that lots can be proved from entries alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The ledger account.
    pub account: LedgerAccount,
    /// What is counted.
    pub unit: Unit,
    /// The lot it is about.
    pub lot: LotNumber,
    /// How much, in micro-credits or minor units; never zero.
    pub amount: i64,
}

impl fmt::Display for Posting {
    /// Writes `lot 2 -1` or `deferred 2 +0.13 USD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.amount > 0 { "+" } else { "" };
        write!(f, "{} {} {sign}", self.account, self.lot)?;
        match self.unit {
            Unit::Credits => SignedCredits(self.amount).fmt(f),
            Unit::Money(currency) => SignedMoney(self.amount, currency).fmt(f),
        }
    }
}

/// Returns whether postings sum to zero in each unit and none is zero.
pub(crate) fn is_balanced(postings: &[Posting]) -> bool {
    let sum_of = |unit| {
        postings.iter().filter(|posting| posting.unit == unit).map(|posting| i128::from(posting.amount)).sum::<i128>()
    };
    postings.iter().all(|posting| posting.amount != 0 && sum_of(posting.unit) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_are_balanced_when_each_unit_is_and_none_is_nothing() {
        let dollars = Unit::Money(Currency::USD);
        let posting = |unit, amount| Posting { account: LedgerAccount::Lot, unit, lot: LotNumber(1), amount };
        let balanced = |postings: &[(Unit, i64)]| {
            is_balanced(&postings.iter().map(|(unit, amount)| posting(*unit, *amount)).collect::<Vec<_>>())
        };
        assert!(balanced(&[]));
        assert!(balanced(&[(Unit::Credits, 5), (dollars, -3), (Unit::Credits, -5), (dollars, 3)]));
        assert!(!balanced(&[(Unit::Credits, 5), (dollars, -5)]), "credits are not dollars");
        assert!(!balanced(&[(Unit::Credits, 5), (Unit::Credits, -4)]));
        assert!(!balanced(&[(Unit::Credits, 0)]));
        let most = (Unit::Credits, i64::MAX);
        assert!(!balanced(&[most, most, (Unit::Credits, 2)]), "sums are wider than amounts");
    }

    #[test]
    fn a_signed_amount_is_written_in_its_unit() {
        let written = |unit: Unit, amount| (unit.decimal(amount).to_string(), format!("{:#}", unit.decimal(amount)));
        let pair = |short: &str, long: &str| (short.to_owned(), long.to_owned());
        assert_eq!(written(Unit::Credits, -14_250_000), pair("-14.25", "-14.250000"));
        assert_eq!(written(Unit::Credits, 0), pair("0", "0.000000"));
        assert_eq!(written(Unit::Money(Currency::USD), 5), pair("0.05", "0.05"));
    }
}

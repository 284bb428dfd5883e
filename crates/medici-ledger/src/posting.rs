//! Postings: one signed amount on one ledger account.

use std::fmt;

use crate::amount::{Currency, SignedCredits, SignedMoney};
use crate::ids::LotNumber;
use crate::lot::Class;
use crate::operation::Operation;

/// A double-entry account. Credits flow `issuance → lot → held → used | expired`; money beside them.
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
    /// Money received.
    Cash,
    /// Tax owed to the state; negative.
    TaxPayable,
    /// Money received for credits of a lot not spent yet; negative.
    Deferred,
    /// Money earned by an operation; negative.
    Revenue(Operation),
    /// Money earned by credits that expired; negative.
    BreakageRevenue,
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

//! Broken: what an invariant's failure looks like.

use std::fmt;

use crate::ids::{AccountId, LotNumber};
use crate::posting::Unit;

/// An invariant that does not hold: where, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Whose wallet or entries.
    pub account: AccountId,
    /// The entry at which it shows.
    pub seq: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a wallet or an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An entry of another account.
    OtherAccount {
        /// The entry's account.
        found: AccountId,
    },
    /// An entry that is not the next: one is missing, or one is there twice.
    Sequence {
        /// The number needed.
        expected: u64,
    },
    /// An entry whose hash is not that of the one before and its own content.
    Chain,
    /// Time goes back, or an entry counts before it was learnt.
    Time,
    /// A fact that the wallet contradicts; the text says what is required.
    Fact(&'static str),
    /// Postings that do not follow from the fact.
    Postings,
    /// An entry that does not sum to zero in a unit.
    Unbalanced {
        /// The unit.
        unit: Unit,
    },
    /// A lot whose parts do not sum to what was granted, or one of them below zero.
    Lot {
        /// The lot.
        lot: LotNumber,
        /// What is required.
        rule: &'static str,
    },
    /// Something about the wallet as a whole; the text says what is required.
    Wallet(&'static str),
    /// A stored wallet that is not what the entries lead to.
    Differs,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at entry {}: {}", self.account, self.seq, self.fault)
    }
}

impl std::error::Error for Broken {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherAccount { found } => write!(f, "an entry of {found}"),
            Self::Sequence { expected } => write!(f, "entry {expected} needed"),
            Self::Chain => f.write_str("the hash does not follow from the entry before and this one"),
            Self::Time => f.write_str("recorded before the entry before it, or before it counts"),
            Self::Fact(rule) => write!(f, "{rule}: not so here"),
            Self::Postings => f.write_str("the postings do not follow from the fact"),
            Self::Unbalanced { unit: Unit::Credits } => f.write_str("the credits do not sum to zero"),
            Self::Unbalanced { unit: Unit::Money(currency) } => write!(f, "the {currency} do not sum to zero"),
            Self::Lot { lot, rule } => write!(f, "lot {lot}: {rule}: not so here"),
            Self::Wallet(rule) => write!(f, "{rule}: not so here"),
            Self::Differs => f.write_str("the stored wallet is not what its entries lead to"),
        }
    }
}

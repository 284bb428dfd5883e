//! Entries: immutable facts about one wallet, with the postings that follow from them.
//!
//! Every entry sums to zero in each unit, is numbered densely within its account, and is chained to the one
//! before by its hash.

use crate::amount::{Cents, Credits, Money};
use crate::codec::{CodecError, Reader, Writer};
use crate::hash::Hash;
use crate::hold::{Slice, VoidReason};
use crate::ids::{AccountId, HoldId, LotNumber};
use crate::lot::{Class, Source};
use crate::plan::PlanName;
use crate::posting::Posting;
use crate::quote::Quote;
use crate::time::Timestamp;

/// An immutable, chained record of something that happened to a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose wallet.
    pub account: AccountId,
    /// Its number within the account: 1, 2, 3…
    pub seq: u64,
    /// When it counts.
    pub effective_at: Timestamp,
    /// When it was decided. Never goes back within an account.
    pub recorded_at: Timestamp,
    /// What happened.
    pub fact: Fact,
    /// What follows for the ledger accounts; may be empty.
    pub postings: Vec<Posting>,
    /// SHA-256 of the hash before and everything above.
    pub hash: Hash,
}

/// What happened to a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The account was opened; `effective_at` is its anchor.
    Opened {
        /// On which plan.
        plan: PlanName,
    },
    /// A lot was granted.
    Granted(Grant),
    /// Credits were set aside.
    Held {
        /// The hold.
        hold: HoldId,
        /// The pinned price.
        quote: Quote,
        /// Where from.
        slices: Vec<Slice>,
        /// When it ends by itself.
        expires_at: Timestamp,
    },
    /// A hold lives on.
    Extended {
        /// The hold.
        hold: HoldId,
        /// Its new end.
        expires_at: Timestamp,
    },
    /// A hold's credits were spent, and the rest released.
    Captured {
        /// The hold.
        hold: HoldId,
        /// How many.
        amount: Credits,
        /// What was spent: the prefix of the hold's slices.
        captured: Vec<Slice>,
        /// What was released, last slice first.
        released: Vec<Slice>,
    },
    /// A hold was ended unspent by decision.
    Voided {
        /// The hold.
        hold: HoldId,
        /// Why.
        reason: VoidReason,
        /// What was released, last slice first.
        released: Vec<Slice>,
        /// New lots for what had expired meanwhile, where the release is the operator's fault.
        replacements: Vec<Replacement>,
    },
    /// A hold was ended unspent by time.
    HoldExpired {
        /// The hold.
        hold: HoldId,
        /// What was released, last slice first.
        released: Vec<Slice>,
    },
    /// Credits were spent in one step.
    Charged {
        /// The charge.
        charge: HoldId,
        /// The price.
        quote: Quote,
        /// Where from.
        slices: Vec<Slice>,
    },
    /// A lot came to its end. What of it is held stays capturable.
    LotExpired {
        /// The lot.
        lot: LotNumber,
        /// What expired; nothing where all that was left is held.
        amount: Credits,
    },
    /// Pictures were delivered without credits.
    Uncollected {
        /// The hold that had expired.
        hold: HoldId,
        /// What was not collected.
        amount: Credits,
    },
}

/// What a grant issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The new lot.
    pub lot: LotNumber,
    /// Its class.
    pub class: Class,
    /// How many credits.
    pub credits: Credits,
    /// What was paid for them, without tax.
    pub cost: Option<Money>,
    /// The tax on top.
    pub tax: Cents,
    /// When they can first be held.
    pub effective_at: Timestamp,
    /// When they can no longer be held.
    pub expires_at: Option<Timestamp>,
    /// Their place in the burn order.
    pub priority: i8,
    /// Where they come from.
    pub source: Source,
}

/// A lot for credits that expired while they were held and were released by the operator's fault.
///
/// It has the class and the priority of the lot it replaces and carries that lot's unrecognised cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The new lot.
    pub lot: LotNumber,
    /// The lot that had expired.
    pub of: LotNumber,
    /// How many credits.
    pub credits: Credits,
    /// The cost that moves along.
    pub cost: Option<Money>,
    /// When the new lot ends: a week after the release.
    pub expires_at: Timestamp,
}

impl Fact {
    /// Returns the name as statements write it: `granted`, `captured` and so on.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Granted(_) => "granted",
            Self::Held { .. } => "held",
            Self::Extended { .. } => "extended",
            Self::Captured { .. } => "captured",
            Self::Voided { .. } => "voided",
            Self::HoldExpired { .. } => "hold_expired",
            Self::Charged { .. } => "charged",
            Self::LotExpired { .. } => "lot_expired",
            Self::Uncollected { .. } => "uncollected",
        }
    }

    /// Returns the hold or charge it speaks of.
    #[must_use]
    pub const fn hold(&self) -> Option<HoldId> {
        match self {
            Self::Held { hold, .. }
            | Self::Extended { hold, .. }
            | Self::Captured { hold, .. }
            | Self::Voided { hold, .. }
            | Self::HoldExpired { hold, .. }
            | Self::Charged { charge: hold, .. }
            | Self::Uncollected { hold, .. } => Some(*hold),
            Self::Opened { .. } | Self::Granted(_) | Self::LotExpired { .. } => None,
        }
    }
}

impl Entry {
    /// Returns the canonical bytes followed by the hash: what a store keeps.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(288);
        writer.entry(self);
        writer.raw(self.hash.as_bytes());
        writer.into_bytes()
    }

    /// Reads what [`Entry::encode`] wrote. Does not verify the hash: [`crate::Wallet::apply`] does.
    ///
    /// # Errors
    /// [`CodecError`] where the bytes are not exactly one entry in its canonical form.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let entry = reader.entry()?;
        reader.end()?;
        Ok(entry)
    }

    /// Returns the hash that this entry has after `previous`: SHA-256 over `previous` and the canonical bytes.
    #[must_use]
    pub fn hash_after(&self, previous: &Hash) -> Hash {
        let mut writer = Writer::with_capacity(256);
        writer.entry(self);
        Hash::chain(previous, writer.as_bytes())
    }

    /// Returns whether the postings sum to zero in each unit and none is zero.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        crate::posting::is_balanced(&self.postings)
    }
}

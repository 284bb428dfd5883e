//! Holds: credits set aside for one job, as frozen slices of lots.
//!
//! `Open → Captured | Voided | Expired`; the first terminal transition wins.

use std::time::Duration;

use crate::amount::Credits;
use crate::budget::Spender;
use crate::ids::{HoldId, LotNumber};
use crate::quote::Quote;
use crate::time::Timestamp;

/// The longest a hold lives, extensions included: 24 hours.
pub const HOLD_SECONDS_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the end of a hold is remembered in the wallet, so that a repeated call gets the stored answer.
pub const HOLD_MEMORY: Duration = Duration::from_secs(24 * 60 * 60);
/// How many ends of holds a wallet remembers at most; the oldest are forgotten first.
pub const HOLD_MEMORY_COUNT_MAX: usize = 256;
/// How many holds of one wallet are open at most.
pub const OPEN_HOLDS_MAX: usize = 10_000;

/// A part of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Of which lot.
    pub lot: LotNumber,
    /// How much; more than zero.
    pub amount: Credits,
}

/// An open hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name.
    pub id: HoldId,
    /// The price it was placed for, pinned.
    pub quote: Quote,
    /// What it sets aside.
    pub amount: Credits,
    /// Where from, in the burn order of the moment it was placed. Sums to `amount`.
    pub slices: Vec<Slice>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Who spends.
    pub spender: Spender,
}

/// What became of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldState {
    /// It still sets credits aside.
    Open(Hold),
    /// Credits were spent, possibly fewer than were held, possibly none.
    Captured {
        /// How many.
        amount: Credits,
    },
    /// It was ended unspent by decision.
    Voided {
        /// Why.
        reason: VoidReason,
    },
    /// It was ended unspent by time.
    Expired,
    /// It was ended by time, and the pictures were delivered without credits.
    Uncollected {
        /// What was not collected.
        amount: Credits,
    },
}

/// Why a hold is voided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum VoidReason {
    /// The customer cancelled before the images were durable.
    Cancelled,
    /// The request was refused, for example by a content policy.
    Refused,
    /// The engine failed.
    EngineFailed,
    /// The worker was lost.
    WorkerLost,
    /// The server shut down.
    Shutdown,
    /// Fewer pictures came out than were asked for.
    Shortfall,
    /// An operator decided it.
    Operator,
}

impl VoidReason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::Cancelled,
        Self::Refused,
        Self::EngineFailed,
        Self::WorkerLost,
        Self::Shutdown,
        Self::Shortfall,
        Self::Operator,
    ];

    /// Returns whether the operator failed the customer: credits of a lot that expired meanwhile are then
    /// replaced by a lot that lives a week.
    #[must_use]
    pub const fn is_our_fault(self) -> bool {
        matches!(self, Self::EngineFailed | Self::WorkerLost | Self::Shutdown)
    }

    /// Returns the name: `cancelled`, `refused`, `engine_failed` and so on.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::EngineFailed => "engine_failed",
            Self::WorkerLost => "worker_lost",
            Self::Shutdown => "shutdown",
            Self::Shortfall => "shortfall",
            Self::Operator => "operator",
        }
    }
}

impl std::fmt::Display for VoidReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

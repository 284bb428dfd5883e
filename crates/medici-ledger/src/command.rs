//! Commands: what can be asked of a wallet, and what it answers.

use std::fmt;
use std::time::Duration;

use crate::amount::{Cents, Credits, Money};
use crate::entry::Entry;
use crate::hold::{Hold, Slice, VoidReason};
use crate::ids::{HoldId, LotNumber};
use crate::lot::{Class, Source};
use crate::plan::PlanName;
use crate::quote::Quote;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// What can be asked of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens the account on a plan; the instant is the anchor of its months for ever.
    Open {
        /// A plan of the price version in force.
        plan: PlanName,
    },
    /// Issues credits as a new lot. Has no name of its own: a repeat needs an idempotency key.
    Grant {
        /// The class. Only paid credits have a cost.
        class: Class,
        /// How many; more than zero.
        credits: Credits,
        /// What was paid for them, without tax.
        cost: Option<Money>,
        /// When they can first be held.
        effective_at: Timestamp,
        /// When they can no longer be held; `None` for never.
        expires_at: Option<Timestamp>,
        /// Their place in the burn order; lower burns first.
        priority: i8,
        /// Why. Monthly and replacement lots are made by the ledger itself.
        source: Source,
        /// The tax on top of `cost`, in its currency.
        tax: Cents,
    },
    /// Sets the quoted amount aside. A repeat with the same quote gives the stored answer.
    Hold {
        /// The new hold's name.
        hold: HoldId,
        /// The price, pinned from here on.
        quote: Quote,
        /// How long it lives without an extension; at most [`crate::HOLD_SECONDS_MAX`].
        timeout: Duration,
    },
    /// Moves the end of an open hold to `now + timeout`: never earlier, at most 24 hours after it was placed.
    Extend {
        /// Which.
        hold: HoldId,
        /// From now on.
        timeout: Duration,
    },
    /// Spends the first `amount` of a hold's slices and releases the rest, last slice first.
    Capture {
        /// Which.
        hold: HoldId,
        /// From nothing to all of it.
        amount: Credits,
    },
    /// Ends a hold unspent.
    Void {
        /// Which.
        hold: HoldId,
        /// Why.
        reason: VoidReason,
    },
    /// Holds and captures in one entry. A repeat with the same amount gives the stored answer.
    Charge {
        /// The charge's name, of the same space as holds.
        charge: HoldId,
        /// The price.
        quote: Quote,
    },
    /// States that pictures were delivered though the hold had expired and could not be placed again.
    /// Touches no credits: the loss is the operator's.
    Uncollected {
        /// The hold that expired.
        hold: HoldId,
        /// What would have been captured.
        amount: Credits,
    },
    /// Books what time has made true, and nothing else.
    Settle,
}

/// What a wallet answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The account is open.
    Opened,
    /// The new lot's number.
    Granted(LotNumber),
    /// The open hold.
    Held(Hold),
    /// The hold lives on.
    Extended {
        /// Until then.
        expires_at: Timestamp,
    },
    /// Credits were spent.
    Captured {
        /// Of which hold.
        hold: HoldId,
        /// How many.
        amount: Credits,
        /// Of which lots.
        slices: Vec<Slice>,
    },
    /// The hold ended unspent.
    Voided {
        /// Which.
        hold: HoldId,
        /// What it had set aside.
        released: Credits,
    },
    /// Credits were spent in one step.
    Charged {
        /// The charge.
        charge: HoldId,
        /// How many.
        amount: Credits,
        /// Of which lots.
        slices: Vec<Slice>,
    },
    /// The loss is on record.
    Uncollected,
    /// What was due is booked.
    Settled {
        /// How many entries that took.
        entries: usize,
    },
}

/// What a wallet decided: the new wallet, and the entries that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The wallet with `entries` applied.
    pub wallet: Wallet,
    /// New entries, chained, in order. A repeat adds none of its own.
    pub entries: Vec<Entry>,
    /// The answer.
    pub reply: Reply,
}

/// Why a wallet refuses a command. A refusal writes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account was never opened.
    NotOpen,
    /// The account is open already, on another plan.
    AlreadyOpen,
    /// No such plan in the price version in force.
    UnknownPlan {
        /// The plan asked for.
        plan: PlanName,
    },
    /// Too few live credits.
    InsufficientCredits {
        /// What was asked for.
        needed: Credits,
        /// What is live and not held.
        available: Credits,
    },
    /// A hold of that name is open with another price.
    HoldExists,
    /// No open hold of that name, and none remembered.
    UnknownHold,
    /// The hold was ended by time.
    HoldExpired,
    /// The hold was captured.
    AlreadyCaptured {
        /// What was captured.
        amount: Credits,
    },
    /// The hold was voided.
    AlreadyVoided {
        /// Why.
        reason: VoidReason,
    },
    /// The hold is open: capture or void it.
    HoldOpen,
    /// The hold's loss was recorded with another amount.
    AlreadyUncollected {
        /// The amount on record.
        amount: Credits,
    },
    /// More than the hold has set aside.
    MoreThanHeld {
        /// What was asked for.
        asked: Credits,
        /// What is held.
        held: Credits,
    },
    /// A timeout of nothing or above the limit.
    HoldTimeout {
        /// What was asked for.
        asked: Duration,
        /// The limit.
        max: Duration,
    },
    /// A grant that contradicts itself.
    BadGrant(GrantError),
    /// The wallet is at a limit of open holds or lots.
    TooManyOpen {
        /// `"holds"` or `"lots"`.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The wallet would hold more than can be stated.
    Overflow,
}

/// What is wrong with a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantError {
    /// No credits.
    Nothing,
    /// It would end before it begins, or has ended already.
    Over,
    /// A cost on credits that are not paid ones, or that were not bought.
    CostOfUnpaid,
    /// Tax without a cost.
    TaxAlone,
    /// An amount above what can be stated.
    TooLarge,
    /// A source that only the ledger itself grants from.
    Source,
}

impl Refusal {
    /// Returns the stable code: `insufficient_credits`, `hold_expired` and so on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOpen => "not_open",
            Self::AlreadyOpen => "already_open",
            Self::UnknownPlan { .. } => "unknown_plan",
            Self::InsufficientCredits { .. } => "insufficient_credits",
            Self::HoldExists => "hold_exists",
            Self::UnknownHold => "unknown_hold",
            Self::HoldExpired => "hold_expired",
            Self::AlreadyCaptured { .. } => "already_captured",
            Self::AlreadyVoided { .. } => "already_voided",
            Self::HoldOpen => "hold_open",
            Self::AlreadyUncollected { .. } => "already_uncollected",
            Self::MoreThanHeld { .. } => "more_than_held",
            Self::HoldTimeout { .. } => "hold_timeout",
            Self::BadGrant(_) => "bad_grant",
            Self::TooManyOpen { .. } => "too_many_open",
            Self::Overflow => "overflow",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => f.write_str("the account is not open"),
            Self::AlreadyOpen => f.write_str("the account is open already, on another plan"),
            Self::UnknownPlan { plan } => write!(f, "plan {plan} is not in the price book now"),
            Self::InsufficientCredits { needed, available } => {
                write!(f, "{needed} credits needed, {available} available")
            }
            Self::HoldExists => f.write_str("a hold of this name is open with another price"),
            Self::UnknownHold => f.write_str("no hold of this name"),
            Self::HoldExpired => f.write_str("the hold has expired"),
            Self::AlreadyCaptured { amount } => write!(f, "the hold was captured with {amount} credits"),
            Self::AlreadyVoided { reason } => write!(f, "the hold was voided ({reason})"),
            Self::HoldOpen => f.write_str("the hold is still open"),
            Self::AlreadyUncollected { amount } => write!(f, "the loss was recorded as {amount} credits"),
            Self::MoreThanHeld { asked, held } => write!(f, "at most the {held} credits held, {asked} asked for"),
            Self::HoldTimeout { asked, max } => {
                write!(f, "a timeout of up to {} s needed, {} s found", max.as_secs(), asked.as_secs())
            }
            Self::BadGrant(error) => error.fmt(f),
            Self::TooManyOpen { what, max } => write!(f, "at most {max} open {what} in one wallet"),
            Self::Overflow => f.write_str("the wallet would hold more than can be stated"),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "a grant of more than 0 credits needed",
            Self::Over => "a grant that ends after it begins, and after now, needed",
            Self::CostOfUnpaid => "only a purchase of paid credits has a cost",
            Self::TaxAlone => "tax needs a cost",
            Self::TooLarge => "the grant is more than can be stated",
            Self::Source => "monthly and replacement lots are granted by the ledger itself",
        })
    }
}

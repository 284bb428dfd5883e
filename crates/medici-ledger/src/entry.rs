//! Entries: immutable facts about one wallet, with the postings that follow from them.
//!
//! Every entry sums to zero in each unit, is numbered densely within its account, and is chained to the one
//! before by its hash.

use crate::agreed::Overrides;
use crate::amount::{Cents, Credits, Money};
use crate::budget::{BudgetPeriod, Spender, Subject};
use crate::calendar::AnchorPolicy;
use crate::codec::{CodecError, Reader, Writer};
use crate::cohort::CohortName;
use crate::external_id::ExternalId;
use crate::give_back::{Capture, GiveBackReason};
use crate::hash::Hash;
use crate::hold::{Slice, VoidReason};
use crate::ids::{AccountId, HoldId, LotNumber, OrderId};
use crate::lot::{Class, Source};
use crate::order::{Order, Reversal};
use crate::plan::PlanName;
use crate::posting::Posting;
use crate::quote::{Meters, Quote};
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

/// The canonical bytes of entries, one after the other: what their hashes are of, without the hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bodies {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

/// What happened to a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The account was opened; `effective_at` is its anchor.
    Opened {
        /// On which plan.
        plan: PlanName,
        /// Whether it is a sandbox, whose clock is set by hand.
        sandbox: bool,
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
        /// Who spends.
        spender: Spender,
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
        /// Who spends.
        spender: Spender,
        /// The meter event it is for.
        event: Option<MeterEvent>,
    },
    /// A lot came to its end. What of it is held stays capturable.
    LotExpired {
        /// The lot.
        lot: LotNumber,
        /// What expired; nothing where all that was left is held.
        amount: Credits,
        /// What of it lives on in a new lot.
        rollover: Option<Replacement>,
    },
    /// Pictures were delivered without credits.
    Uncollected {
        /// The hold that had expired.
        hold: HoldId,
        /// What was not collected.
        amount: Credits,
    },
    /// Something was ordered, at a pinned price.
    OrderPlaced(Order),
    /// An order was given up before it was paid.
    OrderCancelled {
        /// Which.
        order: OrderId,
    },
    /// An order was granted, to be paid later.
    OrderInvoiced {
        /// Which.
        order: OrderId,
        /// Its lots: the one that was bought, then its bonus.
        lots: Vec<Grant>,
    },
    /// An order was paid, and granted if it was not before.
    OrderPaid {
        /// Which.
        order: OrderId,
        /// Its lots: the one that was bought, then its bonus. None where they were granted before.
        lots: Vec<Grant>,
    },
    /// A refund or a dispute became known, or went on.
    OrderReversed {
        /// Which order.
        order: OrderId,
        /// The refund or dispute as it stands now.
        reversal: Reversal,
    },
    /// Captured credits were given back, to the lots they came from.
    GivenBack {
        /// What had been captured.
        capture: Capture,
        /// What is given back, the last captured first.
        returned: Vec<Slice>,
        /// Why.
        reason: GiveBackReason,
        /// New lots for what had expired meanwhile, where the fault is the operator's.
        replacements: Vec<Replacement>,
    },
    /// An operator took back credits that were given for nothing.
    Withdrawn {
        /// Of which lot.
        lot: LotNumber,
        /// How many.
        amount: Credits,
    },
    /// The account is on another plan.
    PlanChanged {
        /// Which.
        plan: PlanName,
        /// Whether its months count from here on.
        new_anchor: bool,
        /// Which day of the month the anchor stands for.
        anchor_policy: AnchorPolicy,
        /// What of the period's free credits is taken back, so that the plans' credits do not add up.
        cut: Vec<Slice>,
    },
    /// The account belongs to a cohort and has its bonus.
    CohortJoined {
        /// Which.
        cohort: CohortName,
        /// The bonus; none for a cohort without one.
        bonus: Option<Grant>,
    },
    /// A budget was set, changed or removed.
    BudgetSet {
        /// Whose spending.
        subject: Subject,
        /// In how long.
        period: BudgetPeriod,
        /// How much at most; none removes the budget.
        limit: Option<Credits>,
    },
    /// The account has terms of its own, or has them no more.
    OverridesSet {
        /// The terms.
        overrides: Option<Overrides>,
    },
    /// Somebody wants to be told of a low balance, or not any more.
    AlertSet {
        /// What is available is low below this.
        below: Option<Credits>,
    },
    /// What is available fell below the bound.
    LowBalance {
        /// The bound.
        below: Credits,
        /// What is available.
        available: Credits,
    },
    /// An expiry is undone, because usage from before it became known.
    Reopened {
        /// The lot.
        lot: LotNumber,
        /// What had expired.
        amount: Credits,
    },
    /// A sandbox's clock was moved to this entry's instant.
    ClockSet,
}

/// What another service reported: which event, and how much of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterEvent {
    /// The service's name for the event. Counts once.
    pub id: ExternalId,
    /// Quantities by meter, as they were priced.
    pub quantities: Meters,
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

/// A lot for credits that expired and live on: as what was held and failed by the operator's fault, or as rollover.
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
    /// When the new lot ends: a week after the release, or as the plan says of rollover.
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
            Self::OrderPlaced(_) => "order_placed",
            Self::OrderCancelled { .. } => "order_cancelled",
            Self::OrderInvoiced { .. } => "order_invoiced",
            Self::OrderPaid { .. } => "order_paid",
            Self::OrderReversed { .. } => "order_reversed",
            Self::GivenBack { .. } => "given_back",
            Self::Withdrawn { .. } => "withdrawn",
            Self::PlanChanged { .. } => "plan_changed",
            Self::CohortJoined { .. } => "cohort_joined",
            Self::BudgetSet { .. } => "budget_set",
            Self::OverridesSet { .. } => "overrides_set",
            Self::AlertSet { .. } => "alert_set",
            Self::LowBalance { .. } => "low_balance",
            Self::Reopened { .. } => "reopened",
            Self::ClockSet => "clock_set",
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
            Self::GivenBack { capture, .. } => Some(capture.hold),
            Self::Opened { .. }
            | Self::Granted(_)
            | Self::LotExpired { .. }
            | Self::OrderPlaced(_)
            | Self::OrderCancelled { .. }
            | Self::OrderInvoiced { .. }
            | Self::OrderPaid { .. }
            | Self::OrderReversed { .. }
            | Self::Withdrawn { .. }
            | Self::PlanChanged { .. }
            | Self::CohortJoined { .. }
            | Self::BudgetSet { .. }
            | Self::OverridesSet { .. }
            | Self::AlertSet { .. }
            | Self::LowBalance { .. }
            | Self::Reopened { .. }
            | Self::ClockSet => None,
        }
    }

    /// Returns the order it speaks of.
    #[must_use]
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::OrderPlaced(order) => Some(order.id),
            Self::OrderCancelled { order }
            | Self::OrderInvoiced { order, .. }
            | Self::OrderPaid { order, .. }
            | Self::OrderReversed { order, .. } => Some(*order),
            _ => None,
        }
    }

    /// Returns the lots it grants, each with its class; replacements have the class of what they replace.
    pub fn grants(&self) -> &[Grant] {
        match self {
            Self::Granted(grant) => std::slice::from_ref(grant),
            Self::OrderInvoiced { lots, .. } | Self::OrderPaid { lots, .. } => lots,
            Self::CohortJoined { bonus, .. } => bonus.as_slice(),
            _ => &[],
        }
    }

    /// Returns the lots it makes of earlier ones.
    pub fn replacements(&self) -> &[Replacement] {
        match self {
            Self::Voided { replacements, .. } | Self::GivenBack { replacements, .. } => replacements,
            Self::LotExpired { rollover, .. } => rollover.as_slice(),
            _ => &[],
        }
    }
}

impl Bodies {
    /// Returns the bytes of each entry.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(from, to)| &self.bytes[from..*to])
    }

    pub(crate) fn make_room(&mut self, entries: usize) {
        self.bytes.reserve_exact(entries * BODY_BYTES_USUAL);
        self.ends.reserve_exact(entries);
    }

    /// Adds an entry and returns its bytes.
    pub(crate) fn push(&mut self, entry: &Entry) -> &[u8] {
        let from = self.bytes.len();
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(BODY_BYTES_USUAL);
        }
        let mut writer = Writer::after(std::mem::take(&mut self.bytes));
        writer.entry(entry);
        self.bytes = writer.into_bytes();
        self.ends.push(self.bytes.len());
        &self.bytes[from..]
    }

    /// Leaves the first `entries`.
    pub(crate) fn truncate(&mut self, entries: usize) {
        self.ends.truncate(entries);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// Room for most entries.
const BODY_BYTES_USUAL: usize = 256;

impl Entry {
    /// Returns the canonical bytes followed by the hash: what a store keeps.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(BODY_BYTES_USUAL + 32);
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
        let mut writer = Writer::with_capacity(BODY_BYTES_USUAL);
        writer.entry(self);
        Hash::chain(previous, writer.as_bytes())
    }

    /// Returns whether the postings sum to zero in each unit and none is zero.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        crate::posting::is_balanced(&self.postings)
    }
}

//! Commands: what can be asked of a wallet, and what it answers.

use std::time::Duration;

use crate::agreed::Overrides;
use crate::amount::{Cents, Credits, Money};
use crate::budget::{BudgetPeriod, Spender, Subject};
use crate::cohort::CohortName;
use crate::entry::{Entry, Fact, MeterEvent};
use crate::external_id::ExternalId;
use crate::give_back::{Capture, GiveBackReason};
use crate::hold::{Hold, Slice, VoidReason};
use crate::ids::{HoldId, LotNumber, OrderId};
use crate::lot::{Class, Source};
use crate::order::{Order, OrderRecord, Reversal};
use crate::plan::PlanName;
use crate::quote::Quote;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// What can be asked of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens the account on a plan; the instant is the anchor of its months for ever.
    ///
    /// Cohorts that take whoever comes now are joined in the same decision.
    Open {
        /// A plan of the price version in force.
        plan: PlanName,
        /// For a sandbox: what its clock says at first. Its time stands still until [`Command::SetClock`].
        sandbox: Option<Timestamp>,
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
        /// Who spends: whose budgets bound it.
        spender: Spender,
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
        /// Who spends: whose budgets bound it.
        spender: Spender,
        /// When the usage happened, for a report of it that may be late; now otherwise. Within the policy's grace
        /// the lots that were live then are used, and an expiry that is booked already is undone for it; what
        /// happened earlier, or lies ahead, counts as now. The quote is of [`Wallet::usage_instant`].
        happened_at: Option<Timestamp>,
        /// The meter event it is for.
        event: Option<MeterEvent>,
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
    /// Orders a pack, a period of the plan or a change of plan; see [`Wallet::order_of`]. Grants nothing yet. A
    /// repeat of the same order changes nothing.
    PlaceOrder(Order),
    /// Grants an order now, to be paid later; only where the policy allows invoices. A repeat changes nothing.
    InvoiceOrder {
        /// Which.
        order: OrderId,
    },
    /// Takes note of an order's payment, and grants it unless an invoice has. Never refused for what has changed
    /// since the order was placed: the money is there. A repeat changes nothing.
    PayOrder {
        /// Which.
        order: OrderId,
        /// What was received: what is due.
        amount: Money,
    },
    /// Gives up an order that was neither paid nor invoiced. A repeat changes nothing.
    CancelOrder {
        /// Which.
        order: OrderId,
    },
    /// Gives money back on the customer's wish: at most what unspent credits of the order stand for, which are
    /// withdrawn. A repeat with the same name and amount gives the stored answer.
    Refund {
        /// Of which order.
        order: OrderId,
        /// The refund's name.
        refund: ExternalId,
        /// How much, with tax; as much as can be if not said.
        amount: Option<Money>,
    },
    /// Takes note of money that the provider has taken back or given back: a refund, a dispute, its end. Reports
    /// may come in any order, before the payment's, and repeatedly. What is spent already is owed.
    Reverse {
        /// Of which order.
        order: OrderId,
        /// The refund or dispute as it stands.
        reversal: Reversal,
    },
    /// Gives captured credits back to the lots they came from, the last captured first. Has no name of its own: a
    /// repeat needs an idempotency key.
    GiveBack {
        /// What was captured, as the journal has it.
        capture: Capture,
        /// How much of it.
        amount: Credits,
        /// Why.
        reason: GiveBackReason,
    },
    /// Takes back credits that were given for nothing. Has no name of its own.
    Withdraw {
        /// Of which lot.
        lot: LotNumber,
        /// How many.
        amount: Credits,
    },
    /// Moves the account to a plan that costs nothing, within its months: credits become the new plan's less what
    /// was used in this period. Paid credits are never taken. Plans that cost something are ordered.
    ChangePlan {
        /// Which.
        plan: PlanName,
    },
    /// Adds the account to a cohort, which gives its bonus once.
    JoinCohort {
        /// Which.
        cohort: CohortName,
        /// Its code, where the customer joins; an operator's hand needs none.
        code: Option<Box<str>>,
    },
    /// Sets, changes or (without a limit) removes a budget.
    SetBudget {
        /// Whose spending.
        subject: Subject,
        /// In how long.
        period: BudgetPeriod,
        /// How much at most.
        limit: Option<Credits>,
    },
    /// Gives the account terms of its own, or takes them away.
    SetOverrides {
        /// The terms.
        overrides: Option<Overrides>,
    },
    /// Asks to be told when what is available falls below a bound, once each time; or not any more.
    SetAlert {
        /// The bound.
        below: Option<Credits>,
    },
    /// Moves a sandbox's clock forward. What becomes due on the way is booked, each thing at its own instant.
    SetClock {
        /// To when.
        to: Timestamp,
    },
}

impl Command {
    /// Holds for nobody in particular.
    #[must_use]
    pub const fn hold(hold: HoldId, quote: Quote, timeout: Duration) -> Self {
        Self::Hold { hold, quote, timeout, spender: Spender::NOBODY }
    }

    /// Charges for nobody in particular what happens now.
    #[must_use]
    pub const fn charge(charge: HoldId, quote: Quote) -> Self {
        Self::Charge { charge, quote, spender: Spender::NOBODY, happened_at: None, event: None }
    }

    /// Returns whether a fact is what this command itself books, rather than what time made true before it, or
    /// what follows from it.
    #[must_use]
    pub fn books(&self, fact: &Fact) -> bool {
        match self {
            Self::Open { .. } => matches!(fact, Fact::Opened { .. }),
            Self::Grant { .. } => matches!(fact, Fact::Granted(_)),
            Self::Hold { hold, .. } => matches!(fact, Fact::Held { hold: of, .. } if of == hold),
            Self::Extend { hold, .. } => matches!(fact, Fact::Extended { hold: of, .. } if of == hold),
            Self::Capture { hold, .. } => matches!(fact, Fact::Captured { hold: of, .. } if of == hold),
            Self::Void { hold, .. } => matches!(fact, Fact::Voided { hold: of, .. } if of == hold),
            Self::Charge { charge, .. } => matches!(fact, Fact::Charged { charge: of, .. } if of == charge),
            Self::Uncollected { hold, .. } => matches!(fact, Fact::Uncollected { hold: of, .. } if of == hold),
            Self::Settle => false,
            Self::PlaceOrder(order) => matches!(fact, Fact::OrderPlaced(of) if of.id == order.id),
            Self::InvoiceOrder { order } => matches!(fact, Fact::OrderInvoiced { order: of, .. } if of == order),
            Self::PayOrder { order, .. } => matches!(fact, Fact::OrderPaid { order: of, .. } if of == order),
            Self::CancelOrder { order } => matches!(fact, Fact::OrderCancelled { order: of } if of == order),
            Self::Refund { order, .. } | Self::Reverse { order, .. } => {
                matches!(fact, Fact::OrderReversed { order: of, .. } if of == order)
            }
            Self::GiveBack { capture, .. } => {
                matches!(fact, Fact::GivenBack { capture: of, .. } if of.hold == capture.hold)
            }
            Self::Withdraw { lot, .. } => matches!(fact, Fact::Withdrawn { lot: of, .. } if of == lot),
            Self::ChangePlan { plan } => matches!(fact, Fact::PlanChanged { plan: to, .. } if to == plan),
            Self::JoinCohort { cohort, .. } => matches!(fact, Fact::CohortJoined { cohort: of, .. } if of == cohort),
            Self::SetBudget { .. } => matches!(fact, Fact::BudgetSet { .. }),
            Self::SetOverrides { .. } => matches!(fact, Fact::OverridesSet { .. }),
            Self::SetAlert { .. } => matches!(fact, Fact::AlertSet { .. }),
            Self::SetClock { .. } => matches!(fact, Fact::ClockSet),
        }
    }

    /// Opens a live account.
    #[must_use]
    pub const fn open(plan: PlanName) -> Self {
        Self::Open { plan, sandbox: None }
    }
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
    /// The order as it stands now.
    Order(Box<OrderRecord>),
    /// Money goes back.
    Refunded {
        /// How much, with tax.
        amount: Money,
        /// The order as it stands now.
        order: Box<OrderRecord>,
    },
    /// Captured credits are back.
    GivenBack {
        /// Of which capture.
        hold: HoldId,
        /// How many this time.
        amount: Credits,
        /// How many in all.
        total: Credits,
    },
    /// Credits are withdrawn.
    Withdrawn,
    /// The account is on the plan.
    PlanChanged,
    /// The account is in the cohort; the lot of its bonus, if there is one.
    CohortJoined(Option<LotNumber>),
    /// It is set.
    Set,
    /// A sandbox's clock is set, and so many entries were due on the way.
    ClockSet {
        /// How many.
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

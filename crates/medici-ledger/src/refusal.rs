//! Refusals: why a wallet does not do what is asked of it, with the numbers that a message needs.

use std::fmt;
use std::time::Duration;

use crate::amount::{Credits, Money};
use crate::budget::{BudgetPeriod, Subject};
use crate::cohort::CohortName;
use crate::hold::VoidReason;
use crate::plan::PlanName;
use crate::time::Timestamp;

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
    /// A budget has no room for it.
    BudgetExceeded {
        /// Whose.
        subject: Subject,
        /// In how long.
        period: BudgetPeriod,
        /// How much at most.
        limit: Credits,
        /// What is used of it.
        used: Credits,
        /// What was asked for.
        needed: Credits,
    },
    /// The customer owes credits: only what costs nothing can be had.
    InDebt {
        /// How many.
        owed: Credits,
    },
    /// No order of that name.
    UnknownOrder,
    /// There is another order of that name, or it contradicts itself.
    BadOrder(OrderError),
    /// Another amount is due.
    AmountDiffers {
        /// What was received.
        found: Money,
        /// What is due.
        due: Money,
    },
    /// More money than unspent credits of the order stand for.
    RefundTooMuch {
        /// What was asked for.
        asked: Money,
        /// What can be given back.
        refundable: Money,
    },
    /// The reversal's name belongs to another refund or dispute.
    ReversalExists,
    /// More than was captured and not given back.
    MoreThanCaptured {
        /// What was asked for.
        asked: Credits,
        /// What is left.
        left: Credits,
    },
    /// No lot of that number that has so much, or one that money stands for or an order has granted.
    BadWithdrawal {
        /// What can be withdrawn of it.
        available: Credits,
    },
    /// A plan that costs something is ordered and paid.
    PlanCosts,
    /// No such cohort in the price version in force.
    UnknownCohort {
        /// The cohort asked for.
        cohort: CohortName,
    },
    /// The cohort needs another code.
    WrongCode,
    /// The account has joined the cohort before.
    CohortJoined,
    /// The account is a live one: its time is everybody's.
    NotSandbox,
    /// A sandbox's clock goes forward, and not so far at once.
    ClockRange {
        /// What it says.
        clock: Timestamp,
        /// What was asked for.
        asked: Timestamp,
    },
}

/// What is wrong with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderError {
    /// Another order has its name.
    Exists,
    /// It grants no credits.
    Nothing,
    /// A plan without a price is not ordered; it is changed to.
    NoPrice,
    /// The plan is no better than what the account has in this period.
    NoUpgrade,
    /// The prices of the two plans have different currencies.
    Currency,
    /// Orders are not sold on invoice.
    NoInvoice,
    /// It was cancelled.
    Cancelled,
    /// It was paid or invoiced.
    Granted,
    /// Money was received for it already.
    Paid,
    /// It was not granted.
    NotGranted,
    /// It is disputed: the bank decides about the money.
    Disputed,
    /// It has too many refunds and disputes.
    TooMany,
    /// An amount above what can be stated.
    TooLarge,
    /// A bonus with anything but packs.
    Bonus,
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
            Self::BudgetExceeded { .. } => "budget_exceeded",
            Self::InDebt { .. } => "in_debt",
            Self::UnknownOrder => "unknown_order",
            Self::BadOrder(error) => error.code(),
            Self::AmountDiffers { .. } => "amount_differs",
            Self::RefundTooMuch { .. } => "refund_too_much",
            Self::ReversalExists => "reversal_exists",
            Self::MoreThanCaptured { .. } => "more_than_captured",
            Self::BadWithdrawal { .. } => "bad_withdrawal",
            Self::PlanCosts => "plan_costs",
            Self::UnknownCohort { .. } => "unknown_cohort",
            Self::WrongCode => "wrong_code",
            Self::CohortJoined => "cohort_joined",
            Self::NotSandbox => "not_sandbox",
            Self::ClockRange { .. } => "clock_range",
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
            Self::BudgetExceeded { subject, period, limit, used, needed } => {
                write!(f, "{needed} credits needed, {used} of the {limit} of the budget ({subject}, {period}) are used")
            }
            Self::InDebt { owed } => write!(f, "{owed} credits are owed, because their payment was taken back"),
            Self::UnknownOrder => f.write_str("no order of this name"),
            Self::BadOrder(error) => error.fmt(f),
            Self::AmountDiffers { found, due } => write!(f, "{due} is due, {found} found"),
            Self::RefundTooMuch { asked, refundable } => {
                write!(f, "at most {refundable} can be refunded, {asked} asked for")
            }
            Self::ReversalExists => f.write_str("another refund or dispute has this name"),
            Self::MoreThanCaptured { asked, left } => {
                write!(f, "at most {left} credits of the capture can be given back, {asked} asked for")
            }
            Self::BadWithdrawal { available } => {
                write!(f, "at most {available} credits can be withdrawn of this lot, and only unpaid ones")
            }
            Self::PlanCosts => f.write_str("the plan costs money: it is ordered, and begins when the order is paid"),
            Self::UnknownCohort { cohort } => write!(f, "cohort {cohort} is not in the price book now"),
            Self::WrongCode => f.write_str("the cohort has another code"),
            Self::CohortJoined => f.write_str("the account has joined this cohort before"),
            Self::NotSandbox => f.write_str("only a sandbox account has a clock of its own"),
            Self::ClockRange { clock, asked } => {
                write!(f, "a clock at {clock} moves forward, by up to ten years at once, {asked} asked for")
            }
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

impl OrderError {
    /// Returns the stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Exists => "order_exists",
            Self::Nothing => "order_of_nothing",
            Self::NoPrice => "order_without_price",
            Self::NoUpgrade => "no_upgrade",
            Self::Currency => "other_currency",
            Self::NoInvoice => "no_invoice",
            Self::Cancelled => "order_cancelled",
            Self::Granted => "order_granted",
            Self::Paid => "order_paid",
            Self::NotGranted => "order_not_granted",
            Self::Disputed => "order_disputed",
            Self::TooMany => "too_many_reversals",
            Self::TooLarge => "order_too_large",
            Self::Bonus => "order_bonus",
        }
    }
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exists => "another order has this name",
            Self::Nothing => "an order of more than 0 credits needed",
            Self::NoPrice => "a plan without a price is changed to, not ordered",
            Self::NoUpgrade => "the plan gives no more than the account has had in this period",
            Self::Currency => "the plans' prices are in different currencies",
            Self::NoInvoice => "nothing is sold on invoice here",
            Self::Cancelled => "the order was cancelled",
            Self::Granted => "the order was granted",
            Self::Paid => "the order was paid",
            Self::NotGranted => "the order was not granted",
            Self::Disputed => "the order is disputed: the bank decides about its money",
            Self::TooMany => "the order has too many refunds and disputes",
            Self::TooLarge => "the order is more than can be stated",
            Self::Bonus => "only packs come with a bonus",
        })
    }
}

//! Histories: what happens to one wallet, as data that can be cut down and written out.

use std::fmt;
use std::time::Duration;

use medici_ledger::{BudgetPeriod, Class, GiveBackReason, HoldId, ReversalState, Source, Timestamp, VoidReason};

use crate::world::credits;

/// One step: an instant, what is asked then, and another instant for which the balance is asked.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) at: i64,
    pub(crate) look_at: i64,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Open {
        plan: &'static str,
        sandbox: Option<i64>,
    },
    Grant(GrantStep),
    Hold {
        id: u32,
        operation: &'static str,
        count: u32,
        timeout: i64,
        spender: u8,
    },
    Extend {
        id: u32,
        timeout: i64,
    },
    Capture {
        id: u32,
        amount: i64,
    },
    Void {
        id: u32,
        reason: VoidReason,
    },
    Charge {
        id: u32,
        operation: &'static str,
        count: u32,
        spender: u8,
        happened_at: Option<i64>,
    },
    Uncollected {
        id: u32,
        amount: i64,
    },
    Settle,
    Place {
        order: u32,
        wish: WishStep,
        tax: i64,
        twist: Twist,
    },
    Invoice {
        order: u32,
    },
    /// Pays what is due and so much more.
    Pay {
        order: u32,
        more: i64,
    },
    Cancel {
        order: u32,
    },
    Refund {
        order: u32,
        name: u32,
        amount: Option<i64>,
    },
    Reverse {
        order: u32,
        name: u32,
        state: ReversalState,
        amount: i64,
    },
    GiveBack {
        id: u32,
        amount: i64,
        reason: GiveBackReason,
    },
    Withdraw {
        lot: u32,
        amount: i64,
    },
    ChangePlan {
        plan: &'static str,
    },
    Join {
        cohort: &'static str,
        code: Option<&'static str>,
    },
    SetBudget {
        subject: u8,
        period: BudgetPeriod,
        limit: Option<i64>,
    },
    /// Terms of its own, with or without monthly credits.
    SetOverrides {
        monthly: Option<Option<i64>>,
    },
    SetAlert {
        below: Option<i64>,
    },
    SetClock {
        to: i64,
    },
}

/// What is ordered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WishStep {
    Packs { pack: usize, packs: u32 },
    Period,
    Change { plan: &'static str, full: bool },
}

/// What is wrong with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twist {
    Right,
    NoCredits,
    Bonus,
    /// Another tax than before, where the order is there already.
    OtherTax,
}

#[derive(Clone, Debug)]
pub(crate) struct GrantStep {
    pub(crate) class: Class,
    pub(crate) amount: i64,
    pub(crate) cost: Option<(i64, &'static str)>,
    pub(crate) tax: i64,
    pub(crate) from: i64,
    pub(crate) until: Option<i64>,
    pub(crate) priority: i8,
    pub(crate) source: Source,
}

impl Step {
    /// The hold that the step names.
    pub(crate) fn hold(&self) -> Option<HoldId> {
        match &self.action {
            Action::Hold { id, .. }
            | Action::Extend { id, .. }
            | Action::Capture { id, .. }
            | Action::Void { id, .. }
            | Action::Charge { id, .. }
            | Action::Uncollected { id, .. } => Some(HoldId::from_u128(u128::from(*id))),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    /// Writes the step as a line to read; the balance is asked for at the instant in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}   [{}]", Timestamp::from_micros(self.at), self.action, Timestamp::from_micros(self.look_at))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = Timestamp::from_micros;
        let span = |micros: i64| format!("{:?}", Duration::from_micros(micros.unsigned_abs()));
        match self {
            Self::Open { plan, sandbox } => {
                write!(f, "open {plan}")?;
                sandbox.map_or(Ok(()), |at| write!(f, " sandbox at {}", instant(at)))
            }
            Self::Grant(grant) => grant.fmt(f),
            Self::Hold { id, operation, count, timeout, spender } => {
                write!(f, "hold {id} {operation} x{count} for {} by {spender}", span(*timeout))
            }
            Self::Extend { id, timeout } => write!(f, "extend {id} for {}", span(*timeout)),
            Self::Capture { id, amount } => write!(f, "capture {id} {}", credits(*amount)),
            Self::Void { id, reason } => write!(f, "void {id} {reason}"),
            Self::Charge { id, operation, count, spender, happened_at } => {
                write!(f, "charge {id} {operation} x{count} by {spender}")?;
                happened_at.map_or(Ok(()), |at| write!(f, " happened {}", instant(at)))
            }
            Self::Uncollected { id, amount } => write!(f, "uncollected {id} {}", credits(*amount)),
            Self::Settle => write!(f, "settle"),
            Self::Place { order, wish, tax, twist } => write!(f, "order {order} {wish:?} tax {tax} {twist:?}"),
            Self::Invoice { order } => write!(f, "invoice {order}"),
            Self::Pay { order, more } => write!(f, "pay {order} what is due and {more}"),
            Self::Cancel { order } => write!(f, "cancel {order}"),
            Self::Refund { order, name, amount } => write!(f, "refund re_{name} of {order} {amount:?}"),
            Self::Reverse { order, name, state, amount } => {
                write!(f, "reverse re_{name} of {order} {} {amount}", state.as_str())
            }
            Self::GiveBack { id, amount, reason } => write!(f, "give back {id} {} {reason}", credits(*amount)),
            Self::Withdraw { lot, amount } => write!(f, "withdraw lot {lot} {}", credits(*amount)),
            Self::ChangePlan { plan } => write!(f, "change to {plan}"),
            Self::Join { cohort, code } => write!(f, "join {cohort} {code:?}"),
            Self::SetBudget { subject, period, limit } => {
                write!(f, "budget of {subject} by {period} {:?}", limit.map(credits))
            }
            Self::SetOverrides { monthly } => write!(f, "overrides {monthly:?}"),
            Self::SetAlert { below } => write!(f, "alert below {:?}", below.map(credits)),
            Self::SetClock { to } => write!(f, "clock to {}", instant(*to)),
        }
    }
}

impl fmt::Display for GrantStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = Timestamp::from_micros;
        write!(f, "grant {} {} from {}", self.class, credits(self.amount), instant(self.from))?;
        if let Some(until) = self.until {
            write!(f, " until {}", instant(until))?;
        }
        if let Some((minor, currency)) = self.cost {
            write!(f, " cost {minor} {currency} minor, tax {}", self.tax)?;
        }
        write!(f, " priority {} {:?}", self.priority, self.source)
    }
}

//! Orders: what an account buys, and what becomes of the money.
//!
//! An order is placed, then paid or put on an invoice, which grants its lots. Money that goes back is a list of
//! reversals, each by its own name: a refund or a dispute. What counts is the sum of those that stand, so that
//! reports of them may come in any order and any number of times.

use crate::amount::{Cents, Credits, Money};
use crate::calendar::Months;
use crate::external_id::ExternalId;
use crate::ids::{LotNumber, OrderId};
use crate::plan::PlanName;
use crate::time::Timestamp;

/// How many reversals one order has at most.
pub const REVERSALS_MAX: usize = 1_000;
/// How many orders of one wallet wait for their payment at most.
pub const PLACED_ORDERS_MAX: usize = 100;

/// What is bought, at a price that is pinned when the order is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its name.
    pub id: OrderId,
    /// What.
    pub item: Item,
    /// The credits it grants; more than zero: a plan that gives none cannot be ordered.
    pub credits: Credits,
    /// Promotional credits that come along and share the fate of the purchase.
    pub bonus: Credits,
    /// The price, without tax.
    pub cost: Money,
    /// The tax on top, in the same currency.
    pub tax: Cents,
}

/// What an order is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A number of packs, whose credits live so long.
    Packs {
        /// How many.
        packs: u32,
        /// How long the credits live after they are granted.
        expires: Months,
    },
    /// The first period of the account's plan that is not paid for.
    Period,
    /// Another plan, from the payment on.
    PlanChange {
        /// Which.
        plan: PlanName,
        /// At which price.
        mode: PlanChangeMode,
    },
}

/// How a paid change of plan is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PlanChangeMode {
    /// For the rest of the period: the anchor stays, credits become the new plan's less what was used.
    Prorated,
    /// For a whole period that begins with the payment: a new anchor.
    FullPrice,
}

/// Money that goes back to whoever paid, or is claimed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// The provider's name for it, or ours for a refund that we decide on.
    pub id: ExternalId,
    /// What it is and how it stands.
    pub state: ReversalState,
    /// How much, with tax.
    pub amount: Cents,
}

/// How a refund or a dispute stands. A later state in this order wins over an earlier one, whatever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ReversalState {
    /// A refund: the money is on its way back.
    Refunded,
    /// A refund that did not arrive: the money came back to us.
    RefundFailed,
    /// A dispute that is open: the provider has taken the money.
    Disputed,
    /// A dispute that was lost: the money is gone.
    Lost,
    /// A dispute that was won: the money came back to us.
    Won,
}

impl ReversalState {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Refunded, Self::RefundFailed, Self::Disputed, Self::Lost, Self::Won];

    /// Returns the name: `refunded`, `refund_failed`, `disputed`, `lost`, `won`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refunded => "refunded",
            Self::RefundFailed => "refund_failed",
            Self::Disputed => "disputed",
            Self::Lost => "lost",
            Self::Won => "won",
        }
    }

    /// Returns whether the money is not with us.
    #[must_use]
    pub const fn takes(self) -> bool {
        matches!(self, Self::Refunded | Self::Disputed | Self::Lost)
    }

    /// Returns whether it is about a refund, not a dispute.
    #[must_use]
    pub const fn is_refund(self) -> bool {
        matches!(self, Self::Refunded | Self::RefundFailed)
    }
}

/// Whether an order was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PaymentState {
    /// Neither paid nor granted.
    Placed,
    /// Given up before it was paid.
    Cancelled,
    /// Granted, and owed by the customer.
    Invoiced,
    /// Paid.
    Paid,
}

/// An order as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// What was ordered.
    pub order: Order,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Whether it was paid.
    pub payment: PaymentState,
    /// The lot it granted.
    pub lot: Option<LotNumber>,
    /// The lot of its bonus.
    pub bonus_lot: Option<LotNumber>,
    /// Refunds and disputes, in the order in which they became known.
    pub reversals: Vec<Reversal>,
    /// What is reversed on the books, with tax; nothing before the order is granted.
    pub reversed: Cents,
    /// Credits of its lot that were withdrawn because their money went back.
    pub withdrawn: Credits,
    /// The money that left deferred for credits that were withdrawn.
    pub returned: Cents,
    /// Credits that were spent though their money went back: what the customer owes, repaid or not.
    pub owed: Credits,
    /// Which lots repaid how much of it, in order.
    pub repayments: Vec<(LotNumber, Credits)>,
}

/// What became of an order, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// It waits for its payment.
    Placed,
    /// It was given up.
    Cancelled,
    /// It is granted and not paid.
    Invoiced,
    /// It is paid.
    Paid,
    /// A part of the money went back.
    PartlyRefunded,
    /// All of the money went back.
    Refunded,
    /// The payer's bank has taken money back and has not decided.
    Disputed,
    /// A dispute was won, and no money is gone.
    Won,
    /// A dispute was lost.
    Lost,
}

impl OrderStatus {
    /// Returns the name: `placed`, `partly_refunded` and so on.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Cancelled => "cancelled",
            Self::Invoiced => "invoiced",
            Self::Paid => "paid",
            Self::PartlyRefunded => "partly_refunded",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

impl Order {
    /// Returns the price with tax.
    #[must_use]
    pub fn total(&self) -> Money {
        let total = self.cost.amount.checked_add(self.tax).expect("an order's total can be stated");
        Money::new(total, self.cost.currency)
    }

    /// Returns the part of a reversed amount that is not tax: `floor(cost × amount ÷ total)`.
    ///
    /// Shares of tax telescope as those of cost do: reversing all in parts gives all of both.
    #[must_use]
    pub fn net_of(&self, reversed: Cents) -> Cents {
        let total = self.total().amount.minor();
        if total == 0 {
            return Cents::ZERO;
        }
        let net = i128::from(self.cost.amount.minor()) * i128::from(reversed.minor()) / i128::from(total);
        Cents::from_minor(i64::try_from(net).expect("a share never exceeds the cost")).expect("it is at least zero")
    }

    /// Returns the credits that a reversed amount stands for, rounded down to micro-credits.
    pub(crate) fn credits_of(&self, reversed: Cents) -> i64 {
        let cost = self.cost.amount.minor();
        if cost == 0 {
            return 0;
        }
        let net = i128::from(self.net_of(reversed).minor());
        i64::try_from(i128::from(self.credits.micro()) * net / i128::from(cost)).expect("a share of the credits")
    }
}

impl OrderRecord {
    pub(crate) fn new(order: Order, placed_at: Timestamp) -> Self {
        Self {
            order,
            placed_at,
            payment: PaymentState::Placed,
            lot: None,
            bonus_lot: None,
            reversals: Vec::new(),
            reversed: Cents::ZERO,
            withdrawn: Credits::ZERO,
            returned: Cents::ZERO,
            owed: Credits::ZERO,
            repayments: Vec::new(),
        }
    }

    /// Returns what of the money is to be reversed in all: the reversals that stand, at most the total.
    #[must_use]
    pub fn target(&self) -> Cents {
        let standing = self.reversals.iter().filter(|reversal| reversal.state.takes());
        let sum: i128 = standing.map(|reversal| i128::from(reversal.amount.minor())).sum();
        let most = self.order.total().amount;
        i64::try_from(sum).ok().and_then(Cents::from_minor).map_or(most, |sum| sum.min(most))
    }

    /// Returns what is to be paid: the total less what is reversed already, and nothing once it is paid.
    #[must_use]
    pub fn due(&self) -> Money {
        let total = self.order.total();
        let due = match self.payment {
            PaymentState::Placed | PaymentState::Cancelled | PaymentState::Invoiced => {
                total.amount.checked_sub(self.reversed).expect("at most the total is reversed")
            }
            PaymentState::Paid => Cents::ZERO,
        };
        Money::new(due, total.currency)
    }

    /// Returns what became of the order.
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        let any = |state| self.reversals.iter().any(|reversal| reversal.state == state);
        let target = self.target();
        match self.payment {
            PaymentState::Placed => return OrderStatus::Placed,
            PaymentState::Cancelled => return OrderStatus::Cancelled,
            PaymentState::Invoiced | PaymentState::Paid => {}
        }
        if any(ReversalState::Disputed) {
            OrderStatus::Disputed
        } else if any(ReversalState::Lost) {
            OrderStatus::Lost
        } else if !target.is_zero() && target == self.order.total().amount {
            OrderStatus::Refunded
        } else if !target.is_zero() {
            OrderStatus::PartlyRefunded
        } else if any(ReversalState::Won) {
            OrderStatus::Won
        } else if self.payment == PaymentState::Invoiced {
            OrderStatus::Invoiced
        } else {
            OrderStatus::Paid
        }
    }

    /// Returns the credits that are owed and not repaid.
    #[must_use]
    pub fn outstanding(&self) -> Credits {
        self.owed.checked_sub(self.repaid()).expect("at most what is owed is repaid")
    }

    /// Returns the credits that were repaid of what is owed.
    #[must_use]
    pub fn repaid(&self) -> Credits {
        let micro = self.repayments.iter().map(|(_, amount)| amount.micro()).sum();
        Credits::from_micro(micro).expect("repayments are not negative")
    }

    /// Returns the customer's debt in money: the reversed money that no withdrawn credits stand for, as far as its
    /// credits are not repaid.
    #[must_use]
    pub fn debt(&self) -> Cents {
        if self.owed.is_zero() {
            return Cents::ZERO;
        }
        let lost = (self.order.net_of(self.reversed).minor() - self.returned.minor()).max(0);
        let debt = i128::from(lost) * i128::from(self.outstanding().micro()) / i128::from(self.owed.micro());
        Cents::from_minor(i64::try_from(debt).expect("a share of the loss")).expect("it is at least zero")
    }

    /// Takes note of a reversal as it is reported now. Returns whether that is news.
    pub(crate) fn merge(&mut self, reversal: &Reversal) -> bool {
        let Some(known) = self.reversals.iter_mut().find(|known| known.id == reversal.id) else {
            self.reversals.push(reversal.clone());
            return true;
        };
        let news = (reversal.state, reversal.amount) > (known.state, known.amount);
        if news {
            (known.state, known.amount) = (reversal.state, reversal.amount);
        }
        news
    }

    pub(crate) fn is_granted(&self) -> bool {
        self.lot.is_some()
    }
}

//! Giving captured credits back: what was captured, and why it is given back.

use crate::amount::Credits;
use crate::budget::Spender;
use crate::hold::Slice;
use crate::ids::HoldId;
use crate::operation::Operation;
use crate::time::Timestamp;

/// A capture or a charge, as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The hold or charge.
    pub hold: HoldId,
    /// What was bought.
    pub operation: Operation,
    /// What was captured, in the order it was.
    pub slices: Vec<Slice>,
    /// Who spent.
    pub spender: Spender,
    /// When it was admitted, which is the window of the budgets that counted it.
    pub admitted_at: Timestamp,
}

impl Capture {
    /// Returns what was captured in all.
    #[must_use]
    pub fn amount(&self) -> Credits {
        let micro = self.slices.iter().map(|slice| slice.amount.micro()).sum();
        Credits::from_micro(micro).expect("slices are not negative")
    }

    /// Returns the slices of the next `amount` to give back after `given`: the last captured first.
    pub(crate) fn backwards(&self, given: i64, amount: i64) -> Vec<Slice> {
        let (mut skip, mut left) = (given, amount);
        let mut slices = Vec::new();
        for slice in self.slices.iter().rev() {
            let skipped = slice.amount.micro().min(skip);
            skip -= skipped;
            let taken = (slice.amount.micro() - skipped).min(left);
            left -= taken;
            if taken > 0 {
                let amount = Credits::from_micro(taken).expect("more than zero is taken");
                slices.push(Slice { lot: slice.lot, amount });
            }
        }
        slices
    }
}

/// Why captured credits are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum GiveBackReason {
    /// The operator failed the customer: what has expired meanwhile is replaced by a lot that lives a week.
    ServiceFault,
    /// The operator is kind: what has expired meanwhile is gone.
    Goodwill,
}

impl GiveBackReason {
    /// All reasons.
    pub const ALL: [Self; 2] = [Self::ServiceFault, Self::Goodwill];

    /// Returns the name: `service_fault`, `goodwill`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceFault => "service_fault",
            Self::Goodwill => "goodwill",
        }
    }
}

impl std::fmt::Display for GiveBackReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

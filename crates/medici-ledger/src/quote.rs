//! Quotes: the price fixed for one request, pinned on its hold.

use crate::amount::Credits;
use crate::operation::Operation;
use crate::time::Timestamp;

/// What a request asks to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The operation.
    pub operation: Operation,
    /// How many pictures are asked for; 1 for operations that make none. At least 1.
    pub count: u32,
}

/// What one price covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChargeMode {
    /// All or nothing: the price covers `included` pictures, each further batch begun costs one more, and
    /// fewer pictures than asked for cost nothing.
    #[default]
    PerOperation,
    /// The price is of one picture; what was delivered is captured.
    PerImage,
}

/// The price of one request under one version of the price book.
///
/// A later version changes neither the hold that carries it nor its capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The effective instant of the price version, which names it.
    pub version: Timestamp,
    /// What is bought.
    pub operation: Operation,
    /// How many pictures were asked for.
    pub count: u32,
    /// The price of one operation, or of one picture.
    pub unit: Credits,
    /// How many pictures one price covers.
    pub included: u32,
    /// What one price covers.
    pub charge: ChargeMode,
    /// What is held for the request.
    pub amount: Credits,
}

impl Quote {
    /// Returns what is captured when `delivered` pictures are durable, or `None` where the hold is voided.
    ///
    /// Per operation, fewer pictures than asked for are a shortfall: the hold is voided and the pictures are
    /// kept. Per picture, each delivered one is captured, and none delivered is a shortfall too. More pictures
    /// than asked for never cost more than was held.
    #[must_use]
    pub fn for_delivered(&self, delivered: u32) -> Option<Credits> {
        match self.charge {
            ChargeMode::PerOperation => (delivered >= self.count).then_some(self.amount),
            ChargeMode::PerImage if delivered == 0 => None,
            ChargeMode::PerImage => self.unit.checked_mul(delivered.min(self.count)),
        }
    }
}

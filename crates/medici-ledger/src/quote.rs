//! Quotes: the price fixed for one request, pinned on its hold.

use std::fmt;
use std::sync::Arc;

use crate::amount::Credits;
use crate::operation::Operation;
use crate::price_rule::MeterName;
use crate::time::Timestamp;

/// Quantities by meter. Shared, because a report of usage is priced from them and kept with them.
pub type Meters = Arc<[(MeterName, u64)]>;

/// What a request asks to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The operation.
    pub operation: Operation,
    /// How many pictures are asked for; 1 for operations that make none. At least 1.
    pub count: u32,
    /// The model that is asked for.
    pub model: Option<Box<str>>,
    /// How wide each picture is; 0 where none is made.
    pub width: u32,
    /// How high each picture is; 0 where none is made.
    pub height: u32,
    /// The quality that is asked for.
    pub quality: Option<Box<str>>,
    /// How many steps each picture takes.
    pub steps: Option<u32>,
    /// What another service counted.
    pub meters: Meters,
}

impl Usage {
    /// Returns the usage of `count` pictures of which nothing else is known.
    #[must_use]
    pub fn of(operation: Operation, count: u32) -> Self {
        let (model, quality, steps, meters) = (None, None, None, Meters::default());
        Self { operation, count, model, width: 0, height: 0, quality, steps, meters }
    }

    /// Returns the pixels of one picture; 0 where none is made.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Why a request has no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuoteError {
    /// The version in force has no price for the operation.
    NoPrice {
        /// The operation.
        operation: Operation,
    },
    /// No picture was asked for.
    NothingAsked,
    /// The amount is above what can be stated.
    TooMany {
        /// How many pictures were asked for.
        count: u32,
    },
    /// The price is by the megapixel, and the request has no size.
    NoSize {
        /// The operation.
        operation: Operation,
    },
    /// The price is by meters, and has none for one of the request's.
    NoMeter {
        /// The operation.
        operation: Operation,
        /// The meter.
        meter: MeterName,
    },
}

impl fmt::Display for QuoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrice { operation } => write!(f, "{operation} has no price now"),
            Self::NothingAsked => f.write_str("at least 1 picture needed, 0 asked for"),
            Self::TooMany { count } => write!(f, "the price of {count} pictures cannot be stated"),
            Self::NoSize { operation } => write!(f, "{operation} is priced by the megapixel, and no size was given"),
            Self::NoMeter { operation, meter } => write!(f, "{operation} has no price for {meter} now"),
        }
    }
}

impl std::error::Error for QuoteError {}

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
    /// Which rule of the operation's price it is: 0 for the operation's own.
    pub rule: u16,
    /// What the request costs besides its pictures; captured as soon as one of them is delivered.
    pub base: Credits,
}

impl Quote {
    /// Returns what is captured when `delivered` pictures are durable, or `None` where the hold is voided.
    ///
    /// Per operation, fewer pictures than asked for are a shortfall: the hold is voided and the pictures are
    /// kept. Per picture, the base and each delivered one are captured, and none delivered is a shortfall too.
    /// More pictures than asked for never cost more than was held.
    #[must_use]
    pub fn for_delivered(&self, delivered: u32) -> Option<Credits> {
        match self.charge {
            ChargeMode::PerOperation => (delivered >= self.count).then_some(self.amount),
            ChargeMode::PerImage if delivered == 0 => None,
            ChargeMode::PerImage => {
                let pictures = self.unit.checked_mul(delivered.min(self.count))?;
                // A picture's own price may be rounded up, what was held was rounded up once for all of them.
                Some(pictures.checked_add(self.base)?.min(self.amount))
            }
        }
    }
}

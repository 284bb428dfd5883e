//! Price rules: what an operation costs, and what it costs under conditions.

use std::collections::BTreeMap;

use crate::amount::Credits;
use crate::name::{OfMeter, ShortName};
use crate::quote::ChargeMode;

/// The name of something that another service counts: `input`, `output`.
pub type MeterName = ShortName<OfMeter>;

/// What a request costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What a request costs, however many pictures it makes.
    pub base: Credits,
    /// What one operation costs, or one picture where `charge` says so.
    pub credits: Credits,
    /// How many pictures one operation covers; at least 1.
    pub included: u32,
    /// What one price covers.
    pub charge: ChargeMode,
    /// What a million pixels cost, of each picture.
    pub per_megapixel: Credits,
    /// What a thousand of each meter cost.
    pub per_1k: BTreeMap<MeterName, Credits>,
}

/// Which requests a rule is about: those of which everything that is given here is true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The model's name.
    pub model: Option<Box<str>>,
    /// The quality's name.
    pub quality: Option<Box<str>>,
    /// The width and height of a picture.
    pub size: Option<(u32, u32)>,
    /// The most pixels of a picture.
    pub pixels_max: Option<u64>,
    /// The most steps.
    pub steps_max: Option<u32>,
    /// The most pictures.
    pub count_max: Option<u32>,
}

/// What an operation costs under conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRule {
    /// The conditions.
    pub when: Conditions,
    /// The price.
    pub rate: Rate,
}

/// The price of one operation: the first rule that matches, or the operation's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationPrice {
    /// The operation's own price, called rule 0.
    pub rate: Rate,
    /// The rules, from 1.
    pub rules: Vec<PriceRule>,
}

impl Rate {
    /// Returns the price of `credits` an operation, which covers `included` pictures.
    #[must_use]
    pub const fn per_operation(credits: Credits, included: u32) -> Self {
        let charge = ChargeMode::PerOperation;
        let (base, per_megapixel) = (Credits::ZERO, Credits::ZERO);
        Self { base, credits, included, charge, per_megapixel, per_1k: BTreeMap::new() }
    }

    /// Returns the price of `credits` a picture.
    #[must_use]
    pub fn per_image(credits: Credits) -> Self {
        Self { charge: ChargeMode::PerImage, ..Self::per_operation(credits, 1) }
    }
}

impl From<Rate> for OperationPrice {
    fn from(rate: Rate) -> Self {
        Self { rate, rules: Vec::new() }
    }
}

impl OperationPrice {
    /// Returns the price of `credits` an operation, which covers `included` pictures.
    #[must_use]
    pub fn per_operation(credits: Credits, included: u32) -> Self {
        Rate::per_operation(credits, included).into()
    }
}

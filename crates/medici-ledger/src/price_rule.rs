//! Price rules: what an operation costs, and what it costs under conditions.

use std::collections::BTreeMap;
use std::fmt;

use crate::amount::{AMOUNT_MAX, Credits};
use crate::name::{OfMeter, ShortName};
use crate::quote::{ChargeMode, QuoteError, Usage};

/// The most rules that an operation's price has.
pub const RULES_MAX: usize = 100;

const PIXELS_PER_MEGAPIXEL: i128 = 1_000_000;
const METERED_PER_PRICE: i128 = 1_000;

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
///
/// What a request does not say fulfils no condition.
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
    /// The rules, from 1 to [`RULES_MAX`].
    pub rules: Vec<PriceRule>,
}

/// What a request comes to under a rate.
pub(crate) struct Priced {
    /// What it costs besides its pictures.
    pub(crate) base: Credits,
    /// The price of one operation, or of one picture.
    pub(crate) unit: Credits,
    /// All of it.
    pub(crate) amount: Credits,
}

/// An amount in millionths of a micro-credit: pixels and meters have prices that micro-credits cannot state.
#[derive(Clone, Copy)]
struct Exact(i128);

impl Exact {
    const PER_MICRO: i128 = 1_000_000;

    fn of(credits: Credits, times: u32) -> Self {
        Self(i128::from(credits.micro()) * Self::PER_MICRO * i128::from(times))
    }

    /// The sum, or `None` far above what can be stated.
    fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    fn rounded_up(self) -> Option<Credits> {
        // No part of a price is negative, and nearly all are small: a division of 128 bits takes as long as the rest.
        let micro = match u64::try_from(self.0) {
            Ok(exact) => i128::from(exact.div_ceil(Self::PER_MICRO as u64)),
            Err(_) => self.0.checked_add(Self::PER_MICRO - 1)? / Self::PER_MICRO,
        };
        i64::try_from(micro).ok().filter(|micro| *micro <= AMOUNT_MAX).and_then(Credits::from_micro)
    }
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

    /// Returns whether nothing that could be asked for costs anything.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.amounts().all(|(_, credits)| credits.is_zero())
    }

    /// Returns every amount of the rate with its name.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = (String, Credits)> {
        let fixed = [("base", self.base), ("credits", self.credits), ("per_megapixel", self.per_megapixel)];
        let meters = self.per_1k.iter().map(|(meter, credits)| (format!("per_1k {meter}"), *credits));
        fixed.into_iter().map(|(name, credits)| (name.to_owned(), credits)).chain(meters)
    }

    /// Returns what a request comes to. Its sum is rounded up once, to a micro-credit.
    ///
    /// The unit of a price by picture is rounded up by itself, because a picture can be all that is delivered.
    pub(crate) fn price(&self, usage: &Usage) -> Result<Priced, QuoteError> {
        let too_many = || QuoteError::TooMany { count: usage.count };
        let base = self.metered(usage)?.plus(Exact::of(self.base, 1)).ok_or_else(too_many)?;
        let pixels = self.pixels(usage)?;
        let (unit, times) = match self.charge {
            ChargeMode::PerOperation => (Exact::of(self.credits, 1), usage.count.div_ceil(self.included)),
            ChargeMode::PerImage => (Exact::of(self.credits, 1).plus(pixels(1)).ok_or_else(too_many)?, usage.count),
        };
        let amount = Exact::of(self.credits, times).plus(pixels(usage.count)).and_then(|sum| sum.plus(base));
        let round = |exact: Exact| exact.rounded_up().ok_or_else(too_many);
        Ok(Priced { base: round(base)?, unit: round(unit)?, amount: round(amount.ok_or_else(too_many)?)? })
    }

    /// Returns what so many pictures of the request cost for their pixels.
    fn pixels(&self, usage: &Usage) -> Result<impl Fn(u32) -> Exact + use<>, QuoteError> {
        let pixels = usage.pixels();
        if !self.per_megapixel.is_zero() && pixels == 0 {
            return Err(QuoteError::NoSize { operation: usage.operation.clone() });
        }
        // What saturates is far above all that can be stated, and refused as such.
        let each = i128::from(self.per_megapixel.micro()).saturating_mul(i128::from(pixels));
        let each = each.saturating_mul(Exact::PER_MICRO / PIXELS_PER_MEGAPIXEL);
        Ok(move |pictures| Exact(each.saturating_mul(i128::from(pictures))))
    }

    fn metered(&self, usage: &Usage) -> Result<Exact, QuoteError> {
        let mut sum: i128 = 0;
        if self.per_1k.is_empty() {
            return Ok(Exact(sum));
        }
        for &(meter, count) in &*usage.meters {
            let price = self
                .per_1k
                .get(&meter)
                .ok_or_else(|| QuoteError::NoMeter { operation: usage.operation.clone(), meter })?;
            let cost = i128::from(price.micro()).saturating_mul(i128::from(count));
            sum = sum.saturating_add(cost.saturating_mul(Exact::PER_MICRO / METERED_PER_PRICE));
        }
        Ok(Exact(sum))
    }
}

impl Conditions {
    /// Returns whether a request fulfils all of them.
    #[must_use]
    pub fn admit(&self, usage: &Usage) -> bool {
        let named = |wanted: &Option<Box<str>>, found: &Option<Box<str>>| wanted.is_none() || wanted == found;
        let pixels = usage.pixels();
        named(&self.model, &usage.model)
            && named(&self.quality, &usage.quality)
            && self.size.is_none_or(|size| size == (usage.width, usage.height))
            && self.pixels_max.is_none_or(|max| pixels > 0 && pixels <= max)
            && self.steps_max.is_none_or(|max| usage.steps.is_some_and(|steps| steps <= max))
            && self.count_max.is_none_or(|max| usage.count <= max)
    }

    /// Returns whether every request that fulfils `other` fulfils these too.
    pub(crate) fn cover(&self, other: &Self) -> bool {
        let pixels = other.size.map(|(width, height)| u64::from(width) * u64::from(height)).or(other.pixels_max);
        let named = |wide: &Option<Box<str>>, narrow: &Option<Box<str>>| wide.is_none() || wide == narrow;
        fn within<T: Ord>(wide: Option<T>, narrow: Option<T>) -> bool {
            wide.is_none_or(|wide| narrow.is_some_and(|narrow| narrow <= wide))
        }
        named(&self.model, &other.model)
            && named(&self.quality, &other.quality)
            && (self.size.is_none() || self.size == other.size)
            && within(self.pixels_max, pixels)
            && within(self.steps_max, other.steps_max)
            && within(self.count_max, other.count_max)
    }

    /// Returns whether no request can fulfil them.
    pub(crate) fn contradict(&self) -> bool {
        let pixels = self.size.map(|(width, height)| u64::from(width) * u64::from(height));
        let too_small = self.pixels_max.is_some_and(|max| max == 0 || pixels.is_some_and(|pixels| pixels > max));
        too_small || pixels == Some(0) || self.count_max == Some(0)
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

    /// Returns every rate with its rule's number; the operation's own, 0, first.
    pub fn rates(&self) -> impl Iterator<Item = (u16, &Rate)> {
        std::iter::once(&self.rate)
            .chain(self.rules.iter().map(|rule| &rule.rate))
            .zip(0..)
            .map(|(rate, rule)| (rule, rate))
    }

    /// Returns the rate of a request and its rule's number.
    #[must_use]
    pub fn rate_of(&self, usage: &Usage) -> (u16, &Rate) {
        let rule = (1..).zip(&self.rules).find(|(_, rule)| rule.when.admit(usage));
        rule.map_or((0, &self.rate), |(number, rule)| (number, &rule.rate))
    }
}

impl fmt::Display for Rate {
    /// Writes `1 credit for up to 4 pictures`, `0.5 credits a request and 0.25 credits a picture`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credits =
            |amount: Credits| format!("{amount} {}", if amount == Credits::whole(1) { "credit" } else { "credits" });
        let mut parts = Vec::new();
        if !self.base.is_zero() {
            parts.push(format!("{} a request", credits(self.base)));
        }
        if !self.credits.is_zero() {
            parts.push(match (self.charge, self.included) {
                (ChargeMode::PerImage, _) => format!("{} a picture", credits(self.credits)),
                (ChargeMode::PerOperation, 1) => format!("{} each", credits(self.credits)),
                (ChargeMode::PerOperation, included) => {
                    format!("{} for up to {included} pictures", credits(self.credits))
                }
            });
        }
        if !self.per_megapixel.is_zero() {
            parts.push(format!("{} a megapixel", credits(self.per_megapixel)));
        }
        for (meter, price) in &self.per_1k {
            parts.push(format!("{} a thousand {meter}", credits(*price)));
        }
        if parts.is_empty() { f.write_str("nothing") } else { f.write_str(&parts.join(" and ")) }
    }
}

impl fmt::Display for Conditions {
    /// Writes `model pocket, size 512x512, up to 20 steps`; `always` where there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [
            self.model.as_ref().map(|model| format!("model {model}")),
            self.quality.as_ref().map(|quality| format!("quality {quality}")),
            self.size.map(|(width, height)| format!("size {width}x{height}")),
            self.pixels_max.map(|max| format!("up to {max} pixels")),
            self.steps_max.map(|max| format!("up to {max} steps")),
            self.count_max.map(|max| format!("up to {max} pictures")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() { f.write_str("always") } else { f.write_str(&parts.join(", ")) }
    }
}

#[cfg(test)]
mod tests;

//! Estimates: what a month of requests would cost, by which pack or plan, under one version of the price book.
//!
//! An estimate promises nothing and is pinned on nothing; a quote is. It is computed from the prices themselves,
//! so that no text about them can be out of date.

use std::cmp::Reverse;
use std::fmt;

use crate::amount::{AMOUNT_MAX, Cents, Credits, Currency, Money};
use crate::operation::Operation;
use crate::pack::Pack;
use crate::plan::{PlanName, PlanTerms};
use crate::price_book::PriceVersion;
use crate::quote::{Meters, QuoteError, Usage};

/// The most prompts a month up to which it is sought from where on a plan is cheaper.
pub const BREAK_EVEN_PROMPTS_MAX: u32 = 5_000;

/// The requests of a month. Each asks for as many pictures as its price includes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// How many pictures are generated from prompts, in requests.
    pub prompts: u32,
    /// How many requests edit pictures.
    pub edits: u32,
    /// How many requests vary pictures.
    pub variations: u32,
}

/// What a month comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The credits of all requests.
    pub needed: Credits,
    /// The ways to have them, cheapest first. Empty where nothing that is sold brings enough.
    pub ways: Vec<Way>,
    /// From where on other plans are cheaper than the one that was asked about with packs.
    pub break_evens: Vec<BreakEven>,
}

/// One way to have the credits of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The plan.
    pub plan: PlanName,
    /// What of the needed credits the plan brings.
    pub covered: Credits,
    /// The packs for the rest, where there is one.
    pub packs: Option<Packs>,
    /// What the plan and the packs cost a month, on the average, rounded up; `None` where nothing is sold at all.
    pub price: Option<Money>,
}

/// Packs that are bought again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packs {
    /// What they are called: a name, or how many credits one has.
    pub label: String,
    /// How many are bought at a time.
    pub count: u32,
    /// How long they last, in tenths of a month, rounded down.
    pub tenths: u32,
    /// Whether they expire before they are spent.
    pub expire: bool,
}

/// From where on a plan is cheaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakEven {
    /// The plan.
    pub plan: PlanName,
    /// The least prompts a month, with as many edits and variations as were asked about.
    pub prompts: u32,
}

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EstimateError {
    /// There is no such plan now.
    UnknownPlan {
        /// The plan.
        plan: PlanName,
    },
    /// One of the requests has no price.
    NoPrice(QuoteError),
    /// The sum is above what can be stated.
    TooMany,
}

impl fmt::Display for EstimateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPlan { plan } => write!(f, "there is no plan {plan} now"),
            Self::NoPrice(error) => error.fmt(f),
            Self::TooMany => f.write_str("the price of so many requests cannot be stated"),
        }
    }
}

impl std::error::Error for EstimateError {}

impl PriceVersion {
    /// Returns what a month of requests costs an account that is on `plan` or could join another.
    ///
    /// What `like` says of model, size, quality and steps is true of every request. Only what is sold in the
    /// currency of the first pack, or of the first plan that costs money, is compared.
    ///
    /// # Errors
    /// [`EstimateError`].
    pub fn estimate(&self, month: Month, plan: PlanName, like: &Usage) -> Result<Estimate, EstimateError> {
        let terms = self.plans.get(&plan).ok_or(EstimateError::UnknownPlan { plan })?;
        let prompt = self.request(Operation::Generate, month.prompts, like)?;
        let others = self.request(Operation::Edit, month.edits, like)? * i128::from(month.edits)
            + self.request(Operation::Vary, month.variations, like)? * i128::from(month.variations);
        let needed = |prompts: u32| prompt * i128::from(prompts) + others;
        let all = i64::try_from(needed(month.prompts)).ok().filter(|micro| *micro <= AMOUNT_MAX);
        let all = all.and_then(Credits::from_micro).ok_or(EstimateError::TooMany)?;
        let currency = self.currency();
        let others = self.plans.iter().filter(|(name, terms)| **name != plan && terms.is_paid());
        let others: Vec<(PlanName, &PlanTerms)> = others.map(|(name, terms)| (*name, terms)).collect();
        let mut ways: Vec<Way> = std::iter::once(&(plan, terms))
            .chain(&others)
            .filter_map(|(plan, terms)| self.way(*plan, terms, all, currency))
            .collect();
        ways.sort_by_key(|way| way.price.map(|price| price.amount));
        let cheaper = |(plan, other): &(PlanName, &PlanTerms)| {
            let cost = |terms, prompts| self.cheapest(terms, needed(prompts), currency?).map(|(minor, _)| minor);
            let is_cheaper = |prompts: &u32| {
                cost(other, *prompts).is_some_and(|there| cost(terms, *prompts).is_none_or(|here| there < here))
            };
            // A step of packs can make a plan dearer again further on; the first place is what is said.
            let prompts = (0..=BREAK_EVEN_PROMPTS_MAX).find(is_cheaper)?;
            Some(BreakEven { plan: *plan, prompts })
        };
        // Without a price, no number of prompts makes a difference.
        let break_evens = if prompt == 0 { Vec::new() } else { others.iter().filter_map(cheaper).collect() };
        Ok(Estimate { needed: all, ways, break_evens })
    }

    /// Returns what one request costs, in micro-credits. Of what is not asked for the price need not exist.
    fn request(&self, operation: Operation, times: u32, like: &Usage) -> Result<i128, EstimateError> {
        let count = self.operations.get(&operation).map_or(1, |price| price.rate.included);
        let usage = Usage { operation, count, meters: Meters::default(), ..like.clone() };
        match self.quote(&usage) {
            Ok(quote) => Ok(i128::from(quote.amount.micro())),
            Err(_) if times == 0 => Ok(0),
            Err(error) => Err(EstimateError::NoPrice(error)),
        }
    }

    fn currency(&self) -> Option<Currency> {
        let plans = self.plans.values().filter(|terms| terms.is_paid()).filter_map(|terms| terms.price);
        self.packs.iter().map(|pack| pack.price).chain(plans).map(|price| price.currency).next()
    }

    /// Returns the cheapest way to have the credits on a plan.
    fn way(&self, plan: PlanName, terms: &PlanTerms, needed: Credits, currency: Option<Currency>) -> Option<Way> {
        let covered = needed.min(terms.monthly);
        let Some(currency) = currency else {
            return (covered == needed).then_some(Way { plan, covered, packs: None, price: None });
        };
        let (minor, purchase) = self.cheapest(terms, i128::from(needed.micro()), currency)?;
        let minor = i64::try_from(minor).ok().filter(|minor| *minor <= AMOUNT_MAX).and_then(Cents::from_minor)?;
        let packs = purchase.map(|purchase| Packs {
            label: purchase
                .pack
                .name
                .map_or_else(|| format!("{} credits", purchase.pack.credits), |name| name.to_string()),
            count: purchase.count,
            tenths: u32::try_from(purchase.tenths).unwrap_or(u32::MAX),
            expire: purchase.expire,
        });
        Some(Way { plan, covered, packs, price: Some(Money::new(minor, currency)) })
    }

    /// Returns the least that a plan and packs for the rest cost a month, in minor units rounded up.
    fn cheapest(&self, terms: &PlanTerms, needed: i128, currency: Currency) -> Option<(i128, Option<Purchase<'_>>)> {
        let price = match terms.price.filter(|_| terms.is_paid()) {
            Some(price) if price.currency != currency => return None,
            price => price.map_or(0, |price| i128::from(price.amount.minor())),
        };
        let rest = needed - i128::from(terms.monthly.micro());
        if rest <= 0 {
            return Some((price, None));
        }
        let packs = self.packs.iter().filter(|pack| pack.price.currency == currency);
        let purchases = packs.flat_map(|pack| Purchase::all(pack, rest));
        // Of two at one price, the one that binds the least money.
        let best =
            purchases.min_by_key(|purchase| (purchase.minor_a_month, purchase.count, Reverse(purchase.tenths)))?;
        Some((price + best.minor_a_month, Some(best)))
    }
}

/// Packs that are bought at a time, for a month's rest.
struct Purchase<'a> {
    pack: &'a Pack,
    count: u32,
    minor_a_month: i128,
    tenths: i128,
    expire: bool,
}

impl<'a> Purchase<'a> {
    /// As many packs as last a month, and every number from which on a tier holds, while they can be spent.
    fn all(pack: &'a Pack, rest: i128) -> impl Iterator<Item = Self> {
        let size = i128::from(pack.credits.micro()) + i128::from(pack.bonus.micro());
        let spendable = rest * i128::from(pack.expires.get());
        let least = u32::try_from((rest + size - 1) / size).ok();
        let more = pack.tiers.iter().map(|tier| tier.from);
        let more = more.filter(move |count| Some(*count) > least && size * i128::from(*count) <= spendable);
        least.into_iter().chain(least.map(|_| more).into_iter().flatten()).filter_map(move |count| {
            let price = i128::from(pack.price_of(count)?.amount.minor());
            let spent = (size * i128::from(count)).min(spendable);
            // They last spent / rest months.
            let minor_a_month = (price * rest + spent - 1) / spent;
            let expire = size * i128::from(count) > spendable;
            Some(Self { pack, count, minor_a_month, tenths: spent * 10 / rest, expire })
        })
    }
}

impl fmt::Display for Packs {
    /// Writes `one pack (pack-115) every 3.8 months`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, count, tenths, expire } = self;
        match count {
            1 => write!(f, "one pack ({label}) every ")?,
            _ => write!(f, "{count} packs ({label}) every ")?,
        }
        match (tenths / 10, tenths % 10) {
            (1, 0) => f.write_str("month")?,
            (months, 0) => write!(f, "{months} months")?,
            (months, tenth) => write!(f, "{months}.{tenth} months")?,
        }
        if *expire { f.write_str(", when what is left of them expires") } else { Ok(()) }
    }
}

impl fmt::Display for Way {
    /// Writes `free`, `one pack (pack-115) every 3.8 months: 3.92 USD a month`, `plan studio: 12.00 USD a month`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let price = self.price.filter(|price| !price.amount.is_zero());
        match (&self.packs, price) {
            (None, None) => return f.write_str("free"),
            (None, Some(_)) => write!(f, "plan {}", self.plan)?,
            (Some(packs), _) => write!(f, "plan {} and {packs}", self.plan)?,
        }
        match price {
            Some(price) => write!(f, ": {price} a month"),
            None => f.write_str(": free"),
        }
    }
}

impl fmt::Display for BreakEven {
    /// Writes `plan studio is cheaper from 108 prompts a month on`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan {} is cheaper from {} prompts a month on", self.plan, self.prompts)
    }
}

#[cfg(test)]
mod tests;

//! Packs: credits bought once, dearer or cheaper in number.

use crate::amount::{Cents, Credits, Money};
use crate::calendar::Months;
use crate::name::{OfPack, ShortName};

/// The name of a pack, by which buyers ask for it.
pub type PackName = ShortName<OfPack>;

/// How the tiers of a pack apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TierMode {
    /// The tier that the number falls in prices all of them.
    #[default]
    Volume,
    /// Each pack costs what its own tier says.
    Graduated,
}

/// From which number of packs on a price holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The first number of packs of this tier, at least 2.
    pub from: u32,
    /// The price of one pack, in the pack's currency.
    pub price: Cents,
}

/// Credits that are bought once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The credits of one pack.
    pub credits: Credits,
    /// The price of one pack, or of the first tier's packs.
    pub price: Money,
    /// How long its credits live after the purchase.
    pub expires: Months,
    /// How `tiers` apply.
    pub mode: TierMode,
    /// Further tiers, ascending.
    pub tiers: Vec<Tier>,
    /// How buyers ask for it; no two packs of a version share a name.
    pub name: Option<PackName>,
    /// Promo credits that come with each pack and share its fate.
    pub bonus: Credits,
}

/// A number of packs that costs more than one pack more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cliff {
    /// How many packs.
    pub packs: u32,
    /// What they cost.
    pub price: Money,
    /// What one more costs.
    pub next_price: Money,
}

impl Pack {
    /// Returns what `packs` of this pack cost, or `None` where that is more than can be stated.
    #[must_use]
    pub fn price_of(&self, packs: u32) -> Option<Money> {
        let amount = match self.mode {
            TierMode::Volume => {
                let tier = self.tiers.iter().rev().find(|tier| tier.from <= packs);
                tier.map_or(self.price.amount, |tier| tier.price).checked_mul(packs)?
            }
            TierMode::Graduated => {
                let mut total = Cents::ZERO;
                let mut from = 1;
                let mut price = self.price.amount;
                for tier in &self.tiers {
                    if packs < tier.from {
                        break;
                    }
                    total = total.checked_add(price.checked_mul(tier.from - from)?)?;
                    (from, price) = (tier.from, tier.price);
                }
                total.checked_add(price.checked_mul((packs + 1).saturating_sub(from))?)?
            }
        };
        Some(Money::new(amount, self.price.currency))
    }

    /// Returns every number of packs just below a tier that costs more than one pack more.
    #[must_use]
    pub fn cliffs(&self) -> Vec<Cliff> {
        let steps = self.tiers.iter().map(|tier| tier.from - 1);
        let cliff = |packs| {
            let (price, next_price) = (self.price_of(packs)?, self.price_of(packs + 1)?);
            (price > next_price).then_some(Cliff { packs, price, next_price })
        };
        steps.filter_map(cliff).collect()
    }

    /// Returns whether the tiers ascend and can be told apart.
    pub(crate) fn tiers_ascend(&self) -> bool {
        self.tiers.iter().try_fold(1, |last, tier| (tier.from > last).then_some(tier.from)).is_some()
    }
}

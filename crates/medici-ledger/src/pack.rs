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

/// A number of packs at one price each, as a document writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackLine {
    /// How many.
    pub packs: u32,
    /// What one costs.
    pub price: Cents,
}

impl PackLine {
    /// Returns what they cost together, or `None` where that is more than can be stated.
    #[must_use]
    pub fn amount(self) -> Option<Cents> {
        self.price.checked_mul(self.packs)
    }
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
        let lines = self.lines(packs).into_iter();
        let amount = lines.map(PackLine::amount).try_fold(Cents::ZERO, |sum, amount| sum.checked_add(amount?))?;
        Some(Money::new(amount, self.price.currency))
    }

    /// Returns the lines of a document for `packs` of this pack: one, or with graduated tiers one of each tier.
    #[must_use]
    pub fn lines(&self, packs: u32) -> Vec<PackLine> {
        let first = Tier { from: 1, price: self.price.amount };
        match self.mode {
            TierMode::Volume => {
                let tier = self.tiers.iter().rev().find(|tier| tier.from <= packs).unwrap_or(&first);
                vec![PackLine { packs, price: tier.price }]
            }
            TierMode::Graduated => {
                let tiers: Vec<&Tier> = std::iter::once(&first).chain(&self.tiers).collect();
                let ends = tiers.iter().skip(1).map(|next| next.from - 1).chain([u32::MAX]);
                let lines = tiers.iter().zip(ends).map(|(tier, end)| PackLine {
                    packs: packs.min(end).saturating_sub(tier.from - 1),
                    price: tier.price,
                });
                lines.filter(|line| line.packs > 0).collect()
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Currency;

    #[test]
    fn a_document_has_a_line_for_each_price() {
        let cents = |minor| Cents::from_minor(minor).unwrap();
        let tiers = vec![Tier { from: 5, price: cents(1400) }, Tier { from: 10, price: cents(1250) }];
        let pack = |mode| Pack {
            credits: Credits::whole(115),
            price: Money::new(cents(1500), Currency::USD),
            expires: Months::ONE,
            mode,
            tiers: tiers.clone(),
            name: None,
            bonus: Credits::ZERO,
        };
        let lines = |mode, packs| -> Vec<(u32, i64)> {
            pack(mode).lines(packs).iter().map(|line| (line.packs, line.price.minor())).collect()
        };
        assert_eq!(lines(TierMode::Volume, 7), [(7, 1400)]);
        assert_eq!(lines(TierMode::Graduated, 4), [(4, 1500)]);
        assert_eq!(lines(TierMode::Graduated, 5), [(4, 1500), (1, 1400)]);
        assert_eq!(lines(TierMode::Graduated, 12), [(4, 1500), (5, 1400), (3, 1250)]);
        assert_eq!(lines(TierMode::Graduated, u32::MAX)[2].0, u32::MAX - 9);
        assert_eq!(lines(TierMode::Graduated, 0), []);
    }

    #[test]
    fn a_cliff_is_where_more_costs_less_and_not_where_it_costs_the_same() {
        let cents = |minor| Cents::from_minor(minor).unwrap();
        // Four cost 4.00; five cost 4.00 or 3.95.
        let cliffs = |price| {
            let pack = Pack {
                credits: Credits::whole(1),
                price: Money::new(cents(100), Currency::USD),
                expires: Months::ONE,
                mode: TierMode::Volume,
                tiers: vec![Tier { from: 5, price: cents(price) }],
                name: None,
                bonus: Credits::ZERO,
            };
            pack.cliffs().iter().map(|cliff| cliff.packs).collect::<Vec<_>>()
        };
        assert_eq!(cliffs(80), []);
        assert_eq!(cliffs(79), [4]);
    }
}

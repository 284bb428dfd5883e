//! The document of an order: its lines, and the tax of each.

use medici_ledger::{Cents, Item, Money, Order, OrderRecord, PackLine, PlanChangeMode, PriceBook, allocate};

/// What an order comes to, line by line. The lines add up to the order's cost and tax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// One line of each price.
    pub lines: Vec<DocumentLine>,
}

/// A line of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentLine {
    /// What is bought, in words.
    pub what: String,
    /// How many.
    pub quantity: u32,
    /// What one costs, without tax.
    pub price: Money,
    /// What they cost together, without tax.
    pub amount: Money,
    /// The line's share of the document's tax, by the largest remainder.
    pub tax: Money,
}

impl Document {
    /// Returns the document of an order.
    ///
    /// An order keeps its price, not its pack: the lines are those of the pack that was sold for it when it was
    /// placed. Where the price book no longer says which that was, all packs are one line.
    pub fn of(record: &OrderRecord, book: &PriceBook) -> Self {
        let order = &record.order;
        let parts = match &order.item {
            Item::Packs { packs, .. } => pack_parts(record, *packs, book),
            Item::Period => vec![("period of the plan".to_owned(), one(order))],
            Item::PlanChange { plan, mode: PlanChangeMode::FullPrice } => vec![(format!("plan {plan}"), one(order))],
            Item::PlanChange { plan, mode: PlanChangeMode::Prorated } => {
                vec![(format!("plan {plan}, rest of the period"), one(order))]
            }
        };
        let amounts: Vec<Cents> =
            parts.iter().map(|(_, line)| line.amount().expect("a part of what was ordered can be stated")).collect();
        let taxes = allocate(order.tax, &amounts);
        let money = |amount| Money::new(amount, order.cost.currency);
        let lines = parts.into_iter().zip(amounts).zip(taxes).map(|(((what, line), amount), tax)| DocumentLine {
            what,
            quantity: line.packs,
            price: money(line.price),
            amount: money(amount),
            tax: money(tax),
        });
        Self { lines: lines.collect() }
    }
}

/// All of an order at its one price.
fn one(order: &Order) -> PackLine {
    PackLine { packs: 1, price: order.cost.amount }
}

fn pack_parts(record: &OrderRecord, packs: u32, book: &PriceBook) -> Vec<(String, PackLine)> {
    let order = &record.order;
    let offered = book.version_at(record.placed_at).map_or(&[][..], |version| &version.packs);
    let sold = offered.iter().find(|pack| {
        pack.credits.checked_mul(packs) == Some(order.credits)
            && pack.bonus.checked_mul(packs) == Some(order.bonus)
            && pack.price_of(packs) == Some(order.cost)
    });
    match sold {
        Some(pack) => {
            let what = match &pack.name {
                Some(name) => format!("{name}, {} credits", pack.credits),
                None => format!("pack of {} credits", pack.credits),
            };
            pack.lines(packs).into_iter().map(|line| (what.clone(), line)).collect()
        }
        None => vec![(format!("{packs} packs, {} credits", order.credits), one(order))],
    }
}

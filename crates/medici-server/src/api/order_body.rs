//! An order in JSON: what was ordered, its document, and what became of it.

use medici_ledger::{Cents, Credits, Item, Money, OrderId, OrderRecord, PlanChangeMode, PriceBook, Timestamp, Wallet};
use medici_studio::{Document, DocumentLine};
use serde::Serialize;

use crate::wire::Text;

#[derive(Serialize)]
pub(super) struct OrderBody {
    id: Text<OrderId>,
    status: &'static str,
    item: ItemBody,
    credits: Text<Credits>,
    /// Promotional credits that come along.
    bonus: Text<Credits>,
    /// Without tax.
    cost: Text<Money>,
    tax: Text<Money>,
    total: Text<Money>,
    /// What is to be paid.
    due: Text<Money>,
    /// The most that can be refunded on the customer's wish, with tax.
    refundable: Text<Money>,
    placed_at: Text<Timestamp>,
    lines: Vec<LineBody>,
    lot: Option<u32>,
    bonus_lot: Option<u32>,
    reversals: Vec<ReversalBody>,
    /// What is reversed on the books, with tax.
    reversed: Text<Money>,
    /// Credits that were withdrawn with their money.
    withdrawn: Text<Credits>,
    /// Credits that were spent though their money went back, and are not repaid.
    owed: Text<Credits>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ItemBody {
    Packs { packs: u32, expires_months: u16 },
    Period,
    PlanChange { plan: String, mode: &'static str },
}

#[derive(Serialize)]
struct LineBody {
    what: String,
    quantity: u32,
    price: Text<Money>,
    amount: Text<Money>,
    tax: Text<Money>,
}

#[derive(Serialize)]
struct ReversalBody {
    id: String,
    state: &'static str,
    amount: Text<Money>,
}

impl OrderBody {
    /// Writes an order of a settled wallet.
    pub(super) fn of(wallet: &Wallet, record: &OrderRecord, book: &PriceBook) -> Self {
        let order = &record.order;
        let money = |amount: Cents| Text(Money::new(amount, order.cost.currency));
        let reversals = record.reversals.iter().map(|reversal| ReversalBody {
            id: reversal.id.to_string(),
            state: reversal.state.as_str(),
            amount: money(reversal.amount),
        });
        Self {
            id: Text(order.id),
            status: record.status().as_str(),
            item: ItemBody::of(&order.item),
            credits: Text(order.credits),
            bonus: Text(order.bonus),
            cost: Text(order.cost),
            tax: money(order.tax),
            total: Text(order.total()),
            due: Text(record.due()),
            refundable: money(wallet.refundable(record)),
            placed_at: Text(record.placed_at),
            lines: Document::of(record, book).lines.into_iter().map(LineBody::of).collect(),
            lot: record.lot.map(|lot| lot.get()),
            bonus_lot: record.bonus_lot.map(|lot| lot.get()),
            reversals: reversals.collect(),
            reversed: money(record.reversed),
            withdrawn: Text(record.withdrawn),
            owed: Text(record.outstanding()),
        }
    }
}

impl ItemBody {
    fn of(item: &Item) -> Self {
        match item {
            Item::Packs { packs, expires } => Self::Packs { packs: *packs, expires_months: expires.get() },
            Item::Period => Self::Period,
            Item::PlanChange { plan, mode } => {
                let mode = match mode {
                    PlanChangeMode::Prorated => "prorated",
                    PlanChangeMode::FullPrice => "full_price",
                };
                Self::PlanChange { plan: plan.to_string(), mode }
            }
        }
    }
}

impl LineBody {
    fn of(line: DocumentLine) -> Self {
        let DocumentLine { what, quantity, price, amount, tax } = line;
        Self { what, quantity, price: Text(price), amount: Text(amount), tax: Text(tax) }
    }
}

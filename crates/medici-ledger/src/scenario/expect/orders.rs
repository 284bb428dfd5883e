//! What is expected of orders.

use super::{Met, same};
use crate::amount::{Cents, Money};
use crate::ids::AccountId;
use crate::scenario::run::Runner;
use crate::scenario::words::Words;

impl Runner<'_> {
    /// Reads `NAME STATUS [PART X …]`.
    pub(super) fn order(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let name = words.next("name of an order")?;
        let id = self.names.order(account, name);
        let wallet = self.settled(account);
        let status = words.next("status")?.replace('-', "_");
        let Some(record) = wallet.order(id) else { return same("order", status, "unknown") };
        same("order", status, record.status().as_str())?;
        let currency = record.order.cost.currency;
        let money = |amount: Cents| Money::new(amount, currency);
        while !words.is_empty() {
            let part = words.next("part of the order")?;
            match part {
                "credits" => same(part, words.credits()?, record.order.credits),
                "bonus" => same(part, words.credits()?, record.order.bonus),
                "cost" => same(part, words.money()?, record.order.cost),
                "total" => same(part, words.money()?, record.order.total()),
                "reversed" => same(part, words.money()?, money(record.reversed)),
                "returned" => same(part, words.money()?, money(record.returned)),
                "withdrawn" => same(part, words.credits()?, record.withdrawn),
                "owed" => same(part, words.credits()?, record.owed),
                "repaid" => same(part, words.credits()?, record.repaid()),
                "debt" => same(part, words.money()?, money(record.debt())),
                "refundable" => same(part, words.money()?, money(wallet.refundable(record))),
                other => Err(format!("no part of an order is called {other:?}")),
            }
            .map_err(|message| format!("order {name}: {message}"))?;
        }
        Ok(())
    }
}

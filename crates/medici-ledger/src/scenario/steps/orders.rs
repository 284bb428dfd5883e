//! Writing what is ordered, and what becomes of its money.

use super::{Asked, Desk};
use crate::amount::{Cents, Currency, Money};
use crate::command::Command;
use crate::decide::Wish;
use crate::ids::OrderId;
use crate::order::{PlanChangeMode, Reversal, ReversalState};
use crate::pack::Pack;
use crate::scenario::words::Words;

impl Desk<'_> {
    /// Reads `NAME WISH [tax MONEY]`, WISH being `pack PACK [xN]`, `period` or `plan PLAN prorated|full`. The price
    /// is that of now.
    pub(super) fn order(&mut self, words: &mut Words<'_>) -> Result<Asked, String> {
        let id = self.names.order(self.account, words.next("order")?);
        let wallet = self.wallet();
        let pack;
        let wish = match words.next("pack, period or plan")? {
            "pack" => {
                pack = self.pack(words.next("pack")?)?;
                let number = words.peek().and_then(|word| word.strip_prefix('x')).map(str::parse);
                if number.is_some() {
                    words.next("number of packs")?;
                }
                let packs = number.unwrap_or(Ok(1)).map_err(|_| "a number of packs such as x3 needed")?;
                Wish::Packs { pack: &pack, packs }
            }
            "period" => Wish::Period,
            "plan" => {
                let plan = words.parse("plan")?;
                let mode = match words.next("\"prorated\" or \"full\"")? {
                    "prorated" => PlanChangeMode::Prorated,
                    "full" => PlanChangeMode::FullPrice,
                    other => return Err(format!("\"prorated\" or \"full\" needed, {other:?} found")),
                };
                Wish::PlanChange { plan, mode }
            }
            other => return Err(format!("pack, period or plan needed, {other:?} found")),
        };
        let tax = if words.take("tax") { words.money()?.amount } else { Cents::ZERO };
        Ok(match wallet.order_of(id, &wish, self.book, self.at) {
            Err(refusal) => Asked::Refused(refusal),
            Ok(mut order) => {
                order.tax = tax;
                self.names.totals.entry(id).or_insert(order.total());
                Asked::Command(Command::PlaceOrder(order))
            }
        })
    }

    /// Finds what is sold now by its name, or by the credits of one.
    fn pack(&mut self, name: &str) -> Result<Pack, String> {
        let now = self.wallet().own_time(self.at);
        let packs = self.book.version_at(now).map_or(&[][..], |version| &version.packs);
        let is_meant = |pack: &&Pack| {
            pack.name.as_ref().is_some_and(|known| known.to_string() == name) || pack.credits.to_string() == name
        };
        packs.iter().find(is_meant).cloned().ok_or_else(|| format!("no pack {name:?} is sold now"))
    }

    /// Reads `NAME [MONEY] [as LOT]`.
    pub(super) fn pay(&mut self, words: &mut Words<'_>) -> Result<Asked, String> {
        let name = words.next("order")?;
        let order = self.names.order(self.account, name);
        let amount = match words.peek() {
            None | Some("as") => self.due(order),
            Some(_) => words.money()?,
        };
        let lot = lot_of(name, words)?;
        Ok(Asked::Granting(Command::PayOrder { order, amount }, lot))
    }

    /// What is to be paid for an order: its total less what is reversed.
    fn due(&mut self, order: OrderId) -> Money {
        let Some(total) = self.names.totals.get(&order).copied() else {
            return Money::new(Cents::ZERO, Currency::USD);
        };
        let reversed = self.wallet().order(order).map_or(Cents::ZERO, |record| record.reversed);
        let due = total.amount.checked_sub(reversed).expect("at most the total is reversed");
        Money::new(due, total.currency)
    }

    /// Reads `NAME [as LOT]`.
    pub(super) fn invoice(&mut self, words: &mut Words<'_>) -> Result<Asked, String> {
        let name = words.next("order")?;
        let order = self.names.order(self.account, name);
        Ok(Asked::Granting(Command::InvoiceOrder { order }, lot_of(name, words)?))
    }

    /// Reads `NAME [MONEY] as ID`.
    pub(super) fn refund(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let order = self.names.order(self.account, words.next("order")?);
        let amount = match words.peek() {
            None | Some("as") => None,
            Some(_) => Some(words.money()?),
        };
        if !words.take("as") {
            return Err("\"as\" and the refund's name needed".to_owned());
        }
        Ok(Command::Refund { order, refund: words.parse("name of the refund")?, amount })
    }

    /// Reads `NAME ID STATE MONEY`.
    pub(super) fn reverse(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let order = self.names.order(self.account, words.next("order")?);
        let id = words.parse("name of the refund or dispute")?;
        let state = words.one_of(&ReversalState::ALL, ReversalState::as_str)?;
        Ok(Command::Reverse { order, reversal: Reversal { id, state, amount: words.money()?.amount } })
    }
}

/// Reads `[as LOT]`: the order's lot has the order's name unless it says so.
fn lot_of(order: &str, words: &mut Words<'_>) -> Result<String, String> {
    Ok(if words.take("as") { words.next("name")? } else { order }.to_owned())
}

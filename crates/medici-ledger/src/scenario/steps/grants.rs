//! Writing what gives and takes lots without an order.

use super::{Asked, Desk};
use crate::amount::Cents;
use crate::command::Command;
use crate::lot::{Class, Source};
use crate::scenario::prices::plan_none;
use crate::scenario::words::Words;

impl Desk<'_> {
    /// Reads `[plan NAME] [sandbox]`.
    pub(super) fn open(&self, words: &mut Words<'_>) -> Result<Command, String> {
        let plan = if words.take("plan") { words.parse("plan")? } else { plan_none() };
        Ok(Command::Open { plan, sandbox: words.take("sandbox").then_some(self.at) })
    }

    pub(super) fn grant(&self, words: &mut Words<'_>) -> Result<Asked, String> {
        let kind = words.next("free, promo, pack or goodwill")?;
        let (mut class, source) = match kind {
            "free" => (Class::Free, Source::Bonus),
            "promo" => (Class::Promo, Source::Bonus),
            "goodwill" => (Class::Promo, Source::Goodwill),
            "pack" => (Class::Paid, Source::Purchase),
            other => return Err(format!("free, promo, pack or goodwill needed, {other:?} found")),
        };
        let credits = words.credits()?;
        let mut name = kind.to_owned();
        let (mut cost, mut tax, mut priority) = (None, Cents::ZERO, 0);
        let (mut effective_at, mut expires_at) = (self.at, None);
        while let Some(word) = words.peek() {
            words.next("word")?;
            match word {
                "as" => words.next("name")?.clone_into(&mut name),
                "class" => class = words.one_of(&Class::ALL, Class::as_str)?,
                "from" => effective_at = words.instant()?,
                "until" => expires_at = Some(words.instant()?),
                "never" => expires_at = None,
                "paid" => cost = Some(words.money()?),
                "tax" => tax = words.money()?.amount,
                "priority" => priority = words.parse("priority")?,
                other => return Err(format!("from, until, paid, tax, priority or as needed, {other:?} found")),
            }
        }
        let grant = Command::Grant { class, credits, cost, effective_at, expires_at, priority, source, tax };
        Ok(Asked::Granting(grant, name))
    }

    /// Reads `LOT CREDITS`.
    pub(super) fn withdraw(&self, words: &mut Words<'_>) -> Result<Command, String> {
        let lot = self.names.lot(self.account, words.next("lot")?)?;
        Ok(Command::Withdraw { lot, amount: words.credits()? })
    }
}

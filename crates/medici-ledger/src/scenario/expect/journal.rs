//! What is expected of entries: their legs, sums, statements and the past.

use super::{Met, same};
use crate::amount::{SignedCredits, SignedMoney};
use crate::history::{AsOf, balances_as_of};
use crate::ids::AccountId;
use crate::lot::Class;
use crate::posting::Unit;
use crate::scenario::run::Runner;
use crate::scenario::words::Words;
use crate::statement::{Period, Statement};

impl Runner<'_> {
    /// How often a fact was booked.
    pub(super) fn fact(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let name = words.next("name of a fact")?.replace('-', "_");
        let expected: usize = words.parse("how often")?;
        let entries = self.subject.entries(account);
        same(&name, expected, entries.iter().filter(|entry| entry.fact.name() == name).count())
    }

    /// The legs of the last entry of a kind, each `ACCOUNT LOT AMOUNT`, all of them, in any order.
    pub(super) fn legs(&mut self, account: AccountId, fact: &str, legs: &[Vec<&str>]) -> Met {
        let name = fact.replace('-', "_");
        let entries = self.subject.entries(account);
        let entry = entries.iter().rfind(|entry| entry.fact.name() == name).ok_or_else(|| format!("no {name} yet"))?;
        let mut expected = Vec::new();
        for leg in legs {
            let mut words = Words::new(leg);
            let ledger_account = words.next("ledger account")?;
            let lot = self.names.lot(account, words.next("lot")?)?;
            let (unit, amount) = words.signed()?;
            words.end()?;
            expected.push(format!("{ledger_account} #{lot} {}", written(unit, amount)));
        }
        let found = entry.postings.iter();
        let leg = |leg: &crate::Posting| format!("{} #{} {}", leg.account, leg.lot, written(leg.unit, leg.amount));
        let mut found: Vec<String> = found.map(leg).collect();
        found.sort_unstable();
        expected.sort_unstable();
        same("legs", expected.join(", "), found.join(", "))
    }

    /// The sum of a ledger account over the entries that are booked.
    pub(super) fn ledger(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let name = words.next("name of a ledger account")?;
        let (unit, expected) = words.signed()?;
        let entries = self.subject.entries(account);
        let postings = entries.iter().flat_map(|entry| &entry.postings);
        let meant = postings.filter(|posting| posting.unit == unit && posting.account.to_string() == name);
        same(name, written(unit, expected), written(unit, meant.map(|posting| posting.amount).sum()))
    }

    /// Reads `[from INSTANT] [until INSTANT] CLASS|CURRENCY PART X …`, of what is booked.
    pub(super) fn statement(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let mut period = Period::ALWAYS;
        if words.take("from") {
            period.from = words.instant()?;
        }
        if words.take("until") {
            period.until = words.instant()?;
        }
        let statement = Statement::of(&self.subject.entries(account), period);
        let of = words.next("class or currency")?;
        if let Some(line) = statement.money.iter().find(|line| line.currency.as_str() == of) {
            while let Some(part) = words.peek() {
                words.next("part")?;
                let found = match part {
                    "opening" => line.opening_deferred,
                    "received" => line.received,
                    "tax" => line.tax,
                    "recognised" => line.recognised,
                    "breakage" => line.breakage,
                    "owed" => line.owed,
                    "lost" => line.lost,
                    "closing" => line.closing_deferred,
                    other => return Err(format!("no part of a statement's money is called {other:?}")),
                };
                let (unit, expected) = words.signed()?;
                same(part, written(unit, expected), written(Unit::Money(line.currency), found))?;
            }
            return Ok(());
        }
        let class = Class::ALL.into_iter().find(|class| class.as_str() == of);
        let line = class.and_then(|class| statement.classes.iter().find(|line| line.class == class));
        let line = line.ok_or_else(|| format!("the statement has no line {of:?}"))?;
        while let Some(part) = words.peek() {
            words.next("part")?;
            let found = match part {
                "opening" => line.opening,
                "granted" => line.granted,
                "captured" => line.captured,
                "expired" => line.expired,
                "withdrawn" => line.withdrawn,
                "closing" => line.closing,
                "held" => line.closing_held,
                other => return Err(format!("no part of a statement's credits is called {other:?}")),
            };
            let (unit, expected) = words.signed()?;
            same(part, written(unit, expected), written(Unit::Credits, found))?;
        }
        Ok(())
    }

    pub(super) fn as_of(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        words.expect_word("of")?;
        let at = words.instant()?;
        let as_of = if words.take("recorded") { AsOf::Recorded(at) } else { AsOf::Effective(at) };
        let entries = self.subject.entries(account);
        let balances = balances_as_of(account, &entries, as_of, &self.book).map_err(|broken| broken.to_string())?;
        while !words.is_empty() {
            match words.next("available or held")? {
                "available" => same("available", words.credits()?, balances.available)?,
                "held" => same("held", words.credits()?, balances.held)?,
                other => return Err(format!("available or held needed, {other:?} found")),
            }
        }
        Ok(())
    }
}

fn written(unit: Unit, amount: i64) -> String {
    match unit {
        Unit::Credits => SignedCredits(amount).to_string(),
        Unit::Money(currency) => SignedMoney(amount, currency).to_string(),
    }
}

//! What is expected of sums, lots and holds.

use super::{Met, same};
use crate::amount::{Credits, SignedCredits};
use crate::balances::Balances;
use crate::command::Reply;
use crate::hold::{HoldState, Slice};
use crate::ids::AccountId;
use crate::lot::Lot;
use crate::scenario::run::Runner;
use crate::scenario::words::Words;
use crate::wallet::Wallet;

const SUMS: [&str; 9] = ["available", "held", "captured", "expired", "withdrawn", "debt", "live", "refill", "expiring"];

pub(super) fn is_sum(word: &str) -> bool {
    SUMS.contains(&word)
}

impl Runner<'_> {
    pub(super) fn sums(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let wallet = self.settled(account);
        let balances = wallet.balances(&self.book, self.now);
        while !words.is_empty() {
            sum(words, &wallet, &balances)?;
        }
        Ok(())
    }

    pub(super) fn hold(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let id = self.names.hold(account, words.next("name of a hold")?);
        let state = self.settled(account).hold(id);
        let found = match &state {
            None => "unknown",
            Some(HoldState::Open(_)) => "open",
            Some(HoldState::Captured { .. }) => "captured",
            Some(HoldState::Voided { .. }) => "voided",
            Some(HoldState::Expired) => "expired",
            Some(HoldState::Uncollected { .. }) => "uncollected",
        };
        same("hold", words.next("state")?, found)?;
        match state {
            Some(HoldState::Open(hold)) if words.take("until") => same("end", words.instant()?, hold.expires_at),
            Some(HoldState::Open(hold)) if !words.is_empty() => same("held", words.credits()?, hold.amount),
            Some(HoldState::Captured { amount } | HoldState::Uncollected { amount }) if !words.is_empty() => {
                same("amount", words.credits()?, amount)
            }
            Some(HoldState::Voided { reason }) if !words.is_empty() => {
                same("reason", words.next("reason")?.replace('-', "_"), reason)
            }
            _ => Ok(()),
        }
    }

    /// The slices of the last answer, as `LOT:CREDITS`.
    pub(super) fn slices(&self, account: AccountId, words: &mut Words<'_>) -> Met {
        let Some(outcome) = self.last.last() else { return Err("an answer is expected first".to_owned()) };
        let found: &[Slice] = match outcome.reply() {
            Some(Reply::Held(hold)) => &hold.slices,
            Some(Reply::Captured { slices, .. } | Reply::Charged { slices, .. }) => slices,
            _ => return Err("the last answer has no slices".to_owned()),
        };
        let mut expected = Vec::new();
        while !words.is_empty() {
            let word = words.next("slice")?;
            let (lot, amount) = word.split_once(':').ok_or_else(|| format!("LOT:CREDITS needed, {word:?} found"))?;
            let amount: Credits = amount.parse().map_err(|error| format!("{error}"))?;
            expected.push(Slice { lot: self.names.lot(account, lot)?, amount });
        }
        let written = |slices: &[Slice]| {
            let part = |slice: &Slice| format!("#{}:{}", slice.lot, slice.amount);
            slices.iter().map(part).collect::<Vec<_>>().join(" ")
        };
        same("slices", written(&expected), written(found))
    }

    pub(super) fn lot(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let name = words.next("name of a lot")?;
        let number = self.names.lot(account, name)?;
        let lot = self.settled(account).lot(number).ok_or_else(|| format!("no lot {name}"))?;
        while !words.is_empty() {
            part_of_lot(&lot, words).map_err(|message| format!("lot {name}: {message}"))?;
        }
        Ok(())
    }
}

/// One sum of a balance.
fn sum(words: &mut Words<'_>, wallet: &Wallet, balances: &Balances) -> Met {
    let over = |part: fn(&Lot) -> Credits| {
        let micro: i64 = wallet.lots().map(|lot| part(&lot).micro()).sum();
        SignedCredits(micro)
    };
    match words.next("sum")? {
        "available" => same("available", words.credits()?, balances.available),
        "held" => same("held", words.credits()?, balances.held),
        "captured" => same("captured", words.credits()?, over(|lot| lot.captured)),
        "expired" => same("expired", words.credits()?, over(|lot| lot.expired)),
        "withdrawn" => same("withdrawn", words.credits()?, over(|lot| lot.withdrawn)),
        "debt" => same("debt", words.credits()?, wallet.debt()),
        "live" => {
            let live = balances.lots.iter().filter(|lot| !lot.available.is_zero()).count();
            same("live lots", words.parse::<usize>("number of lots")?, live)
        }
        "refill" => {
            let found =
                balances.next_refill.map_or("none".to_owned(), |refill| format!("{} {}", refill.at, refill.credits));
            same("refill", dated(words)?, found)
        }
        "expiring" => {
            let found = balances
                .first_expiring
                .map_or("none".to_owned(), |expiring| format!("{} {}", expiring.at, expiring.credits));
            same("expiring", dated(words)?, found)
        }
        other => Err(format!("one of {} needed, {other:?} found", SUMS.join(", "))),
    }
}

/// Reads an instant and credits, or `none`.
fn dated(words: &mut Words<'_>) -> Result<String, String> {
    if words.take("none") {
        return Ok("none".to_owned());
    }
    let at = words.instant()?;
    Ok(format!("{at} {}", words.credits()?))
}

fn part_of_lot(lot: &Lot, words: &mut Words<'_>) -> Met {
    let part = words.next("part of the lot")?;
    let money = |amount: crate::Cents| lot.cost.map(|cost| crate::Money::new(amount, cost.currency));
    let written = |money: Option<crate::Money>| money.map_or("no money".to_owned(), |money| money.to_string());
    match part {
        "granted" => same(part, words.credits()?, lot.granted),
        "available" => same(part, words.credits()?, lot.available),
        "held" => same(part, words.credits()?, lot.held),
        "captured" => same(part, words.credits()?, lot.captured),
        "expired" => same(part, words.credits()?, lot.expired),
        "withdrawn" => same(part, words.credits()?, lot.withdrawn),
        "recognised" => same(part, words.money()?, written(money(lot.recognised()))),
        "deferred" => same(part, words.money()?, written(money(lot.deferred()))),
        "cost" => same(part, words.money()?, written(lot.cost)),
        "class" => same(part, words.next("class")?, lot.class),
        "source" => same(part, words.next("source")?.replace('-', "_"), lot.source.as_str()),
        "priority" => same(part, words.parse::<i8>("priority")?, lot.priority),
        "from" => same(part, words.instant()?, lot.effective_at),
        "until" => {
            let expected = if words.take("never") { "never".to_owned() } else { words.instant()?.to_string() };
            same(part, expected, lot.expires_at.map_or("never".to_owned(), |end| end.to_string()))
        }
        other => Err(format!("no part of a lot is called {other:?}")),
    }
}

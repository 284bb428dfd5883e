//! Expectations: what a line states, compared with what is.

use super::Outcome;
use super::run::Runner;
use super::words::Words;
use crate::amount::{Credits, SignedCredits, SignedMoney};
use crate::balances::Balances;
use crate::command::Reply;
use crate::history::{AsOf, balances_as_of};
use crate::hold::{HoldState, Slice};
use crate::ids::AccountId;
use crate::lot::Lot;
use crate::posting::Unit;
use crate::wallet::Wallet;

type Met = Result<(), String>;

/// Compares two values by their written form.
fn same(what: &str, expected: impl std::fmt::Display, found: impl std::fmt::Display) -> Met {
    let (expected, found) = (expected.to_string(), found.to_string());
    if expected == found { Ok(()) } else { Err(format!("{what} {expected} expected, {found} found")) }
}

impl Runner<'_> {
    pub(super) fn expect(&mut self, account: &str, words: &[&str]) -> Met {
        let account = self.names.account(account);
        let mut words = Words::new(words);
        match words.peek().unwrap_or_default() {
            "available" | "held" | "captured" | "expired" | "live" | "refill" | "expiring" => {
                let wallet = self.settled(account);
                let balances = wallet.balances(&self.book, self.now);
                while !words.is_empty() {
                    sum(&mut words, &wallet, &balances)?;
                }
            }
            _ => self.expect_other(account, &mut words)?,
        }
        words.end()
    }

    fn expect_other(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        match words.next("expectation")? {
            "refused" => self.refused(words),
            "ok" => match self.last.iter().find_map(|(_, outcome)| outcome.refusal_code()) {
                None => Ok(()),
                Some(code) => Err(format!("ok expected, {code} found")),
            },
            "replayed" => {
                let replayed = |outcome: &Outcome| matches!(outcome, Outcome::Replayed(_));
                same("replayed", true, self.last.iter().all(|(_, outcome)| replayed(outcome)))
            }
            "same" => {
                let mut answers = self.last.iter().map(|(_, outcome)| outcome.reply());
                let first = answers.next().flatten();
                same("same answers", true, first.is_some() && answers.all(|answer| answer == first))
            }
            "count" => {
                let (done, refused): (usize, usize) = (words.parse("ok")?, words.parse("refused")?);
                let found = self.last.iter().filter(|(_, outcome)| outcome.reply().is_some()).count();
                same("ok", done, found)?;
                same("refused", refused, self.last.len() - found)
            }
            "prices" => self.prices(words),
            "warning" => {
                let kind = words.next("kind of warning")?;
                let found = self.warnings.iter().any(|warning| warning.kind() == kind);
                same(&format!("warning {kind}"), true, found)
            }
            "pack" => self.pack(words),
            "hold" => self.hold(account, words),
            "slices" => self.slices(account, words),
            "lot" => self.lot(account, words),
            "entries" => {
                let expected: usize = words.parse("number of entries")?;
                same("entries", expected, self.subject.entries(account).len())
            }
            "fact" => {
                let name = words.next("name of a fact")?.replace('-', "_");
                let expected: usize = words.parse("how often")?;
                let entries = self.subject.entries(account);
                same(&name, expected, entries.iter().filter(|entry| entry.fact.name() == name).count())
            }
            "ledger" => self.ledger(account, words),
            "as" => self.as_of(account, words),
            other => Err(format!("no expectation is called {other:?}")),
        }
    }

    /// The wallet with what is due booked, without booking it.
    fn settled(&mut self, account: AccountId) -> Wallet {
        self.subject.wallet(account).settled(&self.book, self.now)
    }

    fn refused(&self, words: &mut Words<'_>) -> Met {
        let code = words.next("code of a refusal")?.replace('-', "_");
        for (_, outcome) in &self.last {
            same("refused", &code, outcome.refusal_code().unwrap_or("ok"))?;
        }
        same("an answer", true, !self.last.is_empty())
    }

    fn prices(&self, words: &mut Words<'_>) -> Met {
        match (words.next("ok or refused")?, &self.prices_refused) {
            ("ok", None) => Ok(()),
            ("ok", Some(refused)) => Err(format!("prices ok expected, refused: {refused}")),
            ("refused", None) => Err("prices refused expected, they are ok".to_owned()),
            ("refused", Some(refused)) => {
                let part = words.next("a word of the reason")?;
                same(&format!("{part:?} in {refused:?}"), true, refused.contains(part))
            }
            (other, _) => Err(format!("ok or refused needed, {other:?} found")),
        }
    }

    fn pack(&self, words: &mut Words<'_>) -> Met {
        let credits = words.credits()?;
        let number = words.next("number of packs")?;
        let number: u32 = number.trim_start_matches('x').parse().map_err(|_| format!("x7 needed, {number} found"))?;
        if !words.take("costs") {
            return Err("\"costs\" needed".to_owned());
        }
        let version = self.book.version_at(self.now).ok_or("no prices are in force")?;
        let pack = version.packs.iter().find(|pack| pack.credits == credits).ok_or("no such pack")?;
        let found = pack.price_of(number).map_or("too much to state".to_owned(), |price| price.to_string());
        same("price", words.money()?, found)
    }

    fn hold(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
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
    fn slices(&self, account: AccountId, words: &mut Words<'_>) -> Met {
        let Some((_, outcome)) = self.last.last() else { return Err("an answer is expected first".to_owned()) };
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

    fn lot(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let name = words.next("name of a lot")?;
        let number = self.names.lot(account, name)?;
        let lot = self.settled(account).lot(number).ok_or_else(|| format!("no lot {name}"))?;
        while !words.is_empty() {
            part_of_lot(&lot, words).map_err(|message| format!("lot {name}: {message}"))?;
        }
        Ok(())
    }

    /// The sum of a ledger account over the entries that are booked.
    fn ledger(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let name = words.next("name of a ledger account")?;
        let entries = self.subject.entries(account);
        let postings: Vec<_> = entries
            .iter()
            .flat_map(|entry| &entry.postings)
            .filter(|posting| posting.account.to_string() == name)
            .collect();
        let sum = |unit: Unit| -> i64 {
            postings.iter().filter(|posting| posting.unit == unit).map(|posting| posting.amount).sum()
        };
        let word = words.next("amount")?;
        if let Some(number) = word.strip_prefix('$').or_else(|| word.strip_prefix("-$")) {
            let sign = if word.starts_with('-') { "-" } else { "" };
            let currency = crate::Currency::USD;
            let found = SignedMoney(sum(Unit::Money(currency)), currency);
            return same(name, format!("{sign}{number} {currency}"), found);
        }
        same(name, word, SignedCredits(sum(Unit::Credits)))
    }

    fn as_of(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        if !words.take("of") {
            return Err("\"as of\" and an instant needed".to_owned());
        }
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
        other => Err(format!("available, held, captured, expired, live, refill or expiring needed, {other:?} found")),
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
        "recognised" => same(part, words.money()?, written(money(lot.recognised()))),
        "deferred" => same(part, words.money()?, written(money(lot.deferred()))),
        "cost" => same(part, words.money()?, written(lot.cost)),
        "class" => same(part, words.next("class")?, lot.class),
        "source" => same(part, words.next("source")?, lot.source.as_str()),
        "from" => same(part, words.instant()?, lot.effective_at),
        "until" => same(part, words.instant()?, lot.expires_at.map_or("never".to_owned(), |end| end.to_string())),
        other => Err(format!("no part of a lot is called {other:?}")),
    }
}

//! Steps: what a written command asks of which wallet.

use std::collections::HashMap;
use std::time::Duration;

use super::parse::Request;
use super::prices::plan_none;
use super::usage::parse_usage;
use super::words::Words;
use super::{Key, Step};
use crate::amount::{Cents, Credits};
use crate::budget::Spender;
use crate::command::Command;
use crate::hold::VoidReason;
use crate::idempotency::Fingerprint;
use crate::ids::{AccountId, HoldId, LotNumber};
use crate::lot::{Class, Source};
use crate::operation::Operation;
use crate::price_book::PriceBook;
use crate::quote::{ChargeMode, Quote};
use crate::time::Timestamp;

/// How long a hold lives where the line does not say.
const HOLD_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The names a scenario gives to accounts, holds and lots.
#[derive(Debug, Default)]
pub(super) struct Names {
    last_id: u128,
    pub(super) accounts: Vec<(String, AccountId)>,
    holds: HashMap<(AccountId, String), HoldId>,
    quotes: HashMap<HoldId, Quote>,
    lots: HashMap<(AccountId, String), LotNumber>,
}

impl Names {
    pub(super) fn starting_at(first_id: u128) -> Self {
        Self { last_id: first_id, ..Self::default() }
    }

    fn fresh(&mut self) -> u128 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn account(&mut self, name: &str) -> AccountId {
        if let Some((_, id)) = self.accounts.iter().find(|(other, _)| other == name) {
            return *id;
        }
        let id = AccountId::from_u128(self.fresh());
        self.accounts.push((name.to_owned(), id));
        id
    }

    pub(super) fn hold(&mut self, account: AccountId, name: &str) -> HoldId {
        let known = self.holds.get(&(account, name.to_owned())).copied();
        known.unwrap_or_else(|| {
            let id = HoldId::from_u128(self.fresh());
            self.holds.insert((account, name.to_owned()), id);
            id
        })
    }

    pub(super) fn name_lot(&mut self, account: AccountId, name: &str, lot: LotNumber) {
        self.lots.insert((account, name.to_owned()), lot);
    }

    /// Finds a lot by its name, or by its number as `#3`.
    pub(super) fn lot(&self, account: AccountId, name: &str) -> Result<LotNumber, String> {
        if let Some(number) = name.strip_prefix('#') {
            return number.parse().map(LotNumber).map_err(|_| format!("a lot such as #3 needed, {name:?} found"));
        }
        let lot = self.lots.get(&(account, name.to_owned())).copied();
        lot.ok_or_else(|| format!("no lot named {name:?} was granted"))
    }

    pub(super) fn lot_name(&self, account: AccountId, lot: LotNumber) -> Option<&str> {
        let found = self.lots.iter().find(|((owner, _), number)| *owner == account && **number == lot);
        found.map(|((_, name), _)| name.as_str())
    }
}

/// A step with the name that its lot gets, if it makes one.
pub(super) struct Written {
    pub(super) step: Step,
    pub(super) lot_name: Option<String>,
}

/// Turns a request into a step at an instant.
pub(super) fn build(
    request: &Request<'_>,
    account: AccountId,
    at: Timestamp,
    names: &mut Names,
    book: &PriceBook,
) -> Result<Written, String> {
    let mut words = Words::new(&request.words);
    let verb = words.next("verb")?;
    let mut lot_name = None;
    let command = match verb {
        "open" => Command::Open {
            plan: if words.take("plan") { words.parse("plan")? } else { plan_none() },
            sandbox: words.take("sandbox").then_some(at),
        },
        "grant" => {
            let (grant, name) = grant(&mut words, at)?;
            lot_name = Some(name);
            grant
        }
        "hold" | "charge" => {
            let (hold, quote) = priced(&mut words, account, at, names, book)?;
            if verb == "hold" {
                let timeout = if words.take("for") { words.duration()? } else { HOLD_TIMEOUT };
                Command::Hold { hold, quote, timeout, spender: Spender::NOBODY }
            } else {
                Command::Charge { charge: hold, quote, spender: Spender::NOBODY, happened_at: None, event: None }
            }
        }
        "extend" => {
            let hold = names.hold(account, words.next("hold")?);
            words.take("by");
            Command::Extend { hold, timeout: words.duration()? }
        }
        "capture" => capture(&mut words, account, names)?,
        "void" => {
            let hold = names.hold(account, words.next("hold")?);
            let reason = words.next("reason")?.replace('-', "_");
            let reason = VoidReason::ALL.into_iter().find(|known| known.as_str() == reason);
            Command::Void { hold, reason: reason.ok_or("a reason such as engine-failed needed")? }
        }
        "uncollected" => {
            let hold = names.hold(account, words.next("hold")?);
            Command::Uncollected { hold, amount: words.credits()? }
        }
        "sweep" => Command::Settle,
        other => return Err(format!("a verb such as grant, hold or capture needed, {other:?} found")),
    };
    words.end()?;
    let key = request.key.map(|key| Key {
        endpoint: verb.into(),
        key: key.into(),
        fingerprint: Fingerprint::of(request.words.iter().map(|word| word.as_bytes())),
    });
    Ok(Written { step: Step { at, account, command, key }, lot_name })
}

fn grant(words: &mut Words<'_>, at: Timestamp) -> Result<(Command, String), String> {
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
    let (mut effective_at, mut expires_at) = (at, None);
    while let Some(word) = words.peek() {
        words.next("word")?;
        match word {
            "as" => words.next("name")?.clone_into(&mut name),
            "class" => {
                let text = words.next("class")?;
                let found = Class::ALL.into_iter().find(|class| class.as_str() == text);
                class = found.ok_or_else(|| format!("free, promo or paid needed, {text:?} found"))?;
            }
            "from" => effective_at = words.instant()?,
            "until" => expires_at = Some(words.instant()?),
            "never" => expires_at = None,
            "paid" => cost = Some(words.money()?),
            "tax" => tax = words.money()?.amount,
            "priority" => priority = words.parse("priority")?,
            other => return Err(format!("from, until, paid, tax, priority or as needed, {other:?} found")),
        }
    }
    Ok((Command::Grant { class, credits, cost, effective_at, expires_at, priority, source, tax }, name))
}

/// Reads `[NAME] CREDITS`, or `[NAME] OPERATION` and what is asked of it, at its price.
fn priced(
    words: &mut Words<'_>,
    account: AccountId,
    at: Timestamp,
    names: &mut Names,
    book: &PriceBook,
) -> Result<(HoldId, Quote), String> {
    let priced = |word: &str| {
        let operation = word.parse::<Operation>().ok();
        let known = |operation: &Operation| {
            !matches!(operation, Operation::Named(_))
                || book.version_at(at).is_some_and(|version| version.operations.contains_key(operation))
        };
        word.parse::<Credits>().is_ok() || operation.is_some_and(|operation| known(&operation))
    };
    let first = words.next("name or credits")?;
    let what;
    let hold = if priced(first) {
        what = first;
        HoldId::from_u128(names.fresh())
    } else {
        what = words.next("credits or operation")?;
        names.hold(account, first)
    };
    let quote = if let Ok(amount) = what.parse::<Credits>() {
        Quote {
            version: Timestamp::EPOCH,
            operation: Operation::Generate,
            count: 1,
            unit: amount,
            included: 1,
            charge: ChargeMode::PerOperation,
            amount,
            rule: 0,
            base: Credits::ZERO,
        }
    } else {
        let operation: Operation = what.parse().map_err(|error| format!("{error}"))?;
        let usage = parse_usage(operation, words)?;
        book.quote(&usage, at).map_err(|error| error.to_string())?
    };
    names.quotes.entry(hold).or_insert_with(|| quote.clone());
    Ok((hold, quote))
}

/// Reads `NAME CREDITS`, `NAME all` or `NAME delivered COUNT`.
fn capture(words: &mut Words<'_>, account: AccountId, names: &mut Names) -> Result<Command, String> {
    let name = words.next("hold")?;
    let hold = names.hold(account, name);
    let quote = names.quotes.get(&hold).cloned();
    let quoted = || quote.clone().ok_or_else(|| format!("{name:?} was not held before"));
    if words.take("all") {
        return Ok(Command::Capture { hold, amount: quoted()?.amount });
    }
    if words.take("delivered") {
        let delivered: u32 = words.parse("number of pictures")?;
        return Ok(match quoted()?.for_delivered(delivered) {
            Some(amount) => Command::Capture { hold, amount },
            None => Command::Void { hold, reason: VoidReason::Shortfall },
        });
    }
    Ok(Command::Capture { hold, amount: words.credits()? })
}

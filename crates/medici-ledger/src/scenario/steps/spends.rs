//! Writing what spends credits, and what gives spent ones back.

use std::time::Duration;

use super::Desk;
use crate::amount::Credits;
use crate::budget::Spender;
use crate::command::Command;
use crate::entry::{Entry, Fact, MeterEvent};
use crate::give_back::{Capture, GiveBackReason};
use crate::hold::VoidReason;
use crate::ids::HoldId;
use crate::operation::Operation;
use crate::quote::{ChargeMode, Meters, Quote, Usage};
use crate::scenario::usage::{parse_meters, parse_usage};
use crate::scenario::words::Words;
use crate::time::Timestamp;

/// How long a hold lives where the line does not say.
const HOLD_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// What is to be spent: an amount, or what something costs.
enum Price {
    Credits(Credits),
    Of(Usage),
}

impl Desk<'_> {
    /// Reads `[NAME] PRICE [for DURATION] [by …]`.
    pub(super) fn hold(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let (hold, price) = self.priced(words)?;
        let (mut timeout, mut spender) = (HOLD_TIMEOUT, Spender::NOBODY);
        while let Some(word) = words.peek() {
            match word {
                "for" => timeout = words.after("for", Words::duration)?,
                "by" => spender = self.spender(words)?,
                _ => break,
            }
        }
        let at = self.wallet().own_time(self.at);
        let quote = self.quote(hold, &price, at)?;
        Ok(Command::Hold { hold, quote, timeout, spender })
    }

    /// Reads `[NAME] PRICE [by …] [at INSTANT] [event ID [METER=COUNT …]]`.
    pub(super) fn charge(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let (charge, price) = self.priced(words)?;
        let (mut spender, mut happened_at, mut event) = (Spender::NOBODY, None, None);
        while let Some(word) = words.peek() {
            match word {
                "by" => spender = self.spender(words)?,
                "at" => happened_at = Some(words.after("at", Words::instant)?),
                "event" => event = Some(meter_event(&price, words)?),
                _ => break,
            }
        }
        // Usage that is late but not too late costs what it cost when it happened.
        let at = self.wallet().usage_instant(self.book, happened_at, self.at);
        let quote = self.quote(charge, &price, at)?;
        Ok(Command::Charge { charge, quote, spender, happened_at, event })
    }

    /// Reads `by [member NAME] [api-key NAME]`.
    fn spender(&mut self, words: &mut Words<'_>) -> Result<Spender, String> {
        words.next("by")?;
        let mut spender = Spender::NOBODY;
        loop {
            if words.take("member") {
                spender.member = Some(self.names.member(self.account, words.next("member")?));
            } else if words.take("api-key") {
                spender.key = Some(self.names.api_key(self.account, words.next("API key")?));
            } else if spender == Spender::NOBODY {
                return Err("\"member\" or \"api-key\" and a name needed".to_owned());
            } else {
                return Ok(spender);
            }
        }
    }

    /// Reads `[NAME] CREDITS`, or `[NAME] OPERATION` and what is asked of it.
    fn priced(&mut self, words: &mut Words<'_>) -> Result<(HoldId, Price), String> {
        let versions = self.book.versions();
        let sold = |operation: &Operation| versions.iter().any(|version| version.operations.contains_key(operation));
        let priced = |word: &str| {
            let operation = word.parse::<Operation>().ok();
            let known = |operation: &Operation| !matches!(operation, Operation::Named(_)) || sold(operation);
            word.parse::<Credits>().is_ok() || operation.is_some_and(|operation| known(&operation))
        };
        let first = words.next("name or credits")?;
        let (hold, what) = if priced(first) {
            (HoldId::from_u128(self.names.fresh()), first)
        } else {
            (self.names.hold(self.account, first), words.next("credits or operation")?)
        };
        let price = match what.parse::<Credits>() {
            Ok(amount) => Price::Credits(amount),
            Err(_) => Price::Of(parse_usage(what.parse().map_err(|error| format!("{error}"))?, words)?),
        };
        Ok((hold, price))
    }

    fn quote(&mut self, hold: HoldId, price: &Price, at: Timestamp) -> Result<Quote, String> {
        let quote = match price {
            Price::Of(usage) => self.book.quote(usage, at).map_err(|error| error.to_string())?,
            Price::Credits(amount) => Quote {
                version: Timestamp::EPOCH,
                operation: Operation::Generate,
                count: 1,
                unit: *amount,
                included: 1,
                charge: ChargeMode::PerOperation,
                amount: *amount,
                rule: 0,
                base: Credits::ZERO,
            },
        };
        self.names.quotes.entry(hold).or_insert_with(|| quote.clone());
        Ok(quote)
    }

    /// Reads `NAME CREDITS`, `NAME all` or `NAME delivered COUNT`.
    pub(super) fn capture(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let name = words.next("hold")?;
        let hold = self.names.hold(self.account, name);
        let quote = self.names.quotes.get(&hold).cloned();
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

    /// Reads `NAME CREDITS|all service-fault|goodwill`. What was captured is looked up in the journal.
    pub(super) fn give_back(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let hold = self.names.hold(self.account, words.next("hold")?);
        let capture = captured(hold, &self.subject.entries(self.account));
        let amount = if words.take("all") {
            let given = self.wallet().given_back(hold);
            capture.amount().checked_sub(given).expect("at most what was captured is given back")
        } else {
            words.credits()?
        };
        Ok(Command::GiveBack { capture, amount, reason: words.one_of(&GiveBackReason::ALL, GiveBackReason::as_str)? })
    }
}

fn meter_event(price: &Price, words: &mut Words<'_>) -> Result<MeterEvent, String> {
    words.next("event")?;
    let id = words.parse("name of the event")?;
    let mut quantities: Meters = parse_meters(words)?.into();
    if let (true, Price::Of(usage)) = (quantities.is_empty(), price) {
        quantities.clone_from(&usage.meters);
    }
    Ok(MeterEvent { id, quantities })
}

/// Returns what a hold or charge captured, as its account's entries have it; nothing if it captured nothing.
fn captured(hold: HoldId, entries: &[Entry]) -> Capture {
    let mut capture = Capture {
        hold,
        operation: Operation::Generate,
        slices: Vec::new(),
        spender: Spender::NOBODY,
        admitted_at: Timestamp::EPOCH,
    };
    for entry in entries.iter().filter(|entry| entry.fact.hold() == Some(hold)) {
        match &entry.fact {
            Fact::Held { quote, spender, .. } | Fact::Charged { quote, spender, .. } => {
                capture.operation = quote.operation.clone();
                capture.spender = *spender;
                capture.admitted_at = entry.recorded_at;
            }
            _ => {}
        }
        if let Fact::Captured { captured: slices, .. } | Fact::Charged { slices, .. } = &entry.fact {
            capture.slices.clone_from(slices);
        }
    }
    capture
}

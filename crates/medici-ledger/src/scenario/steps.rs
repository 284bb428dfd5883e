//! Steps: what a written command asks of which wallet.

mod agreed;
mod grants;
mod orders;
mod spends;

use super::names::Names;
use super::parse::Request;
use super::words::Words;
use super::{Key, Step, Subject};
use crate::command::Command;
use crate::hold::VoidReason;
use crate::idempotency::Fingerprint;
use crate::ids::AccountId;
use crate::price_book::PriceBook;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// Where a command is written: by which account, when, with which names and prices known.
pub(super) struct Desk<'r> {
    pub(super) subject: &'r mut dyn Subject,
    pub(super) names: &'r mut Names,
    pub(super) book: &'r PriceBook,
    pub(super) account: AccountId,
    pub(super) at: Timestamp,
}

/// A step with the name that its lot gets, if it makes one.
pub(super) struct Written {
    pub(super) step: Step,
    pub(super) lot_name: Option<String>,
    /// Why there is nothing to ask: what is wished for is not sold.
    pub(super) refused: Option<Refusal>,
}

/// What a line's words ask, before it is anybody's step.
enum Asked {
    Command(Command),
    /// A command whose lot gets a name.
    Granting(Command, String),
    Refused(Refusal),
}

impl Desk<'_> {
    /// Turns a request into a step.
    pub(super) fn build(&mut self, request: &Request<'_>) -> Result<Written, String> {
        let mut words = Words::new(&request.words);
        let verb = words.next("verb")?;
        let asked = self.asked(verb, &mut words)?;
        words.end()?;
        let key = request.key.map(|key| Key {
            endpoint: verb.into(),
            key: key.into(),
            fingerprint: Fingerprint::of(request.words.iter().map(|word| word.as_bytes())),
        });
        let step = |command| Step { at: self.at, account: self.account, command, key };
        Ok(match asked {
            Asked::Command(command) => Written { step: step(command), lot_name: None, refused: None },
            Asked::Granting(command, name) => Written { step: step(command), lot_name: Some(name), refused: None },
            Asked::Refused(refusal) => Written { step: step(Command::Settle), lot_name: None, refused: Some(refusal) },
        })
    }

    fn asked(&mut self, verb: &str, words: &mut Words<'_>) -> Result<Asked, String> {
        let command = match verb {
            "open" => self.open(words)?,
            "grant" => return self.grant(words),
            "withdraw" => self.withdraw(words)?,
            "hold" => self.hold(words)?,
            "charge" => self.charge(words)?,
            "extend" => {
                let hold = self.names.hold(self.account, words.next("hold")?);
                words.take("by");
                Command::Extend { hold, timeout: words.duration()? }
            }
            "capture" => self.capture(words)?,
            "void" => {
                let hold = self.names.hold(self.account, words.next("hold")?);
                let reason = words.one_of(&VoidReason::ALL, VoidReason::as_str)?;
                Command::Void { hold, reason }
            }
            "uncollected" => {
                let hold = self.names.hold(self.account, words.next("hold")?);
                Command::Uncollected { hold, amount: words.credits()? }
            }
            "give-back" => self.give_back(words)?,
            "sweep" => Command::Settle,
            "order" => return self.order(words),
            "pay" => return self.pay(words),
            "invoice" => return self.invoice(words),
            "cancel" => Command::CancelOrder { order: self.names.order(self.account, words.next("order")?) },
            "refund" => self.refund(words)?,
            "reverse" => self.reverse(words)?,
            "plan" => return self.plan(words),
            "join" => return self.join(words),
            "budget" => self.budget(words)?,
            "override" => override_terms(words)?,
            "alert" => Command::SetAlert { below: words.unless_none(Words::credits)? },
            "clock" => self.clock(words)?,
            other => return Err(format!("a verb such as grant, hold or capture needed, {other:?} found")),
        };
        Ok(Asked::Command(command))
    }

    fn wallet(&mut self) -> Wallet {
        self.subject.wallet(self.account)
    }
}

use agreed::override_terms;

//! Expectations: what a line states, compared with what is.

mod agreed;
mod journal;
mod lots;
mod orders;

use super::Outcome;
use super::run::Runner;
use super::steps::Desk;
use super::words::Words;
use crate::ids::AccountId;
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
        if words.peek().is_some_and(lots::is_sum) {
            self.sums(account, &mut words)?;
        } else {
            self.expect_other(account, &mut words)?;
        }
        words.end()
    }

    pub(super) fn expect_legs(&mut self, account: &str, words: &[&str], legs: &[Vec<&str>]) -> Met {
        let account = self.names.account(account);
        let mut words = Words::new(words);
        self.legs(account, words.next("name of a fact")?, legs)?;
        words.end()
    }

    fn expect_other(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        match words.next("expectation")? {
            "refused" => self.refused(words),
            "ok" => match self.last.iter().find_map(Outcome::refusal_code) {
                None => Ok(()),
                Some(code) => Err(format!("ok expected, {code} found")),
            },
            "replayed" => {
                let replayed = |outcome: &Outcome| matches!(outcome, Outcome::Replayed(_));
                same("replayed", true, self.last.iter().all(replayed))
            }
            "same" => {
                let mut answers = self.last.iter().map(Outcome::reply);
                let first = answers.next().flatten();
                same("same answers", true, first.is_some() && answers.all(|answer| answer == first))
            }
            "count" => {
                let (done, refused): (usize, usize) = (words.parse("ok")?, words.parse("refused")?);
                let found = self.last.iter().filter(|outcome| outcome.reply().is_some()).count();
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
            "order" => self.order(account, words),
            "budget" => self.budget(account, words),
            "plan" => self.plan(account, words),
            "cohort" => self.cohort(account, words),
            "alert" => self.alert(account, words),
            "clock" => self.clock(account, words),
            "entries" => {
                let expected: usize = words.parse("number of entries")?;
                same("entries", expected, self.subject.entries(account).len())
            }
            "fact" => self.fact(account, words),
            "ledger" => self.ledger(account, words),
            "statement" => self.statement(account, words),
            "as" => self.as_of(account, words),
            other => Err(format!("no expectation is called {other:?}")),
        }
    }

    /// The wallet with what is due booked, without booking it.
    fn settled(&mut self, account: AccountId) -> Wallet {
        self.subject.wallet(account).settled(&self.book, self.now)
    }

    fn desk(&mut self, account: AccountId) -> Desk<'_> {
        let Self { subject, names, book, now: at, .. } = self;
        Desk { subject: &mut **subject, names, book, account, at: *at }
    }

    fn refused(&self, words: &mut Words<'_>) -> Met {
        let code = words.next("code of a refusal")?.replace('-', "_");
        for outcome in &self.last {
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
}

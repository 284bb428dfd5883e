//! Words: the tokens of one line, taken from the front, each parsed as what must stand there.

use std::str::FromStr;
use std::time::Duration;

use crate::amount::{Credits, Currency, Money};
use crate::calendar::Months;
use crate::posting::Unit;
use crate::time::Timestamp;

/// The rest of a line. Errors are messages; the caller knows the line.
#[derive(Clone)]
pub(super) struct Words<'a> {
    words: &'a [&'a str],
}

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [&'a str]) -> Self {
        Self { words }
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.words.first().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn rest(&self) -> &'a [&'a str] {
        self.words
    }

    pub(super) fn next(&mut self, what: &str) -> Result<&'a str, String> {
        let (first, rest) = self.words.split_first().ok_or_else(|| format!("{what} needed, the line ends"))?;
        self.words = rest;
        Ok(first)
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    /// Takes the next word, which must be this one.
    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) { Ok(()) } else { Err(format!("{word:?} needed")) }
    }

    pub(super) fn parse<T: FromStr>(&mut self, what: &str) -> Result<T, String>
    where
        T::Err: std::fmt::Display,
    {
        let word = self.next(what)?;
        word.parse().map_err(|error| format!("{what}: {error}"))
    }

    /// Takes a word that must be the name of one of these; `-` and `_` are the same.
    pub(super) fn one_of<T: Copy>(&mut self, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
        let names = || all.iter().map(|one| name(*one).replace('_', "-")).collect::<Vec<_>>().join(", ");
        let Some(word) = self.peek() else { return Err(format!("one of {} needed, the line ends", names())) };
        let found = all.iter().find(|one| name(**one) == word.replace('-', "_"));
        let found = *found.ok_or_else(|| format!("one of {} needed, {word:?} found", names()))?;
        self.words = &self.words[1..];
        Ok(found)
    }

    /// Takes the word `none`, or what the reader reads.
    pub(super) fn unless_none<T>(&mut self, read: fn(&mut Self) -> Result<T, String>) -> Result<Option<T>, String> {
        if self.take("none") { Ok(None) } else { read(self).map(Some) }
    }

    /// Takes a word that is there, and what the reader reads after it.
    pub(super) fn after<T>(&mut self, word: &str, read: fn(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.next(word)?;
        read(self)
    }

    pub(super) fn credits(&mut self) -> Result<Credits, String> {
        self.parse("credits")
    }

    /// `$15.00`, `€15.00`, `15.00USD` or `15.00 USD`.
    pub(super) fn money(&mut self) -> Result<Money, String> {
        let word = self.next("money")?;
        let text = match word.find(|letter: char| letter.is_ascii_uppercase()) {
            Some(place) => format!("{} {}", &word[..place], &word[place..]),
            None if word.starts_with('$') => word.to_owned(),
            None if word.starts_with('€') => format!("{} EUR", word.trim_start_matches('€')),
            None => format!("{word} {}", self.next("currency")?),
        };
        text.parse().map_err(|error| format!("money: {error}"))
    }

    /// Credits (`-15`) or money (`-$15.00`, `15.00 EUR`) with a sign, in micro-credits or minor units.
    pub(super) fn signed(&mut self) -> Result<(Unit, i64), String> {
        let word = self.next("amount")?;
        let (sign, rest) = word.strip_prefix('-').map_or((1, word), |rest| (-1, rest));
        let coded = |word: &str| word.parse::<Currency>().is_ok();
        let is_money = rest.starts_with(['$', '€']) || rest.len() > 3 && coded(&rest[rest.len() - 3..]);
        if is_money || self.peek().is_some_and(coded) {
            let mut words = vec![rest];
            if !is_money {
                words.push(self.next("currency")?);
            }
            let money = Words::new(&words).money()?;
            return Ok((Unit::Money(money.currency), sign * money.amount.minor()));
        }
        let credits: Credits = rest.parse().map_err(|error| format!("credits or money: {error}"))?;
        Ok((Unit::Credits, sign * credits.micro()))
    }

    /// `2026-11-30`, `2026-11-30 23:59:00` or RFC 3339.
    pub(super) fn instant(&mut self) -> Result<Timestamp, String> {
        let date = self.next("instant")?;
        let text = match self.peek().filter(|word| is_time_of_day(word)) {
            Some(time) => {
                self.words = &self.words[1..];
                format!("{date} {time}")
            }
            None => date.to_owned(),
        };
        text.parse().map_err(|error| format!("{error}"))
    }

    /// `30s`, `15m`, `24h`, `7d`.
    pub(super) fn duration(&mut self) -> Result<Duration, String> {
        let word = self.next("duration")?;
        parse_duration(word).ok_or_else(|| format!("a duration such as 15m needed, {word:?} found"))
    }

    /// `+30s`, `+7d`.
    pub(super) fn later(&mut self) -> Result<Duration, String> {
        let word = self.next("instant")?;
        let later = word.strip_prefix('+').and_then(parse_duration);
        later.ok_or_else(|| format!("a duration such as +15m needed, {word} found"))
    }

    /// `1 month`, `12 months`.
    pub(super) fn months(&mut self) -> Result<Months, String> {
        let number: u16 = self.parse("months")?;
        let unit = self.next("\"months\"")?;
        if !matches!(unit, "month" | "months") {
            return Err(format!("\"months\" needed, {unit:?} found"));
        }
        Months::new(number).ok_or_else(|| format!("1 to {} months needed, {number} found", crate::calendar::MONTHS_MAX))
    }

    pub(super) fn end(&self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(format!("the line should end before {word:?}")),
        }
    }
}

fn parse_duration(word: &str) -> Option<Duration> {
    let (number, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

pub(super) fn is_date(word: &str) -> bool {
    word.len() >= 10 && word.as_bytes()[4] == b'-' && word[..4].bytes().all(|byte| byte.is_ascii_digit())
}

fn is_time_of_day(word: &str) -> bool {
    word.len() >= 5 && word.as_bytes()[2] == b':' && word[..2].bytes().all(|byte| byte.is_ascii_digit())
}

//! Words: the tokens of one line, taken from the front, each parsed as what must stand there.

use std::str::FromStr;
use std::time::Duration;

use crate::amount::{Credits, Money};
use crate::calendar::Months;
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

    pub(super) fn parse<T: FromStr>(&mut self, what: &str) -> Result<T, String>
    where
        T::Err: std::fmt::Display,
    {
        let word = self.next(what)?;
        word.parse().map_err(|error| format!("{what}: {error}"))
    }

    pub(super) fn credits(&mut self) -> Result<Credits, String> {
        self.parse("credits")
    }

    /// `$15.00` or `15.00USD` or `15.00 USD`.
    pub(super) fn money(&mut self) -> Result<Money, String> {
        let word = self.next("money")?;
        let text = match word.find(|letter: char| letter.is_ascii_uppercase()) {
            Some(place) => format!("{} {}", &word[..place], &word[place..]),
            None if word.starts_with('$') => word.to_owned(),
            None => format!("{word} {}", self.next("currency")?),
        };
        text.parse().map_err(|error| format!("money: {error}"))
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

pub(super) fn parse_duration(word: &str) -> Option<Duration> {
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

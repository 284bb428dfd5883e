//! Parsing: lines into directives. What a line means is decided when it runs.

use std::time::Duration;

use super::ScenarioError;
use super::prices::{PricesBlock, parse_price_line};
use super::words::{Words, is_date};
use crate::time::Timestamp;

/// The account of lines that name none.
pub(super) const DEFAULT_ACCOUNT: &str = "main";
/// The most steps one line or block may stand for.
const TIMES_MAX: u32 = 10_000;

#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) when: When,
    pub(super) account: &'a str,
    pub(super) what: What<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// As the line before.
    Same,
    At(Timestamp),
    Later(Duration),
}

#[derive(Clone, Debug)]
pub(super) enum What<'a> {
    Command(Request<'a>),
    Together(Vec<(&'a str, Request<'a>)>),
    Prices(PricesBlock),
    Sweeper(bool),
    Crash,
    Expect(Vec<&'a str>),
    /// The legs of the last entry of a kind: its name, and a leg a line.
    ExpectLegs(Vec<&'a str>, Vec<Vec<&'a str>>),
    /// Only time passes.
    Nothing,
}

/// A command as written, possibly several times over.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub(super) number: usize,
    pub(super) times: u32,
    pub(super) words: Vec<&'a str>,
    pub(super) key: Option<&'a str>,
}

pub(super) fn parse(text: &str) -> Result<Vec<Line<'_>>, ScenarioError> {
    let mut numbered = text.lines().zip(1..).map(|(line, number)| (number, split(line)));
    let mut lines = Vec::new();
    while let Some((number, words)) = numbered.next() {
        if words.is_empty() {
            continue;
        }
        let error = |message| ScenarioError { line: number, message };
        let (mut line, words) = parse_head(number, &words).map_err(error)?;
        line.what = match words.first().copied() {
            None => What::Nothing,
            Some("expect") if words.get(1) == Some(&"legs") => {
                let legs = block_lines(&mut numbered, number)?;
                What::ExpectLegs(words[2..].to_vec(), legs.into_iter().map(|(_, leg)| leg).collect())
            }
            Some("expect") => What::Expect(words[1..].to_vec()),
            Some("crash") if words.len() == 1 => What::Crash,
            Some("sweeper") => match words[1..] {
                ["on"] => What::Sweeper(true),
                ["off"] => What::Sweeper(false),
                _ => return Err(error("\"sweeper on\" or \"sweeper off\" needed".to_owned())),
            },
            Some("prices") => {
                let mut block = PricesBlock::begin(&mut Words::new(&words[1..])).map_err(error)?;
                for (number, words) in block_lines(&mut numbered, number)? {
                    parse_price_line(&mut block, &mut Words::new(&words))
                        .map_err(|message| ScenarioError { line: number, message })?;
                }
                What::Prices(block)
            }
            Some("together") if words.len() == 1 => {
                let mut block = Vec::new();
                for (number, words) in block_lines(&mut numbered, number)? {
                    let error = |message| ScenarioError { line: number, message };
                    let (inner, words) = parse_head(number, &words).map_err(error)?;
                    if !matches!(inner.when, When::Same) {
                        return Err(error("lines of a block have the block's instant".to_owned()));
                    }
                    block.push((inner.account, parse_request(number, words).map_err(error)?));
                }
                What::Together(block)
            }
            Some(_) => What::Command(parse_request(number, words).map_err(error)?),
        };
        lines.push(line);
    }
    Ok(lines)
}

/// Splits a line into words, up to a comment. `#3` is a lot, not a comment, and `#3:1` a slice.
fn split(line: &str) -> Vec<&str> {
    let is_comment = |word: &&str| {
        word.strip_prefix('#').is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_ascii_digit()))
    };
    line.split_whitespace().take_while(|word| !is_comment(word)).collect()
}

type Numbered<'a> = (usize, Vec<&'a str>);

/// Takes the lines up to `end`.
fn block_lines<'a>(
    lines: &mut impl Iterator<Item = Numbered<'a>>,
    begin: usize,
) -> Result<Vec<Numbered<'a>>, ScenarioError> {
    let mut block = Vec::new();
    for (number, words) in lines {
        match words.as_slice() {
            [] => {}
            ["end"] => return Ok(block),
            _ => block.push((number, words)),
        }
    }
    Err(ScenarioError { line: begin, message: "the block has no \"end\"".to_owned() })
}

/// Takes the instant and the account from the front of a line.
fn parse_head<'a>(number: usize, words: &[&'a str]) -> Result<(Line<'a>, Vec<&'a str>), String> {
    let mut rest = Words::new(words);
    let mut when = When::Same;
    if rest.peek().is_some_and(is_date) {
        when = When::At(rest.instant()?);
    } else if rest.peek().is_some_and(|word| word.starts_with('+')) {
        when = When::Later(rest.later()?);
    }
    // Borrow the words from the text, not from the list of them.
    let taken = words.len() - rest.rest().len();
    let mut words = words[taken..].to_vec();
    let mut account = DEFAULT_ACCOUNT;
    if let Some(name) = words.first().and_then(|word| word.strip_prefix('@')) {
        account = name;
        words.remove(0);
    }
    Ok((Line { number, when, account, what: What::Nothing }, words))
}

fn parse_request<'a>(number: usize, mut words: Vec<&'a str>) -> Result<Request<'a>, String> {
    let mut times = 1;
    if words.get(1) == Some(&"times") {
        times = words[0]
            .parse()
            .ok()
            .filter(|times| (1..=TIMES_MAX).contains(times))
            .ok_or_else(|| format!("1 to {TIMES_MAX} times needed, {:?} found", words[0]))?;
        words.drain(..2);
    }
    let mut key = None;
    if let Some(place) = words.iter().position(|word| *word == "key") {
        let [_, name] = words[place..] else {
            return Err("one key at the end of the line needed".to_owned());
        };
        key = Some(name);
        words.truncate(place);
    }
    if words.is_empty() {
        return Err("a verb needed, the line ends".to_owned());
    }
    Ok(Request { number, times, words, key })
}

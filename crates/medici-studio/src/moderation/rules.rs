//! The built-in moderator: rules in a file, each of words and patterns that mean a category.
//!
//! Every key is described in `docs/operate/moderation.md`.

use std::{collections::BTreeSet, ops::Range};

use regex::{RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Moderator, NotJudged, Verdict, Zeal,
    fold::{Folded, spelt},
    matching::{Found, Part, Phrases},
};

/// The rules that Medici comes with: what may not be drawn anywhere.
const BUILT_IN: &str = include_str!("../../moderation/built-in.toml");

/// The largest file of rules, in bytes.
const FILE_BYTES_MAX: usize = 4 << 20;
/// The most rules of a list.
const RULES_MAX: usize = 1_000;
/// The longest phrase, in words; in scripts without spaces, in letters.
const PHRASE_WORDS_MAX: usize = 16;
/// The longest pattern, in characters.
const PATTERN_CHARS_MAX: usize = 1_000;
/// What one pattern may take when it is compiled, in bytes, and all of them together.
const PATTERN_BYTES_MAX: (usize, usize) = (256 << 10, 16 << 20);
/// The longest name of a category.
const CATEGORY_CHARS_MAX: usize = 64;

/// A list of rules. A prompt is looked at once, however many there are.
pub struct RuleList {
    rules: Vec<Rule>,
    plain: Phrases,
    disguised: Phrases,
    patterns: RegexSet,
    /// The rule of each pattern.
    pattern_rules: Vec<usize>,
}

/// A rule, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it finds, such as `violence`.
    pub category: String,
    /// The language it is written for, if it says. It counts for every prompt all the same.
    pub locale: Option<String>,
    /// With [`Zeal::Auto`], a request that asks for [`Zeal::Low`] skips it.
    pub zeal: Zeal,
    /// How many words and phrases it looks for.
    pub words: usize,
    /// How many patterns.
    pub patterns: usize,
    /// How many words make what it looks for count; without any, it always does.
    pub with: usize,
    /// Whether it comes with Medici.
    pub built_in: bool,
}

/// Why a file of rules is refused.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is not TOML, or has a key that does not exist.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// A value is not what it should be.
    #[error("line {line}: {problem}")]
    Value {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// There is too much of something.
    #[error("up to {max} {what} can be, {found} found")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        max: usize,
        /// How many there are.
        found: usize,
    },
    /// The patterns are too large taken together.
    #[error("the patterns together are too large")]
    PatternsTooLarge,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    /// Whether the rules that Medici comes with are kept.
    #[serde(default = "kept")]
    built_in: bool,
    #[serde(default)]
    rule: Vec<RuleFile>,
}

fn kept() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    category: Spanned<String>,
    locale: Option<Spanned<String>>,
    zeal: Option<Spanned<String>>,
    #[serde(default)]
    words: Vec<Spanned<String>>,
    #[serde(default)]
    patterns: Vec<Spanned<String>>,
    #[serde(default)]
    with: Vec<Spanned<String>>,
}

impl RuleList {
    /// Returns the rules that Medici comes with.
    ///
    /// # Panics
    /// If the built-in file is refused, which a test would have shown.
    #[must_use]
    pub fn built_in() -> Self {
        let mut list = Building::default();
        list.read_built_in();
        list.end().expect("the built-in patterns are few")
    }

    /// Reads a file of rules. The built-in ones are kept unless it says `built_in = false`.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(RulesError::TooMany { what: "bytes", max: FILE_BYTES_MAX, found: text.len() });
        }
        let file: RulesFile = toml::from_str(text)?;
        let mut list = Building::default();
        if file.built_in {
            list.read_built_in();
        }
        list.read(text, file.rule, false)?;
        list.end()
    }

    /// Returns the rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Judges words.
    #[must_use]
    pub fn judge(&self, words: &str, zeal: Zeal) -> Verdict {
        let text = Folded::of(words);
        let mut found = Found::nothing(self.rules.len());
        self.plain.find(&text.words, &mut found);
        self.disguised.find(&text.disguised, &mut found);
        for word in spelt(&text.disguised) {
            self.disguised.find_word(&word, &mut found);
        }
        for pattern in self.patterns.matches(&text.plain) {
            found.sought[self.pattern_rules[pattern]] = true;
        }
        let counts = |(at, rule): &(usize, &Rule)| {
            found.sought[*at]
                && (rule.with == 0 || found.company[*at])
                && (rule.zeal == Zeal::Low || zeal == Zeal::Auto)
        };
        let broken = self.rules.iter().enumerate().filter(counts);
        let categories: BTreeSet<String> = broken.map(|(_, rule)| rule.category.clone()).collect();
        if categories.is_empty() {
            Verdict::Clear
        } else {
            Verdict::Blocked { categories: categories.into_iter().collect() }
        }
    }
}

#[async_trait::async_trait]
impl Moderator for RuleList {
    async fn words(&self, words: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        Ok(self.judge(words, zeal))
    }

    async fn picture(&self, _: &[u8], _: &str, _: Zeal) -> Result<Verdict, NotJudged> {
        Ok(Verdict::Clear)
    }

    fn judges_pictures(&self) -> bool {
        false
    }
}

/// A list that is being put together.
#[derive(Default)]
struct Building {
    rules: Vec<Rule>,
    plain: Phrases,
    disguised: Phrases,
    patterns: Vec<String>,
    pattern_rules: Vec<usize>,
}

impl Building {
    fn read_built_in(&mut self) {
        let file: RulesFile = toml::from_str(BUILT_IN).expect("the built-in rules are TOML");
        self.read(BUILT_IN, file.rule, true).expect("the built-in rules are good");
    }

    fn read(&mut self, text: &str, rules: Vec<RuleFile>, built_in: bool) -> Result<(), RulesError> {
        let found = self.rules.len() + rules.len();
        if found > RULES_MAX {
            return Err(RulesError::TooMany { what: "rules", max: RULES_MAX, found });
        }
        for rule in rules {
            self.add(rule, built_in).map_err(|(span, problem)| {
                let line = 1 + text[..span.start].matches('\n').count();
                RulesError::Value { line, problem }
            })?;
        }
        Ok(())
    }

    fn add(&mut self, file: RuleFile, built_in: bool) -> Result<(), (Range<usize>, String)> {
        let at = self.rules.len();
        let category = file.category.get_ref();
        let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '/');
        if category.is_empty() || category.len() > CATEGORY_CHARS_MAX || !category.chars().all(named) {
            let problem = format!(
                "a category of 1 to {CATEGORY_CHARS_MAX} small letters, digits and -, _ or / needed, {category:?} found"
            );
            return Err((file.category.span(), problem));
        }
        if file.words.is_empty() && file.patterns.is_empty() {
            return Err((file.category.span(), "a rule needs words or patterns".to_owned()));
        }
        for word in &file.words {
            self.phrase(word, Part::Sought(at))?;
        }
        for word in &file.with {
            self.phrase(word, Part::Company(at))?;
        }
        for pattern in &file.patterns {
            check_pattern(pattern.get_ref()).map_err(|problem| (pattern.span(), problem))?;
            self.patterns.push(pattern.get_ref().clone());
            self.pattern_rules.push(at);
        }
        self.rules.push(Rule {
            category: category.clone(),
            locale: file.locale.map(locale).transpose()?,
            zeal: file.zeal.map_or(Ok(Zeal::Low), zeal)?,
            words: file.words.len(),
            patterns: file.patterns.len(),
            with: file.with.len(),
            built_in,
        });
        Ok(())
    }

    fn phrase(&mut self, phrase: &Spanned<String>, part: Part) -> Result<(), (Range<usize>, String)> {
        let folded = Folded::of(phrase.get_ref());
        let (plain, disguised) = (folded.words, folded.disguised);
        if plain.is_empty() || plain.len() > PHRASE_WORDS_MAX {
            let problem = format!("1 to {PHRASE_WORDS_MAX} words needed, {} found", plain.len());
            return Err((phrase.span(), problem));
        }
        self.plain.add(&plain, part);
        if !disguised.is_empty() {
            self.disguised.add(&disguised, part);
        }
        Ok(())
    }

    fn end(self) -> Result<RuleList, RulesError> {
        let Self { rules, plain, disguised, patterns, pattern_rules } = self;
        let set = RegexSetBuilder::new(patterns).size_limit(PATTERN_BYTES_MAX.1).build();
        // Each of them was compiled alone before, so what is left to go wrong is their size.
        let patterns = set.map_err(|_| RulesError::PatternsTooLarge)?;
        Ok(RuleList { rules, plain, disguised, patterns, pattern_rules })
    }
}

/// Refuses a pattern that cannot be compiled, or that finds something in every prompt.
fn check_pattern(pattern: &str) -> Result<(), String> {
    let chars = pattern.chars().count();
    if chars > PATTERN_CHARS_MAX {
        return Err(format!("a pattern may have {PATTERN_CHARS_MAX} characters, {chars} found"));
    }
    let compiled = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX.0).build();
    match compiled {
        Ok(compiled) if compiled.is_match("") => Err("the pattern finds something in every prompt".to_owned()),
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err("the pattern is too large".to_owned()),
        // The parser draws an arrow under the place on lines of its own; the last line is what is wrong.
        Err(failure) => {
            let text = failure.to_string();
            let problem = text.lines().last().unwrap_or_default();
            Err(format!("not a pattern: {}", problem.trim_start_matches("error: ")))
        }
    }
}

fn zeal(name: Spanned<String>) -> Result<Zeal, (Range<usize>, String)> {
    match name.get_ref().as_str() {
        "auto" => Ok(Zeal::Auto),
        "low" => Ok(Zeal::Low),
        other => Err((name.span(), format!("a zeal of \"auto\" or \"low\" needed, {other:?} found"))),
    }
}

fn locale(name: Spanned<String>) -> Result<String, (Range<usize>, String)> {
    let part = |part: &str| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    if name.get_ref().split('-').all(part) {
        Ok(name.into_inner())
    } else {
        let problem = format!("a locale such as \"de\" or \"pt-BR\" needed, {:?} found", name.get_ref());
        Err((name.span(), problem))
    }
}

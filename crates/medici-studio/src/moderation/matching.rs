//! Finding the words of many rules in one pass over a text.

use std::collections::HashMap;

/// Words and phrases, each of which belongs to a rule.
#[derive(Default)]
pub(super) struct Phrases(HashMap<String, Vec<Phrase>>);

struct Phrase {
    /// The words after the first.
    rest: Vec<String>,
    part: Part,
}

/// The part that a phrase has in a rule.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// It is what the rule looks for.
    Sought(usize),
    /// It makes what the rule looks for count.
    Company(usize),
}

/// Which parts of which rules were found.
pub(super) struct Found {
    pub(super) sought: Vec<bool>,
    pub(super) company: Vec<bool>,
}

impl Found {
    pub(super) fn nothing(rules: usize) -> Self {
        Self { sought: vec![false; rules], company: vec![false; rules] }
    }

    fn note(&mut self, part: Part) {
        match part {
            Part::Sought(rule) => self.sought[rule] = true,
            Part::Company(rule) => self.company[rule] = true,
        }
    }
}

impl Phrases {
    /// Adds a phrase of at least one word.
    pub(super) fn add(&mut self, words: &[String], part: Part) {
        let (first, rest) = words.split_first().expect("a phrase has a word");
        self.0.entry(first.clone()).or_default().push(Phrase { rest: rest.to_vec(), part });
    }

    /// Notes every phrase that is in the text.
    pub(super) fn find(&self, text: &[String], found: &mut Found) {
        for (at, word) in text.iter().enumerate() {
            for phrase in self.0.get(word).into_iter().flatten() {
                if text[at + 1..].starts_with(&phrase.rest) {
                    found.note(phrase.part);
                }
            }
        }
    }

    /// Notes every phrase that is just this word.
    pub(super) fn find_word(&self, word: &str, found: &mut Found) {
        for phrase in self.0.get(word).into_iter().flatten().filter(|phrase| phrase.rest.is_empty()) {
            found.note(phrase.part);
        }
    }
}

//! The names the pocket model knows: concepts, their keywords, plain words, and the word table for the rest.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use serde::Deserialize;
use tokenizers::Tokenizer;

use super::prior::{Pieces, Prior, Table};
use super::weights::LoadError;
use super::words::{misspelt, normal, singulars};

const PLAIN_WORDS: &str = include_str!("plain_words.txt");

/// How near a keyword must be to a label for the label to be a picture of the word. Below it are the
/// keywords that people search emoji by ("democracy" for a ballot box), not what is to be seen on them.
const KEYWORD_NEAR: f32 = 0.45;
/// How near two words of one piece must be to count as the same thing.
const SYNONYM_NEAR: f32 = 0.75;
/// How near a name must be to be worth offering instead of an unknown word of one piece, or of several: the
/// mean of several pieces says more about spelling than about meaning.
const OFFER_NEAR: (f32, f32) = (0.38, 0.55);

/// The number of a concept.
pub(super) type ConceptId = usize;

/// One thing the model was shown, or that it was not.
#[derive(Deserialize)]
pub(super) struct Concept {
    pub(super) label: String,
    keywords: Vec<String>,
    trained: bool,
}

#[derive(Deserialize)]
struct File {
    concepts: Vec<Concept>,
}

/// What is known of a word or phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// It is drawn as one of these, best first. Never empty.
    Drawn(Vec<ConceptId>),
    /// It cannot be drawn; the nearest that can.
    Absent(Option<ConceptId>),
}

/// All names, and the means to compare words.
pub(super) struct Names {
    concepts: Vec<Concept>,
    /// Trained labels, in their own form and with the last word singular.
    by_label: HashMap<String, ConceptId>,
    /// Trained labels by their last word.
    by_head: HashMap<String, Vec<ConceptId>>,
    by_keyword: HashMap<String, Vec<ConceptId>>,
    /// Labels the model was never shown.
    untrained: HashSet<String>,
    plain: HashMap<String, Knowledge>,
    tokenizer: Tokenizer,
    /// Directions of the trained labels in the word table, made when first needed.
    directions: OnceLock<Vec<(ConceptId, bool, Vec<f32>)>>,
}

impl Names {
    pub(super) fn new(json: &[u8], tokenizer: &[u8]) -> Result<Self, LoadError> {
        let concepts = serde_json::from_slice::<File>(json)?.concepts;
        let mut tokenizer =
            Tokenizer::from_bytes(tokenizer).map_err(|error| LoadError::Tokenizer(error.to_string()))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| LoadError::Tokenizer(error.to_string()))?;
        let mut names = Self {
            concepts,
            by_label: HashMap::new(),
            by_head: HashMap::new(),
            by_keyword: HashMap::new(),
            untrained: HashSet::new(),
            plain: HashMap::new(),
            tokenizer,
            directions: OnceLock::new(),
        };
        names.index();
        names.plain = plain_rules(&names.by_label);
        Ok(names)
    }

    fn index(&mut self) {
        for (id, concept) in self.concepts.iter().enumerate() {
            let label = normal(&concept.label);
            if !concept.trained {
                self.untrained.extend(singulars(&label));
                self.untrained.insert(label);
                continue;
            }
            let head = label.rsplit(' ').next().expect("a split has a last part").to_owned();
            for form in singulars(&head) {
                self.by_head.entry(form).or_default().push(id);
            }
            self.by_head.entry(head).or_default().push(id);
            for keyword in &concept.keywords {
                self.by_keyword.entry(normal(keyword)).or_default().push(id);
            }
            for form in singulars(&label) {
                self.by_label.entry(form).or_insert(id);
            }
            // Its own form beats the singular of another's.
            self.by_label.insert(label, id);
        }
    }

    pub(super) fn concept(&self, id: ConceptId) -> &Concept {
        &self.concepts[id]
    }

    /// Returns the concepts the model was shown.
    pub(super) fn trained(&self) -> impl Iterator<Item = ConceptId> {
        (0..self.concepts.len()).filter(|id| self.concepts[*id].trained)
    }

    /// Returns the trained concept of exactly this label.
    pub(super) fn labelled(&self, label: &str) -> Option<ConceptId> {
        self.by_label.get(label).copied()
    }

    /// Returns whether a phrase of several words is one name, such as "bow and arrow".
    pub(super) fn is_name(&self, phrase: &str) -> bool {
        self.by_label.contains_key(phrase) || self.plain.contains_key(phrase)
    }

    /// Returns whether a concept goes by a word, in its label or among its keywords.
    pub(super) fn goes_by(&self, id: ConceptId, word: &str) -> bool {
        let concept = &self.concepts[id];
        normal(&concept.label).split(' ').any(|part| part == word) || concept.keywords.iter().any(|k| k == word)
    }

    /// Returns the trained concepts whose label ends with a word.
    pub(super) fn headed(&self, head: &str) -> &[ConceptId] {
        self.by_head.get(head).map_or(&[], Vec::as_slice)
    }

    /// Returns the word pieces of a text, as the prior wants them.
    pub(super) fn pieces(&self, text: &str) -> Pieces {
        match self.tokenizer.encode(text, false) {
            Ok(encoding) => encoding.get_ids().to_vec(),
            // WordPiece has a piece for the unknown; the library's error is for models that lack one.
            Err(error) => panic!("the tokenizer takes any text: {error}"),
        }
    }

    /// Looks a normal phrase up among names alone: plain words, labels, and keywords of several words.
    pub(super) fn named(&self, phrase: &str) -> Option<Knowledge> {
        let forms = || std::iter::once(phrase.to_owned()).chain(singulars(phrase));
        if let Some(rule) = forms().find_map(|form| self.plain.get(&form)) {
            return Some(rule.clone());
        }
        if let Some(id) = forms().find_map(|form| self.by_label.get(&form)) {
            return Some(Knowledge::Drawn(vec![*id]));
        }
        let keyword = forms().find_map(|form| self.by_keyword.get(&form)).filter(|_| phrase.contains(' '));
        keyword.map(|ids| Knowledge::Drawn(vec![ids[0]]))
    }

    /// Looks one normal word up: by name, by the last word of labels, by keyword, by meaning.
    pub(super) fn word(&self, word: &str, prior: &Prior) -> Knowledge {
        if let Some(known) = self.named(word) {
            return known;
        }
        let table = prior.table();
        let forms: Vec<String> = std::iter::once(word.to_owned()).chain(singulars(word)).collect();
        let direction = self.direction(word, table);
        if forms.iter().any(|form| self.untrained.contains(form)) {
            return Knowledge::Absent(self.nearest(word, &direction, table));
        }
        let near = |id: &ConceptId| cosine(&direction, &self.direction(&self.concepts[*id].label, table));
        for form in &forms {
            let shortest = self.headed(form).iter().min_by_key(|id| self.concepts[**id].label.split(' ').count());
            if let Some(id) = shortest {
                return Knowledge::Drawn(vec![*id]);
            }
        }
        for form in &forms {
            let best = self.by_keyword.get(form).into_iter().flatten().map(|id| (near(id), *id));
            if let Some((_, id)) = best.filter(|(near, _)| *near >= KEYWORD_NEAR).max_by(|a, b| a.0.total_cmp(&b.0)) {
                return Knowledge::Drawn(vec![id]);
            }
        }
        if self.pieces(word).len() == 1 {
            let best = self.by_direction(&direction, table).filter(|(_, single, _)| *single);
            if let Some((_, _, id)) =
                best.filter(|(near, _, _)| *near >= SYNONYM_NEAR).max_by(|a, b| a.0.total_cmp(&b.0))
            {
                return Knowledge::Drawn(vec![id]);
            }
        }
        Knowledge::Absent(self.nearest(word, &direction, table))
    }

    fn nearest(&self, word: &str, direction: &[f32], table: &Table) -> Option<ConceptId> {
        let single = self.pieces(word).len() == 1;
        if !single && let Some(id) = self.meant(word) {
            return Some(id);
        }
        let offer = if single { OFFER_NEAR.0 } else { OFFER_NEAR.1 };
        // Names that share a piece with the word are near by spelling: "tram" and "trampoline".
        let pieces = self.pieces(word);
        let shares =
            |id: ConceptId| !single && self.pieces(&self.concepts[id].label).iter().any(|piece| pieces.contains(piece));
        let all = self.by_direction(direction, table).filter(|(_, _, id)| !shares(*id));
        let best = all.max_by(|a, b| a.0.total_cmp(&b.0));
        best.filter(|(near, _, _)| *near >= offer).map(|(_, _, id)| id)
    }

    /// Returns the name that a word of several pieces, and so no common one, may be a misspelling of.
    fn meant(&self, word: &str) -> Option<ConceptId> {
        let plain = self.plain.iter().filter_map(|(name, known)| match known {
            Knowledge::Drawn(ids) => Some((name, ids[0])),
            Knowledge::Absent(_) => None,
        });
        let names = self.by_label.iter().map(|(name, id)| (name, *id)).chain(plain);
        // The smallest by spelling, since maps have no order of their own.
        names.filter(|(name, _)| misspelt(word, name)).min().map(|(_, id)| id)
    }

    /// Returns every trained concept with how near its label is and whether the label is one piece.
    fn by_direction(&self, to: &[f32], table: &Table) -> impl Iterator<Item = (f32, bool, ConceptId)> {
        let directions = self.directions.get_or_init(|| {
            let trained = self.concepts.iter().enumerate().filter(|(_, concept)| concept.trained);
            trained.map(|(id, c)| (id, self.pieces(&c.label).len() == 1, self.direction(&c.label, table))).collect()
        });
        directions.iter().map(move |(id, single, direction)| (cosine(to, direction), *single, *id))
    }

    /// Returns the mean of a text's word vectors, normed to length 1 (or zeros for no pieces).
    fn direction(&self, text: &str, table: &Table) -> Vec<f32> {
        let mut sum: Vec<f32> = Vec::new();
        for piece in self.pieces(text) {
            sum.resize(table.row(piece).count(), 0.0);
            sum.iter_mut().zip(table.row(piece)).for_each(|(sum, v)| *sum += v);
        }
        let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
        sum.iter_mut().for_each(|v| *v /= length.max(f32::MIN_POSITIVE));
        sum
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn plain_rules(labels: &HashMap<String, ConceptId>) -> HashMap<String, Knowledge> {
    let label = |text: &str| {
        let found = labels.get(&normal(text));
        *found.unwrap_or_else(|| panic!("plain_words.txt names the label {text:?}, which the model was not shown"))
    };
    let lines = PLAIN_WORDS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            if let Some((word, drawn)) = line.split_once(" = ") {
                (normal(word), Knowledge::Drawn(drawn.split('|').map(label).collect()))
            } else {
                let (word, near) = line.split_once('~').expect("a rule of plain_words.txt holds = or ~");
                let near = Some(near.trim()).filter(|near| !near.is_empty());
                (normal(word), Knowledge::Absent(near.map(label)))
            }
        })
        .collect()
}

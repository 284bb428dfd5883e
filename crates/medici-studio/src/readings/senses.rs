//! The built-in planner: a table of ambiguous words, and looks for whatever a short prompt leaves open.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Planner;

/// The table that Medici comes with.
const TABLE: &str = include_str!("../../readings/senses.toml");
/// The most words of a prompt that is read in several ways; articles do not count. Whoever writes more means it.
const WORDS_MAX: usize = 4;
const ARTICLES: [&str; 3] = ["a", "an", "the"];

/// Ambiguous words with their senses, and looks.
pub struct Senses {
    /// Words that may stand beside an ambiguous one without settling what it means.
    neutral: HashSet<String>,
    looks: Looks,
    senses: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    neutral: HashSet<String>,
    looks: Looks,
    senses: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Looks {
    styles: Vec<String>,
    scenes: Vec<String>,
    /// Words by which a prompt says its style.
    style_said: HashSet<String>,
    /// Words by which it says what surrounds its subject.
    scene_said: HashSet<String>,
}

impl Senses {
    /// Returns the table that Medici comes with.
    ///
    /// # Panics
    /// If the table is refused, which a test would have shown.
    #[must_use]
    pub fn built_in() -> Self {
        let Table { neutral, looks, senses } = toml::from_str(TABLE).expect("the table of senses is good");
        Self { neutral, looks, senses }
    }

    /// Returns every ambiguous word with its senses.
    pub fn words(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.senses.iter().map(|(word, senses)| (word.as_str(), senses.as_slice()))
    }

    /// Returns a reading for each of `count` pictures, or none; see [`Planner::readings`].
    #[must_use]
    pub fn find(&self, prompt: &str, count: u32, seed: u64) -> Vec<String> {
        let text = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.trim_end_matches(|c: char| c.is_ascii_punctuation()).trim_end();
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let counted = words.iter().filter(|word| !ARTICLES.contains(word)).count();
        if counted == 0 || counted > WORDS_MAX {
            return Vec::new();
        }
        let said = |list: &HashSet<String>| words.iter().any(|word| list.contains(*word));
        let (style_open, scene_open) = (!said(&self.looks.style_said), !said(&self.looks.scene_said));
        let subjects = self.subjects(&words).unwrap_or_else(|| vec![text.to_owned()]);
        if subjects.len() < 2 && !style_open && !scene_open {
            return Vec::new();
        }
        let subjects = shuffled(&subjects, "subjects", text, seed);
        let styles = shuffled(&self.looks.styles, "styles", text, seed);
        let scenes = shuffled(&self.looks.scenes, "scenes", text, seed);
        let reading = |at: usize| {
            let mut reading = subjects[at % subjects.len()].clone();
            if scene_open {
                reading = format!("{reading} {}", scenes[at % scenes.len()]);
            }
            if style_open {
                reading = format!("{reading}, {}", styles[at % styles.len()]);
            }
            reading
        };
        (0..usize::try_from(count).expect("32 bits fit a usize")).map(reading).collect()
    }

    /// Returns what an ambiguous prompt may mean: its words with each sense of one of them in its place. `None` where
    /// there is no such word, or another one settles it.
    fn subjects(&self, words: &[&str]) -> Option<Vec<String>> {
        // The last one is what a phrase is about: an orange bat is a bat.
        let at = words.iter().rposition(|word| self.senses.contains_key(*word))?;
        let settled = words.iter().enumerate().any(|(other, word)| other != at && !self.neutral.contains(*word));
        if settled {
            return None;
        }
        let with = |sense: &String| {
            let kept = words.iter().enumerate().filter(|(_, word)| !ARTICLES.contains(word));
            let words: Vec<&str> = kept.map(|(other, word)| if other == at { sense.as_str() } else { *word }).collect();
            words.join(" ")
        };
        Some(self.senses[words[at]].iter().map(with).collect())
    }
}

#[async_trait::async_trait]
impl Planner for Senses {
    async fn readings(&self, prompt: &str, count: u32, seed: u64) -> Vec<String> {
        self.find(prompt, count, seed)
    }
}

/// Returns a list in an order that depends on its name, the prompt and the seed alone.
fn shuffled(list: &[String], name: &str, prompt: &str, seed: u64) -> Vec<String> {
    let mut list = list.to_vec();
    let digest = Sha256::new().chain_update(name).chain_update(seed.to_le_bytes()).chain_update(prompt).finalize();
    // 32 bytes are enough for lists this short, and a bias of some percent is none to the eye.
    for (last, byte) in (1..list.len()).rev().zip(digest) {
        list.swap(last, usize::from(byte) % (last + 1));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn senses() -> Senses {
        Senses::built_in()
    }

    #[test]
    fn an_ambiguous_word_is_read_in_each_of_its_senses() {
        let readings = senses().find("a red bat", 4, 1);
        let of = |sense: &str| readings.iter().filter(|reading| reading.starts_with(sense)).count();
        assert_eq!((of("red bat "), of("red cricket game ")), (2, 2), "{readings:?}");
    }

    #[test]
    fn a_word_that_another_settles_has_one_sense() {
        for prompt in ["baseball bat", "a bat in a cave", "jaguar in the jungle"] {
            let readings = senses().find(prompt, 4, 1);
            assert!(readings.iter().all(|reading| reading.starts_with(prompt)), "{readings:?}");
        }
    }

    #[test]
    fn a_plain_prompt_is_read_in_several_looks() {
        let readings = senses().find("  A red\nfox. ", 4, 1);
        assert_eq!(readings.len(), 4);
        assert!(readings.iter().all(|reading| reading.starts_with("A red fox ")), "{readings:?}");
        let mut different = readings.clone();
        different.dedup();
        assert_eq!(different.len(), 4, "{readings:?}");
    }

    #[test]
    fn what_a_prompt_says_stays_as_it_is() {
        let styled = senses().find("a fox, flat icon", 4, 1);
        assert!(styled.iter().all(|reading| !reading.contains("3d") && reading.contains("flat icon ")), "{styled:?}");
        let placed = senses().find("a fox on grass", 4, 1);
        assert!(placed.iter().all(|reading| reading.starts_with("a fox on grass, ")), "{placed:?}");
        assert!(senses().find("flat fox on grass", 4, 1).is_empty());
    }

    #[test]
    fn long_and_empty_prompts_are_drawn_as_they_are() {
        for prompt in ["", " ", "?!", "the a", "a small red fox that sleeps under a tree", "bat and ball and net and"] {
            assert!(senses().find(prompt, 4, 1).is_empty(), "{prompt}");
        }
    }

    #[test]
    fn more_readings_begin_with_those_of_fewer_and_other_seeds_have_others() {
        for prompt in ["a bat", "a red fox", "mint"] {
            let ten = senses().find(prompt, 10, 7);
            assert_eq!(ten.len(), 10);
            for count in 0..10 {
                assert_eq!(senses().find(prompt, count, 7)[..], ten[..count as usize], "{prompt}");
            }
            assert_ne!(senses().find(prompt, 10, 8), ten, "{prompt}");
            let different: HashSet<&String> = ten.iter().collect();
            assert_eq!(different.len(), 10, "{ten:?}");
        }
    }
}

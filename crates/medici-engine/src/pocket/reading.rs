//! How each picture of a prompt reads it: what the prompt leaves open is decided here, differently for each.

use super::colour::Colour;
use super::names::{ConceptId, Names};
use super::noise::{Chance, Stream};
use super::prompt::{Style, Subject, Thing, Wish};
use super::scene::Arrangement;
use super::words::normal;

/// The words for each look, as the model learnt them. Neighbours in a batch get different ones.
const SOLID: [&str; 4] = ["3d render", "glossy 3d", "3d icon", "3d"];
const FLAT: [&str; 4] = ["flat icon", "flat vector", "flat illustration", "flat"];

/// Quiet backdrops, all different, so that any ten pictures differ; each name reads back as its colour.
const BACKDROPS: [(&str, [u8; 3]); 10] = [
    ("white", [255, 255, 255]),
    ("light blue", [175, 215, 250]),
    ("beige", [240, 225, 200]),
    ("mint", [190, 235, 210]),
    ("lavender", [215, 200, 245]),
    ("peach", [253, 205, 175]),
    ("pale yellow", [254, 237, 172]),
    ("pale pink", [252, 212, 227]),
    ("silver", [200, 203, 210]),
    ("pale teal", [162, 217, 217]),
];

/// Things with writing or a fixed direction on them, which a mirror would spoil.
const NEVER_MIRRORED: [&str; 14] = [
    "hundred points",
    "zzz",
    "calendar",
    "tear-off calendar",
    "spiral calendar",
    "musical score",
    "musical note",
    "musical notes",
    "stop sign",
    "1st place medal",
    "2nd place medal",
    "3rd place medal",
    "pool 8 ball",
    "dollar banknote",
];

/// Names that are also keywords of something else (a banana of the monkey), with words that are not.
const CLEARER: [(&str, &str); 3] =
    [("banana", "banana fruit plantain"), ("bird", "bird animal ornithology"), ("spider", "spider animal insect")];

/// What one picture is to show.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// The words for the model, one caption a layer.
    pub(super) captions: Vec<String>,
    /// A colour the subject of a layer must have.
    pub(super) colours: Vec<Option<Colour>>,
    pub(super) arrangement: Arrangement,
    pub(super) backdrop: [u8; 3],
    pub(super) mirrored: bool,
    /// Whether nothing is behind the layers.
    pub(super) transparent: bool,
    /// The choices in words, where the prompt left any.
    pub(super) said: Option<String>,
}

/// What a seed offers where prompts leave something open: a choice a picture.
pub(super) struct Choices {
    backdrops: [(&'static str, [u8; 3]); 10],
    flat_first: usize,
    first_word: usize,
    mirrors: [bool; 5],
}

impl Choices {
    pub(super) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed, Stream::Choices);
        let mut backdrops = BACKDROPS;
        chance.shuffle(&mut backdrops);
        let flat_first = chance.below(2);
        let first_word = chance.below(SOLID.len());
        let mut mirrors = [true, false, true, false, false];
        chance.shuffle(&mut mirrors);
        Self { backdrops, flat_first, first_word, mirrors }
    }

    /// Returns the backdrop of picture `at`, by name and colour.
    pub(super) fn backdrop(&self, at: usize) -> (&'static str, [u8; 3]) {
        self.backdrops[at % self.backdrops.len()]
    }

    /// Returns the words for picture `at` in a look.
    pub(super) fn word(&self, style: Style, at: usize) -> &'static str {
        let word = (self.first_word + at) % SOLID.len();
        match style {
            Style::Solid => SOLID[word],
            Style::Flat => FLAT[word],
        }
    }
}

/// Reads a wish for picture `index` of a seed. Depends on nothing else.
pub(super) fn take(wish: &Wish, names: &Names, seed: u64, index: u32, transparent: bool) -> Reading {
    let at = usize::try_from(index).expect("32 bits fit a usize");
    let choices = Choices::of(seed);
    let style =
        wish.style.unwrap_or(if (at + choices.flat_first).is_multiple_of(2) { Style::Solid } else { Style::Flat });
    // Two looks taking turns use up a list at half the pace of one that is asked for.
    let style_word = choices.word(style, if wish.style.is_some() { at } else { at / 2 });
    let chosen: Vec<Option<ConceptId>> = wish.subjects.iter().map(|subject| sense(subject, at)).collect();
    let labels: Vec<&str> = chosen.iter().flatten().map(|id| names.concept(*id).label.as_str()).collect();
    let open = choices.backdrop(at);
    let mirrors = choices.mirrors[at % choices.mirrors.len()];
    let mirrored = wish.mirrored.unwrap_or(mirrors && labels.iter().all(|label| may_mirror(label)));
    let mut name = String::new();
    if let ([subject], [label]) = (wish.subjects.as_slice(), labels.as_slice())
        && let Thing::Known(ids) = &subject.thing
        && (ids.len() > 1 || !wish.unknown.is_empty())
    {
        let colour = subject.colour.as_ref().map_or(String::new(), |colour| format!("{} ", colour.name));
        name = format!("{colour}{label}");
    }
    let said = Said {
        name: &name,
        style: if wish.style.is_none() { style_word } else { "" },
        backdrop: if wish.backdrop.is_none() && !transparent { open.0 } else { "" },
        mirrored: mirrored && wish.mirrored.is_none(),
    };
    let layers = || wish.subjects.iter().zip(&chosen);
    Reading {
        captions: layers().map(|(subject, id)| caption(subject, *id, names, style_word)).collect(),
        colours: layers().map(|(subject, id)| wanted_colour(subject, *id, names)).collect(),
        arrangement: wish.arrangement,
        backdrop: wish.backdrop.as_ref().map_or(open.1, |colour| colour.rgb),
        mirrored,
        transparent,
        said: said.text(),
    }
}

/// What the engine chose for a picture; empty is what it did not.
#[derive(Default)]
pub(super) struct Said<'a> {
    pub(super) name: &'a str,
    pub(super) style: &'a str,
    pub(super) backdrop: &'a str,
    pub(super) mirrored: bool,
}

impl Said<'_> {
    /// Returns the choices as a person would ask for them.
    pub(super) fn text(&self) -> Option<String> {
        let mut text = self.style.to_owned();
        if !self.backdrop.is_empty() {
            text += if text.is_empty() { "on a " } else { " on a " };
            text += self.backdrop;
            text += " background";
        }
        let mirrored = if self.mirrored { "mirrored" } else { "" };
        let parts = [self.name, &text, mirrored].into_iter().filter(|part| !part.is_empty());
        Some(parts.collect::<Vec<_>>().join(", ")).filter(|said| !said.is_empty())
    }
}

/// Returns whether a thing is still itself in a mirror.
pub(super) fn may_mirror(label: &str) -> bool {
    !NEVER_MIRRORED.contains(&label)
}

/// Returns which of a subject's senses picture `at` shows: two pictures each where there are two, so that
/// both are seen in both looks; else one after the other.
fn sense(subject: &Subject, at: usize) -> Option<ConceptId> {
    match &subject.thing {
        Thing::Known(ids) => Some(ids[if ids.len() == 2 { at / 2 % 2 } else { at % ids.len() }]),
        Thing::Words(_) => None,
    }
}

/// Returns the words for the model, `style` first if there is one. The subject's colour is not among them: it is
/// painted on afterwards.
///
/// The style stands in front and the name twice: of 384 flat pictures of twelve animals and things, 370 were
/// of the right one so, and 331 with the name once; behind the name, the style pulls some more away.
pub(super) fn caption(subject: &Subject, id: Option<ConceptId>, names: &Names, style: &str) -> String {
    let words = match (&subject.thing, id) {
        (_, Some(id)) => {
            let label = &names.concept(id).label;
            match CLEARER.iter().find(|(unclear, _)| unclear == label) {
                Some((_, clearer)) => (*clearer).to_owned(),
                // Sixteen pieces count: a long label is clear enough once.
                None if label.split(' ').count() > 3 => label.clone(),
                None => format!("{label} {label}"),
            }
        }
        (Thing::Words(words), _) => words.clone(),
        (Thing::Known(_), None) => panic!("a known thing has a sense"),
    };
    if style.is_empty() { words } else { format!("{style} {words}") }
}

/// Returns the colour a subject must be given, unless its own name says it.
pub(super) fn wanted_colour(subject: &Subject, id: Option<ConceptId>, names: &Names) -> Option<Colour> {
    let named = |colour: &Colour| {
        id.is_some_and(|id| normal(&names.concept(id).label).split(' ').any(|word| word == colour.name))
    };
    subject.colour.clone().filter(|colour| !named(colour))
}

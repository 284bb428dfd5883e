//! How each picture of a prompt reads it: what the prompt leaves open is decided here, differently for each.

use super::colour::Colour;
use super::names::{ConceptId, Names};
use super::noise::{Chance, Stream};
use super::prompt::{Style, Subject, Thing, Wish};
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
    pub(super) backdrop: [u8; 3],
    pub(super) mirrored: bool,
    /// The choices in words, where the prompt left any.
    pub(super) said: Option<String>,
}

/// Reads a wish for picture `index` of a seed. Depends on nothing else.
pub(super) fn take(wish: &Wish, names: &Names, seed: u64, index: u32, transparent: bool) -> Reading {
    let at = usize::try_from(index).expect("32 bits fit a usize");
    let mut chance = Chance::new(seed, Stream::Choices);
    let mut backdrops = BACKDROPS;
    chance.shuffle(&mut backdrops);
    let flat_first = chance.below(2);
    let first_word = chance.below(SOLID.len());
    let mut mirrors = [true, false, true, false, false];
    chance.shuffle(&mut mirrors);

    let style = wish.style.unwrap_or(if (at + flat_first).is_multiple_of(2) { Style::Solid } else { Style::Flat });
    // Two looks taking turns use up a list at half the pace of one that is asked for.
    let word = (first_word + if wish.style.is_some() { at } else { at / 2 }) % SOLID.len();
    let style_word = match style {
        Style::Solid => SOLID[word],
        Style::Flat => FLAT[word],
    };
    let chosen: Vec<Option<ConceptId>> = wish.subjects.iter().map(|subject| sense(subject, at)).collect();
    let labels: Vec<&str> = chosen.iter().flatten().map(|id| names.concept(*id).label.as_str()).collect();
    let open = &backdrops[at % backdrops.len()];
    let fixed = labels.iter().any(|label| NEVER_MIRRORED.contains(label));
    let mirrored = wish.mirrored.unwrap_or(mirrors[at % mirrors.len()] && !fixed);

    let captions =
        wish.subjects.iter().zip(&chosen).map(|(subject, id)| caption(subject, *id, names, style_word)).collect();
    let mut said = String::new();
    if let ([subject], [label]) = (wish.subjects.as_slice(), labels.as_slice())
        && let Thing::Known(ids) = &subject.thing
        && (ids.len() > 1 || !wish.unknown.is_empty())
    {
        let colour = subject.colour.as_ref().map_or(String::new(), |colour| format!("{} ", colour.name));
        said = format!("{colour}{label}, ");
    }
    if wish.style.is_none() {
        said += style_word;
    }
    if wish.backdrop.is_none() && !transparent {
        let article = if said.is_empty() || said.ends_with(", ") { "on a" } else { " on a" };
        said += &format!("{article} {} background", open.0);
    }
    if mirrored && wish.mirrored.is_none() {
        let comma = if said.is_empty() || said.ends_with(", ") { "" } else { ", " };
        said += &format!("{comma}mirrored");
    }
    let said = said.trim_end_matches(", ").to_owned();
    Reading {
        captions,
        colours: wish.subjects.iter().zip(&chosen).map(|(subject, id)| wanted_colour(subject, *id, names)).collect(),
        backdrop: wish.backdrop.as_ref().map_or(open.1, |colour| colour.rgb),
        mirrored,
        said: Some(said).filter(|said| !said.is_empty()),
    }
}

/// Returns which of a subject's senses picture `at` shows: two pictures each where there are two, so that
/// both are seen in both looks; else one after the other.
fn sense(subject: &Subject, at: usize) -> Option<ConceptId> {
    match &subject.thing {
        Thing::Known(ids) => Some(ids[if ids.len() == 2 { at / 2 % 2 } else { at % ids.len() }]),
        Thing::Words(_) => None,
    }
}

/// Returns the words for the model. The subject's colour is not among them: it is painted on afterwards.
///
/// The style stands in front and the name twice: of 384 flat pictures of twelve animals and things, 370 were
/// of the right one so, and 331 with the name once; behind the name, the style pulls some more away.
fn caption(subject: &Subject, id: Option<ConceptId>, names: &Names, style: &str) -> String {
    match (&subject.thing, id) {
        (_, Some(id)) => {
            let label = &names.concept(id).label;
            if let Some((_, clearer)) = CLEARER.iter().find(|(unclear, _)| unclear == label) {
                return format!("{style} {clearer}");
            }
            // Sixteen pieces count: a long label is clear enough once.
            if label.split(' ').count() <= 3 { format!("{style} {label} {label}") } else { format!("{style} {label}") }
        }
        (Thing::Words(words), _) => format!("{style} {words}"),
        (Thing::Known(_), None) => panic!("a known thing has a sense"),
    }
}

/// Returns the colour a subject must be given, unless its own name says it.
fn wanted_colour(subject: &Subject, id: Option<ConceptId>, names: &Names) -> Option<Colour> {
    let named = |colour: &Colour| {
        id.is_some_and(|id| normal(&names.concept(id).label).split(' ').any(|word| word == colour.name))
    };
    subject.colour.clone().filter(|colour| !named(colour))
}

//! What a prompt asks for: subjects and how they stand, backdrop, style; and which words say nothing to the model.

use super::colour::{self, Colour};
use super::names::{ConceptId, Knowledge, Names};
use super::prior::Prior;
use super::scene::Arrangement;
use super::words::{normal, singulars};

/// The most subjects of one picture; what is asked for beyond them is left out.
pub(super) const SUBJECTS_MAX: usize = 9;

/// A prompt, understood as far as it goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    /// At least one.
    pub(super) subjects: Vec<Subject>,
    pub(super) arrangement: Arrangement,
    pub(super) backdrop: Option<Colour>,
    pub(super) transparent: bool,
    pub(super) style: Option<Style>,
    pub(super) mirrored: Option<bool>,
    /// How many words that carry meaning were understood.
    pub(super) known: usize,
    /// The others, each with the nearest name.
    pub(super) unknown: Vec<(String, Option<String>)>,
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subject {
    pub(super) thing: Thing,
    pub(super) colour: Option<Colour>,
}

/// What a subject is to the model.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Thing {
    /// A concept it knows; several are several readings of the word.
    Known(Vec<ConceptId>),
    /// Words it may make something of.
    Words(String),
}

/// The two looks the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Solid,
    Flat,
}

impl Style {
    /// Returns the other of the two.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Solid => Self::Flat,
            Self::Flat => Self::Solid,
        }
    }
}

impl Wish {
    /// Returns whether it was read from no words at all.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.subjects.as_slice(), [Subject { thing: Thing::Words(words), .. }] if words.is_empty())
    }
}

const STYLES: [(&str, Style); 17] = [
    ("glossy 3d render", Style::Solid),
    ("3d render", Style::Solid),
    ("3d rendering", Style::Solid),
    ("3d icon", Style::Solid),
    ("glossy 3d", Style::Solid),
    ("3d model", Style::Solid),
    ("3d", Style::Solid),
    ("glossy", Style::Solid),
    ("flat icon", Style::Flat),
    ("flat vector", Style::Flat),
    ("flat illustration", Style::Flat),
    ("flat design", Style::Flat),
    ("vector art", Style::Flat),
    ("vector", Style::Flat),
    ("flat", Style::Flat),
    ("clipart", Style::Flat),
    ("clip art", Style::Flat),
];

/// Looks the model does not know, with the one that is nearest.
const FOREIGN_STYLES: [(&str, &str); 22] = [
    ("oil painting", "flat illustration"),
    ("pixel art", "flat icon"),
    ("pencil drawing", "flat illustration"),
    ("line art", "flat icon"),
    ("watercolor", "flat illustration"),
    ("watercolour", "flat illustration"),
    ("photorealistic", "3d render"),
    ("photographic", "3d render"),
    ("photograph", "3d render"),
    ("photo", "3d render"),
    ("realistic", "3d render"),
    ("hyperrealistic", "3d render"),
    ("claymation", "3d render"),
    ("anime", "flat illustration"),
    ("manga", "flat illustration"),
    ("sketch", "flat illustration"),
    ("comic", "flat illustration"),
    ("impressionist", "flat illustration"),
    ("cubist", "flat illustration"),
    ("surreal", "flat illustration"),
    ("cyberpunk", "3d render"),
    ("steampunk", "3d render"),
];

/// What surroundings come to, since the model draws no scenes.
const SURROUNDINGS: [(&str, &str); 15] = [
    ("at night", "navy"),
    ("in the night", "navy"),
    ("in the dark", "black"),
    ("in outer space", "black"),
    ("in space", "black"),
    ("in the sky", "sky blue"),
    ("in the snow", "white"),
    ("in snow", "white"),
    ("on grass", "green"),
    ("on the grass", "green"),
    ("in the sea", "teal"),
    ("in the ocean", "teal"),
    ("under water", "teal"),
    ("underwater", "teal"),
    ("at sunset", "orange"),
];

/// Words that only lead up to what is wanted, or that carry no picture.
const FUNCTION_WORDS: &str = " a an the of my your his her its our their some this that these those please draw me us \
    make create generate show give paint render design i want would like can you could with in at to for and or is \
    are be it very really quite so just one single image picture icon sticker emoji illustration drawing cartoon logo \
    symbol style styled simple clean minimal background backdrop who which there here from by as into ";

/// Words that colour a picture without being in it. Harmless beside a subject; alone they are unknown.
const ADJECTIVES: &str = " cute small little tiny big large huge giant great nice pretty beautiful lovely fluffy furry \
    soft shiny bright dark light old new young fresh tasty delicious yummy sweet juicy hot cold warm cool happy sad \
    angry funny silly friendly brave wild tame lazy fast slow strong smiling laughing crying sleeping sleepy sitting \
    standing running jumping flying swimming walking dancing playing wooden metal plastic round square long short tall \
    fat thin modern ancient vintage retro magic magical mysterious mighty majestic elegant fancy colorful colourful \
    adorable amazing awesome perfect lonely sunny cozy cosy tiny baby adult wearing holding eating vibrant detailed \
    hungry curious proud gentle fierce real empty full open closed broken lucky ripe sliced whole single glowing \
    sparkling spotted striped hairy bald royal robotic futuristic floating ";

const COUNTS: [(&str, usize); 14] = [
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("several", 4),
    ("many", 9),
    ("couple", 2),
    ("pair", 2),
    ("dozen", 9),
    ("few", 3),
];

/// Holders whose content is what is meant: a slice of pizza.
const HOLDERS: &str = " slice piece bit bunch bag pot box can pile group bowl cup glass bottle plate jar mug pair couple \
    lot lots loaf scoop flock herd kind type sort bar cone stack few dozen ";

/// Things that go on a head, and before eyes; everything else that is worn stands beside.
const HATS: [&str; 8] = [
    "crown",
    "top hat",
    "woman’s hat",
    "billed cap",
    "graduation cap",
    "military helmet",
    "rescue worker’s helmet",
    "ribbon",
];
const EYEWEAR: [&str; 3] = ["glasses", "sunglasses", "goggles"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Beside,
    On,
    Under,
    /// Worn if it can be, else beside: "a cat in a hat", "a dog with a bone".
    Wearing,
}

const RELATIONS: [(&str, Relation); 32] = [
    ("on top of", Relation::On),
    ("in front of", Relation::Beside),
    ("sitting on", Relation::On),
    ("standing on", Relation::On),
    ("sleeping on", Relation::On),
    ("dancing on", Relation::On),
    ("lying on", Relation::On),
    ("next to", Relation::Beside),
    ("together with", Relation::Beside),
    ("riding", Relation::On),
    ("atop", Relation::On),
    ("above", Relation::On),
    ("over", Relation::On),
    ("on", Relation::On),
    ("under", Relation::Under),
    ("below", Relation::Under),
    ("beneath", Relation::Under),
    ("underneath", Relation::Under),
    ("wearing", Relation::Wearing),
    ("wears", Relation::Wearing),
    ("and", Relation::Beside),
    (",", Relation::Beside),
    ("plus", Relation::Beside),
    ("with", Relation::Wearing),
    ("beside", Relation::Beside),
    ("near", Relation::Beside),
    ("by", Relation::Beside),
    ("behind", Relation::Beside),
    ("holding", Relation::Beside),
    ("eating", Relation::Beside),
    ("carrying", Relation::Beside),
    ("in", Relation::Wearing),
];

fn listed(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

/// Reads a prompt.
pub(super) fn read(prompt: &str, names: &Names, prior: &Prior) -> Wish {
    let text = normal(prompt);
    let mut words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut wish = Wish {
        subjects: Vec::new(),
        arrangement: Arrangement::Rows,
        backdrop: None,
        transparent: false,
        style: None,
        mirrored: None,
        known: 0,
        unknown: Vec::new(),
    };
    // A name that is also a style or a backdrop ("green salad", "flat shoe") is a name.
    if !names.is_name(&text) {
        take_backdrop(&mut words, &mut wish);
        take_style(&mut words, &mut wish, names);
    }
    let mut relation = None;
    for (with, part) in split(&words, names) {
        let subjects = read_part(&part, names, prior, &mut wish);
        if subjects.is_empty() {
            continue;
        }
        if !wish.subjects.is_empty() && relation.is_none() {
            relation = with;
        }
        wish.subjects.extend(subjects);
    }
    // Where something is known, what is not stays out of the picture; alone, it is tried.
    if wish.subjects.iter().any(|s| matches!(s.thing, Thing::Known(_))) && wish.subjects.len() > 1 {
        wish.subjects.retain(|s| matches!(s.thing, Thing::Known(_)));
    }
    wish.subjects.truncate(SUBJECTS_MAX);
    if wish.subjects.is_empty() {
        wish.subjects.push(Subject { thing: Thing::Words(prompt.trim().to_lowercase()), colour: None });
    }
    arrange(&mut wish, relation, names);
    if wish.known == 0 && wish.unknown.is_empty() {
        // Nothing but adjectives, or no word at all: say so rather than claim to have understood.
        let rest = words.iter().filter(|word| !listed(FUNCTION_WORDS, word) && **word != ",");
        wish.unknown = rest.map(|word| ((*word).to_owned(), None)).collect();
    }
    wish
}

/// Decides how two subjects stand; more than two stand in rows.
fn arrange(wish: &mut Wish, relation: Option<Relation>, names: &Names) {
    let [first, second] = wish.subjects.as_mut_slice() else { return };
    let label = |subject: &Subject| match &subject.thing {
        Thing::Known(ids) => names.concept(ids[0]).label.clone(),
        Thing::Words(words) => words.clone(),
    };
    let worn = label(second);
    wish.arrangement = match relation {
        Some(Relation::On) => Arrangement::On,
        Some(Relation::Under) => {
            std::mem::swap(first, second);
            Arrangement::On
        }
        Some(Relation::Wearing) if HATS.contains(&worn.as_str()) => Arrangement::Hat,
        Some(Relation::Wearing) if EYEWEAR.contains(&worn.as_str()) => Arrangement::Glasses,
        _ => Arrangement::Rows,
    };
    if matches!(wish.arrangement, Arrangement::Hat | Arrangement::Glasses) {
        // A face wears better than a body seen from the side.
        if let Thing::Known(ids) = &mut first.thing
            && let Some(face) = names.labelled(&format!("{} face", normal(&names.concept(ids[0]).label)))
        {
            *ids = vec![face];
        }
    }
}

/// Takes what is said about the backdrop out of the words.
fn take_backdrop(words: &mut Vec<&str>, wish: &mut Wish) {
    if let Some(at) = words.iter().position(|word| matches!(*word, "background" | "backdrop")) {
        let mut start = at;
        if let Some((colour, taken)) = colour::ending(&words[..at]) {
            (wish.backdrop, start) = (Some(colour), at - taken);
        } else if at > 0 && matches!(words[at - 1], "transparent" | "no" | "clear" | "without") {
            (wish.transparent, start) = (true, at - 1);
        } else if at > 0 && matches!(words[at - 1], "plain" | "simple" | "blank" | "clean") {
            start = at - 1;
        }
        if wish.backdrop.is_some() || wish.transparent {
            wish.known += 1;
        }
        while start > 0
            && matches!(
                words[start - 1],
                "a" | "an" | "the" | "plain" | "solid" | "simple" | "on" | "with" | "against" | "over" | "in"
            )
        {
            start -= 1;
        }
        words.drain(start..=at);
    } else if let Some((colour, taken)) = colour::ending(words) {
        // "a cat on blue", "a cat on a pale blue": a colour that nothing follows is what is behind.
        let mut start = words.len() - taken;
        while start > 0 && matches!(words[start - 1], "a" | "the") {
            start -= 1;
        }
        if start > 0 && words[start - 1] == "on" {
            words.truncate(start - 1);
            wish.known += 1;
            wish.backdrop = Some(colour);
        }
    }
    if wish.backdrop.is_none() && !wish.transparent {
        for (phrase, name) in SURROUNDINGS {
            if take(words, phrase) {
                wish.backdrop = colour::ending(&name.split(' ').collect::<Vec<_>>()).map(|(colour, _)| colour);
                wish.known += 1;
                break;
            }
        }
    }
}

/// Takes style words out, unless they are part of a name.
fn take_style(words: &mut Vec<&str>, wish: &mut Wish, names: &Names) {
    for (phrase, style) in STYLES {
        let part_of_name =
            phrase == "flat" && words.windows(2).any(|pair| pair[0] == "flat" && names.is_name(&pair.join(" ")));
        if !part_of_name && take(words, phrase) {
            wish.known += 1;
            wish.style = wish.style.or(Some(style));
        }
    }
    for (phrase, near) in FOREIGN_STYLES {
        if take(words, phrase) {
            wish.unknown.push((phrase.to_owned(), Some(near.to_owned())));
        }
    }
    for phrase in ["mirrored", "flipped"] {
        if take(words, phrase) {
            wish.known += 1;
            wish.mirrored = Some(true);
        }
    }
}

/// Takes a phrase out of the words wherever it stands, and says whether it was there.
fn take(words: &mut Vec<&str>, phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let found = words.windows(phrase.len()).position(|window| window == phrase);
    if let Some(at) = found {
        words.drain(at..at + phrase.len());
    }
    found.is_some()
}

/// Splits words where they relate two subjects, but not inside a name such as "bow and arrow".
fn split<'a>(words: &[&'a str], names: &Names) -> Vec<(Option<Relation>, Vec<&'a str>)> {
    let mut parts = vec![(None, Vec::new())];
    let mut at = 0;
    while at < words.len() {
        let name = (2..=5).rev().find(|n| words.get(at..at + n).is_some_and(|w| names.is_name(&w.join(" "))));
        if let Some(length) = name {
            parts.last_mut().expect("there is a first part").1.extend(&words[at..at + length]);
            at += length;
            continue;
        }
        let relation = RELATIONS.iter().find(|(phrase, _)| {
            let length = phrase.split(' ').count();
            words.get(at..at + length).is_some_and(|window| window.join(" ") == *phrase)
        });
        if let Some((phrase, relation)) = relation {
            // Of "sitting on", "wearing" after "and": the later word says more.
            match parts.last_mut() {
                Some((with, part)) if part.is_empty() && with.is_some() => *with = Some(*relation),
                _ => parts.push((Some(*relation), Vec::new())),
            }
            at += phrase.split(' ').count();
        } else {
            parts.last_mut().expect("there is a first part").1.push(words[at]);
            at += 1;
        }
    }
    parts.retain(|(_, part)| !part.is_empty());
    parts
}

/// Reads one part of a prompt: a subject, perhaps several times. Counts its words as known or not.
fn read_part(part: &[&str], names: &Names, prior: &Prior, wish: &mut Wish) -> Vec<Subject> {
    let mut words: Vec<&str> = part.to_vec();
    let mut count = 1;
    let whole = names.is_name(&words.join(" "));
    if !whole {
        while let Some(at) = words.iter().position(|word| *word == "of") {
            // "a slice of pizza" is pizza; "a statue of a dog" would be a statue.
            let holder = at.checked_sub(1).map(|before| words[before]);
            let holds = holder.is_some_and(|word| {
                listed(HOLDERS, word)
                    || listed(FUNCTION_WORDS, word)
                    || singulars(word).iter().any(|one| listed(HOLDERS, one))
            });
            let inside_name = (2..=5).any(|n| {
                words.windows(n).enumerate().any(|(i, w)| (i..i + n).contains(&at) && names.is_name(&w.join(" ")))
            });
            if inside_name {
                break;
            }
            if holds {
                count = count.max(words[..at].iter().filter_map(|word| counted(word)).max().unwrap_or(1));
                words.drain(..=at);
            } else {
                words.truncate(at);
            }
        }
        words.retain(|word| !listed(FUNCTION_WORDS, word));
    }
    if words.is_empty() {
        return Vec::new();
    }
    let Some((found, head)) = head(&words, names, prior) else {
        // Only adjectives and colours: a subject in itself if a colour, else nothing.
        if let Some((_, taken)) = colour::ending(&words) {
            wish.known += taken;
        }
        return Vec::new();
    };
    let mut colour = None;
    let mut others = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if head.contains(&at) {
            at += 1;
            continue;
        }
        if let Some(n) = counted(words[at]) {
            count = count.max(n);
            wish.known += 1;
        } else if let Some((found, taken)) = (1..=3)
            .rev()
            .filter_map(|n| {
                colour::ending(words.get(at..at + n).filter(|_| at + n <= head.start)?).filter(|(_, taken)| *taken == n)
            })
            .next()
        {
            wish.known += 1;
            colour = Some(found);
            at += taken;
            continue;
        } else {
            others.push(words[at]);
        }
        at += 1;
    }
    let name = words[head].join(" ");
    let thing = match found {
        Knowledge::Drawn(mut ids) => {
            wish.known += 1;
            specialise(&mut ids, &name, &others, names);
            Thing::Known(ids)
        }
        Knowledge::Absent(near) => {
            wish.unknown.push((name.clone(), near.map(|id| names.concept(id).label.clone())));
            near.map_or(Thing::Words(name), |id| Thing::Known(vec![id]))
        }
    };
    for word in others {
        match names.word(word, prior) {
            _ if listed(ADJECTIVES, word) || describes(word) => {}
            Knowledge::Drawn(_) => wish.known += 1,
            Knowledge::Absent(near) => {
                wish.unknown.push((word.to_owned(), near.map(|id| names.concept(id).label.clone())))
            }
        }
    }
    vec![Subject { thing, colour }; count]
}

fn counted(word: &str) -> Option<usize> {
    let digits = || word.parse().ok().filter(|n| (2..=99).contains(n)).map(|n: usize| n.min(SUBJECTS_MAX));
    COUNTS.iter().find(|(name, _)| *name == word).map(|(_, n)| *n).or_else(digits)
}

/// Returns whether a word looks like a description rather than a thing.
fn describes(word: &str) -> bool {
    ["ful", "ous", "ish", "less", "able", "ing", "ed", "ly"]
        .iter()
        .any(|end| word.len() > end.len() + 2 && word.ends_with(end))
}

/// Finds the name that a part is about: the longest name of several words, else the last known word, else
/// the last word that is no adjective.
fn head(words: &[&str], names: &Names, prior: &Prior) -> Option<(Knowledge, std::ops::Range<usize>)> {
    for length in (2..=words.len().min(5)).rev() {
        for start in (0..=words.len() - length).rev() {
            if let Some(found) = names.named(&words[start..start + length].join(" ")) {
                return Some((found, start..start + length));
            }
        }
    }
    let things = || (0..words.len()).rev().filter(|at| counted(words[*at]).is_none());
    let plain = |at: &usize| {
        !listed(ADJECTIVES, words[*at])
            && (colour::ending(&words[*at..=*at]).is_none() || names.named(words[*at]).is_some())
    };
    let mut absent = None;
    for at in things().filter(plain) {
        match names.word(words[at], prior) {
            found @ Knowledge::Drawn(_) => return Some((found, at..at + 1)),
            found @ Knowledge::Absent(_) => absent = absent.or(Some((found, at..at + 1))),
        }
    }
    // Alone, a mood is a face and a colour is nothing to draw.
    absent.or_else(|| things().find_map(|at| names.named(words[at]).map(|found| (found, at..at + 1))))
}

/// Turns a concept into one that fits its adjectives better: "crying cat" for a sad cat.
fn specialise(ids: &mut Vec<ConceptId>, head: &str, others: &[&str], names: &Names) {
    let fits = |id: ConceptId| others.iter().filter(|word| names.goes_by(id, word)).count();
    let now = ids.first().map_or(0, |id| fits(*id));
    let better = names.headed(head).iter().copied().filter(|id| fits(*id) > now).max_by_key(|id| fits(*id));
    if let Some(id) = better {
        *ids = vec![id];
    }
}

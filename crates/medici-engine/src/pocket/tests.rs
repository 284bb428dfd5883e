//! Tests of the engine as a whole.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use medici_studio::engine::{Background, Step, Uncontrolled};

use super::paint::PREVIEW_SIDE;
use super::resize::resized;
use super::walk::Look;

use super::*;

pub(super) static POCKET: LazyLock<Pocket> = LazyLock::new(|| Pocket::load().unwrap());

pub(super) fn spec(prompt: &str) -> Spec {
    Spec {
        prompt: prompt.to_owned(),
        count: 1,
        size: Size::square(256),
        seed: 11,
        background: Background::Auto,
        steps: None,
        previews: 0,
        readings: Vec::new(),
    }
}

pub(super) fn draw(spec: &Spec) -> Vec<Picture> {
    POCKET.run(spec, &Given::Words, &Uncontrolled).unwrap()
}

#[derive(Default)]
pub(super) struct Watching {
    pub(super) steps: AtomicU32,
    pub(super) previews: Mutex<Vec<(u32, Pixels)>>,
    pub(super) cancel_at: Option<u32>,
}

impl Control for Watching {
    fn cancelled(&self) -> bool {
        self.cancel_at.is_some_and(|at| self.steps.load(Ordering::SeqCst) >= at)
    }
    fn step(&self, step: Step) {
        assert_eq!(self.steps.fetch_add(1, Ordering::SeqCst) + 1, step.at);
        assert_eq!(step.of, STEPS_DEFAULT);
    }
    fn preview(&self, index: u32, pixels: Pixels) {
        self.previews.lock().unwrap().push((index, pixels));
    }
}

pub(super) fn squared_distance(a: &Pixels, b: &Pixels) -> f64 {
    assert_eq!(a.bytes.len(), b.bytes.len());
    let sum: u64 = a.bytes.iter().zip(&b.bytes).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let mean = sum as f64 / a.bytes.len() as f64;
    mean
}

#[test]
fn more_pictures_begin_with_the_same_ones_bit_for_bit() {
    for prompt in ["a red fox", "two dogs and a cat"] {
        let spec = |prompt| Spec { steps: Some(4), ..spec(prompt) };
        let ten = draw(&Spec { count: 10, ..spec(prompt) });
        for count in [1, 2, 4, 5] {
            let fewer = draw(&Spec { count, ..spec(prompt) });
            assert!(fewer[..] == ten[..fewer.len()], "{count} of {prompt}");
        }
    }
}

#[test]
fn a_seed_decides_and_another_decides_otherwise() {
    let first = draw(&spec("castle"));
    assert!(first == draw(&spec("castle")));
    assert_ne!(first[0].pixels, draw(&Spec { seed: 12, ..spec("castle") })[0].pixels);
}

#[test]
fn four_pictures_differ_in_backdrop_look_and_reading() {
    let four = draw(&Spec { count: 4, ..spec("rocket") });
    let corners: std::collections::HashSet<&[u8]> = four.iter().map(|p| &p.pixels.bytes[..3]).collect();
    let readings: std::collections::HashSet<_> = four.iter().map(|p| p.reading.clone().unwrap()).collect();
    assert_eq!((corners.len(), readings.len()), (4, 4));
    assert!(four.iter().any(|p| p.reading.as_ref().unwrap().contains("3d")));
    assert!(four.iter().any(|p| p.reading.as_ref().unwrap().contains("flat")));
}

#[test]
fn what_the_prompt_says_is_kept_exactly() {
    for picture in draw(&Spec { count: 4, ..spec("a rocket on a light blue background, flat icon") }) {
        assert_eq!(picture.pixels.bytes[..3], [175, 215, 250]);
        let reading = picture.reading.unwrap_or_default();
        assert!(!reading.contains("background") && !reading.contains("3d"), "{reading}");
    }
}

#[test]
fn a_reading_can_be_asked_for_as_a_prompt() {
    for reading in draw(&Spec { count: 10, ..spec("cat") }).into_iter().filter_map(|p| p.reading) {
        let understood = POCKET.understanding(&reading);
        assert_eq!(understood.notice, None, "{reading}");
        let wish = prompt::read(&reading, &POCKET.names, &POCKET.prior);
        assert!(wish.style.is_some() && wish.backdrop.is_some(), "{reading}");
        assert_eq!(wish.mirrored.is_some(), reading.contains("mirrored"));
    }
}

#[test]
fn previews_come_nearer_to_the_picture_every_time() {
    for (prompt, seed) in [
        ("a red fox", 1),
        ("house", 2),
        ("pink elephant", 3),
        ("frog wearing a crown", 4),
        ("three apples", 5),
        ("democracy", 6),
        ("robot", 7),
        ("a cat and a dog", 8),
    ] {
        let control = Watching::default();
        let pictures =
            POCKET.run(&Spec { count: 4, seed, previews: 3, ..spec(prompt) }, &Given::Words, &control).unwrap();
        let previews = control.previews.into_inner().unwrap();
        for picture in pictures {
            let last = resized(&picture.pixels, Size::square(PREVIEW_SIDE));
            let apart: Vec<f64> =
                previews.iter().filter(|(i, _)| *i == picture.index).map(|(_, p)| squared_distance(p, &last)).collect();
            assert_eq!(apart.len(), 3);
            assert!(apart[0] > apart[1] && apart[1] > apart[2], "{prompt} {}: {apart:?}", picture.index);
        }
    }
}

#[test]
fn previews_are_spread_over_the_steps() {
    let due =
        |previews, steps: u32| (1..=steps).filter(|at| Look::after(*at, steps, previews).is_some()).collect::<Vec<_>>();
    assert_eq!(due(3, 12), [3, 6, 9]);
    assert!(due(0, 12).is_empty());
    assert_eq!(due(3, 4), [1, 2, 3]);
    assert_eq!(due(99, 4), [1, 2, 3]);
    for steps in STEPS {
        for previews in 0..60 {
            assert_eq!(due(previews, steps).len(), usize::try_from(previews.min(steps - 1)).unwrap());
            assert!(!due(previews, steps).contains(&steps));
        }
    }
}

#[test]
fn a_stored_latent_gives_the_same_picture() {
    for prompt in ["a red fox", "pink elephant", "frog wearing a crown", "five stars", "pizza on the moon"] {
        for picture in draw(&Spec { count: 2, ..spec(prompt) }) {
            assert_eq!(POCKET.redraw(&picture.latent, Size::square(256), false).unwrap(), picture.pixels, "{prompt}");
            assert_eq!(picture.latent.len() % 1542, 0);
        }
    }
    assert_eq!(draw(&spec("a red fox"))[0].latent.len(), 1542);
}

#[test]
fn every_size_is_drawn_and_transparency_is_real() {
    for side in SIDES {
        let wanted = Spec { size: Size::square(side), background: Background::Transparent, ..spec("ghost") };
        let pixels = &draw(&wanted)[0].pixels;
        assert_eq!((pixels.size, pixels.alpha), (Size::square(side), true));
        assert_eq!(pixels.bytes.len(), usize::try_from(side * side * 4).unwrap());
        assert_eq!(pixels.bytes[3], 0, "a corner is transparent");
        let middle = usize::try_from((side / 2 * side + side / 2) * 4 + 3).unwrap();
        assert_eq!(pixels.bytes[middle], 255, "the middle is not");
    }
    assert!(draw(&spec("a ghost on a transparent background"))[0].pixels.alpha);
    let opaque = Spec { background: Background::Opaque, ..spec("a ghost on a transparent background") };
    assert!(!draw(&opaque)[0].pixels.alpha);
}

#[test]
fn pictures_are_not_degenerate() {
    for prompt in
        ["a red fox", "green car", "castle", "three apples", "a cat and pizza", "umbrella", "flower", "spaceship"]
    {
        for picture in draw(&Spec { count: 4, background: Background::Transparent, ..spec(prompt) }) {
            let pixels: Vec<&[u8]> = picture.pixels.bytes.chunks(4).collect();
            let covered = pixels.iter().filter(|p| p[3] > 127).count() * 100 / pixels.len();
            assert!((5..=95).contains(&covered), "{prompt} {}: covers {covered} %", picture.index);
            let lights: Vec<u8> = pixels.iter().filter(|p| p[3] > 127).map(|p| p[1]).collect();
            let span = lights.iter().max().unwrap() - lights.iter().min().unwrap();
            assert!(span > 40, "{prompt} {} is one colour", picture.index);
        }
    }
}

#[test]
fn a_run_ends_within_a_step_of_being_cancelled() {
    for cancel_at in [0, 1, 7, STEPS_DEFAULT] {
        let control = Watching { cancel_at: Some(cancel_at), ..Watching::default() };
        assert!(matches!(POCKET.run(&spec("castle"), &Given::Words, &control), Err(EngineError::Cancelled)));
        assert_eq!(control.steps.load(Ordering::SeqCst), cancel_at);
    }
}

#[test]
fn bad_specs_are_refused_with_what_is_allowed() {
    let refused = |spec: &Spec| match POCKET.run(spec, &Given::Words, &Uncontrolled) {
        Err(EngineError::BadSpec(message)) => message,
        other => panic!("{spec:?} gave {other:?}"),
    };
    assert_eq!(refused(&spec(" \n")), "the prompt is empty, expected at least one word");
    assert_eq!(refused(&spec(&"a ".repeat(501))), "the prompt has 1002 characters, expected at most 1000");
    assert_eq!(refused(&Spec { count: 0, ..spec("cat") }), "0 pictures asked for, expected 1 to 10");
    assert_eq!(refused(&Spec { count: 11, ..spec("cat") }), "11 pictures asked for, expected 1 to 10");
    assert_eq!(refused(&Spec { steps: Some(3), ..spec("cat") }), "3 steps asked for, expected 4 to 50");
    assert_eq!(
        refused(&Spec { size: Size { width: 256, height: 512 }, ..spec("cat") }),
        "the size is 256x512, expected 256x256, 512x512 or 1024x1024"
    );
}

#[test]
fn an_estimate_learns_from_runs() {
    let pocket = Pocket::load().unwrap();
    let wanted = Spec { count: 4, ..spec("cat") };
    let before = pocket.estimate(&wanted);
    assert!(before.render_ms > 0 && before.memory_bytes > 1_000_000);
    for _ in 0..20 {
        pocket.pace.note(&wanted, 1, std::time::Duration::from_secs(7));
    }
    let after = pocket.estimate(&wanted).render_ms;
    assert!((6_900..=7_100).contains(&after), "{after}");
    assert!(pocket.estimate(&Spec { count: 10, ..wanted }).render_ms > after);
}

#[test]
fn strange_prompts_are_drawn_without_a_panic() {
    for prompt in [
        "🦊",
        "?!,;",
        "of of of",
        "on",
        "and and",
        "red",
        "a",
        "the background",
        "9999999999999999999 cats",
        "猫",
        "wearing wearing",
        "of a",
        "3d",
        ", , ,",
        "x\u{301}\u{200d}y",
        "two",
        "on on a on",
    ] {
        assert_eq!(draw(&Spec { steps: Some(4), ..spec(prompt) }).len(), 1, "{prompt}");
        POCKET.understanding(prompt);
    }
}

#[test]
fn subjects_and_how_they_stand_are_read() {
    let read = |prompt: &str| {
        let wish = prompt::read(prompt, &POCKET.names, &POCKET.prior);
        let names = wish.subjects.iter().map(|subject| {
            let colour = subject.colour.as_ref().map_or(String::new(), |colour| format!("{} ", colour.name));
            match &subject.thing {
                prompt::Thing::Known(ids) => format!("{colour}{}", POCKET.names.concept(ids[0]).label),
                prompt::Thing::Words(words) => format!("{colour}?{words}"),
            }
        });
        format!("{:?}: {}", wish.arrangement, names.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(read("a cat and a dog"), "Rows: cat, dog");
    assert_eq!(read("please draw me a picture of a green car"), "Rows: green automobile");
    assert_eq!(read("a red apple"), "Rows: red apple");
    assert_eq!(read("two hearts"), "Rows: two hearts");
    assert_eq!(read("three apples"), "Rows: red apple, red apple, red apple");
    assert_eq!(read("a slice of pizza on the moon"), "On: pizza, full moon");
    assert_eq!(read("a frog wearing a golden crown"), "Hat: frog, golden crown");
    assert_eq!(read("a dog with sunglasses"), "Glasses: dog face, sunglasses");
    assert_eq!(read("a cat and a crown"), "Rows: cat, crown");
    assert_eq!(read("a cat in a hat"), "Hat: cat face, top hat");
    assert_eq!(read("a dog with a key"), "Rows: dog, key");
    assert_eq!(read("bow and arrow"), "Rows: bow and arrow");
    assert_eq!(read("a bird under an umbrella"), "On: umbrella, bird");
    assert_eq!(read("black cat"), "Rows: black cat");
    assert_eq!(read("a T-shirt"), "Rows: t-shirt");
    assert_eq!(read("a sad cat"), "Rows: crying cat");
}

#[test]
fn common_words_are_known_and_others_are_not() {
    let known = "cat kitten car automobile burger donut mice cherries sofa bike plane phone clock sword diamond volcano \
        penguins robot heart umbrella piano wolf ladybug sneakers suitcase tomato coffee moon lion violin red 3d flat";
    let unknown = "spaceship democracy bulldozer philosophy astronaut submarine algorithm microwave samurai xylophone \
        justice hammock refrigerator stapler inflation teacher gyroscope parliament mermaid windmill nostalgia \
        thermostat blanket trampoline quantum";
    let wrong = |words: &str, is_known: bool| -> Vec<String> {
        let differs = |word: &&str| POCKET.understanding(word).notice.is_none() != is_known;
        words.split_whitespace().filter(differs).map(str::to_owned).collect()
    };
    assert_eq!((wrong(known, true), wrong(unknown, false)), (Vec::new(), Vec::new()));
}

#[test]
fn an_unknown_word_is_named_with_the_nearest_known_one() {
    let found = POCKET.understanding("A Spaceship, 3d");
    assert_eq!(found.notice.unwrap(), "the pocket model does not know \"spaceship\"; nearest: \"rocket\"");
    assert_eq!(found.unknown[0].word, "spaceship");
    assert!((found.score - 0.5).abs() < 1e-6);
    assert_eq!(POCKET.understanding("umbrela").unknown[0].nearest.as_deref(), Some("umbrella"));
    assert_eq!(POCKET.understanding("a fluffy cat on a pale blue background").notice, None);
    let several = POCKET.understanding("a cat in a hammock, oil painting").notice.unwrap();
    assert_eq!(
        several,
        "the pocket model does not know \"oil painting\" (nearest: \"flat illustration\"), \"hammock\""
    );
}

#[test]
fn subjects_take_the_colour_they_are_asked_in() {
    for (prompt, [r, g, b]) in
        [("green car", [-1, 1, 0]), ("blue cat", [-1, 0, 1]), ("pink elephant", [1, -1, 0]), ("red house", [1, -1, -1])]
    {
        for picture in draw(&Spec { count: 2, background: Background::Transparent, ..spec(prompt) }) {
            let mut mean = [0_i64; 3];
            for pixel in picture.pixels.bytes.chunks(4).filter(|p| p[3] > 127) {
                (0..3).for_each(|c| mean[c] += i64::from(pixel[c]));
            }
            let grey = mean.iter().sum::<i64>() / 3;
            for (found, wanted) in mean.iter().zip([r, g, b]) {
                assert!(wanted == 0 || (found - grey).signum() == wanted, "{prompt}: {mean:?}");
            }
        }
    }
}

#[test]
fn each_picture_is_drawn_from_its_own_reading() {
    let of = |words: &[&str]| -> Vec<String> { words.iter().map(|words| (*words).to_owned()).collect() };
    let draw = |readings: Vec<String>| {
        let count = u32::try_from(readings.len()).unwrap();
        draw(&Spec { count, readings, steps: Some(4), ..spec("a bat") })
    };
    let two = draw(of(&["a cat on a beige background, 3d", "two rockets, flat icon on a mint background"]));
    assert_eq!(two[0].pixels.bytes[..3], [240, 225, 200]);
    assert_eq!(two[1].pixels.bytes[..3], [190, 235, 210]);
    assert_eq!((two[0].latent.len(), two[1].latent.len()), (1542, 2 * 1542), "one cat, two rockets");
    assert!(two[1].reading.as_ref().unwrap().starts_with("two rockets, flat icon on a mint background"));
    assert_eq!(two[..1], draw(of(&["a cat on a beige background, 3d"])));
    let same = super::tests::draw(&Spec { count: 2, steps: Some(4), ..spec("a bat") });
    let read = draw(of(&["a bat", "a bat"]));
    assert!(read.iter().zip(&same).all(|(a, b)| a.pixels == b.pixels), "the words decide, not where they stand");
    let said: Vec<_> = read.iter().zip(&same).map(|(a, b)| (a.reading.clone().unwrap(), b.reading.clone())).collect();
    assert!(said.iter().all(|(read, said)| *read == format!("a bat, {}", said.as_ref().unwrap())), "{said:?}");
}

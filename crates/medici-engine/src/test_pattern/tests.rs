use std::sync::atomic::{AtomicU32, Ordering};

use medici_studio::engine::{Background, Mask, Pixels, Uncontrolled};

use super::*;

fn spec(prompt: &str) -> Spec {
    Spec {
        prompt: prompt.to_owned(),
        count: 4,
        size: Size::square(64),
        seed: 7,
        background: Background::Auto,
        steps: None,
        previews: 3,
        readings: Vec::new(),
    }
}

fn run(prompt: &str) -> Result<Vec<Picture>, EngineError> {
    TestPattern::default().run(&spec(prompt), &Given::Words, &Uncontrolled)
}

/// Counts what it is told, and cancels after some steps.
#[derive(Default)]
struct Counting {
    steps: AtomicU32,
    previews: Mutex<Vec<(u32, Pixels)>>,
    cancel_at: Option<u32>,
}

impl Control for Counting {
    fn cancelled(&self) -> bool {
        self.cancel_at.is_some_and(|at| self.steps.load(Ordering::SeqCst) >= at)
    }
    fn step(&self, step: Step) {
        assert_eq!(self.steps.fetch_add(1, Ordering::SeqCst) + 1, step.at);
    }
    fn preview(&self, index: u32, pixels: Pixels) {
        self.previews.lock().unwrap().push((index, pixels));
    }
}

#[test]
fn four_begin_with_the_one() {
    let four = run("bars").unwrap();
    let one = TestPattern::default().run(&Spec { count: 1, ..spec("bars") }, &Given::Words, &Uncontrolled).unwrap();
    assert_eq!(four[..1], one);
    assert_ne!(four[0].pixels, four[1].pixels);
    let other = TestPattern::default().run(&Spec { seed: 8, ..spec("bars") }, &Given::Words, &Uncontrolled).unwrap();
    assert_ne!(four[0].pixels, other[0].pixels);
    assert_ne!(four[0].pixels, run("other bars").unwrap()[0].pixels);
}

#[test]
fn sizes_and_transparency_are_honoured() {
    let wanted = Spec { size: Size::square(512), background: Background::Transparent, ..spec("bars") };
    let drawn = TestPattern::default().run(&wanted, &Given::Words, &Uncontrolled).unwrap();
    assert_eq!(drawn[3].pixels.size, Size::square(512));
    assert!(drawn[3].pixels.alpha);
    assert_eq!(drawn[3].pixels.bytes.len(), 512 * 512 * 4);
}

#[test]
fn each_picture_has_its_previews_each_nearer_than_the_last() {
    let control = Counting::default();
    let drawn = TestPattern::default().run(&spec("bars"), &Given::Words, &control).unwrap();
    let previews = control.previews.into_inner().unwrap();
    for picture in &drawn {
        let own: Vec<&Pixels> = previews.iter().filter(|(i, _)| *i == picture.index).map(|(_, p)| p).collect();
        assert_eq!(own.len(), 3);
        let apart = |p: &Pixels| -> u64 {
            p.bytes.iter().zip(&picture.pixels.bytes).map(|(a, b)| u64::from(a.abs_diff(*b))).sum()
        };
        assert!(own.windows(2).all(|pair| apart(pair[1]) < apart(pair[0])));
    }
}

#[test]
fn it_misbehaves_as_the_prompt_says() {
    assert!(matches!(run("[fail] bars"), Err(EngineError::Failed(_))));
    assert!(matches!(run("bars [oom]"), Err(EngineError::OutOfMemory)));
    assert_eq!(run("bars [short 2]").unwrap().len(), 2);
    assert_eq!(run("bars [short 9]").unwrap().len(), 0);
    assert!(matches!(run("[dance]"), Err(EngineError::BadSpec(_))));
    assert!(matches!(run("[slow 90s]"), Err(EngineError::BadSpec(_))));
    assert!(std::panic::catch_unwind(|| run("[panic]")).is_err());
}

#[test]
fn it_misbehaves_as_the_script_says() {
    let engine = TestPattern::new(Script { mishap: Some(Mishap::Fail), ..Script::default() });
    assert!(matches!(engine.run(&spec("bars"), &Given::Words, &Uncontrolled), Err(EngineError::Failed(_))));
    let engine = TestPattern::new(Script { short: 1, ..Script::default() });
    assert_eq!(engine.run(&spec("bars"), &Given::Words, &Uncontrolled).unwrap().len(), 3);
}

#[test]
fn it_fails_once_for_each_prompt() {
    let engine = TestPattern::default();
    for prompt in ["[fail once] a", "[fail once] b"] {
        assert!(matches!(engine.run(&spec(prompt), &Given::Words, &Uncontrolled), Err(EngineError::Failed(_))));
        assert_eq!(engine.run(&spec(prompt), &Given::Words, &Uncontrolled).unwrap().len(), 4);
    }
}

#[test]
fn a_stalled_or_slow_run_still_answers_a_cancel() {
    for (prompt, cancel_at) in [("[stall]", 3), ("[slow 60s]", 0), ("bars", 5)] {
        let control = Counting { cancel_at: Some(cancel_at), ..Counting::default() };
        assert!(matches!(
            TestPattern::default().run(&spec(prompt), &Given::Words, &control),
            Err(EngineError::Cancelled)
        ));
        assert_eq!(control.steps.load(Ordering::SeqCst), cancel_at, "{prompt}");
    }
}

#[test]
fn bad_specs_are_refused() {
    let engine = TestPattern::default();
    for wrong in [
        Spec { prompt: " ".to_owned(), ..spec("") },
        Spec { readings: vec!["one".to_owned()], ..spec("bars") },
        Spec { count: 0, ..spec("bars") },
        Spec { count: 11, ..spec("bars") },
        Spec { size: Size { width: 256, height: 64 }, ..spec("bars") },
        Spec { steps: Some(51), ..spec("bars") },
    ] {
        assert!(matches!(engine.run(&wrong, &Given::Words, &Uncontrolled), Err(EngineError::BadSpec(_))), "{wrong:?}");
    }
}

const SIZE: Size = Size { width: 40, height: 24 };

fn source(alpha: bool) -> Pixels {
    let channels = if alpha { 4 } else { 3 };
    let bytes = (0..SIZE.width * SIZE.height * channels).map(|i| u8::try_from(i * 31 % 251).unwrap());
    Pixels { size: SIZE, alpha, bytes: bytes.collect() }
}

#[test]
fn an_edit_has_bars_inside_the_mask_and_the_source_outside() {
    let mask = Mask { size: SIZE, bytes: (0..SIZE.width * SIZE.height).map(|i| u8::from(i % 40 < 15) * 255).collect() };
    let wanted = Spec { size: SIZE, ..spec("bars") };
    for (alpha, background, channels) in
        [(false, Background::Auto, 3), (true, Background::Auto, 4), (false, Background::Transparent, 4)]
    {
        let source = source(alpha);
        let given = Given::Edit { source: source.clone(), mask: mask.clone() };
        let control = Counting::default();
        let edited = TestPattern::default().run(&Spec { background, ..wanted.clone() }, &given, &control).unwrap();
        let previews = control.previews.into_inner().unwrap();
        assert_eq!((edited.len(), previews.len()), (4, 12));
        for pixels in edited.iter().map(|picture| &picture.pixels).chain(previews.iter().map(|(_, pixels)| pixels)) {
            assert_eq!((pixels.size, pixels.alpha), (SIZE, channels == 4));
            let old = source.bytes.chunks(if alpha { 4 } else { 3 });
            for ((new, old), share) in pixels.bytes.chunks(channels).zip(old).zip(&mask.bytes) {
                let kept = new[..3] == old[..3] && new.get(3).unwrap_or(&255) == old.get(3).unwrap_or(&255);
                assert!(kept || *share > 0, "a kept pixel changed");
            }
            assert_ne!(pixels.bytes[..channels * 15], source.bytes[..channels * 15]);
        }
        assert_ne!(edited[0].pixels, edited[1].pixels);
    }
}

#[test]
fn a_variation_has_the_colours_of_its_source_and_needs_no_words() {
    let given = |grey: u8| Given::Vary {
        source: Pixels { size: SIZE, alpha: false, bytes: vec![grey; 40 * 24 * 3] },
        latent: None,
    };
    let vary = |given: &Given| TestPattern::default().run(&spec(""), given, &Uncontrolled).unwrap();
    let (dark, light) = (vary(&given(0)), vary(&given(255)));
    assert!(dark.iter().all(|picture| picture.pixels.bytes.iter().all(|v| *v < 128)));
    assert!(light.iter().all(|picture| picture.pixels.bytes.iter().all(|v| *v > 126)));
    assert_ne!(dark[0].pixels, dark[1].pixels);
    assert_eq!(dark[0].pixels.size, Size::square(64));
}

#[test]
fn a_picture_is_drawn_from_its_own_reading() {
    let readings: Vec<String> = ["a", "b", "a", "d"].map(str::to_owned).to_vec();
    let draw = |readings: Vec<String>, count| {
        let wanted = Spec { count, readings, ..spec("bars") };
        TestPattern::default().run(&wanted, &Given::Words, &Uncontrolled).unwrap()
    };
    let four = draw(readings.clone(), 4);
    assert_eq!(four.iter().map(|p| p.reading.clone().unwrap()).collect::<Vec<_>>(), readings);
    assert_eq!(four[..1], draw(readings[..1].to_vec(), 1));
    assert_ne!(four[0].pixels, run("bars").unwrap()[0].pixels);
    assert_eq!(four[1].pixels, run("b").unwrap()[1].pixels);
}

#[test]
fn edits_and_variations_obey_orders_too() {
    let mask = Mask { size: SIZE, bytes: vec![255; 40 * 24] };
    let edit = Given::Edit { source: source(false), mask };
    let run = |prompt| TestPattern::default().run(&Spec { size: SIZE, ..spec(prompt) }, &edit, &Uncontrolled);
    assert!(matches!(run("[fail] bars"), Err(EngineError::Failed(_))));
    assert_eq!(run("[short 3] bars").unwrap().len(), 1);
}

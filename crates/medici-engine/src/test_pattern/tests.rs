use std::sync::atomic::{AtomicU32, Ordering};

use medici_studio::engine::Uncontrolled;

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
        Spec { count: 0, ..spec("bars") },
        Spec { count: 11, ..spec("bars") },
        Spec { size: Size { width: 256, height: 64 }, ..spec("bars") },
        Spec { steps: Some(51), ..spec("bars") },
    ] {
        assert!(matches!(engine.run(&wrong, &Given::Words, &Uncontrolled), Err(EngineError::BadSpec(_))), "{wrong:?}");
    }
}

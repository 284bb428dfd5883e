//! Tests of variations as a whole.

use medici_studio::engine::{Background, Uncontrolled};

use super::resize::resized;
use super::tests::{POCKET, Watching, draw, spec, squared_distance};
use super::*;

fn vary(spec: &Spec, source: &Pixels, latent: Option<&[u8]>) -> Vec<Picture> {
    let given = Given::Vary { source: source.clone(), latent: latent.map(<[u8]>::to_vec) };
    POCKET.run(spec, &given, &Uncontrolled).unwrap()
}

fn corner(picture: &Picture) -> [u8; 3] {
    [picture.pixels.bytes[0], picture.pixels.bytes[1], picture.pixels.bytes[2]]
}

#[test]
fn variations_are_close_then_middling_then_free() {
    for prompt in ["castle", "a pink elephant", "a dog and a pizza"] {
        let original = draw(&spec(prompt)).remove(0);
        let three = vary(&Spec { count: 3, seed: 7, ..spec(prompt) }, &original.pixels, Some(&original.latent));
        let apart: Vec<f64> = three.iter().map(|p| squared_distance(&p.pixels, &original.pixels)).collect();
        assert!(apart[0] > 2.0 && apart[0] < apart[1] && apart[1] < apart[2], "{prompt}: {apart:?}");
        assert_eq!([corner(&three[0]), corner(&three[1])], [corner(&original); 2], "{prompt}");
        assert_ne!(corner(&three[2]), corner(&original), "{prompt}");
        for picture in &three {
            let understood = POCKET.understanding(picture.reading.as_deref().unwrap_or_default());
            assert_eq!(understood.notice, None, "{:?}", picture.reading);
            let again = POCKET.redraw(&picture.latent, Size::square(256), false).unwrap();
            assert_eq!(again, picture.pixels, "{prompt}");
        }
    }
}

#[test]
fn four_variations_begin_with_the_one_of_the_same_seed() {
    let original = draw(&spec("a frog wearing a crown")).remove(0);
    let latent = Some(&*original.latent);
    let wanted = |count| Spec { count, steps: Some(4), ..spec("a frog wearing a crown") };
    let four = vary(&wanted(4), &original.pixels, latent);
    for count in [1, 2] {
        assert!(vary(&wanted(count), &original.pixels, latent)[..] == four[..usize::try_from(count).unwrap()]);
    }
    assert_ne!(four[0].pixels, four[3].pixels);
    assert_ne!(four[0].pixels, vary(&Spec { seed: 5, ..wanted(1) }, &original.pixels, latent)[0].pixels);
}

/// Pictures that the engine drew, as somebody may upload them: of another size, on another backdrop, noisy.
fn uploaded(pixels: &Pixels, at: u32) -> Pixels {
    let mut pixels = resized(pixels, Size { width: 300 + 40 * at, height: 310 });
    for (i, byte) in pixels.bytes.iter_mut().enumerate() {
        let noise = u8::try_from(i * 7 % 5).unwrap();
        *byte = byte.saturating_sub(8 + noise);
    }
    pixels
}

#[test]
fn an_upload_is_named_and_drawn_again() {
    let mut wrong = Vec::new();
    for (seed, name) in (0..).zip(["owl", "rocket", "castle", "pizza", "octopus", "snail"]) {
        let original = draw(&Spec { seed, ..spec(name) }).remove(0);
        let upload = uploaded(&original.pixels, u32::try_from(seed % 3).unwrap());
        let wanted = Spec { count: 1, seed, steps: Some(4), ..spec("") };
        let varied = vary(&wanted, &upload, None);
        let reading = varied[0].reading.as_ref().unwrap();
        if reading.split(", ").next() != Some(name) {
            wrong.push(format!("{name}: {reading}"));
        }
        if seed == 0 {
            assert!(vary(&wanted, &upload, Some(b"of another engine")) == varied, "what cannot be read is no latent");
            let own = upload.bytes[..3].iter().zip(corner(&varied[0]));
            assert!(own.clone().all(|(a, b)| a.abs_diff(b) < 6), "the backdrop stays: {:?}", own.collect::<Vec<_>>());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");

    let clear = draw(&Spec { background: Background::Transparent, ..spec("owl") }).remove(0);
    let varied = vary(&Spec { count: 2, size: Size::square(512), ..spec("") }, &clear.pixels, None);
    assert_eq!((varied[1].pixels.alpha, varied[1].pixels.size), (true, Size::square(512)));
    let opaque = vary(&Spec { background: Background::Opaque, ..spec("") }, &clear.pixels, None);
    assert!(!opaque[0].pixels.alpha);
    let named = vary(&spec("a red fox"), &clear.pixels, None);
    assert!(!named[0].reading.as_ref().unwrap().contains("owl"), "its own words win");
}

#[test]
fn a_variation_without_words_of_what_the_engine_drew_is_named_by_its_latent() {
    let original = draw(&spec("a dog and a pizza")).remove(0);
    let three = vary(&Spec { count: 3, steps: Some(4), ..spec(" ") }, &original.pixels, Some(&original.latent));
    assert!(three.iter().all(|p| p.reading.as_ref().unwrap().starts_with("dog and pizza")), "{:?}", three[0].reading);
    let control = Watching { cancel_at: Some(3), ..Watching::default() };
    let given = Given::Vary { source: original.pixels, latent: Some(original.latent) };
    assert!(matches!(POCKET.run(&spec(""), &given, &control), Err(EngineError::Cancelled)));
    assert_eq!(control.steps.into_inner(), 3);
}

#[test]
fn looking_for_a_name_is_cancelled_too() {
    let pixels = Pixels { size: Size::square(64), alpha: false, bytes: vec![90; 64 * 64 * 3] };
    let control = Watching { cancel_at: Some(0), ..Watching::default() };
    let run = POCKET.run(&spec(""), &Given::Vary { source: pixels, latent: None }, &control);
    assert!(matches!(run, Err(EngineError::Cancelled)) && control.steps.into_inner() == 0);
}

//! Tests of edits as a whole.

use medici_studio::engine::{Background, Mask, Uncontrolled};

use super::cutout::places;
use super::paint::PREVIEW_SIDE;
use super::resize::resized;
use super::tests::{POCKET, Watching, draw, spec, squared_distance};
use super::*;

/// Few steps: enough where the picture itself is not looked at.
const QUICK: Option<u32> = Some(4);

fn mask(size: Size, byte: impl Fn(u32, u32) -> u8) -> Mask {
    Mask { size, bytes: places(size).map(|(x, y)| byte(x, y)).collect() }
}

/// A mask of all pixels right of and above a place, as shares of the sides.
fn upper_right(size: Size, from: f64, to: f64) -> Mask {
    let inside = |x, y| f64::from(x) >= from * f64::from(size.width) && f64::from(y) < to * f64::from(size.height);
    mask(size, |x, y| u8::from(inside(x, y)) * 255)
}

fn edit(spec: &Spec, source: &Pixels, mask: &Mask) -> Vec<Picture> {
    let wanted = Spec { size: source.size, ..spec.clone() };
    POCKET.run(&wanted, &Given::Edit { source: source.clone(), mask: mask.clone() }, &Uncontrolled).unwrap()
}

fn pixel(pixels: &Pixels, x: u32, y: u32) -> [u8; 4] {
    let at = backdrop::offset(pixels, x, y);
    let [r, g, b] = [0, 1, 2].map(|c| pixels.bytes[at + c]);
    [r, g, b, if pixels.alpha { pixels.bytes[at + 3] } else { 255 }]
}

/// Pixels of no pattern, so that one that is moved or mixed shows; the left part is clear where there is alpha.
fn noise(size: Size, alpha: bool) -> Pixels {
    let bytes = places(size).flat_map(|(x, y)| {
        let v = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).to_le_bytes();
        let pixel = [v[1], v[2], v[3], if x < size.width / 3 { 0 } else { 255 - v[0] / 4 }];
        pixel.into_iter().take(if alpha { 4 } else { 3 })
    });
    Pixels { size, alpha, bytes: bytes.collect() }
}

#[test]
fn what_the_mask_keeps_is_the_source_bit_for_bit() {
    let cat = draw(&spec("a cat on a mint background"))[0].pixels.clone();
    let clear = draw(&Spec { background: Background::Transparent, ..spec("a cat") })[0].pixels.clone();
    let tiny = noise(Size::square(16), true);
    let long = noise(Size { width: 301, height: 97 }, false);
    let tall = noise(Size { width: 150, height: 599 }, true);
    let disc = |size: Size| {
        let far = |at: u32, side: u32| (f64::from(at) + 0.5) / f64::from(side) - 0.5;
        mask(size, |x, y| u8::from(far(x, size.width).hypot(far(y, size.height)) < 0.3) * 255)
    };
    let soft = |size: Size| mask(size, |x, y| u8::try_from((x * y) % 256).unwrap());
    for (source, mask, background) in [
        (&cat, upper_right(cat.size, 0.5, 0.5), Background::Auto),
        (&cat, upper_right(cat.size, 0.0, 0.45), Background::Transparent),
        (&clear, upper_right(cat.size, 0.5, 0.5), Background::Opaque),
        (&clear, disc(cat.size), Background::Auto),
        (&tiny, upper_right(tiny.size, 0.5, 0.5), Background::Auto),
        (&long, disc(long.size), Background::Auto),
        (&long, mask(long.size, |x, _| u8::from(x == 77) * 255), Background::Transparent),
        (&tall, soft(tall.size), Background::Auto),
    ] {
        let wanted = Spec { background, steps: QUICK, ..spec("a red balloon and a cat") };
        let edited = &edit(&wanted, source, &mask)[0].pixels;
        assert_eq!(edited.size, source.size);
        assert_eq!(edited.alpha, source.alpha || background == Background::Transparent);
        let mut changed = false;
        for ((x, y), share) in places(source.size).zip(&mask.bytes) {
            let same = pixel(edited, x, y) == pixel(source, x, y);
            assert!(same || *share > 0, "{} {background:?}: {x} {y} changed", source.size);
            changed |= !same;
        }
        assert!(changed, "{} {background:?}: nothing changed", source.size);
    }
}

#[test]
fn four_edits_begin_with_the_one_of_the_same_seed() {
    let source = draw(&spec("a cat on a mint background"))[0].pixels.clone();
    let mask = upper_right(source.size, 0.0, 0.5);
    for prompt in ["a cat", "a red balloon", "a cat and two balloons"] {
        let wanted = |count| Spec { count, steps: QUICK, ..spec(prompt) };
        let four = edit(&wanted(4), &source, &mask);
        assert!(four[..1] == edit(&wanted(1), &source, &mask), "{prompt}");
        assert!(four[..2] == edit(&wanted(2), &source, &mask), "{prompt}");
        assert_ne!(four[0].pixels, four[1].pixels, "{prompt}");
        let other = edit(&Spec { seed: 12, ..wanted(1) }, &source, &mask);
        assert_ne!(four[0].pixels, other[0].pixels, "{prompt}");
    }
}

#[test]
fn a_thing_is_laid_whole_into_the_mask_on_the_backdrop_of_the_picture() {
    let source = draw(&spec("a cat on a mint background"))[0].pixels.clone();
    let mask = upper_right(source.size, 0.5, 0.5);
    let edited = &edit(&spec("a red balloon"), &source, &mask)[0].pixels;
    let red = |[r, g, b, _]: [u8; 4]| u32::from(r) > 100 + u32::from(g).max(u32::from(b)) / 2 && g < 110;
    let reds: Vec<(u32, u32)> = places(source.size).filter(|(x, y)| red(pixel(edited, *x, *y))).collect();
    let inside = reds.iter().filter(|(x, y)| *x >= 128 && *y < 128).count();
    assert!(inside > 1_500, "{inside} red pixels");
    for (x, y) in [(255, 0), (132, 2), (250, 120)] {
        assert_eq!(pixel(edited, x, y)[..3], [190, 235, 210], "{x} {y} is backdrop");
    }
}

#[test]
fn a_subject_that_is_asked_for_again_is_completed() {
    for (prompt, mirrored) in [("red apple", false), ("castle", true), ("cat", true)] {
        let words = format!("{prompt} on a beige background{}", if mirrored { ", mirrored" } else { "" });
        let source = draw(&Spec { seed: 4, ..spec(&words) })[0].pixels.clone();
        let mask = mask(source.size, |x, _| u8::from(x > 140) * 255);
        let apart = |prompt: &str| squared_distance(&edit(&spec(prompt), &source, &mask)[0].pixels, &source);
        let (same, other) = (apart(prompt), apart("umbrella"));
        assert!(same < 250.0 && other > 4.0 * same, "{prompt}: {same} and {other}");
    }
}

#[test]
fn what_is_behind_the_new_part_is_as_asked_for() {
    let clear = draw(&Spec { background: Background::Transparent, ..spec("a cat") })[0].pixels.clone();
    let mint = draw(&spec("a cat on a mint background"))[0].pixels.clone();
    let mask = upper_right(clear.size, 0.5, 0.5);
    let corner = |source: &Pixels, background, prompt: &str| {
        let edited = edit(&Spec { background, steps: QUICK, ..spec(prompt) }, source, &mask);
        let at = pixel(&edited[0].pixels, 255, 0);
        if at[3] == 0 { None } else { Some((at[3], [at[0], at[1], at[2]])) }
    };
    assert_eq!(corner(&clear, Background::Auto, "a balloon"), None);
    assert_eq!(corner(&clear, Background::Opaque, "a balloon"), Some((255, [255; 3])));
    assert_eq!(corner(&mint, Background::Auto, "a balloon"), Some((255, [190, 235, 210])));
    assert_eq!(corner(&mint, Background::Transparent, "a balloon"), None);
    assert_eq!(corner(&mint, Background::Auto, "a balloon on a transparent background"), None);
    assert_eq!(corner(&mint, Background::Auto, "a balloon on a beige background"), Some((255, [240, 225, 200])));
}

#[test]
fn a_full_mask_is_a_picture_of_that_size_from_words_alone() {
    let full = |size| mask(size, |_, _| 255);
    let source = noise(Size::square(256), false);
    let wanted = Spec { steps: QUICK, ..spec("a red fox") };
    assert!(edit(&wanted, &source, &full(source.size)) == draw(&wanted));
    let long = noise(Size { width: 200, height: 90 }, false);
    let edited = &edit(&wanted, &long, &full(long.size))[0].pixels;
    assert_eq!((edited.size, edited.bytes.len()), (long.size, 200 * 90 * 3));
    let middle = |x| (0..90).map(|y| pixel(edited, x, y)).collect::<std::collections::HashSet<_>>().len();
    assert!(middle(100) > 10 && middle(3) == 1, "the fox is in the middle of its backdrop");
}

#[test]
fn previews_show_the_whole_picture_each_nearer_than_the_last() {
    let source = draw(&spec("a cat on a mint background"))[0].pixels.clone();
    let wide = resized(&source, Size { width: 400, height: 256 });
    for (prompt, source, to) in [("a cat", &source, 0.5), ("a rocket", &wide, 1.0), ("a cat and an owl", &source, 0.45)]
    {
        let mask = upper_right(source.size, 0.4, to);
        let control = Watching::default();
        let given = Given::Edit { source: source.clone(), mask: mask.clone() };
        let wanted = Spec { count: 3, previews: 3, size: source.size, ..spec(prompt) };
        let edited = POCKET.run(&wanted, &given, &control).unwrap();
        let previews = control.previews.into_inner().unwrap();
        for picture in edited {
            let own: Vec<&Pixels> = previews.iter().filter(|(i, _)| *i == picture.index).map(|(_, p)| p).collect();
            assert_eq!(own.len(), 3);
            assert_eq!(own[0].size.width, PREVIEW_SIDE);
            let last = resized(&picture.pixels, own[0].size);
            let apart: Vec<f64> = own.iter().map(|preview| squared_distance(preview, &last)).collect();
            assert!(apart[0] > apart[1] && apart[1] > apart[2], "{prompt} {}: {apart:?}", picture.index);
        }
    }
}

#[test]
fn an_edit_ends_within_a_step_of_being_cancelled() {
    let source = noise(Size { width: 120, height: 90 }, false);
    let given = Given::Edit { mask: upper_right(source.size, 0.5, 0.5), source: source.clone() };
    for cancel_at in [0, 5, STEPS_DEFAULT] {
        let control = Watching { cancel_at: Some(cancel_at), ..Watching::default() };
        let run = POCKET.run(&Spec { size: source.size, ..spec("castle") }, &given, &control);
        assert!(matches!(run, Err(EngineError::Cancelled)));
        assert_eq!(control.steps.into_inner(), cancel_at);
    }
}

/// A picture of one colour.
fn plain(size: Size) -> Pixels {
    Pixels { size, alpha: false, bytes: [190, 120, 80].repeat(places(size).count()) }
}

/// A picture whose colours change across and down, unevenly, so that it has no backdrop.
fn slope(size: Size) -> Pixels {
    let along = |at: u32, side: u32| u8::try_from(at * 255 / side).unwrap();
    let bytes = places(size).flat_map(|(x, y)| {
        let (across, down) = (along(x, size.width), along(y, size.height));
        [across, down.abs_diff(across), 255 - down]
    });
    Pixels { size, alpha: false, bytes: bytes.collect() }
}

/// A picture with a hole where `clear` says how much of it is missing, which is also its mask.
fn holed(source: &Pixels, clear: impl Fn(u32, u32) -> u8) -> (Pixels, Mask) {
    let mask = mask(source.size, clear);
    let bytes = places(source.size).zip(&mask.bytes).flat_map(|((x, y), clear)| {
        let [r, g, b, _] = pixel(source, x, y);
        // What is clear says nothing of its colour.
        if *clear == 255 { [0; 4] } else { [r, g, b, 255 - clear] }
    });
    (Pixels { size: source.size, alpha: true, bytes: bytes.collect() }, mask)
}

/// A picture in the middle of a larger canvas, around which all is to be drawn.
fn outpainted(picture: &Pixels, size: Size) -> (Pixels, Mask) {
    let [left, top] = [(size.width - picture.size.width) / 2, (size.height - picture.size.height) / 2];
    let inside = |x: u32, y: u32| {
        (left..left + picture.size.width).contains(&x) && (top..top + picture.size.height).contains(&y)
    };
    let bytes = places(size).flat_map(|(x, y)| if inside(x, y) { pixel(picture, x - left, y - top) } else { [0; 4] });
    let source = Pixels { size, alpha: true, bytes: bytes.collect() };
    (source, mask(size, |x, y| u8::from(!inside(x, y)) * 255))
}

/// Asserts that all that a mask changes has become opaque, and that the rest has not changed.
fn assert_filled(source: &Pixels, mask: &Mask, background: Background, prompt: &str) -> Pixels {
    let wanted = Spec { background, steps: QUICK, ..spec(prompt) };
    let edited = edit(&wanted, source, mask).remove(0).pixels;
    let translucent = places(source.size).filter(|(x, y)| pixel(&edited, *x, *y)[3] < 255).count();
    assert_eq!(translucent, 0, "{} {background:?} {prompt}: {translucent} pixels are translucent", source.size);
    for ((x, y), _) in places(source.size).zip(&mask.bytes).filter(|(_, share)| **share == 0) {
        assert_eq!(pixel(&edited, x, y), pixel(source, x, y), "{x} {y} changed");
    }
    edited
}

#[test]
fn a_picture_on_a_larger_canvas_goes_on_without_a_clear_line() {
    let [wide, square] = [Size { width: 500, height: 300 }, Size { width: 500, height: 500 }];
    let inner = Size { width: 300, height: 300 };
    let small = Size { width: 90, height: 70 };
    for (picture, size) in [
        (plain(inner), wide),
        (plain(inner), square),
        (slope(inner), wide),
        (slope(inner), square),
        (plain(small), Size::square(128)),
        (slope(small), Size { width: 171, height: 70 }),
    ] {
        let (source, mask) = outpainted(&picture, size);
        for background in [Background::Auto, Background::Opaque] {
            assert_filled(&source, &mask, background, "a red balloon");
        }
    }
}

#[test]
fn no_line_of_another_colour_stands_where_a_larger_canvas_begins() {
    let [wide, square] = [Size { width: 500, height: 300 }, Size::square(500)];
    let inner = Size::square(300);
    for (picture, size) in [(plain(inner), wide), (plain(inner), square), (slope(inner), wide), (slope(inner), square)]
    {
        let (source, mask) = outpainted(&picture, size);
        let edited = assert_filled(&source, &mask, Background::Auto, "a red balloon");
        let left = (size.width - 300) / 2;
        let top = (size.height - 300) / 2;
        // Along the lower end of the left edge, where nothing is laid.
        for y in top + 240..top + 300 {
            let [before, first] = [left - 1, left].map(|x| pixel(&edited, x, y));
            let apart = before.iter().zip(first).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(apart < 4, "{size} {y}: {before:?} beside {first:?}");
        }
    }
}

#[test]
fn a_hole_is_filled_without_a_clear_line() {
    let size = Size { width: 400, height: 320 };
    let far = |x: u32, y: u32| (f64::from(x) - 200.0).hypot(f64::from(y) - 160.0);
    let disc = |x, y| u8::from(far(x, y) < 90.0) * 255;
    let square = |x: u32, y: u32| u8::from((120..280).contains(&x) && (80..240).contains(&y)) * 255;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float is cut to a byte")]
    let soft = |x, y| ((110.0 - far(x, y)) * 12.0) as u8;
    for picture in [plain(size), slope(size)] {
        for (source, mask) in [holed(&picture, disc), holed(&picture, square), holed(&picture, soft)] {
            for background in [Background::Auto, Background::Opaque] {
                assert_filled(&source, &mask, background, "a red balloon");
            }
        }
    }
}

#[test]
fn a_feather_over_what_is_there_is_soft() {
    let size = Size::square(512);
    let mask = mask(size, |x, _| u8::from(x >= 256) * 255);
    let with_alpha = outpainted(&plain(size), size).0;
    for source in [plain(size), with_alpha] {
        let wanted = Spec { steps: QUICK, ..spec("a cat on a light blue background") };
        let edited = &edit(&wanted, &source, &mask)[0].pixels;
        assert_eq!(edited.alpha, source.alpha);
        assert!(places(size).all(|(x, y)| pixel(edited, x, y)[3] == 255));
        // From the old colour to the new one, each step a small one.
        let row: Vec<[u8; 4]> = (255..270).map(|x| pixel(edited, x, 500)).collect();
        assert_eq!((row[0], row[14]), ([190, 120, 80, 255], [175, 215, 250, 255]));
        assert!(row.windows(2).all(|pair| pair[0][2] <= pair[1][2] && pair[1][2] - pair[0][2] < 40), "{row:?}");
        let between = row.iter().filter(|pixel| (81..250).contains(&pixel[2])).count();
        assert!(between >= 5, "{row:?}");
        assert!(row[1][2] < 100, "it begins with the old colour: {row:?}");
    }
}

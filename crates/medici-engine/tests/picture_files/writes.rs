//! Files that are written, read back.

use medici_studio::{
    engine::Pixels,
    picture_file::{Encoder, FileFormat},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

use super::{PictureFiles, Size, difference, encode, pattern, pixels, told};

const LOSSLESS: [(FileFormat, u8); 3] = [(FileFormat::Png, 100), (FileFormat::Png, 0), (FileFormat::Webp, 100)];

/// Returns two hundred pictures of any size, with and without alpha, of all colours and of few: encoders treat them
/// differently.
fn any_pictures() -> impl Iterator<Item = Pixels> {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    (0..200).map(move |number| {
        let [width, height] = [1, 1].map(|least| least + chance.next_u32() % 39);
        let alpha = number % 2 == 0;
        let mut bytes = vec![0; (width * height) as usize * if alpha { 4 } else { 3 }];
        chance.fill_bytes(&mut bytes);
        if number % 3 == 0 {
            bytes.iter_mut().for_each(|byte| *byte %= 3);
        }
        Pixels { size: Size { width, height }, alpha, bytes }
    })
}

#[test]
fn a_lossless_file_gives_back_every_pixel() {
    for picture in any_pictures() {
        for (format, compression) in LOSSLESS {
            assert!(pixels(&encode(&picture, format, compression)) == picture, "{format} of {picture:?}");
        }
    }
}

#[test]
fn a_lossy_file_gives_back_a_picture_of_the_size() {
    for (picture, compression) in any_pictures().zip((0..=100).cycle()) {
        let jpeg = pixels(&encode(&picture, FileFormat::Jpeg, compression));
        assert_eq!((jpeg.size, jpeg.alpha), (picture.size, false));
        let webp = pixels(&encode(&picture, FileFormat::Webp, compression));
        assert_eq!((webp.size, webp.alpha), (picture.size, picture.alpha));
    }
}

#[test]
fn less_quality_makes_smaller_files_that_are_further_off() {
    let picture = pattern(96, 64, false);
    for format in [FileFormat::Jpeg, FileFormat::Webp] {
        let at = |compression| {
            let file = encode(&picture, format, compression);
            (file.len(), difference(&pixels(&file), &picture))
        };
        let steps = [99, 80, 40, 5].map(at);
        for pair in steps.windows(2) {
            assert!(pair[0].0 > pair[1].0 && pair[0].1 < pair[1].1, "{format}: {steps:?}");
        }
        assert!(steps[0].1 < 4.0, "{format}: {steps:?}");
    }
}

#[test]
fn a_jpeg_shows_white_where_a_picture_is_transparent() {
    let half = |alpha| [200, 100, 0, alpha].repeat(16 * 16);
    let of = |bytes| Pixels { size: Size::square(16), alpha: true, bytes };
    let shown = |alpha| pixels(&encode(&of(half(alpha)), FileFormat::Jpeg, 100)).bytes[..3].to_vec();
    let near = |shown: Vec<u8>, expected: [u8; 3]| shown.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2);
    assert!(near(shown(255), [200, 100, 0]));
    assert!(near(shown(128), [227, 177, 127]));
    assert!(near(shown(0), [255, 255, 255]));
}

#[test]
fn equal_arguments_give_equal_bytes_and_others_do_not() {
    let picture = pattern(32, 16, true);
    for format in FileFormat::ALL {
        assert_eq!(encode(&picture, format, 70), encode(&picture, format, 70));
        assert_ne!(encode(&picture, format, 70), encode(&pattern(32, 16, false), format, 70));
    }
    let output = Default::default();
    let other = super::Provenance { index: 3, ..told() };
    assert_ne!(PictureFiles.encode(&picture, output, &told()), PictureFiles.encode(&picture, output, &other));
}

#[test]
fn a_preview_is_a_plain_png_of_every_pixel() {
    for alpha in [false, true] {
        let picture = pattern(32, 16, alpha);
        let (file, media_type) = PictureFiles.preview(&picture);
        assert!(pixels(&file) == picture);
        assert_eq!(media_type, "image/png");
        assert!(!file.windows(4).any(|name| name == b"iTXt"));
    }
}

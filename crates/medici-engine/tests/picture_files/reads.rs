//! Files of other programs.

use medici_studio::{
    engine::{Pixels, Size},
    picture_file::{Decoder, Probe, UploadFormat},
};

use super::{PictureFiles, decode, difference, file, pixels};

fn picture() -> Pixels {
    pixels(&file("picture.png"))
}

fn alpha() -> Pixels {
    pixels(&file("alpha.png"))
}

/// Returns a picture as it looks where nothing was drawn but the lower right quarter.
fn quarter(whole: &Pixels) -> Pixels {
    let mut bytes = Vec::new();
    for (at, pixel) in whole.bytes.chunks(3).enumerate() {
        let (x, y) = (at % 24, at / 24);
        let seen = x >= 12 && y >= 8;
        bytes.extend(if seen { [pixel[0], pixel[1], pixel[2], 255] } else { [0; 4] });
    }
    Pixels { alpha: true, bytes, size: whole.size }
}

/// Returns opaque pixels with an alpha channel.
fn opaque(pixels: &Pixels) -> Pixels {
    let bytes = pixels.bytes.chunks(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    Pixels { alpha: true, bytes, size: pixels.size }
}

#[test]
fn the_picture_the_others_are_compared_with_is_what_was_painted() {
    let picture = picture();
    assert_eq!((picture.size, picture.alpha), (Size { width: 24, height: 16 }, false));
    let (first, last) = (&picture.bytes[..3], &picture.bytes[picture.bytes.len() - 3..]);
    assert_eq!((first, last), (&[0xdf, 0x20, 0x20][..], &[0xdf, 0xd0, 0x20][..]));
    let alpha = alpha();
    assert_eq!((alpha.bytes[3], alpha.bytes[alpha.bytes.len() - 1]), (255, 64));
}

#[test]
fn lossless_files_hold_the_same_pixels() {
    for name in ["interlaced-16.png", "lossless.webp"] {
        assert!(pixels(&file(name)) == picture(), "{name}");
    }
    for name in ["interlaced-alpha.png", "lossless-alpha.webp"] {
        assert!(pixels(&file(name)) == alpha(), "{name}");
    }
}

#[test]
fn lossy_files_look_the_same() {
    let same = [
        ("baseline-420.jpg", 3.0),
        ("baseline-422.jpg", 2.5),
        ("progressive.jpg", 1.5),
        ("progressive-420.jpg", 3.0),
        ("camera.jpg", 3.0),
        ("cmyk.jpg", 2.0),
        ("cmyk-progressive.jpg", 2.0),
        ("interlaced-palette.png", 12.0),
        ("lossy.webp", 6.0),
    ];
    for (name, tolerance) in same {
        let off = difference(&pixels(&file(name)), &picture());
        assert!(off < tolerance, "{name} is {off} off");
    }
    for name in ["still.gif", "interlaced.gif", "animated.gif"] {
        let off = difference(&pixels(&file(name)), &opaque(&picture()));
        assert!(off < 3.0, "{name} is {off} off");
    }
    let off = difference(&pixels(&file("lossy-alpha.webp")), &alpha());
    assert!(off < 6.0, "{off} off");
}

#[test]
fn grey_becomes_three_equal_channels() {
    let grey = pixels(&file("grey.jpg"));
    assert_eq!((grey.size, grey.alpha), (picture().size, false));
    assert!(grey.bytes.chunks(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
    // Yellow is the brightest corner, blue the darkest.
    let [first, last] = [grey.bytes[0], grey.bytes[grey.bytes.len() - 1]];
    let blue = grey.bytes[15 * 24 * 3];
    assert!(blue < first && first < last, "{blue} {first} {last}");
}

#[test]
fn however_the_camera_was_held_the_picture_is_upright() {
    for orientation in 1..=8 {
        let upload = decode(&file(&format!("orientation-{orientation}.jpg"))).unwrap();
        assert_eq!(upload.orientation, orientation);
        let off = difference(&upload.pixels, &picture());
        assert!(off < 1.5, "{orientation} is {off} off");
    }
    for (name, orientation) in [("orientation.png", 6), ("orientation.webp", 8)] {
        let upload = decode(&file(name)).unwrap();
        assert_eq!(upload.orientation, orientation, "{name}");
        assert!(upload.pixels == picture(), "{name}");
    }
}

#[test]
fn of_an_animation_the_first_frame_is_taken() {
    assert!(pixels(&file("animated.webp")) == picture());
    assert!(pixels(&file("whole-first.webp")) == picture());
    let off = difference(&pixels(&file("animated-lossy.webp")), &alpha());
    assert!(off < 6.0, "{off} off");
}

#[test]
fn around_a_frame_that_is_smaller_than_its_canvas_nothing_is_seen() {
    assert!(pixels(&file("part-first.webp")) == quarter(&picture()));
    let off = difference(&pixels(&file("transparent.gif")), &quarter(&picture()));
    assert!(off < 2.0, "{off} off");
}

#[test]
fn a_probe_tells_the_format_and_the_size_as_stored() {
    let size = Size { width: 24, height: 16 };
    for (name, format) in [
        ("interlaced-16.png", UploadFormat::Png),
        ("camera.jpg", UploadFormat::Jpeg),
        ("lossy.webp", UploadFormat::Webp),
        ("lossless.webp", UploadFormat::Webp),
        ("lossy-alpha.webp", UploadFormat::Webp),
        ("animated.webp", UploadFormat::Webp),
        ("animated.gif", UploadFormat::Gif),
    ] {
        assert_eq!(PictureFiles.probe(&file(name)), Ok(Probe { format, size }), "{name}");
    }
    let lying = PictureFiles.probe(&file("orientation-6.jpg")).unwrap();
    assert_eq!(lying.size, Size { width: 16, height: 24 });
}

#[test]
fn what_follows_a_picture_is_dropped() {
    let behind: &[&[u8]] = &[b"PK\x03\x04 an archive", b"<html><script>alert(1)</script></html>", b"\0", b"\xff\xd9"];
    for name in ["picture.png", "baseline-420.jpg", "lossy.webp", "lossy-alpha.webp", "still.gif"] {
        let whole = file(name);
        for more in behind {
            assert!(pixels(&[&whole[..], more].concat()) == pixels(&whole), "{name}");
        }
    }
}

//! Kinds of files that are made here, by the encoders of the crates we read with.

use jpeg_encoder::ColorType;
use medici_studio::engine::{Pixels, Size};
use png::{BitDepth, ColorType as PngColour};

use super::{decode, difference, pattern, pixels};

/// How a PNG is made.
struct Kind {
    colour: PngColour,
    depth: BitDepth,
    palette: Option<Vec<u8>>,
    transparent: Option<Vec<u8>>,
}

fn png(width: u32, height: u32, kind: Kind, data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(kind.colour);
    encoder.set_depth(kind.depth);
    kind.palette.into_iter().for_each(|palette| encoder.set_palette(palette));
    kind.transparent.into_iter().for_each(|colours| encoder.set_trns(colours));
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    file
}

fn depth(bits: u8) -> BitDepth {
    BitDepth::from_u8(bits).unwrap()
}

/// Writes numbers of so many bits each, rows of eight numbers, the first in the highest bits.
fn packed(numbers: &[u8], bits: u8) -> Vec<u8> {
    let per_byte = usize::from(8 / bits);
    numbers
        .chunks(per_byte)
        .map(|chunk| chunk.iter().fold(0, |byte: u8, n| byte.wrapping_shl(bits.into()) | n))
        .collect()
}

#[test]
fn png_of_every_depth_of_grey() {
    for bits in [1, 2, 4, 8] {
        let top = u8::try_from((1_u16 << bits) - 1).unwrap();
        let numbers: Vec<u8> = (0..16_u8).map(|n| if bits == 8 { n * 16 } else { n % (top + 1) }).collect();
        let kind = Kind { colour: PngColour::Grayscale, depth: depth(bits), palette: None, transparent: None };
        let read = pixels(&png(8, 2, kind, &packed(&numbers, bits)));
        let expected: Vec<u8> = numbers.iter().flat_map(|n| [n * (255 / top); 3]).collect();
        assert_eq!(read, Pixels { size: Size { width: 8, height: 2 }, alpha: false, bytes: expected }, "{bits} bits");
    }
}

#[test]
fn png_of_every_depth_of_palette_with_and_without_transparency() {
    for bits in [1, 2, 4, 8] {
        let colours = 1_usize << bits.min(4);
        let palette: Vec<u8> =
            (0..colours).flat_map(|n| [n * 16, 255 - n, n]).map(|n| u8::try_from(n).unwrap()).collect();
        let numbers: Vec<u8> = (0..16_usize).map(|n| u8::try_from(n % colours).unwrap()).collect();
        for transparent in [None, Some(vec![0, 128])] {
            let kind = Kind {
                colour: PngColour::Indexed,
                depth: depth(bits),
                palette: Some(palette.clone()),
                transparent: transparent.clone(),
            };
            let read = pixels(&png(8, 2, kind, &packed(&numbers, bits)));
            let expected: Vec<u8> = numbers
                .iter()
                .flat_map(|n| {
                    let colour = &palette[3 * usize::from(*n)..][..3];
                    let alpha = transparent.as_ref().map(|given| given.get(usize::from(*n)).copied().unwrap_or(255));
                    colour.iter().copied().chain(alpha).collect::<Vec<_>>()
                })
                .collect();
            assert_eq!((read.alpha, read.bytes), (transparent.is_some(), expected), "{bits} bits");
        }
    }
}

#[test]
fn png_with_a_transparent_colour_has_an_alpha_channel() {
    let kind = Kind {
        colour: PngColour::Rgb,
        depth: BitDepth::Eight,
        palette: None,
        transparent: Some(vec![0, 1, 0, 2, 0, 3]),
    };
    let read = pixels(&png(2, 1, kind, &[1, 2, 3, 4, 5, 6]));
    assert_eq!((read.alpha, read.bytes), (true, vec![1, 2, 3, 0, 4, 5, 6, 255]));
    let kind =
        Kind { colour: PngColour::Grayscale, depth: BitDepth::Eight, palette: None, transparent: Some(vec![0, 9]) };
    let read = pixels(&png(2, 1, kind, &[9, 10]));
    assert_eq!((read.alpha, read.bytes), (true, vec![9, 9, 9, 0, 10, 10, 10, 255]));
}

#[test]
fn png_of_sixteen_bits_keeps_the_upper_eight() {
    for (colour, samples) in
        [(PngColour::Grayscale, 1), (PngColour::GrayscaleAlpha, 2), (PngColour::Rgb, 3), (PngColour::Rgba, 4)]
    {
        let data: Vec<u8> = (0..samples).flat_map(|n| [10 * n + 10, 200]).collect();
        let kind = Kind { colour, depth: BitDepth::Sixteen, palette: None, transparent: None };
        let read = pixels(&png(1, 1, kind, &data));
        let expected = match samples {
            1 => vec![10, 10, 10],
            2 => vec![10, 10, 10, 20],
            3 => vec![10, 20, 30],
            _ => vec![10, 20, 30, 40],
        };
        assert_eq!(read.bytes, expected);
    }
}

#[test]
fn of_an_animated_png_the_first_frame_is_taken() {
    let frames = [pattern(9, 5, false), pattern(5, 9, false)];
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 9, 5);
    encoder.set_color(PngColour::Rgb);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for frame in &frames {
        writer.write_image_data(&frame.bytes).unwrap();
    }
    writer.finish().unwrap();
    assert!(file.windows(4).any(|name| name == b"fdAT"));
    assert!(pixels(&file) == frames[0]);
}

#[test]
fn a_profile_and_long_comments_change_nothing() {
    let picture = pattern(9, 5, false);
    let mut file = Vec::new();
    let mut info = png::Info::with_size(9, 5);
    info.color_type = PngColour::Rgb;
    info.bit_depth = BitDepth::Eight;
    info.icc_profile = Some(vec![7; 100_000].into());
    let mut encoder = png::Encoder::with_info(&mut file, info).unwrap();
    encoder.add_ztxt_chunk("Comment".to_owned(), "long ".repeat(1_000_000)).unwrap();
    encoder.write_header().unwrap().write_image_data(&picture.bytes).unwrap();
    assert!(pixels(&file) == picture);

    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 100);
    encoder.add_icc_profile(&vec![7; 1_000_000]).unwrap();
    // A hundred thousand pieces of one packet: a decoder that puts them together again and again takes for ever.
    let piece = [&b"http://ns.adobe.com/xmp/extension/\0"[..], &[b'A'; 32], &[0, 1, 0, 0, 0, 0, 0, 9], b"x"].concat();
    for _ in 0..100_000 {
        encoder.add_app_segment(1, piece.clone()).unwrap();
    }
    encoder.encode(&picture.bytes, 9, 5, ColorType::Rgb).unwrap();
    assert!(difference(&pixels(&file), &picture) < 3.0);
}

/// The inks of a picture as files hold them: how much paper is left, and no black.
fn inks(picture: &Pixels) -> Vec<u8> {
    picture.bytes.chunks(3).flat_map(|pixel| [255 - pixel[0], 255 - pixel[1], 255 - pixel[2], 0]).collect()
}

#[test]
fn jpeg_of_four_inks_transformed_or_not_is_turned_into_light() {
    let picture = pattern(40, 24, false);
    for colour in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        for progressive in [false, true] {
            let mut file = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut file, 100);
            encoder.set_progressive(progressive);
            // More metadata than the decoder is given.
            encoder.add_icc_profile(&vec![7; 100_000]).unwrap();
            encoder.encode(&inks(&picture), 40, 24, colour).unwrap();
            let off = difference(&pixels(&file), &picture);
            assert!(off < 3.0, "{colour:?} is {off} off");
        }
    }
}

#[test]
fn jpeg_with_restarts_and_many_passes() {
    let picture = pattern(40, 24, false);
    for progressive in [false, true] {
        let mut file = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut file, 98);
        encoder.set_progressive(progressive);
        if progressive {
            encoder.set_progressive_scans(12);
        }
        encoder.set_restart_interval(2);
        encoder.encode(&picture.bytes, 40, 24, ColorType::Rgb).unwrap();
        let off = difference(&pixels(&file), &picture);
        assert!(off < 4.0, "progressive {progressive} is {off} off");
    }
}

#[test]
fn gif_of_one_frame_is_read_exactly() {
    let palette = [255, 0, 0, 0, 255, 0, 0, 0, 255];
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, 3, 1, &palette).unwrap();
    let frame =
        gif::Frame { width: 3, height: 1, buffer: vec![2, 1, 0].into(), transparent: Some(1), ..Default::default() };
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    let upload = decode(&file).unwrap();
    assert!(upload.is_transparent());
    assert_eq!(upload.pixels.bytes[..4], [0, 0, 255, 255]);
    assert_eq!(upload.pixels.bytes[7], 0);
}

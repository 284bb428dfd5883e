//! Files that are refused, and by what.

use medici_studio::{
    engine::Size,
    picture_file::{Decoder, FileFormat, UploadError, UploadFormat, UploadLimits},
};

use super::{PictureFiles, decode, encode, file, pattern};

/// Returns a PNG that claims a size and holds this much coded data, every checksum right.
pub(crate) fn claiming(width: u32, height: u32, coded: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        file.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
        let body = [&kind[..], data].concat();
        file.extend_from_slice(&body);
        file.extend_from_slice(&checksum(&body).to_be_bytes());
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend_from_slice(&[8, 6, 0, 0, 0]);
    chunk(b"IHDR", &header);
    chunk(b"IDAT", coded);
    chunk(b"IEND", &[]);
    file
}

/// The checksum of PNG, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        let shift = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        (0..8).fold(sum ^ u32::from(*byte), shift)
    };
    !bytes.iter().fold(!0, step)
}

/// The coded data of one transparent pixel.
const ONE_PIXEL: [u8; 11] = [0x78, 0x9c, 0x63, 0x60, 0, 0x02, 0, 0, 5, 0, 1];

#[test]
fn what_a_header_claims_is_bounded_before_anything_is_decoded() {
    assert_eq!(decode(&claiming(1, 1, &ONE_PIXEL)).unwrap().pixels.bytes, [0; 4]);
    let size = Size { width: 50_000, height: 50_000 };
    assert_eq!(
        decode(&claiming(50_000, 50_000, &ONE_PIXEL)),
        Err(UploadError::TooManyPixels { size, max: 25_000_000 })
    );
    let size = Size { width: 60_000, height: 1 };
    assert_eq!(decode(&claiming(60_000, 1, &ONE_PIXEL)), Err(UploadError::SideTooLong { size, max: 8_192 }));
    let size = Size { width: u32::MAX, height: u32::MAX };
    assert_eq!(
        decode(&claiming(u32::MAX, u32::MAX, &ONE_PIXEL)),
        Err(UploadError::TooManyPixels { size, max: 25_000_000 })
    );
    assert_eq!(decode(&claiming(0, 1, &ONE_PIXEL)), Err(UploadError::Broken(UploadFormat::Png)));
    // Within the limits, and not what is in it.
    assert_eq!(decode(&claiming(5_000, 5_000, &ONE_PIXEL)), Err(UploadError::Broken(UploadFormat::Png)));
}

#[test]
fn the_callers_own_limits_hold() {
    let picture = file("picture.png");
    let limits = |bytes_max, pixels_max, side_max| UploadLimits { bytes_max, pixels_max, side_max };
    let size = Size { width: 24, height: 16 };
    let decode = |limits: &UploadLimits| PictureFiles.decode(&picture, limits).map(|upload| upload.pixels.size);
    assert_eq!(decode(&limits(picture.len(), 384, 24)), Ok(size));
    let bytes = picture.len();
    assert_eq!(decode(&limits(bytes - 1, 384, 24)), Err(UploadError::TooManyBytes { bytes, max: bytes - 1 }));
    assert_eq!(decode(&limits(bytes, 383, 24)), Err(UploadError::TooManyPixels { size, max: 383 }));
    assert_eq!(decode(&limits(bytes, 384, 23)), Err(UploadError::SideTooLong { size, max: 23 }));
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let names = [
        "picture.png",
        "interlaced-palette.png",
        "baseline-420.jpg",
        "progressive.jpg",
        "cmyk.jpg",
        "camera.jpg",
        "lossy.webp",
        "lossy-alpha.webp",
        "lossless-alpha.webp",
        "part-first.webp",
        "animated.gif",
    ];
    let ours = FileFormat::ALL.map(|format| encode(&pattern(7, 5, true), format, 80));
    for (number, whole) in names.map(file).into_iter().chain(ours).enumerate() {
        assert!(decode(&whole).is_ok(), "file {number}");
        for end in 0..whole.len() {
            match decode(&whole[..end]) {
                Err(UploadError::Empty) if end == 0 => {}
                Err(UploadError::Truncated(_)) if end > 0 => {}
                other => panic!("file {number}, cut at {end}: {other:?}"),
            }
        }
    }
}

#[test]
fn kinds_that_are_not_read_are_named() {
    let mut jpeg = file("baseline-420.jpg");
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    let mut with = |offset: usize, byte: u8| {
        let before = std::mem::replace(&mut jpeg[frame + offset], byte);
        let message = decode(&jpeg).unwrap_err().to_string();
        jpeg[frame + offset] = before;
        message
    };
    assert_eq!(with(1, 0xc3), "a lossless JPEG cannot be read");
    assert_eq!(with(1, 0xc9), "an arithmetically coded JPEG cannot be read");
    assert_eq!(with(4, 12), "a JPEG of 12 bits a channel cannot be read");
    assert_eq!(with(9, 2), "a JPEG of two colours cannot be read");
}

#[test]
fn a_jpeg_of_very_many_passes_is_refused() {
    let jpeg = file("progressive.jpg");
    let scans: Vec<usize> =
        jpeg.windows(2).enumerate().filter(|(_, marker)| *marker == [0xff, 0xda]).map(|(at, _)| at).collect();
    let (last, end) = (scans[scans.len() - 1], jpeg.len() - 2);
    let many = [&jpeg[..end], &jpeg[last..end].repeat(64), &jpeg[end..]].concat();
    let error = UploadError::Unsupported { what: "a JPEG of more than 64 passes" };
    assert_eq!(decode(&many), Err(error));
}

#[test]
fn a_second_frame_that_is_larger_than_the_first_is_not_believed() {
    // In a JPEG, a second header; in a WebP, a picture larger than its canvas says.
    let jpeg = file("baseline-420.jpg");
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    let mut second = jpeg[frame..frame + 19].to_vec();
    second[5..9].copy_from_slice(&[0xff; 4]);
    let twice = [&jpeg[..frame + 19], &second, &jpeg[frame + 19..]].concat();
    assert_eq!(decode(&twice), Err(UploadError::Broken(UploadFormat::Jpeg)));
    let mut webp = file("lossy-alpha.webp");
    let coded = webp.windows(3).position(|code| code == [0x9d, 0x01, 0x2a]).unwrap();
    webp[coded + 3..coded + 7].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert_eq!(decode(&webp), Err(UploadError::Broken(UploadFormat::Webp)));
}

#[test]
fn a_gif_whose_first_frame_has_no_pixels_or_lies_off_the_screen_is_refused() {
    let gif = |frame: &[u8; 8]| {
        let screen = b"GIF89a\x04\0\x04\0\x80\0\0\0\0\0\xff\xff\xff,";
        [&screen[..], frame, b"\0\x02\x02\x44\x01\0;"].concat()
    };
    assert!(decode(&gif(b"\0\0\0\0\x01\0\x01\0")).is_ok());
    for frame in
        [b"\0\0\0\0\0\0\x04\0", b"\0\0\0\0\x04\0\0\0", b"\x04\0\0\0\x01\0\x01\0", b"\xff\xff\xff\xff\x01\0\x01\0"]
    {
        assert_eq!(decode(&gif(frame)), Err(UploadError::Broken(UploadFormat::Gif)));
    }
}

#[test]
fn messages_never_repeat_what_was_handed_in() {
    let secret = "<script>alert('a secret')</script>";
    let files = [
        secret.as_bytes().to_vec(),
        [b"\x89PNG\r\n\x1a\n", secret.as_bytes()].concat(),
        [b"\xff\xd8\xff\xe0\x00\x30", secret.as_bytes()].concat(),
        [b"RIFF\x20\0\0\0WEBP", secret.as_bytes()].concat(),
        [b"GIF89a", secret.as_bytes()].concat(),
    ];
    for file in files {
        let error = decode(&file).unwrap_err();
        for said in [error.to_string(), format!("{error:?}")] {
            assert!(!said.contains("script") && !said.contains("secret"), "{said}");
        }
    }
}

//! What files say of themselves.

use medici_engine::inspect;
use medici_studio::{
    engine::{Drawing, Size},
    picture_file::{Encoder, FileFormat, Output, Provenance, UploadError, UploadFormat},
};

use super::{PictureFiles, encode, file, pattern, told};

#[test]
fn every_format_tells_where_it_comes_from() {
    let picture = pattern(33, 17, true);
    for format in FileFormat::ALL {
        for compression in [60, 100] {
            for operation in [Drawing::Generate, Drawing::Edit, Drawing::Vary] {
                let told = Provenance { operation, ..told() };
                let file = PictureFiles.encode(&picture, Output { format, compression }, &told);
                let inspection = inspect(&file).unwrap();
                assert_eq!(inspection.provenance, Some(told), "{format}");
                assert_eq!(inspection.probe.size, Size { width: 33, height: 17 });
                assert!(inspection.is_ai_generated());
                let whole = operation != Drawing::Edit;
                let word = if whole { "trainedAlgorithmicMedia" } else { "compositeWithTrainedAlgorithmicMedia" };
                assert_eq!(inspection.source_type.as_deref(), Some(word));
            }
        }
    }
}

#[test]
fn words_that_are_kept_are_in_no_byte_of_the_file() {
    let picture = pattern(33, 17, true);
    let kept = Provenance { prompt: None, reading: None, ..told() };
    for format in FileFormat::ALL {
        let file = PictureFiles.encode(&picture, Output { format, compression: 100 }, &kept);
        assert!(!file.windows(3).any(|word| word == b"fox"), "{format}");
        assert_eq!(inspect(&file).unwrap().provenance, Some(kept.clone()));
    }
}

#[test]
fn a_png_has_the_line_that_other_tools_read() {
    let file = encode(&pattern(33, 17, false), FileFormat::Png, 100);
    let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
    reader.next_frame(&mut vec![0; 33 * 17 * 3]).unwrap();
    let texts = &reader.info().utf8_text;
    let text = |keyword: &str| texts.iter().find(|text| text.keyword == keyword).unwrap().get_text().unwrap();
    let expected = "a red fox — ein Fuchs & co.\n\
                    Steps: 12, Seed: 7, Size: 33x17, Model: pocket-1, Batch pos: 2, Version: Medici";
    assert_eq!(text("parameters"), expected);
    assert!(text("XML:com.adobe.xmp").contains("a red fox — ein Fuchs &amp; co."));
    assert_eq!(inspect(&file).unwrap().parameters.as_deref(), Some(expected));
    // Where Latin-1 will do, it is the chunk that the oldest tools know.
    let plain = Provenance { prompt: Some("ein Bär".to_owned()), ..told() };
    let file = PictureFiles.encode(&pattern(33, 17, false), Output::default(), &plain);
    assert!(file.windows(16).any(|name| name == b"tEXtparameters\0e"));
    assert!(inspect(&file).unwrap().parameters.unwrap().starts_with("ein Bär\nSteps"));
}

#[test]
fn files_of_others_are_not_ours() {
    for (name, format) in [
        ("picture.png", UploadFormat::Png),
        ("camera.jpg", UploadFormat::Jpeg),
        ("orientation.webp", UploadFormat::Webp),
        ("still.gif", UploadFormat::Gif),
    ] {
        let inspection = inspect(&file(name)).unwrap();
        assert_eq!((inspection.probe.format, inspection.provenance.clone()), (format, None), "{name}");
        assert!(!inspection.is_ai_generated());
    }
    assert_eq!(inspect(b"%PDF-1.7"), Err(UploadError::Unknown { found: "a PDF document" }));
}

#[test]
fn no_byte_of_a_file_makes_the_inspection_panic() {
    for format in FileFormat::ALL {
        let whole = encode(&pattern(5, 4, true), format, 100);
        for at in 0..whole.len() {
            assert!(inspect(&whole[..at]).is_err(), "{format} cut at {at}");
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                // Most flips leave a file that can be inspected.
                let _may_be_either = inspect(&flipped);
            }
        }
    }
}

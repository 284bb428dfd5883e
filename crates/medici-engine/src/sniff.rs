//! What a file is, by its first bytes. Its name and its sender are not asked.

use medici_studio::picture_file::{UploadError, UploadFormat};

/// Returns what kind of picture a file is.
pub(crate) fn sniff(bytes: &[u8]) -> Result<UploadFormat, UploadError> {
    match bytes {
        [] => Err(UploadError::Empty),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(UploadFormat::Png),
        [0xff, 0xd8, 0xff, ..] => Ok(UploadFormat::Jpeg),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(UploadFormat::Webp),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(UploadFormat::Gif),
        _ => Err(cut_short(bytes).map_or_else(|| UploadError::Unknown { found: other(bytes) }, UploadError::Truncated)),
    }
}

/// Returns what the beginning of a signature belongs to, where the file ends within it.
fn cut_short(bytes: &[u8]) -> Option<UploadFormat> {
    const WHOLE: [(&[u8], UploadFormat); 4] = [
        (b"\x89PNG\r\n\x1a\n", UploadFormat::Png),
        (b"\xff\xd8\xff", UploadFormat::Jpeg),
        (b"GIF87a", UploadFormat::Gif),
        (b"GIF89a", UploadFormat::Gif),
    ];
    let begun = WHOLE.into_iter().find(|(whole, _)| whole.starts_with(bytes)).map(|(_, format)| format);
    let riff = b"RIFF".starts_with(bytes) || (bytes.starts_with(b"RIFF") && bytes.len() < 12);
    begun.or(riff.then_some(UploadFormat::Webp))
}

/// Names what people hand in by mistake, with its article.
fn other(bytes: &[u8]) -> &'static str {
    const SIGNATURES: [(&[u8], &str); 20] = [
        (b"%PDF", "a PDF document"),
        (b"%!PS", "a PostScript document"),
        (b"PK\x03\x04", "a ZIP archive or an office document"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!", "a RAR archive"),
        (b"BM", "a BMP picture"),
        (b"II*\0", "a TIFF or raw picture"),
        (b"MM\0*", "a TIFF or raw picture"),
        (b"8BPS", "a Photoshop document"),
        (b"\0\0\x01\0", "an icon"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
        (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
        (b"qoif", "a QOI picture"),
        (b"RIFF", "a sound or a film"),
        (b"OggS", "a sound or a film"),
        (b"\x1a\x45\xdf\xa3", "a film"),
        (b"\x7fELF", "a program"),
    ];
    if let Some((_, name)) = SIGNATURES.into_iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return name;
    }
    match (bytes.get(4..8), bytes.get(8..12)) {
        (Some(b"ftyp"), Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"heim" | b"heis" | b"hevc")) => "a HEIC picture",
        (Some(b"ftyp"), Some(b"avif" | b"avis")) => "an AVIF picture",
        (Some(b"ftyp"), _) => "a film",
        _ => text(bytes),
    }
}

/// Names a text, or says that it is none.
fn text(bytes: &[u8]) -> &'static str {
    /// Nobody's page begins later.
    const LOOKED_AT: usize = 1_024;
    let bytes = &bytes[..bytes.len().min(LOOKED_AT)];
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let lower = bytes.to_ascii_lowercase();
    let has = |word: &[u8]| lower.windows(word.len()).any(|window| window == word);
    match bytes.first() {
        Some(b'<') if has(b"<svg") => "an SVG drawing",
        Some(b'<') if has(b"<!doctype html") || has(b"<html") => "an HTML page",
        Some(b'<') if has(b"<?xml") => "an XML document",
        Some(b'{' | b'[') if bytes.is_ascii() => "a JSON document",
        Some(_) if lower.starts_with(b"data:image/") => "a data URL in place of the file in it",
        Some(_) if !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok_and(is_written) => "a text",
        _ => "something else",
    }
}

fn is_written(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> &'static str {
        match sniff(bytes) {
            Err(UploadError::Unknown { found }) => found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_picture_is_named() {
        assert_eq!(found(b"%PDF-1.7\n"), "a PDF document");
        assert_eq!(found(b"\n <!DOCTYPE html><p>"), "an HTML page");
        assert_eq!(found(b"<?xml version=\"1.0\"?>\n<!-- drawn --><svg xmlns=\"a\">"), "an SVG drawing");
        assert_eq!(found(b"\0\0\0\x18ftypheic\0\0\0\0"), "a HEIC picture");
        assert_eq!(found(b"\0\0\0\x18ftypisom\0\0\0\0"), "a film");
        assert_eq!(found(b"RIFF\x10\0\0\0WAVEfmt "), "a sound or a film");
        assert_eq!(found(b"{\"error\": 1}"), "a JSON document");
        assert_eq!(found(b"data:image/png;base64,AAAA"), "a data URL in place of the file in it");
        assert_eq!(found("ein Bild, größer".as_bytes()), "a text");
        assert_eq!(found(&[1, 2, 3, 0, 200, 9]), "something else");
    }

    #[test]
    fn a_signature_that_is_cut_short_is_told_from_one_that_is_not_known() {
        assert_eq!(sniff(b""), Err(UploadError::Empty));
        assert_eq!(sniff(b"\x89PN"), Err(UploadError::Truncated(UploadFormat::Png)));
        assert_eq!(sniff(b"\xff\xd8"), Err(UploadError::Truncated(UploadFormat::Jpeg)));
        assert_eq!(sniff(b"RIFF\0\0"), Err(UploadError::Truncated(UploadFormat::Webp)));
        assert_eq!(sniff(b"GIF8"), Err(UploadError::Truncated(UploadFormat::Gif)));
    }
}

//! No floating-point type is named anywhere in the ledger.
#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::path::Path;

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() { sources(&path, found) } else { found.push(path) }
    }
}

/// Returns the first word of a text that names a floating-point type.
fn float_in(text: &str) -> Option<&str> {
    // A literal such as 1.0f64 ends with the type's name, so compare ends of words.
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.into_iter().find(|word| word.ends_with("f32") || word.ends_with("f64"))
}

#[test]
fn no_source_file_names_a_float() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 20, "the sources were not found");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(float_in(&text), None, "{}", file.display());
    }
    assert_eq!(float_in("let price = 0.13f64;"), Some("13f64"));
    assert_eq!(float_in("as f32"), Some("f32"));
}

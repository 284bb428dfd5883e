//! Pictures as files named after their prompt, none of which is ever overwritten.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use medici_studio::FileFormat;

/// The longest part of a file's name that comes from the prompt.
const SLUG_CHARS_MAX: usize = 40;

/// Writes a new file, named like `a-red-fox-7-1.png` after prompt, seed and number, and returns its path.
///
/// Where a file of that name exists, a further number is appended: `a-red-fox-7-1-2.png`.
pub(crate) fn write_new(
    directory: &Path,
    prompt: &str,
    seed: u64,
    number: u32,
    (format, bytes): (FileFormat, &[u8]),
) -> Result<PathBuf> {
    let extension = format.extension();
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let stem = format!("{}-{seed}-{number}", slug(prompt));
    for copy in 1u32.. {
        let name = if copy == 1 { format!("{stem}.{extension}") } else { format!("{stem}-{copy}.{extension}") };
        let path = directory.join(name);
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
        };
        if let Err(error) = file.write_all(bytes) {
            // Half a picture under a picture's name would be worse than none.
            let _ = fs::remove_file(&path);
            return Err(error).with_context(|| format!("cannot write {}", path.display()));
        }
        return Ok(path);
    }
    unreachable!("a directory holds fewer than 2^32 files of one name")
}

/// Returns the prompt as lower-case words with hyphens, safe as a file's name on any system.
fn slug(prompt: &str) -> String {
    let mut slug = String::new();
    for c in prompt.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.chars().count() >= SLUG_CHARS_MAX {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "picture".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_becomes_a_safe_name() {
        assert_eq!(slug("a red fox"), "a-red-fox");
        assert_eq!(slug("../../etc/passwd\0"), "etc-passwd");
        assert_eq!(slug("  Grüne Äpfel, bitte!"), "grüne-äpfel-bitte");
        assert_eq!(slug("!!!"), "picture");
        assert!(slug(&"long ".repeat(100)).chars().count() <= SLUG_CHARS_MAX);
    }

    #[test]
    fn a_file_that_exists_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let first = write_new(directory.path(), "fox", 7, 1, (FileFormat::Png, b"one")).unwrap();
        let second = write_new(directory.path(), "fox", 7, 1, (FileFormat::Png, b"two")).unwrap();
        assert!(first.ends_with("fox-7-1.png") && second.ends_with("fox-7-1-2.png"));
        assert_eq!(std::fs::read(first).unwrap(), b"one");
        assert_eq!(std::fs::read(second).unwrap(), b"two");
    }
}

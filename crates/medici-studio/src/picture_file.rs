//! The port of picture files: what people hand in becomes pixels, what engines draw becomes files.
//!
//! A file that was handed in is an opponent: nothing of it is believed before it was bounded, and nothing but its
//! pixels goes on. A file that goes out says by itself what it is: drawn by a machine, by which model, from which
//! seed.

use std::fmt;

use crate::engine::{Drawing, Pixels, Size};

/// What we call ourselves in the files we write.
pub const SOFTWARE: &str = "Medici";

/// The longest prompt or reading that is written into a file, in characters; what is longer is cut.
pub const TEXT_CHARS_MAX: usize = 4_000;

/// Turns pixels into files. The bytes of equal arguments are equal, since images are named by their content.
pub trait Encoder: Send + Sync {
    /// Encodes a picture, with its provenance in it. No side may be longer than 16,383 pixels.
    ///
    /// PNG, and WebP at a compression of 100, keep every pixel. JPEG has no transparency: what is behind is white.
    fn encode(&self, pixels: &Pixels, output: Output, provenance: &Provenance) -> Vec<u8>;
    /// Encodes a small, fast JPEG or PNG for a preview, with its media type.
    fn preview(&self, pixels: &Pixels) -> (Vec<u8>, &'static str);
}

/// Turns files that were handed in into pixels.
pub trait Decoder: Send + Sync {
    /// Reads the header alone: what kind of picture it is and how large. Decodes nothing.
    fn probe(&self, bytes: &[u8]) -> Result<Probe, UploadError>;
    /// Decodes a picture that is within the limits; of several in one file, the first.
    ///
    /// Upright, in 8 bits a channel, and without anything else that was in the file: whatever follows the picture
    /// is dropped, as are comments, profiles and places.
    fn decode(&self, bytes: &[u8], limits: &UploadLimits) -> Result<Upload, UploadError>;
}

/// A kind of file that pictures are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum FileFormat {
    /// Every pixel, and transparency.
    #[default]
    Png,
    /// Small, without transparency.
    Jpeg,
    /// Smaller, with transparency.
    Webp,
}

impl FileFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::Webp];

    /// Returns its word in the API, the tables and the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
        }
    }

    /// Returns the format of a word.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Returns what HTTP calls it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    /// Returns how the names of its files end, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
        }
    }

    /// Returns the format of files whose names end like this.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.extension() == extension)
    }

    /// Returns whether it can hold transparent pixels.
    pub fn has_alpha(self) -> bool {
        match self {
            Self::Png | Self::Webp => true,
            Self::Jpeg => false,
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("png, jpeg or webp needed, {found:?} found")]
pub struct FileFormatError {
    found: String,
}

impl std::str::FromStr for FileFormat {
    type Err = FileFormatError;

    fn from_str(text: &str) -> Result<Self, FileFormatError> {
        Self::named(text).ok_or_else(|| FileFormatError { found: text.chars().take(32).collect() })
    }
}

/// As which file a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    /// The kind of file.
    pub format: FileFormat,
    /// The quality of what may be lossy, 0 to 100, which is the best; OpenAI's `output_compression`. More is 100.
    /// PNG takes no note of it.
    pub compression: u8,
}

impl Output {
    /// The best quality.
    pub const COMPRESSION_MAX: u8 = 100;
}

impl Default for Output {
    fn default() -> Self {
        Self { format: FileFormat::Png, compression: Self::COMPRESSION_MAX }
    }
}

/// Where a picture comes from, as its file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The model that drew it, by the engine's own name for it.
    pub model: String,
    /// The seed of the spec it belongs to.
    pub seed: u64,
    /// Which of the spec's pictures it is, from 0.
    pub index: u32,
    /// The denoising steps, where known.
    pub steps: Option<u32>,
    /// How it was drawn.
    pub operation: Drawing,
    /// The words; `None` where their owner keeps them.
    pub prompt: Option<String>,
    /// How the engine read the words; `None` where their owner keeps them.
    pub reading: Option<String>,
}

/// A kind of picture file that may be handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UploadFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG, whatever its wrapping.
    Jpeg,
    /// WebP, lossy or lossless.
    Webp,
    /// Graphics Interchange Format.
    Gif,
}

impl UploadFormat {
    /// Returns its word in the API and the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }
}

impl fmt::Display for UploadFormat {
    /// Writes the name as people know it, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
        })
    }
}

/// What a file's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What it is, by its first bytes, whatever its name or its sender calls it.
    pub format: UploadFormat,
    /// Its size as stored; a camera held upright may store a picture that lies on its side.
    pub size: Size,
}

/// A picture that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its pixels, upright; with an alpha channel where the file has one.
    pub pixels: Pixels,
    /// What the file was.
    pub format: UploadFormat,
    /// How the camera was held, 1 to 8 as EXIF counts; 1 is upright. The pixels are turned already.
    pub orientation: u8,
}

impl Upload {
    /// Returns whether the file had an alpha channel or a transparent colour.
    pub fn had_alpha(&self) -> bool {
        self.pixels.alpha
    }

    /// Returns whether any pixel is not wholly opaque.
    pub fn is_transparent(&self) -> bool {
        self.pixels.alpha && self.pixels.bytes.chunks_exact(4).any(|pixel| pixel[3] < 255)
    }
}

/// What is looked at of a file that was handed in. Decoding takes at most twelve bytes of memory for a pixel, and
/// once more the bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// The largest file, in bytes.
    pub bytes_max: usize,
    /// The most pixels.
    pub pixels_max: u64,
    /// The most pixels of one side.
    pub side_max: u32,
}

impl Default for UploadLimits {
    /// Takes what a telephone's camera makes, in about 300 MB of memory.
    fn default() -> Self {
        Self { bytes_max: 50_000_000, pixels_max: 25_000_000, side_max: 8_192 }
    }
}

/// Why a file that was handed in is not taken. Says nothing of what is in it but kinds and numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// There is nothing in it.
    #[error("a picture needed, an empty file found")]
    Empty,
    /// It is no picture of a kind that is read here.
    #[error("a PNG, JPEG, WebP or GIF picture needed, {found} found")]
    Unknown {
        /// What it is instead, with its article: `a PDF document`.
        found: &'static str,
    },
    /// The file is too large.
    #[error("the file has {bytes} bytes, {max} may be")]
    TooManyBytes {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The picture is too large.
    #[error("the picture has {size} pixels, {} in all, {max} may be", .size.pixels())]
    TooManyPixels {
        /// Its size, as its header says.
        size: Size,
        /// The limit of both sides multiplied.
        max: u64,
    },
    /// The picture is too wide or too high.
    #[error("the picture has {size} pixels, a side may have {max}")]
    SideTooLong {
        /// Its size, as its header says.
        size: Size,
        /// The limit of each side.
        max: u32,
    },
    /// The file ends before its picture does.
    #[error("the {0} file ends in the middle of the picture")]
    Truncated(UploadFormat),
    /// The file contradicts its own format.
    #[error("the {0} file is damaged")]
    Broken(UploadFormat),
    /// The file is in order, but of a kind within its format that is not read here.
    #[error("{what} cannot be read")]
    Unsupported {
        /// What it is, with its article: `a JPEG of 12 bits a channel`.
        what: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_known_by_its_word_and_by_its_files_names() {
        for format in FileFormat::ALL {
            assert_eq!(format.name().parse(), Ok(format));
            assert_eq!(FileFormat::of_extension(format.extension()), Some(format));
            assert!(format.media_type().ends_with(format.name()));
        }
        assert_eq!("PNG".parse::<FileFormat>().unwrap_err().to_string(), "png, jpeg or webp needed, \"PNG\" found");
    }

    #[test]
    fn a_picture_is_transparent_when_one_pixel_is() {
        let upload = |bytes: Vec<u8>, alpha| Upload {
            pixels: Pixels { size: Size { width: 2, height: 1 }, alpha, bytes },
            format: UploadFormat::Png,
            orientation: 1,
        };
        assert!(!upload(vec![0; 6], false).is_transparent());
        assert!(!upload(vec![0, 0, 0, 255, 0, 0, 0, 255], true).is_transparent());
        assert!(upload(vec![0, 0, 0, 255, 0, 0, 0, 254], true).is_transparent());
    }

    #[test]
    fn messages_carry_their_numbers() {
        let size = Size { width: 50_000, height: 50_000 };
        let message = UploadError::TooManyPixels { size, max: 25_000_000 }.to_string();
        assert_eq!(message, "the picture has 50000x50000 pixels, 2500000000 in all, 25000000 may be");
        let message = UploadError::Unknown { found: "a PDF document" }.to_string();
        assert_eq!(message, "a PNG, JPEG, WebP or GIF picture needed, a PDF document found");
    }
}

//! What a picture's file says of itself.

use medici_studio::picture_file::{Probe, Provenance, UploadError, UploadFormat};

use crate::{
    decode::probe,
    parts::{self, png::Text},
    provenance::{self, COMPOSITE, TRAINED},
};

/// The longest line of parameters that is looked at.
const PARAMETERS_BYTES_MAX: usize = 64 << 10;

/// What a picture's file says of itself. None of it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// What it is and how large.
    pub probe: Probe,
    /// Where it comes from; `None` for a file that is not ours or does not say so any more.
    pub provenance: Option<Provenance>,
    /// What it calls its source, in IPTC's words: `trainedAlgorithmicMedia` for a picture that a model drew.
    pub source_type: Option<String>,
    /// What it tells other image generators, on lines of their own making; PNG only.
    pub parameters: Option<String>,
}

impl Inspection {
    /// Returns whether the file says that a model drew it, wholly or in part.
    pub fn is_ai_generated(&self) -> bool {
        self.source_type.as_deref().is_some_and(|word| word == TRAINED || word == COMPOSITE)
    }
}

/// Reads what a file says of itself, ours or another's. Decodes no pixels.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, UploadError> {
    let probe = probe(bytes)?;
    let (xmp, parameters) = match probe.format {
        UploadFormat::Png => {
            let png = parts::png::read(bytes)?;
            (png.xmp, png.parameters.and_then(readable))
        }
        UploadFormat::Jpeg => (parts::jpeg::read(bytes)?.xmp, None),
        UploadFormat::Webp => (parts::webp::read(bytes)?.xmp, None),
        UploadFormat::Gif => (parts::gif::read(bytes).map(|_| None)?, None),
    };
    Ok(Inspection {
        probe,
        provenance: xmp.and_then(provenance::of_xmp),
        source_type: xmp.and_then(provenance::source_type),
        parameters,
    })
}

/// Returns a text with each of its lines fit to be shown.
fn readable(text: Text<'_>) -> Option<String> {
    let text = match text {
        Text::Latin1(bytes) if bytes.len() <= PARAMETERS_BYTES_MAX => bytes.iter().copied().map(char::from).collect(),
        Text::Utf8(bytes) if bytes.len() <= PARAMETERS_BYTES_MAX => std::str::from_utf8(bytes).ok()?.to_owned(),
        Text::Latin1(_) | Text::Utf8(_) => return None,
    };
    Some(text.lines().map(provenance::clean).collect::<Vec<_>>().join("\n"))
}

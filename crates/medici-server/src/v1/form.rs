//! Forms with files, as OpenAI's clients send edits and variations.
//!
//! What a part is called decides what it is. The type and the file name that a client gives it do not: clients send
//! pictures as `application/octet-stream`, under any name. What the bytes are is found by looking at them.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::params::shown;
use crate::{error::Fault, state::AppState};

/// The most files of one request, as OpenAI allows.
pub(crate) const IMAGES_MAX: usize = 16;
/// The most parts of a form; no request has so many parameters.
const PARTS_MAX: usize = 64;
/// The longest field that is no file: far above the longest prompt of any profile, so that one that is too long is told
/// so in its model's words.
const FIELD_BYTES_MAX: usize = 1_000_000;

/// A form that was read whole.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// The fields that are no files.
    pub(crate) fields: Map<String, Value>,
    /// The parts called `image`, `image[]` or `image[0]`.
    pub(crate) images: Vec<Bytes>,
    /// The part called `mask`.
    pub(crate) mask: Option<Bytes>,
    /// What was sent, part by part: the same for equal parts, whatever separates them.
    pub(crate) canonical: Vec<u8>,
}

/// Returns whether a body says that it is a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    crate::body::media_type(headers).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))
}

/// Reads a form within the bounds of a body.
pub(crate) async fn read(headers: &HeaderMap, body: Body, state: &AppState) -> Result<Form, Fault> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind)
        .map_err(|_| Fault::request("malformed_request", "A multipart/form-data body needs its boundary."))?;
    // Read within its bound first: a form's parts are then slices of one piece of memory.
    let bytes = crate::body::read(body, state, state.config.body_bytes_max).await?;
    let whole = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(bytes) });
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut form = Form::default();
    let mut digest = Sha256::new();
    let mut count = 0;
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        count += 1;
        if count > PARTS_MAX {
            let message = format!("The form has more than {PARTS_MAX} parts.");
            return Err(Fault::request("malformed_request", message));
        }
        let name = part.name().map(str::to_owned);
        let name = name.ok_or_else(|| Fault::request("malformed_request", "A part of the form has no name."))?;
        let bytes = part.bytes().await.map_err(malformed)?;
        for piece in [name.as_bytes(), &bytes] {
            digest.update((piece.len() as u64).to_be_bytes());
            digest.update(piece);
        }
        form.take(name, bytes)?;
    }
    form.canonical = digest.finalize().to_vec();
    Ok(form)
}

impl Form {
    fn take(&mut self, name: String, bytes: Bytes) -> Result<(), Fault> {
        match name.split('[').next().unwrap_or_default() {
            // An empty part is what a browser sends for a file that was not chosen.
            "image" | "mask" if bytes.is_empty() => Ok(()),
            "image" if self.images.len() == IMAGES_MAX => {
                let message = format!("Invalid 'image': up to {IMAGES_MAX} images can be sent.");
                Err(Fault::param("array_above_max_length", "image", message))
            }
            "image" => {
                self.images.push(bytes);
                Ok(())
            }
            "mask" if self.mask.as_ref().is_some_and(|earlier| *earlier != bytes) => Err(twice("mask")),
            "mask" => {
                self.mask = Some(bytes);
                Ok(())
            }
            _ => self.take_field(name, &bytes),
        }
    }

    fn take_field(&mut self, name: String, bytes: &[u8]) -> Result<(), Fault> {
        let told = shown(&name);
        if bytes.len() > FIELD_BYTES_MAX {
            let message = format!("'{told}' has {} bytes, {FIELD_BYTES_MAX} may be used.", bytes.len());
            return Err(Fault::param("string_above_max_length", &told, message));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Fault::param("invalid_value", &told, format!("'{told}' is no text in UTF-8.")))?;
        match self.fields.get(&name) {
            // Some clients send a field twice.
            Some(earlier) if *earlier == text => Ok(()),
            Some(_) => Err(twice(&told)),
            None => {
                self.fields.insert(name, Value::from(text));
                Ok(())
            }
        }
    }
}

fn twice(name: &str) -> Fault {
    Fault::param("invalid_value", name, format!("'{name}' is there twice, with different values."))
}

fn malformed(_: multer::Error) -> Fault {
    Fault::request("malformed_request", "The multipart/form-data body ends early or is malformed.")
}

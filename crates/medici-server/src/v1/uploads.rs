//! Uploaded pictures: looked at, bounded and decoded, and refused in the words of the model's profile.

use std::sync::Arc;

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use medici_studio::{
    EditError, UploadError, UploadFormat, UploadLimits,
    engine::{Pixels, Size},
};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    form::{Form, IMAGES_MAX},
    params::{Params, codeless, not_here},
    profile::{Family, Profile},
};
use crate::{
    error::{Fault, sentence},
    state::AppState,
};

/// An upload for `dall-e-2` is smaller than this.
const DALLE2_BYTES: usize = 4 << 20;
/// The longest data URL, as OpenAI has it.
const DATA_URL_BYTES_MAX: usize = 20_971_520;
const DALLE2_FILE: &str = "Uploaded image must be a PNG and less than 4 MB.";

/// The uploads of how many requests are decoded at a time; further ones wait. One takes up to some 600 MB: a picture
/// and its mask.
const TOGETHER_MAX: usize = 2;

/// Who may have uploads decoded now.
pub(crate) struct Decoding(Arc<Semaphore>);

impl Default for Decoding {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TOGETHER_MAX)))
    }
}

impl Decoding {
    async fn take(&self) -> OwnedSemaphorePermit {
        self.0.clone().acquire_owned().await.expect("the semaphore is never closed")
    }
}

/// The files of a request, as they were sent.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Files {
    /// What the request calls its pictures.
    named: &'static str,
    pub(crate) images: Vec<Bytes>,
    pub(crate) mask: Option<Bytes>,
}

/// The pictures in them.
pub(crate) struct Pictures {
    pub(crate) image: Pixels,
    pub(crate) mask: Option<Pixels>,
}

impl Files {
    /// Takes files that the request calls `image` and `mask`.
    pub(crate) fn of(images: Vec<Bytes>, mask: Option<Bytes>) -> Self {
        Self { named: "image", images, mask }
    }

    /// Takes the files of a form.
    pub(crate) fn of_form(form: &mut Form) -> Self {
        Self::of(std::mem::take(&mut form.images), form.mask.take())
    }

    /// Reads the files of the JSON form of an edit: `images` and `mask`, with data URLs.
    pub(crate) fn of_json(params: Params<'_>) -> Result<Self, Fault> {
        let images = match params.get("images") {
            None => Vec::new(),
            Some(Value::Array(items)) if items.len() > IMAGES_MAX => {
                let message = format!("Invalid 'images': up to {IMAGES_MAX} images can be sent.");
                return Err(Fault::param("array_above_max_length", "images", message));
            }
            Some(Value::Array(items)) => {
                items.iter().map(|item| referenced("images", item)).collect::<Result<_, _>>()?
            }
            Some(_) => return Err(wrong("images", "an array of objects")),
        };
        let mask = params.get("mask").map(|item| referenced("mask", item)).transpose()?;
        Ok(Self { named: "images", images, mask })
    }

    /// Returns the one picture that an engine here starts from.
    fn only(&self) -> Result<&Bytes, Fault> {
        match self.images.as_slice() {
            [] => {
                let message = format!("Missing required parameter: '{}'.", self.named);
                Err(Fault::param("missing_required_parameter", self.named, message))
            }
            [image] => Ok(image),
            more => {
                let message = format!("This server starts from one image; {} were sent.", more.len());
                Err(not_here(self.named, &message))
            }
        }
    }

    /// Decodes the files, one request's at a time on a thread of its own.
    pub(crate) async fn decode(self, state: &AppState, profile: Profile) -> Result<Pictures, Fault> {
        self.only()?;
        let turn = state.shared.decoding.take().await;
        let decoder = state.studio.decoder.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let image = self.only()?;
            let read = |name, bytes: &Bytes| {
                check(&*decoder, profile, name, bytes)?;
                let decoded = decoder.decode(bytes, &UploadLimits::default());
                decoded.map(|upload| upload.pixels).map_err(|error| unreadable(profile, name, &error))
            };
            // The mask's size is looked at first: decoding costs more than the look.
            if let Some(mask) = &self.mask {
                same_size(&*decoder, image, mask)?;
            }
            Ok(Pictures {
                image: read("image", image)?,
                mask: self.mask.as_ref().map(|mask| read("mask", mask)).transpose()?,
            })
        });
        work.await.map_err(|panic| Fault::internal(&panic))?
    }
}

/// Reads one `{"image_url": "data:…"}`.
fn referenced(name: &'static str, item: &Value) -> Result<Bytes, Fault> {
    let Some(item) = item.as_object() else { return Err(wrong(name, "an object")) };
    if item.get("file_id").is_some_and(|id| !id.is_null()) {
        return Err(not_here(name, "There is no files API on this server: send 'image_url' with a data URL."));
    }
    let url = item.get("image_url").and_then(Value::as_str).ok_or_else(|| wrong(name, "an object with 'image_url'"))?;
    data_url(name, url)
}

/// Reads a data URL.
pub(crate) fn data_url(name: &'static str, url: &str) -> Result<Bytes, Fault> {
    if url.len() > DATA_URL_BYTES_MAX {
        let message = format!("A data URL may have {DATA_URL_BYTES_MAX} characters.");
        return Err(Fault::param("string_above_max_length", name, message));
    }
    // What an address leads to is not for this server to fetch: it could be a machine behind it.
    let Some(data) = url.strip_prefix("data:") else {
        return Err(not_here(name, "This server fetches no pictures: send a data URL, 'data:image/png;base64,…'."));
    };
    let broken = || Fault::param("invalid_value", name, "A data URL must be 'data:image/…;base64,…'.");
    let (kind, encoded) = data.split_once(',').ok_or_else(broken)?;
    if !kind.ends_with(";base64") {
        return Err(broken());
    }
    STANDARD.decode(encoded.trim_ascii()).map(Bytes::from).map_err(|_| broken())
}

fn wrong(name: &'static str, expected: &str) -> Fault {
    Fault::param("invalid_type", name, format!("Invalid type for '{name}': expected {expected}."))
}

/// Checks what a profile asks of a file, by its first bytes.
fn check(
    decoder: &dyn medici_studio::Decoder,
    profile: Profile,
    name: &'static str,
    bytes: &Bytes,
) -> Result<(), Fault> {
    if profile.family != Family::DallE2 {
        return Ok(());
    }
    let probe = decoder.probe(bytes).ok().filter(|probe| probe.format == UploadFormat::Png);
    let Some(probe) = probe.filter(|_| bytes.len() < DALLE2_BYTES) else {
        return Err(codeless(name, DALLE2_FILE.to_owned()));
    };
    if name == "image" && probe.size.width != probe.size.height {
        let message = format!("Uploaded image must be square, {} found.", probe.size);
        return Err(Fault::param("invalid_image", name, message));
    }
    Ok(())
}

fn same_size(decoder: &dyn medici_studio::Decoder, image: &Bytes, mask: &Bytes) -> Result<(), Fault> {
    let size = |bytes| decoder.probe(bytes).ok().map(|probe| probe.size);
    match (size(image), size(mask)) {
        // A picture that lies on its side is turned upright when it is decoded.
        (Some(image), Some(mask)) if image != mask && image != turned(mask) => {
            Err(of_edit(&EditError::MaskSize { image, mask }))
        }
        _ => Ok(()),
    }
}

fn turned(size: Size) -> Size {
    Size { width: size.height, height: size.width }
}

fn unreadable(profile: Profile, name: &'static str, error: &UploadError) -> Fault {
    if profile.family == Family::DallE2 {
        return codeless(name, DALLE2_FILE.to_owned());
    }
    let which = if name == "mask" { "the mask" } else { "image 1" };
    let message = format!("Invalid image file or mode for {which}, please check your image file. {}", sentence(error));
    Fault::BadImage { message }
}

/// Says what is wrong with an edit.
pub(crate) fn of_edit(error: &EditError) -> Fault {
    let (code, param) = match error {
        EditError::MaskSize { .. } | EditError::NoMask | EditError::OpaqueMask | EditError::EmptyMask => {
            ("invalid_mask", "mask")
        }
        EditError::Size { .. } => ("invalid_image", "image"),
    };
    Fault::param(code, param, sentence(error))
}

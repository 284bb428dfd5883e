//! `POST /api/jobs`: a request to draw, in our own words: generate, edit or vary, or only its price.
//!
//! What is ours that OpenAI's dialect has not: pictures are named by their id, the reply comes at once and the job
//! is followed, and what it would cost is told without drawing.

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use medici_ledger::{
    Operation,
    idempotency::{Fingerprint, Keep},
};
use medici_studio::{
    FileFormat, ImageId, Output, ReadImageError, Source, Submit, UploadLimits,
    engine::{Background, Capabilities, Drawing, Given, Size, Spec},
    moderation::Zeal,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::jobs::{JobBody, with_images};
use crate::{
    auth::AccountCaller,
    body::LargeJsonObject,
    error::Fault,
    idempotency::{canonical_object, key, key_required, key_use},
    rate_limit::RateNote,
    reply::Replayed,
    state::AppState,
    v1::{
        form::{self, Form},
        params::Params,
        profile::{Family, Profile},
        uploads::{Files, data_url, of_edit},
    },
    wire::Text,
};

pub(crate) const JOBS: &str = "/api/jobs";

/// The most early looks at each picture.
const PREVIEWS_MAX: u64 = 4;
/// The largest seed: exact in every JSON reader.
const SEED_MAX: u64 = (1 << 53) - 1;
/// What a request may say.
const NAMES: [&str; 17] = [
    "operation",
    "prompt",
    "count",
    "size",
    "background",
    "seed",
    "steps",
    "output_format",
    "output_compression",
    "readings",
    "previews",
    "keep_prompt",
    "image",
    "image_id",
    "mask",
    "quote",
    "model",
];

/// A request to draw, checked as far as its pictures need not be looked at.
struct Draw {
    operation: Operation,
    prompt: Option<String>,
    count: u32,
    size: Option<Size>,
    background: Background,
    seed: Option<u64>,
    steps: Option<u32>,
    output: Output,
    readings: bool,
    previews: u32,
    keep_prompt: bool,
    image_id: Option<ImageId>,
    files: Files,
    /// Whether only its price is asked for.
    quote: bool,
}

/// What a request would cost.
#[derive(Serialize)]
struct QuoteBody {
    operation: String,
    count: u32,
    size: Text<Size>,
    credits: Text<medici_ledger::Credits>,
    /// The price version by which it is, named by its first instant.
    price_version: Text<medici_ledger::Timestamp>,
    /// How long it takes to draw, and how long it would wait before that, in milliseconds.
    render_ms: u64,
    wait_ms: u64,
    notice: Option<String>,
}

/// Queues a request and answers at once. A repeat with the same key answers with the same job.
pub(crate) async fn draw(
    State(state): State<AppState>,
    caller: AccountCaller,
    request: Request,
) -> Result<Response, Fault> {
    let headers = request.headers().clone();
    let note = request.extensions().get::<RateNote>().cloned().unwrap_or_default();
    let (canonical, draw) = read(&state, request).await?;
    let key = key(&headers)?;
    if key.is_none() && !draw.quote {
        return Err(key_required());
    }
    let (quote, (mut submit, given)) = (draw.quote, draw.submission(&state, caller).await?);
    if quote {
        return priced(&state, &submit);
    }
    let fingerprint = Fingerprint::of([canonical.as_slice()]);
    submit.key = key.map(|key| key_use(caller.account, JOBS, key, fingerprint, Keep::Day));
    // Beside the request: a client that goes away leaves a job that it finds again by its key.
    let of = state.clone();
    let queued = tokio::spawn(async move { of.submit(submit, given, &note).await }).await;
    let ticket = queued.map_err(|panic| Fault::internal(&panic))??;
    let job = state.studio.job(caller.account, ticket.job).await?.ok_or(Fault::NotFound { what: "job" })?;
    let at = HeaderValue::from_str(&format!("{JOBS}/{}", job.id)).expect("an id makes a header");
    let body: Json<JobBody> = with_images(&state, job).await?;
    let status = if ticket.replayed { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Replayed(ticket.replayed), [(header::LOCATION, at)], body).into_response())
}

fn priced(state: &AppState, submit: &Submit) -> Result<Response, Fault> {
    let studio = &state.studio;
    let quote = studio.quote(submit)?;
    let render_ms = studio.engine.estimate(&submit.spec).render_ms;
    let body = QuoteBody {
        operation: submit.operation.as_str().to_owned(),
        count: submit.spec.count,
        size: Text(submit.spec.size),
        credits: Text(quote.amount),
        price_version: Text(quote.version),
        render_ms,
        wait_ms: render_ms.saturating_mul(studio.store.queued() as u64),
        notice: studio.engine.understanding(&submit.spec.prompt).notice,
    };
    Ok(Json(json!({ "quote": body })).into_response())
}

async fn read(state: &AppState, request: Request) -> Result<(Vec<u8>, Draw), Fault> {
    let (engine, can) = (state.studio.engine.model().to_owned(), state.studio.engine.capabilities());
    if form::is_form(request.headers()) {
        let (parts, body) = request.into_parts();
        let headers: HeaderMap = parts.headers;
        let mut form: Form = form::read(&headers, body, state).await?;
        let files = Files::of_form(&mut form);
        let draw = Draw::read(Params::of_form(&form.fields), files, &engine, &can)?;
        return Ok((form.canonical, draw));
    }
    let LargeJsonObject(object) = LargeJsonObject::from_request(request, state).await?;
    let files = Files::of(picture(&object, "image")?.into_iter().collect(), picture(&object, "mask")?);
    let draw = Draw::read(Params::of_json(&object), files, &engine, &can)?;
    Ok((canonical_object(&object), draw))
}

/// Reads a data URL, where there is one.
fn picture(object: &Map<String, Value>, name: &'static str) -> Result<Option<axum::body::Bytes>, Fault> {
    Params::of_json(object).text(name)?.map(|url| data_url(name, url)).transpose()
}

impl Draw {
    fn read(params: Params<'_>, files: Files, engine: &str, can: &Capabilities) -> Result<Self, Fault> {
        if let Some(unknown) = params.names().find(|name| !NAMES.contains(name)) {
            let unknown = crate::v1::params::shown(unknown);
            return Err(Fault::param("unknown_parameter", &unknown, format!("Unknown parameter: '{unknown}'.")));
        }
        if params.text("model")?.is_some_and(|model| model != engine) {
            return Err(Fault::param("model_not_found", "model", format!("The model here is '{engine}'.")));
        }
        let operation = match params.one_of("operation", &["generate", "edit", "vary"])? {
            None | Some("generate") => Operation::Generate,
            Some("edit") => Operation::Edit,
            Some(_) => Operation::Vary,
        };
        let (drawing, usual) = match operation {
            Operation::Edit => (Drawing::Edit, 3),
            Operation::Vary => (Drawing::Vary, 3),
            Operation::Generate | Operation::Named(_) => (Drawing::Generate, 4),
        };
        if !can.operations.contains(&drawing) {
            let message = format!("The engine of this server cannot {}.", operation.as_str());
            return Err(Fault::param("unsupported_value", "operation", message));
        }
        let number = |name, min, max| params.integer(name, min, max).map(|v| v.and_then(|v| u32::try_from(v).ok()));
        let format = match params.one_of("output_format", &["png", "jpeg", "webp"])? {
            Some(name) => FileFormat::named(name).expect("it is one of them"),
            None => FileFormat::Png,
        };
        let compression = params.integer("output_compression", 0, 100)?.unwrap_or(100);
        let size = params.text("size")?.filter(|text| *text != "auto").map(|text| {
            text.parse().map_err(|problem| Fault::param("invalid_value", "size", crate::error::sentence(&problem)))
        });
        let image_id = params.text("image_id")?.map(|id| id.parse().map_err(|_| Fault::NotFound { what: "image" }));
        let draw = Self {
            prompt: params.text("prompt")?.filter(|text| !text.trim().is_empty()).map(str::to_owned),
            count: number("count", 1, u64::from(can.batch_max))?.unwrap_or(usual.min(can.batch_max)),
            size: size.transpose()?,
            background: match params.one_of("background", &["auto", "opaque", "transparent"])? {
                Some("opaque") => Background::Opaque,
                Some("transparent") => Background::Transparent,
                _ => Background::Auto,
            },
            seed: params.integer("seed", 0, SEED_MAX)?,
            steps: number("steps", u64::from(*can.steps.start()), u64::from(*can.steps.end()))?,
            output: Output { format, compression: u8::try_from(compression).expect("the bound is small") },
            readings: params.flag("readings")? == Some(true),
            previews: number("previews", 0, PREVIEWS_MAX)?.unwrap_or(0),
            keep_prompt: params.flag("keep_prompt")? == Some(true),
            image_id: image_id.transpose()?,
            quote: params.flag("quote")? == Some(true),
            operation,
            files,
        };
        draw.check()?;
        Ok(draw)
    }

    /// Refuses what does not go together.
    fn check(&self) -> Result<(), Fault> {
        let missing = |name: &str| {
            Err(Fault::param("missing_required_parameter", name, format!("Missing required parameter: '{name}'.")))
        };
        let unwanted = |name: &str| {
            let message = format!("'{name}' does not go with the operation {}.", self.operation.as_str());
            Err(Fault::param("invalid_value", name, message))
        };
        let pictures = self.files.images.len() + usize::from(self.image_id.is_some());
        match self.operation {
            Operation::Generate | Operation::Named(_) if pictures > 0 => unwanted("image"),
            Operation::Generate | Operation::Vary | Operation::Named(_) if self.files.mask.is_some() => {
                unwanted("mask")
            }
            Operation::Generate | Operation::Edit if self.prompt.is_none() => missing("prompt"),
            // A price does not depend on the picture.
            Operation::Edit | Operation::Vary if pictures == 0 && !self.quote => missing("image"),
            Operation::Edit | Operation::Vary if pictures > 1 => {
                Err(Fault::param("invalid_value", "image", "One picture is needed: 'image' or 'image_id'."))
            }
            _ => Ok(()),
        }
    }

    /// Looks at the pictures, and returns the job that is asked for and what it starts from.
    async fn submission(mut self, state: &AppState, caller: AccountCaller) -> Result<(Submit, Given), Fault> {
        let files = std::mem::take(&mut self.files);
        let (given, size) = match self.operation {
            _ if files.images.is_empty() && self.image_id.is_none() => (Given::Words, self.size),
            Operation::Vary => {
                let (given, prompt) = self.varied(state, caller, files).await?;
                self.prompt = self.prompt.or(prompt);
                (given, self.size)
            }
            Operation::Edit | Operation::Generate | Operation::Named(_) => self.edited(state, caller, files).await?,
        };
        let can = state.studio.engine.capabilities();
        let none = || Fault::request("invalid_value", "The engine of this server draws no size.");
        let size = size.or_else(|| crate::v1::profile::size_auto(&can)).ok_or_else(none)?;
        let [a, b, c, d, ..] = state.studio.ids.secret();
        let submit = Submit {
            account: caller.account,
            api_key: Some(caller.key),
            operation: self.operation,
            model: state.studio.engine.model().to_owned(),
            spec: Spec {
                prompt: self.prompt.unwrap_or_default(),
                readings: Vec::new(),
                count: self.count,
                size,
                seed: self.seed.unwrap_or_else(|| u64::from(u32::from_be_bytes([a, b, c, d]))),
                background: self.background,
                steps: self.steps,
                previews: self.previews,
            },
            source: Source::Words,
            output: self.output,
            quality: None,
            readings: self.readings,
            zeal: Zeal::Auto,
            keep_prompt: self.keep_prompt,
            key: None,
            attended: false,
        };
        Ok((submit, given))
    }

    /// Returns what variations start from, and the words of a picture that was drawn here.
    async fn varied(
        &self,
        state: &AppState,
        caller: AccountCaller,
        files: Files,
    ) -> Result<(Given, Option<String>), Fault> {
        let Some(id) = self.image_id else {
            let known = match files.images.as_slice() {
                [file] => state.studio.known_picture(caller.account, file).await?,
                _ => None,
            };
            let pictures = files.decode(state, OWN).await?;
            let studio = state.studio.clone();
            let made = tokio::task::spawn_blocking(move || studio.variation_of(pictures.image)).await;
            let made = made.map_err(|panic| Fault::internal(&panic))?;
            return Ok(match (made, known) {
                (Given::Vary { source, .. }, Some(known)) => {
                    (Given::Vary { source, latent: known.latent }, Some(known.prompt))
                }
                (made, _) => (made, None),
            });
        };
        let (image, file) = own(state, caller, id).await?;
        let known = state.studio.known_image(image).await?;
        let pictures = Files::of(vec![file.into()], None).decode(state, OWN).await?;
        Ok((Given::Vary { source: pictures.image, latent: known.latent }, Some(known.prompt)))
    }

    async fn edited(
        &self,
        state: &AppState,
        caller: AccountCaller,
        mut files: Files,
    ) -> Result<(Given, Option<Size>), Fault> {
        if let Some(id) = self.image_id {
            let (_, file) = own(state, caller, id).await?;
            files.images = vec![file.into()];
        }
        let pictures = files.decode(state, OWN).await?;
        let (studio, size) = (state.studio.clone(), self.size);
        let made = tokio::task::spawn_blocking(move || studio.edit_of(pictures.image, pictures.mask.as_ref(), size));
        let (given, size) = made.await.map_err(|panic| Fault::internal(&panic))?.map_err(|error| of_edit(&error))?;
        Ok((given, Some(size)))
    }
}

/// Our own API takes every kind of picture.
const OWN: Profile = Profile { family: Family::Own, strict: false };

/// Reads an image of the caller's.
async fn own(state: &AppState, caller: AccountCaller, id: ImageId) -> Result<(medici_studio::Image, Vec<u8>), Fault> {
    let missing = Fault::NotFound { what: "image" };
    // What is another's is not read at all.
    match state.studio.store.image(id).await? {
        Some(image) if image.account == caller.account => {
            let file = state.studio.blobs.get(image.blob).await?.ok_or(ReadImageError::Missing(id))?;
            debug_assert!(file.len() <= UploadLimits::default().bytes_max, "our own files are small");
            Ok((image, file))
        }
        _ => Err(missing),
    }
}

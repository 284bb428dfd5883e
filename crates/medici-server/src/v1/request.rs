//! Requests for pictures as they arrive, of all three calls, and the jobs that they ask for.

use axum::{
    extract::{FromRequest, Request},
    http::HeaderMap,
};
use medici_ledger::Operation;
use medici_studio::{
    Known, Submit,
    engine::{Given, Size, Spec},
    moderation::Zeal,
};
use serde_json::{Map, Value};

use super::{
    edit::Edit,
    form::{self, Form},
    generation::Generation,
    looks::{Call, Looks},
    params::Params,
    uploads::{Files, of_edit},
    variation::Variation,
};
use crate::{
    auth::AccountCaller,
    body::{JsonObject, LargeJsonObject},
    error::Fault,
    idempotency::canonical_object,
    state::AppState,
};

/// A body as it was sent.
pub(crate) enum Sent {
    Json(Map<String, Value>),
    Form(Form),
}

impl Sent {
    /// Returns the canonical form of what was sent: the same for the same request.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        match self {
            Self::Json(object) => canonical_object(object),
            Self::Form(form) => form.canonical.clone(),
        }
    }
}

/// A request, checked as far as its files need not be looked at.
pub(crate) struct Asked {
    pub(crate) call: Call,
    pub(crate) prompt: String,
    /// The size of what is drawn; none for an edit that keeps its picture's.
    size: Option<Size>,
    pub(crate) looks: Looks,
    files: Files,
}

/// Reads the body of a call: a generation is JSON, a variation a form, an edit either.
pub(crate) async fn read(call: Call, request: Request, state: &AppState) -> Result<Sent, Fault> {
    let is_form = form::is_form(request.headers());
    match call {
        Call::Generate => Ok(Sent::Json(JsonObject::from_request(request, state).await?.0)),
        Call::Edit if !is_form => Ok(Sent::Json(LargeJsonObject::from_request(request, state).await?.0)),
        Call::Vary if !is_form => {
            Err(Fault::UnsupportedMedia { message: "The request's body must be multipart/form-data." })
        }
        Call::Edit | Call::Vary => {
            let (parts, body) = request.into_parts();
            let headers: HeaderMap = parts.headers;
            Ok(Sent::Form(form::read(&headers, body, state).await?))
        }
    }
}

impl Asked {
    /// Reads a request.
    pub(crate) fn read(call: Call, mut sent: Sent, state: &AppState) -> Result<Self, Fault> {
        let files = match &mut sent {
            Sent::Form(form) => Files::of_form(form),
            Sent::Json(_) => Files::default(),
        };
        let params = match &sent {
            Sent::Json(object) => Params::of_json(object),
            Sent::Form(form) => Params::of_form(&form.fields),
        };
        let files = if matches!(sent, Sent::Json(_)) && call == Call::Edit { Files::of_json(params)? } else { files };
        let (engine, can) = (state.studio.engine.model(), state.studio.engine.capabilities());
        Ok(match call {
            Call::Generate => {
                let Generation { prompt, size, looks } = Generation::read(params, engine, &can)?;
                Self { call, prompt, size: Some(size), looks, files }
            }
            Call::Edit => {
                let Edit { prompt, size, looks } = Edit::read(params, engine, &can)?;
                Self { call, prompt, size, looks, files }
            }
            Call::Vary => {
                let Variation { size, looks } = Variation::read(params, engine, &can)?;
                Self { call, prompt: String::new(), size: Some(size), looks, files }
            }
        })
    }

    /// Looks at the files, and returns what the job starts from and how large it is.
    pub(crate) async fn given(&mut self, state: &AppState, caller: AccountCaller) -> Result<(Given, Size), Fault> {
        if let (Call::Generate, Some(size)) = (self.call, self.size) {
            return Ok((Given::Words, size));
        }
        let known = match (self.call, self.files.images.as_slice()) {
            (Call::Vary, [file]) => state.studio.known_picture(caller.account, file).await?,
            _ => None,
        };
        let pictures = std::mem::take(&mut self.files).decode(state, self.looks.profile).await?;
        let (call, size, studio) = (self.call, self.size, state.studio.clone());
        let work = tokio::task::spawn_blocking(move || match (call, size) {
            (Call::Vary, Some(size)) => Ok((studio.variation_of(pictures.image), size)),
            (Call::Generate | Call::Edit | Call::Vary, size) => {
                studio.edit_of(pictures.image, pictures.mask.as_ref(), size).map_err(|error| of_edit(&error))
            }
        });
        let (given, size) = work.await.map_err(|panic| Fault::internal(&panic))??;
        Ok((self.with_known(given, known), size))
    }

    /// Adds what is known of a picture that was drawn here.
    fn with_known(&mut self, given: Given, known: Option<Known>) -> Given {
        match (given, known) {
            (Given::Vary { source, .. }, Some(known)) => {
                self.prompt = known.prompt;
                Given::Vary { source, latent: known.latent }
            }
            (given, _) => given,
        }
    }

    /// Returns the job that is asked for.
    pub(crate) fn submission(&self, caller: AccountCaller, seed: u64, size: Size) -> Submit {
        let looks = &self.looks;
        Submit {
            account: caller.account,
            api_key: Some(caller.key),
            operation: match self.call {
                Call::Generate => Operation::Generate,
                Call::Edit => Operation::Edit,
                Call::Vary => Operation::Vary,
            },
            model: looks.model.clone(),
            spec: Spec {
                prompt: self.prompt.clone(),
                readings: Vec::new(),
                count: looks.count,
                size,
                seed: looks.seed.unwrap_or(seed),
                background: looks.background,
                steps: None,
                previews: looks.stream.unwrap_or(0),
            },
            source: medici_studio::Source::Words,
            output: looks.output,
            quality: looks.quality.map(str::to_owned),
            zeal: if looks.lenient_moderation { Zeal::Low } else { Zeal::Auto },
            readings: looks.readings,
            keep_prompt: false,
            key: None,
            attended: false,
        }
    }
}

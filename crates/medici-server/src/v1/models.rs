//! The models that can be named.

use axum::{Json, extract::State};
use serde::Serialize;

use super::profile;
use crate::{auth::Caller, error::Fault, query::PathText, state::AppState};

/// When the names were made, as far as clients care: 2022-11-03, the day the first of these APIs opened.
const CREATED: u32 = 1_667_433_600;

#[derive(Serialize)]
pub(crate) struct ModelList {
    object: &'static str,
    data: Vec<Model>,
}

#[derive(Serialize)]
pub(crate) struct Model {
    id: String,
    object: &'static str,
    created: u32,
    owned_by: &'static str,
    /// Newer clients have this field; nothing here is going to be shut down.
    shutdown_date: Option<u32>,
}

fn model(id: &str) -> Model {
    Model { id: id.to_owned(), object: "model", created: CREATED, owned_by: "medici", shutdown_date: None }
}

/// `GET /v1/models`: the engine's own name, then OpenAI's, which all mean the engine.
pub(crate) async fn list(State(state): State<AppState>, _: Caller) -> Json<ModelList> {
    let data = profile::names(state.studio.engine.model()).map(model).collect();
    Json(ModelList { object: "list", data })
}

/// `GET /v1/models/{id}`.
pub(crate) async fn one(
    State(state): State<AppState>,
    _: Caller,
    PathText(id): PathText,
) -> Result<Json<Model>, Fault> {
    match profile::named(&id, state.studio.engine.model()) {
        Some(_) => Ok(Json(model(&id))),
        None if profile::is_plain(&id) => Err(Fault::UnknownModel { model: id }),
        None => Err(Fault::UnknownModel { model: "…".to_owned() }),
    }
}

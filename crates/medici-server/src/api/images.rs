//! An account's own images: what there is, and how one is deleted.

use axum::{Json, extract::State, http::StatusCode};
use medici_ledger::Timestamp;
use medici_studio::{Image, ImageId, JobId, engine::Size};
use serde::{Deserialize, Serialize};

use crate::{
    auth::AccountCaller,
    error::Fault,
    links,
    query::{PathText, QueryOf, page_limit, parsed},
    state::AppState,
    wire::Text,
};

/// The longest page of images.
const IMAGES_MAX: usize = 100;
const IMAGES_DEFAULT: usize = 20;

/// A page of images.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImagesQuery {
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(crate) struct ImageBody {
    id: Text<ImageId>,
    job: Text<JobId>,
    /// Which of the job's pictures, from 0.
    index: u32,
    url: String,
    size: Text<Size>,
    media_type: &'static str,
    bytes: u64,
    reading: Option<String>,
    created_at: Text<Timestamp>,
}

/// `GET /api/images`: newest first.
pub(crate) async fn list(
    State(state): State<AppState>,
    caller: AccountCaller,
    QueryOf(query): QueryOf<ImagesQuery>,
) -> Result<Json<serde_json::Value>, Fault> {
    let limit = page_limit(query.limit, IMAGES_DEFAULT, IMAGES_MAX)?;
    let before = parsed("cursor", query.cursor.as_deref())?;
    let images = state.studio.store.account_images(caller.account, before, limit).await?;
    // A full page may have another behind it; an empty one then says that it had not.
    let next = images.last().filter(|_| images.len() == limit).map(|last| Text(last.id));
    let images: Vec<ImageBody> = images.into_iter().map(|image| body(&state, image)).collect();
    Ok(Json(serde_json::json!({ "images": images, "next_cursor": next })))
}

/// `GET /api/images/{id}`.
pub(crate) async fn one(
    State(state): State<AppState>,
    caller: AccountCaller,
    PathText(id): PathText,
) -> Result<Json<ImageBody>, Fault> {
    let image = state.studio.image(caller.account, named(&id)?).await?.ok_or_else(missing)?;
    Ok(Json(body(&state, image)))
}

/// `DELETE /api/images/{id}`: a repeat answers as the first time.
pub(crate) async fn delete(
    State(state): State<AppState>,
    caller: AccountCaller,
    PathText(id): PathText,
) -> Result<StatusCode, Fault> {
    state.studio.delete_image(caller.account, named(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Fault {
    Fault::NotFound { what: "image" }
}

fn named(id: &str) -> Result<ImageId, Fault> {
    id.parse().map_err(|_| missing())
}

fn body(state: &AppState, image: Image) -> ImageBody {
    ImageBody {
        id: Text(image.id),
        job: Text(image.job),
        index: image.index,
        url: links::absolute(&state.config, &image, state.studio.clock.now()),
        size: Text(image.size),
        media_type: image.format.media_type(),
        bytes: image.blob_bytes,
        reading: image.reading,
        created_at: Text(image.created_at),
    }
}

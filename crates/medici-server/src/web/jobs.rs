//! One job: its page, its card, its pictures, and the wish to stop it.

use askama::Template;
use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use medici_studio::{CancelError, FileFormat, Finished, Job, JobId, StoreError};

use super::{
    card::{Card, Look, Standing},
    create::Draft,
    credits_chip::CreditsChip,
    page::{self, Frame},
    strings,
    visitor::Visitor,
};
use crate::AppState;

/// The longest part of a prompt in a file's name, in characters.
const FILE_STEM_MAX: usize = 40;

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    frame: Frame,
    card: Card,
}

/// A part of a page, for a script to put in its place: a card, the credits, what was wrong, the form's next key.
#[derive(Template)]
#[template(path = "part.html")]
struct Part {
    key: String,
    chip: Option<CreditsChip>,
    card: Option<Card>,
    problem: Option<String>,
}

/// `GET /jobs/{id}`
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let card = match card(&state, &visitor, &id).await {
        Ok(Some(card)) => card,
        Ok(None) => return page::not_found(&headers),
        Err(error) => return page::broken(&headers, &error),
    };
    let balances = visitor.balances(&state);
    let mut frame = visitor.frame(strings::JOB_TITLE, balances.as_ref());
    frame.refresh = matches!(card.standing, Standing::Open { .. });
    page::html(StatusCode::OK, &JobPage { frame, card })
}

/// `GET /jobs/{id}/card`: the card alone, as it is now, for a script.
pub(super) async fn show_card(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    match card(&state, &visitor, &id).await {
        Ok(Some(card)) => part(&state, &visitor, StatusCode::OK, Some(card), None),
        Ok(None) => page::not_found(&headers),
        Err(error) => page::broken(&headers, &error),
    }
}

/// `POST /jobs/{id}/cancel`: stops the job and gives its credits back. A repeat changes nothing, and a job
/// that has ended meanwhile is shown as it ended.
pub(super) async fn cancel(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<JobId>() else { return page::not_found(&headers) };
    match state.studio.cancel(visitor.account, id).await {
        Ok(_) | Err(CancelError::Ended(_)) => {}
        Err(CancelError::NoJob) => return page::not_found(&headers),
        Err(CancelError::Store(error)) => return page::broken(&headers, &error),
    }
    if visitor.wants_part {
        return show_card(State(state), visitor, headers, Path(id.to_string())).await;
    }
    Redirect::to(&format!("/jobs/{id}")).into_response()
}

/// `GET /jobs/{id}/images/{number}`: a picture of the visitor's own, from 1. With `?download` it is saved.
///
/// Unlike the signed links it works as long as the session does, so a page may stay open for days.
pub(super) async fn image(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    Path((id, number)): Path<(String, u32)>,
    RawQuery(query): RawQuery,
) -> Response {
    let Ok(id) = id.parse::<JobId>() else { return page::not_found(&headers) };
    let Finished { job, images } = match finished(&state, &visitor, id).await {
        Ok(Some(finished)) => finished,
        Ok(None) => return page::not_found(&headers),
        Err(error) => return page::broken(&headers, &error),
    };
    let Some(image) = images.iter().find(|image| image.index.checked_add(1) == Some(number)) else {
        return page::not_found(&headers);
    };
    let bytes = match state.studio.image_file(image).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return page::not_found(&headers),
        Err(error) => return page::broken(&headers, &error),
    };
    let disposition = if query.as_deref() == Some("download") { "attachment" } else { "inline" };
    let name = format!("{disposition}; filename=\"{}\"", file_name(&job, number, image.format));
    let name = HeaderValue::from_str(&name).expect("letters, digits and dashes make a header");
    let guards = [
        (header::CONTENT_TYPE, HeaderValue::from_static(image.format.media_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable")),
        (header::CONTENT_DISPOSITION, name),
    ];
    (guards, bytes).into_response()
}

/// Returns one of the visitor's own jobs with its images.
pub(super) async fn finished(state: &AppState, visitor: &Visitor, id: JobId) -> Result<Option<Finished>, StoreError> {
    let Some(job) = state.studio.job(visitor.account, id).await? else { return Ok(None) };
    let images = state.studio.store.images(id).await?;
    Ok(Some(Finished { job, images }))
}

async fn card(state: &AppState, visitor: &Visitor, id: &str) -> Result<Option<Card>, StoreError> {
    let Ok(id) = id.parse::<JobId>() else { return Ok(None) };
    let finished = finished(state, visitor, id).await?;
    Ok(finished.map(|finished| Card::new(&state.studio, &finished, &visitor.zone)))
}

/// Answers a script with a part of a page.
pub(super) fn part(
    state: &AppState,
    visitor: &Visitor,
    status: StatusCode,
    card: Option<Card>,
    problem: Option<String>,
) -> Response {
    let chip = visitor.balances(state).map(|balances| CreditsChip::new(&balances, &visitor.zone));
    page::html(status, &Part { key: Draft::fresh_key(&state.studio), chip, card, problem })
}

/// Returns a name for the file of a picture: words of its prompt that every file system takes, and its number.
fn file_name(job: &Job, number: u32, format: FileFormat) -> String {
    let letters = job.spec.prompt.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let words: Vec<String> =
        letters.collect::<String>().split('-').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let stem: String = words.join("-").chars().take(FILE_STEM_MAX).collect();
    let stem = stem.trim_end_matches('-');
    // The end of the id tells two jobs of one prompt apart; its beginning is the time.
    let tail = job.id.as_u128() & 0xffff;
    let stem = if stem.is_empty() { "medici" } else { stem };
    format!("{stem}-{tail:04x}-{number}.{}", format.extension())
}

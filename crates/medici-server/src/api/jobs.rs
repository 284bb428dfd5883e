//! An account's own jobs: where they stand, what came of them, and how to stop one.

use axum::{Json, extract::State};
use medici_ledger::{Credits, Timestamp};
use medici_studio::{Finished, ImageId, Job, JobId, JobState, Outcome, engine::Size};
use serde::{Deserialize, Serialize};

use crate::{
    auth::AccountCaller,
    error::Fault,
    links,
    query::{PathText, QueryOf, page_limit},
    state::AppState,
    wire::Text,
};

/// The longest page of jobs.
const JOBS_MAX: usize = 100;
const JOBS_DEFAULT: usize = 20;

/// A page of jobs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsQuery {
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(crate) struct JobBody {
    id: Text<JobId>,
    state: &'static str,
    operation: String,
    model: String,
    prompt: String,
    count: u32,
    size: Text<Size>,
    seed: u64,
    created_at: Text<Timestamp>,
    finished_at: Option<Text<Timestamp>>,
    /// How many jobs are drawn before it, while it is queued.
    ahead: Option<usize>,
    /// Why it failed.
    reason: Option<&'static str>,
    credits: JobCredits,
    images: Vec<ImageBody>,
    notice: Option<String>,
}

#[derive(Serialize)]
struct JobCredits {
    /// What is, or was, set aside for it.
    quoted: Text<Credits>,
    /// What it used; null while that is open.
    charged: Option<Text<Credits>>,
}

#[derive(Serialize)]
struct ImageBody {
    id: Text<ImageId>,
    url: String,
    size: Text<Size>,
    reading: Option<String>,
}

/// `GET /api/jobs`: newest first, with their images.
pub(crate) async fn list(
    State(state): State<AppState>,
    caller: AccountCaller,
    QueryOf(query): QueryOf<JobsQuery>,
) -> Result<Json<serde_json::Value>, Fault> {
    let limit = page_limit(query.limit, JOBS_DEFAULT, JOBS_MAX)?;
    let bad = |problem| Fault::param("invalid_value", "cursor", crate::error::sentence(&problem));
    let before: Option<JobId> = query.cursor.map(|text| text.parse().map_err(bad)).transpose()?;
    let history = state.studio.history(caller.account, before, limit).await?;
    // A full page may have another behind it; an empty one then says that it had not.
    let next = history.last().filter(|_| history.len() == limit).map(|last| Text(last.job.id));
    let jobs: Vec<JobBody> = history.into_iter().map(|finished| body(&state, finished)).collect();
    Ok(Json(serde_json::json!({ "jobs": jobs, "next_cursor": next })))
}

/// `GET /api/jobs/{id}`.
pub(crate) async fn one(
    State(state): State<AppState>,
    caller: AccountCaller,
    PathText(id): PathText,
) -> Result<Json<JobBody>, Fault> {
    let job = own(&state, caller, &id).await?;
    with_images(&state, job).await
}

/// `POST /api/jobs/{id}/cancel`: stops a job and gives its credits back. A repeat answers as the first time.
pub(crate) async fn cancel(
    State(state): State<AppState>,
    caller: AccountCaller,
    PathText(id): PathText,
) -> Result<Json<JobBody>, Fault> {
    let id: JobId = id.parse().map_err(|_| Fault::NotFound { what: "job" })?;
    let job = state.studio.cancel(caller.account, id).await?;
    with_images(&state, job).await
}

async fn own(state: &AppState, caller: AccountCaller, id: &str) -> Result<Job, Fault> {
    let missing = || Fault::NotFound { what: "job" };
    let id: JobId = id.parse().map_err(|_| missing())?;
    state.studio.job(caller.account, id).await?.ok_or_else(missing)
}

async fn with_images(state: &AppState, job: Job) -> Result<Json<JobBody>, Fault> {
    let images = state.studio.store.images(job.id).await?;
    Ok(Json(body(state, Finished { job, images })))
}

fn body(state: &AppState, finished: Finished) -> JobBody {
    let Finished { job, images } = finished;
    let now = state.studio.clock.now();
    let (finished_at, reason, charged) = match &job.state {
        JobState::Queued | JobState::Running(_) => (None, None, None),
        JobState::Done { outcome, finished_at } => {
            let charged = match outcome {
                Outcome::Charged { amount } => *amount,
                Outcome::Free | Outcome::Uncollected { .. } => Credits::ZERO,
            };
            (Some(*finished_at), None, Some(charged))
        }
        JobState::Failed { reason, finished_at } => (Some(*finished_at), Some(reason.name()), Some(Credits::ZERO)),
        JobState::Cancelled { finished_at } => (Some(*finished_at), None, Some(Credits::ZERO)),
    };
    let images = images.into_iter().map(|image| ImageBody {
        id: Text(image.id),
        url: links::absolute(&state.config, &image, now),
        size: Text(image.size),
        reading: image.reading,
    });
    JobBody {
        id: Text(job.id),
        state: job.state.name(),
        operation: job.operation.as_str().to_owned(),
        model: job.model,
        prompt: job.spec.prompt,
        count: job.spec.count,
        size: Text(job.spec.size),
        seed: job.spec.seed,
        created_at: Text(job.created_at),
        finished_at: finished_at.map(Text),
        ahead: state.studio.store.ahead_of(job.id),
        reason,
        credits: JobCredits { quoted: Text(job.quote.amount), charged: charged.map(Text) },
        images: images.collect(),
        notice: job.notice,
    }
}

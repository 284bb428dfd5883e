//! An account's own jobs: where they stand, what came of them, how to find one, to stop it and to delete it.

use axum::{Json, extract::State, http::StatusCode};
use medici_ledger::{Credits, Timestamp};
use medici_studio::{Finished, ImageId, Job, JobFilter, JobId, JobState, Outcome, engine::Size};
use serde::{Deserialize, Serialize};

use crate::{
    auth::AccountCaller,
    error::Fault,
    links,
    query::{PathText, QueryOf, page_limit, parsed},
    state::AppState,
    wire::Text,
};

/// The longest page of jobs.
const JOBS_MAX: usize = 100;
const JOBS_DEFAULT: usize = 20;

/// A page of jobs, and which of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsQuery {
    q: Option<String>,
    state: Option<String>,
    before: Option<String>,
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

/// `GET /api/jobs`: newest first, with their images. Of many that were looked at, only few may be on a page.
pub(crate) async fn list(
    State(state): State<AppState>,
    caller: AccountCaller,
    QueryOf(query): QueryOf<JobsQuery>,
) -> Result<Json<serde_json::Value>, Fault> {
    let limit = page_limit(query.limit, JOBS_DEFAULT, JOBS_MAX)?;
    let older_than: Option<JobId> = parsed("cursor", query.cursor.as_deref())?;
    let filter = JobFilter {
        words: parsed("q", query.q.as_deref())?.unwrap_or_default(),
        state: query.state.as_deref().map(state_named).transpose()?,
        asked_before: parsed("before", query.before.as_deref())?,
    };
    let (found, next) = state.studio.find_jobs(caller.account, &filter, older_than, limit).await?;
    let jobs: Vec<JobBody> = found.into_iter().map(|finished| body(&state, finished)).collect();
    Ok(Json(serde_json::json!({ "jobs": jobs, "next_cursor": next.map(Text) })))
}

fn state_named(text: &str) -> Result<&'static str, Fault> {
    let known = JobState::NAMES.into_iter().find(|name| *name == text);
    known.ok_or_else(|| {
        let message = format!("The state is one of {}.", JobState::NAMES.join(", "));
        Fault::param("invalid_value", "state", message)
    })
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
    let job = state.cancel(caller.account, named(&id)?).await?;
    with_images(&state, job).await
}

/// `DELETE /api/jobs/{id}`: a repeat answers as the first time.
pub(crate) async fn delete(
    State(state): State<AppState>,
    caller: AccountCaller,
    PathText(id): PathText,
) -> Result<StatusCode, Fault> {
    state.studio.delete_job(caller.account, named(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Fault {
    Fault::NotFound { what: "job" }
}

fn named(id: &str) -> Result<JobId, Fault> {
    id.parse().map_err(|_| missing())
}

async fn own(state: &AppState, caller: AccountCaller, id: &str) -> Result<Job, Fault> {
    state.studio.job(caller.account, named(id)?).await?.ok_or_else(missing)
}

pub(super) async fn with_images(state: &AppState, job: Job) -> Result<Json<JobBody>, Fault> {
    let images = state.studio.store.images(job.id).await?;
    Ok(Json(body(state, Finished { job, images })))
}

pub(super) fn body(state: &AppState, finished: Finished) -> JobBody {
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

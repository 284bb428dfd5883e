//! The news of one job as server-sent events: `state`, `preview`, `ended`.
//!
//! News is told from what this process knows, and the end from committed rows. A browser that lost the
//! connection gets the present state again and the previews that it has missed.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use medici_ledger::AccountId;
use medici_studio::{Job, JobId, Progress, StoreError};
use serde_json::json;
use tokio::sync::watch;

use super::{card, page, visitor::Visitor};
use crate::AppState;

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(2);
/// How often the rows are read although nobody told of a change: another process may have written them.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// The id of the last event of a job.
const LAST_ID: &str = "end";

/// `GET /jobs/{id}/events`
pub(super) async fn events(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<JobId>() else { return page::not_found(&headers) };
    // Watching begins before the rows are read, so that no change falls between the two.
    let progress = state.studio.progress.watch(id);
    let queue = state.studio.progress.watch_queue();
    let job = match state.studio.job(visitor.account, id).await {
        Ok(Some(job)) => job,
        Ok(None) => return page::not_found(&headers),
        Err(error) => return page::broken(&headers, &error),
    };
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    if known == LAST_ID && !job.state.is_open() {
        // The one answer that tells a browser not to come back.
        return StatusCode::NO_CONTENT.into_response();
    }
    let feed = Feed {
        state,
        account: visitor.account,
        job,
        progress,
        queue,
        told: known.parse().unwrap_or(0),
        status: None,
        waiting: VecDeque::from([Event::default().retry(RETRY)]),
        begun: false,
        ended: false,
    };
    let stream = futures_util::stream::unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    let mut response = Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Proxies that gather an answer before they pass it on would make the news old.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// What one browser has been told of one job.
struct Feed {
    state: AppState,
    account: AccountId,
    job: Job,
    progress: watch::Receiver<Progress>,
    queue: watch::Receiver<u64>,
    /// How many previews it knows; the id of the events, so that it says so when it comes back.
    told: usize,
    /// The words it was told last.
    status: Option<String>,
    waiting: VecDeque<Event>,
    begun: bool,
    ended: bool,
}

impl Feed {
    /// Returns the next event, and `None` after the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            let look = if self.begun { self.change().await } else { true };
            self.begun = true;
            if let Err(error) = self.gather(look).await {
                // The browser comes back by itself; by then the store may have.
                tracing::warn!(job.id = %self.job.id, %error, "The news of {} broke off", self.job.id);
                return None;
            }
        }
    }

    /// Waits for a change, and returns whether the rows may have changed too.
    async fn change(&mut self) -> bool {
        tokio::select! {
            changed = self.progress.changed() => match changed {
                Ok(()) => self.progress.borrow().ended,
                Err(_) => {
                    // Nobody tells of this job any more: its end was told, or the process has forgotten it.
                    tokio::time::sleep(LOOK_AGAIN).await;
                    true
                }
            },
            _ = self.queue.changed() => true,
            () = tokio::time::sleep(LOOK_AGAIN) => true,
        }
    }

    /// Puts what is new among the events that wait.
    async fn gather(&mut self, look: bool) -> Result<(), StoreError> {
        let progress = self.progress.borrow_and_update().clone();
        if look {
            match self.state.studio.job(self.account, self.job.id).await? {
                Some(job) => self.job = job,
                None => self.ended = true,
            }
        }
        // After a restart of the job or of the process the previews count from the beginning.
        if progress.trail.len() < self.told {
            self.told = 0;
        }
        for (index, preview) in progress.trail.iter().skip(self.told) {
            self.told += 1;
            let data = json!({ "image": index + 1, "number": preview.number, "src": card::data_url(preview) });
            self.waiting.push_back(event("preview", &self.told.to_string(), &data));
        }
        if !self.job.state.is_open() {
            self.ended = true;
            self.waiting.push_back(event("ended", LAST_ID, &json!({ "state": self.job.state.name() })));
            return Ok(());
        }
        let status = card::open_status(&self.state.studio, &self.job, progress.step);
        if self.status.as_ref() != Some(&status) {
            let step = progress.step.map(|step| json!({ "at": step.at, "of": step.of }));
            let data = json!({ "state": self.job.state.name(), "status": status, "step": step });
            self.waiting.push_back(event("state", &self.told.to_string(), &data));
            self.status = Some(status);
        }
        Ok(())
    }
}

fn event(name: &str, id: &str, data: &serde_json::Value) -> Event {
    Event::default().event(name).id(id).data(data.to_string())
}

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
use medici_studio::{JobId, engine::Step};
use serde_json::json;

use super::{card, page, visitor::Visitor};
use crate::{
    AppState,
    error::Fault,
    job_news::{JobNews, News},
};

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(2);
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
    let mut news = match JobNews::of(&state, visitor.account, id).await {
        Ok(news) => news,
        Err(Fault::NotFound { .. }) => return page::not_found(&headers),
        Err(fault) => return fault.into_response(),
    };
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    if known == LAST_ID && !news.job().state.is_open() {
        // The one answer that tells a browser not to come back.
        return StatusCode::NO_CONTENT.into_response();
    }
    let told = known.parse().unwrap_or(0);
    news.after_looks(told);
    let step = state.studio.progress.watch(id).borrow().step;
    let mut feed = Feed { state, news, step, told, status: None, waiting: VecDeque::new(), ended: false };
    feed.waiting.push_back(Event::default().retry(RETRY));
    feed.tell_status();
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
    news: JobNews,
    step: Option<Step>,
    /// How many previews it knows; the id of the events, so that it says so when it comes back.
    told: usize,
    /// The words it was told last.
    status: Option<String>,
    waiting: VecDeque<Event>,
    ended: bool,
}

impl Feed {
    /// Returns the next event, and `None` after the end.
    async fn next(&mut self) -> Option<Event> {
        while self.waiting.is_empty() {
            if self.ended {
                return None;
            }
            match self.news.next().await {
                Ok(news) => news.into_iter().for_each(|news| self.tell(news)),
                Err(fault) => {
                    // The browser comes back by itself; by then the store may have.
                    tracing::warn!(job.id = %self.news.job().id, ?fault, "The news of a job broke off");
                    return None;
                }
            }
        }
        self.waiting.pop_front()
    }

    /// Puts what is new among the events that wait.
    fn tell(&mut self, news: News) {
        match news {
            News::Look(index, preview) => {
                self.told += 1;
                let data = json!({ "image": index + 1, "number": preview.number, "src": card::data_url(&preview) });
                self.waiting.push_back(event("preview", &self.told.to_string(), &data));
            }
            News::Place(_) | News::Begun | News::Alive => self.tell_status(),
            News::Step(step) => {
                self.step = Some(step);
                self.tell_status();
            }
            News::Ended(finished) => {
                self.ended = true;
                let data = json!({ "state": finished.job.state.name() });
                self.waiting.push_back(event("ended", LAST_ID, &data));
            }
        }
    }

    /// Tells where an open job stands, unless that was told last.
    fn tell_status(&mut self) {
        let job = self.news.job();
        if !job.state.is_open() {
            return;
        }
        let status = card::open_status(&self.state.studio, job, self.step);
        if self.status.as_ref() != Some(&status) {
            let step = self.step.map(|step| json!({ "at": step.at, "of": step.of }));
            let data = json!({ "state": job.state.name(), "status": status, "step": step });
            self.waiting.push_back(event("state", &self.told.to_string(), &data));
            self.status = Some(status);
        }
    }
}

fn event(name: &str, id: &str, data: &serde_json::Value) -> Event {
    Event::default().event(name).id(id).data(data.to_string())
}

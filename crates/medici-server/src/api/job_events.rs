//! `GET /api/jobs/{id}/events`: how a job goes, as server-sent events: `queued`, `step`, `preview`, `ended`.
//!
//! Whoever lost the connection says the id of the last event it got (`Last-Event-ID`), and gets the present state and
//! the early looks that it has missed.

use std::{collections::VecDeque, convert::Infallible};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use medici_studio::JobId;
use serde_json::{Value, json};

use super::jobs::body;
use crate::{
    auth::AccountCaller,
    error::Fault,
    job_news::{JobNews, News},
    query::PathText,
    state::AppState,
    v1::stream::as_events,
};

/// Streams the news of a job until it has ended.
pub(crate) async fn events(
    State(state): State<AppState>,
    caller: AccountCaller,
    headers: HeaderMap,
    PathText(id): PathText,
) -> Result<Response, Fault> {
    let id: JobId = id.parse().map_err(|_| Fault::NotFound { what: "job" })?;
    let mut news = JobNews::of(&state, caller.account, id).await?;
    let told = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let told = told.unwrap_or(0);
    news.after_looks(told);
    let feed = Feed { state, news, told, pieces: VecDeque::new(), ended: false };
    let pieces = futures_util::stream::unfold(feed, |mut feed| async move {
        let piece = feed.next().await?;
        Some((Ok::<_, Infallible>(piece), feed))
    });
    let mut response = Body::from_stream(pieces).into_response();
    as_events(response.headers_mut());
    Ok(response)
}

struct Feed {
    state: AppState,
    news: JobNews,
    /// How many early looks were told; the id of the events.
    told: usize,
    pieces: VecDeque<Bytes>,
    ended: bool,
}

impl Feed {
    async fn next(&mut self) -> Option<Bytes> {
        while self.pieces.is_empty() {
            if self.ended {
                return None;
            }
            match self.news.next().await {
                Ok(news) => news.into_iter().for_each(|news| self.tell(news)),
                Err(fault) => {
                    // The reader comes back by itself; by then the store may have.
                    tracing::warn!(job.id = %self.news.job().id, ?fault, "The news of a job broke off");
                    return None;
                }
            }
        }
        self.pieces.pop_front()
    }

    fn tell(&mut self, news: News) {
        match news {
            News::Begun => {}
            News::Alive => self.pieces.push_back(Bytes::from_static(b": alive\n\n")),
            News::Place(ahead) => {
                let render_ms = self.state.studio.engine.estimate(&self.news.job().spec).render_ms;
                let wait_ms = render_ms.saturating_mul(ahead as u64);
                self.event("queued", &json!({ "ahead": ahead, "wait_ms": wait_ms, "render_ms": render_ms }));
            }
            News::Step(step) => self.event("step", &json!({ "at": step.at, "of": step.of })),
            News::Look(index, look) => {
                self.told += 1;
                let data = json!({
                    "index": index,
                    "number": look.number,
                    "media_type": look.media_type,
                    "b64_json": STANDARD.encode(&look.bytes),
                });
                self.event("preview", &data);
            }
            News::Ended(finished) => {
                let data = serde_json::to_value(body(&self.state, *finished)).expect("a job makes JSON");
                self.event("ended", &data);
                self.ended = true;
            }
        }
    }

    fn event(&mut self, name: &str, data: &Value) {
        self.pieces.push_back(format!("id: {}\nevent: {name}\ndata: {data}\n\n", self.told).into());
    }
}

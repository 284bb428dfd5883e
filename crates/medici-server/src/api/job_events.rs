//! `GET /api/jobs/{id}/events`: how a job goes, as server-sent events: `queued`, `step`, `preview`, `ended`.
//!
//! Whoever lost the connection says the id of the last event it got (`Last-Event-ID`), and gets the present state and
//! the early looks that it has missed.

use std::{collections::VecDeque, convert::Infallible};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue},
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
    let told = last_told(&headers)?;
    let mut news = JobNews::of(&state, caller.account, id).await?;
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

/// Reads how many early looks a client was told of before it lost the connection. None and an empty id are the same,
/// as they are to browsers.
fn last_told(headers: &HeaderMap) -> Result<usize, Fault> {
    const DIGITS_MAX: usize = 9;
    let digits = headers.get("last-event-id").map_or(&b""[..], HeaderValue::as_bytes);
    let wrong = digits.len() > DIGITS_MAX || !digits.iter().all(u8::is_ascii_digit);
    if wrong {
        let message = "Last-Event-ID must be the id of an event of this stream, a whole number of up to 9 digits.";
        return Err(Fault::param("invalid_value", "Last-Event-ID", message));
    }
    Ok(digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
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

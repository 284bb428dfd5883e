//! Streamed replies: early looks while a job is drawn, then each picture, as server-sent events.
//!
//! Nothing but OpenAI's own events is sent: its clients take an unknown one for a picture. What else there is to
//! tell (the place in the queue, that the connection lives) goes into comments, which they skip. A failure is an
//! event with `error`, which they raise; only then does the stream end.

use std::{collections::VecDeque, convert::Infallible};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use medici_ledger::Credits;
use medici_studio::{
    Finished, Job, Preview,
    engine::{Background, Size},
};
use serde::Serialize;

use super::{
    attempts::Waiting,
    error,
    images::{balance, ending},
    images_body::{self, CreditsBody, Usage, created},
    looks::{Call, Looks},
    request::Asked,
};
use crate::{
    auth::AccountCaller,
    error::Fault,
    job_news::{JobNews, News},
    reply::{CreditHeaders, Replayed},
    state::AppState,
    wire::Text,
};

/// An early look, or a picture, with all the fields that the clients' types need.
#[derive(Serialize)]
struct EventBody<'a> {
    r#type: String,
    b64_json: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_image_index: Option<u32>,
    created_at: u32,
    size: Text<Size>,
    quality: &'static str,
    background: &'static str,
    output_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revised_prompt: Option<&'a str>,
    // What follows is ours.
    image_index: u32,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reading: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<CreditsBody>,
}

/// Answers with the events of a job.
pub(super) async fn reply(
    state: &AppState,
    caller: AccountCaller,
    asked: Asked,
    waiting: Waiting,
    replayed: bool,
) -> Result<Response, Fault> {
    // The job of a request is there unless its owner has deleted it since.
    let news = JobNews::of(state, caller.account, waiting.job()).await.map_err(|fault| match fault {
        Fault::NotFound { .. } => Fault::Deleted,
        other => other,
    })?;
    let feed = Feed {
        state: state.clone(),
        caller,
        looks: asked.looks,
        call: asked.call,
        waiting: Some(waiting),
        news,
        // The first bytes tell the client that it was accepted.
        pieces: VecDeque::from([Bytes::from_static(b": accepted\n\n")]),
        ended: false,
    };
    let pieces = futures_util::stream::unfold(feed, |mut feed| async move {
        let piece = feed.next().await?;
        Some((Ok::<_, Infallible>(piece), feed))
    });
    let mut response = Body::from_stream(pieces).into_response();
    as_events(response.headers_mut());
    Ok((Replayed(replayed), response).into_response())
}

/// Marks a reply as a stream of events that nobody keeps or gathers.
pub(crate) fn as_events(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Proxies that gather an answer before they pass it on would make the looks late.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}

/// What one client has been told of its job.
struct Feed {
    state: AppState,
    caller: AccountCaller,
    looks: Looks,
    call: Call,
    /// Dropped before the last piece was taken, it begins the grace time.
    waiting: Option<Waiting>,
    news: JobNews,
    pieces: VecDeque<Bytes>,
    ended: bool,
}

impl Feed {
    /// Returns the next piece, and `None` after the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                let last = self.ended && self.pieces.is_empty();
                if let Some(waiting) = self.waiting.take_if(|_| last) {
                    waiting.answered();
                }
                return Some(piece);
            }
            if self.ended {
                return None;
            }
            if let Err(fault) = self.gather().await {
                self.fail(&fault.for_family(self.looks.profile.family));
            }
        }
    }

    /// Waits until there is something to send, and makes pieces of it.
    async fn gather(&mut self) -> Result<(), Fault> {
        for news in self.news.next().await? {
            match news {
                News::Place(ahead) => self.pieces.push_back(format!(": queued, {ahead} ahead\n\n").into()),
                News::Alive => self.pieces.push_back(Bytes::from_static(b": alive\n\n")),
                News::Begun | News::Step(_) => {}
                News::Look(index, preview) => {
                    if self.looks.stream.is_some_and(|partial| partial > 0) {
                        let piece = self.partial(index, &preview).await;
                        self.pieces.extend(piece);
                    }
                }
                News::Ended(finished) => {
                    let charged = ending(&finished).map_err(|fault| self.state.stopping(fault))?;
                    self.pictures(&finished, charged).await?;
                    self.ended = true;
                }
            }
        }
        Ok(())
    }

    async fn partial(&self, index: u32, preview: &Preview) -> Option<Bytes> {
        let job = self.news.job();
        let look = self.state.studio.early_look(job, index, preview).await?;
        let body = self.body(job, index, STANDARD.encode(&look.file));
        let number = Some(preview.number - 1);
        Some(self.event("partial_image", EventBody { partial_image_index: number, size: Text(look.size), ..body }))
    }

    fn body<'a>(&self, job: &Job, image_index: u32, b64_json: String) -> EventBody<'a> {
        EventBody {
            r#type: String::new(),
            b64_json,
            partial_image_index: None,
            created_at: created(job),
            size: Text(job.spec.size),
            // The clients' types know only these.
            quality: match self.looks.quality {
                Some(quality @ ("low" | "medium" | "high")) => quality,
                _ => "auto",
            },
            background: match job.spec.background {
                Background::Auto => "auto",
                Background::Opaque => "opaque",
                Background::Transparent => "transparent",
            },
            output_format: job.output.format.name(),
            usage: None,
            revised_prompt: None,
            image_index,
            seed: job.spec.seed,
            reading: None,
            id: None,
            credits: None,
        }
    }

    /// Writes an event under the name of the call.
    fn event(&self, what: &str, mut body: EventBody<'_>) -> Bytes {
        let of = match self.call {
            Call::Generate => "image_generation",
            Call::Edit | Call::Vary => "image_edit",
        };
        body.r#type = format!("{of}.{what}");
        let mut piece = format!("event: {}\ndata: ", body.r#type).into_bytes();
        serde_json::to_writer(&mut piece, &body).expect("strings and numbers make JSON");
        piece.extend_from_slice(b"\n\n");
        piece.into()
    }

    async fn pictures(&mut self, finished: &Finished, charged: Credits) -> Result<(), Fault> {
        let credits = CreditHeaders { charged, balance: balance(&self.state, self.caller) };
        let looks = self.pieces.len();
        for image in &finished.images {
            let Some(b64_json) = images_body::base64(&self.state, image).await? else { continue };
            let body = EventBody {
                usage: Some(Usage::of(&finished.job, 1)),
                revised_prompt: self.looks.revised_prompt(image.reading.as_deref()),
                reading: image.reading.as_deref(),
                id: Some(image.id.to_string()),
                credits: Some(credits.into()),
                ..self.body(&finished.job, image.index, b64_json)
            };
            let piece = self.event("completed", body);
            self.pieces.push_back(piece);
        }
        // A job that is done has drawn some: they were deleted one by one.
        if self.pieces.len() == looks { Err(Fault::Deleted) } else { Ok(()) }
    }

    fn fail(&mut self, fault: &Fault) {
        let refused = error::write(fault);
        let mut piece = b"event: error\ndata: ".to_vec();
        piece.extend_from_slice(&refused.body);
        piece.extend_from_slice(b"\n\n");
        self.pieces.push_back(piece.into());
        self.ended = true;
    }
}

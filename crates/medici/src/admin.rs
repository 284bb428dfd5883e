//! Administration by one path: the server's own API.
//!
//! A running server owns the store, so commands ask it over HTTP. Without one the same requests go to the same
//! routes in this process, on the store opened here. So a command does the same either way.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, anyhow};
use axum::{
    Router,
    body::{Body, to_bytes},
};
use medici_ledger::AccountId;
use medici_server::{AppState, ServerConfig};
use serde_json::Value;
use tower::ServiceExt;

use crate::{
    books,
    config::{Config, EngineKind},
    http::{self, Connection},
    machine::{hex, random},
    wiring::{self, Opening},
};

/// The longest answer that is read in this process.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The header of an answer that repeats an earlier one.
const REPLAYED: &str = "idempotent-replayed";

/// The administration of one data directory.
pub(crate) struct Admin {
    way: Way,
    key: String,
}

enum Way {
    Here(Router),
    There(SocketAddr),
}

/// A request of administration.
pub(crate) struct Ask<'a> {
    /// The method.
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) path: &'a str,
    /// The body, for those that have one.
    pub(crate) body: Option<Value>,
    /// The idempotency key, where one was given; a fresh one is used otherwise.
    pub(crate) key: Option<&'a str>,
}

impl<'a> Ask<'a> {
    /// Changes.
    pub(crate) fn post(path: &'a str, body: Value) -> Self {
        Self { method: "POST", path, body: Some(body), key: None }
    }

    /// Reads.
    pub(crate) fn get(path: &'a str) -> Self {
        Self { method: "GET", path, body: None, key: None }
    }

    /// Sets.
    pub(crate) fn put(path: &'a str, body: Value) -> Self {
        Self { method: "PUT", path, body: Some(body), key: None }
    }

    /// Ends.
    pub(crate) fn delete(path: &'a str) -> Self {
        Self { method: "DELETE", path, body: None, key: None }
    }
}

impl Admin {
    /// Opens the store, or finds the server that has it open.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        // Commands draw nothing; the small engine spares them loading a model.
        let studio = match wiring::open(config, wiring::engine(EngineKind::TestPattern)?).await? {
            Opening::Open(studio) => Arc::new(*studio),
            Opening::Locked(locked) => {
                let Some(server) = config.data.running_server()? else { return Err(locked) };
                let key = config.data.admin_key()?.context("the data directory has no admin.key")?;
                return Ok(Self { way: Way::There(server.address), key });
            }
        };
        let key = wiring::admin_key(&studio, &config.data).await?;
        // Nobody connects to this server, so its address, its owner and its token are never used.
        let nobody = AccountId::from_u128(0);
        let server = ServerConfig::new("http://127.0.0.1", nobody, random(), hex(&random::<16>()));
        Ok(Self { way: Way::Here(medici_server::router(AppState::new(studio, server))), key })
    }

    /// Asks, and returns the answer's JSON; a refusal becomes an error with the server's own words.
    pub(crate) async fn ask(&self, ask: Ask<'_>) -> Result<Value> {
        let fresh = hex(&random::<16>());
        let bearer = format!("Bearer {}", self.key);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", ask.key.unwrap_or(&fresh))];
        let body = ask.body.map(|body| body.to_string().into_bytes());
        let (status, replayed, answer) = match &self.way {
            Way::There(address) => {
                let gone = || format!("the server that has the data directory open does not answer on {address}");
                let mut connection = Connection::open(*address).await.with_context(gone)?;
                let request = http::request(ask.method, ask.path, &headers, body.as_deref());
                let answer = connection.send(&request).await.with_context(gone)?;
                (answer.status, answer.header(REPLAYED) == Some("true"), answer.body)
            }
            Way::Here(router) => {
                let mut request = axum::http::Request::builder().method(ask.method).uri(ask.path);
                request = request.header("host", "127.0.0.1");
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                if body.is_some() {
                    request = request.header("content-type", "application/json");
                }
                let request = request.body(Body::from(body.unwrap_or_default()))?;
                let response = router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
                let status = response.status().as_u16();
                let replayed = response.headers().get(REPLAYED).is_some_and(|value| value == "true");
                (status, replayed, to_bytes(response.into_body(), ANSWER_BYTES_MAX).await?.to_vec())
            }
        };
        let mut value = understood(status, &answer)?;
        if replayed {
            value["replayed"] = true.into();
        }
        Ok(value)
    }
}

/// A request about one account, whose path goes on after the account.
pub(crate) struct OfAccount<'a> {
    /// The account's name or id.
    pub(crate) account: &'a str,
    /// The request.
    pub(crate) ask: Ask<'a>,
}

/// Asks about one account, and returns the answer.
pub(crate) fn ask_of_account(config: &Config, of: OfAccount<'_>) -> Result<Value> {
    config.data.must_exist()?;
    block_on(async {
        let admin = Admin::open(config).await?;
        let account = books::account(&books::open(config)?, of.account)?;
        let path = format!("/api/accounts/{}{}", account.id, of.ask.path);
        admin.ask(Ask { path: &path, ..of.ask }).await
    })
}

/// Returns the words after a change that an earlier one with the same key, or none at all, has made.
pub(crate) fn as_before(answer: &Value) -> &'static str {
    if answer["replayed"] == true {
        ", as before: this key was used already"
    } else if answer["entry"].is_null() {
        ", as it was"
    } else {
        ""
    }
}

fn understood(status: u16, body: &[u8]) -> Result<Value> {
    if status == 204 {
        return Ok(Value::Null);
    }
    let parsed: Result<Value, _> = serde_json::from_slice(body);
    if (200..300).contains(&status) {
        return parsed.context("the server's answer is no JSON");
    }
    let detail = parsed.ok().and_then(|problem| problem["detail"].as_str().map(str::to_owned));
    Err(match detail {
        Some(detail) => anyhow!("{}", detail.trim_end_matches('.')),
        None => anyhow!("the server answered with status {status}"),
    })
}

/// Returns a text of an answer.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("the server's answer lacks {key:?}"))
}

/// Runs an administration command to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

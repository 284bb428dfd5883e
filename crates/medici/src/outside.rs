//! Calls to services of others: JSON over HTTP/1.1 with TLS, and a bound on everything.
//!
//! Redirects are not followed, since the key would go with them, and a call that failed is not repeated: its caller
//! has somebody waiting. What was sent is in no error, nor what came back, which may repeat it.

use std::{error::Error, io, time::Duration};

use anyhow::{Context, Result, ensure};
use axum::{
    body::Bytes,
    http::{HeaderValue, Request, Uri, header, uri::Scheme},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use serde_json::Value;
use tokio::sync::Semaphore;

#[cfg(test)]
pub(crate) mod fake;

/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// The longest head of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Calls at a time. More wait for their turn, which counts into their time.
const CALLS_MAX: usize = 64;
/// Connections that are kept open, and for how long.
const IDLE_MAX: usize = 8;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a service is.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    base: String,
    secure: bool,
}

impl Address {
    /// Reads an address such as `https://api.openai.com/v1`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        // A fragment would swallow the path that is added.
        let uri: Option<Uri> = text.parse().ok().filter(|_| !text.contains('#'));
        let uri = uri.filter(|uri| {
            let host = uri.authority().filter(|authority| !authority.as_str().contains('@'));
            host.is_some() && uri.query().is_none() && matches!(uri.scheme_str(), Some("http" | "https"))
        });
        let uri = uri.context("an http or https address such as https://api.openai.com/v1 is needed")?;
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        Ok(Self { base: text.trim_end_matches('/').to_owned(), secure })
    }
}

/// A service that is called.
pub(crate) struct Outside {
    address: Address,
    authorization: Option<HeaderValue>,
    timeout: Duration,
    turns: Semaphore,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// It took too long.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// No connection, or one that broke.
    #[error("the service cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// It refused, or failed.
    #[error("the service answered with status {0}")]
    Status(u16),
    /// It says too much.
    #[error("the answer has more than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// It says something else than what was asked for.
    #[error("the answer is not {0}")]
    Strange(&'static str),
}

impl Outside {
    /// Makes the client of one service. Connects only when it is called.
    pub(crate) fn new(address: Address, key: Option<&str>, timeout: Duration) -> Result<Self> {
        let authorization = key.map(|key| {
            ensure!(!key.is_empty(), "the key is empty");
            // The error of a header repeats none of it, and neither does this one.
            let mut value = HeaderValue::from_str(&format!("Bearer {key}")).context("the key is not a line of text")?;
            value.set_sensitive(true);
            Ok(value)
        });
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls(address.secure)?);
        let connector = if address.secure { connector.https_only() } else { connector.https_or_http() };
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_MAX)
            .pool_timer(TokioTimer::new())
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector.enable_http1().build());
        let authorization = authorization.transpose()?;
        Ok(Self { address, authorization, timeout, turns: Semaphore::new(CALLS_MAX), client })
    }

    /// Sends JSON to a path below the address, and returns the JSON that comes back.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        let called = tokio::time::timeout(self.timeout, self.call(path, body)).await;
        called.unwrap_or(Err(CallError::TimedOut(self.timeout)))
    }

    async fn call(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        let _turn = self.turns.acquire().await.expect("nobody closes it");
        let mut request = Request::post(format!("{}{path}", self.address.base))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "medici");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::from(body.to_string())).expect("an address and a path of ours make a request");
        let response = self.client.request(request).await.map_err(|failure| CallError::Unreachable(failure.into()))?;
        let status = response.status();
        if !status.is_success() {
            return Err(CallError::Status(status.as_u16()));
        }
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|failure| match failure.downcast::<LengthLimitError>() {
            Ok(_) => CallError::TooLong,
            Err(failure) => CallError::Unreachable(failure),
        })?;
        serde_json::from_slice(&body.to_bytes()).map_err(|_| CallError::Strange("JSON"))
    }
}

/// Returns the rules of a connection. Whom to trust is what the machine says, or `$SSL_CERT_FILE`: an operator's own
/// authority counts, and none is built in that could grow old.
fn tls(secure: bool) -> io::Result<ClientConfig> {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into());
    let config = config.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let config =
        if secure { config.with_native_roots()? } else { config.with_root_certificates(RootCertStore::empty()) };
    Ok(config.with_no_client_auth())
}

#[cfg(test)]
mod tests;

//! What every handler is given.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use medici_ledger::AccountId;
use medici_studio::{ApiKey, ApiKeyId, StoreError, Studio};

use crate::{
    api::events::Turns,
    auth::KeyCache,
    rate_limit::{RateLimits, Rates},
    v1::{attempts::Attempts, uploads::Decoding},
};

/// What every handler is given. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The use cases.
    pub studio: Arc<Studio>,
    /// How this server is reached, and its bounds.
    pub config: Arc<ServerConfig>,
    /// What the requests of one process share.
    pub(crate) shared: Arc<Shared>,
}

/// What the requests of one process share.
#[derive(Default)]
pub(crate) struct Shared {
    /// API keys that were seen lately.
    pub(crate) keys: KeyCache,
    /// Who waits for which job.
    pub(crate) attempts: Attempts,
    /// Who may have uploads decoded now.
    pub(crate) decoding: Decoding,
    /// What accounts have asked for in the last minute.
    pub(crate) rate_limits: RateLimits,
    /// Who may send meter events now.
    pub(crate) event_turns: Turns,
    /// Whether the printed URL has been used.
    pub(crate) token_used: AtomicBool,
    /// Whether the server has been told to stop.
    pub(crate) draining: AtomicBool,
}

impl AppState {
    /// Puts together what the handlers need.
    pub fn new(studio: Arc<Studio>, config: ServerConfig) -> Self {
        Self { studio, config: Arc::new(config), shared: Arc::default() }
    }

    /// Makes an API key stop working at once in this process. Returns it, or `None` if there is none.
    ///
    /// Whoever revokes a key in this process does it here, because requests may know the key by heart.
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let key = self.studio.revoke_api_key(id).await?;
        self.shared.keys.forget_all();
        Ok(key)
    }

    /// Says that the server is about to stop: `/readyz` says so from now on.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }
}

/// How this server is reached, and its bounds. Read once at start.
#[derive(Clone)]
pub struct ServerConfig {
    /// What absolute links begin with, without a slash at the end, e.g. `http://127.0.0.1:8080`.
    pub base_url: String,
    /// Further names that a request's `Host` may have, without a port. The base URL's and this machine's own
    /// (`localhost`, `127.0.0.1`, `[::1]`) need not be named.
    pub extra_hosts: Vec<String>,
    /// Signs image links and session cookies. 256 random bits, the same after a restart.
    pub signing_secret: [u8; 32],
    /// How long a signed image link works. OpenAI's links live 60 minutes.
    pub link_lifetime: Duration,
    /// The largest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a job is kept after the client that asked for it has gone, so that a retry may join it.
    pub disconnect_grace: Duration,
    /// The most connections at a time; further ones wait to be accepted.
    pub connections_max: usize,
    /// How long requests may take to end after the server was told to stop.
    pub drain_timeout: Duration,
    /// What an account may ask for in a minute.
    pub rates: Rates,
    /// The account of the person who started the server, until sign-in exists.
    pub owner: AccountId,
    /// The token in the printed URL; the first browser that brings it becomes the owner's.
    pub sign_in_token: String,
}

impl ServerConfig {
    /// Returns the defaults for a server that is reached at `base_url`.
    ///
    /// `signing_secret` is 256 random bits that stay the same after a restart, `sign_in_token` a fresh random
    /// text of letters and digits.
    pub fn new(base_url: &str, owner: AccountId, signing_secret: [u8; 32], sign_in_token: String) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            extra_hosts: Vec::new(),
            signing_secret,
            link_lifetime: Duration::from_secs(60 * 60),
            body_bytes_max: 64 << 20,
            body_timeout: Duration::from_secs(60),
            disconnect_grace: Duration::from_secs(60),
            connections_max: 4_096,
            drain_timeout: Duration::from_secs(30),
            rates: Rates::default(),
            owner,
            sign_in_token,
        }
    }

    /// Returns a configuration for tests: known secrets, and waits that a test can sit out.
    pub fn for_tests() -> Self {
        Self {
            disconnect_grace: Duration::from_millis(50),
            body_timeout: Duration::from_millis(500),
            drain_timeout: Duration::from_secs(2),
            ..Self::new("http://127.0.0.1:8080", AccountId::from_u128(1), [7; 32], "one-time-token".to_owned())
        }
    }

    /// Returns whether browsers reach this server over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Returns whether a request may name this host, port aside.
    ///
    /// Any other name is somebody else's that was made to point here, to read us through a visitor's browser.
    pub(crate) fn is_our_host(&self, host: &str) -> bool {
        let name = without_port(host);
        let ours = self.base_url.split_once("://").map_or(&*self.base_url, |(_, rest)| rest);
        let ours = without_port(ours.split('/').next().unwrap_or(ours));
        let extra = self.extra_hosts.iter().map(|host| without_port(host));
        ["localhost", "127.0.0.1", "[::1]", ours].into_iter().chain(extra).any(|ours| name.eq_ignore_ascii_case(ours))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_hosts() {
        let config = ServerConfig {
            extra_hosts: vec!["medici.internal".to_owned()],
            ..ServerConfig::new("https://pictures.example:8443/", AccountId::from_u128(1), [0; 32], String::new())
        };
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8080",
            "pictures.example",
            "pictures.example:1",
            "medici.internal:9000",
        ] {
            assert!(config.is_our_host(host), "{host}");
        }
        for host in ["", ":80", "evil.example", "127.0.0.1.evil.example", "localhost.", "[::2]", "pictures.example:x"] {
            assert!(!config.is_our_host(host), "{host}");
        }
    }
}

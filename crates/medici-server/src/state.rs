//! What every handler is given.

use std::{sync::Arc, time::Duration};

use medici_ledger::AccountId;
use medici_studio::Studio;

/// What every handler is given. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The use cases.
    pub studio: Arc<Studio>,
    /// How this server is reached, and its bounds.
    pub config: Arc<ServerConfig>,
}

/// How this server is reached, and its bounds. Read once at start.
#[derive(Clone)]
pub struct ServerConfig {
    /// What absolute links begin with, without a slash at the end, e.g. `http://127.0.0.1:8080`.
    pub base_url: String,
    /// Signs image links and session cookies. 256 random bits, the same after a restart.
    pub signing_secret: [u8; 32],
    /// How long a signed image link works. OpenAI's links live 60 minutes.
    pub link_lifetime: Duration,
    /// The largest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// The account of the person who started the server, until sign-in exists.
    pub owner: AccountId,
    /// The token in the printed URL; the first browser that brings it becomes the owner's.
    pub sign_in_token: String,
}

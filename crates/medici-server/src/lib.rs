//! The HTTP side of Medici: OpenAI's Images dialect under `/v1`, our own API under `/api`, the web app.
//!
//! Owns: wire formats, authentication of requests, status codes and headers, pages.
//! Never does: decide about credits or jobs; a handler translates and calls a use case of the studio.
//!
//! Invariants:
//! - Every error of a use case is mapped to a status in one file, with no catch-all arm.
//! - API keys are never read from cookies, and cookies are never read on `/v1` or `/api`.
//! - A reply is built from committed rows only.

mod routes;
mod serve;
mod state;
mod submitting;

mod connection;
mod framing;

mod edge;
mod error;
mod reply;

mod auth;
mod body;
mod idempotency;
mod job_news;
mod links;
mod price_version;
mod query;
mod rate_limit;
mod session;
mod sign;
mod wire;

mod api;
pub mod documents;
mod health;
mod openapi;
mod v1;
mod web;

pub use api::estimate::EstimateBody;
pub use price_version::price_version;
pub use rate_limit::Rates;
pub use routes::{Access, route_list, router};
pub use serve::serve;

pub use state::{AppState, ServerConfig};

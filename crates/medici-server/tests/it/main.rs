//! The whole server over its router: real store, test engine, manual clock.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests")]

mod accounts;
mod charges;
mod credits;
mod errors;
mod events;
mod generations;
mod house;
mod idempotency;
mod images;
mod jobs;
mod pages;
mod routes;
mod session;
mod sockets;

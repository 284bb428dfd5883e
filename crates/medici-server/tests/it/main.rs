//! The whole server over its router: real store, test engine, manual clock.

mod accounts;
mod charges;
mod credits;
mod errors;
mod generations;
mod house;
mod idempotency;
mod images;
mod jobs;
mod pages;
mod routes;
mod session;
mod sockets;

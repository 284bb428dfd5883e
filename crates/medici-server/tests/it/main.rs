//! The whole server over its router: real store, test engine, manual clock.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests")]

mod accounts;
mod alerts;
mod budgets;
mod charges;
mod contract;
mod credits;
mod deleting;
mod document;
mod draw;
mod edits;
mod errors;
mod estimate;
mod events;
mod explain;
mod form;
mod generations;
mod give_backs;
mod house;
mod idempotency;
mod images;
mod jobs;
mod moderation;
mod mutated;
mod orders;
mod pages;
mod past;
mod plans;
mod prices;
mod rates;
mod reports;
mod routes;
mod sandboxes;
mod session;
mod shape;
mod sockets;
mod statement;
mod streams;
mod variations;

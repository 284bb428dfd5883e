//! The OpenAPI document of the server: written from descriptions that stand here, one file an area.
//!
//! Owns: what strangers are told of routes, bodies, answers and failures, as `GET /openapi.json`, as
//! `docs/reference/openapi.json`, and as the page `GET /docs/api`.
//! Never does: serve, check or refuse anything; the handlers do, and the tests hold their answers against this.
//!
//! To add a route: describe it in the file of its area, and give each new code a meaning in `failures`. The tests say
//! what is missing: every route has a description and every description a route (`tests/it/document.rs`), and whatever
//! any test of the server is answered is of the shape that is described (`tests/it/contract.rs`).

mod node;
pub(crate) mod schema;

pub(crate) mod failures;
mod headers;
pub(crate) mod operation;
mod shapes;

mod accounts;
mod books;
mod charges;
mod credits;
mod images;
mod jobs;
mod orders;
mod prices;
mod server;

mod document;

use axum::{
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

pub(crate) use document::{Described, Document, keys};
pub(crate) use node::Node;

use crate::routes::{Access, Route};
use operation::Operation;
use schema::Schema;

/// The address of the document.
pub(crate) const PATH: &str = "/openapi.json";

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new("GET", PATH, Access::Public, get(show))]
}

/// `GET /openapi.json`.
async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], document::json())
        .into_response()
}

/// All descriptions, in the order in which they are shown.
fn operations() -> Vec<Operation> {
    let areas = [
        images::operations,
        jobs::operations,
        credits::operations,
        charges::operations,
        prices::operations,
        accounts::operations,
        orders::operations,
        books::operations,
        server::operations,
    ];
    areas.into_iter().flat_map(|area| area()).collect()
}

/// All shapes that have names, in the order in which they are shown.
fn schemas() -> Vec<(&'static str, Schema)> {
    let areas = [
        images::schemas,
        jobs::schemas,
        credits::schemas,
        books::schemas,
        charges::schemas,
        prices::schemas,
        accounts::schemas,
        orders::schemas,
        shapes::schemas,
        failures::schemas,
    ];
    areas.into_iter().flat_map(|area| area()).collect()
}

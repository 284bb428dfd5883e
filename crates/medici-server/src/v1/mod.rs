//! OpenAI's Images dialect.
//!
//! Unmodified OpenAI clients must work against it, so its shapes are theirs, and what is ours rides along in
//! fields and headers that they ignore.

use axum::routing::{get, post};

pub(crate) mod attempts;
mod edit;
pub(crate) mod error;
pub(crate) mod form;
mod generation;
pub(crate) mod images;
mod images_body;
pub(crate) mod looks;
mod models;
pub(crate) mod params;
pub(crate) mod profile;
mod request;
pub(crate) mod stream;
pub(crate) mod uploads;
mod variation;

use crate::routes::{Access, Route};

/// Returns whether a path speaks OpenAI's dialect, in failures too.
pub(crate) fn is_v1(path: &str) -> bool {
    path.strip_prefix("/v1").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The routes of the dialect.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("POST", images::GENERATIONS, Access::Account, post(images::generate)),
        Route::new("POST", images::EDITS, Access::Account, post(images::edit)),
        Route::new("POST", images::VARIATIONS, Access::Account, post(images::vary)),
        Route::new("GET", "/v1/models", Access::AnyKey, get(models::list)),
        Route::new("GET", "/v1/models/{id}", Access::AnyKey, get(models::one)),
    ]
}

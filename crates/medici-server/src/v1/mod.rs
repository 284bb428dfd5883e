//! OpenAI's Images dialect.
//!
//! Unmodified OpenAI clients must work against it, so its shapes are theirs, and what is ours rides along in
//! fields and headers that they ignore.

use axum::routing::{get, post};

pub(crate) mod attempts;
pub(crate) mod error;
mod generation;
mod images;
mod models;
mod params;
mod profile;

use crate::routes::{Access, Route};

/// Returns whether a path speaks OpenAI's dialect, in failures too.
pub(crate) fn is_v1(path: &str) -> bool {
    path.strip_prefix("/v1").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The routes of the dialect.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("POST", images::GENERATIONS, Access::Account, post(images::generate)),
        Route::new("GET", "/v1/models", Access::AnyKey, get(models::list)),
        Route::new("GET", "/v1/models/{id}", Access::AnyKey, get(models::one)),
    ]
}

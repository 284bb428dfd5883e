//! Probes: does the process live, and does it take work.

use std::sync::atomic::Ordering;

use axum::{Json, extract::State, http::StatusCode, routing::get};
use medici_studio::Health;
use serde_json::{Value, json};

use crate::{
    routes::{Access, Route},
    state::AppState,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("GET", "/healthz", Access::Public, get(lives)),
        Route::new("GET", "/readyz", Access::Public, get(ready)),
    ]
}

/// Answers as long as the process can.
async fn lives() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// Answers whether requests should be sent here, and if not, why.
async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    let reason = match state.studio.store.health() {
        Health::Full => Some("the store's disk is full"),
        Health::Failed => Some("the store failed and needs a restart"),
        Health::Ready if state.shared.draining.load(Ordering::Relaxed) => Some("the server is stopping"),
        Health::Ready => None,
    };
    match reason {
        None => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable", "reason": reason }))),
    }
}

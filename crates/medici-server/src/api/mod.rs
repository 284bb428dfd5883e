//! Our own API: credits, charges, jobs, administration. Failures are RFC 9457 problem documents.

use axum::routing::{delete, get, post};

pub(crate) mod problem;

mod accounts;
mod charges;
mod credits;
mod event_body;
pub(crate) mod events;
mod jobs;
mod keys;

use crate::routes::{Access, Route};

/// The routes of our own API.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("GET", "/api/credits", Access::AnyKey, get(credits::balance)),
        Route::new("GET", "/api/credits/entries", Access::AnyKey, get(credits::entries)),
        Route::new("POST", charges::CHARGES, Access::Service, post(charges::charge)),
        Route::new("POST", "/api/events", Access::Service, post(events::record)),
        Route::new("POST", "/api/hello", Access::Public, post(charges::hello)),
        Route::new("GET", "/api/jobs", Access::Account, get(jobs::list)),
        Route::new("GET", "/api/jobs/{id}", Access::Account, get(jobs::one)),
        Route::new("POST", "/api/jobs/{id}/cancel", Access::Account, post(jobs::cancel)),
        Route::new("POST", "/api/accounts", Access::Admin, post(accounts::open)),
        Route::new("POST", accounts::GRANTS, Access::Admin, post(accounts::grant)),
        Route::new("POST", "/api/accounts/{id}/keys", Access::Admin, post(accounts::create_key)),
        Route::new("POST", "/api/keys", Access::Admin, post(keys::create)),
        Route::new("DELETE", "/api/keys/{id}", Access::Admin, delete(accounts::revoke_key)),
    ]
}

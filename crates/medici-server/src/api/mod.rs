//! Our own API: credits, charges, jobs, images, administration. Failures are RFC 9457 problem documents.

use axum::routing::{delete, get, post, put};

pub(crate) mod problem;

mod credits;
pub(crate) mod estimate;
mod explain;
mod statement;

mod charges;
mod draw;
mod event_body;
pub(crate) mod events;
mod images;
mod job_events;
mod jobs;

mod accounts;
mod alerts;
mod keys;
mod prices;
mod reports;

mod budgets;
mod change;
mod give_backs;
mod order_body;
mod orders;
mod terms;

use crate::routes::{Access, Route};

/// The routes of our own API.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("GET", "/api/credits", Access::AnyKey, get(credits::balance)),
        Route::new("GET", "/api/credits/entries", Access::AnyKey, get(credits::entries)),
        Route::new("GET", "/api/credits/entries/{seq}", Access::AnyKey, get(explain::entry)),
        Route::new("GET", "/api/credits/statement", Access::AnyKey, get(statement::statement)),
        Route::new("GET", "/api/alerts", Access::AnyKey, get(alerts::list)),
        Route::new("PUT", "/api/alerts", Access::Account, put(alerts::set_own)),
        Route::new("PUT", "/api/accounts/{id}/alert", Access::Admin, put(alerts::set)),
        Route::new("GET", "/api/reports/revenue", Access::Admin, get(reports::revenue)),
        Route::new("GET", "/api/reports/trial-balance", Access::Admin, get(reports::trial_balance)),
        Route::new("POST", charges::CHARGES, Access::Service, post(charges::charge)),
        Route::new("POST", "/api/events", Access::Service, post(events::record)),
        Route::new("POST", "/api/hello", Access::Public, post(charges::hello)),
        Route::new("GET", "/api/prices", Access::Public, get(prices::history)),
        Route::new("POST", "/api/prices", Access::Admin, post(prices::publish)),
        Route::new("GET", "/api/estimate", Access::Public, get(estimate::estimate)),
        Route::new("GET", "/api/jobs", Access::Account, get(jobs::list)),
        Route::new("POST", draw::JOBS, Access::Account, post(draw::draw)),
        Route::new("GET", "/api/jobs/{id}/events", Access::Account, get(job_events::events)),
        Route::new("GET", "/api/jobs/{id}", Access::Account, get(jobs::one)),
        Route::new("DELETE", "/api/jobs/{id}", Access::Account, delete(jobs::delete)),
        Route::new("GET", "/api/images", Access::Account, get(images::list)),
        Route::new("GET", "/api/images/{id}", Access::Account, get(images::one)),
        Route::new("DELETE", "/api/images/{id}", Access::Account, delete(images::delete)),
        Route::new("POST", "/api/jobs/{id}/cancel", Access::Account, post(jobs::cancel)),
        Route::new("GET", "/api/orders", Access::AnyKey, get(orders::own)),
        Route::new("GET", "/api/budgets", Access::AnyKey, get(budgets::own)),
        Route::new("GET", "/api/plan", Access::AnyKey, get(terms::own_plan)),
        Route::new("POST", "/api/accounts", Access::Admin, post(accounts::open)),
        Route::new("GET", "/api/accounts", Access::Admin, get(accounts::list)),
        Route::new("GET", "/api/accounts/{id}", Access::Admin, get(accounts::one)),
        Route::new("POST", accounts::GRANTS, Access::Admin, post(accounts::grant)),
        Route::new("POST", "/api/accounts/{id}/keys", Access::Admin, post(accounts::create_key)),
        Route::new("POST", "/api/keys", Access::Admin, post(keys::create)),
        Route::new("DELETE", "/api/keys/{id}", Access::Admin, delete(accounts::revoke_key)),
        Route::new("POST", orders::ORDERS, Access::Admin, post(orders::place)),
        Route::new("GET", orders::ORDERS, Access::Admin, get(orders::list)),
        Route::new("GET", orders::ORDER, Access::Admin, get(orders::one)),
        Route::new("POST", orders::PAY, Access::Admin, post(orders::pay)),
        Route::new("POST", orders::INVOICE, Access::Admin, post(orders::invoice)),
        Route::new("POST", orders::CANCEL, Access::Admin, post(orders::cancel)),
        Route::new("POST", orders::REFUND, Access::Admin, post(orders::refund)),
        Route::new("PUT", orders::REVERSAL, Access::Admin, put(orders::reverse)),
        Route::new("POST", give_backs::GIVE_BACKS, Access::Admin, post(give_backs::give_back)),
        Route::new("POST", give_backs::WITHDRAWALS, Access::Admin, post(give_backs::withdraw)),
        Route::new("PUT", terms::PLAN, Access::Admin, put(terms::change_plan)),
        Route::new("POST", terms::COHORTS, Access::Admin, post(terms::join_cohort)),
        Route::new("PUT", terms::OVERRIDES, Access::Admin, put(terms::set_overrides)),
        Route::new("PUT", terms::CLOCK, Access::Admin, put(terms::set_clock)),
        Route::new("GET", "/api/accounts/{id}/budgets", Access::Admin, get(budgets::list)),
        Route::new("PUT", budgets::BUDGET, Access::Admin, put(budgets::set)),
        Route::new("DELETE", budgets::BUDGET, Access::Admin, delete(budgets::remove)),
    ]
}

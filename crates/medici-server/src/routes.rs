//! The router: every route with who may use it, in one list that a test can walk.

use axum::{Router, middleware, routing::MethodRouter};

use crate::{api, edge::edge, error::Fault, health, links, openapi, session, state::AppState, v1, web};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has a signed link.
    Link,
    /// Any good API key.
    AnyKey,
    /// The API key of an account, for that account.
    Account,
    /// The API key of a service, or the operator's.
    Service,
    /// The operator's API key.
    Admin,
}

/// A route as the router and the tests see it.
pub(crate) struct Route {
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: MethodRouter<AppState>,
}

impl Route {
    pub(crate) fn new(
        method: &'static str,
        path: &'static str,
        access: Access,
        handler: MethodRouter<AppState>,
    ) -> Self {
        Self { method, path, access, handler }
    }
}

fn routes() -> Vec<Route> {
    let mut routes = v1::routes();
    routes.extend(api::routes());
    routes.extend(health::routes());
    routes.extend(openapi::routes());
    routes.push(Route::new("GET", links::PATH, Access::Link, axum::routing::get(links::show)));
    routes
}

/// Returns method, path and access of every route but the pages', which all need the owner's session.
pub fn route_list() -> Vec<(&'static str, &'static str, Access)> {
    routes().into_iter().map(|route| (route.method, route.path, route.access)).collect()
}

/// Returns the whole server as a service: both APIs, image links, health, pages, and the edge around them.
pub fn router(state: AppState) -> Router {
    let machine = routes().into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler));
    let pages = web::routes().layer(middleware::from_fn_with_state(state.clone(), session::sign_in));
    machine
        .merge(pages)
        .fallback(async || Fault::NoRoute)
        .method_not_allowed_fallback(async || Fault::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(state.clone(), edge))
        .with_state(state)
}

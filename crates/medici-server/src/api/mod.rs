//! Our own API: credits, charges, jobs, administration. Failures are RFC 9457 problem documents.

pub(crate) mod problem;

use crate::routes::Route;

/// The routes of our own API.
pub(crate) fn routes() -> Vec<Route> {
    vec![]
}

//! RFC 9457 problem documents: how every failure outside `/v1` is written.

use axum::http::StatusCode;
use serde::Serialize;

use crate::{
    error::{DELETED, Fault, job_failed},
    reply::Refused,
};

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<String>,
}

/// Seconds after which a busy server, or a store that is away, is worth another try.
const RETRY_SECONDS: u32 = 5;

/// Writes a fault as a problem document.
pub(crate) fn write(fault: &Fault) -> Refused {
    let (status, code, detail) = words(fault);
    let (needed, available) = match fault {
        Fault::OutOfCredits { needed, available } => (Some(needed.to_string()), Some(available.to_string())),
        _ => (None, None),
    };
    let param = match fault {
        Fault::Input(input) => input.param.as_deref(),
        _ => None,
    };
    let problem = Problem {
        r#type: format!("urn:medici:problem:{code}"),
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: &detail,
        code,
        param,
        needed,
        available,
    };
    let retry_after = match fault {
        Fault::RateLimited(limited) => Some(limited.wait_seconds),
        Fault::TooManyJobs { .. } | Fault::Overloaded { .. } | Fault::StoreUnavailable => Some(RETRY_SECONDS),
        _ => None,
    };
    Refused {
        status,
        media_type: "application/problem+json",
        body: serde_json::to_vec(&problem).expect("strings make JSON"),
        retry_after,
        should_retry: None,
    }
}

fn words(fault: &Fault) -> (StatusCode, &'static str, String) {
    let (status, code, detail) = match fault {
        Fault::Input(input) => {
            return (StatusCode::BAD_REQUEST, input.code.unwrap_or("invalid_value"), input.message.clone());
        }
        Fault::BodyTooLarge { bytes_max } => {
            let detail = format!("The request's body may have {bytes_max} bytes.");
            return (StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", detail);
        }
        Fault::TooManyEvents { found, max } => {
            let detail = format!("A request may have {max} events, {found} found. None was charged.");
            return (StatusCode::PAYLOAD_TOO_LARGE, "too_many_events", detail);
        }
        Fault::MissingScope { needed } => {
            return (StatusCode::FORBIDDEN, "insufficient_permissions", format!("This needs {needed}."));
        }
        Fault::BadKey { shown } => {
            return (StatusCode::UNAUTHORIZED, "invalid_api_key", format!("Incorrect API key provided: {shown}."));
        }
        Fault::NotFound { what } => {
            return (StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."));
        }
        Fault::Deleted => (StatusCode::GONE, "deleted", DELETED),
        Fault::UnknownModel { model } => {
            return (StatusCode::NOT_FOUND, "model_not_found", format!("The model '{model}' does not exist."));
        }
        Fault::Conflict { code, message } => return (StatusCode::CONFLICT, code, message.clone()),
        Fault::OutOfCredits { needed, available } => {
            let detail = format!("{needed} credits needed, {available} available.");
            return (StatusCode::PAYMENT_REQUIRED, "insufficient_credits", detail);
        }
        Fault::Capped { code, message } => return (StatusCode::PAYMENT_REQUIRED, code, message.clone()),
        Fault::BadImage { message } => return (StatusCode::BAD_REQUEST, "invalid_image", message.clone()),
        Fault::Blocked { categories, .. } => {
            let detail = format!("This is not allowed here ({}). No credit was used.", categories.join(", "));
            return (StatusCode::BAD_REQUEST, "content_policy_violation", detail);
        }
        Fault::RateLimited(limited) => {
            return (StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", format!("{limited} Nothing was charged."));
        }
        Fault::TooManyJobs { message } => return (StatusCode::TOO_MANY_REQUESTS, "plan_limit", message.clone()),
        Fault::Overloaded { message } => {
            let detail = format!("{message} Nothing was charged; try again later.");
            return (StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail);
        }
        Fault::BodyTimeout => {
            (StatusCode::REQUEST_TIMEOUT, "request_timeout", "The request's body took too long to arrive.")
        }
        Fault::UnsupportedMedia { message } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", *message),
        Fault::ForeignHost => {
            (StatusCode::MISDIRECTED_REQUEST, "unknown_host", "This server does not go by that name.")
        }
        Fault::NoRoute => (StatusCode::NOT_FOUND, "unknown_url", "There is nothing at this address."),
        Fault::MethodNotAllowed => {
            (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This address takes other methods.")
        }
        Fault::NoKey => (StatusCode::UNAUTHORIZED, "no_api_key", "An Authorization header with an API key is needed."),
        Fault::NoSession => (
            StatusCode::UNAUTHORIZED,
            "no_session",
            "This browser is not signed in: open the address that the server printed when it started.",
        ),
        Fault::ForeignOrigin => {
            (StatusCode::FORBIDDEN, "foreign_origin", "The request came from a page of another site.")
        }
        Fault::BadLink => (StatusCode::FORBIDDEN, "bad_link", "This link was not made by this server."),
        Fault::ExpiredLink => (StatusCode::GONE, "expired_link", "This link has expired; ask for a new one."),
        Fault::KeyReused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "This Idempotency-Key was used before with another request.",
        ),
        Fault::StorageFull => {
            (StatusCode::SERVICE_UNAVAILABLE, "storage_full", "The server's storage is full. Nothing was charged.")
        }
        Fault::StoreUnavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "store_unavailable",
            "The server's store is unavailable. Try again with the same Idempotency-Key: it tells whether the \
             request was carried out.",
        ),
        Fault::JobFailed { reason } => (StatusCode::INTERNAL_SERVER_ERROR, "generation_failed", job_failed(*reason)),
        Fault::JobCancelled => {
            (StatusCode::CONFLICT, "generation_cancelled", "The request was cancelled. No credit was used.")
        }
        Fault::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "The server had an error. The request's id, in the header x-request-id, finds it in the log.",
        ),
    };
    (status, code, detail.to_owned())
}

//! OpenAI's error object: always four keys, and the statuses that its clients act upon.

use axum::http::StatusCode;
use medici_studio::FailReason;
use serde::Serialize;

use crate::{
    error::{DELETED, Fault, job_failed},
    reply::Refused,
};

#[derive(Serialize)]
struct Body<'a> {
    error: Object<'a>,
}

#[derive(Serialize)]
struct Object<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

const INVALID: &str = "invalid_request_error";
const SERVER: &str = "server_error";
const USER: &str = "image_generation_user_error";
const QUOTA: &str = "insufficient_quota";

/// Seconds after which a full queue, or a store that is away, is worth another try.
const RETRY_SECONDS: u32 = 5;

/// Writes a fault as OpenAI's clients expect it.
pub(crate) fn write(fault: &Fault) -> Refused {
    let row = |status, kind, code, message: &str| Row { status, kind, code, param: None, message: message.to_owned() };
    let invalid = |status, code, message: &str| row(status, INVALID, Some(code), message);
    let row = match fault {
        Fault::Input(input) => Row {
            status: StatusCode::BAD_REQUEST,
            kind: INVALID,
            code: input.code,
            param: input.param.clone(),
            message: input.message.clone(),
        },
        Fault::BodyTooLarge { bytes_max } => invalid(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            &format!("The request's body may have {bytes_max} bytes."),
        ),
        Fault::TooManyEvents { found, max } => invalid(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_events",
            &format!("A request may have {max} events, {found} found."),
        ),
        Fault::BodyTimeout => {
            invalid(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The request's body took too long to arrive.")
        }
        Fault::UnsupportedMedia { message } => {
            invalid(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
        }
        Fault::ForeignHost => {
            invalid(StatusCode::MISDIRECTED_REQUEST, "unknown_host", "This server does not go by that name.")
        }
        Fault::NoRoute => invalid(StatusCode::NOT_FOUND, "unknown_url", "There is nothing at this address."),
        Fault::MethodNotAllowed => {
            invalid(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This address takes other methods.")
        }
        Fault::NoKey => row(StatusCode::UNAUTHORIZED, INVALID, None, NO_KEY),
        Fault::BadKey { shown } => {
            invalid(StatusCode::UNAUTHORIZED, "invalid_api_key", &format!("Incorrect API key provided: {shown}."))
        }
        Fault::MissingScope { needed } => {
            invalid(StatusCode::FORBIDDEN, "insufficient_permissions", &format!("This needs {needed}."))
        }
        Fault::NoSession => invalid(StatusCode::UNAUTHORIZED, "no_session", "This browser is not signed in."),
        Fault::ForeignOrigin => {
            invalid(StatusCode::FORBIDDEN, "foreign_origin", "The request came from a page of another site.")
        }
        Fault::BadLink => invalid(StatusCode::FORBIDDEN, "bad_link", "This link was not made by this server."),
        Fault::ExpiredLink => invalid(StatusCode::GONE, "expired_link", "This link has expired."),
        Fault::NotFound { what } => invalid(StatusCode::NOT_FOUND, "not_found", &format!("There is no such {what}.")),
        Fault::Deleted => invalid(StatusCode::GONE, "deleted", DELETED),
        Fault::UnknownModel { model } => Row {
            status: StatusCode::NOT_FOUND,
            kind: INVALID,
            code: Some("model_not_found"),
            param: Some("model".to_owned()),
            message: format!("The model '{model}' does not exist."),
        },
        Fault::Conflict { code, message } => invalid(StatusCode::CONFLICT, code, message),
        Fault::KeyReused => invalid(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", KEY_REUSED),
        Fault::BadImage { message } => row(StatusCode::BAD_REQUEST, USER, Some("invalid_image_file"), message),
        Fault::Blocked { newer: false, .. } => {
            invalid(StatusCode::BAD_REQUEST, "content_policy_violation", &format!("{REJECTED} {NO_CREDIT}"))
        }
        Fault::Blocked { newer: true, categories } => row(
            StatusCode::BAD_REQUEST,
            USER,
            Some("moderation_blocked"),
            &format!("{REJECTED} safety_violations=[{}]. {NO_CREDIT}", categories.join(", ")),
        ),
        Fault::RateLimited(limited) => row(
            StatusCode::TOO_MANY_REQUESTS,
            limited.kind.name(),
            Some("rate_limit_exceeded"),
            &format!("{limited} Nothing was charged."),
        ),
        Fault::OutOfCredits { .. } => row(StatusCode::TOO_MANY_REQUESTS, QUOTA, Some(QUOTA), OUT_OF_QUOTA),
        // What OpenAI answers at a hard limit; the reason of ours follows.
        Fault::Capped { message, .. } => invalid(
            StatusCode::BAD_REQUEST,
            "billing_hard_limit_reached",
            &format!("Billing hard limit has been reached. {message}"),
        ),
        Fault::TooManyJobs { message } => row(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_error",
            Some("plan_limit"),
            &format!("{message} Nothing was charged; try again when one has ended."),
        ),
        Fault::Overloaded { message } => row(
            StatusCode::SERVICE_UNAVAILABLE,
            SERVER,
            Some("engine_overloaded"),
            &format!("{message} Nothing was charged; try again later."),
        ),
        Fault::StorageFull => row(
            StatusCode::SERVICE_UNAVAILABLE,
            SERVER,
            Some("storage_full"),
            "The server's storage is full. Nothing was charged.",
        ),
        Fault::StoreUnavailable => {
            row(StatusCode::SERVICE_UNAVAILABLE, SERVER, Some("store_unavailable"), STORE_UNAVAILABLE)
        }
        // The caller's fault, and found only by drawing.
        Fault::JobFailed { reason: reason @ FailReason::BadSpec } => {
            invalid(StatusCode::BAD_REQUEST, "invalid_value", job_failed(*reason))
        }
        Fault::JobFailed { reason } => {
            row(StatusCode::INTERNAL_SERVER_ERROR, SERVER, Some("generation_failed"), job_failed(*reason))
        }
        Fault::JobCancelled => invalid(StatusCode::BAD_REQUEST, "generation_cancelled", CANCELLED),
        Fault::Internal => row(
            StatusCode::INTERNAL_SERVER_ERROR,
            SERVER,
            Some("internal_error"),
            "The server had an error while processing your request.",
        ),
    };
    row.write(fault)
}

const NO_KEY: &str = "You didn't provide an API key. You need to provide your API key in an Authorization header \
    using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
const KEY_REUSED: &str = "This Idempotency-Key was used before with another request.";
const OUT_OF_QUOTA: &str = "You exceeded your current quota, please check your plan and billing details.";
const STORE_UNAVAILABLE: &str = "The server's store is unavailable. Try again with the same Idempotency-Key: it \
    tells whether the request was carried out.";
const REJECTED: &str = "Your request was rejected as a result of our safety system.";
const NO_CREDIT: &str = "No credit was used.";
const CANCELLED: &str = "The request was cancelled. No credit was used.";

struct Row {
    status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

impl Row {
    fn write(self, fault: &Fault) -> Refused {
        let error = Object { message: &self.message, r#type: self.kind, param: self.param.as_deref(), code: self.code };
        let body = serde_json::to_vec(&Body { error }).expect("strings make JSON");
        let retry = match fault {
            Fault::OutOfCredits { .. } | Fault::JobFailed { .. } | Fault::JobCancelled | Fault::Deleted => Some(false),
            _ => None,
        };
        let retry_after = match fault {
            Fault::RateLimited(limited) => Some(limited.wait_seconds),
            Fault::TooManyJobs { .. } | Fault::Overloaded { .. } | Fault::StoreUnavailable => Some(RETRY_SECONDS),
            _ => None,
        };
        Refused { status: self.status, media_type: "application/json", body, retry_after, should_retry: retry }
    }
}

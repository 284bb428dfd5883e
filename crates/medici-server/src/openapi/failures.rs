//! What can go wrong: the two shapes of it, what every route of a kind refuses, and what each code means.

use super::{
    operation::{Operation, Place, Refusals},
    schema::{Schema, named, object, pattern, text, whole},
    shapes::credits,
};
use crate::{routes::Access, v1};

/// Stands for OpenAI's `null` among codes.
pub(crate) const NO_CODE: &str = "";

/// The shapes that have names in the document.
pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("OpenAiError", openai_error()), ("Problem", problem())]
}

fn openai_error() -> Schema {
    let error = object()
        .has("message", text("Missing required parameter: 'prompt'.").about("For a person. Never repeats a prompt."))
        .has("type", text("invalid_request_error").about("The kind, in OpenAI's words."))
        .has("param", text("prompt").or_null().about("The parameter that is wrong."))
        .has("code", text("missing_required_parameter").or_null().about("The stable code."));
    object().has("error", error).about("OpenAI's error object: always all four members.")
}

fn problem() -> Schema {
    object()
        .has("type", pattern("^urn:medici:problem:[a-z0-9_-]+$", "urn:medici:problem:insufficient_credits"))
        .has("title", text("Payment Required").about("The status in words."))
        .has("status", whole(400, 599, 402).about("The status."))
        .has("detail", text("2 credits needed, 1 available.").about("For a person: what was expected and found."))
        .has("code", text("insufficient_credits").about("The stable code."))
        .may("param", text("credits").about("The parameter that is wrong."))
        .may("needed", credits("What the request costs, where credits are short."))
        .may("available", credits("What there is, where credits are short."))
        .about("A problem as RFC 9457 has it.")
}

/// Returns the media type and the shape of a failure, in OpenAI's dialect or in ours.
pub(super) fn content(openai: bool) -> (&'static str, Schema) {
    if openai { ("application/json", named("OpenAiError")) } else { ("application/problem+json", named("Problem")) }
}

/// Returns all that a route refuses, by status: its own, and what every route of its kind does.
pub(crate) fn all(operation: &Operation, access: Access) -> Vec<Refusals> {
    let openai = v1::is_v1(operation.path);
    let mut operation = operation.clone().refuses(400, &["malformed_request"]);
    if !operation.path.starts_with("/healthz") && !operation.path.starts_with("/readyz") {
        operation = operation.refuses(421, &["unknown_host"]);
    }
    if operation.parameters.iter().any(|parameter| parameter.place == Place::Query) {
        operation = operation.refuses(400, &["invalid_value"]);
    }
    if !operation.bodies.is_empty() {
        operation = operation
            .refuses(400, &["invalid_json", "invalid_value"])
            .refuses(408, &["request_timeout"])
            .refuses(413, &["request_too_large"]);
    }
    if !matches!(access, Access::Public | Access::Link) {
        let no_key = if openai { NO_CODE } else { "no_api_key" };
        operation = operation.refuses(401, &[no_key, "invalid_api_key"]);
    }
    if matches!(access, Access::Account | Access::Service | Access::Admin) {
        operation = operation.refuses(403, &["insufficient_permissions"]);
    }
    if !operation.storeless {
        let busy = if openai { "engine_overloaded" } else { "overloaded" };
        operation = operation.refuses(503, &[busy, "storage_full", "store_unavailable"]);
    }
    let operation = operation.refuses(415, &["unsupported_media_type"]).refuses(500, &["internal_error"]);
    let mut refusals = operation.refusals;
    refusals.sort_by_key(|refusals| refusals.status);
    for Refusals { codes, .. } in &mut refusals {
        let mut seen = Vec::new();
        codes.retain(|code| {
            !seen.contains(code) && {
                seen.push(*code);
                true
            }
        });
    }
    refusals
}

/// Returns the refusals that most routes of a dialect share word for word: the document says each once.
pub(super) fn shared(openai: bool) -> Vec<Refusals> {
    let no_key = if openai { NO_CODE } else { "no_api_key" };
    let busy = if openai { "engine_overloaded" } else { "overloaded" };
    let shared: [(u16, &[&'static str]); 10] = [
        (401, &[no_key, "invalid_api_key"]),
        (403, &["insufficient_permissions"]),
        (404, &["not_found"]),
        (408, &["request_timeout"]),
        (413, &["request_too_large"]),
        (415, &["unsupported_media_type"]),
        (421, &["unknown_host"]),
        (422, &["idempotency_key_reused"]),
        (500, &["internal_error"]),
        (503, &[busy, "storage_full", "store_unavailable"]),
    ];
    shared.into_iter().map(|(status, codes)| Refusals { status, codes: codes.to_vec() }).collect()
}

/// Returns what a status means, whatever the code.
pub(crate) fn status(status: u16) -> &'static str {
    match status {
        400 => "The request is wrong.",
        401 => "No API key, or one that is not known.",
        402 => "The account cannot pay for it.",
        403 => "The API key, or the link, does not open this.",
        404 => "There is no such thing, or it is another's.",
        408 => "The body took too long to arrive.",
        409 => "What is asked contradicts what is there.",
        410 => "The link has expired.",
        413 => "The body is too long.",
        415 => "The body is of a type that is not read here, or compressed.",
        421 => "The `Host` is not one of this server's names.",
        422 => "The `Idempotency-Key` belongs to another request.",
        429 => "Too much for now.",
        500 => "The server failed.",
        503 => "The server cannot do it now.",
        other => unreachable!("no route refuses with {other}"),
    }
}

/// What each code means. A test proves that the document uses each, and no other.
pub(crate) const MEANINGS: &[(&str, &str)] = &[
    ("amount_differs", "Another amount is due."),
    ("array_above_max_length", "More items than may be sent."),
    (
        "bad_grant",
        "The grant contradicts itself: no credits, an end in the past, a cost of credits that are not bought.",
    ),
    ("bad_link", "The link was not made by this server."),
    ("bad_withdrawal", "The lot has not so many unpaid credits."),
    ("billing_hard_limit_reached", "A budget is used up, or the account owes credits."),
    ("budget_exceeded", "A budget of the account, the member or the key has no room for it."),
    ("clock_range", "A sandbox's clock goes forward, by up to ten years at once."),
    ("cohort_joined", "The account has joined the cohort before."),
    ("content_policy_violation", "What was asked for, or drawn, is not allowed here. No credit was used."),
    ("deleted", "The pictures of this request were deleted; nothing is drawn again."),
    ("engine_overloaded", "The queue is full, or the server is busy. Nothing was charged."),
    ("expired_link", "The link has expired."),
    ("generation_cancelled", "The job was cancelled. No credit was used."),
    ("generation_failed", "The job was accepted and failed. No credit was used."),
    ("idempotency_key_required", "This call needs an `Idempotency-Key`, because a repeat would be carried out twice."),
    ("idempotency_key_reused", "The key was used before with another request."),
    ("in_debt", "The account owes credits, because their payment was taken back."),
    ("insufficient_credits", "Fewer credits are available than are needed; `needed` and `available` say how many."),
    ("insufficient_permissions", "The key is good and may not do this."),
    ("insufficient_quota", "Fewer credits are available than are needed."),
    ("integer_above_max_value", "The number is too large."),
    ("integer_below_min_value", "The number is too small."),
    ("internal_error", "A defect, or a failure of the machine; the log has it under `x-request-id`."),
    ("invalid_api_key", "The key is not known, or was revoked."),
    ("invalid_idempotency_key", "The header is empty, too long, not visible ASCII, or there twice."),
    ("invalid_image", "The picture cannot be read, or has not the shape that is needed."),
    ("invalid_image_file", "The picture cannot be read."),
    ("invalid_json", "The body is no JSON, or not of the kind that is needed."),
    ("invalid_mask", "The mask is not as large as the picture, or has nothing transparent, or everything."),
    ("invalid_price_book", "The price book cannot be read, or contradicts itself."),
    ("invalid_size", "The size is none that can be had."),
    ("invalid_type", "The value is of another type."),
    ("invalid_value", "The value is none that can be had here."),
    ("job_ended", "The job has ended; there is nothing left to stop."),
    ("job_open", "The job has not ended: cancel it first."),
    ("malformed_request", "The bytes could be read in two ways, or end early."),
    ("missing_required_parameter", "Something that must be said was not."),
    ("model_not_found", "There is no model of that name."),
    ("moderation_blocked", "What was asked for, or drawn, is not allowed here. No credit was used."),
    ("more_than_captured", "More than was captured and is not given back."),
    ("name_taken", "Another account has the name."),
    ("no_api_key", "No API key came with the request."),
    ("no_invoice", "Nothing is sold on invoice here."),
    ("no_price", "The price book has no price for it now."),
    ("no_upgrade", "The plan gives no more than the account has had in this period."),
    ("not_found", "There is no such thing, or it is another's."),
    ("not_sandbox", "Only a sandbox has a clock of its own."),
    ("order_cancelled", "The order was cancelled."),
    ("order_disputed", "The order is disputed: the bank decides about its money."),
    ("order_granted", "The order was granted."),
    ("order_not_granted", "The order was not granted."),
    ("order_of_nothing", "An order of more than 0 credits is needed."),
    ("order_paid", "The order was paid."),
    ("order_too_large", "An amount above what can be stated."),
    ("order_without_price", "The plan has no price: it is changed to, not ordered."),
    ("other_currency", "The prices of the two plans are in different currencies."),
    ("overflow", "The account would hold more than can be stated."),
    ("overloaded", "The server is busy, or the queue is full. Nothing was charged."),
    ("plan_costs", "The plan costs money: it is ordered, and begins when the order is paid."),
    ("plan_limit", "The account's plan has fewer pictures, other models, or fewer jobs at a time."),
    ("price_version_edited", "A version of that instant was published with other contents."),
    ("rate_limit_exceeded", "Too many requests, pictures, credits or cancellations for now; `Retry-After` says when."),
    ("rate_limit_too_small", "The request asks for more than a minute may have: it can never pass."),
    ("refund_too_much", "More money than unspent credits of the order stand for."),
    ("request_timeout", "The body took too long to arrive."),
    ("request_too_large", "The body is longer than may be sent here."),
    ("reversal_exists", "Another refund or dispute has this name."),
    ("storage_full", "The disk is full. Nothing was charged; what is there can be read."),
    (
        "store_unavailable",
        "The store is away. Try again with the same key: it tells whether the request was carried out.",
    ),
    ("string_above_max_length", "The text is too long."),
    ("too_many_entries", "The account has more entries than are read for one answer; the command line reads them."),
    ("too_many_events", "More events than a request may have. None was charged."),
    ("too_many_open", "The account is at a limit of open lots, orders or budgets."),
    ("too_many_reversals", "The order has too many refunds and disputes."),
    ("unknown_cohort", "The price book has no such cohort now."),
    ("unknown_host", "The server does not go by that name."),
    ("unknown_pack", "The price book has no such pack now."),
    ("unknown_parameter", "There is no such parameter."),
    ("unknown_plan", "The price book has no such plan now."),
    ("unsupported_media_type", "The body is of a type that is not read here, or compressed."),
    ("unsupported_value", "OpenAI has this and this server, or its engine, has not."),
    ("wrong_code", "No cohort has this code now."),
];

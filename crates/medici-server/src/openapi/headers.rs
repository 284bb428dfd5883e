//! Headers of answers that are ours, or that say something a client acts upon.

use super::schema::{Schema, address, count, pattern, text, words};

/// A header of an answer.
pub(crate) struct Header {
    pub(crate) name: &'static str,
    pub(crate) schema: Schema,
    /// Whether it is there whenever the document names it.
    pub(crate) always: bool,
}

/// What every answer has.
pub(super) const EVERY: [&str; 1] = ["x-request-id"];
/// What every answer under `/v1` has beside that.
pub(super) const OPENAI: [&str; 3] = ["openai-processing-ms", "openai-version", "openai-organization"];
/// The credits of a request.
pub(super) const CREDITS: [&str; 2] = ["medici-credits-charged", "medici-credits-balance"];
/// The limits of an account, once it has asked for pictures.
pub(super) const RATES: [&str; 9] = [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-images",
    "x-ratelimit-remaining-images",
    "x-ratelimit-reset-images",
    "x-ratelimit-limit-credits",
    "x-ratelimit-remaining-credits",
    "x-ratelimit-reset-credits",
];

/// All headers that the document names.
pub(crate) fn headers() -> Vec<Header> {
    let header = |name, always, schema: Schema, about| Header { name, schema: schema.about(about), always };
    let mut headers = vec![
        header(
            "x-request-id",
            true,
            pattern("^req_[0-9a-f]{32}$", "req_01943f7aac1e7f2d83b4c5d6e7f8091a"),
            "Names the request. It finds the request in the server's log.",
        ),
        header("openai-processing-ms", true, count(182), "How long the server took, in milliseconds."),
        header("openai-version", true, words(&["2020-10-01"]), "The version of OpenAI's API that is spoken."),
        header(
            "openai-organization",
            false,
            text("acct_01943f7a8c5e7b6f9d2e4a6c8b0d1f35"),
            "The account's id, once its key is known.",
        ),
        header("medici-credits-charged", false, decimal("1"), "The credits that the request used."),
        header("medici-credits-balance", false, decimal("13.25"), "The credits that are available after it."),
        header(
            "idempotent-replayed",
            false,
            words(&["true"]),
            "There if the answer is that of an earlier request with the same key.",
        ),
        header("retry-after", false, count(5), "Seconds after which another try is worth it."),
        header(
            "x-should-retry",
            false,
            words(&["false", "true"]),
            "Tells OpenAI's clients whether another try may help, where the status would mislead them.",
        ),
        header("www-authenticate", true, words(&["Bearer"]), "How to say who asks."),
        header("location", false, text("/api/jobs/job_01943f7a9b4d7e2c8f6a5d3b1c0e9f78"), "Where the job is followed."),
        header(
            "etag",
            true,
            pattern("^\"[0-9a-f]{64}\"$", "\"5f1c4a9be0d37c21aa4e90b3ce8813d64c0cf7a6f1b8b2f0d9e1c7a35b2604e8\""),
            "The hash of the file's bytes.",
        ),
        header(
            "content-disposition",
            false,
            text("attachment; filename=\"statement-ada.csv\""),
            "What a browser calls the file.",
        ),
    ];
    for name in RATES {
        let (schema, about) = rate(name);
        headers.push(header(name, false, schema, about));
    }
    headers
}

fn decimal(example: &'static str) -> Schema {
    pattern(r"^[0-9]+(\.[0-9]{1,6})?$", example)
}

/// What a header of a limit says: `x-ratelimit-WHAT-OF`.
fn rate(name: &str) -> (Schema, &'static str) {
    match name.split('-').nth(2) {
        Some("limit") => (decimal("600"), "What an account may ask for in a minute."),
        Some("remaining") => (decimal("599"), "What is left of that now."),
        _ => (
            pattern(r"^([0-9]+m)?[0-9]+(\.[0-9]+)?(ms|s)$", "100ms"),
            "How long until all of it is there again, as Go writes durations.",
        ),
    }
}

/// The links that `url` members have.
pub(super) fn image_link() -> Schema {
    address("http://127.0.0.1:8080/images/img_01943f7aa2317b5e9c8d7f6e5a4b3c21.png?expires=1795719600&signature=c2lnbmF0dXJl")
        .about("A signed link to the file, which needs no key and works for 60 minutes.")
}

//! Jobs: asked for in our own words, followed, stopped.

use serde_json::json;

use super::{
    headers::{self, RATES},
    operation::{Operation, Tag, page_length},
    schema::{Schema, address, count, file, flag, list, named, object, one_of, pattern, text, whole, words},
    shapes::{credits, image_id, instant, instant_sent, job_id, operation_name},
};

const JOBS: &str = "/api/jobs";
/// The largest seed: exact in every JSON reader.
const SEED_MAX: u64 = (1 << 53) - 1;

pub(super) fn operations() -> Vec<Operation> {
    vec![draw(), jobs(), job(), delete(), events(), cancel(), images(), image(), delete_image()]
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("JobRequest", job_request()),
        ("JobForm", job_form()),
        ("Job", job_shape()),
        ("JobImage", job_image()),
        ("OwnImage", own_image()),
        ("JobQuote", job_quote()),
        ("JobQueued", job_queued()),
        ("JobStep", job_step()),
        ("JobPreview", job_preview()),
    ]
}

fn draw() -> Operation {
    let example = json!({"operation": "generate", "prompt": "a red fox in the snow", "count": 4, "previews": 2});
    Operation::post(JOBS, Tag::Jobs, "createJob", "Ask for pictures, or for their price")
        .about(
            "Answers at once; the job is followed by `GET /api/jobs/{id}` or its events. An `Idempotency-Key` is needed, \
             except with `quote`, which draws nothing and says what the request would cost.",
        )
        .takes(named("JobRequest"), example)
        .takes_as("multipart/form-data", named("JobForm"), None)
        .keyed()
        .refuses(400, &["idempotency_key_required"])
        .always_with(&RATES)
        .replies(202, "The job, which is queued.", named("Job"))
        .with_headers(&["location"])
        .replies(
            200,
            "The price, with `quote`; or the job of an earlier request with the same key.",
            one_of([named("JobQuote"), named("Job")]),
        )
        .with_headers(&["location", "idempotent-replayed"])
        .refuses(
            400,
            &[
                "missing_required_parameter",
                "unknown_parameter",
                "unsupported_value",
                "model_not_found",
                "invalid_type",
                "integer_below_min_value",
                "integer_above_max_value",
                "string_above_max_length",
                "array_above_max_length",
                "invalid_image",
                "invalid_mask",
                "plan_limit",
                "rate_limit_too_small",
                "no_price",
                "content_policy_violation",
            ],
        )
        .refuses(402, &["insufficient_credits", "budget_exceeded", "in_debt"])
        .refuses(404, &["not_found"])
        .refuses(429, &["rate_limit_exceeded", "plan_limit"])
}

fn jobs() -> Operation {
    let page = object()
        .has("jobs", list(named("Job")))
        .has("next_cursor", job_id().or_null().about("Where the next page begins; null on the last."));
    Operation::get(JOBS, Tag::Jobs, "listJobs", "Own jobs, newest first")
        .query("limit", page_length(20, 100))
        .query("cursor", job_id().about("`next_cursor` of the page before."))
        .query("q", text("red fox").about("Words that all stand in the prompt, in upper or lower case."))
        .query("state", words(&["queued", "running", "done", "failed", "cancelled"]).about("Where it stands."))
        .query("before", instant_sent("Asked for before this instant."))
        .replies(200, "A page of jobs with their images. A search may fill less than a page, and goes on.", page)
}

fn job() -> Operation {
    Operation::get("/api/jobs/{id}", Tag::Jobs, "getJob", "One of them")
        .segment("id", job_id())
        .replies(200, "The job.", named("Job"))
        .refuses(404, &["not_found"])
}

fn delete() -> Operation {
    Operation::delete("/api/jobs/{id}", Tag::Jobs, "deleteJob", "Delete one that has ended, with its images")
        .about("Its prompt is erased. What it cost stays. A repeat changes nothing.")
        .segment("id", job_id())
        .replies_empty(204, "It is gone.")
        .refuses(404, &["not_found"])
        .refuses(409, &["job_open"])
}

fn images() -> Operation {
    let page = object()
        .has("images", list(named("OwnImage")))
        .has("next_cursor", image_id().or_null().about("Where the next page begins; null on the last."));
    Operation::get("/api/images", Tag::Jobs, "listImages", "Own images, newest first")
        .query("limit", page_length(20, 100))
        .query("cursor", image_id().about("`next_cursor` of the page before."))
        .replies(200, "A page of images.", page)
}

fn image() -> Operation {
    Operation::get("/api/images/{id}", Tag::Jobs, "getOwnImage", "One of them")
        .segment("id", image_id())
        .replies(200, "The image.", named("OwnImage"))
        .refuses(404, &["not_found"])
}

fn delete_image() -> Operation {
    Operation::delete("/api/images/{id}", Tag::Jobs, "deleteImage", "Delete an image")
        .about("Its link works no more. What it cost stays. A repeat changes nothing.")
        .segment("id", image_id())
        .replies_empty(204, "It is gone.")
        .refuses(404, &["not_found"])
}

fn events() -> Operation {
    let told = pattern("^[0-9]{0,9}$", "2")
        .about("The id of the last event that was read; what came after it is sent again. Nothing is as none.");
    Operation::get("/api/jobs/{id}/events", Tag::Jobs, "followJob", "How it goes")
        .about("Streams until the job has ended. The `id` of every event is the number of early looks that were told.")
        .segment("id", job_id())
        .header("Last-Event-ID", told)
        .streams(
            200,
            &[
                ("queued", "JobQueued", "It waits."),
                ("step", "JobStep", "It is drawn, and so far."),
                ("preview", "JobPreview", "An early look at one picture."),
                ("ended", "Job", "It has ended. Nothing follows."),
            ],
            "Server-sent events. A comment every ten seconds says that the connection lives.",
        )
        .refuses(400, &["invalid_value"])
        .refuses(404, &["not_found"])
}

fn cancel() -> Operation {
    Operation::post("/api/jobs/{id}/cancel", Tag::Jobs, "cancelJob", "Stop it")
        .about("Gives its credits back. A repeat changes nothing. Nothing needs to be sent.")
        .segment("id", job_id())
        .replies(200, "The job, which is cancelled.", named("Job"))
        .refuses(404, &["not_found"])
        .refuses(409, &["job_ended"])
        .refuses(429, &["rate_limit_exceeded"])
}

/// What a request says besides its pictures.
fn request() -> Schema {
    object()
        .may("operation", words(&["generate", "edit", "vary"]).or_null().default("generate"))
        .may(
            "prompt",
            text("a red fox in the snow")
                .sized(0, 32_000)
                .or_null()
                .about("The words; needed unless it is a variation."),
        )
        .may(
            "count",
            whole(1, 10, 4).or_null().about("How many pictures; 4, or 3 for an edit or a variation, if not said."),
        )
        .may(
            "size",
            pattern("^(auto|[0-9]+x[0-9]+)$", "256x256")
                .or_null()
                .default("auto")
                .about("Width and height in pixels. An edit is as large as its picture if not said."),
        )
        .may("background", words(&["auto", "opaque", "transparent"]).or_null().default("auto"))
        .may(
            "seed",
            whole(0, SEED_MAX, 1234).or_null().about("The same seed draws the same pictures. Random if not said."),
        )
        .may("steps", whole(1, 1000, 8).or_null().about("Denoising steps, as far as the engine takes them."))
        .may("output_format", words(&["png", "jpeg", "webp"]).or_null().default("png"))
        .may("output_compression", whole(0, 100, 100).or_null().default(100).about("Percent of the quality."))
        .may("readings", flag(false).or_null().default(false).about("Draws each picture after a reading of its own."))
        .may("previews", whole(0, 4, 2).or_null().default(0).about("Early looks at each picture."))
        .may(
            "keep_prompt",
            flag(false).or_null().default(false).about("Keeps the words with the job, whatever the house rule."),
        )
        .may("model", text("pocket-1").or_null().about("The engine's own name, or nothing."))
        .may("image_id", image_id().or_null().about("The picture to start from: one of one's own."))
        .may("quote", flag(false).or_null().default(false).about("Only says what it would cost."))
}

fn job_request() -> Schema {
    let url = pattern("^data:[^,]*;base64,", "data:image/png;base64,iVBORw0KGgo=").sized(0, 20_971_520).or_null();
    request()
        .may("image", url.clone().about("The picture to start from, as a data URL."))
        .may("mask", url.about("Where its alpha is 0 the picture is drawn anew."))
        .closed()
        .about("A request for pictures, in our own words. `null` is as if absent.")
}

fn job_form() -> Schema {
    request()
        .may("image", file().about("The picture to start from."))
        .may("mask", file().about("Where its alpha is 0 the picture is drawn anew."))
        .about("The same as a form.")
}

fn job_shape() -> Schema {
    let reasons: &[&str] = &[
        "engine_failed",
        "bad_spec",
        "worker_lost",
        "hold_expired",
        "storage_failed",
        "source_lost",
        "blocked",
        "not_judged",
    ];
    let used = object()
        .has("quoted", credits("What is, or was, set aside for it."))
        .has("charged", credits("What it used; null while that is open.").or_null());
    object()
        .has("id", job_id())
        .has(
            "state",
            words(&["done", "queued", "running", "failed", "cancelled"])
                .about("The last three, and `done`, are final."),
        )
        .has("operation", operation_name())
        .has("model", text("pocket-1").about("The model as the request called it, or the one meant."))
        .has("prompt", text("a red fox in the snow"))
        .has("count", count(4).about("How many pictures were asked for."))
        .has("size", named("Size"))
        .has("seed", whole(0, SEED_MAX, 1234).about("Draws the same pictures again."))
        .has("created_at", instant("When it was asked for."))
        .has("finished_at", instant("When it ended.").or_null())
        .has("ahead", count(0).mostly_null().about("How many are drawn before it, while it is queued."))
        .has("reason", words(reasons).mostly_null().about("Why it failed."))
        .has("credits", used)
        .has("images", list(named("JobImage")))
        .has(
            "notice",
            text("Unknown words: zeppelin.").mostly_null().about("What to know about how the prompt was understood."),
        )
        .about("A request for pictures, and what came of it.")
}

fn job_image() -> Schema {
    object()
        .has("id", image_id())
        .has("url", headers::image_link())
        .has("size", named("Size"))
        .has(
            "reading",
            text("a red fox, snow").or_null().about("What the engine drew, where it read the prompt otherwise."),
        )
        .about("A picture of a job.")
}

fn own_image() -> Schema {
    object()
        .has("id", image_id())
        .has("job", job_id())
        .has("index", count(0).about("Which of the job's pictures, from 0."))
        .has(
            "url",
            address("https://studio.example/images/img_0197f0a45b6c7d8e9fa0b1c2d3e4f506.png?expires=1&signature=x"),
        )
        .has("size", named("Size"))
        .has("media_type", pattern("^image/(png|jpeg|webp)$", "image/png"))
        .has("bytes", count(48_210).about("The file's length in bytes."))
        .has("reading", text("a red fox, flat").mostly_null())
        .has("created_at", instant("When it became visible."))
}

fn job_quote() -> Schema {
    let quote = object()
        .has("operation", operation_name())
        .has("count", count(4).about("How many pictures."))
        .has("size", named("Size"))
        .has("credits", credits("What it would cost."))
        .has("price_version", instant("The price version, named by its first instant."))
        .has("render_ms", count(850).about("How long it takes to draw, in milliseconds."))
        .has("wait_ms", count(0).about("How long it would wait before that, in milliseconds."))
        .has("notice", text("Unknown words: zeppelin.").mostly_null());
    object().has("quote", quote).about("What a request would cost now. Nothing was asked for by it.")
}

fn job_queued() -> Schema {
    object()
        .has("ahead", count(2).about("How many jobs are drawn before it."))
        .has("wait_ms", count(1700).about("How long it waits, in milliseconds."))
        .has("render_ms", count(850).about("How long it takes to draw, in milliseconds."))
        .about("The data of the event `queued`.")
}

fn job_step() -> Schema {
    object()
        .has("at", count(3).about("The step that is done, from 1."))
        .has("of", count(8).about("How many there are."))
        .about("The data of the event `step`.")
}

fn job_preview() -> Schema {
    object()
        .has("index", count(0).about("Which picture, from 0."))
        .has("number", count(1).about("Which look at it, from 1."))
        .has("media_type", pattern("^image/(png|jpeg|webp)$", "image/webp"))
        .has("b64_json", text("UklGRg==").about("The file in base64."))
        .about("The data of the event `preview`.")
}

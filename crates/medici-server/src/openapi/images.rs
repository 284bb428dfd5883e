//! OpenAI's Images API and its models, as they are spoken here.

use serde_json::json;

use super::{
    failures::NO_CODE,
    headers::{self, CREDITS, RATES},
    operation::{Operation, Tag},
    schema::{Schema, count, file, flag, list, named, object, pattern, text, whole, words},
    shapes::{credits, image_id, job_id},
};

const GENERATIONS: &str = "/v1/images/generations";
const EDITS: &str = "/v1/images/edits";
const VARIATIONS: &str = "/v1/images/variations";

/// The largest seed: exact in every JSON reader.
const SEED_MAX: u64 = (1 << 53) - 1;

/// A red square of 64 by 64 pixels, as a data URL.
const SQUARE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAA\
    CqaXHeAAAAZklEQVR42u3QMREAAAgEIJN8/yi20hyeDBSgOpnPSoAAAQIECBAgQIAAAQIECBAgQIAAAQIECBAgQIAAAQIECBAgQI\
    AAAQIECBAgQIAAAQIECBAgQIAAAQIECBAgQIAAAQIECLhvAbHTMeFBcZSAAAAAAElFTkSuQmCC";
/// A mask for it, whose left half is transparent.
const LEFT_HALF: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAA\
    CqaXHeAAAAZElEQVR42u3QAQkAAAzDsPk3/csYgxRqIEm/Kw8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACsAzwufPhqkdgnAQAAAABJRU5ErkJggg==";

/// What every request for pictures may be refused for.
const WRONG: [&str; 12] = [
    NO_CODE,
    "missing_required_parameter",
    "invalid_type",
    "invalid_size",
    "unsupported_value",
    "unknown_parameter",
    "integer_below_min_value",
    "integer_above_max_value",
    "string_above_max_length",
    "plan_limit",
    "rate_limit_too_small",
    "no_price",
];
/// What may come of it once it was read.
const REJECTED: [&str; 4] =
    ["billing_hard_limit_reached", "content_policy_violation", "moderation_blocked", "generation_cancelled"];
/// What may be wrong with files.
const FILES: [&str; 4] = ["invalid_image", "invalid_image_file", "invalid_mask", "array_above_max_length"];

pub(super) fn operations() -> Vec<Operation> {
    vec![generations(), edits(), variations(), models(), model()]
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("ImagesRequest", images_request()),
        ("ImagesEditRequest", edit_request()),
        ("ImagesEditForm", edit_form()),
        ("ImagesVariationForm", variation_form()),
        ("Images", images()),
        ("ImageItem", image_item()),
        ("CreditsUsed", credits_used()),
        ("TokenUsage", token_usage()),
        ("ImageEvent", image_event()),
        ("Model", model_shape()),
    ]
}

fn generations() -> Operation {
    let example = json!({"prompt": "a red fox in the snow", "n": 2, "size": "256x256"});
    drawing(Operation::post(GENERATIONS, Tag::Images, "createImages", "Pictures from a prompt"))
        .about(
            "Waits for the pictures. Credits are held before the job is queued and captured when its pictures are \
             durable. Fewer pictures than asked for cost nothing, and neither does a failure.\n\nThe model's name \
             decides limits and defaults; all names mean the engine of this server. Without one it is `dall-e-2`, \
             unless a parameter is there that only the newer models have. `null` is as if absent. Unknown parameters \
             are refused where `dall-e-2` or `dall-e-3` is named, and ignored elsewhere.",
        )
        .takes(named("ImagesRequest"), example)
}

fn edits() -> Operation {
    let example = json!({
        "prompt": "a blue door",
        "images": [{"image_url": SQUARE}],
        "mask": {"image_url": LEFT_HALF},
    });
    drawing(Operation::post(EDITS, Tag::Images, "editImages", "Pictures from a picture, where its mask says"))
        .about(
            "Where the mask's alpha is 0 the picture is drawn anew; elsewhere every pixel is kept. Without a mask the \
             picture's own transparency is it. What a file is is found by its bytes: PNG, JPEG, WebP or GIF. One \
             picture is taken; for `dall-e-2` it is a square PNG below 4 MB.",
        )
        .takes_as("multipart/form-data", named("ImagesEditForm"), None)
        .takes(named("ImagesEditRequest"), example)
        .refuses(400, &FILES)
}

fn variations() -> Operation {
    drawing(Operation::post(VARIATIONS, Tag::Images, "varyImages", "Pictures like another"))
        .about("One square PNG below 4 MB, no words and no stream.")
        .takes_as("multipart/form-data", named("ImagesVariationForm"), None)
        .refuses(400, &FILES)
}

/// What the three calls for pictures have in common.
fn drawing(operation: Operation) -> Operation {
    let retry = text("1").about(
        "What OpenAI's clients send when they try again by themselves. Above 0, the request joins one earlier attempt at \
         the same, by the same API key and within 15 minutes, whose answer was not wholly written.",
    );
    let operation = operation
        .keyed()
        .refuses(410, &["deleted"])
        .header("x-stainless-retry-count", retry)
        .always_with(&RATES)
        .always_with(&CREDITS)
        .always_with(&["idempotent-replayed"])
        .replies(200, "The pictures; with `stream`, events as they are drawn.", named("Images"))
        .refuses(400, &WRONG)
        .refuses(400, &REJECTED)
        .refuses(404, &["model_not_found", "not_found"])
        .refuses(429, &["insufficient_quota", "rate_limit_exceeded", "plan_limit"])
        .refuses(500, &["generation_failed"]);
    if operation.path == VARIATIONS {
        return operation;
    }
    let of = if operation.path == GENERATIONS { "image_generation" } else { "image_edit" };
    let [partial, completed] = match of {
        "image_generation" => ["image_generation.partial_image", "image_generation.completed"],
        _ => ["image_edit.partial_image", "image_edit.completed"],
    };
    operation.streams(
        200,
        &[
            (partial, "ImageEvent", "An early look, if `partial_images` asks for any."),
            (completed, "ImageEvent", "A picture; one event for each."),
            ("error", "OpenAiError", "It failed. Nothing was charged, and nothing follows."),
        ],
        "Server-sent events. Comments (lines that begin with `:`) say that the request was accepted, how many are drawn \
         before it, and that the connection lives.",
    )
}

fn models() -> Operation {
    let list = object().has("object", words(&["list"])).has("data", list(named("Model")));
    Operation::get("/v1/models", Tag::Models, "listModels", "All names")
        .about("The engine's own name, then OpenAI's, which all mean the engine.")
        .replies(200, "The names.", list)
}

fn model() -> Operation {
    Operation::get("/v1/models/{id}", Tag::Models, "getModel", "One name")
        .segment("id", text("dall-e-2").about("A name of a model."))
        .replies(200, "The name.", named("Model"))
        .refuses(404, &["model_not_found"])
}

/// What a request says besides its words and files: `of` is what it says first.
fn looks(of: Schema) -> Schema {
    of.may("model", text("dall-e-2").or_null().about("A name of `GET /v1/models`."))
        .may("n", whole(1, 10, 2).or_null().default(1).about("How many pictures; 1 for `dall-e-3`."))
        .may(
            "size",
            pattern("^(auto|[0-9]+x[0-9]+)$", "256x256").or_null().about(
                "Width and height in pixels. `dall-e-2`: 256x256, 512x512, 1024x1024 (the default). `dall-e-3`: \
                 1024x1024. The others: what the engine draws, or `auto` (the default), which is 256x256. An edit of the \
                 newer models is as large as its picture.",
            ),
        )
        .may(
            "response_format",
            words(&["url", "b64_json"])
                .or_null()
                .about("Links, or bytes in the answer. `url`, unless one of the newer models is named."),
        )
        .may("user", text("customer-17").sized(0, 512).or_null().about("Your own user, echoed as `safety_identifier`."))
        .may("safety_identifier", text("customer-17").sized(0, 512).or_null().about("As `user`, and wins over it."))
        .may("seed", whole(0, SEED_MAX, 1234).or_null().about("The same seed draws the same pictures. Random if not said."))
}

/// What the calls with words may say besides.
fn more_looks(of: Schema) -> Schema {
    let quality = words(&["auto", "standard", "hd", "low", "medium", "high", "xhigh", "max"]);
    looks(of)
        .may("quality", quality.or_null().about("Checked, and matters where prices depend on it."))
        .may("style", words(&["vivid", "natural"]).or_null().about("Checked; changes nothing here."))
        .may("background", words(&["auto", "opaque", "transparent"]).or_null())
        .may("output_format", words(&["png", "jpeg", "webp"]).or_null().default("png"))
        .may(
            "output_compression",
            whole(0, 100, 100)
                .or_null()
                .default(100)
                .about("Percent of the quality; below 100 with jpeg and webp only."),
        )
        .may("moderation", words(&["auto", "low"]).or_null())
        .may("stream", flag(false).or_null().default(false).about("Answers with events while it draws."))
        .may(
            "partial_images",
            whole(0, 3, 0).or_null().default(0).about("Early looks at each picture, with `stream` only."),
        )
        .may("readings", flag(false).or_null().default(false).about("Draws each picture after a reading of its own."))
}

fn prompt() -> Schema {
    pattern(r"\S", "a red fox in the snow").sized(1, 32_000).about(
        "The words. At most 1,000 characters for `dall-e-2`, 4,000 for `dall-e-3`, 32,000 for the others, or what the \
         engine reads if that is less.",
    )
}

fn images_request() -> Schema {
    more_looks(object().has("prompt", prompt())).about("A request for pictures.")
}

fn edit_request() -> Schema {
    let url = pattern("^data:[^,]*;base64,", "data:image/png;base64,iVBORw0KGgo=")
        .sized(0, 20_971_520)
        .about("A data URL: no picture is fetched from elsewhere.");
    let given = object().has("image_url", url);
    let images = list(given.clone()).sized(1, 16).about("The picture.");
    let request = object().has("prompt", prompt()).has("images", images).may("mask", given.or_null());
    more_looks(request)
        .may("input_fidelity", words(&["high", "low"]).or_null().about("Checked; changes nothing here."))
        .about("A request for an edit, with its files as data URLs.")
}

fn edit_form() -> Schema {
    let form = object()
        .has("prompt", prompt())
        .has("image", file().about("The picture; `image[]` and `image[0]` are the same."))
        .may("mask", file().about("As large as the picture; its transparency says what is drawn anew."));
    more_looks(form)
        .may("input_fidelity", words(&["high", "low"]).or_null().about("Checked; changes nothing here."))
        .about("A request for an edit, as a form. A field of no length is as if absent.")
}

fn variation_form() -> Schema {
    looks(object().has("image", file().about("The picture."))).about("A request for variations, as a form.")
}

fn images() -> Schema {
    object()
        .has(
            "created",
            whole(0, u64::from(u32::MAX), 1_795_716_000).about("When it was asked for, in seconds since 1970."),
        )
        .has("data", list(named("ImageItem")))
        .may("background", words(&["opaque", "transparent"]))
        .has("output_format", words(&["png", "jpeg", "webp"]))
        .has("size", named("Size"))
        .may("quality", words(&["low", "medium", "high"]).about("As it was asked for."))
        .may("usage", named("TokenUsage"))
        .may("safety_identifier", text("customer-17"))
        .has("id", job_id())
        .has("seed", whole(0, SEED_MAX, 1234).about("Draws the same pictures again."))
        .has("credits", named("CreditsUsed"))
        .may("notice", text("Unknown words: zeppelin.").about("What to know about how the prompt was understood."))
        .about("Pictures, in OpenAI's shape. `id`, `seed`, `credits` and `notice` are ours.")
}

fn image_item() -> Schema {
    object()
        .may("url", headers::image_link())
        .may("b64_json", text("iVBORw0KGgo=").about("The file in base64, where bytes were asked for."))
        .may(
            "revised_prompt",
            text("a red fox, snow").about("How the prompt was read: of `dall-e-3`, and with `readings`."),
        )
        .may("reading", text("a red fox, snow").about("How the prompt was read. Ours."))
        .has("id", image_id())
        .about("A picture: either `url` or `b64_json`.")
}

fn credits_used() -> Schema {
    object()
        .has("charged", credits("What the request used."))
        .has("balance", credits("What is available now."))
        .about("The credits of a request.")
}

fn token_usage() -> Schema {
    let details = object().has("text_tokens", count(6)).has("image_tokens", count(0));
    object()
        .has("input_tokens", count(6))
        .has("output_tokens", count(512))
        .has("total_tokens", count(518))
        .has("input_tokens_details", details)
        .about("Tokens as the newer models count them. Nothing is charged by them.")
}

fn image_event() -> Schema {
    let types: &[&str] = &[
        "image_generation.completed",
        "image_generation.partial_image",
        "image_edit.completed",
        "image_edit.partial_image",
    ];
    object()
        .has("type", words(types).about("The event's own name."))
        .has("b64_json", text("iVBORw0KGgo=").about("The file in base64."))
        .may("partial_image_index", whole(0, 3, 0).about("Which look at its picture, from 0."))
        .has(
            "created_at",
            whole(0, u64::from(u32::MAX), 1_795_716_000).about("When it was asked for, in seconds since 1970."),
        )
        .has("size", named("Size"))
        .has("quality", words(&["auto", "low", "medium", "high"]))
        .has("background", words(&["auto", "opaque", "transparent"]))
        .has("output_format", words(&["png", "jpeg", "webp"]))
        .may("usage", named("TokenUsage"))
        .may("revised_prompt", text("a red fox, snow"))
        .has("image_index", whole(0, 9, 0).about("Which picture, from 0. Ours."))
        .has("seed", whole(0, SEED_MAX, 1234).about("Draws the same pictures again. Ours."))
        .may("reading", text("a red fox, snow").about("How the prompt was read. Ours."))
        .may("id", image_id())
        .may("credits", named("CreditsUsed"))
        .about("An early look, or a picture.")
}

fn model_shape() -> Schema {
    object()
        .has("id", text("dall-e-2").about("The name."))
        .has("object", words(&["model"]))
        .has("created", whole(0, u64::from(u32::MAX), 1_667_433_600).about("Seconds since 1970."))
        .has("owned_by", text("medici"))
        .has("shutdown_date", count(0).mostly_null().about("Null: nothing here is going to be shut down."))
        .about("A name that a request for pictures may use.")
}

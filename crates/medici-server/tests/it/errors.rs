//! Every row of OpenAI's table of errors that can occur, and everything that is no request at all.

use std::sync::Arc;

use axum::http::Method;
use medici_engine::TestPattern;
use medici_store::Fault;
use medici_studio::engine::{
    Capabilities, Control, Engine, EngineError, Estimate, Given, Picture, Spec, Understanding,
};
use serde_json::{Value, json};

use crate::house::{GENERATIONS, House, Plan};

const INVALID: &str = "invalid_request_error";

/// What a body is refused with: the code, the parameter, and the words.
struct Refused(Value, Option<&'static str>, Option<&'static str>, &'static str);

#[tokio::test]
async fn wrong_parameters_are_named_and_cost_nothing() {
    let house = House::idle().await;
    let long = "x".repeat(1_001);
    let cases = [
        Refused(json!({}), Some("missing_required_parameter"), Some("prompt"), "Missing required parameter: 'prompt'."),
        Refused(json!({"prompt": null}), Some("missing_required_parameter"), Some("prompt"), "Missing"),
        Refused(json!({"prompt": " \n"}), Some("missing_required_parameter"), Some("prompt"), "Missing"),
        Refused(
            json!({"prompt": 7}),
            Some("invalid_type"),
            Some("prompt"),
            "Invalid type for 'prompt': expected a string, but got an integer instead.",
        ),
        Refused(
            json!({"prompt": long}),
            None,
            Some("prompt"),
            "Prompt must be length 1000 or less. Your prompt length is 1001. Please reduce your prompt length.",
        ),
        Refused(
            json!({"prompt": "a", "n": 0}),
            Some("integer_below_min_value"),
            Some("n"),
            "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        ),
        Refused(json!({"prompt": "a", "n": -1}), Some("integer_below_min_value"), Some("n"), "but got -1 instead."),
        Refused(
            json!({"prompt": "a", "n": 11}),
            Some("integer_above_max_value"),
            Some("n"),
            "Invalid 'n': integer above maximum value. Expected a value <= 10, but got 11 instead.",
        ),
        Refused(json!({"prompt": "a", "n": 1e9}), Some("invalid_type"), Some("n"), "a decimal number"),
        Refused(json!({"prompt": "a", "n": "4"}), Some("invalid_type"), Some("n"), "expected an integer"),
        Refused(
            json!({"prompt": "a", "n": 2, "model": "dall-e-3"}),
            Some("integer_above_max_value"),
            Some("n"),
            "Expected a value <= 1",
        ),
        Refused(
            json!({"prompt": "a", "size": "300x300"}),
            None,
            Some("size"),
            "'300x300' is not one of ['256x256', '512x512', '1024x1024'] - 'size'",
        ),
        Refused(
            json!({"prompt": "a", "size": "256x256", "model": "dall-e-3"}),
            Some("invalid_size"),
            None,
            "The size is not supported by this model.",
        ),
        Refused(
            json!({"prompt": "a", "size": "1536x1024", "model": "gpt-image-1"}),
            Some("invalid_value"),
            Some("size"),
            "Invalid value: '1536x1024'. Supported values are: '64x64', '256x256', '512x512', '1024x1024', and 'auto'.",
        ),
        Refused(
            json!({"prompt": "a", "response_format": "xml"}),
            Some("invalid_value"),
            Some("response_format"),
            "Invalid value: 'xml'. Supported values are: 'url', and 'b64_json'.",
        ),
        Refused(json!({"prompt": "a", "quality": "best"}), Some("invalid_value"), Some("quality"), "'best'"),
        Refused(json!({"prompt": "a", "style": "wild"}), Some("invalid_value"), Some("style"), "'wild'"),
        Refused(json!({"prompt": "a", "background": "red"}), Some("invalid_value"), Some("background"), "'red'"),
        Refused(json!({"prompt": "a", "moderation": "none"}), Some("invalid_value"), Some("moderation"), "'none'"),
        Refused(
            json!({"prompt": "a", "output_format": "gif"}),
            Some("unsupported_value"),
            Some("output_format"),
            "png, jpeg or webp",
        ),
        Refused(json!({"prompt": "a", "output_format": "bmp"}), Some("invalid_value"), Some("output_format"), "'bmp'"),
        Refused(
            json!({"prompt": "a", "output_compression": 50}),
            Some("unsupported_value"),
            Some("output_compression"),
            "jpeg or webp",
        ),
        Refused(
            json!({"prompt": "a", "output_format": "jpeg", "background": "transparent"}),
            Some("unsupported_value"),
            Some("background"),
            "png or webp",
        ),
        Refused(json!({"prompt": "a", "stream": "yes"}), Some("invalid_type"), Some("stream"), "a boolean"),
        Refused(
            json!({"prompt": "a", "partial_images": 2}),
            Some("unsupported_value"),
            Some("partial_images"),
            "stream",
        ),
        Refused(
            json!({"prompt": "a", "partial_images": 4}),
            Some("integer_above_max_value"),
            Some("partial_images"),
            "<= 3",
        ),
        Refused(json!({"prompt": "a", "frame_count": 9}), Some("unsupported_value"), Some("frame_count"), "available"),
        Refused(
            json!({"prompt": "a", "model": "dall-e-2", "sparkle": 1}),
            Some("unknown_parameter"),
            Some("sparkle"),
            "Unknown parameter: 'sparkle'.",
        ),
        Refused(
            json!({"prompt": "a", "model": "dall-e-2", "style": "vivid"}),
            Some("unknown_parameter"),
            Some("style"),
            "Unknown parameter: 'style'.",
        ),
        Refused(json!({"prompt": "a", "seed": -1}), Some("integer_below_min_value"), Some("seed"), ">= 0"),
        Refused(json!({"prompt": "a", "user": 7}), Some("invalid_type"), Some("user"), "a string"),
        Refused(
            json!({"prompt": "a", "user": "u".repeat(513)}),
            Some("string_above_max_length"),
            Some("user"),
            "513 characters",
        ),
        Refused(json!({"prompt": "a", "model": 7}), Some("invalid_type"), Some("model"), "a string"),
    ];
    for Refused(body, code, param, words) in cases {
        let told = house.generate(body.clone()).await.openai_error(400, INVALID, code, param);
        assert!(told.contains(words), "{body}: {told}");
    }
    assert!(house.story().await.is_empty());
}

#[tokio::test]
async fn what_a_lenient_model_never_had_is_let_through() {
    let house = House::open().await;
    let body = json!({"prompt": "a", "model": "gpt-image-1", "sparkle": 1, "quality": "high", "style": "vivid",
        "moderation": "low", "output_format": "png", "output_compression": 100, "partial_images": 0, "stream": false,
        "n": null});
    house.generate(body).await.is(200);
}

#[tokio::test]
async fn an_unknown_model_does_not_exist() {
    let house = House::idle().await;
    let told = house.generate(json!({"prompt": "a", "model": "dall-e-9"})).await;
    let told = told.openai_error(404, INVALID, Some("model_not_found"), Some("model"));
    assert_eq!(told, "The model 'dall-e-9' does not exist.");
    let told = house.get("/v1/models/dall-e-9").key(&house.key).send().await;
    told.openai_error(404, INVALID, Some("model_not_found"), Some("model"));
}

#[tokio::test]
async fn a_prompt_is_never_repeated_in_an_error() {
    let house = House::idle().await;
    let secret = "secretsecret";
    for body in [
        json!({"prompt": secret.repeat(200)}),
        json!({"prompt": secret, "n": 0}),
        json!({"prompt": [secret]}),
        json!({"prompt": secret, "size": "1x1"}),
    ] {
        let answer = house.generate(body).await.is(400);
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
    let broken = format!("{{\"prompt\": \"{secret}\" \"n\": 1}}");
    let answer = house.ask(Method::POST, GENERATIONS).key(&house.key).json(json!(0)).bytes(broken).send().await.is(400);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}

#[tokio::test]
async fn keys_that_are_missing_wrong_or_of_another_kind_are_told_apart() {
    let house = House::idle().await;
    let ask = || house.post(GENERATIONS, json!({"prompt": "a"}));
    let none = ask().send().await;
    assert_eq!(none.head("www-authenticate"), "Bearer");
    let told = none.openai_error(401, INVALID, None, None);
    assert!(told.starts_with("You didn't provide an API key."), "{told}");
    ask().header("authorization", "Basic abc").send().await.openai_error(401, INVALID, None, None);

    let mut wrong = house.key.clone();
    wrong.pop();
    wrong.push(if house.key.ends_with('x') { 'y' } else { 'x' });
    let shown = format!("sk-…{}", &wrong[wrong.len() - 4..]);
    let told = ask().key(&wrong).send().await.openai_error(401, INVALID, Some("invalid_api_key"), None);
    assert_eq!(told, format!("Incorrect API key provided: {shown}."));
    ask().key("sk-proj-0123456789abcdef").send().await.openai_error(401, INVALID, Some("invalid_api_key"), None);

    for other in [&house.service, &house.admin] {
        ask().key(other).send().await.openai_error(403, INVALID, Some("insufficient_permissions"), None);
    }
    let twice = ask().key(&house.key).key(&house.key).send().await;
    twice.openai_error(400, INVALID, Some("malformed_request"), None);
    // A key in a cookie or in the address is no key.
    ask().header("cookie", &format!("authorization=Bearer {}", house.key)).send().await.is(401);
    let path = format!("{GENERATIONS}?api_key={}", house.key);
    house.post(&path, json!({"prompt": "a"})).send().await.is(401);
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be_are_refused_in_openais_shape() {
    let house = House::idle().await;
    let post = || house.ask(Method::POST, GENERATIONS).key(&house.key);
    let json_type = || post().header("content-type", "application/json");
    let media = Some("unsupported_media_type");
    post().bytes("{}").send().await.openai_error(415, INVALID, media, None);
    post().header("content-type", "text/plain").bytes("{}").send().await.openai_error(415, INVALID, media, None);
    json_type().header("content-encoding", "gzip").send().await.openai_error(415, INVALID, media, None);
    for broken in [&b""[..], b"{", b"{\"prompt\":}", b"\xff\xfe", b"{\"prompt\":\"\xff\"}", b"[]", b"7", b"{} {}"] {
        json_type().bytes(broken).send().await.openai_error(400, INVALID, Some("invalid_json"), None);
    }
    let deep = "[".repeat(100_000);
    json_type().bytes(deep).send().await.openai_error(400, INVALID, Some("invalid_json"), None);
    let large = format!("{{\"prompt\":\"{}\"}}", "x".repeat(1 << 20));
    json_type().bytes(large).send().await.openai_error(413, INVALID, Some("request_too_large"), None);
    let charset = post().header("content-type", "application/json; charset=utf-8").bytes("{}");
    charset.send().await.openai_error(400, INVALID, Some("missing_required_parameter"), Some("prompt"));
}

#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_refused() {
    let house = House::idle().await;
    let post = || house.post(GENERATIONS, json!({"prompt": "a"})).key(&house.key);
    let malformed = Some("malformed_request");
    let both = post().header("content-length", "14").header("transfer-encoding", "chunked");
    both.send().await.openai_error(400, INVALID, malformed, None);
    let twice = post().header("content-length", "14").header("content-length", "14");
    twice.send().await.openai_error(400, INVALID, malformed, None);
    post().header("host", "127.0.0.1").send().await.openai_error(400, INVALID, malformed, None);
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_refused_everywhere_but_by_the_probes() {
    let house = House::idle().await;
    for path in ["/v1/models", "/api/credits", "/", "/images/x.png"] {
        let ask = house.ask(Method::GET, &format!("http://evil.example{path}"));
        ask.key(&house.key).send().await.is(421);
    }
    house.ask(Method::GET, "http://10.0.0.7/healthz").send().await.is(200);
    house.ask(Method::GET, "http://10.0.0.7/readyz").send().await.is(200);
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_have_the_shape_of_their_side() {
    let house = House::idle().await;
    for path in ["/v1", "/v1/", "/v1/images", "/v1/images/generations/"] {
        house.get(path).send().await.openai_error(404, INVALID, Some("unknown_url"), None);
    }
    let wrong = house.get(GENERATIONS).send().await;
    assert_eq!(wrong.head("allow"), "POST");
    wrong.openai_error(405, INVALID, Some("method_not_allowed"), None);
    house.get("/api/nothing").send().await.problem(404, "unknown_url");
    house.get("/v1x").send().await.problem(404, "unknown_url");
    let wrong = house.get("/api/charges").send().await;
    assert_eq!(wrong.head("allow"), "POST");
    wrong.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn a_full_disk_is_said_and_reads_go_on() {
    let house = House::idle().await;
    house.faults.fail_next(100, Fault::Full);
    let told = house.generate(json!({"prompt": "a"})).await;
    let told = told.openai_error(503, "server_error", Some("storage_full"), None);
    assert!(told.ends_with("Nothing was charged."), "{told}");
    house.get("/api/credits").key(&house.key).send().await.is(200);
    let ready = house.get("/readyz").send().await.is(503);
    assert_eq!(ready.json()["reason"], "the store's disk is full");
    house.faults.clear();
    house.until("the store finds space again", async || house.get("/readyz").send().await.status == 200).await;
    assert!(house.story().await.is_empty());
}

#[tokio::test]
async fn a_store_that_failed_says_nothing_of_why() {
    let house = House::idle().await;
    house.faults.fail_next(1, Fault::Sync);
    let answer = house.generate(json!({"prompt": "a"})).await;
    assert_eq!(answer.head("retry-after"), "5");
    let told = answer.openai_error(503, "server_error", Some("store_unavailable"), None);
    assert!(!told.contains("sync"), "{told}");
    let ready = house.get("/readyz").send().await.is(503);
    assert_eq!(ready.json()["reason"], "the store failed and needs a restart");
    house.get("/healthz").send().await.is(200);
}

#[tokio::test]
async fn a_server_that_stops_is_alive_and_not_ready() {
    let house = House::idle().await;
    house.get("/readyz").send().await.is(200);
    house.state.drain();
    let ready = house.get("/readyz").send().await.is(503);
    assert_eq!(ready.json()["reason"], "the server is stopping");
    house.get("/healthz").send().await.is(200);
}

/// An engine with a defect that a request runs into before anything is queued.
struct Defective(TestPattern);

impl Engine for Defective {
    fn model(&self) -> &str {
        self.0.model()
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn estimate(&self, spec: &Spec) -> Estimate {
        self.0.estimate(spec)
    }
    fn understanding(&self, prompt: &str) -> Understanding {
        assert!(prompt != "a defect", "the secret of the defect");
        self.0.understanding(prompt)
    }
    fn run(&self, spec: &Spec, given: &Given, control: &dyn Control) -> Result<Vec<Picture>, EngineError> {
        self.0.run(spec, given, control)
    }
}

#[tokio::test]
async fn a_panic_costs_one_request_and_tells_nothing() {
    let engine = Arc::new(Defective(TestPattern::default()));
    let house = House::with(Plan { engine, ..Plan::default() }).await;
    let told = house.generate(json!({"prompt": "a defect", "size": "256x256"})).await;
    let told = told.openai_error(500, "server_error", Some("internal_error"), None);
    assert!(!told.contains("secret"), "{told}");
    assert_eq!(house.available(), "15");
    house.generate(json!({"prompt": "a fox", "size": "256x256"})).await.is(200);
}

//! `POST /v1/images/generations`, when all goes well and when drawing does not.

use base64::{Engine, engine::general_purpose::STANDARD};
use medici_studio::Limits;
use serde_json::json;

use crate::house::{GENERATIONS, House, Plan};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[tokio::test]
async fn a_prompt_becomes_four_pictures_for_one_credit() {
    let house = House::open().await;
    assert_eq!(house.available(), "15");
    let answer = house.generate(json!({"prompt": "a red fox", "n": 4, "size": "256x256", "seed": 7})).await.is(200);
    assert_eq!(house.available(), "14");
    assert_eq!(answer.head("medici-credits-charged"), "1");
    assert_eq!(answer.head("medici-credits-balance"), "14");
    let body = answer.json();
    assert_eq!(body["created"], 1_795_348_800);
    assert_eq!(body["size"], "256x256");
    assert_eq!(body["output_format"], "png");
    assert_eq!(body["seed"], 7);
    assert_eq!(body["credits"], json!({"charged": "1", "balance": "14"}));
    assert_eq!(body["data"].as_array().unwrap().len(), 4);
    assert_eq!(body["data"][1]["reading"], "bars, number 1");
    for image in body["data"].as_array().unwrap() {
        assert!(image.get("b64_json").is_none());
        let url = image["url"].as_str().unwrap();
        let path = url.strip_prefix("http://127.0.0.1:8080").unwrap();
        let picture = house.get(path).send().await.is(200);
        assert!(picture.body.starts_with(PNG));
    }
    assert_eq!(house.story().await, ["held: lot 1 -1, held 1 +1", "captured: held 1 -1, used:generate 1 +1",]);
}

#[tokio::test]
async fn the_headers_of_openai_are_on_every_reply() {
    let house = House::open().await;
    let good = house.generate(json!({"prompt": "a red fox"})).await.is(200);
    let bad = house.generate(json!({})).await.is(400);
    let lost = house.get("/v1/nothing").send().await.is(404);
    assert_ne!(good.head("x-request-id"), bad.head("x-request-id"));
    for answer in [&good, &bad, &lost] {
        assert_eq!(answer.head("openai-version"), "2020-10-01");
        assert_eq!(answer.head("openai-processing-ms"), "0");
        assert_eq!(answer.head("x-request-id").len(), 36);
    }
    assert_eq!(good.head("openai-organization"), house.account.to_string());
    assert_eq!(bad.head("openai-organization"), house.account.to_string());
    assert!(!lost.headers.contains_key("openai-organization"), "nobody was asked who they are");
}

#[tokio::test]
async fn ten_pictures_cost_three_credits_and_one_costs_one() {
    let house = House::open().await;
    let ten = house.generate(json!({"prompt": "a red fox", "n": 10, "size": "256x256"})).await.is(200);
    assert_eq!(ten.head("medici-credits-charged"), "3");
    assert_eq!(ten.json()["data"].as_array().unwrap().len(), 10);
    let one = house.generate(json!({"prompt": "a red fox", "size": "256x256"})).await.is(200);
    assert_eq!(one.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(one.head("medici-credits-balance"), "11");
}

#[tokio::test]
async fn pictures_come_in_the_reply_where_they_are_asked_for() {
    let house = House::open().await;
    for body in [
        json!({"prompt": "a red fox", "n": 2, "response_format": "b64_json", "size": "256x256"}),
        json!({"prompt": "a red fox", "n": 2, "model": "gpt-image-1"}),
    ] {
        let body = house.generate(body).await.is(200).json();
        for image in body["data"].as_array().unwrap() {
            assert!(image.get("url").is_none());
            let bytes = STANDARD.decode(image["b64_json"].as_str().unwrap()).unwrap();
            assert!(bytes.starts_with(PNG));
        }
    }
    let asked = json!({"prompt": "a red fox", "model": "gpt-image-1", "response_format": "url"});
    assert!(house.generate(asked).await.is(200).json()["data"][0]["url"].is_string());
}

#[tokio::test]
async fn a_seed_draws_the_same_picture_again() {
    let house = House::open().await;
    let draw = async |seed: Option<u64>| {
        let body = json!({"prompt": "a red fox", "response_format": "b64_json", "size": "256x256", "seed": seed});
        house.generate(body).await.is(200).json()
    };
    let first = draw(None).await;
    let again = draw(first["seed"].as_u64()).await;
    assert_eq!(first["data"][0]["b64_json"], again["data"][0]["b64_json"]);
    let other = draw(None).await;
    assert_ne!(first["seed"], other["seed"]);
    assert_ne!(first["data"][0]["b64_json"], other["data"][0]["b64_json"]);
}

#[tokio::test]
async fn what_the_caller_said_of_the_looks_is_said_back() {
    let house = House::open().await;
    let body = json!({"prompt": "a red fox", "background": "transparent", "user": "u-1", "model": null});
    let body = house.generate(body).await.is(200).json();
    assert_eq!(body["background"], "transparent");
    assert_eq!(body["safety_identifier"], "u-1");
    let body = json!({"prompt": "a red fox", "user": "u-1", "safety_identifier": "s-1", "size": "auto"});
    let body = house.generate(body).await.is(200).json();
    assert!(body.get("background").is_none());
    assert_eq!(body["safety_identifier"], "s-1");
    assert_eq!(body["size"], "256x256");
}

#[tokio::test]
async fn an_omitted_size_is_that_of_the_model() {
    let house = House::open().await;
    let size = async |body| house.generate(body).await.is(200).json()["size"].as_str().unwrap().to_owned();
    assert_eq!(size(json!({"prompt": "a red fox"})).await, "1024x1024");
    assert_eq!(size(json!({"prompt": "a red fox", "model": "gpt-image-1"})).await, "256x256");
    assert_eq!(size(json!({"prompt": "a red fox", "model": "test-pattern", "size": "64x64"})).await, "64x64");
}

#[tokio::test]
async fn an_engine_failure_costs_nothing_and_both_entries_are_there() {
    let house = House::open().await;
    let answer = house.generate(json!({"prompt": "a fox [fail]", "size": "256x256"})).await;
    assert_eq!(answer.head("x-should-retry"), "false");
    assert_eq!(answer.head("medici-credits-charged"), "0");
    assert_eq!(answer.head("medici-credits-balance"), "15");
    let message = answer.openai_error(500, "server_error", Some("generation_failed"), None);
    assert_eq!(message, "The pictures could not be drawn. No credit was used.");
    assert_eq!(house.available(), "15");
    assert_eq!(house.story().await, ["held: lot 1 -1, held 1 +1", "voided: held 1 -1, lot 1 +1"]);
}

#[tokio::test]
async fn a_panic_of_the_engine_costs_one_job_and_nothing_else() {
    let house = House::open().await;
    let body = json!({"prompt": "a fox [panic]", "size": "256x256"});
    house.generate(body).await.openai_error(500, "server_error", Some("generation_failed"), None);
    house.generate(json!({"prompt": "a fox", "size": "256x256"})).await.is(200);
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn what_the_engine_cannot_read_is_the_callers_fault_and_costs_nothing() {
    let house = House::open().await;
    let answer = house.generate(json!({"prompt": "a fox [dance]", "size": "256x256"})).await;
    let message = answer.openai_error(400, "invalid_request_error", Some("invalid_value"), None);
    assert!(message.ends_with("No credit was used."), "{message}");
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn a_shortfall_keeps_the_pictures_and_costs_nothing() {
    let house = House::open().await;
    let answer = house.generate(json!({"prompt": "a fox [short 2]", "n": 4, "size": "256x256"})).await.is(200);
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(answer.head("medici-credits-charged"), "0");
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn without_credits_nothing_is_queued_and_nobody_is_told_to_retry() {
    let house = House::open().await;
    house.spend_all().await;
    let answer = house.generate(json!({"prompt": "a red fox"})).await;
    assert_eq!(answer.head("x-should-retry"), "false");
    assert!(!answer.headers.contains_key("retry-after"));
    let message = answer.openai_error(429, "insufficient_quota", Some("insufficient_quota"), None);
    assert_eq!(message, "You exceeded your current quota, please check your plan and billing details.");
    assert_eq!(house.studio().store.queued(), 0);
    assert!(house.studio().history(house.account, None, 10).await.unwrap().is_empty());
    assert_eq!(house.story().await, ["charged: lot 1 -15, used:generate 1 +15"]);
}

#[tokio::test]
async fn a_full_queue_is_said_before_anything_is_held() {
    let limits = Limits { queued_max: 0, ..Limits::for_tests() };
    let house = House::with(Plan { worker: false, limits, ..Plan::default() }).await;
    let answer = house.post(GENERATIONS, json!({"prompt": "a red fox"})).key(&house.key).send().await;
    assert_eq!(answer.head("retry-after"), "5");
    let message = answer.openai_error(503, "server_error", Some("engine_overloaded"), None);
    assert!(message.contains("Nothing was charged"), "{message}");
    assert!(house.story().await.is_empty());
}

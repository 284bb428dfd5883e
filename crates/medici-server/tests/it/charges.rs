//! `POST /api/charges`: other services of the operator charge the same account.

use medici_store::Fault;
use serde_json::{Value, json};

use crate::house::{Answer, House};

fn body(house: &House, operation: &str, count: u32) -> Value {
    json!({"account": house.account.to_string(), "operation": operation, "count": count})
}

async fn charge(house: &House, key: &str, body: Value) -> Answer {
    house.post("/api/charges", body).key(&house.service).idempotency_key(key).send().await
}

#[tokio::test]
async fn a_charge_is_one_entry_and_says_what_is_left() {
    let house = House::idle().await;
    let answer = charge(&house, "c-1", body(&house, "upscale", 3)).await.is(201);
    assert_eq!(answer.head("medici-credits-charged"), "0.75");
    assert_eq!(answer.head("medici-credits-balance"), "14.25");
    let receipt = answer.json();
    assert_eq!(receipt["credits"], "0.75");
    assert_eq!(receipt["available"], "14.25");
    assert_eq!(receipt["operation"], "upscale");
    assert_eq!(receipt["count"], 3);
    assert_eq!(receipt["entry"]["fact"], "charged");
    assert_eq!(receipt["entry"]["hold"], receipt["id"]);
    assert_eq!(receipt["entry"]["recorded_at"], "2026-11-22T12:00:00Z");
    assert_eq!(
        receipt["entry"]["postings"],
        json!([
            {"account": "lot", "lot": 1, "unit": "credits", "amount": "-0.75"},
            {"account": "used:upscale", "lot": 1, "unit": "credits", "amount": "0.75"},
        ])
    );
    assert_eq!(house.story().await, ["charged: lot 1 -0.75, used:upscale 1 +0.75"]);
}

#[tokio::test]
async fn an_account_can_be_charged_by_its_name_and_by_the_operator() {
    let house = House::idle().await;
    let body = json!({"account": "ada", "operation": "generate"});
    house.post("/api/charges", body).key(&house.admin).idempotency_key("c-1").send().await.is(201);
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn a_repeat_answers_as_the_first_time_and_charges_once() {
    let house = House::idle().await;
    let first = charge(&house, "c-1", body(&house, "generate", 1)).await.is(201);
    charge(&house, "c-2", body(&house, "generate", 1)).await.is(201);
    let again = charge(&house, "c-1", body(&house, "generate", 1)).await.is(201);
    assert_eq!(again.head("idempotent-replayed"), "true");
    assert!(!first.headers.contains_key("idempotent-replayed"));
    assert_eq!(first.body, again.body);
    assert_eq!(house.available(), "13");
    charge(&house, "c-1", body(&house, "generate", 5)).await.problem(422, "idempotency_key_reused");
    assert_eq!(house.available(), "13");
}

#[tokio::test]
async fn a_charge_without_a_key_is_refused() {
    let house = House::idle().await;
    let answer = house.post("/api/charges", body(&house, "generate", 1)).key(&house.service).send().await;
    answer.problem(400, "idempotency_key_required");
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn too_few_credits_are_said_with_their_numbers() {
    let house = House::idle().await;
    let answer = charge(&house, "c-1", body(&house, "generate", 100)).await.is(402);
    let problem = answer.json();
    assert_eq!((problem["needed"].as_str(), problem["available"].as_str()), (Some("25"), Some("15")));
    assert_eq!(answer.problem(402, "insufficient_credits"), "25 credits needed, 15 available.");
    assert!(house.story().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_charged_is_named() {
    let house = House::idle().await;
    let cases = [
        (body(&house, "dance", 1), 400, "no_price"),
        (body(&house, "Not A Name", 1), 400, "invalid_value"),
        (body(&house, "generate", 0), 400, "integer_below_min_value"),
        (json!({"account": "nobody", "operation": "generate"}), 404, "not_found"),
        (json!({"account": format!("acct_{:032x}", 99), "operation": "generate"}), 404, "not_found"),
        (json!({"account": "ada"}), 400, "invalid_value"),
        (json!({"account": "ada", "operation": "generate", "credits": 0}), 400, "invalid_value"),
        (json!({"account": "ada", "operation": "generate", "count": -1}), 400, "invalid_value"),
        (json!({"account": "ada", "operation": "generate", "count": 1.5}), 400, "invalid_value"),
        (json!([]), 400, "invalid_value"),
    ];
    for (body, status, code) in cases {
        charge(&house, "c-1", body).await.problem(status, code);
    }
    let twice = r#"{"account":"ada","operation":"generate","operation":"upscale"}"#;
    let ask = house.post("/api/charges", json!(0)).key(&house.service).idempotency_key("c-1").bytes(twice);
    ask.send().await.problem(400, "invalid_value");
    assert!(house.story().await.is_empty());
}

#[tokio::test]
async fn a_commit_that_fails_charges_nothing_and_its_retry_charges_once() {
    let house = House::idle().await;
    // The store itself tries a commit that failed a second time.
    house.faults.fail_next(10, Fault::AtCommit);
    let first = charge(&house, "c-1", body(&house, "generate", 1)).await;
    first.problem(503, "store_unavailable");
    house.faults.clear();
    assert_eq!(house.available(), "15");
    charge(&house, "c-1", body(&house, "generate", 1)).await.is(201);
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn hello_parses_the_same_and_answers_at_the_same_length() {
    let house = House::idle().await;
    let body = body(&house, "generate", 1);
    let hello = house.post("/api/hello", body.clone()).send().await.is(201);
    let charged = charge(&house, "c-1", body).await.is(201);
    let (hello, charged) = (hello.body.len(), charged.body.len());
    assert!(hello.abs_diff(charged) * 10 < charged, "hello answers {hello} bytes, a charge {charged}");
    let wrong = json!({"account": "ada", "operation": "generate", "credits": 0});
    house.post("/api/hello", wrong).send().await.problem(400, "invalid_value");
}

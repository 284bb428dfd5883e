//! Budgets bound real requests: of a key, a member, the whole account.

use std::time::Duration;

use axum::http::Method;
use medici_studio::KeyOwner;
use serde_json::{Value, json};

use crate::house::{Answer, GENERATIONS, House};

async fn set(house: &House, budget: &str, limit: &str) -> Answer {
    house.change(Method::PUT, &format!("budgets/{budget}"), budget, json!({"limit": limit})).await
}

async fn draw(house: &House, key: &str) -> Answer {
    house.post(GENERATIONS, json!({"prompt": "a red fox", "size": "256x256"})).key(key).send().await
}

#[tokio::test]
async fn a_budget_of_a_key_bounds_that_key_until_its_day_is_over() {
    let house = House::open().await;
    let (key, secret) = house.studio().create_api_key(KeyOwner::Account(house.account), "laptop").await.unwrap();
    set(&house, &format!("{}/day", key.id), "2").await.is(200);
    for _ in 0..2 {
        draw(&house, secret.expose()).await.is(200);
    }
    let told = draw(&house, secret.expose()).await;
    let told = told.openai_error(400, "invalid_request_error", Some("billing_hard_limit_reached"), None);
    assert_eq!(
        told,
        format!(
            "Billing hard limit has been reached. 1 credits needed, 2 of the 2 of the budget ({}, day) are used.",
            key.id
        )
    );
    draw(&house, &house.key).await.is(200);
    let budgets = house.get("/api/budgets").key(&house.key).send().await.is(200).json();
    let budget = json!({"subject": key.id.to_string(), "period": "day", "limit": "2", "used": "2",
        "since": "2026-11-22T12:00:00Z"});
    assert_eq!(budgets, json!({"account": house.account.to_string(), "budgets": [budget]}));
    house.clock.advance(Duration::from_secs(12 * 3600));
    draw(&house, secret.expose()).await.is(200);
    assert_eq!(house.available(), "11");
}

#[tokio::test]
async fn a_job_that_costs_nothing_in_the_end_leaves_its_budget() {
    let house = House::open().await;
    set(&house, "account/month", "1").await.is(200);
    let body = json!({"prompt": "a fox [fail]", "size": "256x256"});
    house.generate(body).await.is(500);
    draw(&house, &house.key).await.is(200);
    draw(&house, &house.key).await.openai_error(400, "invalid_request_error", Some("billing_hard_limit_reached"), None);
}

#[tokio::test]
async fn a_member_is_who_the_service_says_and_has_a_budget_of_their_own() {
    let house = House::idle().await;
    let (ann, bob) = (format!("member_{:032x}", 1), format!("member_{:032x}", 2));
    set(&house, &format!("{ann}/always"), "1.5").await.is(200);
    let charge = async |key: &str, member: Option<&str>| {
        let body = json!({"account": "ada", "operation": "generate", "member": member});
        house.post("/api/charges", body).key(&house.service).idempotency_key(key).send().await
    };
    charge("c-1", Some(&ann)).await.is(201);
    let told = charge("c-2", Some(&ann)).await.problem(402, "budget_exceeded");
    assert_eq!(told, format!("1 credits needed, 1 of the 1.5 of the budget ({ann}, always) are used."));
    charge("c-2", Some(&bob)).await.is(201);
    charge("c-3", None).await.is(201);
    charge("c-4", Some("ann")).await.problem(400, "invalid_value");
    // Who spends is part of the request.
    charge("c-1", Some(&bob)).await.problem(422, "idempotency_key_reused");
    charge("c-1", None).await.problem(422, "idempotency_key_reused");
    charge("c-1", Some(&ann)).await.is(201);
    assert_eq!(house.available(), "12");
}

#[tokio::test]
async fn a_service_is_bounded_by_the_budget_of_its_key() {
    let house = House::idle().await;
    let keys = house.studio().store.api_keys(None).await.unwrap();
    let service = keys.iter().find(|key| key.owner == KeyOwner::Service).unwrap();
    set(&house, &format!("{}/month", service.id), "3").await.is(200);
    house.charge("c-1", 3).await.is(201);
    house.charge("c-2", 1).await.problem(402, "budget_exceeded");
    let body = json!({"account": "ada", "operation": "generate"});
    house.post("/api/charges", body).key(&house.admin).idempotency_key("c-2").send().await.is(201);
}

#[tokio::test]
async fn a_budget_is_changed_by_setting_it_again_and_removed_once() {
    let house = House::idle().await;
    let first = set(&house, "account/day", "5").await.is(200).json();
    assert_eq!(first["entry"]["fact"], "budget_set");
    assert_eq!(first["budgets"][0]["limit"], "5");
    house.charge("c-1", 4).await.is(201);
    let path = "budgets/account/day";
    let same = house.change(Method::PUT, path, "b-2", json!({"limit": "5"})).await.is(200).json();
    assert_eq!(same["entry"], Value::Null);
    let raised = house.change(Method::PUT, path, "b-3", json!({"limit": "6"})).await.is(200).json();
    assert_eq!((&raised["budgets"][0]["limit"], &raised["budgets"][0]["used"]), (&"6".into(), &"4".into()));
    let path = format!("/api/accounts/{}/budgets/account/day", house.account);
    let remove = async || house.ask(Method::DELETE, &path).key(&house.admin).send().await.is(200).json();
    assert_eq!(remove().await["budgets"], json!([]));
    assert_eq!(remove().await["entry"], Value::Null);
    house.charge("c-2", 10).await.is(201);
    assert_eq!(
        house.story().await,
        [
            "budget_set: ",
            "charged: lot 1 -4, used:generate 1 +4",
            "budget_set: ",
            "budget_set: ",
            "charged: lot 1 -10, used:generate 1 +10",
        ]
    );
}

#[tokio::test]
async fn a_budget_that_cannot_be_is_named() {
    let house = House::idle().await;
    for (budget, limit, status) in [
        ("everybody/day", "1", 400),
        ("account/week", "1", 400),
        ("account/day", "-1", 400),
        ("account/day", "much", 400),
        ("member_1/day", "1", 400),
        (&format!("key_{:032x}/day", 99), "1", 404),
    ] {
        let code = if status == 404 { "not_found" } else { "invalid_value" };
        set(&house, budget, limit).await.problem(status, code);
    }
    assert!(house.story().await.is_empty());
}

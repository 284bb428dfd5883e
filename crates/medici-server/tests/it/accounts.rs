//! Administration: accounts, keys, and credits given by the operator.

use axum::http::Method;
use serde_json::{Value, json};

use crate::house::{Answer, House};

#[tokio::test]
async fn an_account_is_opened_with_its_monthly_credits() {
    let house = House::idle().await;
    let account = house.post("/api/accounts", json!({"name": "carol"})).key(&house.admin).send().await.is(201).json();
    assert_eq!(account["name"], "carol");
    let balance = house.get("/api/credits?account=carol").key(&house.service).send().await.is(200).json();
    assert_eq!(balance["account"], account["id"]);
    assert_eq!(balance["available"], "15");
    let twice = house.post("/api/accounts", json!({"name": "carol"})).key(&house.admin).send().await;
    assert_eq!(twice.problem(409, "name_taken"), "An account named carol exists already.");
}

#[tokio::test]
async fn an_account_that_cannot_be_is_refused() {
    let house = House::idle().await;
    for (body, code) in [
        (json!({"name": "Carol Ann"}), "invalid_value"),
        (json!({"name": "carol", "plan": "gold"}), "unknown_plan"),
        (json!({"name": "carol", "plan": "NO PLAN"}), "invalid_value"),
        (json!({"name": "carol", "role": "admin"}), "invalid_value"),
        (json!({}), "invalid_value"),
    ] {
        house.post("/api/accounts", body).key(&house.admin).send().await.problem(400, code);
    }
}

async fn grant(house: &House, key: &str, body: Value) -> Answer {
    let path = format!("/api/accounts/{}/grants", house.account);
    house.post(&path, body).key(&house.admin).idempotency_key(key).send().await
}

#[tokio::test]
async fn credits_are_given_once_for_a_key() {
    let house = House::idle().await;
    let body = json!({"credits": "2.5", "class": "promo", "source": "goodwill"});
    let first = grant(&house, "g-1", body.clone()).await.is(201);
    assert_eq!(first.head("medici-credits-balance"), "17.5");
    assert_eq!(first.json()["entry"]["fact"], "granted");
    let again = grant(&house, "g-1", body).await.is(201);
    assert_eq!(again.head("idempotent-replayed"), "true");
    assert_eq!(first.body, again.body);
    grant(&house, "g-1", json!({"credits": "3", "class": "promo"})).await.problem(422, "idempotency_key_reused");
    assert_eq!(house.available(), "17.5");
    assert_eq!(house.story().await, ["granted: issuance:promo 2 -2.5, lot 2 +2.5"]);
}

#[tokio::test]
async fn a_grant_that_cannot_be_is_refused() {
    let house = House::idle().await;
    for (body, code) in [
        (json!({"credits": "0", "class": "promo"}), "bad_grant"),
        (json!({"credits": "1.1234567", "class": "promo"}), "invalid_value"),
        (json!({"credits": "-1", "class": "promo"}), "invalid_value"),
        (json!({"credits": 1, "class": "promo"}), "invalid_value"),
        (json!({"credits": "1", "class": "gold"}), "invalid_value"),
        (json!({"credits": "1", "class": "promo", "cost": "15.00 USD"}), "bad_grant"),
        (json!({"credits": "1", "class": "paid", "cost": "a lot"}), "invalid_value"),
        (json!({"credits": "1", "class": "promo", "expires_at": "2020-01-01"}), "bad_grant"),
        (json!({"credits": "1", "class": "promo", "expires_at": "soon"}), "invalid_value"),
        (json!({"credits": "1", "class": "promo", "source": "monthly"}), "invalid_value"),
        (json!({"credits": "1", "class": "promo", "priority": 1}), "invalid_value"),
    ] {
        grant(&house, "g-1", body.clone()).await.problem(400, code);
    }
    let path = format!("/api/accounts/{}/grants", house.account);
    let body = json!({"credits": "1", "class": "promo"});
    house.post(&path, body.clone()).key(&house.admin).send().await.problem(400, "idempotency_key_required");
    let nobody = house.post("/api/accounts/nobody/grants", body).key(&house.admin).idempotency_key("g-1");
    nobody.send().await.problem(404, "not_found");
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn a_key_works_from_its_making_to_its_revocation_and_not_a_moment_longer() {
    let house = House::idle().await;
    let path = format!("/api/accounts/{}/keys", house.account);
    let made = house.post(&path, json!({"label": "laptop"})).key(&house.admin).send().await.is(201);
    assert_eq!(made.head("cache-control"), "no-store");
    let made = made.json();
    let secret = made["secret"].as_str().unwrap();
    house.get("/v1/models").key(secret).send().await.is(200);
    let path = format!("/api/keys/{}", made["id"].as_str().unwrap());
    let revoked = house.ask(Method::DELETE, &path).key(&house.admin).send().await.is(200).json();
    assert_eq!(revoked["revoked_at"], "2026-11-22T12:00:00Z");
    let after = house.get("/v1/models").key(secret).send().await;
    after.openai_error(401, "invalid_request_error", Some("invalid_api_key"), None);
    let again = house.ask(Method::DELETE, &path).key(&house.admin).send().await.is(200).json();
    assert_eq!(again, revoked);
    for nobody in ["nobody", &format!("key_{:032x}", 99)] {
        let path = format!("/api/keys/{nobody}");
        house.ask(Method::DELETE, &path).key(&house.admin).send().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_label_is_short_and_an_account_must_exist() {
    let house = House::idle().await;
    let long = json!({"label": "x".repeat(101)});
    let refused = house.post("/api/accounts/ada/keys", long).key(&house.admin).send().await;
    refused.problem(400, "string_above_max_length");
    house.post("/api/accounts/bob/keys", json!({})).key(&house.admin).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn the_keys_of_services_are_made_by_the_operator() {
    let house = House::idle().await;
    let made = house.post("/api/keys", json!({"owner": "service"})).key(&house.admin).send().await.is(201).json();
    let secret = made["secret"].as_str().unwrap();
    house.get("/api/credits?account=ada").key(secret).send().await.is(200);
    house.post("/api/accounts", json!({"name": "carol"})).key(secret).send().await.is(403);
    house.post("/api/keys", json!({"owner": "account"})).key(&house.admin).send().await.is(400);
}

//! Sandboxes: accounts whose time is their own.

use std::time::Instant;

use axum::http::Method;
use serde_json::{Value, json};

use crate::house::{Answer, House};

/// Opens the sandbox `lab`, whose clock begins at the start of 2027.
async fn lab(house: &House) -> Value {
    let body = json!({"name": "lab", "sandbox": true, "clock_at": "2027-01-31T00:00:00Z"});
    house.post("/api/accounts", body).key(&house.admin).send().await.is(201).json()
}

async fn put(house: &House, path: &str, key: &str, body: Value) -> Answer {
    house.ask(Method::PUT, path).json(body).key(&house.admin).idempotency_key(key).send().await
}

async fn clock(house: &House, key: &str, body: Value) -> Answer {
    put(house, "/api/accounts/lab/clock", key, body).await
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how long a year takes is a question to a real clock")]
async fn a_year_of_monthly_grants_passes_in_a_second() {
    let house = House::idle().await;
    lab(&house).await;
    let began = Instant::now();
    let moved = clock(&house, "year", json!({"advance": "P1Y"})).await.is(200).json();
    assert_eq!(moved["sandbox_clock"], "2028-01-31T00:00:00Z");
    // It takes milliseconds; the bound is for machines that do much else meanwhile.
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    let page = house.get("/api/credits/entries?account=lab&limit=100").key(&house.admin).send().await.is(200).json();
    let entries = page["entries"].as_array().unwrap();
    let of = |fact: &str| -> Vec<&str> {
        let found = entries.iter().rev().filter(|entry| entry["fact"] == fact);
        found.map(|entry| entry["effective_at"].as_str().unwrap()).collect()
    };
    let granted = of("granted");
    assert_eq!(granted.len(), 13, "one as it was opened, and twelve on the way");
    assert_eq!(granted[..3], ["2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z"]);
    assert_eq!(granted[12], "2028-01-31T00:00:00Z");
    assert_eq!(of("lot_expired"), granted[1..], "each month ends as the next begins");
    let balance = house.get("/api/credits?account=lab").key(&house.admin).send().await.is(200).json();
    assert_eq!((&balance["available"], &balance["next_refill"]["at"]), (&"15".into(), &"2028-02-29T00:00:00Z".into()));
    // The house's own time and its accounts are as before.
    assert_eq!(house.available(), "15");
    assert_eq!(house.studio().sweep_once().await.unwrap(), 0, "a sandbox is never due");
}

#[tokio::test]
async fn a_clock_moves_forward_once_for_a_key_and_never_back() {
    let house = House::idle().await;
    lab(&house).await;
    let month = json!({"advance": "P1M"});
    assert_eq!(clock(&house, "m-1", month.clone()).await.is(200).json()["sandbox_clock"], "2027-02-28T00:00:00Z");
    assert_eq!(clock(&house, "m-1", month.clone()).await.is(200).head("idempotent-replayed"), "true");
    let moved = clock(&house, "m-2", json!({"to": "2027-03-01T12:00:00Z"})).await.is(200).json();
    assert_eq!(moved["sandbox_clock"], "2027-03-01T12:00:00Z");
    let same = clock(&house, "m-3", json!({"to": "2027-03-01T12:00:00Z"})).await.is(200).json();
    assert_eq!(same["entry"], Value::Null);
    clock(&house, "m-4", json!({"to": "2027-02-01"})).await.problem(400, "clock_range");
    clock(&house, "m-4", json!({"advance": "P11Y"})).await.problem(400, "clock_range");
    for wrong in
        [json!({}), json!({"advance": "1 month"}), json!({"to": "soon"}), json!({"to": "2028-01-01", "advance": "P1D"})]
    {
        clock(&house, "m-4", wrong).await.problem(400, "invalid_value");
    }
    let path = "/api/accounts/lab/clock";
    let ask = house.ask(Method::PUT, path).json(month).key(&house.admin).send().await;
    ask.problem(400, "idempotency_key_required");
    house.ask(Method::PUT, path).json(json!({"to": "2027-04-01"})).key(&house.admin).send().await.is(200);
    let shown = house.get("/api/accounts/lab").key(&house.admin).send().await.is(200).json();
    assert_eq!(shown["sandbox_clock"], "2027-04-01T00:00:00Z");
}

#[tokio::test]
async fn a_live_account_has_everybodys_time() {
    let house = House::idle().await;
    let to = json!({"to": "2027-01-01"});
    house.change(Method::PUT, "clock", "m-1", to).await.problem(409, "not_sandbox");
    house.change(Method::PUT, "clock", "m-1", json!({"advance": "P1D"})).await.problem(409, "not_sandbox");
    let body = json!({"name": "lab", "clock_at": "2027-01-01"});
    house.post("/api/accounts", body).key(&house.admin).send().await.problem(400, "invalid_value");
    let shown = house.get("/api/accounts/ada").key(&house.admin).send().await.is(200).json();
    assert_eq!(shown["sandbox_clock"], Value::Null);
}

#[tokio::test]
async fn a_sandbox_is_granted_charged_and_sold_to_at_its_own_time() {
    let house = House::idle().await;
    let id = lab(&house).await["id"].take();
    let post = async |path: &str, key: &str, body: Value| {
        let path = format!("/api/accounts/lab/{path}");
        house.post(&path, body).key(&house.admin).idempotency_key(key).send().await
    };
    let order = post("orders", "o-1", json!({"pack": "pack-115"})).await.is(201).json()["order"].take();
    assert_eq!(order["placed_at"], "2027-01-31T00:00:00Z");
    assert_eq!(order["lines"][0]["what"], "pack-115, 115 credits");
    post(&format!("orders/{}/pay", order["id"].as_str().unwrap()), "p-1", json!({})).await.is(200);
    post("grants", "g-1", json!({"credits": "1", "class": "promo", "expires_at": "2027-02-01"})).await.is(201);
    let body = json!({"account": id, "operation": "generate"});
    let charged =
        house.post("/api/charges", body).key(&house.service).idempotency_key("c-1").send().await.is(201).json();
    assert_eq!(charged["entry"]["effective_at"], "2027-01-31T00:00:00Z");
    clock(&house, "m-1", json!({"advance": "P1Y"})).await.is(200);
    let balance = house.get("/api/credits?account=lab").key(&house.admin).send().await.is(200).json();
    assert_eq!(balance["available"], "15", "the pack ended with its year");
}

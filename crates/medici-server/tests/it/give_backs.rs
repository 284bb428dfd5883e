//! Credits given back, and credits taken back.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::house::{Answer, House};

async fn give_back(house: &House, key: &str, capture: &Value, credits: Option<&str>, reason: &str) -> Answer {
    let body = json!({"capture": capture, "credits": credits, "reason": reason});
    house.change(Method::POST, "give-backs", key, body).await
}

#[tokio::test]
async fn a_charge_is_given_back_in_parts_and_at_most_once_in_all() {
    let house = House::idle().await;
    let charge = house.charge("c-1", 3).await.is(201).json()["id"].take();
    let first = give_back(&house, "g-1", &charge, Some("1"), "goodwill").await.is(201);
    assert_eq!(first.head("medici-credits-balance"), "13");
    assert_eq!((&first.json()["credits"], &first.json()["given_back"]), (&"1".into(), &"1".into()));
    let again = give_back(&house, "g-1", &charge, Some("1"), "goodwill").await.is(201);
    assert_eq!((again.head("idempotent-replayed"), &again.body), ("true", &first.body));
    let too_many = give_back(&house, "g-2", &charge, Some("2.5"), "goodwill").await;
    let words = too_many.problem(409, "more_than_captured");
    assert_eq!(words, "At most 2 credits of the capture can be given back, 2.5 asked for.");
    let rest = give_back(&house, "g-2", &charge, None, "service_fault").await.is(201).json();
    assert_eq!((&rest["credits"], &rest["available"]), (&"2".into(), &"15".into()));
    give_back(&house, "g-3", &charge, None, "goodwill").await.problem(409, "more_than_captured");
    assert_eq!(
        house.story().await,
        [
            "charged: lot 1 -3, used:generate 1 +3",
            "given_back: used:generate 1 -1, lot 1 +1",
            "given_back: used:generate 1 -2, lot 1 +2",
        ]
    );
}

#[tokio::test]
async fn a_job_is_given_back_by_its_own_name_even_when_the_wallet_has_forgotten_its_hold() {
    let house = House::open().await;
    let drawn = house.generate(json!({"prompt": "a fox", "n": 8, "size": "256x256"})).await.is(200).json();
    house.clock.advance(Duration::from_secs(40 * 24 * 3600));
    assert_eq!(house.available(), "15");
    // The month it came from is over: what is the operator's fault is replaced for a week.
    let given = give_back(&house, "g-1", &drawn["id"], None, "service_fault").await.is(201).json();
    assert_eq!((&given["credits"], &given["available"]), (&"2".into(), &"17".into()));
    let failed = house.generate(json!({"prompt": "a fox [fail]", "size": "256x256"})).await;
    failed.is(500);
    let failed = house.get("/api/jobs").key(&house.key).send().await.json()["jobs"][0]["id"].take();
    give_back(&house, "g-2", &failed, None, "goodwill").await.problem(404, "not_found");
}

#[tokio::test]
async fn what_was_given_back_leaves_the_budget_of_whoever_spent_it() {
    let house = House::open().await;
    house.change(Method::PUT, "budgets/account/day", "b-1", json!({"limit": "1"})).await.is(200);
    // What is spent at the very instant of the budget stays counted.
    house.clock.advance(Duration::from_secs(1));
    let body = json!({"prompt": "a fox", "size": "256x256"});
    let drawn = house.generate(body.clone()).await.is(200).json();
    house.generate(body.clone()).await.is(400);
    give_back(&house, "g-1", &drawn["id"], None, "goodwill").await.is(201);
    house.generate(body).await.is(200);
}

#[tokio::test]
async fn what_was_not_captured_from_this_account_is_not_given_back() {
    let house = House::idle().await;
    let (neighbour, _) = house.neighbour().await;
    let charge = house.charge("c-1", 1).await.is(201).json()["id"].take();
    for nothing in [json!(format!("hold_{:032x}", 9)), json!(format!("job_{:032x}", 9))] {
        give_back(&house, "g-1", &nothing, None, "goodwill").await.problem(404, "not_found");
    }
    for wrong in [json!({"capture": "x", "reason": "goodwill"}), json!({"capture": charge, "reason": "luck"})] {
        house.change(Method::POST, "give-backs", "g-1", wrong).await.problem(400, "invalid_value");
    }
    give_back(&house, "g-1", &charge, Some("0"), "goodwill").await.problem(409, "more_than_captured");
    let path = format!("/api/accounts/{}/give-backs", neighbour.id);
    let body = json!({"capture": charge, "reason": "goodwill"});
    let theirs = house.post(&path, body.clone()).key(&house.admin).idempotency_key("g-1").send().await;
    assert_eq!(theirs.problem(404, "not_found"), "There is no such capture.");
    house.post(&path, body).key(&house.admin).send().await.problem(400, "idempotency_key_required");
}

#[tokio::test]
async fn credits_given_for_nothing_are_taken_back_and_paid_ones_never() {
    let house = House::idle().await;
    let withdraw = async |key: &str, lot: u32, credits: &str| {
        house.change(Method::POST, "withdrawals", key, json!({"lot": lot, "credits": credits})).await
    };
    assert_eq!(withdraw("w-1", 1, "5").await.is(201).json()["available"], "10");
    assert_eq!(withdraw("w-1", 1, "5").await.is(201).head("idempotent-replayed"), "true");
    let told = withdraw("w-2", 1, "11").await.problem(409, "bad_withdrawal");
    assert_eq!(told, "At most 10 credits can be withdrawn of this lot, and only unpaid ones.");
    let paid = json!({"credits": "115", "class": "paid", "cost": "15.00 USD"});
    house.change(Method::POST, "grants", "g-1", paid).await.is(201);
    withdraw("w-2", 2, "1").await.problem(409, "bad_withdrawal");
    withdraw("w-2", 9, "1").await.problem(409, "bad_withdrawal");
    assert_eq!(house.story().await[0], "withdrawn: lot 1 -5, withdrawn 1 +5");
}

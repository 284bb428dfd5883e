//! Publishing prices over HTTP, and reading their history.

use std::time::Duration;

use serde_json::json;

use crate::house::House;

/// A version from the first of December on, at which an edit costs two credits and the free plan gives ten.
pub(crate) const DECEMBER: &str = r#"
[[version]]
effective = 2026-12-01T00:00:00Z
[version.operations]
generate = { credits = "1", included = 4 }
edit     = { credits = "2", included = 3 }
vary     = { credits = "1", included = 3 }
[version.plans.free]
monthly = "10"
[version.plans.none]
monthly = "0"
"#;

/// How many versions the house begins with.
const HOUSE: usize = 2;

#[tokio::test]
async fn a_published_version_counts_from_its_instant_on_and_a_hold_keeps_the_price_of_before() {
    let house = House::idle().await;
    let body = json!({ "book": DECEMBER, "reason": "edits are dearer to draw" });
    let published = house.post("/api/prices", body.clone()).key(&house.admin).send().await.is(201).json();
    assert_eq!(published["versions"][0]["operations"]["edit"]["credits"], "2");
    let kinds: Vec<&str> =
        published["warnings"].as_array().unwrap().iter().map(|warning| warning["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"plan-changes"), "{kinds:?}");
    // A repeat changes nothing.
    let again = house.post("/api/prices", body).key(&house.admin).send().await.is(200).json();
    assert_eq!(again["versions"], json!([]));

    let charge = |key: &'static str| {
        let body = json!({ "account": house.account.to_string(), "operation": "edit", "count": 3 });
        house.post("/api/charges", body).key(&house.service).idempotency_key(key).send()
    };
    charge("before").await.is(201);
    assert_eq!(house.available(), "14");
    house.clock.advance(Duration::from_secs(9 * 24 * 3600));
    charge("after").await.is(201);
    assert_eq!(house.available(), "12");
    // The same request again is the same charge.
    charge("after").await.is(201);
    assert_eq!(house.available(), "12");
}

#[tokio::test]
async fn the_history_says_what_was_is_and_comes_and_no_code_of_a_cohort() {
    let house = House::idle().await;
    let with_code = format!("{DECEMBER}\n[version.cohorts.beta]\nbonus = \"50\"\ncode = \"SECRET\"\n");
    let body = json!({ "book": with_code, "reason": "for December" });
    house.post("/api/prices", body).key(&house.admin).send().await.is(201);
    let answer = house.get("/api/prices").send().await.is(200);
    assert!(!answer.text().contains("SECRET"));
    let history = answer.json();
    let [past, now, next] = history["versions"].as_array().unwrap().as_slice() else { panic!("{history}") };
    assert_eq!(past["state"], "past");
    assert_eq!((&now["state"], &now["until"]), (&json!("in_force"), &json!("2026-12-01T00:00:00Z")));
    assert_eq!((&next["state"], &next["reason"]), (&json!("upcoming"), &json!("for December")));
    assert_eq!(next["published_at"], "2026-11-22T12:00:00Z");
    house.clock.advance(Duration::from_secs(9 * 24 * 3600));
    let later = house.get("/api/prices").send().await.is(200).json();
    assert_eq!((&later["versions"][1]["state"], &later["versions"][2]["state"]), (&json!("past"), &json!("in_force")));
}

#[tokio::test]
async fn what_is_wrong_with_a_book_is_said_and_nothing_is_published() {
    let house = House::idle().await;
    let publish = |book: String| house.post("/api/prices", json!({ "book": book })).key(&house.admin).send();
    let third = publish(DECEMBER.replace("\"2\"", "\"1/3\"")).await.problem(400, "invalid_price_book");
    assert!(third.contains("operation edit"), "{third}");
    let past = DECEMBER.replace("2026-12-01", "2026-11-01");
    publish(past).await.problem(400, "invalid_price_book");
    publish(DECEMBER.to_owned()).await.is(201);
    let edited = DECEMBER.replace("\"10\"", "\"11\"");
    publish(edited).await.problem(409, "price_version_edited");
    house
        .post("/api/prices", json!({ "book": DECEMBER, "reason": "x".repeat(501) }))
        .key(&house.admin)
        .send()
        .await
        .problem(400, "string_above_max_length");
    assert_eq!(house.get("/api/prices").send().await.json()["versions"].as_array().unwrap().len(), HOUSE + 1);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_published_and_publishes_nothing() {
    let house = House::idle().await;
    let body = json!({ "book": DECEMBER, "dry_run": true });
    let preview = house.post("/api/prices", body).key(&house.admin).send().await.is(200).json();
    assert_eq!(preview["versions"][0]["effective"], "2026-12-01T00:00:00Z");
    assert_eq!(house.get("/api/prices").send().await.json()["versions"].as_array().unwrap().len(), HOUSE);
}

#[tokio::test]
async fn two_publications_at_once_both_count() {
    let house = House::idle().await;
    let january = DECEMBER.replace("2026-12-01", "2027-01-01");
    let publish = |book: String| house.post("/api/prices", json!({ "book": book })).key(&house.admin).send();
    let (first, second) = tokio::join!(publish(DECEMBER.to_owned()), publish(january));
    first.is(201);
    second.is(201);
    assert_eq!(house.get("/api/prices").send().await.json()["versions"].as_array().unwrap().len(), HOUSE + 2);
}

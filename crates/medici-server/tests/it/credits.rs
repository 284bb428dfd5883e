//! What an account has, and how it came to that.

use std::time::Duration;

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn the_balance_is_told_by_lot_in_the_order_of_spending() {
    let house = House::idle().await;
    let pack = json!({"credits": "115", "class": "paid", "cost": "15.00 USD", "expires_at": "2027-11-22T12:00:00Z"});
    let grants = format!("/api/accounts/{}/grants", house.account);
    house.post(&grants, pack).key(&house.admin).idempotency_key("g-1").send().await.is(201);
    let answer = house.get("/api/credits").key(&house.key).send().await.is(200);
    assert_eq!(
        answer.json(),
        json!({
            "account": house.account.to_string(),
            "available": "130",
            "held": "0",
            "lots": [
                {"lot": 1, "class": "free", "source": "monthly", "granted": "15", "available": "15", "held": "0",
                 "expires_at": "2026-12-22T12:00:00Z", "cost": null},
                {"lot": 2, "class": "paid", "source": "purchase", "granted": "115", "available": "115", "held": "0",
                 "expires_at": "2027-11-22T12:00:00Z", "cost": "15.00 USD"},
            ],
            "next_refill": {"at": "2026-12-22T12:00:00Z", "credits": "15"},
            "first_expiring": {"at": "2026-12-22T12:00:00Z", "credits": "15"},
        })
    );
}

#[tokio::test]
async fn what_is_set_aside_is_held_and_no_longer_available() {
    let house = House::open().await;
    let body = json!({"prompt": "a fox [stall]", "size": "256x256"});
    let drawing = house.generate(body);
    let look = async {
        house.until("credits are held", async || house.available() == "14").await;
        house.get("/api/credits").key(&house.key).send().await.json()
    };
    let balance = tokio::select! {
        _ = drawing => panic!("a stalled engine does not answer"),
        balance = look => balance,
    };
    assert_eq!((balance["available"].as_str(), balance["held"].as_str()), (Some("14"), Some("1")));
    // The client is gone, and with it the job: the engine would keep its thread otherwise.
    house.until("the job is cancelled", async || house.available() == "15").await;
}

#[tokio::test]
async fn a_month_later_there_are_new_credits_without_anybody_writing_anything() {
    let house = House::idle().await;
    house.spend_all().await;
    house.clock.advance(Duration::from_secs(30 * 24 * 3600));
    let balance = house.get("/api/credits").key(&house.key).send().await.json();
    assert_eq!(balance["available"], "15");
    assert_eq!(balance["next_refill"]["at"], "2027-01-22T12:00:00Z");
}

#[tokio::test]
async fn entries_come_newest_first_page_by_page_with_words() {
    let house = House::open().await;
    for _ in 0..2 {
        house.generate(json!({"prompt": "a red fox", "size": "256x256"})).await.is(200);
    }
    let page = async |query: &str| {
        house.get(&format!("/api/credits/entries{query}")).key(&house.key).send().await.is(200).json()
    };
    let all = page("").await;
    let facts = |page: &serde_json::Value| -> Vec<String> {
        let entries = page["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["fact"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(facts(&all), ["captured", "held", "captured", "held", "granted", "opened"]);
    assert!(all["next_cursor"].is_null());
    assert_eq!(all["entries"][4]["words"], "granted 15 free credits (monthly) as lot 1, until 2026-12-22T12:00:00Z");
    assert_eq!(all["entries"][5]["seq"], 1);
    let first = page("?limit=4").await;
    assert_eq!(facts(&first), ["captured", "held", "captured", "held"]);
    let rest = page(&format!("?limit=4&cursor={}", first["next_cursor"])).await;
    assert_eq!(facts(&rest), ["granted", "opened"]);
    assert!(rest["next_cursor"].is_null());
}

#[tokio::test]
async fn a_page_has_bounds_and_a_query_has_no_unknown_words() {
    let house = House::idle().await;
    for query in ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=x", "colour=red", "limit=1&limit=2"] {
        let path = format!("/api/credits/entries?{query}");
        house.get(&path).key(&house.key).send().await.problem(400, "invalid_value");
    }
    house.get("/api/credits?colour=red").key(&house.key).send().await.problem(400, "invalid_value");
}

#[tokio::test]
async fn a_service_reads_any_account_and_an_account_only_itself() {
    let house = House::idle().await;
    let (neighbour, their_key) = house.neighbour().await;
    for path in ["/api/credits", "/api/credits/entries"] {
        let ask = |query: &str, key: &str| house.get(&format!("{path}{query}")).key(key);
        let theirs = format!("?account={}", neighbour.id);
        assert_eq!(ask(&theirs, &house.service).send().await.is(200).json()["account"], neighbour.id.to_string());
        ask("?account=ada", &house.admin).send().await.is(200);
        ask("?account=ada", &house.key).send().await.is(200);
        ask("", &house.service).send().await.problem(400, "missing_required_parameter");
        // Another's is as good as none.
        let foreign = ask(&theirs, &house.key).send().await.problem(404, "not_found");
        assert_eq!(foreign, ask("?account=nobody", &house.key).send().await.problem(404, "not_found"));
        ask("?account=nobody", &house.service).send().await.problem(404, "not_found");
        assert_eq!(ask("", &their_key).send().await.is(200).json()["account"], neighbour.id.to_string());
    }
}

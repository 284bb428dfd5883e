//! Rate limits: what is told of them, and what they refuse.

use std::time::Duration;

use medici_server::{Rates, ServerConfig};
use serde_json::json;

use crate::house::{House, Plan};

async fn house(rates: Rates) -> House {
    let config = ServerConfig { rates, ..ServerConfig::for_tests() };
    House::with(Plan { config, ..Plan::default() }).await
}

const TIGHT: Rates = Rates { requests_per_minute: 3, images_per_minute: 6, credits_per_minute: 0, cancels_per_hour: 1 };

#[tokio::test]
async fn every_reply_tells_what_is_left_of_the_minute() {
    let house = house(TIGHT).await;
    let answer = house.generate(json!({"prompt": "a fox", "n": 4, "size": "256x256"})).await.is(200);
    assert_eq!(answer.head("x-ratelimit-limit-requests"), "3");
    assert_eq!(answer.head("x-ratelimit-remaining-requests"), "2");
    assert_eq!(answer.head("x-ratelimit-reset-requests"), "20s");
    assert_eq!(answer.head("x-ratelimit-limit-images"), "6");
    assert_eq!(answer.head("x-ratelimit-remaining-images"), "2");
    assert_eq!(answer.head("x-ratelimit-reset-images"), "40s");
    assert!(!answer.headers.contains_key("x-ratelimit-limit-credits"), "there is no such limit");
}

#[tokio::test]
async fn beyond_the_limit_nothing_is_held_and_the_wait_is_told() {
    let house = house(TIGHT).await;
    house.generate(json!({"prompt": "a fox", "n": 4, "size": "256x256"})).await.is(200);
    let refused = house.generate(json!({"prompt": "a fox", "n": 4, "size": "256x256"})).await;
    assert_eq!(refused.head("retry-after"), "20");
    assert_eq!(refused.head("x-ratelimit-remaining-images"), "2");
    let told = refused.openai_error(429, "images", Some("rate_limit_exceeded"), None);
    let organization = house.account;
    assert!(
        told.starts_with(&format!(
            "Rate limit exceeded for images per minute in organization {organization}. Limit: 6/1min. Current: 8/1min."
        )),
        "{told}"
    );
    assert_eq!(house.available(), "14");
    house.clock.advance(Duration::from_secs(20));
    house.generate(json!({"prompt": "a fox", "n": 4, "size": "256x256"})).await.is(200);
    let never = house.generate(json!({"prompt": "a fox", "n": 7, "size": "256x256"})).await;
    never.openai_error(400, "invalid_request_error", Some("rate_limit_too_small"), Some("n"));
}

#[tokio::test]
async fn a_repeat_by_its_key_uses_nothing_of_the_minute() {
    let house = house(TIGHT).await;
    let ask = || {
        let body = json!({"prompt": "a fox", "n": 4, "size": "256x256"});
        house.post(crate::house::GENERATIONS, body).key(&house.key).idempotency_key("one").send()
    };
    ask().await.is(200);
    // Only two pictures are left of the minute, and the repeat asks for four.
    for _ in 0..4 {
        let again = ask().await.is(200);
        assert_eq!(again.head("idempotent-replayed"), "true");
        assert_eq!(again.head("x-ratelimit-remaining-requests"), "2");
        assert_eq!(again.head("x-ratelimit-remaining-images"), "2");
    }
    house.clock.advance(Duration::from_secs(20));
    house.generate(json!({"prompt": "a fox", "n": 4, "size": "256x256"})).await.is(200);
}

#[tokio::test]
async fn jobs_that_are_being_drawn_can_be_cancelled_so_often() {
    let house = house(Rates { cancels_per_hour: 1, ..Rates::default() }).await;
    let cancel = async |key: &str| {
        let body = json!({"prompt": "[stall]", "count": 1});
        let job = house.post("/api/jobs", body).key(&house.key).idempotency_key(key).send().await.is(202).json();
        let path = format!("/api/jobs/{}", job["id"].as_str().unwrap());
        house
            .until("it is drawn", async || house.get(&path).key(&house.key).send().await.json()["state"] == "running")
            .await;
        house.post(&format!("{path}/cancel"), json!({})).key(&house.key).send().await
    };
    cancel("one").await.is(200);
    assert_eq!(house.available(), "15");
    cancel("two").await.problem(429, "rate_limit_exceeded");
}

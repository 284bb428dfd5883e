//! An account's own jobs.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use crate::house::{GENERATIONS, House};

#[tokio::test]
async fn a_finished_job_shows_its_pictures_and_what_they_cost() {
    let house = House::open().await;
    let id =
        house.generate(json!({"prompt": "a red fox", "n": 2, "size": "256x256"})).await.is(200).json()["id"].take();
    let path = format!("/api/jobs/{}", id.as_str().unwrap());
    let job = house.get(&path).key(&house.key).send().await.is(200).json();
    assert_eq!(job["state"], "done");
    assert_eq!(job["prompt"], "a red fox");
    assert_eq!(job["model"], "dall-e-2");
    assert_eq!(job["credits"], json!({"quoted": "1", "charged": "1"}));
    assert_eq!(job["images"].as_array().unwrap().len(), 2);
    assert_eq!(job["finished_at"], "2026-11-22T12:00:00Z");
    let image = job["images"][0]["url"].as_str().unwrap().split_at("http://127.0.0.1:8080".len()).1;
    house.get(image).send().await.is(200);
    let again = house.ask(Method::POST, &format!("{path}/cancel")).key(&house.key).send().await;
    assert_eq!(again.problem(409, "job_ended"), "The job is done already.");
}

#[tokio::test]
async fn a_failed_job_says_why() {
    let house = House::open().await;
    house.generate(json!({"prompt": "a fox [fail]", "size": "256x256"})).await.is(500);
    let jobs = house.get("/api/jobs").key(&house.key).send().await.is(200).json();
    assert_eq!(jobs["jobs"][0]["state"], "failed");
    assert_eq!(jobs["jobs"][0]["reason"], "engine_failed");
    assert_eq!(jobs["jobs"][0]["credits"], json!({"quoted": "1", "charged": "0"}));
}

#[tokio::test]
async fn a_running_job_is_stopped_for_its_owner_and_for_nobody_else() {
    let house = House::open().await;
    let (_, neighbour) = house.neighbour().await;
    let body = json!({"prompt": "a fox [stall]", "size": "256x256"});
    let drawing = house.post(GENERATIONS, body).key(&house.key).send();
    let stop = async {
        house
            .until("it is drawn", async || {
                let jobs = house.get("/api/jobs").key(&house.key).send().await.json();
                jobs["jobs"][0]["state"] == "running"
            })
            .await;
        let id = house.get("/api/jobs").key(&house.key).send().await.json()["jobs"][0]["id"].take();
        let path = format!("/api/jobs/{}", id.as_str().unwrap());
        house.get(&path).key(&neighbour).send().await.problem(404, "not_found");
        let cancel = format!("{path}/cancel");
        house.ask(Method::POST, &cancel).key(&neighbour).send().await.problem(404, "not_found");
        let job = house.ask(Method::POST, &cancel).key(&house.key).send().await.is(200).json();
        assert_eq!(job["state"], "cancelled");
        house.ask(Method::POST, &cancel).key(&house.key).send().await.is(200);
    };
    let (answer, ()) = tokio::join!(drawing, stop);
    answer.openai_error(400, "invalid_request_error", Some("generation_cancelled"), None);
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn jobs_come_newest_first_page_by_page() {
    let house = House::open().await;
    for prompt in ["one", "two", "three"] {
        house.generate(json!({"prompt": prompt, "size": "256x256"})).await.is(200);
    }
    let page = async |query: &str| house.get(&format!("/api/jobs{query}")).key(&house.key).send().await.is(200).json();
    let prompts = |page: &serde_json::Value| -> Vec<String> {
        page["jobs"].as_array().unwrap().iter().map(|job| job["prompt"].as_str().unwrap().to_owned()).collect()
    };
    let first = page("?limit=2").await;
    assert_eq!(prompts(&first), ["three", "two"]);
    let rest = page(&format!("?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(prompts(&rest), ["one"]);
    assert!(rest["next_cursor"].is_null());
    for query in ["?limit=0", "?limit=101", "?cursor=x", "?colour=red"] {
        let path = format!("/api/jobs{query}");
        house.get(&path).key(&house.key).send().await.problem(400, "invalid_value");
    }
}

#[tokio::test]
async fn jobs_are_found_by_words_state_and_time() {
    let house = House::open().await;
    for prompt in ["A red Fox", "a blue fox", "a red teapot", "a red fox [fail]"] {
        house.generate(json!({"prompt": prompt, "size": "256x256"})).await;
        house.clock.advance(Duration::from_secs(60));
    }
    let (_, neighbour) = house.neighbour().await;
    let found = async |key: &str, query: &str| -> Vec<String> {
        let page = house.get(&format!("/api/jobs?{query}")).key(key).send().await.is(200).json();
        page["jobs"].as_array().unwrap().iter().map(|job| job["prompt"].as_str().unwrap().to_owned()).collect()
    };
    let own = async |query: &str| found(&house.key, query).await;
    assert_eq!(own("q=FOX%20red").await, ["a red fox [fail]", "A red Fox"]);
    assert_eq!(own("q=red+fox&state=done").await, ["A red Fox"]);
    assert_eq!(own("state=failed").await, ["a red fox [fail]"]);
    assert_eq!(own("q=dog").await, [""; 0]);
    assert_eq!(own("before=2026-11-22T12:01:00Z").await, ["A red Fox"]);
    assert_eq!(own("q=red&before=2026-11-22T12:03:00Z").await, ["a red teapot", "A red Fox"]);
    assert_eq!(found(&neighbour, "q=fox").await, [""; 0], "everybody finds their own");

    let page = house.get("/api/jobs?q=red&limit=2").key(&house.key).send().await.is(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(own(&format!("q=red&limit=2&cursor={cursor}")).await, ["A red Fox"]);
}

#[tokio::test]
async fn what_jobs_cannot_be_looked_for_by_is_said() {
    let house = House::idle().await;
    let many = format!("q={}", "a%20".repeat(11));
    let long = format!("q={}", "a".repeat(201));
    for (query, param, told) in [
        ("q=", "q", "At least one word needed."),
        (&many, "q", "11 words to look for found, up to 10 can be."),
        (&long, "q", "201 characters to look for found, up to 200 can be."),
        ("state=lost", "state", "The state is one of queued, running, done, failed, cancelled."),
    ] {
        let answer = house.get(&format!("/api/jobs?{query}")).key(&house.key).send().await;
        assert_eq!(answer.json()["param"], param, "{query}");
        assert_eq!(answer.problem(400, "invalid_value"), told, "{query}");
    }
    let answer = house.get("/api/jobs?before=yesterday").key(&house.key).send().await;
    assert_eq!(answer.json()["param"], "before");
    answer.problem(400, "invalid_value");
}

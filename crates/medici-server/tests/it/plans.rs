//! Plans: what they allow, how they change, cohorts, and terms of one account's own.

use axum::http::Method;
use serde_json::{Value, json};

use crate::house::{Answer, GENERATIONS, House};

/// Puts the account on the plan `small`: two pictures a request, one job at once, `dall-e-2` alone.
async fn small(house: &House) {
    house.change(Method::PUT, "plan", "small", json!({"plan": "small"})).await.is(200);
}

async fn draw(house: &House, body: Value) -> Answer {
    house.post(GENERATIONS, body).key(&house.key).send().await
}

#[tokio::test]
async fn a_plan_bounds_pictures_and_models_of_a_request() {
    let house = House::open().await;
    small(&house).await;
    let told = draw(&house, json!({"prompt": "a fox", "n": 3, "size": "256x256"})).await;
    let told = told.openai_error(400, "invalid_request_error", Some("plan_limit"), Some("n"));
    assert_eq!(told, "3 pictures asked for, up to 2 can be on the plan small.");
    let told = draw(&house, json!({"prompt": "a fox", "model": "gpt-image-1"})).await;
    let told = told.openai_error(400, "invalid_request_error", Some("plan_limit"), Some("model"));
    assert_eq!(told, "One of the models dall-e-2 needed on the plan small.");
    draw(&house, json!({"prompt": "a fox", "n": 2, "size": "256x256"})).await.is(200);
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn a_plan_bounds_the_jobs_that_are_open_at_once() {
    let house = House::open().await;
    small(&house).await;
    let stalled = draw(&house, json!({"prompt": "a fox [stall]", "size": "256x256"}));
    let another = async {
        house.until("a job is open", async || house.available() == "14").await;
        let told = draw(&house, json!({"prompt": "a fox", "size": "256x256"})).await;
        assert_eq!(told.head("retry-after"), "5");
        let told = told.openai_error(429, "rate_limit_error", Some("plan_limit"), None);
        assert!(told.starts_with("1 jobs wait or run, up to 1 may on the plan small."), "{told}");
        // Terms of its own take the place of the plan's.
        house.change(Method::PUT, "overrides", "o-1", json!({"jobs_open_max": 2})).await.is(200);
        let body = json!({"prompt": "another fox", "size": "256x256", "n": 2});
        let second = draw(&house, body);
        let accepted = house.until("a second job is open", async || house.available() == "13");
        tokio::select! {
            answer = second => panic!("the one worker draws the first: {}", answer.text()),
            () = accepted => {}
        }
    };
    tokio::select! {
        answer = stalled => panic!("a stalled engine does not answer: {}", answer.text()),
        () = another => {}
    }
    house.until("both are cancelled", async || house.available() == "15").await;
}

#[tokio::test]
async fn terms_of_its_own_are_set_shown_and_taken_away() {
    let house = House::idle().await;
    let body = json!({"monthly": "30", "images_max": 1, "models": ["gpt-image-1"]});
    let set = house.change(Method::PUT, "overrides", "o-1", body).await.is(200).json();
    let overrides = json!({"monthly": "30", "images_max": 1, "jobs_open_max": null, "models": ["gpt-image-1"]});
    assert_eq!(set["overrides"], overrides);
    let plan = house.get("/api/plan").key(&house.key).send().await.is(200).json();
    assert_eq!((&plan["plan"], &plan["monthly"]), (&"free".into(), &"30".into()));
    assert_eq!(plan["limits"], json!({"images_max": 1, "jobs_open_max": null, "models": ["gpt-image-1"]}));
    let shown = house.get("/api/accounts/ada").key(&house.admin).send().await.is(200).json();
    assert_eq!(shown["overrides"], overrides);
    let gone = house.change(Method::PUT, "overrides", "o-2", json!({})).await.is(200).json();
    assert_eq!(gone["overrides"], Value::Null);
    for wrong in [json!({"monthly": "-1"}), json!({"models": []}), json!({"models": [""]}), json!({"images": 1})] {
        house.change(Method::PUT, "overrides", "o-3", wrong).await.problem(400, "invalid_value");
    }
}

#[tokio::test]
async fn a_change_to_a_free_plan_keeps_what_was_used() {
    let house = House::idle().await;
    house.charge("c-1", 5).await.is(201);
    let more = house.change(Method::PUT, "plan", "p-1", json!({"plan": "large"})).await.is(200);
    assert_eq!((&more.json()["available"], &more.json()["plan"]), (&"15".into(), &"large".into()));
    let same = house.change(Method::PUT, "plan", "p-2", json!({"plan": "large"})).await.is(200).json();
    assert_eq!(same["entry"], Value::Null);
    let less = house.change(Method::PUT, "plan", "p-3", json!({"plan": "none"})).await.is(200).json();
    assert_eq!(less["available"], "0");
    // The first request is over, whatever has been changed since.
    let late = house.change(Method::PUT, "plan", "p-1", json!({"plan": "large"})).await.is(200);
    assert_eq!((late.head("idempotent-replayed"), &late.json()["plan"]), ("true", &"none".into()));
    house.change(Method::PUT, "plan", "p-4", json!({"plan": "gold"})).await.problem(400, "unknown_plan");
    house.change(Method::PUT, "plan", "p-4", json!({"plan": "studio"})).await.problem(409, "plan_costs");
    assert_eq!(
        house.story().await,
        [
            "charged: lot 1 -5, used:generate 1 +5",
            "plan_changed: ",
            "plan_changed: lot 2 -5, withdrawn 2 +5, lot 1 -10, withdrawn 1 +10",
        ]
    );
}

#[tokio::test]
async fn a_cohort_gives_its_bonus_once_by_hand_or_by_code() {
    let house = House::idle().await;
    let joined = house.change(Method::POST, "cohorts", "c-1", json!({"cohort": "beta"})).await.is(201).json();
    assert_eq!((&joined["available"], &joined["cohort"]), (&"65".into(), &"beta".into()));
    house.change(Method::POST, "cohorts", "c-2", json!({"cohort": "beta"})).await.problem(409, "cohort_joined");
    let again = house.change(Method::POST, "cohorts", "c-1", json!({"cohort": "beta"})).await.is(201);
    assert_eq!(again.head("idempotent-replayed"), "true");
    let wrong = json!({"cohort": "spring", "code": "AUTUMN"});
    house.change(Method::POST, "cohorts", "c-3", wrong).await.problem(400, "wrong_code");
    house.change(Method::POST, "cohorts", "c-3", json!({"cohort": "gold"})).await.problem(400, "unknown_cohort");
    let right = json!({"cohort": "spring", "code": "SPRING-27"});
    assert_eq!(house.change(Method::POST, "cohorts", "c-3", right).await.is(201).json()["available"], "85");
    let shown = house.get("/api/accounts/ada").key(&house.admin).send().await.is(200).json();
    assert_eq!(shown["cohorts"], json!(["beta", "spring"]));
}

#[tokio::test]
async fn an_account_opened_with_a_code_has_its_bonus_and_a_wrong_code_opens_none() {
    let house = House::idle().await;
    let open = async |body| house.post("/api/accounts", body).key(&house.admin).send().await;
    open(json!({"name": "carol", "code": "AUTUMN"})).await.problem(400, "wrong_code");
    open(json!({"name": "carol", "code": "SPRING-27"})).await.is(201);
    let balance = house.get("/api/credits?account=carol").key(&house.service).send().await.is(200).json();
    assert_eq!(balance["available"], "35");
    let names = async |query: &str| {
        let page = house.get(&format!("/api/accounts{query}")).key(&house.admin).send().await.is(200).json();
        let names =
            page["accounts"].as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), page["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(names("").await, (vec!["ada".to_owned(), "carol".to_owned()], None));
    assert_eq!(names("?limit=1").await, (vec!["ada".to_owned()], Some("ada".to_owned())));
    assert_eq!(names("?limit=1&cursor=ada").await.0, ["carol"]);
    house.get("/api/accounts/nobody").key(&house.admin).send().await.problem(404, "not_found");
}

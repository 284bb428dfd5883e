//! The same request twice: by key, by an SDK's own retry, and after a client has gone.

use std::{sync::Arc, time::Duration};

use medici_server::ServerConfig;
use medici_studio::moderation::{Moderator, NotJudged, Verdict, Zeal};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::house::{Answer, GENERATIONS, House, Plan};

async fn keyed(house: &House, key: &str, body: Value) -> Answer {
    house.post(GENERATIONS, body).key(&house.key).idempotency_key(key).send().await
}

/// What must be the same in a repeat: all but links, which are fresh, and what is available now.
fn lasting(answer: &Answer) -> Value {
    let mut body = answer.json();
    body["credits"]["balance"].take();
    for image in body["data"].as_array_mut().unwrap() {
        image["url"].take();
    }
    body
}

#[tokio::test]
async fn a_repeat_with_the_same_key_gets_the_same_pictures_for_nothing() {
    let house = House::open().await;
    let body = json!({"prompt": "a red fox", "n": 2, "size": "256x256"});
    let first = keyed(&house, "k-1", body.clone()).await.is(200);
    assert!(!first.headers.contains_key("idempotent-replayed"));
    house.clock.advance(Duration::from_secs(60));
    let again = keyed(&house, "k-1", json!({"size": "256x256", "n": 2, "prompt": "a red fox", "user": null})).await;
    assert_eq!(again.head("idempotent-replayed"), "true");
    assert_eq!(lasting(&first), lasting(&again.is(200)));
    assert_eq!(house.available(), "14");
    let other = keyed(&house, "k-2", body).await.is(200);
    assert_ne!(lasting(&first)["id"], lasting(&other)["id"]);
    assert_eq!(house.available(), "13");
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_account() {
    let house = House::open().await;
    let (_, neighbour) = house.neighbour().await;
    let body = json!({"prompt": "a red fox", "size": "256x256"});
    keyed(&house, "k-1", body.clone()).await.is(200);
    let other = keyed(&house, "k-1", json!({"prompt": "a blue fox", "size": "256x256"})).await;
    other.openai_error(422, "invalid_request_error", Some("idempotency_key_reused"), None);
    assert_eq!(house.available(), "14");
    let theirs = house.post(GENERATIONS, body).key(&neighbour).idempotency_key("k-1").send().await.is(200);
    assert!(!theirs.headers.contains_key("idempotent-replayed"));
    assert_eq!(theirs.head("medici-credits-balance"), "14");
}

#[tokio::test]
async fn a_failure_is_repeated_by_its_key_and_tried_anew_without() {
    let house = House::open().await;
    let body = json!({"prompt": "a fox [fail once]", "size": "256x256"});
    keyed(&house, "k-1", body.clone()).await.is(500);
    let again = keyed(&house, "k-1", body.clone()).await;
    assert_eq!(again.head("idempotent-replayed"), "true");
    again.openai_error(500, "server_error", Some("generation_failed"), None);
    let retry = house.post(GENERATIONS, body).key(&house.key).header("x-stainless-retry-count", "1");
    retry.send().await.is(200);
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn a_refusal_is_judged_anew() {
    let house = House::open().await;
    house.spend_all().await;
    let body = json!({"prompt": "a red fox", "size": "256x256"});
    keyed(&house, "k-1", body.clone()).await.is(429);
    let gift = json!({"credits": "1", "class": "promo"});
    let path = format!("/api/accounts/{}/grants", house.account);
    house.post(&path, gift).key(&house.admin).idempotency_key("g").send().await.is(201);
    keyed(&house, "k-1", body).await.is(200);
}

#[tokio::test]
async fn a_key_must_be_one_visible_text() {
    let house = House::idle().await;
    for key in ["", "a b", &"k".repeat(256)] {
        let refused = keyed(&house, key, json!({"prompt": "a"})).await;
        refused.openai_error(400, "invalid_request_error", Some("invalid_idempotency_key"), Some("Idempotency-Key"));
    }
}

#[tokio::test]
async fn two_requests_with_one_key_at_once_are_one_job() {
    let house = House::open().await;
    let body = json!({"prompt": "a fox [slow 5ms]", "size": "256x256"});
    let (one, two) = tokio::join!(keyed(&house, "k-1", body.clone()), keyed(&house, "k-1", body));
    assert_eq!(lasting(&one.is(200)), lasting(&two.is(200)));
    assert_eq!(house.available(), "14");
}

/// A server that draws nothing and keeps the job of a client that has gone for this long.
async fn patient(disconnect_grace: Duration) -> House {
    let config = ServerConfig { disconnect_grace, ..ServerConfig::for_tests() };
    House::with(Plan { worker: false, config, ..Plan::default() }).await
}

/// Begins a request and goes away while it is drawn.
async fn leave(house: &House, body: &Value, headers: &[(&str, &str)]) {
    let mut ask = house.post(GENERATIONS, body.clone()).key(&house.key);
    for (name, value) in headers {
        ask = ask.header(name, value);
    }
    let queued = async {
        while house.state.studio.store.candidate().is_none() {
            tokio::task::yield_now().await
        }
    };
    tokio::select! {
        _ = ask.send() => panic!("nobody draws"),
        () = queued => {}
    }
}

#[tokio::test]
async fn a_client_that_goes_away_has_its_job_cancelled_after_the_grace_time() {
    let house = House::idle().await;
    leave(&house, &json!({"prompt": "a fox"}), &[]).await;
    assert_eq!(house.available(), "14");
    house.until("the job is cancelled", async || house.available() == "15").await;
    assert_eq!(house.story().await, ["held: lot 1 -1, held 1 +1", "voided: held 1 -1, lot 1 +1"]);
    let jobs = house.get("/api/jobs").key(&house.key).send().await.json();
    assert_eq!(jobs["jobs"][0]["state"], "cancelled");
}

#[tokio::test]
async fn a_retry_that_joins_within_the_grace_time_keeps_the_job() {
    let house = patient(Duration::from_millis(400)).await;
    let body = json!({"prompt": "a fox"});
    leave(&house, &body, &[("idempotency-key", "k-1")]).await;
    let joined = keyed(&house, "k-1", body);
    let past_grace = tokio::time::sleep(3 * house.state.config.disconnect_grace);
    tokio::select! {
        answer = joined => panic!("answered while nobody draws: {}", answer.text()),
        () = past_grace => {}
    }
    // The second client has gone as well by now; until its grace time is over the job is there.
    assert_eq!(house.available(), "14");
    assert_eq!(house.studio().history(house.account, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_retry_of_an_sdk_claims_the_attempt_that_was_cut_off() {
    let house = patient(Duration::from_secs(60)).await;
    let body = json!({"prompt": "a fox"});
    // Long enough for a commit, after which the attempt is known.
    let began = house.post(GENERATIONS, body.clone()).key(&house.key).header("x-stainless-retry-count", "0").send();
    let gave_up = tokio::time::timeout(Duration::from_millis(500), began).await;
    assert!(gave_up.is_err(), "nobody draws");
    let ask = house.post(GENERATIONS, body.clone()).key(&house.key).header("x-stainless-retry-count", "1");
    let cancel = async {
        let jobs = house.get("/api/jobs").key(&house.key).send().await.json();
        assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1, "a second job was made");
        let path = format!("/api/jobs/{}/cancel", jobs["jobs"][0]["id"].as_str().unwrap());
        house.ask(axum::http::Method::POST, &path).key(&house.key).send().await.is(200);
    };
    let (answer, ()) = tokio::join!(ask.send(), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cancel.await;
    });
    assert_eq!(answer.head("x-should-retry"), "false");
    let told = answer.openai_error(400, "invalid_request_error", Some("generation_cancelled"), None);
    assert_eq!(told, "The request was cancelled. No credit was used.");
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn two_equal_requests_on_purpose_are_two_jobs_and_so_is_a_retry_after_a_whole_reply() {
    let house = House::open().await;
    let body = json!({"prompt": "a fox", "size": "256x256"});
    let (one, two) = tokio::join!(house.generate(body.clone()), house.generate(body.clone()));
    assert_ne!(one.is(200).json()["id"], two.is(200).json()["id"]);
    let retry = house.post(GENERATIONS, body).key(&house.key).header("x-stainless-retry-count", "1").send().await;
    assert!(!retry.is(200).headers.contains_key("idempotent-replayed"));
    assert_eq!(house.available(), "12");
}

/// A moderator that says so when it is asked, and judges when it is let.
struct Slow {
    asked: Semaphore,
    judge: Semaphore,
}

#[async_trait::async_trait]
impl Moderator for Slow {
    async fn words(&self, words: &str, _: Zeal) -> Result<Verdict, NotJudged> {
        self.asked.add_permits(1);
        self.judge.acquire().await.unwrap().forget();
        let blocked = words.contains("blocked");
        Ok(if blocked { Verdict::Blocked { categories: vec!["violence".into()] } } else { Verdict::Clear })
    }

    async fn picture(&self, _: &[u8], _: &str, _: Zeal) -> Result<Verdict, NotJudged> {
        Ok(Verdict::Clear)
    }

    fn judges_pictures(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn a_retry_joins_an_attempt_that_has_no_job_yet() {
    let slow = Arc::new(Slow { asked: Semaphore::new(0), judge: Semaphore::new(0) });
    let house = House::with(Plan { moderator: slow.clone(), ..Plan::default() }).await;
    let body = json!({"prompt": "a fox", "size": "256x256"});
    let ask = |retry: &'static str| {
        house.post(GENERATIONS, body.clone()).key(&house.key).header("x-stainless-retry-count", retry).send()
    };
    // Two attempts are given up before anything was held, one after the other.
    for retry in ["0", "1"] {
        tokio::select! {
            answer = ask(retry) => panic!("answered before it was judged: {}", answer.text()),
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
        }
    }
    let asked = slow.asked.available_permits();
    assert_eq!(asked, 1, "the retry waits for the first attempt's job");
    let last = ask("2");
    tokio::pin!(last);
    tokio::select! {
        answer = &mut last => panic!("answered before it was judged: {}", answer.text()),
        () = tokio::time::sleep(Duration::from_millis(100)) => {}
    }
    slow.judge.add_permits(1);
    last.await.is(200);
    assert_eq!(house.available(), "14");
    assert_eq!(house.studio().history(house.account, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_retry_of_an_attempt_that_came_to_nothing_is_a_new_request() {
    let slow = Arc::new(Slow { asked: Semaphore::new(0), judge: Semaphore::new(0) });
    let house = House::with(Plan { moderator: slow.clone(), ..Plan::default() }).await;
    let body = json!({"prompt": "a blocked fox", "size": "256x256"});
    let ask = |retry: &'static str| {
        house.post(GENERATIONS, body.clone()).key(&house.key).header("x-stainless-retry-count", retry).send()
    };
    tokio::select! {
        answer = ask("0") => panic!("answered before it was judged: {}", answer.text()),
        () = tokio::time::sleep(Duration::from_millis(300)) => {}
    }
    slow.judge.add_permits(2);
    ask("1").await.is(400);
    assert_eq!(slow.asked.available_permits(), 2, "it was judged itself");
    assert_eq!(house.available(), "15");
}

//! What an account deletes: gone from every face of the server, its credits as they were.

use axum::http::Method;
use serde_json::{Value, json};

use crate::house::{Answer, GENERATIONS, House};

impl House {
    async fn draw(&self, prompt: &str) -> Value {
        self.generate(json!({"prompt": prompt, "n": 2, "seed": 7, "size": "256x256"})).await.is(200).json()
    }

    async fn delete(&self, path: &str, key: &str) -> Answer {
        self.ask(Method::DELETE, path).key(key).send().await
    }

    async fn own(&self, path: &str) -> Answer {
        self.get(path).key(&self.key).send().await
    }
}

fn image(drawn: &Value, index: usize) -> String {
    format!("/api/images/{}", drawn["data"][index]["id"].as_str().unwrap())
}

fn job(drawn: &Value) -> String {
    format!("/api/jobs/{}", drawn["id"].as_str().unwrap())
}

fn link(drawn: &Value, index: usize) -> &str {
    drawn["data"][index]["url"].as_str().unwrap().split_at("http://127.0.0.1:8080".len()).1
}

#[tokio::test]
async fn a_deleted_image_is_gone_from_links_jobs_lists_and_pages_at_once() {
    let house = House::open().await;
    let (_, neighbour) = house.neighbour().await;
    let drawn = house.draw("a red fox").await;
    let tag = house.get(link(&drawn, 0)).send().await.is(200).head("etag").to_owned();
    let signed_in = house.get("/?token=one-time-token").send().await.is(303);
    let cookie = signed_in.head("set-cookie").split(';').next().unwrap().to_owned();
    let page = async |path: &str| house.get(path).header("cookie", &cookie).header("accept", "text/html").send().await;
    let picture = format!("/jobs/{}/images/1", drawn["id"].as_str().unwrap());
    page(&picture).await.is(200);
    assert!(page("/").await.is(200).text().contains(&picture));
    let story = house.story().await;

    house.delete(&image(&drawn, 0), &neighbour).await.problem(404, "not_found");
    for _ in 0..2 {
        let answer = house.delete(&image(&drawn, 0), &house.key).await.is(204);
        assert!(answer.body.is_empty());
    }
    house.get(link(&drawn, 0)).send().await.problem(404, "not_found");
    house.get(link(&drawn, 0)).header("if-none-match", &tag).send().await.problem(404, "not_found");
    house.own(&image(&drawn, 0)).await.problem(404, "not_found");
    page(&picture).await.is(404);
    assert!(!page("/").await.is(200).text().contains(&picture));
    let left = |images: &Value| images.as_array().unwrap().iter().map(|image| image["id"].clone()).collect::<Vec<_>>();
    assert_eq!(left(&house.own(&job(&drawn)).await.json()["images"]), [drawn["data"][1]["id"].clone()]);
    assert_eq!(left(&house.own("/api/images").await.json()["images"]), [drawn["data"][1]["id"].clone()]);
    house.get(link(&drawn, 1)).send().await.is(200);
    assert_eq!(house.files().await, 1);
    assert_eq!(house.story().await, story);
    house.delete(&image(&drawn, 0), &neighbour).await.problem(404, "not_found");
    house.verify();
}

#[tokio::test]
async fn a_picture_that_two_accounts_share_stays_for_the_other() {
    let house = House::open().await;
    let (_, neighbour) = house.neighbour().await;
    let mine = house.draw("a red fox").await;
    let body = json!({"prompt": "a red fox", "n": 2, "seed": 7, "size": "256x256"});
    let theirs = house.post(GENERATIONS, body).key(&neighbour).send().await.is(200).json();
    assert_eq!(house.files().await, 2);
    house.delete(&job(&mine), &house.key).await.is(204);
    house.get(link(&theirs, 0)).send().await.is(200);
    house.delete(&image(&theirs, 0), &neighbour).await.is(204);
    assert_eq!(house.files().await, 1);
    house.verify();
}

#[tokio::test]
async fn a_deleted_job_is_gone_and_what_it_cost_is_not() {
    let house = House::open().await;
    let (_, neighbour) = house.neighbour().await;
    let drawn = house.draw("a secret fox").await;
    let failed = house.generate(json!({"prompt": "a fox [fail]", "size": "256x256"})).await.is(500);
    drop(failed);
    let failed = house.own("/api/jobs?state=failed").await.json()["jobs"][0].take();
    let story = house.story().await;
    for path in [job(&drawn), format!("/api/jobs/{}", failed["id"].as_str().unwrap())] {
        house.delete(&path, &neighbour).await.problem(404, "not_found");
        house.delete(&path, &house.key).await.is(204);
        house.delete(&path, &house.key).await.is(204);
        house.delete(&path, &neighbour).await.problem(404, "not_found");
        house.own(&path).await.problem(404, "not_found");
        let cancel = house.ask(Method::POST, &format!("{path}/cancel")).key(&house.key).send().await;
        cancel.problem(404, "not_found");
    }
    for query in ["", "?q=secret", "?state=done"] {
        assert_eq!(house.own(&format!("/api/jobs{query}")).await.json()["jobs"], json!([]), "{query}");
    }
    assert_eq!(house.own("/api/images").await.json()["images"], json!([]));
    house.get(link(&drawn, 0)).send().await.problem(404, "not_found");
    house.delete(&image(&drawn, 0), &house.key).await.is(204);
    assert_eq!((house.files().await, house.available()), (0, "14".to_owned()));
    assert_eq!(house.story().await, story);
    house.verify();
}

#[tokio::test]
async fn an_open_job_is_not_deleted() {
    let house = House::idle().await;
    let queued = house.post(GENERATIONS, json!({"prompt": "a fox"})).key(&house.key).send();
    let deleting = async {
        house.until("it is queued", async || house.studio().store.queued() == 1).await;
        let id = house.own("/api/jobs").await.json()["jobs"][0]["id"].take();
        let path = format!("/api/jobs/{}", id.as_str().unwrap());
        let told = house.delete(&path, &house.key).await.problem(409, "job_open");
        assert_eq!(told, "The job is queued and can be deleted when it has ended; cancel it first.");
        house.ask(Method::POST, &format!("{path}/cancel")).key(&house.key).send().await.is(200);
        house.delete(&path, &house.key).await.is(204);
    };
    let (answer, ()) = tokio::join!(queued, deleting);
    // Whoever still waits hears that it was cancelled, or that it is gone, by which came first.
    assert!(matches!(answer.status.as_u16(), 400 | 410), "{}", answer.text());
    assert_eq!(house.available(), "15");
    house.verify();
}

#[tokio::test]
async fn a_repeat_of_a_request_whose_pictures_were_deleted_is_told_so_and_draws_nothing() {
    let house = House::open().await;
    let body = json!({"prompt": "a red fox", "n": 2, "size": "256x256"});
    let ask = async |key: &str| house.post(GENERATIONS, body.clone()).key(&house.key).idempotency_key(key).send().await;
    let one_by_one = ask("k-1").await.is(200).json();
    house.delete(&image(&one_by_one, 1), &house.key).await.is(204);
    let rest = ask("k-1").await.is(200);
    assert_eq!(rest.head("idempotent-replayed"), "true");
    assert_eq!(rest.json()["data"].as_array().unwrap().len(), 1, "what is left is handed over");
    house.delete(&image(&one_by_one, 0), &house.key).await.is(204);
    let whole = ask("k-2").await.is(200).json();
    house.delete(&job(&whole), &house.key).await.is(204);
    for key in ["k-1", "k-2"] {
        let answer = ask(key).await;
        assert_eq!((answer.head("idempotent-replayed"), answer.head("x-should-retry")), ("true", "false"));
        assert_eq!(answer.head("medici-credits-charged"), "0");
        let told = answer.openai_error(410, "invalid_request_error", Some("deleted"), None);
        assert!(told.starts_with("The pictures of this request were deleted."), "{told}");
    }
    assert_eq!(house.available(), "13");
    house.verify();
}

//! `POST /api/jobs`: prices without drawing, jobs that are answered at once, and pictures that are named by their id.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    form::{field, file, left_half, plain, png},
    house::{Answer, House},
};

async fn draw(house: &House, key: &str, body: Value) -> Answer {
    house.post("/api/jobs", body).key(&house.key).idempotency_key(key).send().await
}

/// Waits until a job has ended, and returns it.
async fn ended(house: &House, queued: Answer) -> Value {
    let id = queued.is(202).json()["id"].as_str().unwrap().to_owned();
    house.studio().finished(id.parse().unwrap()).await.unwrap().unwrap();
    house.get(&format!("/api/jobs/{id}")).key(&house.key).send().await.is(200).json()
}

#[tokio::test]
async fn a_price_is_told_without_drawing() {
    let house = House::open().await;
    let body = json!({"prompt": "a red fox", "count": 9, "size": "512x512", "quote": true});
    let told = house.post("/api/jobs", body).key(&house.key).send().await.is(200).json();
    assert_eq!((&told["quote"]["credits"], &told["quote"]["count"]), (&json!("3"), &json!(9)));
    assert!(told["quote"]["render_ms"].is_u64() && told["quote"]["wait_ms"].is_u64());
    let body = json!({"operation": "vary", "quote": true});
    let told = house.post("/api/jobs", body).key(&house.key).send().await.is(200).json();
    assert_eq!((&told["quote"]["credits"], &told["quote"]["count"]), (&json!("1"), &json!(3)));
    assert_eq!(house.available(), "15");
    let jobs = house.get("/api/jobs").key(&house.key).send().await.json();
    assert_eq!(jobs["jobs"], json!([]));
}

#[tokio::test]
async fn a_job_is_answered_at_once_and_its_repeat_is_the_same_job() {
    let house = House::open().await;
    let body = json!({"prompt": "a red fox", "seed": 7, "output_format": "jpeg", "output_compression": 80});
    let queued = draw(&house, "one", body.clone()).await;
    let at = queued.head("location").to_owned();
    let done = ended(&house, queued).await;
    assert_eq!(at, format!("/api/jobs/{}", done["id"].as_str().unwrap()));
    assert_eq!((&done["state"], &done["count"], &done["seed"]), (&json!("done"), &json!(4), &json!(7)));
    let url = done["images"][0]["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap();
    let image = house.get(url).send().await.is(200);
    assert_eq!(image.head("content-type"), "image/jpeg");
    assert!(image.body.starts_with(b"\xff\xd8\xff"));
    let again = draw(&house, "one", body).await.is(200);
    assert_eq!((&again.json()["id"], again.head("idempotent-replayed")), (&done["id"], "true"));
    assert_eq!(house.available(), "14");
    draw(&house, "one", json!({"prompt": "a fox"})).await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn pictures_of_ones_own_are_edited_and_varied_by_their_id() {
    let house = House::open().await;
    let first = ended(&house, draw(&house, "one", json!({"prompt": "a red fox", "count": 1})).await).await;
    let id = first["images"][0]["id"].as_str().unwrap();
    let mask = format!("data:image/png;base64,{}", STANDARD.encode(png(&left_half(256, 256))));
    let body = json!({"operation": "edit", "prompt": "a door", "image_id": id, "mask": mask, "count": 2});
    let edited = ended(&house, draw(&house, "two", body).await).await;
    assert_eq!((&edited["operation"], &edited["size"]), (&json!("edit"), &json!("256x256")));
    assert_eq!(edited["images"].as_array().unwrap().len(), 2);
    let varied = ended(&house, draw(&house, "three", json!({"operation": "vary", "image_id": id})).await).await;
    assert_eq!((&varied["operation"], &varied["prompt"]), (&json!("vary"), &json!("a red fox")));
    assert_eq!(varied["images"].as_array().unwrap().len(), 3);
    assert_eq!(house.available(), "12");

    // The very file, handed in again, is known too.
    let url = first["images"][0]["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap();
    let bytes = house.get(url).send().await.is(200).body;
    let ask = house.ask(axum::http::Method::POST, "/api/jobs").key(&house.key).idempotency_key("four");
    let parts = [file("image", &bytes), field("operation", "vary"), field("count", "1")];
    let ask = ask.header("content-type", &crate::form::media_type()).bytes(crate::form::body(&parts));
    let known = ended(&house, ask.send().await).await;
    assert_eq!(known["prompt"], "a red fox");

    // Somebody else's image is none.
    let (_, other) = house.neighbour().await;
    let body = json!({"operation": "vary", "image_id": id});
    let told = house.post("/api/jobs", body).key(&other).idempotency_key("x").send().await;
    told.problem(404, "not_found");
}

#[tokio::test]
async fn what_does_not_go_together_is_refused_and_costs_nothing() {
    let house = House::open().await;
    let image = format!("data:image/png;base64,{}", STANDARD.encode(png(&plain(32, 32, &[1, 2, 3]))));
    for (body, code) in [
        (json!({}), "missing_required_parameter"),
        (json!({"operation": "edit", "prompt": "a door"}), "missing_required_parameter"),
        (json!({"operation": "edit", "image": image}), "missing_required_parameter"),
        (json!({"operation": "edit", "image": image, "prompt": "a door"}), "invalid_mask"),
        (json!({"operation": "paint", "prompt": "a"}), "invalid_value"),
        (json!({"prompt": "a", "image": image}), "invalid_value"),
        (json!({"prompt": "a", "sparkle": true}), "unknown_parameter"),
        (json!({"prompt": "a", "count": 0}), "integer_below_min_value"),
        (json!({"prompt": "a", "steps": 99}), "integer_above_max_value"),
        (json!({"prompt": "a", "size": "big"}), "invalid_value"),
        (json!({"prompt": "a", "size": "300x300"}), "invalid_value"),
        (json!({"prompt": "a", "model": "dall-e-2"}), "model_not_found"),
        (json!({"prompt": "a", "output_format": "jpeg", "background": "transparent"}), "invalid_value"),
        (json!({"operation": "vary", "image": "data:image/png;base64,AAAA"}), "invalid_image"),
    ] {
        draw(&house, &body.to_string().len().to_string(), body).await.problem(400, code);
    }
    let told = house.post("/api/jobs", json!({"prompt": "a"})).key(&house.key).send().await;
    told.problem(400, "idempotency_key_required");
    let unknown = json!({"operation": "vary", "image_id": "img_00000000000000000000000000000001"});
    draw(&house, "lost", unknown).await.problem(404, "not_found");
    assert_eq!(house.available(), "15");
}

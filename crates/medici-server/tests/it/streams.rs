//! Streamed replies: the events that OpenAI's clients know, and nothing else.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    form::{field, file, left_half, plain, png},
    house::House,
};

/// Returns the events of a stream: their names and data.
fn events(stream: &str) -> Vec<(String, Value)> {
    let blocks = stream.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':'));
    blocks
        .map(|block| {
            let (name, data) = block.split_once('\n').unwrap_or_else(|| panic!("{block:?}"));
            let name = name.strip_prefix("event: ").unwrap().to_owned();
            (name, serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn early_looks_come_first_and_then_every_picture() {
    let house = House::open().await;
    let body = json!({"prompt": "a red fox", "n": 2, "stream": true, "partial_images": 2, "size": "256x256"});
    let answer = house.generate(body).await.is(200);
    assert_eq!(answer.head("content-type"), "text/event-stream");
    let told = events(answer.text());
    let (looks, pictures) = told.split_at(4);
    for (name, data) in looks {
        assert_eq!((name.as_str(), &data["type"]), ("image_generation.partial_image", &json!(name)));
        assert!(data["partial_image_index"].as_u64().unwrap() < 2);
    }
    assert_eq!(pictures.len(), 2);
    for (index, (name, data)) in pictures.iter().enumerate() {
        assert_eq!((name.as_str(), &data["type"]), ("image_generation.completed", &json!(name)));
        assert_eq!(data["image_index"], index);
        let usage = &data["usage"];
        assert_eq!(
            usage["total_tokens"],
            usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap()
        );
    }
    for (_, data) in &told {
        assert!(!data["b64_json"].as_str().unwrap().starts_with("data:"));
        assert_eq!((&data["size"], &data["quality"]), (&json!("256x256"), &json!("auto")));
        assert_eq!((&data["background"], &data["output_format"]), (&json!("auto"), &json!("png")));
        assert!(data["created_at"].is_u64());
    }
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn without_early_looks_only_the_pictures_come() {
    let house = House::open().await;
    let told = events(house.generate(json!({"prompt": "a fox", "stream": true})).await.is(200).text());
    assert_eq!(told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["image_generation.completed"]);
}

#[tokio::test]
async fn early_looks_are_files_of_the_pictures_kind_and_size() {
    let house = House::open().await;
    let found = |data: &Value| {
        let bytes = STANDARD.decode(data["b64_json"].as_str().unwrap()).unwrap();
        let probe = house.studio().decoder.probe(&bytes).unwrap();
        (probe.format.name(), probe.size.to_string(), data["size"].as_str().unwrap().to_owned())
    };
    let mut asked = json!({"prompt": "a red fox", "stream": true, "partial_images": 1, "output_format": "jpeg"});
    asked["size"] = json!("512x512");
    let told = events(house.generate(asked).await.is(200).text());
    let told: Vec<_> = told.iter().map(|(_, data)| found(data)).collect();
    assert_eq!(told, vec![("jpeg", "512x512".to_owned(), "512x512".to_owned()); 2]);

    // One of a larger job has its shape.
    let wide = png(&plain(2048, 1024, &[200, 30, 30]));
    let mask = png(&left_half(2048, 1024));
    let parts = [
        file("image", &wide),
        file("mask", &mask),
        field("prompt", "a blue door"),
        field("stream", "true"),
        field("partial_images", "1"),
        field("output_format", "webp"),
    ];
    let told = events(house.send_form("/v1/images/edits", &parts).await.is(200).text());
    let told: Vec<_> = told.iter().map(|(_, data)| found(data)).collect();
    let (look, picture) = ("1448x724".to_owned(), "2048x1024".to_owned());
    assert_eq!(told, [("webp", look.clone(), look), ("webp", picture.clone(), picture)]);
}

#[tokio::test]
async fn an_edit_is_streamed_under_its_own_name() {
    let house = House::open().await;
    let parts = [
        file("image", &png(&plain(64, 64, &[200, 30, 30]))),
        file("mask", &png(&left_half(64, 64))),
        field("prompt", "a blue door"),
        field("stream", "true"),
        field("partial_images", "1"),
    ];
    let told = events(house.send_form("/v1/images/edits", &parts).await.is(200).text());
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["image_edit.partial_image", "image_edit.completed"]);
}

#[tokio::test]
async fn a_failure_is_an_error_event_and_costs_nothing() {
    let house = House::open().await;
    let told = events(house.generate(json!({"prompt": "[fail]", "stream": true})).await.is(200).text());
    let [(name, data)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(name, "error");
    assert_eq!((&data["error"]["code"], &data["error"]["param"]), (&json!("generation_failed"), &Value::Null));
    assert!(data["error"]["message"].as_str().unwrap().ends_with("No credit was used."));
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn what_is_refused_before_the_stream_is_refused_in_json() {
    let house = House::open().await;
    let told = house.generate(json!({"prompt": "a fox", "stream": true, "n": 11})).await;
    told.openai_error(400, "invalid_request_error", Some("integer_above_max_value"), Some("n"));
    let told = house.generate(json!({"prompt": "a fox", "partial_images": 2})).await;
    told.openai_error(400, "invalid_request_error", Some("unsupported_value"), Some("partial_images"));
    let told = house.generate(json!({"prompt": "a fox", "stream": true, "partial_images": 4})).await;
    told.openai_error(400, "invalid_request_error", Some("integer_above_max_value"), Some("partial_images"));
}

#[tokio::test]
async fn a_native_stream_tells_steps_looks_and_the_end() {
    let house = House::open().await;
    let body = json!({"prompt": "a red fox", "count": 1, "previews": 1});
    let queued = house.post("/api/jobs", body).key(&house.key).idempotency_key("one").send().await.is(202).json();
    let path = format!("/api/jobs/{}/events", queued["id"].as_str().unwrap());
    let stream = house.get(&path).key(&house.key).send().await.is(200);
    let blocks = stream.text().split("\n\n").filter(|block| block.starts_with("id: "));
    let last = blocks.last().unwrap();
    assert!(last.contains("event: ended"), "{last}");
    let data: Value = serde_json::from_str(last.rsplit("data: ").next().unwrap()).unwrap();
    assert_eq!((&data["state"], &data["credits"]["charged"]), (&json!("done"), &json!("1")));
    // Whoever comes back with the id of the last event is told the end again.
    let again = async |last: &'static str| house.get(&path).key(&house.key).header("last-event-id", last).send().await;
    for last in ["", "1", "123456789"] {
        assert_eq!(again(last).await.is(200).text().matches("event: ended").count(), 1);
    }
    for strange in ["end", "-1", "1.0", "1234567890"] {
        again(strange).await.problem(400, "invalid_value");
    }
    // Another account's job is none.
    let (_, other) = house.neighbour().await;
    house.get(&path).key(&other).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_repeat_whose_pictures_were_deleted_says_so() {
    let house = House::open().await;
    let ask = async |key: &str| {
        let body = json!({"prompt": "a red fox", "stream": true, "size": "256x256"});
        let ask = house.post(crate::house::GENERATIONS, body).key(&house.key).idempotency_key(key);
        ask.send().await
    };
    let told = events(ask("one").await.is(200).text());
    assert!(told[0].1["seed"].is_u64());
    let path = format!("/api/images/{}", told[0].1["id"].as_str().unwrap());
    house.ask(axum::http::Method::DELETE, &path).key(&house.key).send().await.is(204);
    let told = events(ask("one").await.is(200).text());
    assert_eq!(
        told.iter().map(|(name, data)| (name.as_str(), &data["error"]["code"])).collect::<Vec<_>>(),
        [("error", &json!("deleted"))]
    );

    ask("two").await.is(200);
    let jobs = house.get("/api/jobs").key(&house.key).send().await.json();
    let path = format!("/api/jobs/{}", jobs["jobs"][0]["id"].as_str().unwrap());
    house.ask(axum::http::Method::DELETE, &path).key(&house.key).send().await.is(204);
    let again = ask("two").await;
    assert_eq!(again.head("x-should-retry"), "false");
    again.openai_error(410, "invalid_request_error", Some("deleted"), None);
}

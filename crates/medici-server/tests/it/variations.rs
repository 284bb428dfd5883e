//! `POST /v1/images/variations`: pictures like another, without words.

use serde_json::json;

use crate::{
    form::{field, file, plain, png},
    house::House,
};

const VARIATIONS: &str = "/v1/images/variations";

#[tokio::test]
async fn three_variations_cost_one_credit() {
    let house = House::open().await;
    let image = png(&plain(64, 64, &[200, 30, 30]));
    let parts = [file("image", &image), field("n", "3"), field("size", "256x256"), field("user", "ada")];
    let answer = house.send_form(VARIATIONS, &parts).await.is(200);
    let body = answer.json();
    assert_eq!((&body["size"], &body["safety_identifier"]), (&json!("256x256"), &json!("ada")));
    assert_eq!(body["data"].as_array().unwrap().len(), 3);
    assert!(body["data"][0]["url"].as_str().unwrap().contains("/images/"));
    assert_eq!(house.story().await, ["held: lot 1 -1, held 1 +1", "captured: held 1 -1, used:vary 1 +1"]);
}

#[tokio::test]
async fn a_variation_is_a_form_with_one_square_png() {
    let house = House::open().await;
    let told = house.post(VARIATIONS, json!({"image": "x"})).key(&house.key).send().await;
    told.openai_error(415, "invalid_request_error", Some("unsupported_media_type"), None);
    let told = house.send_form(VARIATIONS, &[field("n", "1")]).await;
    told.openai_error(400, "invalid_request_error", Some("missing_required_parameter"), Some("image"));
    let wide = png(&plain(64, 32, &[0, 0, 0]));
    let told = house.send_form(VARIATIONS, &[file("image", &wide)]).await;
    told.openai_error(400, "invalid_request_error", Some("invalid_image"), Some("image"));
    // The engine's own name promises less and takes more.
    let own = [file("image", &wide), field("model", "test-pattern"), field("size", "256x256")];
    house.send_form(VARIATIONS, &own).await.is(200);
    let square = png(&plain(64, 64, &[0, 0, 0]));
    for (name, value, code) in [
        ("stream", "true", "unsupported_value"),
        ("model", "dall-e-3", "unsupported_value"),
        ("n", "11", "integer_above_max_value"),
        ("n", "many", "invalid_type"),
    ] {
        let told = house.send_form(VARIATIONS, &[file("image", &square), field(name, value)]).await;
        told.openai_error(400, "invalid_request_error", Some(code), Some(name));
    }
    let prompt = [file("image", &square), field("model", "dall-e-2"), field("prompt", "a cat")];
    let told = house.send_form(VARIATIONS, &prompt).await;
    told.openai_error(400, "invalid_request_error", Some("unknown_parameter"), Some("prompt"));
}

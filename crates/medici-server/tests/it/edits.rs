//! `POST /v1/images/edits`: forms and JSON, masks, and every way a picture can be wrong.

use base64::{Engine, engine::general_purpose::STANDARD};
use medici_engine::PictureFiles;
use medici_studio::{Decoder, UploadLimits, engine::Pixels};
use serde_json::{Value, json};

use crate::{
    form::{Part, field, file, left_half, plain, png},
    house::{Answer, House},
};

const EDITS: &str = "/v1/images/edits";

fn pictures(answer: &Answer) -> Vec<Pixels> {
    let body = answer.json();
    let files =
        body["data"].as_array().unwrap().iter().map(|image| STANDARD.decode(image["b64_json"].as_str().unwrap()));
    let decoded = files.map(|file| PictureFiles.decode(&file.unwrap(), &UploadLimits::default()).unwrap());
    decoded.map(|upload| upload.pixels).collect()
}

/// Asserts that the right half of a picture is of one colour, and something else is on the left.
#[track_caller]
fn assert_right_half_is(picture: &Pixels, colour: [u8; 3]) {
    let channels = if picture.alpha { 4 } else { 3 };
    let width = picture.size.width as usize;
    let mut other = 0;
    for (at, pixel) in picture.bytes.chunks(channels).enumerate() {
        if at % width >= width / 2 {
            assert_eq!(pixel[..3], colour, "pixel {at}");
        } else if pixel[..3] != colour {
            other += 1;
        }
    }
    assert!(other > 0, "something was drawn");
}

fn good<'a>() -> Vec<Part<'a>> {
    vec![
        file("image", &png(&plain(64, 64, &[200, 30, 30]))),
        file("mask", &png(&left_half(64, 64))),
        field("prompt", "a blue door"),
        field("response_format", "b64_json"),
    ]
}

#[tokio::test]
async fn what_the_mask_keeps_is_kept_bit_for_bit_and_three_cost_one_credit() {
    let house = House::open().await;
    let mut parts = good();
    parts.push(field("n", "3"));
    let answer = house.send_form(EDITS, &parts).await.is(200);
    assert_eq!(answer.head("medici-credits-charged"), "1");
    assert_eq!(answer.json()["size"], "64x64");
    let drawn = pictures(&answer);
    assert_eq!(drawn.len(), 3);
    drawn.iter().for_each(|picture| assert_right_half_is(picture, [200, 30, 30]));
    assert_eq!(house.story().await, ["held: lot 1 -1, held 1 +1", "captured: held 1 -1, used:edit 1 +1"]);
}

#[tokio::test]
async fn an_image_with_transparency_is_its_own_mask() {
    let house = House::open().await;
    let mut own = left_half(64, 64);
    own.bytes.chunks_mut(4).for_each(|pixel| pixel[..3].copy_from_slice(&[1, 2, 3]));
    let parts = [file("image[]", &png(&own)), field("prompt", "a door"), field("response_format", "b64_json")];
    let answer = house.send_form(EDITS, &parts).await.is(200);
    assert_right_half_is(&pictures(&answer)[0], [1, 2, 3]);
}

#[tokio::test]
async fn the_json_form_takes_data_urls_and_fetches_nothing() {
    let house = House::open().await;
    let url = |pixels: &Pixels| format!("data:image/png;base64,{}", STANDARD.encode(png(pixels)));
    let body = json!({
        "images": [{"image_url": url(&plain(64, 64, &[200, 30, 30]))}],
        "mask": {"image_url": url(&left_half(64, 64))},
        "prompt": "a blue door",
        "model": "gpt-image-1.5",
        "stream": null,
    });
    let answer = house.post(EDITS, body).key(&house.key).send().await.is(200);
    assert_right_half_is(&pictures(&answer)[0], [200, 30, 30]);
    assert!(answer.json()["usage"]["input_tokens_details"]["image_tokens"].as_u64().unwrap() > 0);

    let ask = |image: Value| {
        let body = json!({"images": [image], "prompt": "a door"});
        house.post(EDITS, body).key(&house.key).send()
    };
    for (image, code) in [
        (json!({"image_url": "https://example.com/a.png"}), "unsupported_value"),
        (json!({"image_url": "http://127.0.0.1:8080/readyz"}), "unsupported_value"),
        (json!({"file_id": "file-1"}), "unsupported_value"),
        (json!({"image_url": "data:image/png;base64,!!"}), "invalid_value"),
        (json!({"image_url": "data:image/png,abc"}), "invalid_value"),
        (json!({"image_url": 7}), "invalid_type"),
        (json!("data:"), "invalid_type"),
    ] {
        ask(image).await.openai_error(400, "invalid_request_error", Some(code), Some("images"));
    }
    let none = house.post(EDITS, json!({"prompt": "a door"})).key(&house.key).send().await;
    none.openai_error(400, "invalid_request_error", Some("missing_required_parameter"), Some("images"));
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn another_size_makes_the_picture_or_the_canvas_larger() {
    let house = House::open().await;
    let sized = async |size: &str, image: &Pixels| {
        let parts = [
            file("image", &png(image)),
            file("mask", &png(&left_half(image.size.width, image.size.height))),
            field("prompt", "a door"),
            field("response_format", "b64_json"),
            field("size", size),
        ];
        let answer = house.send_form(EDITS, &parts).await.is(200);
        assert_eq!(answer.json()["size"], size.replace("auto", "64x32"));
        pictures(&answer).remove(0)
    };
    let wide = plain(64, 32, &[9, 99, 199]);
    assert_right_half_is(&sized("auto", &wide).await, [9, 99, 199]);
    assert_right_half_is(&sized("128x64", &wide).await, [9, 99, 199]);
    // The canvas is higher than the picture: what is above and below it is drawn too.
    let square = sized("64x64", &wide).await;
    assert_eq!(square.bytes[..3], square.bytes[..3]);
    let middle = 4 * (32 * 64 + 48);
    assert_eq!(square.bytes[middle..middle + 3], [9, 99, 199]);
}

#[tokio::test]
async fn what_is_wrong_with_a_mask_is_said_with_both_sizes() {
    let house = House::open().await;
    let image = png(&plain(64, 64, &[200, 30, 30]));
    let asked = async |mask: Option<Vec<u8>>| {
        let mut parts = vec![file("image", &image), field("prompt", "a door")];
        parts.extend(mask.iter().map(|mask| file("mask", mask)));
        let answer = house.send_form(EDITS, &parts).await;
        answer.openai_error(400, "invalid_request_error", Some("invalid_mask"), Some("mask"))
    };
    let told = asked(Some(png(&left_half(32, 64)))).await;
    assert!(told.contains("64x64") && told.contains("32x64"), "{told}");
    assert!(asked(Some(png(&plain(64, 64, &[0, 0, 0])))).await.contains("alpha"));
    assert!(asked(Some(png(&plain(64, 64, &[0, 0, 0, 255])))).await.contains("nothing"));
    assert!(asked(None).await.contains("mask"));
    assert_eq!(house.available(), "15");
    assert!(house.story().await.is_empty());
}

#[tokio::test]
async fn the_oldest_model_takes_one_small_square_png() {
    let house = House::open().await;
    let asked = async |image: Vec<u8>| {
        let parts = [file("image", &image), field("prompt", "a door"), field("model", "dall-e-2")];
        house.send_form(EDITS, &parts).await
    };
    let told = asked(b"\xff\xd8\xff\xe0 no png".to_vec()).await;
    let told = told.openai_error(400, "invalid_request_error", None, Some("image"));
    assert_eq!(told, "Uploaded image must be a PNG and less than 4 MB.");
    let mut long = png(&plain(64, 64, &[0, 0, 0, 0]));
    long.resize(4 << 20, 0);
    asked(long).await.openai_error(400, "invalid_request_error", None, Some("image"));
    let told = asked(png(&plain(64, 32, &[0, 0, 0, 0]))).await;
    let told = told.openai_error(400, "invalid_request_error", Some("invalid_image"), Some("image"));
    assert!(told.contains("64x32"), "{told}");
    let parts = [
        file("image", &png(&plain(64, 64, &[0, 0, 0, 0]))),
        field("prompt", "a door"),
        field("model", "dall-e-2"),
        field("background", "opaque"),
    ];
    let told = house.send_form(EDITS, &parts).await;
    told.openai_error(400, "invalid_request_error", Some("unknown_parameter"), Some("background"));
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn what_is_no_picture_is_told_apart() {
    let house = House::open().await;
    for bad in [&b"%PDF-1.7"[..], b"<svg/>", b"\x89PNG\r\n\x1a\n", b"x"] {
        let parts = [file("image", bad), field("prompt", "a door")];
        let told = house.send_form(EDITS, &parts).await;
        let told = told.openai_error(400, "image_generation_user_error", Some("invalid_image_file"), None);
        assert!(told.starts_with("Invalid image file or mode for image 1, please check your image file."), "{told}");
    }
    let two = [good().remove(0), good().remove(0), field("prompt", "a door")];
    house.send_form(EDITS, &two).await.openai_error(
        400,
        "invalid_request_error",
        Some("unsupported_value"),
        Some("image"),
    );
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn a_form_that_is_broken_is_refused_whatever_is_broken() {
    let house = House::open().await;
    let send = async |kind: &str, body: Vec<u8>| {
        house.ask(axum::http::Method::POST, EDITS).key(&house.key).header("content-type", kind).bytes(body).send().await
    };
    let whole = crate::form::body(&good());
    for cut in [0, 20, 100, whole.len() / 2, whole.len() - 8] {
        let told = send(&crate::form::media_type(), whole[..cut].to_vec()).await;
        told.openai_error(400, "invalid_request_error", Some("malformed_request"), None);
    }
    let told = send("multipart/form-data", whole.clone()).await;
    told.openai_error(400, "invalid_request_error", Some("malformed_request"), None);
    let told = send("text/plain", whole).await;
    told.openai_error(415, "invalid_request_error", Some("unsupported_media_type"), None);
    let mut parts = good();
    parts.push(field("n", "2"));
    parts.push(field("n", "3"));
    let told = house.send_form(EDITS, &parts).await;
    told.openai_error(400, "invalid_request_error", Some("invalid_value"), Some("n"));
    let mut parts = good();
    parts.push(field("n", "0"));
    let told = house.send_form(EDITS, &parts).await;
    told.openai_error(400, "invalid_request_error", Some("integer_below_min_value"), Some("n"));
    let blank: Vec<Part<'_>> = good().into_iter().filter(|(name, ..)| *name != "prompt").collect();
    let told = house.send_form(EDITS, &blank).await;
    told.openai_error(400, "invalid_request_error", Some("missing_required_parameter"), Some("prompt"));
    assert_eq!(house.available(), "15");
}

#[tokio::test]
async fn equal_fields_sent_twice_and_empty_ones_are_no_mistake() {
    let house = House::open().await;
    let mut parts = good();
    parts.extend([field("output_compression", "100"), field("output_compression", "100"), field("n", "")]);
    house.send_form(EDITS, &parts).await.is(200);
}

#[tokio::test]
async fn the_retry_of_an_edit_joins_whatever_boundary_it_has() {
    let house = House::open().await;
    let parts = good();
    let again = crate::form::body(&parts).iter().map(|byte| char::from(*byte)).collect::<String>();
    assert!(again.contains("medici-test"));
    let first = house.ask(axum::http::Method::POST, EDITS).key(&house.key).idempotency_key("one");
    let first = first.header("content-type", &crate::form::media_type()).bytes(crate::form::body(&parts)).send().await;
    let other: Vec<u8> =
        again.replace("medici-test", "other").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let second = house.ask(axum::http::Method::POST, EDITS).key(&house.key).idempotency_key("one");
    let kind = crate::form::media_type().replace("medici-test", "other");
    let second = second.header("content-type", &kind).bytes(other).send().await.is(200);
    assert_eq!(first.is(200).json()["id"], second.json()["id"]);
    assert_eq!(second.head("idempotent-replayed"), "true");
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn a_picture_keeps_its_size_up_to_what_the_engine_edits() {
    let house = House::open().await;
    for ((width, height), found) in [((2100, 2050), "2100x2050"), ((4200, 2100), "4096x2048")] {
        let picture = png(&plain(width, height, &[200, 30, 30]));
        let mask = png(&left_half(width, height));
        let parts = [file("image", &picture), file("mask", &mask), field("prompt", "a blue door")];
        let body = house.send_form("/v1/images/edits", &parts).await.is(200).json();
        assert_eq!(body["size"], found);
    }
}

#[tokio::test]
async fn what_is_too_long_or_too_large_is_told_in_the_words_of_the_model() {
    let house = House::open().await;
    let (picture, mask) = (png(&plain(64, 64, &[200, 30, 30])), png(&left_half(64, 64)));
    let send = async |more: &[crate::form::Part]| {
        let mut parts = vec![file("image", &picture), file("mask", &mask)];
        parts.extend_from_slice(more);
        house.send_form("/v1/images/edits", &parts).await
    };
    let long = "x".repeat(200_000);
    let told = send(&[field("prompt", &long)]).await.openai_error(400, "invalid_request_error", None, Some("prompt"));
    assert!(told.contains("Your prompt length is 200000."), "{told}");
    for size in ["10x10", "8192x8192", "5000x100", "large"] {
        let told = send(&[field("prompt", "a"), field("size", size)]).await;
        let told = told.openai_error(400, "invalid_request_error", Some("invalid_value"), Some("size"));
        assert!(told.contains("16 to 4096 pixels a side"), "{told}");
    }
    for (number, code) in [
        ("99999999999999999999", "integer_above_max_value"),
        ("-99999999999999999999", "integer_below_min_value"),
        ("many", "invalid_type"),
    ] {
        let told = send(&[field("prompt", "a"), field("n", number)]).await;
        told.openai_error(400, "invalid_request_error", Some(code), Some("n"));
    }
    let huge: serde_json::Value =
        serde_json::from_str(r#"{"prompt": "a", "n": 1000000000000000000000000000000}"#).unwrap();
    let told = house.generate(huge).await;
    told.openai_error(400, "invalid_request_error", Some("integer_above_max_value"), Some("n"));
}

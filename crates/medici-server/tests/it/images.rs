//! Links to images: signed, expiring, and safe to look at.

use std::time::Duration;

use axum::http::Method;
use medici_ledger::Operation;
use medici_studio::{
    FileFormat, Finished, Output, Submit,
    engine::{Background, Size, Spec},
};
use serde_json::json;

use crate::house::House;

/// Draws two pictures and returns their links as paths.
async fn links(house: &House) -> Vec<String> {
    let body = house.generate(json!({"prompt": "a red fox", "n": 2, "size": "256x256"})).await.is(200).json();
    let path =
        |image: &serde_json::Value| image["url"].as_str().unwrap().split_at("http://127.0.0.1:8080".len()).1.to_owned();
    body["data"].as_array().unwrap().iter().map(path).collect()
}

#[tokio::test]
async fn an_image_is_served_so_that_a_browser_can_only_look_at_it() {
    let house = House::open().await;
    let link = &links(&house).await[0];
    let answer = house.get(link).send().await.is(200);
    assert_eq!(answer.head("content-type"), "image/png");
    assert_eq!(answer.head("x-content-type-options"), "nosniff");
    assert_eq!(answer.head("content-security-policy"), "sandbox; default-src 'none'");
    assert_eq!(answer.head("cache-control"), "private, max-age=3600, immutable");
    assert!(answer.head("content-disposition").starts_with("inline; filename=\"medici-"));
    assert!(answer.head("content-disposition").ends_with("-1.png\""));
    let tag = answer.head("etag");
    let known = house.get(link).header("if-none-match", tag).send().await.is(304);
    assert!(known.body.is_empty());
    let head = house.ask(Method::HEAD, link).send().await.is(200);
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn a_link_works_for_sixty_minutes() {
    let house = House::open().await;
    let link = &links(&house).await[0];
    house.clock.advance(Duration::from_secs(3_599));
    assert_eq!(house.get(link).send().await.is(200).head("cache-control"), "private, max-age=1, immutable");
    house.clock.advance(Duration::from_secs(1));
    house.get(link).send().await.problem(410, "expired_link");
}

#[tokio::test]
async fn a_link_is_good_for_its_own_image_only() {
    let house = House::open().await;
    let links = links(&house).await;
    let (mine, query) = links[0].split_once('?').unwrap();
    let (other, _) = links[1].split_once('?').unwrap();
    house.get(&format!("{other}?{query}")).send().await.problem(403, "bad_link");
    house.get(mine).send().await.problem(403, "bad_link");
    // Without a signature an image that exists and one that does not are alike, and no key opens either.
    house.get("/images/img_00000000000000000000000000000000.png").send().await.problem(403, "bad_link");
    house.get(mine).key(&house.key).send().await.problem(403, "bad_link");
    house.get("/images/%ff.png").send().await.is(400);
    let longer = query.replacen("expires=", "expires=9", 1);
    house.get(&format!("{mine}?{longer}")).send().await.problem(403, "bad_link");
}

/// Draws a picture that is kept as a file of a kind.
async fn drawn_as(house: &House, format: FileFormat) -> Finished {
    let request = Submit {
        account: house.account,
        api_key: None,
        operation: Operation::Generate,
        model: "dall-e-2".to_owned(),
        spec: Spec {
            prompt: "a red fox".to_owned(),
            count: 1,
            size: Size::square(256),
            seed: 7,
            background: Background::Auto,
            steps: None,
            previews: 0,
            readings: Vec::new(),
        },
        output: Output { format, compression: 80 },
        keep_prompt: false,
        key: None,
    };
    let ticket = house.studio().submit(request).await.unwrap();
    house.studio().finished(ticket.job).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_image_is_served_as_the_file_it_is() {
    let house = House::open().await;
    for (format, extension, begins) in [
        (FileFormat::Png, ".png", &b"\x89PNG"[..]),
        (FileFormat::Jpeg, ".jpg", b"\xff\xd8\xff"),
        (FileFormat::Webp, ".webp", b"RIFF"),
    ] {
        let job = drawn_as(&house, format).await.job.id;
        let body = house.get(&format!("/api/jobs/{job}")).key(&house.key).send().await.is(200).json();
        let link = body["images"][0]["url"].as_str().unwrap().split_at("http://127.0.0.1:8080".len()).1;
        assert!(link.contains(&format!("{extension}?")), "{link}");
        let answer = house.get(link).send().await.is(200);
        assert_eq!(answer.head("content-type"), format.media_type());
        assert!(answer.head("content-disposition").ends_with(&format!("-1{extension}\"")));
        assert!(answer.body.starts_with(begins));
        // Under another kind's name it is not served, signature or not.
        let other = if format == FileFormat::Webp { ".png" } else { ".webp" };
        house.get(&link.replace(extension, other)).send().await.problem(403, "bad_link");
    }
}

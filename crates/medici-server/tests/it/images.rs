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

#[tokio::test]
async fn an_image_tells_what_it_is_to_its_owner_alone() {
    let house = House::open().await;
    let (_, neighbour) = house.neighbour().await;
    let drawn = house.generate(json!({"prompt": "a red fox", "n": 2, "size": "256x256"})).await.is(200).json();
    let path = format!("/api/images/{}", drawn["data"][1]["id"].as_str().unwrap());
    let mut image = house.get(&path).key(&house.key).send().await.is(200).json();
    let url = image["url"].take();
    let url = url.as_str().unwrap().split_at("http://127.0.0.1:8080".len()).1;
    let file = house.get(url).send().await.is(200);
    assert_eq!(
        image,
        json!({
            "id": drawn["data"][1]["id"], "job": drawn["id"], "index": 1, "url": null, "size": "256x256",
            "media_type": file.head("content-type"), "bytes": file.body.len(), "reading": "bars, number 1",
            "created_at": "2026-11-22T12:00:00Z",
        })
    );
    house.get(&path).key(&neighbour).send().await.problem(404, "not_found");
    for none in ["/api/images/img_00000000000000000000000000000000", "/api/images/x"] {
        house.get(none).key(&house.key).send().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn images_come_newest_first_page_by_page() {
    let house = House::open().await;
    let (_, neighbour) = house.neighbour().await;
    let mut expected = Vec::new();
    for prompt in ["one", "two"] {
        let drawn = house.generate(json!({"prompt": prompt, "n": 2, "size": "256x256"})).await.is(200).json();
        expected.extend(drawn["data"].as_array().unwrap().iter().map(|image| image["id"].clone()));
    }
    expected.reverse();
    let page = async |key: &str, query: &str| {
        let page = house.get(&format!("/api/images{query}")).key(key).send().await.is(200).json();
        let ids: Vec<_> = page["images"].as_array().unwrap().iter().map(|image| image["id"].clone()).collect();
        (ids, page["next_cursor"].as_str().map(str::to_owned))
    };
    let (first, next) = page(&house.key, "?limit=3").await;
    assert_eq!(first, expected[..3]);
    assert_eq!(page(&house.key, &format!("?limit=3&cursor={}", next.unwrap())).await, (expected[3..].to_vec(), None));
    assert_eq!(page(&neighbour, "").await, (Vec::new(), None));
    for query in ["?limit=0", "?limit=101", "?cursor=x", "?colour=red"] {
        let path = format!("/api/images{query}");
        house.get(&path).key(&house.key).send().await.problem(400, "invalid_value");
    }
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
        source: Default::default(),
        quality: None,
        zeal: Default::default(),
        readings: false,
        key: None,
        attended: false,
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

//! Ten thousand bodies that were good once: whatever became of them, the answer is one that is documented.

use axum::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use medici_server::{Rates, ServerConfig};
use medici_studio::Ids;
use medici_testkit::SeededIds;
use serde_json::{Value, json};

use crate::{
    form::{self, field, file, left_half, plain, png},
    house::{Answer, House, Plan},
};

const FORMS: usize = 5_000;
const OBJECTS: usize = 5_000;

/// Numbers by chance, the same in every run.
struct Chance(SeededIds);

impl Chance {
    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.0.next() % bound.max(1) as u128).unwrap()
    }

    /// Changes a body in one to four places.
    fn mutated(&self, bodies: &[Vec<u8>]) -> Vec<u8> {
        let mut body = bodies[self.below(bodies.len())].clone();
        for _ in 0..=self.below(4) {
            let (from, length) = (self.below(body.len()), self.below(64));
            let until = (from + length).min(body.len());
            match self.below(7) {
                0 if !body.is_empty() => body[from] ^= 1 << self.below(8),
                1 if !body.is_empty() => body[from] = u8::try_from(self.below(256)).unwrap(),
                2 => body.truncate(from),
                3 => drop(body.drain(from..until)),
                4 => {
                    let piece = body[from..until].to_vec();
                    body.splice(from..from, piece);
                }
                5 => {
                    let other = &bodies[self.below(bodies.len())];
                    let at = self.below(other.len());
                    let piece = other[at..(at + length).min(other.len())].to_vec();
                    body.splice(from..until, piece);
                }
                _ => {
                    let words: [&[u8]; 8] =
                        [b"null", b"-1", b"99999999999999999999", b"\"\"", b"[]", b"\r\n--", b"\xff\xfe", b"1e999"];
                    body.splice(from..until, words[self.below(words.len())].iter().copied());
                }
            }
        }
        body
    }
}

/// Asserts that an answer is one that the API has: never a failure of ours, always a message in its dialect.
#[track_caller]
fn assert_documented(answer: &Answer, body: &[u8]) {
    let status = answer.status.as_u16();
    assert!(
        matches!(status, 200 | 202 | 400 | 404 | 413 | 415 | 422 | 429),
        "{status} {}\n{}",
        answer.text(),
        String::from_utf8_lossy(body)
    );
    if status >= 400 {
        let told = answer.json();
        let named = told["error"]["message"].is_string() || told["detail"].is_string();
        assert!(named, "{told}");
    }
}

async fn house() -> House {
    let rates = Rates { requests_per_minute: 0, images_per_minute: 0, credits_per_minute: 0, cancels_per_hour: 0 };
    House::with(Plan { worker: false, config: ServerConfig { rates, ..ServerConfig::for_tests() }, ..Plan::default() })
        .await
}

#[tokio::test]
async fn forms_that_were_good_once() {
    let house = house().await;
    house.spend_all().await;
    let (image, mask) = (png(&plain(32, 32, &[200, 30, 30])), png(&left_half(32, 32)));
    let parts = [
        vec![file("image", &image), file("mask", &mask), field("prompt", "a door"), field("n", "2")],
        vec![file("image[]", &mask), field("prompt", "a door"), field("model", "gpt-image-1"), field("size", "auto")],
        vec![file("image", &image), field("model", "dall-e-2"), field("size", "256x256"), field("user", "ada")],
    ];
    let bodies: Vec<Vec<u8>> = parts.iter().map(|parts| form::body(parts)).collect();
    let chance = Chance(SeededIds::new(20_261_126));
    for number in 0..FORMS {
        let path = ["/v1/images/edits", "/v1/images/variations", "/api/jobs"][number % 3];
        let body = chance.mutated(&bodies);
        let ask = house.ask(Method::POST, path).key(&house.key).idempotency_key(&number.to_string());
        let answer = ask.header("content-type", &form::media_type()).bytes(body.clone()).send().await;
        assert_documented(&answer, &body);
    }
    assert_eq!(house.available(), "0");
}

#[tokio::test]
async fn objects_that_were_good_once() {
    let house = house().await;
    house.spend_all().await;
    let url = |bytes: &[u8]| format!("data:image/png;base64,{}", STANDARD.encode(bytes));
    let (image, mask) = (url(&png(&plain(16, 16, &[200, 30, 30]))), url(&png(&left_half(16, 16))));
    let objects: [Value; 4] = [
        json!({"prompt": "a red fox", "n": 4, "size": "256x256", "seed": 7, "model": "dall-e-2"}),
        json!({"prompt": "a fox", "model": "gpt-image-1", "quality": "high", "output_format": "webp",
               "output_compression": 80, "background": "transparent", "user": "ada"}),
        json!({"images": [{"image_url": image}], "mask": {"image_url": mask}, "prompt": "a door"}),
        json!({"operation": "edit", "image": image, "mask": mask, "prompt": "a door", "count": 2, "quote": true}),
    ];
    let bodies: Vec<Vec<u8>> = objects.iter().map(|object| object.to_string().into_bytes()).collect();
    let chance = Chance(SeededIds::new(2_026));
    for number in 0..OBJECTS {
        let path = ["/v1/images/generations", "/v1/images/edits", "/api/jobs"][number % 3];
        let body = chance.mutated(&bodies);
        let ask = house.ask(Method::POST, path).key(&house.key).idempotency_key(&number.to_string());
        let answer = ask.header("content-type", "application/json").bytes(body.clone()).send().await;
        assert_documented(&answer, &body);
    }
    assert_eq!(house.available(), "0");
}

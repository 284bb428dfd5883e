//! The owner's session: the printed URL, the cookie, and requests of other sites.

use std::time::Duration;

use axum::http::Method;
use medici_server::ServerConfig;

use crate::house::{Answer, House, Plan};

const PRINTED: &str = "/?token=one-time-token";

fn cookie(answer: &Answer) -> String {
    answer.head("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_printed_url_signs_one_browser_in() {
    let house = House::idle().await;
    let first = house.get(PRINTED).send().await.is(303);
    assert_eq!(first.head("location"), "/");
    assert_eq!(first.head("cache-control"), "no-store");
    assert_eq!(first.head("referrer-policy"), "no-referrer");
    let set = first.head("set-cookie");
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=2592000"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(!set.contains("Secure"), "over http a browser would not send it back: {set}");
    let cookie = cookie(&first);
    house.get("/").header("cookie", &cookie).send().await.is(200);
    house.get("/").header("cookie", &format!("a=b; {cookie}; c=d")).send().await.is(200);
    // The same browser may open it again; another one may not.
    house.get(PRINTED).header("cookie", &cookie).send().await.is(303);
    let second = house.get(PRINTED).send().await.is(401);
    assert!(second.text().contains("used already"));
    assert!(!second.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_wrong_token_and_a_prefetch_do_not_use_the_right_one_up() {
    let house = House::idle().await;
    for wrong in ["/?token=", "/?token=guess", "/?token=one-time-toke", "/?token=one-time-token2"] {
        let answer = house.get(wrong).send().await.is(401);
        assert!(!answer.headers.contains_key("set-cookie"), "{wrong}");
    }
    house.get(PRINTED).header("sec-purpose", "prefetch;prerender").send().await.is(503);
    house.ask(Method::HEAD, PRINTED).send().await.is(401);
    house.get(PRINTED).send().await.is(303);
}

#[tokio::test]
async fn a_cookie_that_was_changed_or_is_over_is_no_session() {
    let house = House::idle().await;
    let cookie = cookie(&house.get(PRINTED).send().await.is(303));
    let (body, signature) = cookie.rsplit_once('.').unwrap();
    let (account, ends) = body.rsplit_once('.').unwrap();
    for changed in [
        format!("{account}.{}.{signature}", ends.parse::<i64>().unwrap() + 1),
        format!("{body}.{}", signature.to_lowercase()),
        body.to_owned(),
        format!("medici={signature}"),
        String::new(),
    ] {
        house.get("/").header("cookie", &changed).send().await.is(401);
    }
    house.clock.advance(Duration::from_secs(30 * 24 * 3600 - 1));
    house.get("/").header("cookie", &cookie).send().await.is(200);
    house.clock.advance(Duration::from_secs(1));
    house.get("/").header("cookie", &cookie).send().await.is(401);
}

#[tokio::test]
async fn over_tls_the_cookie_is_tied_to_the_host() {
    let config = ServerConfig { base_url: "https://127.0.0.1:8080".to_owned(), ..ServerConfig::for_tests() };
    let house = House::with(Plan { worker: false, config, ..Plan::default() }).await;
    let answer = house.get(PRINTED).send().await.is(303);
    let set = answer.head("set-cookie");
    assert!(set.starts_with("__Host-medici=") && set.contains("; Secure"), "{set}");
    house.get("/").header("cookie", &cookie(&answer)).send().await.is(200);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let house = House::idle().await;
    let cookie = cookie(&house.get(PRINTED).send().await.is(303));
    let post = || {
        let ask = house.ask(Method::POST, "/create").header("cookie", &cookie);
        ask.header("content-type", "application/x-www-form-urlencoded").bytes("prompt=a+red+fox")
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:9999"),
    ] {
        post().header(name, value).send().await.is(403);
    }
    post().send().await.is(403);
    assert_eq!(house.studio().store.queued(), 0);
    let ours = post().header("origin", "http://127.0.0.1:8080").send().await;
    assert_ne!(ours.status, 403);
}

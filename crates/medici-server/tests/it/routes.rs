//! Every route there is, and who may use it.

use axum::http::{Method, StatusCode};
use medici_server::{Access, route_list};
use serde_json::json;

use crate::house::{Answer, House};

/// A body that every route can parse far enough to look at the key first, or is refused for after it.
async fn ask(house: &House, method: &str, path: &str, key: Option<&str>) -> Answer {
    let path = filled(path, &house.account.to_string());
    let mut ask = house.ask(method.parse().unwrap(), &path).idempotency_key("k");
    if method != "GET" {
        ask = ask.json(json!({}));
    }
    if let Some(key) = key {
        ask = ask.key(key);
    }
    ask.send().await
}

/// A path with something in all of its variable segments.
fn filled(path: &str, id: &str) -> String {
    let segments = [("{id}", id), ("{file}", "img.png"), ("{order}", "order_1"), ("{reversal}", "dp_1")];
    let segments =
        segments.into_iter().chain([("{subject}", "account"), ("{period}", "day"), ("{image}", "img"), ("{seq}", "1")]);
    segments.fold(path.to_owned(), |path, (name, text)| path.replace(name, text))
}

#[tokio::test]
async fn every_route_lets_in_whom_it_says_and_nobody_else() {
    let house = House::idle().await;
    let revoked = {
        let (neighbour, secret) = house.neighbour().await;
        let keys = house.studio().store.api_keys(Some(neighbour.id)).await.unwrap();
        house.state.revoke_api_key(keys[0].id).await.unwrap();
        secret
    };
    let (account, service, admin) = (house.key.as_str(), house.service.as_str(), house.admin.as_str());
    for (method, path, access) in route_list() {
        let (good, bad): (&[&str], &[&str]) = match access {
            // Anybody: there is nothing to be refused, with or without a key.
            Access::Public => {
                for key in [None, Some("nonsense"), Some(account)] {
                    let status = ask(&house, method, path, key).await.status;
                    assert!(!refused(status), "{method} {path} answers {status}");
                }
                continue;
            }
            // A link: no key opens it.
            Access::Link => {
                for key in [None, Some(account), Some(admin)] {
                    assert_eq!(ask(&house, method, path, key).await.status, StatusCode::FORBIDDEN, "{method} {path}");
                }
                continue;
            }
            Access::AnyKey => (&[account, service, admin], &[]),
            Access::Account => (&[account], &[service, admin]),
            Access::Service => (&[service, admin], &[account]),
            Access::Admin => (&[admin], &[account, service]),
        };
        for key in [None, Some("nonsense"), Some(revoked.as_str())] {
            let status = ask(&house, method, path, key).await.status;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} with {key:?}");
        }
        for key in bad {
            assert_eq!(ask(&house, method, path, Some(key)).await.status, StatusCode::FORBIDDEN, "{method} {path}");
        }
        for key in good {
            let status = ask(&house, method, path, Some(key)).await.status;
            assert!(!refused(status), "{method} {path} answers {status}");
        }
    }
}

fn refused(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// The routes of the pages, as their module declares them: method word and path.
fn page_routes() -> Vec<(Method, String)> {
    let source = include_str!("../../src/web/mod.rs");
    let declared = source.lines().filter_map(|line| line.trim().strip_prefix(".route(\""));
    let mut routes = Vec::new();
    for line in declared {
        let (path, handler) = line.split_once('"').unwrap();
        let path = path.replace("{id}", &format!("job_{:032x}", 1)).replace("{number}", "1");
        for (word, method) in [("get(", Method::GET), ("post(", Method::POST), ("any(", Method::GET)] {
            if handler.contains(word) {
                routes.push((method, path.replace("{file}", "none.css").replace("{*path}", "none")));
            }
        }
    }
    routes
}

#[tokio::test]
async fn every_page_needs_the_session_but_what_is_public() {
    let house = House::idle().await;
    let routes = page_routes();
    assert!(routes.len() > 1, "the pages' routes are declared otherwise now: {routes:?}");
    for (method, path) in routes {
        let ask = || house.ask(method.clone(), &path).header("sec-fetch-site", "same-origin");
        let bare = ask().send().await.status;
        let keyed = ask().key(&house.key).send().await.status;
        let expected = match path.as_str() {
            "/assets/none.css" | "/none" => StatusCode::NOT_FOUND,
            // It tells what the document tells, which is public.
            "/docs/api" => StatusCode::OK,
            _ => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(bare, expected, "{method} {path}");
        assert_eq!(keyed, expected, "{method} {path}: an API key is no session");
    }
}

#[tokio::test]
async fn a_session_opens_no_route_of_the_apis() {
    let house = House::idle().await;
    let signed_in = house.get("/?token=one-time-token").send().await.is(303);
    let cookie = signed_in.head("set-cookie").split(';').next().unwrap().to_owned();
    for (method, path, access) in route_list() {
        if matches!(access, Access::Public | Access::Link) {
            continue;
        }
        let path = filled(path, "x");
        let ask = house.ask(method.parse().unwrap(), &path).header("cookie", &cookie).json(json!({}));
        assert_eq!(ask.send().await.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

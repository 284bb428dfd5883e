//! What is not allowed is refused on every way in, costs nothing, and is not repeated.

use std::sync::Arc;

use axum::http::Method;
use medici_studio::moderation::{Moderator, NotJudged, RuleList, Verdict, Zeal};
use serde_json::json;

use crate::house::{House, Plan};

const RULES: &str = "[[rule]]\ncategory = \"weapons\"\nwords = [\"blunderbuss\"]\n";

async fn house(moderator: Arc<dyn Moderator>) -> House {
    House::with(Plan { moderator, ..Plan::default() }).await
}

#[tokio::test]
async fn blocked_words_are_a_bad_request_that_costs_nothing() {
    let house = house(Arc::new(RuleList::parse(RULES).unwrap())).await;
    let answer = house.generate(json!({"prompt": "a shiny blunderbuss"})).await.is(400);
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(!message.is_empty() && !answer.text().contains("blunderbuss"), "{message}");
    assert_eq!(house.story().await, [""; 0]);
    assert_eq!(house.available(), "15");
    house.generate(json!({"prompt": "a shiny fox"})).await.is(200);
}

#[tokio::test]
async fn a_form_with_blocked_words_says_what_they_were_taken_for() {
    let house = house(Arc::new(RuleList::parse(RULES).unwrap())).await;
    let printed = house.get("/?token=one-time-token").send().await.is(303);
    let cookie = printed.head("set-cookie").split(';').next().unwrap().to_owned();
    let ask = house.ask(Method::POST, "/create").header("cookie", &cookie).header("origin", "http://127.0.0.1:8080");
    let ask = ask.header("content-type", "application/x-www-form-urlencoded");
    let page = ask.bytes("prompt=a+blunderbuss&key=a&size=256x256&count=1").send().await.is(422);
    assert!(
        page.text().contains("These words are not allowed here (weapons). Nothing was charged."),
        "{}",
        page.text()
    );
    assert_eq!(house.available(), "15");
}

/// A moderator that is away.
struct Away;

#[async_trait::async_trait]
impl Moderator for Away {
    async fn words(&self, _: &str, _: Zeal) -> Result<Verdict, NotJudged> {
        Err(NotJudged("a secret of the operator's".into()))
    }

    async fn picture(&self, _: &[u8], _: &str, _: Zeal) -> Result<Verdict, NotJudged> {
        Err(NotJudged("a secret of the operator's".into()))
    }

    fn judges_pictures(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn what_cannot_be_judged_may_be_tried_again_and_costs_nothing() {
    let house = house(Arc::new(Away)).await;
    let answer = house.generate(json!({"prompt": "a red fox"})).await.is(503);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!((house.available().as_str(), house.story().await.len()), ("15", 0));
}

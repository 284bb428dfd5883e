//! A moderator that asks an OpenAI-compatible API: `POST {endpoint}/moderations`.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use medici_studio::moderation::{Moderator, NotJudged, Verdict, Zeal};
use serde_json::{Value, json};

use crate::outside::{CallError, Outside};

/// Asks somebody else.
pub(crate) struct OpenAiModeration {
    pub(crate) outside: Outside,
    pub(crate) model: String,
    /// Whether it is asked about pictures.
    pub(crate) pictures: bool,
    /// The categories that count; `None` for all.
    pub(crate) categories: Option<BTreeSet<String>>,
    /// Those that count with [`Zeal::Low`].
    pub(crate) categories_low: BTreeSet<String>,
}

impl OpenAiModeration {
    async fn ask(&self, input: Value, zeal: Zeal) -> Result<Verdict, NotJudged> {
        let body = json!({"model": self.model, "input": [input]});
        let answer = self.outside.post("/moderations", &body).await;
        let found = answer.and_then(|answer| found(&answer)).map_err(|failure| NotJudged(failure.into()))?;
        let counts = |category: &String| match (zeal, &self.categories) {
            (Zeal::Low, _) => self.categories_low.contains(category),
            (Zeal::Auto, Some(counted)) => counted.contains(category),
            (Zeal::Auto, None) => true,
        };
        let categories: Vec<String> = found.into_iter().filter(counts).collect();
        Ok(if categories.is_empty() { Verdict::Clear } else { Verdict::Blocked { categories } })
    }
}

#[async_trait::async_trait]
impl Moderator for OpenAiModeration {
    async fn words(&self, words: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        self.ask(json!({"type": "text", "text": words}), zeal).await
    }

    async fn picture(&self, file: &[u8], media_type: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        if !self.pictures {
            return Ok(Verdict::Clear);
        }
        let url = format!("data:{media_type};base64,{}", STANDARD.encode(file));
        self.ask(json!({"type": "image_url", "image_url": {"url": url}}), zeal).await
    }

    fn judges_pictures(&self) -> bool {
        self.pictures
    }
}

/// Returns the categories that were found. An answer without any categories at all is none.
fn found(answer: &Value) -> Result<BTreeSet<String>, CallError> {
    /// The most categories of an answer, and the longest name of one.
    const BOUNDS: (usize, usize) = (100, 64);
    let strange = || CallError::Strange("a verdict");
    let categories = answer["results"][0]["categories"].as_object().ok_or_else(strange)?;
    let (count_max, chars_max) = BOUNDS;
    if categories.is_empty() || categories.len() > count_max || categories.keys().any(|name| name.len() > chars_max) {
        return Err(strange());
    }
    let mut found = BTreeSet::new();
    for (name, value) in categories {
        match value {
            Value::Bool(true) => {
                found.insert(name.clone());
            }
            // OpenAI writes null for what the model does not look for.
            Value::Bool(false) | Value::Null => {}
            Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => return Err(strange()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outside::fake::{Fake, Say};

    const PATIENT: Duration = Duration::from_secs(20);

    async fn asking(say: Say, timeout: Duration) -> (Fake, OpenAiModeration) {
        let fake = Fake::start(say).await;
        let moderation = OpenAiModeration {
            outside: fake.outside(timeout),
            model: "omni-moderation-latest".into(),
            pictures: true,
            categories: None,
            categories_low: BTreeSet::from(["sexual/minors".into()]),
        };
        (fake, moderation)
    }

    /// An answer as OpenAI's reference has it, shortened.
    fn answer(violence: bool, minors: bool) -> Value {
        json!({
            "id": "modr-970d409ef3bef3b70c73d8232df86e7d",
            "model": "omni-moderation-latest",
            "results": [{
                "flagged": violence || minors,
                "categories": {
                    "sexual": false, "sexual/minors": minors, "harassment": false, "illicit": null,
                    "violence": violence, "violence/graphic": false
                },
                "category_scores": {"violence": 0.9999992, "sexual/minors": 0.1},
                "category_applied_input_types": {"violence": ["image"]}
            }]
        })
    }

    fn blocked(categories: &[&str]) -> Verdict {
        Verdict::Blocked { categories: categories.iter().map(ToString::to_string).collect() }
    }

    #[tokio::test]
    async fn words_are_sent_as_text_and_what_is_true_is_blocked() {
        let (fake, moderation) = asking(Say::Json(answer(true, true)), PATIENT).await;
        let verdict = moderation.words("a \"fox\"", Zeal::Auto).await.unwrap();
        assert_eq!(verdict, blocked(&["sexual/minors", "violence"]));
        let heard = fake.heard().remove(0);
        assert!(heard.head.starts_with("POST /v1/moderations "), "{}", heard.head);
        let input = json!([{"type": "text", "text": "a \"fox\""}]);
        assert_eq!(heard.body, json!({"model": "omni-moderation-latest", "input": input}));
        let (_, clear) = asking(Say::Json(answer(false, false)), PATIENT).await;
        assert_eq!(clear.words("a fox", Zeal::Auto).await.unwrap(), Verdict::Clear);
    }

    #[tokio::test]
    async fn pictures_are_sent_as_data_urls() {
        let (fake, moderation) = asking(Say::Json(answer(true, false)), PATIENT).await;
        assert_eq!(moderation.picture(b"\x89PNG", "image/png", Zeal::Auto).await.unwrap(), blocked(&["violence"]));
        let input = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}]);
        assert_eq!(fake.heard().remove(0).body["input"], input);
    }

    #[tokio::test]
    async fn pictures_are_not_sent_where_they_are_not_to_be() {
        let (fake, moderation) = asking(Say::Json(answer(true, false)), PATIENT).await;
        let moderation = OpenAiModeration { pictures: false, ..moderation };
        assert!(!moderation.judges_pictures());
        assert_eq!(moderation.picture(b"x", "image/png", Zeal::Auto).await.unwrap(), Verdict::Clear);
        assert!(fake.heard().is_empty());
    }

    #[tokio::test]
    async fn only_the_categories_that_count_block() {
        let (_fake, moderation) = asking(Say::Json(answer(true, false)), PATIENT).await;
        assert_eq!(moderation.words("x", Zeal::Low).await.unwrap(), Verdict::Clear);
        assert_eq!(moderation.picture(b"x", "image/png", Zeal::Low).await.unwrap(), Verdict::Clear);
        let lenient = OpenAiModeration { categories: Some(BTreeSet::from(["sexual".into()])), ..moderation };
        assert_eq!(lenient.words("x", Zeal::Auto).await.unwrap(), Verdict::Clear);
        let (_fake, moderation) = asking(Say::Json(answer(true, true)), PATIENT).await;
        assert_eq!(moderation.words("x", Zeal::Low).await.unwrap(), blocked(&["sexual/minors"]));
    }

    #[tokio::test]
    async fn an_answer_that_is_no_verdict_judges_nothing() {
        for strange in [
            json!({}),
            json!([]),
            json!("clear"),
            json!({"results": []}),
            json!({"results": [{"flagged": false}]}),
            json!({"results": [{"categories": {}}]}),
            json!({"results": [{"categories": {"violence": "no"}}]}),
            json!({"results": [{"categories": {"violence": 0.1}}]}),
            json!({"results": [{"categories": {"x".repeat(65): true}}]}),
        ] {
            let (_fake, moderation) = asking(Say::Json(strange.clone()), PATIENT).await;
            let NotJudged(cause) = moderation.words("x", Zeal::Auto).await.expect_err(&strange.to_string());
            assert_eq!(cause.to_string(), "the answer is not a verdict");
        }
    }

    #[tokio::test]
    async fn a_service_that_fails_or_is_slow_judges_nothing() {
        for say in [Say::status(500, "{}"), Say::status(200, "<html>"), Say::Bytes(Vec::new())] {
            let (_fake, moderation) = asking(say, PATIENT).await;
            assert!(moderation.words("x", Zeal::Auto).await.is_err());
        }
        let (_fake, moderation) = asking(Say::Nothing, Duration::from_millis(50)).await;
        assert!(moderation.picture(b"x", "image/png", Zeal::Auto).await.is_err());
    }
}

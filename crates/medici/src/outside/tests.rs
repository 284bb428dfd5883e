use serde_json::json;

use super::{
    fake::{Fake, Say},
    *,
};

/// Enough for an answer that comes, on a machine that is busy.
const PATIENT: Duration = Duration::from_secs(20);
/// Enough for one that does not.
const HASTY: Duration = Duration::from_millis(100);

async fn call(say: Say, timeout: Duration) -> Result<Value, CallError> {
    let fake = Fake::start(say).await;
    fake.outside(timeout).post("/ask", &json!({"words": "secret"})).await
}

#[tokio::test]
async fn json_goes_out_with_the_key_and_json_comes_back() {
    let fake = Fake::start(Say::Json(json!({"good": true}))).await;
    let outside = fake.outside(PATIENT);
    for _ in 0..2 {
        assert_eq!(outside.post("/ask", &json!({"words": "x"})).await.unwrap(), json!({"good": true}));
    }
    let heard = fake.heard();
    assert_eq!(heard.len(), 2);
    assert!(heard[0].head.starts_with("POST /v1/ask HTTP/1.1\r\n"), "{}", heard[0].head);
    assert!(heard[0].head.contains("\r\nauthorization: Bearer sk-test\r\n"), "{}", heard[0].head);
    assert_eq!(heard[0].body, json!({"words": "x"}));
}

#[tokio::test]
async fn whatever_goes_wrong_is_an_error_that_repeats_nothing() {
    let huge = format!("HTTP/1.1 200 OK\r\n\r\n\"{}\"", "x".repeat(2 << 20));
    let long_head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n{{}}", "x".repeat(1 << 20));
    for (say, expected) in [
        (Say::status(200, "secret"), "the answer is not JSON"),
        (Say::status(200, ""), "the answer is not JSON"),
        (Say::status(500, "secret"), "the service answered with status 500"),
        (Say::status(429, "{}"), "the service answered with status 429"),
        (Say::status(302, "{}"), "the service answered with status 302"),
        (Say::Bytes(b"secret\r\n\r\n".to_vec()), "the service cannot be reached"),
        (Say::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}".to_vec()), "the service cannot be reached"),
        (Say::Bytes(Vec::new()), "the service cannot be reached"),
        (Say::Bytes(long_head.into_bytes()), "the service cannot be reached"),
        (Say::Bytes(huge.into_bytes()), "the answer has more than 1048576 bytes"),
    ] {
        let failure = call(say, PATIENT).await.unwrap_err();
        assert_eq!(failure.to_string(), expected);
        let whole = format!("{:#}", anyhow::Error::from(failure));
        assert!(!whole.contains("secret"), "{whole}");
    }
}

#[tokio::test]
async fn an_answer_that_is_late_or_never_ends_is_not_waited_for() {
    for say in [Say::Nothing, Say::Slowly] {
        let failure = call(say, HASTY).await.unwrap_err();
        assert!(matches!(failure, CallError::TimedOut(_)), "{failure:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_or_speaks_no_tls_cannot_be_reached() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let gone = Outside::new(Address::parse(&format!("http://{address}")).unwrap(), None, PATIENT).unwrap();
    assert!(matches!(gone.post("/ask", &json!({})).await, Err(CallError::Unreachable(_))));
}

#[test]
fn addresses_are_read_and_nonsense_is_not() {
    for text in ["http://127.0.0.1:8000", "https://api.openai.com/v1", "http://[::1]:1/v1/"] {
        assert!(Address::parse(text).is_ok(), "{text}");
    }
    for text in
        ["", "api.openai.com", "ftp://x/", "/v1", "https://", "http://me:pass@host/", "http://host/?a=b", "http://h/#a"]
    {
        assert!(Address::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_that_cannot_be_sent_is_refused_without_being_told() {
    let address = Address::parse("http://127.0.0.1:1").unwrap();
    for key in ["", "sk\nsecret"] {
        let refused = Outside::new(address.clone(), Some(key), PATIENT).err().expect("it is refused");
        assert!(!format!("{refused:#}").contains("secret"), "{refused:#}");
    }
}

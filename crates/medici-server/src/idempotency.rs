//! The `Idempotency-Key` header, and the fingerprint of what it was sent with.

use axum::http::{HeaderMap, HeaderName};
use medici_ledger::{
    AccountId,
    idempotency::{Endpoint, Fingerprint, Keep, KeyScope},
};
use medici_studio::KeyUse;
use serde_json::{Map, Value};

use crate::error::Fault;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// Reads the header, if it is there. Refuses one that is empty, too long, or there twice.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let good =
        |text: &&str| !text.is_empty() && text.len() <= KEY_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic());
    match value.to_str().ok().filter(good).filter(|_| values.next().is_none()) {
        Some(text) => Ok(Some(text)),
        None => {
            let message = format!("An Idempotency-Key is 1 to {KEY_BYTES_MAX} visible ASCII characters, sent once.");
            Err(Fault::param("invalid_idempotency_key", "Idempotency-Key", message))
        }
    }
}

/// Reads the header where a retry without one would move credits twice.
pub(crate) fn required_key(headers: &HeaderMap) -> Result<&str, Fault> {
    key(headers)?.ok_or_else(key_required)
}

/// Returns the fault of a call without a key that needs one.
pub(crate) fn key_required() -> Fault {
    let message = "This call needs an Idempotency-Key header, so that a retry is not carried out twice.";
    Fault::param("idempotency_key_required", "Idempotency-Key", message)
}

/// Returns a key as the studio uses it.
pub(crate) fn key_use(account: AccountId, endpoint: &str, key: &str, fingerprint: Fingerprint, keep: Keep) -> KeyUse {
    KeyUse { scope: KeyScope { account, endpoint: Endpoint(endpoint.into()), key: key.into() }, fingerprint, keep }
}

/// Returns the canonical form of a JSON body: members sorted, absent and null alike, no spaces.
pub(crate) fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_canonical(value, &mut bytes);
    bytes
}

/// Returns the canonical form of a JSON object.
pub(crate) fn canonical_object(object: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_object(object, &mut bytes);
    bytes
}

fn write_object(object: &Map<String, Value>, out: &mut Vec<u8>) {
    let mut members: Vec<_> = object.iter().filter(|(_, value)| !value.is_null()).collect();
    members.sort_by_key(|(name, _)| *name);
    out.push(b'{');
    for (name, value) in members {
        write_scalar(name, out);
        out.push(b':');
        write_canonical(value, out);
        out.push(b',');
    }
    out.push(b'}');
}

fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(object) => write_object(object, out),
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                write_canonical(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => write_scalar(value, out),
    }
}

fn write_scalar(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("writing to memory cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_spaces_and_nulls_make_no_other_request() {
        let canonical = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        let one = canonical(r#"{"prompt":"a","n":1,"size":null}"#);
        assert_eq!(one, canonical(r#" { "n" : 1, "prompt" : "a" } "#));
        assert_ne!(one, canonical(r#"{"prompt":"a","n":2}"#));
        assert_ne!(canonical(r#"{"a":["b","c"]}"#), canonical(r#"{"a":["b,c"]}"#));
    }

    #[test]
    fn a_key_is_short_visible_and_alone() {
        let headers = |keys: &[&str]| {
            let mut headers = HeaderMap::new();
            for key in keys {
                headers.append(IDEMPOTENCY_KEY, key.parse().unwrap());
            }
            headers
        };
        assert_eq!(key(&headers(&["abc-1"])).unwrap(), Some("abc-1"));
        assert_eq!(key(&headers(&[])).unwrap(), None);
        for bad in [&[""][..], &["a b"], &["a", "a"], &[&"x".repeat(256)]] {
            assert!(key(&headers(bad)).is_err(), "{bad:?}");
        }
        assert!(required_key(&headers(&[])).is_err());
        assert_eq!(canonical(&json!({"b": 1, "a": null})), b"{\"b\":1,}");
    }
}

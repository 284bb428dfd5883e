//! Whether JSON is of the shape that a JSON Schema describes: as much of JSON Schema as the document uses.
//!
//! A keyword that is not known here is a failure, so that nothing is taken for checked that is not. That the document
//! means the same to everybody else is for `tests/clients/test_schema.py` to say, with somebody else's judge.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that say something to readers and ask nothing of a value.
const WORDS: [&str; 4] = ["description", "default", "examples", "format"];

/// Judges values by the schemas of one document.
pub(crate) struct Judge {
    /// Its named schemas.
    schemas: Value,
    patterns: Mutex<HashMap<String, Regex>>,
}

impl Judge {
    pub(crate) fn of(document: &Value) -> Self {
        Self { schemas: document["components"]["schemas"].clone(), patterns: Mutex::default() }
    }

    /// Returns the same, of which no object may have members that are not described.
    pub(crate) fn strict(document: &Value) -> Self {
        let mut closed = document.clone();
        close(&mut closed);
        Self::of(&closed)
    }

    /// Returns what is wrong with a value.
    pub(crate) fn problems(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.judge(schema, value, "", &mut problems);
        problems
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        self.problems(schema, value).is_empty()
    }

    fn judge(&self, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
        if schema.get("format").is_some_and(|format| !is_of_format(format, value)) {
            problems.push(format!("{at}: {value} is no {}", schema["format"]));
        }
        let members = schema.as_object().unwrap_or_else(|| panic!("{schema} is no schema"));
        for (keyword, asked) in members {
            let good = match keyword.as_str() {
                "$ref" => {
                    let name = asked.as_str().unwrap().strip_prefix("#/components/schemas/").unwrap();
                    self.judge(&self.schemas[name], value, at, problems);
                    true
                }
                "anyOf" => items(asked).iter().any(|schema| self.fits(schema, value)),
                "oneOf" => items(asked).iter().filter(|schema| self.fits(schema, value)).count() == 1,
                "type" => items(asked).iter().any(|kind| is_of_type(kind, value)),
                "enum" => items(asked).contains(value),
                "pattern" => value.as_str().is_none_or(|text| self.matches(asked.as_str().unwrap(), text)),
                "minLength" => length(value).is_none_or(|length| length >= asked.as_u64().unwrap()),
                "maxLength" => length(value).is_none_or(|length| length <= asked.as_u64().unwrap()),
                "minimum" => number(value).is_none_or(|number| number >= number_of(asked)),
                "maximum" => number(value).is_none_or(|number| number <= number_of(asked)),
                "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= asked.as_u64().unwrap()),
                "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= asked.as_u64().unwrap()),
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.judge(asked, item, &format!("{at}/{index}"), problems);
                    }
                    true
                }
                "required" => value
                    .as_object()
                    .is_none_or(|object| items(asked).iter().all(|name| object.contains_key(name.as_str().unwrap()))),
                "properties" => {
                    for (name, schema) in asked.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.judge(schema, value, &format!("{at}/{name}"), problems);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let others = others(members, value);
                    if asked.is_object() {
                        others
                            .iter()
                            .for_each(|(name, value)| self.judge(asked, value, &format!("{at}/{name}"), problems));
                    }
                    asked != false || others.is_empty()
                }
                word => {
                    assert!(WORDS.contains(&word), "the keyword {word} is not known here");
                    true
                }
            };
            if !good {
                problems.push(format!("{at}: {value} is not of {keyword} {asked}"));
            }
        }
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        let mut patterns = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        let regex = patterns.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).unwrap());
        regex.is_match(text)
    }
}

/// Closes every object whose members are named.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("properties").is_some_and(Value::is_object) {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns one or several things as several.
fn items(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// Returns the members of an object that its schema does not name.
fn others<'a>(schema: &Map<String, Value>, value: &'a Value) -> Vec<(&'a String, &'a Value)> {
    let named = |name: &String| schema.get("properties").is_some_and(|properties| properties.get(name).is_some());
    value.as_object().into_iter().flatten().filter(|(name, _)| !named(name)).collect()
}

fn is_of_type(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        kind => panic!("the type {kind} is not known here"),
    }
}

fn is_of_format(format: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return true };
    match format.as_str().unwrap() {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "uri" => text.starts_with("http://") || text.starts_with("https://"),
        "binary" => true,
        format => panic!("the format {format} is not known here"),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn number(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

fn number_of(value: &Value) -> i128 {
    number(value).unwrap()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge() -> Judge {
        let document = json!({"components": {"schemas": {
            "Amount": {"type": "string", "pattern": "^[0-9]+$", "description": "An amount."},
            "Thing": {
                "type": "object",
                "properties": {
                    "amount": {"$ref": "#/components/schemas/Amount"},
                    "at": {"type": ["string", "null"], "format": "date-time"},
                    "list": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 3}, "maxItems": 2},
                },
                "required": ["amount"],
            },
        }}});
        Judge::strict(&document)
    }

    fn problems(value: &Value) -> usize {
        judge().problems(&json!({"$ref": "#/components/schemas/Thing"}), value).len()
    }

    #[test]
    fn what_is_described_is_good_and_everything_else_is_not() {
        for good in [
            json!({"amount": "5"}),
            json!({"amount": "5", "at": null, "list": [1, 3]}),
            json!({"amount": "5", "at": "2026-11-26T18:00:00Z"}),
        ] {
            assert_eq!(problems(&good), 0, "{good}");
        }
        for bad in [
            json!([]),
            json!({}),
            json!({"amount": 5}),
            json!({"amount": "5x"}),
            json!({"amount": "5", "at": "yesterday"}),
            json!({"amount": "5", "list": [0]}),
            json!({"amount": "5", "list": [4]}),
            json!({"amount": "5", "list": [1, 2, 3]}),
            json!({"amount": "5", "list": [1.5]}),
            json!({"amount": "5", "new": 1}),
        ] {
            assert_ne!(problems(&bad), 0, "{bad}");
        }
    }

    #[test]
    fn one_of_two_shapes_is_one_and_no_more() {
        let schema = json!({"oneOf": [{"type": "string"}, {"enum": ["a", 1]}]});
        assert!(judge().fits(&schema, &json!("b")) && judge().fits(&schema, &json!(1)));
        assert!(!judge().fits(&schema, &json!("a")) && !judge().fits(&schema, &json!(2)));
    }

    #[test]
    #[should_panic(expected = "uniqueItems")]
    fn a_keyword_that_is_not_known_fails() {
        judge().fits(&json!({"type": "array", "uniqueItems": true}), &json!([]));
    }
}

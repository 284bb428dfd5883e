//! The parameters of a request, one by one: absent and null are alike, a wrong type is said with its name.
//!
//! They come as the members of a JSON object or as the fields of a form, which are all texts; a field of no length
//! is as good as none.

use serde_json::{Map, Value};

use crate::error::{Fault, Input};

/// The longest value that a message repeats. Prompts are never repeated.
const SHOWN_CHARS_MAX: usize = 64;

/// The least double that is no integer of 64 bits, whatever its sign.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

/// The parameters of a request.
#[derive(Clone, Copy)]
pub(crate) struct Params<'a> {
    members: &'a Map<String, Value>,
    /// Whether they are fields of a form.
    form: bool,
}

impl<'a> Params<'a> {
    /// Reads the members of a JSON body.
    pub(crate) fn of_json(members: &'a Map<String, Value>) -> Self {
        Self { members, form: false }
    }

    /// Reads the fields of a form.
    pub(crate) fn of_form(members: &'a Map<String, Value>) -> Self {
        Self { members, form: true }
    }

    /// Returns a parameter that is there and not null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        let empty = |value: &&Value| self.form && value.as_str().is_some_and(str::is_empty);
        self.members.get(name).filter(|value| !value.is_null()).filter(|value| !empty(value))
    }

    /// Returns the names of what is there.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        let this = *self;
        self.members.keys().map(String::as_str).filter(move |name| this.get(name).is_some())
    }

    /// Returns a text.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&'a str>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| wrong_type(name, "a string", value))
    }

    /// Returns a yes or no.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let read = match value.as_str().filter(|_| self.form) {
            Some("true" | "True" | "1") => Some(true),
            Some("false" | "False" | "0") => Some(false),
            Some(_) => None,
            None => value.as_bool(),
        };
        read.map(Some).ok_or_else(|| wrong_type(name, "a boolean", value))
    }

    /// Returns a whole number within bounds.
    pub(crate) fn integer(&self, name: &'static str, min: u64, max: u64) -> Result<Option<u64>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let below = |found: &dyn std::fmt::Display| {
            let found = format!("Expected a value >= {min}, but got {found} instead.");
            Fault::param(
                "integer_below_min_value",
                name,
                format!("Invalid '{name}': integer below minimum value. {found}"),
            )
        };
        let above = |found: &dyn std::fmt::Display| {
            let found = format!("Expected a value <= {max}, but got {found} instead.");
            Fault::param(
                "integer_above_max_value",
                name,
                format!("Invalid '{name}': integer above maximum value. {found}"),
            )
        };
        let field = value.as_str().filter(|_| self.form).and_then(|text| text.parse::<serde_json::Number>().ok());
        let (unsigned, signed) = match &field {
            Some(number) => (number.as_u64(), number.as_i64()),
            None => (value.as_u64(), value.as_i64()),
        };
        match (unsigned, signed) {
            (Some(found), _) if found < min => Err(below(&found)),
            (Some(found), _) if found > max => Err(above(&found)),
            (Some(found), _) => Ok(Some(found)),
            (None, Some(found)) => Err(below(&found)),
            // An integer of more digits than 64 bits hold is read as the nearest double.
            (None, None) => match field.as_ref().map_or_else(|| value.as_f64(), serde_json::Number::as_f64) {
                Some(found) if found >= TOO_LARGE => Err(above(&found)),
                Some(found) if found <= -TOO_LARGE => Err(below(&found)),
                _ => Err(wrong_type(name, "an integer", value)),
            },
        }
    }

    /// Returns one of a few words.
    pub(crate) fn one_of(&self, name: &'static str, words: &[&'static str]) -> Result<Option<&'static str>, Fault> {
        let Some(found) = self.text(name)? else { return Ok(None) };
        match words.iter().find(|word| **word == found) {
            Some(word) => Ok(Some(word)),
            None => Err(not_one_of(name, found, words)),
        }
    }
}

/// Returns the fault of a value that is none of the words.
pub(crate) fn not_one_of(name: &'static str, found: &str, words: &[&str]) -> Fault {
    let message = format!("Invalid value: '{}'. Supported values are: {}.", shown(found), listed(words));
    Fault::param("invalid_value", name, message)
}

/// Returns the fault of something that OpenAI has and this server does not.
pub(crate) fn not_here(name: &'static str, message: &str) -> Fault {
    Fault::param("unsupported_value", name, message)
}

/// Returns the fault of a row of OpenAI's table that has no code.
pub(crate) fn codeless(param: &str, message: String) -> Fault {
    Fault::Input(Box::new(Input { code: None, param: Some(param.to_owned()), message }))
}

/// Writes `'a', 'b', and 'c'`.
fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{}, and {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}

/// Returns what may be repeated of a short value.
pub(crate) fn shown(text: &str) -> String {
    let cut: String = text.chars().filter(|letter| !letter.is_control()).take(SHOWN_CHARS_MAX).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn wrong_type(name: &'static str, expected: &str, found: &Value) -> Fault {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let message = format!("Invalid type for '{name}': expected {expected}, but got {found} instead.");
    Fault::param("invalid_type", name, message)
}

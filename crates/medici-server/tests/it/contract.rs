//! Holds every exchange of every test against the OpenAPI document: whatever the server answers must be described, to
//! the last member, header and code; and what it accepts must be allowed.
//!
//! Answers are read more strictly than the document says it: a member that is not described is an error here, though
//! strangers are told that members may be added.

use std::sync::OnceLock;

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::{house::Answer, shape::Judge};

/// The document is the same for every server of this process.
static CONTRACT: OnceLock<Contract> = OnceLock::new();

/// What goes into every answer of HTTP, and is not worth a word to whoever calls.
const PLAIN_HEADERS: [&str; 9] = [
    "allow",
    "cache-control",
    "connection",
    "content-length",
    "content-security-policy",
    "content-type",
    "referrer-policy",
    "x-accel-buffering",
    "x-content-type-options",
];

/// A request as it was sent.
pub(crate) struct Sent<'a> {
    pub(crate) method: &'a Method,
    /// With the query.
    pub(crate) address: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

pub(crate) struct Contract {
    document: Value,
    requests: Judge,
    answers: Judge,
}

impl Contract {
    /// Returns the contract, once a test's first server has told it.
    pub(crate) fn told() -> Option<&'static Self> {
        CONTRACT.get()
    }

    /// Takes note of the document.
    pub(crate) fn tell(document: Value) -> &'static Self {
        CONTRACT.get_or_init(|| {
            let (requests, answers) = (Judge::of(&document), Judge::strict(&document));
            Self { document, requests, answers }
        })
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// Checks an answer, and the request if it was accepted.
    pub(crate) fn check(&self, sent: &Sent<'_>, answer: &Answer) {
        let (path, query) = sent.address.split_once('?').unwrap_or((sent.address, ""));
        let Some((template, operation)) = self.operation(sent.method, path) else { return };
        let what = format!("{} {} {}", sent.method, sent.address, answer.status);
        let status = answer.status.as_u16().to_string();
        let reply = self.resolved(&operation["responses"][&status]);
        assert!(reply.is_object(), "{what}: the status is not described. {}", String::from_utf8_lossy(&answer.body));
        self.check_headers(&what, reply, &answer.headers);
        self.check_body(&what, reply, answer);
        if answer.status.is_success() {
            self.check_request(&what, operation, (template, path, query), sent);
        }
    }

    fn operation(&self, method: &Method, path: &str) -> Option<(&str, &Value)> {
        let fits = |template: &str| {
            let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
            let same = ours.by_ref().zip(theirs.by_ref()).all(|(our, their)| our.starts_with('{') || our == their);
            same && template.split('/').count() == path.split('/').count()
        };
        let method = method.as_str().to_ascii_lowercase();
        let paths = self.document["paths"].as_object().unwrap();
        // A template without a variable goes first.
        let mut found: Vec<_> = paths.iter().filter(|(template, _)| fits(template)).collect();
        found.sort_by_key(|(template, _)| template.matches('{').count());
        found.into_iter().find_map(|(template, item)| Some((template.as_str(), item.get(&method)?)))
    }

    /// Follows a reference to a response that many operations share.
    fn resolved<'a>(&'a self, reply: &'a Value) -> &'a Value {
        let name = reply["$ref"].as_str().and_then(|target| target.strip_prefix("#/components/responses/"));
        name.map_or(reply, |name| &self.document["components"]["responses"][name])
    }

    fn check_headers(&self, what: &str, reply: &Value, headers: &HeaderMap) {
        let described = reply["headers"].as_object().unwrap();
        for (name, value) in headers {
            if PLAIN_HEADERS.contains(&name.as_str()) {
                continue;
            }
            assert!(described.contains_key(name.as_str()), "{what}: the header {name} is not described");
            let header = &self.document["components"]["headers"][name.as_str()];
            let (text, kind) = (value.to_str().unwrap(), &header["schema"]["type"]);
            let value = if kind == "integer" { json!(text.parse::<u64>().unwrap()) } else { json!(text) };
            good(&self.requests, &format!("{what}: the header {name}"), &header["schema"], &value);
        }
        for name in described.keys() {
            let required = self.document["components"]["headers"][name]["required"] == true;
            assert!(!required || headers.contains_key(name), "{what}: the header {name} is missing");
        }
    }

    fn check_body(&self, what: &str, reply: &Value, answer: &Answer) {
        let media_type = media_type(&answer.headers);
        let Some(contents) = reply.get("content") else {
            assert!(answer.body.is_empty(), "{what}: no body is described");
            return;
        };
        let content = &contents[media_type];
        assert!(content.is_object(), "{what}: a body of the type {media_type:?} is not described");
        if let Some(events) = content.get("x-events") {
            return self.check_events(what, events, answer.text());
        }
        if !media_type.ends_with("json") {
            return;
        }
        let body = answer.json();
        good(&self.answers, what, &content["schema"], &body);
        if let Some(codes) = reply.get("x-codes") {
            let code = body.get("error").map_or(&body["code"], |error| &error["code"]);
            assert!(codes.as_array().unwrap().contains(code), "{what}: the code {code} is not described");
        }
    }

    fn check_events(&self, what: &str, events: &Value, stream: &str) {
        for block in stream.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':')) {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let name = field("event").unwrap_or_else(|| panic!("{what}: an event without a name: {block:?}"));
            let event = &events[name];
            assert!(event.is_object(), "{what}: the event {name} is not described");
            let data = serde_json::from_str(field("data").unwrap()).unwrap();
            good(&self.answers, &format!("{what}: {name}"), &event["schema"], &data);
        }
    }

    /// Checks that what was accepted may be sent.
    fn check_request(
        &self,
        what: &str,
        operation: &Value,
        (template, path, query): (&str, &str, &str),
        sent: &Sent<'_>,
    ) {
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none);
        let find = |place: &str, name: &str| {
            let is_it = |parameter: &&Value| parameter["in"] == place && parameter["name"] == name;
            let found = parameters.iter().find(is_it);
            found.unwrap_or_else(|| panic!("{what}: {name} in the {place} is not described"))
        };
        let check = |place: &str, name: &str, text: &str| {
            let schema = &find(place, name)["schema"];
            let value = if schema["type"] == "integer" { json!(text.parse::<u64>().unwrap()) } else { json!(text) };
            good(&self.requests, &format!("{what}: {name}"), schema, &value);
        };
        for (name, text) in template.split('/').zip(path.split('/')) {
            if let Some(name) = name.strip_prefix('{') {
                check("path", name.trim_end_matches('}'), &decoded(text));
            }
        }
        for (name, text) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            check("query", name, &decoded(text));
        }
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "header") {
            let name = parameter["name"].as_str().unwrap();
            match sent.headers.get(name) {
                Some(value) if name == "Idempotency-Key" => check("header", name, value.to_str().unwrap()),
                Some(_) => {}
                None => assert!(parameter["required"] != true, "{what}: accepted without the header {name}"),
            }
        }
        let Some(contents) = operation["requestBody"].get("content") else {
            // Tests send an empty object wherever something may be sent.
            assert!(matches!(sent.body, b"" | b"{}"), "{what}: no body is described");
            return;
        };
        let media_type = media_type(sent.headers);
        assert!(contents[media_type].is_object(), "{what}: a body of the type {media_type:?} is not described");
        // What is no event is an outcome of that event alone: such requests are accepted, and their parts refused.
        if media_type == "application/json" && template != "/api/events" {
            let body = serde_json::from_slice(sent.body).unwrap();
            good(&self.requests, &format!("{what}: the request"), &contents[media_type]["schema"], &body);
        }
    }
}

#[track_caller]
fn good(judge: &Judge, what: &str, schema: &Value, value: &Value) {
    let problems = judge.problems(schema, value);
    assert!(problems.is_empty(), "{what} is not as described: {}\n{value:#}", problems.join("; "));
}

fn media_type(headers: &HeaderMap) -> &str {
    let text = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
    text.split(';').next().unwrap_or_default().trim()
}

/// Undoes the escapes of an address.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex: String = if byte == b'%' { rest.by_ref().take(2).map(char::from).collect() } else { String::new() };
        match byte {
            b'%' => bytes.push(u8::from_str_radix(&hex, 16).unwrap()),
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}

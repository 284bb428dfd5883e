//! Requests and answers to look at and to copy, made of the document's own examples.

use serde_json::Value;

use crate::openapi::{
    self, Described, Document, Node,
    operation::{Content, Operation, Place},
    schema::{Schema, Shape},
};

/// The longest line of a sample, in characters, as far as texts can be divided.
const WIDTH: usize = 60;

/// A request for `curl`: what stands before the server's address, and what after it.
pub(super) struct Request {
    pub(super) before: String,
    pub(super) after: String,
}

/// Returns a request that works, as far as ids can.
pub(super) fn request(document: &Document, described: &Described) -> Request {
    let Operation { method, path, parameters, bodies, .. } = &described.operation;
    let example = |schema: &Schema| plain(&document.sample(schema));
    let mut address = (*path).to_owned();
    let mut query = Vec::new();
    let mut lines = Vec::new();
    if !openapi::keys(described.access).is_empty() {
        lines.push("-H \"Authorization: Bearer $MEDICI_KEY\"".to_owned());
    }
    for parameter in parameters {
        let value = example(&parameter.schema);
        match parameter.place {
            Place::Path => address = address.replace(&format!("{{{}}}", parameter.name), &value),
            Place::Query if parameter.required => query.push(format!("{}={value}", parameter.name)),
            Place::Header if parameter.name == "Idempotency-Key" => {
                lines.push(format!("-H \"Idempotency-Key: {value}\""))
            }
            Place::Query | Place::Header => {}
        }
    }
    if let Some(content) = bodies.first() {
        lines.extend(sent(document, content));
    }
    if !query.is_empty() {
        address = format!("{address}?{}", query.join("&"));
    }
    let before = if *method == "GET" { "curl '".to_owned() } else { format!("curl -X {method} '") };
    let after = lines.iter().fold(format!("{address}'"), |text, line| format!("{text} \\\n  {line}"));
    Request { before, after }
}

/// Returns the arguments that send a body.
fn sent(document: &Document, content: &Content) -> Vec<String> {
    if content.media_type == "multipart/form-data" {
        let form = match &content.schema.shape {
            Shape::Named(name) => document.schema(name),
            _ => content.schema.clone(),
        };
        let needed = form.members().iter().filter(|member| member.required);
        let field = needed.map(|member| match member.schema.shape {
            Shape::File => format!("-F {}=@{}.png", member.name, member.name),
            _ => format!("-F '{}={}'", member.name, plain(&document.sample(&member.schema))),
        });
        return field.collect();
    }
    let body = match (&content.example, &content.lines) {
        (Some(example), _) => Node::from(example.clone()).pretty(WIDTH),
        (None, Some(_)) => plain(&document.sample(&content.schema)),
        (None, None) => document.sample(&content.schema).pretty(WIDTH),
    };
    let body = body.replace('\'', "'\\''");
    vec![format!("-H \"Content-Type: {}\"", content.media_type), format!("-d '{body}'")]
}

/// Returns the first success, as far as it is text.
pub(super) fn answer(document: &Document, operation: &Operation) -> Option<String> {
    let content = operation.replies.first()?.contents.first()?;
    match content.media_type {
        "application/json" if !matches!(content.schema.shape, Shape::Any) => {
            Some(document.sample(&content.schema).pretty(WIDTH))
        }
        "text/event-stream" => {
            let event = |event: &openapi::operation::Event| {
                let data = document.sample(&document.schema(event.data));
                let data = serde_json::to_string(&data).expect("texts and numbers make JSON");
                format!("event: {}\ndata: {data}\n", event.name)
            };
            Some(operation.replies.first()?.contents.first()?.events.iter().map(event).collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

/// Writes a value as it stands in an address.
fn plain(node: &Node) -> String {
    match node {
        Node::Leaf(Value::String(text)) => text.clone(),
        other => serde_json::to_string(other).expect("texts and numbers make JSON"),
    }
}

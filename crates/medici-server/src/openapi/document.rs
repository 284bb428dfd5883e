//! The descriptions put together: what each route adds to what every route does, and the whole as OpenAPI 3.1.

use std::{collections::HashSet, sync::LazyLock};

use super::{
    failures,
    headers::{self, Header, headers},
    node::Node,
    operation::{Content, Operation, Parameter, Refusals, Reply, Tag},
    operations,
    schema::Schema,
    schemas,
};
use crate::{
    routes::{Access, route_list},
    v1,
};

/// What the document says of itself.
const ABOUT: &str = "A self-hosted image studio: OpenAI's Images API under `/v1`, for its own unmodified clients, and an \
     API of our own under `/api`.\n\nAmounts of credits and money are decimals as text, exact; instants are RFC 3339 in \
     UTC. A key comes in `Authorization: Bearer sk-m-…` and nowhere else. Members may be added to answers at any time; \
     read what you know. Failures under `/v1` are OpenAI's error object, everywhere else problems as RFC 9457 has them; \
     each names a stable `code`.";
const ABOUT_KEYS: &str = "An API key. An account's opens what is the account's own; a service's charges any account and \
     reads balances; the operator's does that, and administration.";

/// A route with its description, and with all that it refuses.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) access: Access,
    pub(crate) operation: Operation,
    pub(crate) refusals: Vec<Refusals>,
}

/// Everything that is described.
pub(crate) struct Document {
    pub(crate) operations: Vec<Described>,
    pub(crate) schemas: Vec<(&'static str, Schema)>,
}

/// The longest line of the document, in characters, as far as texts can be divided.
const WIDTH: usize = 120;

static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::new);
static JSON: LazyLock<String> = LazyLock::new(|| {
    let mut text = DOCUMENT.node().pretty(WIDTH);
    text.push('\n');
    text
});

/// Returns the document as it is served.
pub(super) fn json() -> &'static str {
    &JSON
}

impl Document {
    /// Returns the one document there is.
    pub(crate) fn get() -> &'static Self {
        &DOCUMENT
    }

    /// Puts it together from the routes that there are and the descriptions that they have.
    fn new() -> Self {
        let routes = route_list();
        let operations = operations().into_iter().filter_map(|operation| {
            let of = |route: &&(&str, &str, Access)| (route.0, route.1) == (operation.method, operation.path);
            let (_, _, access) = *routes.iter().find(of)?;
            let refusals = failures::all(&operation, access);
            Some(Described { access, operation, refusals })
        });
        Self { operations: operations.collect(), schemas: schemas() }
    }

    /// Returns a shape by its name.
    pub(crate) fn schema(&self, name: &str) -> Schema {
        let found = self.schemas.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| unreachable!("no shape is called {name}")).1.clone()
    }

    /// Returns an example of a shape.
    pub(crate) fn sample(&self, schema: &Schema) -> Node {
        schema.sample(&|name| self.schema(name))
    }

    fn node(&self) -> Node {
        let licence = Node::object().with("name", "MIT or Apache 2.0").with("identifier", "MIT OR Apache-2.0");
        let info = Node::object()
            .with("title", "Medici")
            .with("version", env!("CARGO_PKG_VERSION"))
            .with("description", ABOUT)
            .with("license", licence);
        let tag = |tag: &Tag| Node::object().with("name", tag.name()).with("description", tag.about());
        Node::object()
            .with("openapi", "3.1.1")
            .with("info", info)
            .with("servers", Node::from_iter([Node::object().with("url", "/")]))
            .with("tags", Tag::ALL.iter().map(tag).collect::<Node>())
            .with("paths", self.paths())
            .with("components", self.components())
    }

    fn paths(&self) -> Node {
        let mut paths: Vec<(&'static str, Node)> = Vec::new();
        for described in &self.operations {
            let Operation { path, method, .. } = described.operation;
            let at = match paths.iter().position(|(known, _)| *known == path) {
                Some(at) => at,
                None => {
                    paths.push((path, Node::object()));
                    paths.len() - 1
                }
            };
            let methods = std::mem::replace(&mut paths[at].1, Node::object());
            paths[at].1 = methods.with(method.to_ascii_lowercase(), described.node());
        }
        Node::Object(paths.into_iter().map(|(path, methods)| (path.into(), methods)).collect())
    }

    fn components(&self) -> Node {
        let schemas = self.schemas.iter().map(|(name, schema)| ((*name).into(), schema.node()));
        let header = |Header { name, schema, always }: Header| {
            let about = schema.about.unwrap_or_default();
            let node = Node::object().with("description", about).with("required", always);
            (name.into(), node.with("schema", Schema { about: None, ..schema }.node()))
        };
        let used = self.operations.iter().flat_map(|of| of.refusals.iter().filter_map(|refusals| of.shared(refusals)));
        let used: HashSet<String> = used.collect();
        let mut responses = Vec::new();
        for openai in [true, false] {
            for refusals in failures::shared(openai) {
                let name = shared_name(openai, &refusals);
                if used.contains(&name) {
                    let headers = common_headers(openai, &refusal_headers(openai, refusals.status));
                    responses.push((name.into(), refusal(openai, &refusals, &headers)));
                }
            }
        }
        let key = Node::object().with("type", "http").with("scheme", "bearer").with("bearerFormat", "sk-m-…");
        let key = key.with("description", ABOUT_KEYS);
        Node::object()
            .with("schemas", Node::Object(schemas.collect()))
            .with("headers", Node::Object(headers().into_iter().map(header).collect()))
            .with("responses", Node::Object(responses))
            .with("securitySchemes", Node::object().with("key", key))
    }
}

/// Returns whose keys open a route; none where none is needed.
pub(crate) fn keys(access: Access) -> &'static [&'static str] {
    match access {
        Access::Public | Access::Link => &[],
        Access::AnyKey => &["account", "service", "operator"],
        Access::Account => &["account"],
        Access::Service => &["service", "operator"],
        Access::Admin => &["operator"],
    }
}

impl Described {
    fn node(&self) -> Node {
        let Operation { id, tag, title, about, parameters, bodies, .. } = &self.operation;
        let keys = keys(self.access).iter().map(|key| Node::object().with("key", Node::from_iter([Node::from(*key)])));
        let parameters = (!parameters.is_empty()).then(|| parameters.iter().map(parameter).collect::<Node>());
        let body =
            (!bodies.is_empty()).then(|| Node::object().with("required", true).with("content", contents(bodies)));
        Node::object()
            .with("operationId", *id)
            .with("tags", Node::from_iter([Node::from(tag.name())]))
            .with("summary", *title)
            .with_some("description", *about)
            .with("security", keys.collect::<Node>())
            .with_some("parameters", parameters)
            .with_some("requestBody", body)
            .with("responses", self.responses())
    }

    fn responses(&self) -> Node {
        let replies = self.operation.replies.iter().map(|reply| (reply.status.to_string().into(), self.reply(reply)));
        let refusals =
            self.refusals.iter().map(|refusals| (refusals.status.to_string().into(), self.refusal(refusals)));
        Node::Object(replies.chain(refusals).collect())
    }

    fn reply(&self, reply: &Reply) -> Node {
        let Reply { about, contents: bodies, headers, .. } = reply;
        let content = (!bodies.is_empty()).then(|| contents(bodies));
        Node::object()
            .with("description", *about)
            .with("headers", references(&self.headers(headers)))
            .with_some("content", content)
    }

    fn refusal(&self, refusals: &Refusals) -> Node {
        if let Some(name) = self.shared(refusals) {
            return Node::object().with("$ref", format!("#/components/responses/{name}"));
        }
        let openai = v1::is_v1(self.operation.path);
        let own = [&refusal_headers(openai, refusals.status), self.late_headers(refusals.status)].concat();
        refusal(openai, refusals, &common_headers(openai, &own))
    }

    /// Returns the name under which the document has a refusal, if it is one that many routes share.
    fn shared(&self, refusals: &Refusals) -> Option<String> {
        let openai = v1::is_v1(self.operation.path);
        let plain = self.late_headers(refusals.status).is_empty() && failures::shared(openai).contains(refusals);
        plain.then(|| shared_name(openai, refusals))
    }

    /// Returns the operation's own headers, which what is refused before anything is looked at has not.
    fn late_headers(&self, status: u16) -> &[&'static str] {
        if matches!(status, 401 | 403 | 408 | 413 | 415 | 421) { &[] } else { &self.operation.headers }
    }

    /// Returns the headers of an answer: what all have, what all of this route have, and its own.
    pub(crate) fn headers(&self, own: &[&'static str]) -> Vec<&'static str> {
        let own: Vec<&'static str> = own.iter().chain(&self.operation.headers).copied().collect();
        common_headers(v1::is_v1(self.operation.path), &own)
    }
}

fn common_headers(openai: bool, own: &[&'static str]) -> Vec<&'static str> {
    let openai: &[&str] = if openai { &headers::OPENAI } else { &[] };
    let mut names: Vec<&'static str> = headers::EVERY.to_vec();
    for name in own.iter().chain(openai) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    names
}

/// The name of a refusal that many routes share.
fn shared_name(openai: bool, refusals: &Refusals) -> String {
    format!("{}{}", if openai { "OpenAi" } else { "Problem" }, refusals.status)
}

fn refusal(openai: bool, Refusals { status, codes }: &Refusals, headers: &[&'static str]) -> Node {
    let word = |code: &&'static str| match *code {
        failures::NO_CODE => "null".to_owned(),
        code => format!("`{code}`"),
    };
    let words: Vec<String> = codes.iter().map(word).collect();
    let about = format!("{} Code: {}.", failures::status(*status), words.join(", "));
    let code = |code: &&'static str| match *code {
        failures::NO_CODE => Node::null(),
        code => Node::from(code),
    };
    let (media_type, schema) = failures::content(openai);
    let content = Node::object().with(media_type, Node::object().with("schema", schema.node()));
    Node::object()
        .with("description", about)
        .with("headers", references(headers))
        .with("content", content)
        .with("x-codes", codes.iter().map(code).collect::<Node>())
}

/// Returns the headers that a refusal of a status has of itself.
fn refusal_headers(openai: bool, status: u16) -> Vec<&'static str> {
    let own: &[&str] = match status {
        401 => &["www-authenticate"],
        429 | 503 => &["retry-after"],
        _ => &[],
    };
    let should: &[&str] = if openai && matches!(status, 400 | 410 | 429 | 500) { &["x-should-retry"] } else { &[] };
    own.iter().chain(should).copied().collect()
}

fn references(names: &[&'static str]) -> Node {
    let reference =
        |name: &&'static str| ((*name).into(), Node::object().with("$ref", format!("#/components/headers/{name}")));
    Node::Object(names.iter().map(reference).collect())
}

fn parameter(Parameter { place, name, schema, required }: &Parameter) -> Node {
    let about = schema.about;
    let schema = Schema { about: None, ..schema.clone() };
    Node::object()
        .with("name", *name)
        .with("in", place.name())
        .with_some("description", about)
        .with("required", *required)
        .with("schema", schema.node())
}

fn contents(contents: &[Content]) -> Node {
    let content = |Content { media_type, schema, example, events, lines }: &Content| {
        let of = |name: &str| Node::object().with("$ref", format!("#/components/schemas/{name}"));
        let event = |event: &super::operation::Event| {
            (event.name.into(), Node::object().with("description", event.about).with("schema", of(event.data)))
        };
        let events = (!events.is_empty()).then(|| Node::Object(events.iter().map(event).collect()));
        let node = Node::object()
            .with("schema", schema.node())
            .with_some("example", example.clone())
            .with_some("x-events", events)
            .with_some("x-lines", lines.as_ref().map(Schema::node));
        ((*media_type).into(), node)
    };
    Node::Object(contents.iter().map(content).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::openapi::operation::Place;

    /// Returns every name of a shape that a piece of the document leads to.
    fn references_in(value: &serde_json::Value, into: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(members) => members.iter().for_each(|(name, value)| match value.as_str() {
                Some(target) if name == "$ref" => drop(into.insert(target.to_owned())),
                _ => references_in(value, into),
            }),
            serde_json::Value::Array(items) => items.iter().for_each(|item| references_in(item, into)),
            _ => {}
        }
    }

    #[test]
    fn every_route_has_a_description_and_every_description_a_route() {
        let key = |(method, path, _): (&'static str, &'static str, Access)| (path, method);
        let routes: BTreeSet<_> = route_list().into_iter().map(key).collect();
        let described: Vec<_> = operations().iter().map(|operation| (operation.path, operation.method)).collect();
        let unique: BTreeSet<_> = described.iter().copied().collect();
        let missing: Vec<_> = routes.difference(&unique).collect();
        assert!(missing.is_empty(), "describe these routes in crates/medici-server/src/openapi: {missing:?}");
        let gone: Vec<_> = unique.difference(&routes).collect();
        assert!(gone.is_empty(), "these descriptions have no route: {gone:?}");
        assert_eq!(described.len(), unique.len(), "a route is described twice");
    }

    #[test]
    fn everything_that_is_named_is_there_and_everything_there_is_named_somewhere() {
        let document: serde_json::Value = serde_json::from_str(json()).unwrap();
        let mut used = BTreeSet::new();
        references_in(&document, &mut used);
        let mut there = BTreeSet::new();
        for kind in ["schemas", "headers", "responses"] {
            let names = document["components"][kind].as_object().unwrap().keys();
            there.extend(names.map(|name| format!("#/components/{kind}/{name}")));
        }
        assert_eq!(used, there);
    }

    #[test]
    fn every_code_has_one_meaning_and_is_given_somewhere() {
        let operations = &Document::get().operations;
        let given = operations.iter().flat_map(|described| &described.refusals).flat_map(|refusals| &refusals.codes);
        let given: BTreeSet<_> = given.copied().filter(|code| *code != failures::NO_CODE).collect();
        let meant: Vec<_> = failures::MEANINGS.iter().map(|(code, _)| *code).collect();
        assert!(meant.is_sorted_by(|a, b| a < b), "codes are in order, each once");
        assert_eq!(given, meant.into_iter().collect());
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_its_parameters_are() {
        let mut names = BTreeSet::new();
        for Described { operation, .. } in &Document::get().operations {
            assert!(names.insert(operation.id), "two operations are called {}", operation.id);
            assert!(!operation.replies.is_empty(), "{} has no success", operation.id);
            for Parameter { place, name, schema, .. } in &operation.parameters {
                assert!(schema.about.is_some(), "{}: what is {name}?", operation.id);
                let in_path = operation.path.contains(&format!("{{{name}}}"));
                assert_eq!(*place == Place::Path, in_path, "{}: {name}", operation.id);
            }
        }
    }
}

//! What a route takes and answers, beside what every route does.

use serde_json::Value;

use super::schema::{Schema, any, flag, pattern, text};

/// Where an operation stands in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Images,
    Models,
    Jobs,
    Credits,
    Charges,
    Prices,
    Accounts,
    Orders,
    Reports,
    Server,
}

impl Tag {
    pub(crate) const ALL: [Self; 10] = [
        Self::Images,
        Self::Models,
        Self::Jobs,
        Self::Credits,
        Self::Charges,
        Self::Prices,
        Self::Accounts,
        Self::Orders,
        Self::Reports,
        Self::Server,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Images => "Images",
            Self::Models => "Models",
            Self::Jobs => "Jobs",
            Self::Credits => "Credits",
            Self::Charges => "Charges",
            Self::Prices => "Prices",
            Self::Accounts => "Accounts",
            Self::Orders => "Orders",
            Self::Reports => "Reports",
            Self::Server => "Server",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Images => {
                "OpenAI's Images API, for its own clients: what is ours rides along in fields that they ignore."
            }
            Self::Models => "The names that a request for pictures may use.",
            Self::Jobs => {
                "Pictures in our own words: asked for at once, followed, stopped. Nothing is paid before they are there."
            }
            Self::Credits => "What an account has, how it came to that, and what it is told of.",
            Self::Charges => "Usage of other services of the operator, charged in one durable step.",
            Self::Prices => "What is in force, what comes and what was, and what a month would cost.",
            Self::Accounts => "Accounts, their keys, credits and terms: for the operator.",
            Self::Orders => "Packs and plans that are ordered, paid, invoiced, refunded and disputed.",
            Self::Reports => "Books over all accounts: for the operator.",
            Self::Server => "Image files, probes, and this document.",
        }
    }
}

/// A route, described.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Its name in generated clients.
    pub(crate) id: &'static str,
    pub(crate) tag: Tag,
    /// What it does, in a few words.
    pub(crate) title: &'static str,
    /// What else there is to know.
    pub(crate) about: Option<&'static str>,
    pub(crate) parameters: Vec<Parameter>,
    /// What may be sent, by media type; the first is shown. Nothing is sent where there is none.
    pub(crate) bodies: Vec<Content>,
    pub(crate) replies: Vec<Reply>,
    /// What it refuses beyond what every route of its kind does.
    pub(crate) refusals: Vec<Refusals>,
    /// Headers of all its replies and refusals.
    pub(crate) headers: Vec<&'static str>,
    /// Whether it answers from memory, whatever the store does.
    pub(crate) storeless: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    pub(crate) schema: Schema,
    pub(crate) required: bool,
}

/// A body of one media type.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) media_type: &'static str,
    pub(crate) schema: Schema,
    /// A body as it is sent, where the schema's own example is none that works.
    pub(crate) example: Option<Value>,
    /// The events of a stream, by name.
    pub(crate) events: Vec<Event>,
    /// The shape of each line.
    pub(crate) lines: Option<Schema>,
}

/// An event of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    /// The name of its data's shape.
    pub(crate) data: &'static str,
    pub(crate) about: &'static str,
}

impl Content {
    fn new(media_type: &'static str, schema: Schema) -> Self {
        Self { media_type, schema, example: None, events: Vec::new(), lines: None }
    }
}

/// A success.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    pub(crate) contents: Vec<Content>,
    pub(crate) headers: Vec<&'static str>,
}

/// The codes of a status. `""` stands for OpenAI's null.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusals {
    pub(crate) status: u16,
    pub(crate) codes: Vec<&'static str>,
}

const JSON: &str = "application/json";

/// The `Idempotency-Key` as it may be sent.
fn idempotency_key() -> Schema {
    pattern("^[!-~]{1,255}$", "order-4711").about(
        "A name of your choice for this very request: 1 to 255 visible ASCII characters. A repeat with the same name is \
         not carried out again; it is answered as the first was, with `Idempotent-Replayed: true`.",
    )
}

impl Operation {
    fn new(method: &'static str, path: &'static str, tag: Tag, id: &'static str, title: &'static str) -> Self {
        let operation = Self {
            method,
            path,
            id,
            tag,
            title,
            about: None,
            parameters: Vec::new(),
            bodies: Vec::new(),
            replies: Vec::new(),
            refusals: Vec::new(),
            headers: Vec::new(),
            storeless: false,
        };
        let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        names.fold(operation, |operation, (name, _)| operation.parameter(Place::Path, name, text(name), true))
    }

    pub(super) fn get(path: &'static str, tag: Tag, id: &'static str, title: &'static str) -> Self {
        Self::new("GET", path, tag, id, title)
    }

    pub(super) fn post(path: &'static str, tag: Tag, id: &'static str, title: &'static str) -> Self {
        Self::new("POST", path, tag, id, title)
    }

    pub(super) fn put(path: &'static str, tag: Tag, id: &'static str, title: &'static str) -> Self {
        Self::new("PUT", path, tag, id, title)
    }

    pub(super) fn delete(path: &'static str, tag: Tag, id: &'static str, title: &'static str) -> Self {
        Self::new("DELETE", path, tag, id, title)
    }

    /// Says what else there is to know.
    pub(super) fn about(self, about: &'static str) -> Self {
        Self { about: Some(about), ..self }
    }

    fn parameter(mut self, place: Place, name: &'static str, schema: Schema, required: bool) -> Self {
        self.parameters.push(Parameter { place, name, schema, required });
        self
    }

    /// Describes a variable segment of the path.
    pub(super) fn segment(mut self, name: &'static str, schema: Schema) -> Self {
        let of_path = |parameter: &&mut Parameter| parameter.place == Place::Path && parameter.name == name;
        let parameter = self.parameters.iter_mut().find(of_path);
        parameter.unwrap_or_else(|| unreachable!("the path has no segment {{{name}}}")).schema = schema;
        self
    }

    /// Adds a parameter of the query.
    pub(super) fn query(self, name: &'static str, schema: Schema) -> Self {
        self.parameter(Place::Query, name, schema, false)
    }

    /// Adds a parameter of the query that must be there.
    pub(super) fn needed_query(self, name: &'static str, schema: Schema) -> Self {
        self.parameter(Place::Query, name, schema, true)
    }

    /// Adds a header of the request.
    pub(super) fn header(self, name: &'static str, schema: Schema) -> Self {
        self.parameter(Place::Header, name, schema, false)
    }

    /// Takes an `Idempotency-Key`.
    pub(super) fn keyed(self) -> Self {
        self.parameter(Place::Header, "Idempotency-Key", idempotency_key(), false)
            .refuses(400, &["invalid_idempotency_key"])
            .refuses(422, &["idempotency_key_reused"])
    }

    /// Needs an `Idempotency-Key`.
    pub(super) fn key_needed(self) -> Self {
        self.parameter(Place::Header, "Idempotency-Key", idempotency_key(), true)
            .refuses(400, &["invalid_idempotency_key", "idempotency_key_required"])
            .refuses(422, &["idempotency_key_reused"])
    }

    /// Takes JSON of this shape; `example` is a body that works.
    pub(super) fn takes(self, schema: Schema, example: Value) -> Self {
        self.takes_as(JSON, schema, Some(example))
    }

    /// Takes a body of another media type.
    pub(super) fn takes_as(mut self, media_type: &'static str, schema: Schema, example: Option<Value>) -> Self {
        self.bodies.push(Content { example, ..Content::new(media_type, schema) });
        self
    }

    /// Takes one JSON value of this shape a line.
    pub(super) fn takes_lines(mut self, line: Schema, about: &'static str, example: &'static str) -> Self {
        let content = Content::new("application/x-ndjson", text(example).about(about));
        self.bodies.push(Content { lines: Some(line), ..content });
        self
    }

    /// Answers with JSON of this shape.
    pub(super) fn replies(self, status: u16, about: &'static str, schema: Schema) -> Self {
        self.replies_as(status, about, JSON, schema)
    }

    /// Answers with something of another media type, too where the status was said before.
    pub(super) fn replies_as(
        mut self,
        status: u16,
        about: &'static str,
        media_type: &'static str,
        schema: Schema,
    ) -> Self {
        self.content(status, about, Content::new(media_type, schema));
        self
    }

    /// Answers with a stream of events: the name, the shape of the data and the meaning of each.
    pub(super) fn streams(
        mut self,
        status: u16,
        events: &[(&'static str, &'static str, &'static str)],
        about: &'static str,
    ) -> Self {
        let content = Content::new("text/event-stream", any().about(about));
        let events = events.iter().map(|(name, data, about)| Event { name, data, about }).collect();
        self.content(status, about, Content { events, ..content });
        self
    }

    fn content(&mut self, status: u16, about: &'static str, content: Content) {
        match self.replies.iter_mut().find(|reply| reply.status == status) {
            Some(reply) => reply.contents.push(content),
            None => self.replies.push(Reply { status, about, contents: vec![content], headers: Vec::new() }),
        }
    }

    /// Answers without a body.
    pub(super) fn replies_empty(mut self, status: u16, about: &'static str) -> Self {
        self.replies.push(Reply { status, about, contents: Vec::new(), headers: Vec::new() });
        self
    }

    /// Adds headers to the reply that was described last.
    pub(super) fn with_headers(mut self, names: &[&'static str]) -> Self {
        if let Some(reply) = self.replies.last_mut() {
            reply.headers.extend(names);
        }
        self
    }

    /// Adds headers to whatever it answers.
    pub(super) fn always_with(mut self, names: &[&'static str]) -> Self {
        self.headers.extend(names);
        self
    }

    /// Refuses for these reasons, too where the status was said before.
    pub(super) fn refuses(mut self, status: u16, codes: &[&'static str]) -> Self {
        match self.refusals.iter_mut().find(|refusals| refusals.status == status) {
            Some(refusals) => refusals.codes.extend(codes),
            None => self.refusals.push(Refusals { status, codes: codes.to_vec() }),
        }
        self
    }

    /// Answers from memory, whatever the store does.
    pub(super) fn without_store(self) -> Self {
        Self { storeless: true, ..self }
    }
}

/// Whose account is meant: an id or a name.
pub(super) fn whose() -> Schema {
    pattern("^[a-z0-9][a-z0-9._-]{0,62}$", "ada").about("An account's id (`acct_…`) or its name.")
}

/// A page's length.
pub(super) fn page_length(usual: u64, max: u64) -> Schema {
    super::schema::whole(1, max, usual).default(usual).about("How many at most.")
}

/// What a dry run is.
pub(super) fn dry_run() -> Schema {
    flag(true).default(false).about("Only says what would come of it.")
}

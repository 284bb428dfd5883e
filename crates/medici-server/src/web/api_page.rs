//! The page of the APIs: the OpenAPI document for people, whole and without a script.

use std::sync::LazyLock;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    api_samples,
    api_words::{Row, marked, rows},
    page::{self, Frame},
    strings,
    visitor::Theme,
};
use crate::{
    AppState,
    openapi::{
        self, Described, Document, failures,
        operation::{Operation, Place, Tag},
    },
};

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage<'a> {
    frame: Frame,
    document: &'static str,
    areas: &'a [Area],
    shapes: &'a [Shape],
    codes: &'a [(&'static str, String)],
    /// What requests begin with.
    base: &'a str,
}

/// Operations that belong together.
struct Area {
    name: &'static str,
    about: &'static str,
    operations: Vec<View>,
}

/// One operation. What is marked up already is said so.
struct View {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    title: &'static str,
    /// Paragraphs, marked up.
    about: Vec<String>,
    keys: String,
    parameters: Vec<Row>,
    bodies: Vec<Body>,
    replies: Vec<Reply>,
    refusals: Vec<Refusal>,
    /// A request; the address is put before it.
    request: api_samples::Request,
    answer: Option<String>,
}

/// What may be sent, or comes back, of one media type.
struct Body {
    media_type: &'static str,
    /// Marked up.
    about: String,
    rows: Vec<Row>,
}

struct Reply {
    status: u16,
    about: String,
    bodies: Vec<Body>,
    headers: Vec<&'static str>,
}

struct Refusal {
    status: u16,
    about: String,
    codes: Vec<&'static str>,
}

/// A shape that has a name.
struct Shape {
    name: &'static str,
    about: String,
    kind: String,
    rows: Vec<Row>,
}

/// Everything of the page but what surrounds it: the same for everybody, and for as long as the process lives.
struct Content {
    areas: Vec<Area>,
    shapes: Vec<Shape>,
    codes: Vec<(&'static str, String)>,
}

static CONTENT: LazyLock<Content> = LazyLock::new(|| content(Document::get()));

/// `GET /docs/api`. Public, as the document is.
pub(super) async fn show(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let frame = Frame::new(strings::API_TITLE, Theme::of(&headers));
    let Content { areas, shapes, codes } = &*CONTENT;
    let page = ApiPage { frame, document: openapi::PATH, areas, shapes, codes, base: &state.config.base_url };
    page::html(StatusCode::OK, &page)
}

fn content(document: &Document) -> Content {
    let area = |tag: Tag| {
        let of = document.operations.iter().filter(|described| described.operation.tag == tag);
        let operations = of.map(|described| view(document, described)).collect();
        Area { name: tag.name(), about: tag.about(), operations }
    };
    let shapes = document.schemas.iter().map(|(name, schema)| Shape {
        name,
        about: marked(schema.about.unwrap_or_default()),
        kind: super::api_words::kind(schema),
        rows: rows(schema),
    });
    Content {
        areas: Tag::ALL.map(area).into(),
        shapes: shapes.collect(),
        codes: failures::MEANINGS.iter().map(|(code, meaning)| (*code, marked(meaning))).collect(),
    }
}

fn view(document: &Document, described: &Described) -> View {
    let Operation { id, method, path, title, about, parameters, bodies, replies, .. } = &described.operation;
    let parameters = parameters.iter().map(|parameter| {
        let place = match parameter.place {
            Place::Path => strings::API_IN_PATH,
            Place::Query => strings::API_IN_QUERY,
            Place::Header => strings::API_IN_HEADER,
        };
        Row::of(parameter.name.to_owned(), &parameter.schema, parameter.required, place)
    });
    let replies = replies.iter().map(|reply| Reply {
        status: reply.status,
        about: marked(reply.about),
        bodies: reply.contents.iter().map(body).collect(),
        headers: described.headers(&reply.headers),
    });
    let refusals = described.refusals.iter().map(|refusals| Refusal {
        status: refusals.status,
        about: marked(failures::status(refusals.status)),
        codes: refusals.codes.iter().map(|code| if code.is_empty() { "null" } else { code }).collect(),
    });
    View {
        id,
        method,
        path,
        title,
        about: about.unwrap_or_default().split("\n\n").filter(|text| !text.is_empty()).map(marked).collect(),
        keys: strings::api_keys(openapi::keys(described.access)),
        parameters: parameters.collect(),
        bodies: bodies.iter().map(body).collect(),
        replies: replies.collect(),
        refusals: refusals.collect(),
        request: api_samples::request(document, described),
        answer: api_samples::answer(document, &described.operation),
    }
}

fn body(content: &openapi::operation::Content) -> Body {
    let mut rows = rows(&content.schema);
    rows.extend(content.events.iter().map(|event| Row::event(event.name, event.data, event.about)));
    rows.extend(content.lines.iter().map(|line| Row::of(strings::API_LINE.to_owned(), line, true, "")));
    let about = match &content.schema.shape {
        openapi::schema::Shape::Object { .. } | openapi::schema::Shape::Any => {
            content.schema.about.map(marked).unwrap_or_default()
        }
        _ => super::api_words::kind_and_about(&content.schema),
    };
    Body { media_type: content.media_type, about, rows }
}

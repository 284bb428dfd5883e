//! Shapes of JSON in words: what a page says of each member.

use std::fmt::Write;

use super::strings;
use crate::openapi::schema::{Member, Schema, Shape};

/// One member, parameter or event.
pub(super) struct Row {
    pub(super) name: String,
    /// What it is, marked up.
    pub(super) kind: String,
    pub(super) required: bool,
    /// Where it stands, of a parameter.
    pub(super) place: String,
    /// What it means, marked up.
    pub(super) about: String,
}

impl Row {
    pub(super) fn of(name: String, schema: &Schema, required: bool, place: &str) -> Self {
        Self {
            name,
            kind: kind(schema),
            required,
            place: place.to_owned(),
            about: marked(schema.about.unwrap_or_default()),
        }
    }

    /// An event of a stream, with the name of its data's shape.
    pub(super) fn event(name: &str, data: &str, about: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: link(data),
            required: true,
            place: strings::API_EVENT.to_owned(),
            about: marked(about),
        }
    }
}

/// Returns a row for each member of an object. Those of objects within it follow under both names: `credits.charged`.
pub(super) fn rows(schema: &Schema) -> Vec<Row> {
    let mut all = Vec::new();
    add(&mut all, "", schema);
    all
}

fn add(all: &mut Vec<Row>, before: &str, schema: &Schema) {
    for Member { name, schema, required } in schema.members() {
        let name = format!("{before}{name}");
        all.push(Row::of(name.clone(), schema, *required, ""));
        match &schema.shape {
            Shape::Object { .. } => add(all, &format!("{name}."), schema),
            Shape::List { of, .. } => add(all, &format!("{name}[]."), of),
            Shape::Map(of) => add(all, &format!("{name}.*."), of),
            _ => {}
        }
    }
    if let Shape::OneOf(shapes) | Shape::AnyOf(shapes) = &schema.shape {
        let objects = shapes.iter().filter(|shape| !shape.members().is_empty());
        for (number, shape) in (1..).zip(objects) {
            let first = all.len();
            add(all, before, shape);
            all.iter_mut().skip(first).for_each(|row| row.place = strings::api_way(number));
        }
    }
}

/// Says what a shape is, marked up, with links to shapes that have names.
pub(super) fn kind(schema: &Schema) -> String {
    let mut words = match &schema.shape {
        Shape::Any => strings::API_ANY.to_owned(),
        Shape::Named(name) => link(name),
        Shape::Text { format: Some("date-time"), .. } => strings::API_INSTANT.to_owned(),
        Shape::Text { format: Some("date"), .. } => strings::API_DAY.to_owned(),
        Shape::Text { length: (_, Some(most)), .. } => strings::api_text_up_to(*most),
        Shape::Text { .. } => strings::API_TEXT.to_owned(),
        Shape::File => strings::API_FILE.to_owned(),
        Shape::Words(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("<code>{}</code>", escaped(word))).collect();
            words.join(", ")
        }
        Shape::Whole { min, max } => strings::api_whole(*min, *max),
        Shape::Flag => strings::API_FLAG.to_owned(),
        Shape::List { of, .. } => strings::api_list_of(&kind(of)),
        Shape::Map(of) => strings::api_map_of(&kind(of)),
        Shape::Object { .. } => strings::API_OBJECT.to_owned(),
        Shape::OneOf(shapes) | Shape::AnyOf(shapes) => {
            strings::api_one_of(&shapes.iter().map(kind).collect::<Vec<_>>())
        }
    };
    if let Shape::Text { pattern: Some(pattern), .. } = &schema.shape {
        let _ = write!(words, " <code class=\"pattern\">{}</code>", escaped(pattern));
    }
    if schema.nullable {
        words.push_str(strings::API_OR_NULL);
    }
    if let Some(default) = &schema.default {
        words.push_str(&strings::api_default(&escaped(&default.to_string())));
    }
    words
}

/// Says what a shape is and what it means, marked up.
pub(super) fn kind_and_about(schema: &Schema) -> String {
    format!("{}. {}", kind(schema), marked(schema.about.unwrap_or_default()))
}

fn link(name: &str) -> String {
    format!("<a href=\"#{0}\">{0}</a>", escaped(name))
}

/// Escapes a text for HTML, and makes code of what stands in backquotes.
pub(super) fn marked(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for (at, part) in text.split('`').enumerate() {
        match at % 2 {
            0 => html.push_str(&escaped(part)),
            _ => {
                let _ = write!(html, "<code>{}</code>", escaped(part));
            }
        }
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_backquotes_is_code_and_nothing_is_markup() {
        assert_eq!(marked("`a<b` & \"c\""), "<code>a&lt;b</code> &amp; &quot;c&quot;");
    }
}

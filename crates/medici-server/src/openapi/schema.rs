//! Shapes of JSON, as far as the APIs have them, each with an example, so that a document's examples are always of
//! the shape that it states.

use serde_json::Value;

use super::node::Node;

/// A shape, what it means, and an example of it.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) shape: Shape,
    /// What it means, with its unit.
    pub(crate) about: Option<&'static str>,
    /// What stands there if nothing is sent.
    pub(crate) default: Option<Value>,
    /// One value of it; an object's or a list's is made of those of its parts.
    pub(crate) example: Option<Value>,
    /// Whether null may stand there.
    pub(crate) nullable: bool,
}

/// What JSON can be there.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Anything.
    Any,
    /// A text, of a format or a pattern where those are named, of at most so many characters.
    Text { format: Option<&'static str>, pattern: Option<&'static str>, length: (Option<usize>, Option<usize>) },
    /// The bytes of a file.
    File,
    /// One of a few words.
    Words(&'static [&'static str]),
    /// A whole number within bounds.
    Whole { min: Option<i64>, max: Option<u64> },
    /// True or false.
    Flag,
    /// So many of the same shape.
    List { of: Box<Schema>, min: usize, max: Option<usize> },
    /// An object of whatever names.
    Map(Box<Schema>),
    /// An object of these members, and no others where it is closed.
    Object { members: Vec<Member>, closed: bool },
    /// One of several shapes, and no two of them.
    OneOf(Vec<Schema>),
    /// One or more of several shapes.
    AnyOf(Vec<Schema>),
    /// A shape that the document names.
    Named(&'static str),
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) schema: Schema,
    /// Whether it is always there.
    pub(crate) required: bool,
}

fn of(shape: Shape) -> Schema {
    Schema { shape, about: None, default: None, example: None, nullable: false }
}

/// Anything at all.
pub(super) fn any() -> Schema {
    of(Shape::Any)
}

/// A text.
pub(super) fn text(example: &'static str) -> Schema {
    of(Shape::Text { format: None, pattern: None, length: (None, None) }).example(example)
}

/// A text that a regular expression describes.
pub(super) fn pattern(pattern: &'static str, example: &'static str) -> Schema {
    of(Shape::Text { format: None, pattern: Some(pattern), length: (None, None) }).example(example)
}

/// An instant as RFC 3339 writes it.
pub(super) fn date_time(example: &'static str) -> Schema {
    of(Shape::Text { format: Some("date-time"), pattern: None, length: (None, None) }).example(example)
}

/// A day as RFC 3339 writes it.
pub(super) fn date(example: &'static str) -> Schema {
    of(Shape::Text { format: Some("date"), pattern: None, length: (None, None) }).example(example)
}

/// An address.
pub(super) fn address(example: &'static str) -> Schema {
    of(Shape::Text { format: Some("uri"), pattern: None, length: (None, None) }).example(example)
}

/// The bytes of a file.
pub(super) fn file() -> Schema {
    of(Shape::File)
}

/// One of a few words.
pub(super) fn words(words: &'static [&'static str]) -> Schema {
    of(Shape::Words(words)).example(words[0])
}

/// A whole number of at least zero.
pub(super) fn count(example: u64) -> Schema {
    of(Shape::Whole { min: Some(0), max: None }).example(example)
}

/// A whole number within bounds.
pub(super) fn whole(min: i64, max: u64, example: u64) -> Schema {
    of(Shape::Whole { min: Some(min), max: Some(max) }).example(example)
}

/// True or false.
pub(super) fn flag(example: bool) -> Schema {
    of(Shape::Flag).example(example)
}

/// Any number of the same shape.
pub(super) fn list(items: Schema) -> Schema {
    of(Shape::List { of: Box::new(items), min: 0, max: None })
}

/// An object of whatever names.
pub(super) fn map(name: &'static str, values: Schema) -> Schema {
    let schema = of(Shape::Map(Box::new(values)));
    schema.example(Value::Object([(name.to_owned(), Value::Null)].into_iter().collect()))
}

/// An object, without members so far.
pub(super) fn object() -> Schema {
    of(Shape::Object { members: Vec::new(), closed: false })
}

/// One of several shapes; the first is the example.
pub(super) fn one_of(schemas: impl Into<Vec<Schema>>) -> Schema {
    of(Shape::OneOf(schemas.into()))
}

/// One or more of several shapes; the first is the example.
pub(super) fn any_of(schemas: impl Into<Vec<Schema>>) -> Schema {
    of(Shape::AnyOf(schemas.into()))
}

/// A shape that the document names.
pub(super) fn named(name: &'static str) -> Schema {
    of(Shape::Named(name))
}

impl Schema {
    /// Says what it means.
    pub(super) fn about(self, about: &'static str) -> Self {
        Self { about: Some(about), ..self }
    }

    /// Gives another example.
    pub(super) fn example(self, example: impl Into<Value>) -> Self {
        Self { example: Some(example.into()), ..self }
    }

    /// Says what stands there if nothing is sent.
    pub(super) fn default(self, default: impl Into<Value>) -> Self {
        Self { default: Some(default.into()), ..self }
    }

    /// Lets null stand there too.
    pub(super) fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// Lets null stand there, which is what the example shows.
    pub(super) fn mostly_null(self) -> Self {
        self.or_null().example(Value::Null)
    }

    /// Bounds the characters of a text, or the items of a list.
    pub(super) fn sized(mut self, at_least: usize, at_most: usize) -> Self {
        match &mut self.shape {
            Shape::Text { length, .. } => *length = (Some(at_least).filter(|min| *min > 0), Some(at_most)),
            Shape::List { min, max, .. } => (*min, *max) = (at_least, Some(at_most)),
            other => unreachable!("only texts and lists have a length, not {other:?}"),
        }
        self
    }

    /// Adds a member that is always there.
    pub(super) fn has(self, name: &'static str, schema: Schema) -> Self {
        self.member(Member { name, schema, required: true })
    }

    /// Adds a member that may be absent.
    pub(super) fn may(self, name: &'static str, schema: Schema) -> Self {
        self.member(Member { name, schema, required: false })
    }

    /// Adds the members of another object.
    pub(super) fn and(self, other: Schema) -> Self {
        let Shape::Object { members, .. } = other.shape else { unreachable!("only objects have members") };
        members.into_iter().fold(self, Self::member)
    }

    /// Refuses members of other names.
    pub(super) fn closed(mut self) -> Self {
        if let Shape::Object { closed, .. } = &mut self.shape {
            *closed = true;
        }
        self
    }

    fn member(mut self, member: Member) -> Self {
        match &mut self.shape {
            Shape::Object { members, .. } => members.push(member),
            other => unreachable!("only an object has members, not {other:?}"),
        }
        self
    }

    /// Returns the members of an object; none of anything else.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.shape {
            Shape::Object { members, .. } => members,
            _ => &[],
        }
    }

    /// Returns an example; `find` knows the shapes that have names.
    pub(crate) fn sample(&self, find: &dyn Fn(&str) -> Schema) -> Node {
        match (&self.shape, &self.example) {
            (Shape::Map(values), Some(Value::Object(names))) => {
                let members = names.keys().map(|name| (name.clone().into(), values.sample(find)));
                Node::Object(members.collect())
            }
            (_, Some(example)) => example.clone().into(),
            (Shape::Object { members, .. }, None) => {
                let members = members.iter().map(|member| (member.name.into(), member.schema.sample(find)));
                Node::Object(members.collect())
            }
            (Shape::List { of, .. }, None) => [of.sample(find)].into_iter().collect(),
            (Shape::OneOf(schemas) | Shape::AnyOf(schemas), None) => {
                schemas.first().map_or_else(|| Value::Null.into(), |one| one.sample(find))
            }
            (Shape::Named(name), None) => find(name).sample(find),
            (_, None) => Value::Null.into(),
        }
    }

    /// Writes it as JSON Schema.
    pub(crate) fn node(&self) -> Node {
        let node = match &self.shape {
            Shape::Any => Node::object(),
            Shape::Named(name) if self.nullable => {
                let either = [reference(name), Node::object().with("type", "null")];
                Node::object().with("anyOf", Node::from_iter(either))
            }
            Shape::Named(name) => reference(name),
            Shape::OneOf(schemas) => self.either("oneOf", schemas),
            Shape::AnyOf(schemas) => self.either("anyOf", schemas),
            Shape::Text { format, pattern, length: (min, max) } => self
                .typed("string")
                .with_some("format", *format)
                .with_some("pattern", *pattern)
                .with_some("minLength", *min)
                .with_some("maxLength", *max),
            Shape::File => self.typed("string").with("format", "binary"),
            Shape::Words(words) => {
                let null = self.nullable.then_some(Value::Null.into());
                self.typed("string")
                    .with("enum", words.iter().map(|word| Node::from(*word)).chain(null).collect::<Node>())
            }
            Shape::Whole { min, max } => self.typed("integer").with_some("minimum", *min).with_some("maximum", *max),
            Shape::Flag => self.typed("boolean"),
            Shape::List { of, min, max } => {
                let min = Some(*min).filter(|min| *min > 0);
                self.typed("array").with("items", of.node()).with_some("minItems", min).with_some("maxItems", *max)
            }
            Shape::Map(values) => self.typed("object").with("additionalProperties", values.node()),
            Shape::Object { members, closed } => self.object_node(members, *closed),
        };
        let node = node.with_some("description", self.about).with_some("default", self.default.clone());
        // Shapes that are made of others show the examples of those.
        let leaf = matches!(self.shape, Shape::Text { .. } | Shape::Words(_) | Shape::Whole { .. } | Shape::Flag);
        let example = self.example.clone().filter(|_| leaf).map(|example| Node::List(vec![example.into()]));
        node.with_some("examples", example)
    }

    fn either(&self, keyword: &'static str, schemas: &[Self]) -> Node {
        let null = Node::object().with("type", "null");
        let either = schemas.iter().map(Self::node).chain(self.nullable.then_some(null));
        Node::object().with(keyword, Node::from_iter(either))
    }

    fn typed(&self, kind: &'static str) -> Node {
        match self.nullable {
            true => Node::object().with("type", Node::from_iter([Node::from(kind), Node::from("null")])),
            false => Node::object().with("type", kind),
        }
    }

    fn object_node(&self, members: &[Member], closed: bool) -> Node {
        let properties = members.iter().map(|member| (member.name.into(), member.schema.node()));
        let required: Node =
            members.iter().filter(|member| member.required).map(|member| Node::from(member.name)).collect();
        let required = Some(required).filter(|required| !matches!(required, Node::List(names) if names.is_empty()));
        self.typed("object")
            .with("properties", Node::Object(properties.collect()))
            .with_some("required", required)
            .with_some("additionalProperties", closed.then_some(false))
    }
}

fn reference(name: &str) -> Node {
    Node::object().with("$ref", format!("#/components/schemas/{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(schema: &Schema) -> Value {
        serde_json::to_value(schema.node()).unwrap()
    }

    #[test]
    fn an_object_says_which_members_are_always_there() {
        let schema = object().has("id", text("a")).may("note", text("b").or_null()).closed();
        let expected = json!({
            "type": "object",
            "properties": {
                "id": {"type": "string", "examples": ["a"]},
                "note": {"type": ["string", "null"], "examples": ["b"]},
            },
            "required": ["id"],
            "additionalProperties": false,
        });
        assert_eq!(written(&schema), expected);
    }

    #[test]
    fn null_stands_beside_words_and_names() {
        assert_eq!(written(&words(&["a"]).or_null())["enum"], json!(["a", null]));
        let either = json!({"anyOf": [{"$ref": "#/components/schemas/Lot"}, {"type": "null"}]});
        assert_eq!(written(&named("Lot").or_null()), either);
    }

    #[test]
    fn an_example_is_made_of_those_of_its_parts() {
        let find = |name: &str| {
            assert_eq!(name, "Lot");
            object().has("lot", count(3))
        };
        let schema = object().has("lots", list(named("Lot"))).has("by", map("edit", text("1"))).has("on", flag(true));
        let sample = serde_json::to_value(schema.sample(&find)).unwrap();
        assert_eq!(sample, json!({"lots": [{"lot": 3}], "by": {"edit": "1"}, "on": true}));
    }
}

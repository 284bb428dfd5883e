//! JSON that keeps the order it was written in: readers see a document's members as its authors thought of them.

use std::borrow::Cow;

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use serde_json::Value;

/// A piece of a document.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A text, number, boolean or null.
    Leaf(Value),
    /// An array.
    List(Vec<Node>),
    /// An object, in the order of its members.
    Object(Vec<(Cow<'static, str>, Node)>),
}

impl Node {
    /// Returns an object without members.
    pub(crate) fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// Returns null.
    pub(crate) fn null() -> Self {
        Self::Leaf(Value::Null)
    }

    /// Returns the object with one more member. What is no object stays as it is.
    pub(crate) fn with(mut self, name: impl Into<Cow<'static, str>>, node: impl Into<Self>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.into(), node.into()));
        }
        self
    }

    /// Returns the object with one more member, if there is one.
    pub(crate) fn with_some(self, name: &'static str, node: Option<impl Into<Self>>) -> Self {
        match node {
            Some(node) => self.with(name, node),
            None => self,
        }
    }
}

impl Node {
    /// Writes it for people: what fits into a line of so many characters stands in one.
    pub(crate) fn pretty(&self, width: usize) -> String {
        let mut text = String::new();
        self.write(&mut text, width, 0, 0);
        text
    }

    fn line(&self) -> String {
        match self {
            Self::Leaf(value) => value.to_string(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::line).collect::<Vec<_>>().join(", ")),
            Self::Object(members) => {
                let member = |(name, node): &(Cow<'static, str>, Self)| format!("{}: {}", quoted(name), node.line());
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Writes it at an indentation; `used` is how much of the line stands there already.
    fn write(&self, text: &mut String, width: usize, indent: usize, used: usize) {
        let line = self.line();
        // One place is for the comma behind it.
        if used + line.chars().count() < width {
            return text.push_str(&line);
        }
        let (open, close) = match self {
            Self::Leaf(_) => return text.push_str(&line),
            Self::List(_) => ('[', ']'),
            Self::Object(_) => ('{', '}'),
        };
        text.push(open);
        let inner = indent + 2;
        let separate = |text: &mut String, first: bool| {
            text.push_str(if first { "\n" } else { ",\n" });
            text.extend(std::iter::repeat_n(' ', inner));
        };
        match self {
            Self::Leaf(_) => {}
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    separate(text, at == 0);
                    item.write(text, width, inner, inner);
                }
            }
            Self::Object(members) => {
                for (at, (name, node)) in members.iter().enumerate() {
                    separate(text, at == 0);
                    let name = quoted(name);
                    text.push_str(&name);
                    text.push_str(": ");
                    node.write(text, width, inner, inner + name.chars().count() + 2);
                }
            }
        }
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent));
        text.push(close);
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text makes JSON")
}

impl<T: Into<Value>> From<T> for Node {
    fn from(leaf: T) -> Self {
        match leaf.into() {
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
            leaf => Self::Leaf(leaf),
        }
    }
}

impl FromIterator<Self> for Node {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::List(items.into_iter().collect())
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, node)| object.serialize_entry(name, node))?;
                object.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order() {
        let node = Node::object().with("z", 1).with("a", Node::from_iter([Node::from("x"), Node::object()]));
        assert_eq!(serde_json::to_string(&node).unwrap(), r#"{"z":1,"a":["x",{}]}"#);
    }

    #[test]
    fn what_fits_into_a_line_stands_in_one() {
        let long = "x".repeat(100);
        let node =
            Node::object().with("short", Node::from_iter([Node::from(1), Node::null()])).with("long", long.clone());
        assert_eq!(node.pretty(100), format!("{{\n  \"short\": [1, null],\n  \"long\": \"{long}\"\n}}"));
        assert_eq!(serde_json::from_str::<Value>(&node.pretty(100)).unwrap(), serde_json::to_value(&node).unwrap());
    }
}

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
}

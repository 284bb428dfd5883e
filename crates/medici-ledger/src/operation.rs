//! What credits buy.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The most characters an operation's name has.
pub const OPERATION_NAME_MAX: usize = 64;

/// What credits buy: the three picture operations, or one that another service named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Pictures from a prompt.
    Generate,
    /// Pictures from an uploaded one, a mask and a prompt.
    Edit,
    /// Variations of an uploaded picture.
    Vary,
    /// An operation of another service of the same operator.
    Named(OperationName),
}

/// The name of an operation that is not one of the three built in.
///
/// Shared, because a charge writes it into several postings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationName(Arc<str>);

impl OperationName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text names no operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationError {
    found: Box<str>,
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an operation of 1 to {OPERATION_NAME_MAX} characters a-z, 0-9, '_', '.', '-' needed, {:?} found",
            self.found
        )
    }
}

impl std::error::Error for OperationError {}

impl Operation {
    /// Returns the name as prices, ledger accounts and the API write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Generate => "generate",
            Self::Edit => "edit",
            Self::Vary => "vary",
            Self::Named(name) => name.as_str(),
        }
    }
}

impl FromStr for Operation {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, OperationError> {
        let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
        match text {
            "generate" => Ok(Self::Generate),
            "edit" => Ok(Self::Edit),
            "vary" => Ok(Self::Vary),
            _ if (1..=OPERATION_NAME_MAX).contains(&text.len()) && text.bytes().all(allowed) => {
                Ok(Self::Named(OperationName(text.into())))
            }
            _ => Err(OperationError { found: text.chars().take(80).collect::<String>().into() }),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_operations_are_themselves_and_other_names_are_short_and_plain() {
        for operation in [Operation::Generate, Operation::Edit, Operation::Vary] {
            assert_eq!(operation.as_str().parse(), Ok(operation));
        }
        let longest = "x".repeat(OPERATION_NAME_MAX);
        for name in ["text", "a.b-c_9", &longest] {
            let operation: Operation = name.parse().unwrap();
            assert!(matches!(operation, Operation::Named(_)), "{name}");
            assert_eq!(operation.as_str(), name);
        }
        for name in ["", "Edit", "a b", "ä", &format!("{longest}x")] {
            assert!(name.parse::<Operation>().is_err(), "{name}");
        }
    }
}

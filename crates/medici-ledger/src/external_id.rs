//! External ids: what somebody else calls a refund, a dispute or an event.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The most characters an external id has.
pub const EXTERNAL_ID_MAX: usize = 100;

/// Somebody else's name for a thing: 1 to [`EXTERNAL_ID_MAX`] visible ASCII characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(Arc<str>);

impl ExternalId {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no external id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalIdError;

impl fmt::Display for ExternalIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id of 1 to {EXTERNAL_ID_MAX} visible ASCII characters needed")
    }
}

impl std::error::Error for ExternalIdError {}

impl FromStr for ExternalId {
    type Err = ExternalIdError;

    fn from_str(text: &str) -> Result<Self, ExternalIdError> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=EXTERNAL_ID_MAX).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(ExternalIdError)
        }
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_is_short_and_visible() {
        let longest = "x".repeat(EXTERNAL_ID_MAX);
        for text in ["re_1", "!~", &longest] {
            assert_eq!(text.parse::<ExternalId>().unwrap().to_string(), *text);
        }
        for text in ["", "a b", "ä", "a\n", &format!("{longest}x")] {
            assert_eq!(text.parse::<ExternalId>(), Err(ExternalIdError), "{text:?}");
        }
    }
}

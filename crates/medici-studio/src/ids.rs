//! Names of the studio's own things. The ledger's (`AccountId`, `HoldId`) are the ledger's.

use std::{fmt, str::FromStr};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u128);

        impl $name {
            /// Wraps a raw id, as [`crate::Ids::next`] makes them.
            pub const fn from_u128(raw: u128) -> Self {
                Self(raw)
            }
            /// Returns the raw id, for storage.
            pub const fn as_u128(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{:032x}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
                    .and_then(|hex| u128::from_str_radix(hex, 16).ok())
                    .map(Self)
                    .ok_or(BadId { expected: $prefix })
            }
        }
    };
}

id!(
    /// Names a job: `job_` and 32 hex digits.
    JobId,
    "job"
);
id!(
    /// Names an image: `img_` and 32 hex digits.
    ImageId,
    "img"
);
id!(
    /// Names an API key, not the secret in it: `key_` and 32 hex digits.
    ApiKeyId,
    "key"
);

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {expected}_ and 32 hex digits")]
pub struct BadId {
    expected: &'static str,
}

//! Identities: 128 bits, made elsewhere, written as a prefix and 32 hex digits.

use std::fmt;
use std::str::FromStr;

/// Why a text is not an id of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError {
    prefix: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id of {:?} and 32 lower-case hex digits needed", self.prefix)
    }
}

impl std::error::Error for IdError {}

fn parse_hex(text: &str, prefix: &'static str) -> Result<u128, IdError> {
    let error = IdError { prefix };
    let digits = text.strip_prefix(prefix).filter(|digits| digits.len() == 32).ok_or(error)?;
    // Upper case is refused so that an id has one spelling.
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(error);
    }
    u128::from_str_radix(digits, 16).map_err(|_| error)
}

/// Writes up to 32 bytes as lower-case hex digits. The formatter takes many times as long, digit by digit.
pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    let text = &mut text[..2 * bytes.len()];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
    f.write_str(std::str::from_utf8(text).expect("hex digits are ASCII"))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        // Bytes, not a u128: alignment 1 keeps wallets small. Big-endian, so that the order is the number's.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What the written form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Returns the id of that number.
            #[must_use]
            pub const fn from_u128(number: u128) -> Self {
                Self(number.to_be_bytes())
            }

            /// Returns the id's number.
            #[must_use]
            pub const fn as_u128(self) -> u128 {
                u128::from_be_bytes(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                write_hex(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex(text, $prefix).map(Self::from_u128)
            }
        }
    };
}

id!(
    /// Names an account: the customer that owns a wallet.
    AccountId,
    "acct_"
);
id!(
    /// Names a hold, or a charge (a hold and its capture in one).
    HoldId,
    "hold_"
);

id!(
    /// Names an order: a pack, a period of a plan, or a change of plan that is paid for.
    OrderId,
    "order_"
);
id!(
    /// Names a member: a person who spends an account's credits.
    MemberId,
    "member_"
);
id!(
    /// Names the API key that a spend came by.
    KeyId,
    "key_"
);

/// Numbers the lots of one wallet, from 1, in the order they were granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LotNumber(pub(crate) u32);

impl LotNumber {
    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns the lot of that number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for LotNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_has_one_spelling() {
        let id = AccountId::from_u128(0xc0ffee);
        assert_eq!(id.to_string(), "acct_00000000000000000000000000c0ffee");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [
            "acct_00000000000000000000000000C0FFEE",
            "acct_+0000000000000000000000000c0ffee",
            "acct_0000000000000000000000000c0ffee",
            "acct_000000000000000000000000000c0ffee",
            "hold_00000000000000000000000000c0ffee",
            "00000000000000000000000000c0ffee",
        ] {
            let refused = text.parse::<AccountId>().unwrap_err();
            assert_eq!(refused.to_string(), "an id of \"acct_\" and 32 lower-case hex digits needed", "{text}");
        }
    }
}

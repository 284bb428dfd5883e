//! The key that signs heads, and what it signs.
//!
//! A signature shows that whoever wrote a head had the key. The key lies in the data directory, so it proves
//! something to those who hold the public key and have no access to the directory, and nothing against those who do.

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::hex;

/// The secret key of a data directory, with which it signs heads.
#[derive(Clone)]
pub struct HeadKey(SigningKey);

/// The public half of a [`HeadKey`]: 64 hex digits, to be kept elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// An ed25519 signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signature([u8; 64]);

/// What is signed: a signature over one kind never passes for another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// A line of the file of heads.
    HeadsLine,
    /// The head of one account, in a proof that is handed on.
    AccountHead,
}

/// A text that is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key of 64 lower-case hex digits needed")]
pub struct PublicKeyError;

impl Purpose {
    /// Returns the bytes that are signed for a message of this kind.
    fn message(self, message: &str) -> Vec<u8> {
        let domain = match self {
            Self::HeadsLine => "medici heads line 1\n",
            Self::AccountHead => "medici account head 1\n",
        };
        [domain.as_bytes(), message.as_bytes()].concat()
    }
}

impl HeadKey {
    /// Returns the key of these secret bytes, which must come from a source of randomness.
    #[must_use]
    pub fn from_bytes(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Returns the secret as it is kept in a file.
    pub(crate) fn secret_text(&self) -> String {
        hex::encode(self.0.as_bytes())
    }

    pub(crate) fn sign(&self, purpose: Purpose, message: &str) -> Signature {
        Signature(self.0.sign(&purpose.message(message)).to_bytes())
    }
}

impl fmt::Debug for HeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl PublicKey {
    /// Returns whether this key's secret half made the signature.
    pub(crate) fn holds(&self, purpose: Purpose, message: &str, signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        // Strict: without keys and forms of signatures for which more than one message holds.
        self.0.verify_strict(&purpose.message(message), &signature).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let bytes = hex::decode_array(text).ok_or(PublicKeyError)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| PublicKeyError)
    }
}

impl fmt::Display for PublicKey {
    /// Writes 64 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Signature {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        hex::decode_array(text).map(Self)
    }
}

impl fmt::Display for Signature {
    /// Writes 128 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_its_purpose_and_its_message_alone() {
        let key = HeadKey::from_bytes(&[7; 32]);
        let signature = key.sign(Purpose::HeadsLine, "1 ab");
        assert!(key.public().holds(Purpose::HeadsLine, "1 ab", &signature));
        assert!(!key.public().holds(Purpose::AccountHead, "1 ab", &signature));
        assert!(!key.public().holds(Purpose::HeadsLine, "2 ab", &signature));
        assert!(!HeadKey::from_bytes(&[8; 32]).public().holds(Purpose::HeadsLine, "1 ab", &signature));
    }

    #[test]
    fn a_signature_is_that_of_rfc_8032() {
        // Test 1 of section 7.1, for the key alone: our messages are never empty.
        let secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let key = HeadKey::from_bytes(&hex::decode_array(secret).unwrap());
        assert_eq!(key.public().to_string(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(key.secret_text(), secret);
    }

    #[test]
    fn a_key_shows_its_public_half_alone() {
        let key = HeadKey::from_bytes(&[7; 32]);
        assert_eq!(format!("{key:?}"), "(hidden)");
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
        assert_eq!("ab".parse::<PublicKey>(), Err(PublicKeyError));
        let no_point = format!("02{}", "00".repeat(31));
        assert_eq!(no_point.parse::<PublicKey>(), Err(PublicKeyError));
    }
}

//! The text of an API key: `sk-m-`, twelve characters to find it by, forty-three that are secret, six to
//! tell a typing error from a wrong key.

use sha2::{Digest, Sha256};

const PREFIX: &str = "sk-m-";
const LOOKUP: usize = 12;
const SECRET: usize = 43;
const CHECK: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A whole API key, as its holder sends it. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes a key out of two times 256 random bits: one for the public part, one for the secret one.
    pub fn new(lookup: [u8; 32], secret: [u8; 32]) -> Self {
        let body = format!("{PREFIX}{}{}", base62(lookup, LOOKUP), base62(secret, SECRET));
        let check = checksum(&body);
        Self(body + &check)
    }

    /// Reads a key. `None` if it cannot be one: wrong form or wrong checksum.
    pub fn parse(text: &str) -> Option<Self> {
        let length = PREFIX.len() + LOOKUP + SECRET + CHECK;
        let well_formed = text.len() == length && text.starts_with(PREFIX) && text.is_ascii();
        let (body, check) = text.split_at_checked(length - CHECK).filter(|_| well_formed)?;
        (checksum(body) == check).then(|| Self(text.to_owned()))
    }

    /// Returns the public part by which the key is found.
    pub fn lookup(&self) -> &str {
        &self.0[PREFIX.len()..PREFIX.len() + LOOKUP]
    }

    /// Returns what is stored instead of the key.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Returns the whole key, to be shown once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({PREFIX}{}…)", self.lookup())
    }
}

fn checksum(body: &str) -> String {
    base62(Sha256::digest(body.as_bytes()).into(), CHECK)
}

/// Writes 256 bits in base 62, the lowest `length` digits of it.
fn base62(mut number: [u8; 32], length: usize) -> String {
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        let mut remainder = 0u32;
        for byte in &mut number {
            let value = remainder * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).expect("a remainder below 62 leaves a quotient below 256");
            remainder = value % 62;
        }
        text.push(char::from(DIGITS[remainder as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_a_typing_error_is_seen() {
        let key = Secret::new([7; 32], [9; 32]);
        assert_eq!(Secret::parse(key.expose()), Some(key.clone()));
        assert_eq!(key.lookup().len(), LOOKUP);
        for at in 0..key.expose().len() {
            let mut wrong = key.expose().as_bytes().to_vec();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(Secret::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_without_a_panic() {
        for text in ["", "sk-m-", "sk-proj-abc", &"ü".repeat(33), &format!("sk-m-{}", "é".repeat(30))] {
            assert_eq!(Secret::parse(text), None);
        }
    }

    #[test]
    fn a_key_is_not_shown_by_debug() {
        let key = Secret::new([1; 32], [2; 32]);
        assert!(!format!("{key:?}").contains(&key.expose()[PREFIX.len() + LOOKUP..]));
    }
}

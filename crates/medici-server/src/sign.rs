//! Signatures under the server's secret, each for one purpose.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a signature is for. One made for a purpose proves nothing for another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// A link to an image.
    Image,
    /// The cookie of a signed-in browser.
    Session,
}

impl Purpose {
    fn tag(self) -> &'static [u8] {
        match self {
            Self::Image => b"image\0",
            Self::Session => b"session\0",
        }
    }
}

/// Signs `message`: HMAC-SHA256 in base64 for URLs, 43 characters.
pub(crate) fn sign(secret: &[u8; 32], purpose: Purpose, message: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(secret, purpose, message).finalize().into_bytes())
}

/// Returns whether `signature` is [`sign`]'s of this message. Takes the same time for every wrong one.
pub(crate) fn verify(secret: &[u8; 32], purpose: Purpose, message: &str, signature: &str) -> bool {
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    mac(secret, purpose, message).verify_slice(&signature).is_ok()
}

fn mac(secret: &[u8; 32], purpose: Purpose, message: &str) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(purpose.tag());
    mac.update(message.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_good_for_its_message_its_purpose_and_its_secret_only() {
        let signature = sign(&[1; 32], Purpose::Image, "a");
        assert_eq!(signature.len(), 43);
        assert!(verify(&[1; 32], Purpose::Image, "a", &signature));
        assert!(!verify(&[1; 32], Purpose::Image, "b", &signature));
        assert!(!verify(&[1; 32], Purpose::Session, "a", &signature));
        assert!(!verify(&[2; 32], Purpose::Image, "a", &signature));
        assert!(!verify(&[1; 32], Purpose::Image, "a", &signature[..42]));
        assert!(!verify(&[1; 32], Purpose::Image, "a", ""));
    }
}

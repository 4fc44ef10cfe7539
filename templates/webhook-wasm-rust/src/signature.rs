//! Signatures of deliveries: `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits, as GitHub sends them.

use hmac::{Hmac, Mac};
use sha2::Sha256;

const SCHEME: &str = "sha256=";

/// Whether the signature is the body's. Takes the same time wherever the two differ.
pub fn is_valid(signature: &str, body: &[u8], secret: &[u8]) -> bool {
    match signature.strip_prefix(SCHEME).map(hex::decode) {
        Some(Ok(expected)) => mac(body, secret).verify_slice(&expected).is_ok(),
        _ => false,
    }
}

/// The signature of a body.
pub fn sign(body: &[u8], secret: &[u8]) -> String {
    let digest = mac(body, secret).finalize().into_bytes();
    format!("{SCHEME}{}", hex::encode(digest))
}

fn mac(body: &[u8], secret: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).expect("a key of HMAC may have any length");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_github() {
        // The example of GitHub's documentation, "Validating webhook deliveries".
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let (body, secret) = (b"Hello, World!", b"It's a Secret to Everybody");
        assert_eq!(sign(body, secret), signature);
        assert!(is_valid(signature, body, secret));
        assert!(!is_valid(signature, b"Hello, World?", secret));
    }

    #[test]
    fn anything_else_is_refused() {
        for signature in [
            "",
            "sha256=",
            "sha256=0",
            "sha256=zz",
            "sha1=00",
            "sha256=\u{e9}\u{e9}",
        ] {
            assert!(!is_valid(signature, b"", b"secret"), "{signature}");
        }
    }
}

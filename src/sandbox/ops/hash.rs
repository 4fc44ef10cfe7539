//! Digests and keyed digests, each over the whole message at once.

use super::{Answer, OpError, read, split};
use ::hmac::{KeyInit, Mac};
use aws_lc_rs::{digest, hmac};
use md5::{Digest, Md5};
use serde::Deserialize;

/// The names that `crypto.getHashes` shows.
pub(super) const NAMES: &[&str] =
    &["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-256", "sha3-256", "sha3-384", "sha3-512"];

/// The plain form of a hash's name: `RSA-SHA256`, `SHA-256` and `sha256` are one.
pub(super) fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("rsa-").unwrap_or(&name);
    match name {
        "sha-1" => "sha1".to_owned(),
        "sha-224" | "sha-256" | "sha-384" | "sha-512" => name.replace('-', ""),
        "sha512/256" | "sha-512/256" => "sha512-256".to_owned(),
        _ => name.to_owned(),
    }
}

pub(super) fn unknown(name: &str) -> OpError {
    OpError::new(format!("Digest method not supported: {name}; known are {}", NAMES.join(", ")))
}

fn algorithm(name: &str) -> Option<&'static digest::Algorithm> {
    Some(match name {
        "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "sha224" => &digest::SHA224,
        "sha256" => &digest::SHA256,
        "sha384" => &digest::SHA384,
        "sha512" => &digest::SHA512,
        "sha512-256" => &digest::SHA512_256,
        "sha3-256" => &digest::SHA3_256,
        "sha3-384" => &digest::SHA3_384,
        "sha3-512" => &digest::SHA3_512,
        _ => return None,
    })
}

#[derive(Deserialize)]
struct Hash {
    hash: String,
    #[serde(default)]
    parts: Vec<usize>,
}

/// The digest of `data`.
pub(super) fn hash(meta: &str, data: &[u8]) -> Answer {
    let Hash { hash, .. } = read(meta)?;
    let name = plain(&hash);
    if name == "md5" {
        return Ok((String::new(), Md5::digest(data).to_vec()));
    }
    let algorithm = algorithm(&name).ok_or_else(|| unknown(&hash))?;
    Ok((String::new(), digest::digest(algorithm, data).as_ref().to_vec()))
}

/// The keyed digest of `[key, message]`.
pub(super) fn hmac(meta: &str, data: &[u8]) -> Answer {
    let Hash { hash, parts } = read(meta)?;
    let [key, message] = split(data, &parts)?;
    let algorithm = match plain(&hash).as_str() {
        "md5" => {
            let mut mac = <::hmac::Hmac<Md5> as KeyInit>::new_from_slice(key).map_err(|_| OpError::new("the key does not fit"))?;
            mac.update(message);
            return Ok((String::new(), mac.finalize().into_bytes().to_vec()));
        }
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha224" => hmac::HMAC_SHA224,
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        "sha512" => hmac::HMAC_SHA512,
        _ => return Err(unknown(&hash)),
    };
    Ok((String::new(), hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_abc_are_the_published_ones() {
        for (name, expected) in [
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("RSA-SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("sha384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
            (
                "sha512",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            ("sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        ] {
            let (_, bytes) = hash(&format!(r#"{{"hash":"{name}"}}"#), b"abc").unwrap();
            assert_eq!(hex::encode(bytes), expected, "{name}");
        }
        assert!(hash(r#"{"hash":"md99"}"#, b"").unwrap_err().message.contains("md99"));
    }

    // RFC 2202 case 2 and RFC 4231 case 2.
    #[test]
    fn keyed_digests_are_the_published_ones() {
        let message = b"Jefewhat do ya want for nothing?";
        for (name, expected) in [
            ("md5", "750c783e6ab0b503eaa86e310a5db738"),
            ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ] {
            let (_, bytes) = hmac(&format!(r#"{{"hash":"{name}","parts":[4,28]}}"#), message).unwrap();
            assert_eq!(hex::encode(bytes), expected, "{name}");
        }
        assert_eq!(hmac(r#"{"hash":"sha1","parts":[4,29]}"#, message).unwrap_err().name, "TypeError");
    }
}

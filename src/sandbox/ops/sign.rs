//! Signatures, and encryption to a public RSA key.

use super::hash::plain;
use super::key::{Kind, open_private, open_public};
use super::{Answer, OpError, read, split};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair as RsaKeyPair, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Sign {
    #[serde(default)]
    hash: String,
    /// Of RSA: PSS rather than PKCS #1.
    #[serde(default)]
    pss: bool,
    /// Of ECDSA: two numbers of fixed length (`ieee-p1363`) rather than DER.
    #[serde(default)]
    fixed: bool,
    parts: Vec<usize>,
}

impl Sign {
    fn unsupported(&self, kind: &str) -> OpError {
        let scheme = if self.pss { "-PSS" } else { "" };
        OpError::new(format!("{kind}{scheme} with `{}` is not supported inside the sandbox", self.hash))
    }
}

fn rejected(e: aws_lc_rs::error::KeyRejected) -> OpError {
    OpError::new(format!("the key is not valid: {e}"))
}

/// `[private key (PKCS #8), message]` → the signature.
pub(super) fn sign(meta: &str, data: &[u8]) -> Answer {
    let sign: Sign = read(meta)?;
    let [der, message] = split(data, &sign.parts)?;
    let (kind, _) = open_private(der)?;
    let failed = |_| OpError::new("the message could not be signed");
    let hash = plain(&sign.hash);
    let bytes = match kind {
        Kind::Rsa => {
            let encoding: &'static dyn RsaEncoding = match (hash.as_str(), sign.pss) {
                ("sha256", false) => &signature::RSA_PKCS1_SHA256,
                ("sha384", false) => &signature::RSA_PKCS1_SHA384,
                ("sha512", false) => &signature::RSA_PKCS1_SHA512,
                ("sha256", true) => &signature::RSA_PSS_SHA256,
                ("sha384", true) => &signature::RSA_PSS_SHA384,
                ("sha512", true) => &signature::RSA_PSS_SHA512,
                _ => return Err(sign.unsupported("an RSA signature")),
            };
            let pair = RsaKeyPair::from_pkcs8(der).map_err(rejected)?;
            let mut out = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &SystemRandom::new(), message, &mut out).map_err(failed)?;
            out
        }
        Kind::Ec(curve) => {
            let algorithm: &'static EcdsaSigningAlgorithm = match (curve.name, hash.as_str(), sign.fixed) {
                ("P-256", "sha256", false) => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
                ("P-256", "sha256", true) => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                ("P-384", "sha384", false) => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
                ("P-384", "sha384", true) => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
                ("P-521", "sha256", false) => &signature::ECDSA_P521_SHA256_ASN1_SIGNING,
                ("P-521", "sha256", true) => &signature::ECDSA_P521_SHA256_FIXED_SIGNING,
                ("P-521", "sha384", false) => &signature::ECDSA_P521_SHA384_ASN1_SIGNING,
                ("P-521", "sha384", true) => &signature::ECDSA_P521_SHA384_FIXED_SIGNING,
                ("P-521", "sha512", false) => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
                ("P-521", "sha512", true) => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
                ("secp256k1", "sha256", false) => &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
                ("secp256k1", "sha256", true) => &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
                _ => return Err(sign.unsupported(&format!("ECDSA on {}", curve.name))),
            };
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, der).map_err(rejected)?;
            pair.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec()
        }
        Kind::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(rejected)?.sign(message).as_ref().to_vec(),
    };
    Ok((String::new(), bytes))
}

/// `[public key (SPKI), message, signature]` → `true` or `false`.
pub(super) fn verify(meta: &str, data: &[u8]) -> Answer {
    let sign: Sign = read(meta)?;
    let [der, message, signature] = split(data, &sign.parts)?;
    let (kind, key) = open_public(der)?;
    let hash = plain(&sign.hash);
    let algorithm: &'static dyn VerificationAlgorithm = match kind {
        Kind::Rsa => match (hash.as_str(), sign.pss) {
            ("sha1", false) => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            ("sha256", false) => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            ("sha384", false) => &signature::RSA_PKCS1_2048_8192_SHA384,
            ("sha512", false) => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            ("sha256", true) => &signature::RSA_PSS_2048_8192_SHA256,
            ("sha384", true) => &signature::RSA_PSS_2048_8192_SHA384,
            ("sha512", true) => &signature::RSA_PSS_2048_8192_SHA512,
            _ => return Err(sign.unsupported("an RSA signature")),
        },
        Kind::Ec(curve) => match (curve.name, hash.as_str(), sign.fixed) {
            ("P-256", "sha256", false) => &signature::ECDSA_P256_SHA256_ASN1,
            ("P-256", "sha384", false) => &signature::ECDSA_P256_SHA384_ASN1,
            ("P-256", "sha512", false) => &signature::ECDSA_P256_SHA512_ASN1,
            ("P-256", "sha256", true) => &signature::ECDSA_P256_SHA256_FIXED,
            ("P-384", "sha256", false) => &signature::ECDSA_P384_SHA256_ASN1,
            ("P-384", "sha384", false) => &signature::ECDSA_P384_SHA384_ASN1,
            ("P-384", "sha512", false) => &signature::ECDSA_P384_SHA512_ASN1,
            ("P-384", "sha384", true) => &signature::ECDSA_P384_SHA384_FIXED,
            ("P-521", "sha256", false) => &signature::ECDSA_P521_SHA256_ASN1,
            ("P-521", "sha256", true) => &signature::ECDSA_P521_SHA256_FIXED,
            ("P-521", "sha384", false) => &signature::ECDSA_P521_SHA384_ASN1,
            ("P-521", "sha384", true) => &signature::ECDSA_P521_SHA384_FIXED,
            ("P-521", "sha512", false) => &signature::ECDSA_P521_SHA512_ASN1,
            ("P-521", "sha512", true) => &signature::ECDSA_P521_SHA512_FIXED,
            ("secp256k1", "sha256", false) => &signature::ECDSA_P256K1_SHA256_ASN1,
            ("secp256k1", "sha256", true) => &signature::ECDSA_P256K1_SHA256_FIXED,
            _ => return Err(sign.unsupported(&format!("ECDSA on {}", curve.name))),
        },
        Kind::Ed25519 => &signature::ED25519,
    };
    let good = UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok();
    Ok((good.to_string(), Vec::new()))
}

#[derive(Deserialize)]
struct Box {
    /// `oaep` or `pkcs1`.
    padding: String,
    #[serde(default)]
    hash: String,
    encrypt: bool,
    parts: Vec<usize>,
}

/// `[key (SPKI to encrypt, PKCS #8 to decrypt), label, message]` → the message encrypted or decrypted with RSA.
pub(super) fn rsa(meta: &str, data: &[u8]) -> Answer {
    let Box { padding, hash, encrypt, parts } = read(meta)?;
    let [der, label, message] = split(data, &parts)?;
    let failed =
        |_| OpError::new(if encrypt { "the message is too long for the key" } else { "error:02000079:rsa routines::oaep decoding error" });
    let invalid = |_| OpError::new("the key is not a valid RSA key");
    let label = (!label.is_empty()).then_some(label);
    let oaep = match plain(&hash).as_str() {
        "sha256" => &OAEP_SHA256_MGF1SHA256,
        "sha384" => &OAEP_SHA384_MGF1SHA384,
        "sha512" => &OAEP_SHA512_MGF1SHA512,
        _ => &OAEP_SHA1_MGF1SHA1,
    };
    let bytes = match (padding.as_str(), encrypt) {
        ("oaep", true) => {
            let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(der).map_err(rejected)?).map_err(invalid)?;
            let mut out = vec![0; key.ciphertext_size()];
            key.encrypt(oaep, message, &mut out, label).map_err(failed)?.to_vec()
        }
        ("oaep", false) => {
            let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(der).map_err(rejected)?).map_err(invalid)?;
            let mut out = vec![0; key.min_output_size()];
            key.decrypt(oaep, message, &mut out, label).map_err(failed)?.to_vec()
        }
        ("pkcs1", true) => {
            let key = Pkcs1PublicEncryptingKey::new(PublicEncryptingKey::from_der(der).map_err(rejected)?).map_err(invalid)?;
            let mut out = vec![0; key.ciphertext_size()];
            key.encrypt(message, &mut out).map_err(failed)?.to_vec()
        }
        ("pkcs1", false) => {
            let key = Pkcs1PrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(der).map_err(rejected)?).map_err(invalid)?;
            let mut out = vec![0; key.min_output_size()];
            key.decrypt(message, &mut out).map_err(failed)?.to_vec()
        }
        _ => return Err(OpError::new(format!("RSA padding `{padding}` is not supported inside the sandbox"))),
    };
    Ok((String::new(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::ops::key;
    use serde_json::{Value, json};

    fn fresh(kind: &str, curve: &str) -> (Value, Vec<u8>, Vec<u8>) {
        let (meta, data) = key::generate(&json!({"kind": kind, "bits": 2048, "curve": curve}).to_string()).unwrap();
        let meta: Value = serde_json::from_str(&meta).unwrap();
        let at = meta["parts"][0].as_u64().unwrap() as usize;
        (meta, data[..at].to_vec(), data[at..].to_vec())
    }

    fn round(kind: &str, curve: &str, hash: &str, pss: bool, fixed: bool) {
        let (meta, private, public) = fresh(kind, curve);
        let message = b"a message";
        let options = |parts: Value| json!({"hash": hash, "pss": pss, "fixed": fixed, "parts": parts}).to_string();
        let signed = sign(&options(json!([private.len(), message.len()])), &[&private[..], message].concat()).unwrap().1;
        let check = |public: &[u8], message: &[u8]| {
            verify(&options(json!([public.len(), message.len(), signed.len()])), &[public, message, &signed].concat()).unwrap().0
        };
        assert_eq!(check(&public, message), "true", "{kind} {curve} {hash}");
        assert_eq!(check(&public, b"another message"), "false");
        // The same key again, by way of its JWK.
        let (again, data) = key::import(&json!({"format": "jwk", "jwk": meta["jwk"]}).to_string(), b"").unwrap();
        let again: Value = serde_json::from_str(&again).unwrap();
        assert_eq!(again["jwk"], meta["jwk"]);
        assert_eq!(check(&data[again["parts"][0].as_u64().unwrap() as usize..], message), "true");
    }

    #[test]
    fn a_signature_is_known_by_its_key_and_message() {
        for (curve, hash) in [("P-256", "sha256"), ("P-384", "SHA-384"), ("P-521", "sha512"), ("secp256k1", "sha256")] {
            round("ec", curve, hash, false, false);
            round("ec", curve, hash, false, true);
        }
        round("rsa", "", "RSA-SHA256", false, false);
        round("rsa", "", "sha512", true, false);
        round("ed25519", "", "", false, false);
    }

    // RFC 8032, section 7.1, test 2.
    #[test]
    fn ed25519_signs_as_published() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "d": "TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs", "x": "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"});
        let (meta, data) = key::import(&json!({"format": "jwk", "jwk": jwk}).to_string(), b"").unwrap();
        let meta: Value = serde_json::from_str(&meta).unwrap();
        assert_eq!(meta["jwk"], jwk);
        let private = &data[..meta["parts"][0].as_u64().unwrap() as usize];
        let signed = sign(&json!({"parts": [private.len(), 1]}).to_string(), &[private, &[0x72]].concat()).unwrap().1;
        assert_eq!(
            hex::encode(signed),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }

    #[test]
    fn what_was_encrypted_to_a_key_opens_with_its_other_half() {
        let (_, private, public) = fresh("rsa", "");
        for (padding, hash) in [("oaep", "sha1"), ("oaep", "sha256"), ("pkcs1", "")] {
            let run = |key: &[u8], encrypt: bool, message: &[u8]| {
                let meta = json!({"padding": padding, "hash": hash, "encrypt": encrypt, "parts": [key.len(), 0, message.len()]});
                rsa(&meta.to_string(), &[key, message].concat()).unwrap().1
            };
            let sealed = run(&public, true, b"secret");
            assert_eq!(run(&private, false, &sealed), b"secret", "{padding} {hash}");
        }
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        for data in [
            &b""[..],
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END",
        ] {
            assert!(key::import(r#"{"format":"pem"}"#, data).is_err());
            assert!(key::import(r#"{"format":"der"}"#, data).is_err());
        }
        assert!(sign(r#"{"hash":"sha256","parts":[3,0]}"#, b"abc").is_err());
    }
}

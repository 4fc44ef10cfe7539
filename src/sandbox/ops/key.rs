//! Keys with a public and a private half: reading PEM, DER and JWK, and making new ones.
//!
//! Inside the sandbox a private key is PKCS #8 in DER, a public key is SubjectPublicKeyInfo in DER; every other form is made from those.

use super::der::{BITS, INTEGER, OCTETS, OID, Reader, SEQUENCE, natural, value};
use super::{Answer, OpError, read};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const KEY_BYTES_MAX: usize = 64 << 10;
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// A curve of ECDSA.
pub(super) struct Curve {
    /// As JWK names it.
    pub name: &'static str,
    /// As OpenSSL names it.
    node: &'static str,
    oid: &'static [u8],
    /// Bytes of a coordinate.
    pub bytes: usize,
    pub signing: &'static EcdsaSigningAlgorithm,
}

pub(super) static CURVES: [Curve; 4] = [
    Curve {
        name: "P-256",
        node: "prime256v1",
        oid: &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        bytes: 32,
        signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    },
    Curve { name: "P-384", node: "secp384r1", oid: &[0x2b, 0x81, 4, 0, 34], bytes: 48, signing: &ECDSA_P384_SHA384_ASN1_SIGNING },
    Curve { name: "P-521", node: "secp521r1", oid: &[0x2b, 0x81, 4, 0, 35], bytes: 66, signing: &ECDSA_P521_SHA512_ASN1_SIGNING },
    Curve { name: "secp256k1", node: "secp256k1", oid: &[0x2b, 0x81, 4, 0, 10], bytes: 32, signing: &ECDSA_P256K1_SHA256_ASN1_SIGNING },
];

/// What kind of key it is, and on which curve.
pub(super) enum Kind {
    Rsa,
    Ec(&'static Curve),
    Ed25519,
}

fn bad(message: impl Into<String>) -> OpError {
    OpError::new(message)
}

fn unsupported(what: &str) -> OpError {
    bad(format!("{what} is not supported inside the sandbox"))
}

/// The kind that an AlgorithmIdentifier names.
fn algorithm(content: &[u8]) -> Result<Kind, OpError> {
    let mut reader = Reader(content);
    let oid = reader.take(OID)?;
    Ok(match oid {
        RSA | RSA_PSS => Kind::Rsa,
        ED25519 => Kind::Ed25519,
        EC => {
            let curve = reader.take(OID).map_err(|_| unsupported("an EC key without a named curve"))?;
            Kind::Ec(CURVES.iter().find(|known| known.oid == curve).ok_or_else(|| unsupported("this elliptic curve"))?)
        }
        _ => return Err(unsupported("this kind of key")),
    })
}

fn identifier(kind: &Kind) -> Vec<u8> {
    match kind {
        Kind::Rsa => value(SEQUENCE, &[&value(OID, &[RSA]), &[5, 0]]),
        Kind::Ec(curve) => value(SEQUENCE, &[&value(OID, &[EC]), &value(OID, &[curve.oid])]),
        Kind::Ed25519 => value(SEQUENCE, &[&value(OID, &[ED25519])]),
    }
}

fn pkcs8(kind: &Kind, key: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[&[INTEGER, 1, 0], &identifier(kind), &value(OCTETS, &[key])])
}

fn spki(kind: &Kind, key: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[&identifier(kind), &value(BITS, &[&[0], key])])
}

/// The kind and the inner key of a SubjectPublicKeyInfo.
pub(super) fn open_public(der: &[u8]) -> Result<(Kind, &[u8]), OpError> {
    let mut reader = Reader(Reader(der).take(SEQUENCE)?);
    let kind = algorithm(reader.take(SEQUENCE)?)?;
    let bits = reader.take(BITS)?;
    Ok((kind, bits.strip_prefix(&[0]).ok_or_else(|| bad("the public key is malformed"))?))
}

/// The kind and the inner key of a PKCS #8 key.
pub(super) fn open_private(der: &[u8]) -> Result<(Kind, &[u8]), OpError> {
    let mut reader = Reader(Reader(der).take(SEQUENCE)?);
    reader.take(INTEGER)?;
    let kind = algorithm(reader.take(SEQUENCE)?)?;
    Ok((kind, reader.take(OCTETS)?))
}

/// The fields n, e, d, p, q, dp, dq, qi of a PKCS #1 private key.
fn rsa_fields(key: &[u8]) -> Result<[&[u8]; 8], OpError> {
    let mut reader = Reader(Reader(key).take(SEQUENCE)?);
    reader.take(INTEGER)?;
    let mut fields = [&key[..0]; 8];
    for field in &mut fields {
        *field = reader.natural()?;
    }
    Ok(fields)
}

/// The SubjectPublicKeyInfo that belongs to a PKCS #8 key.
fn public_of(der: &[u8]) -> Result<Vec<u8>, OpError> {
    let (kind, key) = open_private(der)?;
    let rejected = |e: aws_lc_rs::error::KeyRejected| bad(format!("the private key is not valid: {e}"));
    let public = match &kind {
        Kind::Rsa => {
            let [n, e, ..] = rsa_fields(key)?;
            value(SEQUENCE, &[&natural(n), &natural(e)])
        }
        Kind::Ec(curve) => EcdsaKeyPair::from_pkcs8(curve.signing, der).map_err(rejected)?.public_key().as_ref().to_vec(),
        Kind::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(rejected)?.public_key().as_ref().to_vec(),
    };
    Ok(spki(&kind, &public))
}

/// A key in the sandbox's own form: a private one has both halves.
struct Pair {
    private: Option<Vec<u8>>,
    public: Vec<u8>,
}

fn from_private(der: Vec<u8>) -> Result<Pair, OpError> {
    Ok(Pair { public: public_of(&der)?, private: Some(der) })
}

/// SEC 1 → PKCS #8.
fn from_sec1(der: &[u8]) -> Result<Pair, OpError> {
    let mut reader = Reader(Reader(der).take(SEQUENCE)?);
    reader.take(INTEGER)?;
    reader.take(OCTETS)?;
    let curve = reader.maybe(0xa0)?.ok_or_else(|| unsupported("an EC key that names no curve"))?;
    let oid = Reader(curve).take(OID)?;
    let curve = CURVES.iter().find(|known| known.oid == oid).ok_or_else(|| unsupported("this elliptic curve"))?;
    from_private(pkcs8(&Kind::Ec(curve), der))
}

/// The public key inside a certificate.
fn from_certificate(der: &[u8]) -> Result<Pair, OpError> {
    let mut body = Reader(Reader(Reader(der).take(SEQUENCE)?).take(SEQUENCE)?);
    body.maybe(0xa0)?;
    for _ in 0..5 {
        // Serial number, signature algorithm, issuer, validity, subject.
        body.next()?;
    }
    let info = value(SEQUENCE, &[body.take(SEQUENCE)?]);
    open_public(&info)?;
    Ok(Pair { private: None, public: info })
}

fn from_der(der: &[u8], form: &str) -> Result<Pair, OpError> {
    match form {
        "pkcs8" => from_private(der.to_vec()),
        "sec1" => from_sec1(der),
        "spki" => {
            open_public(der)?;
            Ok(Pair { private: None, public: der.to_vec() })
        }
        "certificate" => from_certificate(der),
        "pkcs1" => {
            // A private key begins with a version, and has more than two numbers.
            let mut reader = Reader(Reader(der).take(SEQUENCE)?);
            reader.take(INTEGER)?;
            reader.take(INTEGER)?;
            if reader.0.is_empty() {
                Ok(Pair { private: None, public: spki(&Kind::Rsa, der) })
            } else {
                from_private(pkcs8(&Kind::Rsa, der))
            }
        }
        // Not told: whatever fits.
        _ => from_der(der, "pkcs8")
            .or_else(|_| from_der(der, "spki"))
            .or_else(|_| from_der(der, "sec1"))
            .or_else(|_| from_der(der, "pkcs1"))
            .or_else(|_| from_certificate(der)),
    }
}

fn from_pem(text: &str) -> Result<Pair, OpError> {
    let begin = text.find("-----BEGIN ").ok_or_else(|| bad("error:1E08010C:DECODER routines::unsupported: the key is not in PEM"))?;
    let rest = &text[begin + 11..];
    let (label, rest) = rest.split_once("-----").ok_or_else(|| bad("the PEM has no end of its first line"))?;
    let (body, _) = rest.split_once("-----END").ok_or_else(|| bad("the PEM has no last line"))?;
    if label.contains("ENCRYPTED") || body.contains("ENCRYPTED") {
        return Err(unsupported("a key encrypted with a passphrase"));
    }
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(body).map_err(|_| bad("the PEM is not base64"))?;
    match label {
        "PRIVATE KEY" => from_der(&der, "pkcs8"),
        "PUBLIC KEY" => from_der(&der, "spki"),
        "RSA PRIVATE KEY" | "RSA PUBLIC KEY" => from_der(&der, "pkcs1"),
        "EC PRIVATE KEY" => from_der(&der, "sec1"),
        "CERTIFICATE" => from_certificate(&der),
        _ => Err(unsupported(&format!("PEM of the kind `{label}`"))),
    }
}

fn field(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, OpError> {
    let text = jwk.get(name).and_then(Value::as_str).ok_or_else(|| bad(format!("Invalid JWK: `{name}` is missing")))?;
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| bad(format!("Invalid JWK: `{name}` is not base64url")))
}

fn from_jwk(jwk: &Map<String, Value>) -> Result<Pair, OpError> {
    let private = jwk.contains_key("d");
    match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => {
            let (n, e) = (natural(&field(jwk, "n")?), natural(&field(jwk, "e")?));
            if !private {
                return Ok(Pair { private: None, public: spki(&Kind::Rsa, &value(SEQUENCE, &[&n, &e])) });
            }
            let mut key = vec![INTEGER, 1, 0];
            key.extend(n);
            key.extend(e);
            for name in ["d", "p", "q", "dp", "dq", "qi"] {
                key.extend(natural(&field(jwk, name)?));
            }
            from_private(pkcs8(&Kind::Rsa, &value(SEQUENCE, &[&key])))
        }
        Some("EC") => {
            let name = jwk.get("crv").and_then(Value::as_str).unwrap_or_default();
            let curve = CURVES.iter().find(|curve| curve.name == name).ok_or_else(|| unsupported(&format!("the curve `{name}`")))?;
            let (x, y) = (field(jwk, "x")?, field(jwk, "y")?);
            if x.len() != curve.bytes || y.len() != curve.bytes {
                return Err(bad("Invalid JWK: a coordinate has the wrong length"));
            }
            let point = [&[4][..], &x, &y].concat();
            if !private {
                return Ok(Pair { private: None, public: spki(&Kind::Ec(curve), &point) });
            }
            let bits = value(0xa1, &[&value(BITS, &[&[0], &point])]);
            let key = value(SEQUENCE, &[&[INTEGER, 1, 1], &value(OCTETS, &[&field(jwk, "d")?]), &bits]);
            from_private(pkcs8(&Kind::Ec(curve), &key))
        }
        Some("OKP") if jwk.get("crv").and_then(Value::as_str) == Some("Ed25519") => {
            if private {
                return from_private(pkcs8(&Kind::Ed25519, &value(OCTETS, &[&field(jwk, "d")?])));
            }
            Ok(Pair { private: None, public: spki(&Kind::Ed25519, &field(jwk, "x")?) })
        }
        _ => Err(unsupported("a JWK of this `kty`")),
    }
}

/// The key as a JWK, and what `asymmetricKeyDetails` shows.
fn describe(pair: &Pair) -> Result<Value, OpError> {
    let (kind, public) = open_public(&pair.public)?;
    let inner = pair.private.as_deref().map(open_private).transpose()?.map(|(_, key)| key);
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Ok(match kind {
        Kind::Rsa => {
            let mut reader = Reader(Reader(public).take(SEQUENCE)?);
            let (n, e) = (reader.natural()?, reader.natural()?);
            let mut jwk = json!({"kty": "RSA", "n": text(n), "e": text(e)});
            if let Some(key) = inner {
                for (name, part) in ["n", "e", "d", "p", "q", "dp", "dq", "qi"].into_iter().zip(rsa_fields(key)?) {
                    jwk[name] = text(part).into();
                }
            }
            let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
            json!({"type": "rsa", "bits": bits, "exponent": e.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)), "jwk": jwk})
        }
        Kind::Ec(curve) => {
            let coordinates = public
                .strip_prefix(&[4])
                .filter(|rest| rest.len() == curve.bytes * 2)
                .ok_or_else(|| unsupported("a compressed EC point"))?;
            let (x, y) = coordinates.split_at(curve.bytes);
            let mut jwk = json!({"kty": "EC", "crv": curve.name, "x": text(x), "y": text(y)});
            if let Some(key) = inner {
                let mut reader = Reader(Reader(key).take(SEQUENCE)?);
                reader.take(INTEGER)?;
                let d = reader.take(OCTETS)?;
                let padded = [&vec![0; curve.bytes.saturating_sub(d.len())][..], d].concat();
                jwk["d"] = text(&padded).into();
            }
            json!({"type": "ec", "curve": curve.node, "namedCurve": curve.name, "jwk": jwk})
        }
        Kind::Ed25519 => {
            let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": text(public)});
            if let Some(key) = inner {
                jwk["d"] = text(Reader(key).take(OCTETS)?).into();
            }
            json!({"type": "ed25519", "jwk": jwk})
        }
    })
}

fn answer(pair: &Pair) -> Answer {
    let mut meta = describe(pair)?;
    let private = pair.private.as_deref().unwrap_or_default();
    meta["private"] = pair.private.is_some().into();
    meta["parts"] = json!([private.len(), pair.public.len()]);
    Ok((meta.to_string(), [private, &pair.public].concat()))
}

#[derive(Deserialize)]
struct Import {
    /// `pem`, `der` or `jwk`.
    format: String,
    /// Of DER: `pkcs8`, `spki`, `pkcs1`, `sec1`; empty: whatever fits.
    #[serde(default)]
    form: String,
    jwk: Option<Map<String, Value>>,
}

/// Reads a key → what it is, as JSON, and its private (PKCS #8) and public (SPKI) half.
pub(super) fn import(meta: &str, data: &[u8]) -> Answer {
    if data.len() > KEY_BYTES_MAX || meta.len() > KEY_BYTES_MAX {
        return Err(OpError::range("the key is longer than 64 KiB"));
    }
    let Import { format, form, jwk } = read(meta)?;
    let pair = match (format.as_str(), jwk) {
        ("pem", _) => from_pem(std::str::from_utf8(data).map_err(|_| bad("the PEM is not text"))?)?,
        ("der", _) => from_der(data, &form)?,
        ("jwk", Some(jwk)) => from_jwk(&jwk)?,
        _ => return Err(OpError::usage(format!("a key has no format `{format}`"))),
    };
    answer(&pair)
}

#[derive(Deserialize)]
struct Generate {
    /// `rsa`, `ec` or `ed25519`.
    kind: String,
    #[serde(default)]
    bits: u32,
    #[serde(default)]
    curve: String,
}

/// Makes a new key, answered as `import` does.
pub(super) fn generate(meta: &str) -> Answer {
    let Generate { kind, bits, curve } = read(meta)?;
    let failed = |_| bad("the key could not be made");
    let random = SystemRandom::new();
    let private = match kind.as_str() {
        "rsa" => {
            let size = match bits {
                2048 => KeySize::Rsa2048,
                3072 => KeySize::Rsa3072,
                4096 => KeySize::Rsa4096,
                _ => return Err(unsupported(&format!("an RSA key of {bits} bits (2048, 3072 and 4096 are)"))),
            };
            RsaKeyPair::generate(size).and_then(|pair| pair.as_der()).map_err(failed)?.as_ref().to_vec()
        }
        "ec" => {
            let known = CURVES.iter().find(|known| known.name == curve || known.node == curve);
            let known = known.ok_or_else(|| unsupported(&format!("the curve `{curve}`")))?;
            EcdsaKeyPair::generate_pkcs8(known.signing, &random).map_err(failed)?.as_ref().to_vec()
        }
        "ed25519" => Ed25519KeyPair::generate_pkcs8v1(&random).map_err(failed)?.as_ref().to_vec(),
        _ => return Err(unsupported(&format!("a key of the kind `{kind}`"))),
    };
    answer(&from_private(private)?)
}

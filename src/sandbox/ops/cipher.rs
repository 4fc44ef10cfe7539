//! Encryption with a shared key: AES-CBC, -CTR, -ECB, -GCM and ChaCha20-Poly1305, each over the whole message at once.

use super::{Answer, OpError, read, split};
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    self, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use serde::Deserialize;

const TAG_LEN: usize = 16;

#[derive(Deserialize)]
struct Cipher {
    /// As Node names it: `aes-256-gcm`.
    cipher: String,
    encrypt: bool,
    #[serde(default = "yes")]
    padding: bool,
    parts: Vec<usize>,
}

fn yes() -> bool {
    true
}

/// The names that `crypto.getCiphers` shows.
pub(super) const NAMES: &[&str] = &[
    "aes-128-cbc",
    "aes-128-ctr",
    "aes-128-ecb",
    "aes-128-gcm",
    "aes-192-cbc",
    "aes-192-ctr",
    "aes-192-ecb",
    "aes-192-gcm",
    "aes-256-cbc",
    "aes-256-ctr",
    "aes-256-ecb",
    "aes-256-gcm",
    "chacha20-poly1305",
];

fn broken() -> OpError {
    OpError::new("error:1C800064:Provider routines::bad decrypt")
}

/// `[key, iv, additional data, message]` → the message encrypted or decrypted. With GCM and ChaCha20-Poly1305, the tag of 16 bytes ends the
/// encrypted message.
pub(super) fn cipher(meta: &str, data: &[u8]) -> Answer {
    let Cipher { cipher, encrypt, padding, parts } = read(meta)?;
    let [key, iv, additional, message] = split(data, &parts)?;
    let name = cipher.to_ascii_lowercase();
    let unknown = || OpError::new(format!("Unknown cipher: {cipher}; known are {}", NAMES.join(", ")));
    let sealed = match name.as_str() {
        "aes-128-gcm" => Some(&aead::AES_128_GCM),
        "aes-192-gcm" => Some(&aead::AES_192_GCM),
        "aes-256-gcm" => Some(&aead::AES_256_GCM),
        "chacha20-poly1305" => Some(&aead::CHACHA20_POLY1305),
        _ => None,
    };
    if let Some(algorithm) = sealed {
        return seal(algorithm, encrypt, key, iv, additional, message);
    }
    let (size, mode) = name.strip_prefix("aes-").and_then(|rest| rest.split_once('-')).ok_or_else(unknown)?;
    let algorithm = match size {
        "128" => &cipher::AES_128,
        "192" => &cipher::AES_192,
        "256" => &cipher::AES_256,
        _ => return Err(unknown()),
    };
    let bad_key = |_| OpError::range("Invalid key length");
    let vector = || <[u8; 16]>::try_from(iv).map_err(|_| OpError::usage("Invalid initialization vector"));
    let key = UnboundCipherKey::new(algorithm, key).map_err(bad_key)?;
    let mut out = message.to_vec();
    if mode != "ctr" && !(padding && encrypt) && out.len() % 16 != 0 {
        return Err(OpError::new("error:1C80006B:Provider routines::wrong final block length"));
    }
    let failed = |_| broken();
    let plain = match (mode, encrypt, padding) {
        ("cbc", true, true) => {
            let context = EncryptionContext::Iv128(FixedLength::from(vector()?));
            PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(bad_key)?.less_safe_encrypt(&mut out, context).map_err(failed)?;
            return Ok((String::new(), out));
        }
        ("cbc", true, false) => {
            let context = EncryptionContext::Iv128(FixedLength::from(vector()?));
            EncryptingKey::cbc(key).map_err(bad_key)?.less_safe_encrypt(&mut out, context).map_err(failed)?;
            return Ok((String::new(), out));
        }
        ("cbc", false, true) => {
            let context = DecryptionContext::Iv128(FixedLength::from(vector()?));
            PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(bad_key)?.decrypt(&mut out, context).map_err(failed)?.len()
        }
        ("cbc", false, false) => {
            let context = DecryptionContext::Iv128(FixedLength::from(vector()?));
            DecryptingKey::cbc(key).map_err(bad_key)?.decrypt(&mut out, context).map_err(failed)?.len()
        }
        // Counter mode is its own inverse.
        ("ctr", ..) => {
            let context = EncryptionContext::Iv128(FixedLength::from(vector()?));
            EncryptingKey::ctr(key).map_err(bad_key)?.less_safe_encrypt(&mut out, context).map_err(failed)?;
            out.len()
        }
        ("ecb", true, true) => {
            PaddedBlockEncryptingKey::ecb_pkcs7(key)
                .map_err(bad_key)?
                .less_safe_encrypt(&mut out, EncryptionContext::None)
                .map_err(failed)?;
            return Ok((String::new(), out));
        }
        ("ecb", true, false) => {
            EncryptingKey::ecb(key).map_err(bad_key)?.less_safe_encrypt(&mut out, EncryptionContext::None).map_err(failed)?;
            return Ok((String::new(), out));
        }
        ("ecb", false, true) => {
            PaddedBlockDecryptingKey::ecb_pkcs7(key).map_err(bad_key)?.decrypt(&mut out, DecryptionContext::None).map_err(failed)?.len()
        }
        ("ecb", false, false) => {
            DecryptingKey::ecb(key).map_err(bad_key)?.decrypt(&mut out, DecryptionContext::None).map_err(failed)?.len()
        }
        _ => return Err(unknown()),
    };
    out.truncate(plain);
    Ok((String::new(), out))
}

fn seal(algorithm: &'static aead::Algorithm, encrypt: bool, key: &[u8], iv: &[u8], additional: &[u8], message: &[u8]) -> Answer {
    let key = UnboundKey::new(algorithm, key).map_err(|_| OpError::range("Invalid key length"))?;
    let nonce = Nonce::try_assume_unique_for_key(iv)
        .map_err(|_| OpError::usage("Invalid initialization vector: this mode takes one of 12 bytes inside the sandbox"))?;
    let key = LessSafeKey::new(key);
    let mut out = message.to_vec();
    if encrypt {
        key.seal_in_place_append_tag(nonce, Aad::from(additional), &mut out).map_err(|_| OpError::new("the message is too long"))?;
    } else {
        if out.len() < TAG_LEN {
            return Err(OpError::new("Unsupported state or unable to authenticate data"));
        }
        let refused = |_| OpError::new("Unsupported state or unable to authenticate data");
        let length = key.open_in_place(nonce, Aad::from(additional), &mut out).map_err(refused)?.len();
        out.truncate(length);
    }
    Ok((String::new(), out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, encrypt: bool, padding: bool, parts: [&str; 4]) -> String {
        let parts = parts.map(|part| hex::decode(part).unwrap());
        let lengths = parts.each_ref().map(Vec::len);
        let meta = serde_json::json!({"cipher": name, "encrypt": encrypt, "padding": padding, "parts": lengths}).to_string();
        match cipher(&meta, &parts.concat()) {
            Ok((_, bytes)) => hex::encode(bytes),
            Err(error) => error.name.to_owned(),
        }
    }

    // NIST SP 800-38A F.2.1, F.5.1, F.1.5, F.2.3; the GCM specification's case 4.
    #[test]
    fn messages_are_encrypted_as_published_and_back() {
        let key128 = "2b7e151628aed2a6abf7158809cf4f3c";
        let key192 = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
        let key256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
        let iv = "000102030405060708090a0b0c0d0e0f";
        let counter = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
        let plain = "6bc1bee22e409f96e93d7e117393172a";
        for (name, key, iv, expected) in [
            ("aes-128-cbc", key128, iv, "7649abac8119b246cee98e9b12e9197d"),
            ("aes-192-cbc", key192, iv, "4f021db243bc633d7178183a9fa071e8"),
            ("aes-128-ctr", key128, counter, "874d6191b620e3261bef6864990db6ce"),
            ("aes-256-ecb", key256, "", "f3eed1bdb5d2a03c064b5a7e3db181f8"),
        ] {
            assert_eq!(run(name, true, false, [key, iv, "", plain]), expected, "{name}");
            assert_eq!(run(name, false, false, [key, iv, "", expected]), plain, "{name}");
            let padded = run(name, true, true, [key, iv, "", plain]);
            assert_eq!(run(name, false, true, [key, iv, "", &padded]), plain, "{name}");
        }
        let gcm = [
            "feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        ];
        let sealed = run("aes-128-gcm", true, true, gcm);
        assert!(sealed.ends_with("5bc94fbc3221a5db94fae95ae7121a47"), "{sealed}");
        assert_eq!(run("aes-128-gcm", false, true, [gcm[0], gcm[1], gcm[2], &sealed]), gcm[3]);
        assert_eq!(run("aes-128-gcm", false, true, [gcm[0], gcm[1], "", &sealed]), "Error", "other additional data");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (name, parts, expected) in [
            ("aes-128-cbc", ["00", "", "", ""], "RangeError"),
            ("aes-128-cbc", ["2b7e151628aed2a6abf7158809cf4f3c", "00", "", ""], "TypeError"),
            ("des", ["", "", "", ""], "Error"),
            ("aes-128-gcm", ["2b7e151628aed2a6abf7158809cf4f3c", "00", "", ""], "TypeError"),
        ] {
            assert_eq!(run(name, true, true, parts), expected, "{name}");
        }
    }
}

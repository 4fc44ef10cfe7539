//! Passwords, never kept as they are.
//!
//! What is kept is PBKDF2 with SHA-256, of 128 rounds: a tenth of a millisecond, so that a test run with thousands of sign-ins does not wait
//! for it. It is salted, so that equal passwords do not look equal; to somebody who guesses, it is little, where production's scrypt
//! allows tens of guesses a second. Whoever has the file of the state has the test data too.

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::base::Ids;

const ROUNDS: u32 = 128;
/// Rounds of an imported hash at most: more would hold up everybody.
const ROUNDS_MAX: u32 = 1_000_000;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// A password that can be compared and not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Secret {
    /// emu's own: PBKDF2 with SHA-256.
    Own {
        rounds: u32,
        #[serde(with = "crate::base::base64")]
        salt: Vec<u8>,
        #[serde(with = "crate::base::base64")]
        hash: Vec<u8>,
    },
    /// One that was imported, hashed elsewhere.
    Imported {
        how: How,
        #[serde(with = "crate::base::base64")]
        salt: Vec<u8>,
        #[serde(with = "crate::base::base64")]
        hash: Vec<u8>,
    },
}

/// How an imported password was hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "algorithm", rename_all = "lowercase")]
pub enum How {
    Bcrypt,
    /// A keyed hash of the password and the salt, in the order that `salt_first` says.
    Hmac {
        hash: Hash,
        #[serde(with = "crate::base::base64")]
        key: Vec<u8>,
        salt_first: bool,
    },
    /// A hash, then a hash of that, and so on.
    Plain {
        hash: Hash,
        rounds: u32,
        salt_first: bool,
    },
    Pbkdf2 {
        hash: Hash,
        rounds: u32,
    },
    /// An algorithm that emu does not know, by its name: kept, never right.
    Other {
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Secret {
    /// Hashes a password. Takes about a tenth of a millisecond.
    pub fn of(password: &str, ids: &Ids) -> Secret {
        let mut salt = vec![0; SALT_BYTES];
        ids.fill(&mut salt);
        Secret::with(password, salt)
    }

    fn with(password: &str, salt: Vec<u8>) -> Secret {
        let hash = derive(Hash::Sha256, ROUNDS, &salt, password.as_bytes(), HASH_BYTES);
        Secret::Own { rounds: ROUNDS, salt, hash }
    }

    /// Whether it is of this password.
    pub fn is(&self, password: &str) -> bool {
        match self {
            Secret::Own { rounds, salt, hash } => equal(&derive(Hash::Sha256, *rounds, salt, password.as_bytes(), hash.len()), hash),
            Secret::Imported { how, salt, hash } => how.is(password, salt, hash),
        }
    }

    /// As an administrator sees it: a text that says how it was made, in base64, and the salt.
    pub fn shown(&self) -> (String, String) {
        match self {
            Secret::Own { rounds, salt, hash } => (format!("{OWN}{rounds}${}", STANDARD_NO_PAD.encode(hash)), URL_SAFE.encode(salt)),
            Secret::Imported { salt, hash, .. } => (URL_SAFE.encode(hash), URL_SAFE.encode(salt)),
        }
    }

    /// A hash that is imported: emu's own as [`Secret::shown`] shows it, that of Firebase's own emulator (which holds the password and is
    /// hashed here), or one made elsewhere.
    pub fn import(hash: &str, salt: &str, how: Option<How>, ids: &Ids) -> Secret {
        let bytes = |text: &str| any_base64(text).unwrap_or_else(|| text.as_bytes().to_vec());
        let own = hash.strip_prefix(OWN).and_then(|rest| rest.split_once('$')).and_then(|(rounds, hash)| {
            let rounds = rounds.parse::<u32>().ok().filter(|rounds| (1..=ROUNDS_MAX).contains(rounds))?;
            let hash = STANDARD_NO_PAD.decode(hash).ok().filter(|hash| hash.len() == HASH_BYTES)?;
            Some(Secret::Own { rounds, salt: bytes(salt), hash })
        });
        if let Some(own) = own {
            return own;
        }
        // The admin SDK encodes what it is given once more.
        let decoded = any_base64(hash).and_then(|bytes| String::from_utf8(bytes).ok());
        let plain = [Some(hash), decoded.as_deref()].into_iter().flatten().find_map(|text| text.strip_prefix("fakeHash:salt="));
        if let Some((_, password)) = plain.and_then(|rest| rest.split_once(":password=")) {
            return Secret::of(password, ids);
        }
        if let Some(again) = decoded.as_deref().filter(|text| text.starts_with(OWN)) {
            return Secret::import(again, salt, None, ids);
        }
        let how = how.unwrap_or(How::Other { name: String::new() });
        Secret::Imported { how, salt: bytes(salt), hash: bytes(hash) }
    }
}

/// What emu's own hashes begin with where they are shown.
const OWN: &str = "emu$pbkdf2-sha256$";

impl How {
    fn is(&self, password: &str, salt: &[u8], hash: &[u8]) -> bool {
        let joined = |salt_first: bool| {
            let (first, second) = if salt_first { (salt, password.as_bytes()) } else { (password.as_bytes(), salt) };
            [first, second].concat()
        };
        match self {
            How::Bcrypt => std::str::from_utf8(hash).is_ok_and(|hash| bcrypt::verify(password, hash).unwrap_or(false)),
            How::Hmac { hash: kind, key, salt_first } => equal(&kind.keyed(key, &joined(*salt_first)), hash),
            How::Plain { hash: kind, rounds, salt_first } => {
                let first = kind.digest(&joined(*salt_first));
                let made = (1..(*rounds).clamp(1, ROUNDS_MAX)).fold(first, |made, _| kind.digest(&made));
                equal(&made, hash)
            }
            How::Pbkdf2 { hash: kind, rounds } => {
                let rounds = (*rounds).clamp(1, ROUNDS_MAX);
                (1..=1_024).contains(&hash.len()) && equal(&derive(*kind, rounds, salt, password.as_bytes(), hash.len()), hash)
            }
            How::Other { .. } => false,
        }
    }
}

impl Hash {
    fn digest(self, data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Md5 => {
                use md5::Digest;
                return md5::Md5::digest(data).to_vec();
            }
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, data).as_ref().to_vec()
    }

    fn keyed(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Md5 => {
                use ::hmac::{Hmac, KeyInit, Mac};
                // HMAC takes keys of any length.
                return Hmac::<md5::Md5>::new_from_slice(key)
                    .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec())
                    .unwrap_or_default();
            }
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), data).as_ref().to_vec()
    }
}

fn derive(hash: Hash, rounds: u32, salt: &[u8], password: &[u8], length: usize) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Md5 | Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let rounds = std::num::NonZeroU32::new(rounds).unwrap_or(std::num::NonZeroU32::MIN);
    let mut made = vec![0; length];
    pbkdf2::derive(algorithm, rounds, salt, password, &mut made);
    made
}

fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Bytes of base64 in either alphabet, with or without padding.
pub fn any_base64(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=');
    STANDARD_NO_PAD.decode(plain).or_else(|_| URL_SAFE_NO_PAD.decode(plain)).or_else(|_| STANDARD.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_and_no_other() {
        let secret = Secret::of("correct horse", &Ids::seeded(1));
        assert!(secret.is("correct horse") && !secret.is("correct horsf") && !secret.is(""));
        let text = serde_json::to_string(&secret).expect("JSON");
        assert!(!text.contains("correct") && serde_json::from_str::<Secret>(&text).is_ok_and(|read| read == secret), "{text}");
    }

    #[test]
    fn imported_hashes_still_know_their_password() {
        let ids = Ids::seeded(1);
        let own = Secret::of("pw", &ids);
        let (hash, salt) = own.shown();
        let bcrypt = bcrypt::hash("pw", 4).expect("a hash");
        let hmac = STANDARD.encode(Hash::Sha256.keyed(b"key", b"pwsalt"));
        let plain = STANDARD.encode(Hash::Sha1.digest(b"saltpw"));
        let derived = STANDARD.encode(derive(Hash::Sha256, 100, b"salt", b"pw", 32));
        let salt64 = STANDARD.encode("salt");
        for (name, hash, salt, how) in [
            ("own", hash.clone(), salt.clone(), None),
            ("own, encoded once more", URL_SAFE.encode(&hash), salt, None),
            ("the emulator's", "fakeHash:salt=fakeSaltX:password=pw".to_owned(), "fakeSaltX".to_owned(), None),
            ("the emulator's, encoded", URL_SAFE.encode("fakeHash:salt=a:password=pw"), String::new(), None),
            ("bcrypt", URL_SAFE.encode(bcrypt), String::new(), Some(How::Bcrypt)),
            ("hmac", hmac, salt64.clone(), Some(How::Hmac { hash: Hash::Sha256, key: b"key".to_vec(), salt_first: false })),
            ("sha1", plain, salt64.clone(), Some(How::Plain { hash: Hash::Sha1, rounds: 1, salt_first: true })),
            ("pbkdf2", derived, salt64, Some(How::Pbkdf2 { hash: Hash::Sha256, rounds: 100 })),
        ] {
            let secret = Secret::import(&hash, &salt, how, &ids);
            assert!(secret.is("pw") && !secret.is("pv"), "{name}: {secret:?}");
        }
        assert!(!Secret::import("x", "y", None, &ids).is("x"));
    }
}

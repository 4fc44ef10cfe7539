//! Keys from passwords and from other keys: PBKDF2, HKDF, scrypt, bcrypt.

use super::hash::{plain, unknown};
use super::{Answer, OpError, read, split};
use aws_lc_rs::{hkdf as lc_hkdf, pbkdf2 as lc_pbkdf2};
use serde::Deserialize;
use std::num::NonZeroU32;

/// The most bytes that are derived.
const LENGTH_MAX: usize = 1 << 20;
/// The most rounds: some seconds of work.
const ROUNDS_MAX: u32 = 20_000_000;
/// The most memory that scrypt may take, in bytes.
const SCRYPT_BYTES_MAX: u64 = 256 << 20;

#[derive(Deserialize)]
struct Derive {
    #[serde(default)]
    hash: String,
    length: usize,
    #[serde(default)]
    iterations: u32,
    #[serde(default)]
    n: u64,
    #[serde(default)]
    r: u64,
    #[serde(default)]
    p: u64,
    parts: Vec<usize>,
}

fn arguments(meta: &str) -> Result<Derive, OpError> {
    let derive: Derive = read(meta)?;
    if derive.length > LENGTH_MAX {
        return Err(OpError::range(format!("at most {LENGTH_MAX} bytes are derived at once")));
    }
    Ok(derive)
}

/// PBKDF2 of `[password, salt]`.
pub(super) fn pbkdf2(meta: &str, data: &[u8]) -> Answer {
    let derive = arguments(meta)?;
    let [password, salt] = split(data, &derive.parts)?;
    let algorithm = match plain(&derive.hash).as_str() {
        "sha1" => lc_pbkdf2::PBKDF2_HMAC_SHA1,
        "sha256" => lc_pbkdf2::PBKDF2_HMAC_SHA256,
        "sha384" => lc_pbkdf2::PBKDF2_HMAC_SHA384,
        "sha512" => lc_pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return Err(unknown(&derive.hash)),
    };
    let rounds = NonZeroU32::new(derive.iterations).filter(|rounds| rounds.get() <= ROUNDS_MAX);
    let rounds = rounds.ok_or_else(|| OpError::range(format!("the iterations must be 1 to {ROUNDS_MAX}")))?;
    let mut out = vec![0; derive.length];
    if !out.is_empty() {
        lc_pbkdf2::derive(algorithm, rounds, salt, password, &mut out);
    }
    Ok((String::new(), out))
}

struct Length(usize);
impl lc_hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF of `[key, salt, info]`.
pub(super) fn hkdf(meta: &str, data: &[u8]) -> Answer {
    let derive = arguments(meta)?;
    let [key, salt, info] = split(data, &derive.parts)?;
    let algorithm = match plain(&derive.hash).as_str() {
        "sha1" => lc_hkdf::HKDF_SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => lc_hkdf::HKDF_SHA256,
        "sha384" => lc_hkdf::HKDF_SHA384,
        "sha512" => lc_hkdf::HKDF_SHA512,
        _ => return Err(unknown(&derive.hash)),
    };
    let mut out = vec![0; derive.length];
    if !out.is_empty() {
        let too_long = |_| OpError::range("the length is more than 255 times that of the hash");
        lc_hkdf::Salt::new(algorithm, salt)
            .extract(key)
            .expand(&[info], Length(derive.length))
            .and_then(|okm| okm.fill(&mut out))
            .map_err(too_long)?;
    }
    Ok((String::new(), out))
}

/// scrypt (RFC 7914) of `[password, salt]`.
pub(super) fn scrypt(meta: &str, data: &[u8]) -> Answer {
    let derive = arguments(meta)?;
    let [password, salt] = split(data, &derive.parts)?;
    let Derive { n, r, p, length, .. } = derive;
    if n < 2 || !n.is_power_of_two() || r == 0 || p == 0 {
        return Err(OpError::range("Invalid scrypt params"));
    }
    let bytes = n.checked_mul(r).and_then(|nr| nr.checked_mul(128)).filter(|&bytes| bytes <= SCRYPT_BYTES_MAX);
    if bytes.is_none() || p.checked_mul(r).is_none_or(|pr| pr > 1 << 16) {
        return Err(OpError::range("Invalid scrypt params: memory limit exceeded"));
    }
    let (n, r, p) = (n as usize, r as usize, p as usize);
    let once = NonZeroU32::MIN;
    let mut blocks = vec![0; p * 128 * r];
    lc_pbkdf2::derive(lc_pbkdf2::PBKDF2_HMAC_SHA256, once, salt, password, &mut blocks);
    let mut table = vec![0u32; n * 32 * r];
    for block in blocks.chunks_exact_mut(128 * r) {
        mix(block, &mut table, n, r);
    }
    let mut out = vec![0; length];
    if !out.is_empty() {
        lc_pbkdf2::derive(lc_pbkdf2::PBKDF2_HMAC_SHA256, once, &blocks, password, &mut out);
    }
    Ok((String::new(), out))
}

/// ROMix: fills the table with successive states, then walks it as the state itself says.
fn mix(block: &mut [u8], table: &mut [u32], n: usize, r: usize) {
    let words = 32 * r;
    let mut state: Vec<u32> = block.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
    let mut scratch = vec![0; words];
    for row in table.chunks_exact_mut(words) {
        row.copy_from_slice(&state);
        block_mix(&mut state, &mut scratch, r);
    }
    for _ in 0..n {
        // `n` is a power of two of at most 32 bits: the low word decides.
        let row = state[words - 16] as usize & (n - 1);
        for (word, other) in state.iter_mut().zip(&table[row * words..]) {
            *word ^= other;
        }
        block_mix(&mut state, &mut scratch, r);
    }
    for (four, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(&state) {
        *four = word.to_le_bytes();
    }
}

fn block_mix(state: &mut [u32], scratch: &mut [u32], r: usize) {
    let mut last = [0; 16];
    last.copy_from_slice(&state[(2 * r - 1) * 16..]);
    for (index, block) in state.as_chunks::<16>().0.iter().enumerate() {
        for (word, other) in last.iter_mut().zip(block) {
            *word ^= other;
        }
        salsa(&mut last);
        let at = if index % 2 == 0 { index / 2 } else { r + index / 2 };
        scratch[at * 16..][..16].copy_from_slice(&last);
    }
    state.copy_from_slice(scratch);
}

/// Salsa20/8 on one block.
fn salsa(block: &mut [u32; 16]) {
    let mut x = *block;
    let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
        x[b] ^= x[a].wrapping_add(x[d]).rotate_left(7);
        x[c] ^= x[b].wrapping_add(x[a]).rotate_left(9);
        x[d] ^= x[c].wrapping_add(x[b]).rotate_left(13);
        x[a] ^= x[d].wrapping_add(x[c]).rotate_left(18);
    };
    for _ in 0..4 {
        for [a, b, c, d] in
            [[0, 4, 8, 12], [5, 9, 13, 1], [10, 14, 2, 6], [15, 3, 7, 11], [0, 1, 2, 3], [5, 6, 7, 4], [10, 11, 8, 9], [15, 12, 13, 14]]
        {
            quarter(a, b, c, d);
        }
    }
    for (word, mixed) in block.iter_mut().zip(x) {
        *word = word.wrapping_add(mixed);
    }
}

#[derive(Deserialize)]
struct Bcrypt {
    #[serde(default)]
    cost: u32,
    #[serde(default)]
    hash: String,
    parts: Vec<usize>,
}

/// The highest cost: some seconds of work.
const COST_MAX: u32 = 16;

/// bcrypt of `[password, salt of 16 bytes]` → the hash as text.
pub(super) fn bcrypt_hash(meta: &str, data: &[u8]) -> Answer {
    let Bcrypt { cost, parts, .. } = read(meta)?;
    let [password, salt] = split(data, &parts)?;
    let salt = <[u8; 16]>::try_from(salt).map_err(|_| OpError::usage("a salt has 16 bytes"))?;
    if !(4..=COST_MAX).contains(&cost) {
        return Err(OpError::range(format!("the cost must be 4 to {COST_MAX}")));
    }
    let parts = ::bcrypt::hash_with_salt(password, cost, salt).map_err(|e| OpError::new(e.to_string()))?;
    Ok((parts.format_for_version(::bcrypt::Version::TwoB), Vec::new()))
}

/// Whether the password is that of the hash: `true` or `false`.
pub(super) fn bcrypt_verify(meta: &str, data: &[u8]) -> Answer {
    let Bcrypt { hash, parts, .. } = read(meta)?;
    let [password] = split(data, &parts)?;
    let cost = hash.split('$').nth(2).and_then(|cost| cost.parse::<u32>().ok());
    if cost.is_some_and(|cost| cost > COST_MAX) {
        return Err(OpError::range(format!("the cost must be 4 to {COST_MAX}")));
    }
    Ok((::bcrypt::verify(password, &hash).unwrap_or(false).to_string(), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: Answer, expected: &str) {
        match answer {
            Ok((_, bytes)) => assert_eq!(hex::encode(bytes), expected),
            Err(error) => assert_eq!(error.name, expected),
        }
    }

    // RFC 6070, RFC 7914 section 11.
    #[test]
    fn passwords_become_the_published_keys() {
        check(
            pbkdf2(r#"{"hash":"sha1","iterations":4096,"length":20,"parts":[8,4]}"#, b"passwordsalt"),
            "4b007901b765489abead49d926f721d065a429c1",
        );
        check(
            pbkdf2(r#"{"hash":"sha256","iterations":1,"length":64,"parts":[6,4]}"#, b"passwdsalt"),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
        );
        check(pbkdf2(r#"{"hash":"sha1","iterations":0,"length":20,"parts":[8,4]}"#, b"passwordsalt"), "RangeError");
        check(
            scrypt(r#"{"n":16,"r":1,"p":1,"length":64,"parts":[0,0]}"#, b""),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
        );
        check(
            scrypt(r#"{"n":1024,"r":8,"p":16,"length":64,"parts":[8,4]}"#, b"passwordNaCl"),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
        );
        check(scrypt(r#"{"n":1048576,"r":64,"p":1,"length":64,"parts":[8,4]}"#, b"passwordNaCl"), "RangeError");
    }

    // RFC 5869 case 1.
    #[test]
    fn a_key_becomes_the_published_key() {
        let mut data = vec![0x0b; 22];
        data.extend(0..=12u8);
        data.extend(0xf0..=0xf9u8);
        check(
            hkdf(r#"{"hash":"sha256","length":42,"parts":[22,13,10]}"#, &data),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        );
        check(hkdf(r#"{"hash":"sha256","length":9000,"parts":[22,13,10]}"#, &data), "RangeError");
    }

    #[test]
    fn a_bcrypt_hash_knows_its_password() {
        let (hash, _) = bcrypt_hash(r#"{"cost":4,"parts":[3,16]}"#, b"abc0123456789abcdef").unwrap();
        assert!(hash.starts_with("$2b$04$"));
        assert_eq!(bcrypt_verify(&format!(r#"{{"hash":"{hash}","parts":[3]}}"#), b"abc").unwrap().0, "true");
        assert_eq!(bcrypt_verify(&format!(r#"{{"hash":"{hash}","parts":[3]}}"#), b"abd").unwrap().0, "false");
        assert_eq!(bcrypt_hash(r#"{"cost":31,"parts":[3,16]}"#, b"abc0123456789abcdef").unwrap_err().name, "RangeError");
        // A hash from the original implementation's test suite.
        let known = r#"{"hash":"$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe","parts":[1]}"#;
        assert_eq!(bcrypt_verify(known, b"a").unwrap().0, "true");
    }
}

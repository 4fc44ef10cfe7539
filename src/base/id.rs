//! Identifiers and random bytes, from outside: the system's generator in a running program, a seed in tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A source of identifiers. Clones share the same source.
#[derive(Clone)]
pub struct Ids(Source);

#[derive(Clone)]
enum Source {
    System(Arc<Mutex<Pool>>),
    Seeded(Arc<AtomicU64>),
}

impl Ids {
    /// Cryptographically random identifiers.
    pub fn random() -> Ids {
        Ids(Source::System(Arc::default()))
    }

    /// The same identifiers in the same order for the same seed: for tests.
    pub fn seeded(seed: u64) -> Ids {
        Ids(Source::Seeded(Arc::new(AtomicU64::new(seed))))
    }

    /// Fills `into` with random bytes.
    pub fn fill(&self, into: &mut [u8]) {
        match &self.0 {
            Source::System(pool) => pool.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).fill(into),
            Source::Seeded(state) => {
                for chunk in into.chunks_mut(8) {
                    let word = splitmix(state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed));
                    chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }

    /// A version 4 UUID in its usual text form.
    pub fn uuid(&self) -> String {
        let mut b = [0u8; 16];
        self.fill(&mut b);
        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        let mut text = String::with_capacity(36);
        for (at, byte) in b.into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            push_hex(&mut text, byte);
        }
        text
    }

    /// `bytes` random bytes in lower-case hexadecimal, twice as many characters.
    pub fn hex(&self, bytes: usize) -> String {
        let mut b = vec![0u8; bytes];
        self.fill(&mut b);
        let mut text = String::with_capacity(bytes * 2);
        b.into_iter().for_each(|byte| push_hex(&mut text, byte));
        text
    }

    /// `len` characters out of `A-Z0-9`, as AWS request identifiers have.
    pub fn upper(&self, len: usize) -> String {
        const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let mut b = vec![0u8; len];
        self.fill(&mut b);
        b.iter().map(|x| ALPHABET[(*x as usize) % 36] as char).collect()
    }
}

fn push_hex(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// Random bytes of the system's generator, taken many at a time: each request needs a few, and asking the system costs more than they do.
struct Pool {
    bytes: [u8; 1024],
    /// How many at the end were not given away yet.
    left: usize,
}

impl Default for Pool {
    fn default() -> Pool {
        Pool { bytes: [0; 1024], left: 0 }
    }
}

impl Pool {
    fn fill(&mut self, into: &mut [u8]) {
        const ANSWERS: &str = "the system's random generator answers";
        if into.len() > self.left {
            if into.len() > self.bytes.len() / 4 {
                return getrandom::fill(into).expect(ANSWERS);
            }
            getrandom::fill(&mut self.bytes).expect(ANSWERS);
            self.left = self.bytes.len();
        }
        let start = self.bytes.len() - self.left;
        let given = &mut self.bytes[start..start + into.len()];
        into.copy_from_slice(given);
        // Nothing is given twice, and nobody finds it here later.
        given.fill(0);
        self.left -= into.len();
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn splitmix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_identifiers() {
        assert_eq!(Ids::seeded(7).uuid(), Ids::seeded(7).uuid());
        assert_ne!(Ids::seeded(7).uuid(), Ids::seeded(8).uuid());
    }

    #[test]
    fn nothing_random_comes_twice() {
        let ids = Ids::random();
        let mut seen = std::collections::HashSet::new();
        for length in (8..64).chain([256, 257, 1_024, 5_000]).cycle().take(5_000) {
            let mut bytes = vec![0; length];
            ids.fill(&mut bytes);
            assert!(seen.insert(bytes[..8].to_vec()) && seen.insert(bytes[length - 8..].to_vec()) || length < 16);
        }
        assert_eq!(ids.hex(3).len(), 6);
    }

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        let id = Ids::random().uuid();
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        assert!("89ab".contains(&id[19..20]));
    }
}

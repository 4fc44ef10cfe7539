//! Identifiers and random bytes, from outside: the system's generator in a running program, a seed in tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of identifiers. Clones share the same source.
#[derive(Clone)]
pub struct Ids(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<AtomicU64>),
}

impl Ids {
    /// Cryptographically random identifiers.
    pub fn random() -> Ids {
        Ids(Source::System)
    }

    /// The same identifiers in the same order for the same seed: for tests.
    pub fn seeded(seed: u64) -> Ids {
        Ids(Source::Seeded(Arc::new(AtomicU64::new(seed))))
    }

    /// Fills `into` with random bytes.
    pub fn fill(&self, into: &mut [u8]) {
        match &self.0 {
            Source::System => getrandom::fill(into).expect("the system's random generator answers"),
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
        let h = hex::encode(b);
        format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
    }

    /// `bytes` random bytes in lower-case hexadecimal, twice as many characters.
    pub fn hex(&self, bytes: usize) -> String {
        let mut b = vec![0u8; bytes];
        self.fill(&mut b);
        hex::encode(b)
    }

    /// `len` characters out of `A-Z0-9`, as AWS request identifiers have.
    pub fn upper(&self, len: usize) -> String {
        const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let mut b = vec![0u8; len];
        self.fill(&mut b);
        b.iter().map(|x| ALPHABET[(*x as usize) % 36] as char).collect()
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
    fn a_uuid_says_its_version_and_variant() {
        let id = Ids::random().uuid();
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        assert!("89ab".contains(&id[19..20]));
    }
}

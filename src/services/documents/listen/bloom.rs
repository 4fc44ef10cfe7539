//! Which documents are still there, in few bytes: some that are not may seem to be. Source: `BloomFilter` in the API's reference.

use md5::{Digest, Md5};

/// Bits for each document: fewer than one in a hundred that are gone seem to be there.
const BITS_EACH: usize = 10;
/// Bits that are set for each.
const HASHES: u32 = 7;

/// A set of documents' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bloom {
    /// The bits, the lowest of a byte first.
    pub bits: Vec<u8>,
    /// Bits of the last byte that are none: 0 to 7.
    pub padding: u32,
    pub hashes: u32,
}

impl Bloom {
    /// Of full names.
    pub(super) fn of(names: impl ExactSizeIterator<Item = String>) -> Bloom {
        let count = names.len() * BITS_EACH;
        let mut bits = vec![0u8; count.div_ceil(8)];
        for name in names {
            for hash in 0..HASHES {
                let bit = bit(&name, hash, count as u64) as usize;
                bits[bit / 8] |= 1 << (bit % 8);
            }
        }
        let padding = (bits.len() * 8 - count) as u32;
        Bloom { bits, padding, hashes: if count == 0 { 0 } else { HASHES } }
    }

    #[cfg(test)]
    pub(in super::super) fn may_have(&self, name: &str) -> bool {
        let count = self.bits.len() as u64 * 8 - u64::from(self.padding);
        count > 0
            && (0..self.hashes).all(|hash| {
                let bit = bit(name, hash, count) as usize;
                self.bits[bit / 8] & (1 << (bit % 8)) != 0
            })
    }
}

fn bit(name: &str, hash: u32, count: u64) -> u64 {
    let digest = Md5::digest(name.as_bytes());
    let (low, high) = digest.split_at(8);
    let number = |half: &[u8]| half.iter().rev().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    number(low).wrapping_add(u64::from(hash).wrapping_mul(number(high))) % count
}

//! Records of a LevelDB log, of which Datastore's exports are made. Source: LevelDB, "Log format": blocks of 32 KiB, in each records or
//! parts of records with a checksum, a length and a kind before them.

use std::io::Read;

use anyhow::bail;

const BLOCK_BYTES: usize = 32 << 10;
const HEAD_BYTES: usize = 7;
/// Bytes of a record: a document has up to 1 MiB.
const RECORD_BYTES_MAX: usize = 16 << 20;

/// Reads records one after another.
pub struct Log<R> {
    from: R,
    block: Vec<u8>,
    at: usize,
    blocks: u64,
    is_over: bool,
}

impl<R: Read> Log<R> {
    pub fn new(from: R) -> Log<R> {
        Log { from, block: Vec::new(), at: 0, blocks: 0, is_over: false }
    }

    /// The next record; `None` at the end.
    pub fn next(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        const FULL: u8 = 1;
        const FIRST: u8 = 2;
        const MIDDLE: u8 = 3;
        const LAST: u8 = 4;
        let mut record: Option<Vec<u8>> = None;
        loop {
            let Some((kind, part)) = self.part()? else {
                return if record.is_some() { bail!("the file ends within a record") } else { Ok(None) };
            };
            match (kind, &mut record) {
                (FULL, None) => return Ok(Some(part)),
                (FIRST, None) => record = Some(part),
                (MIDDLE | LAST, Some(whole)) => {
                    if whole.len() + part.len() > RECORD_BYTES_MAX {
                        bail!("a record has more than {RECORD_BYTES_MAX} bytes");
                    }
                    whole.extend_from_slice(&part);
                    if kind == LAST {
                        return Ok(record);
                    }
                }
                _ => bail!("{}: the parts of a record are not in order", self.place()),
            }
        }
    }

    fn place(&self) -> String {
        format!("at byte {}", self.blocks.saturating_sub(1) * BLOCK_BYTES as u64 + self.at as u64)
    }

    /// The next part of a record, with its kind.
    fn part(&mut self) -> anyhow::Result<Option<(u8, Vec<u8>)>> {
        loop {
            let rest = self.block.get(self.at..).unwrap_or_default();
            let Some((head, rest)) = rest.split_at_checked(HEAD_BYTES) else {
                if !self.fill()? {
                    return Ok(None);
                }
                continue;
            };
            let (sum, length, kind) = match *head {
                [a, b, c, d, low, high, kind] => (u32::from_le_bytes([a, b, c, d]), usize::from(u16::from_le_bytes([low, high])), kind),
                _ => bail!("a head has {HEAD_BYTES} bytes"),
            };
            if sum == 0 && length == 0 && kind == 0 {
                // What is left of a block is filled with nothing.
                self.at = self.block.len();
                continue;
            }
            let Some(part) = rest.get(..length) else { bail!("{}: a record is longer than its block", self.place()) };
            let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
            digest.update(&[kind]);
            digest.update(part);
            if masked(digest.finalize() as u32) != sum {
                bail!("{}: the checksum of a record is wrong; the file is damaged", self.place());
            }
            let part = part.to_vec();
            self.at += HEAD_BYTES + length;
            return Ok(Some((kind, part)));
        }
    }

    /// Reads the next block; false where there is none.
    fn fill(&mut self) -> anyhow::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        (&mut self.from).take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        self.is_over = block.len() < BLOCK_BYTES;
        self.at = 0;
        self.blocks += 1;
        let there = !block.is_empty();
        self.block = block;
        Ok(there)
    }
}

/// A checksum as it is written: of what has checksums in it the plain one would be of little use.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Writes records, for the tests.
#[cfg(test)]
pub fn written(records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        let (mut rest, mut is_first) = (record.as_slice(), true);
        loop {
            let left = BLOCK_BYTES - out.len() % BLOCK_BYTES;
            if left < HEAD_BYTES {
                out.resize(out.len() + left, 0);
                continue;
            }
            let (part, after) = rest.split_at(rest.len().min(left - HEAD_BYTES));
            let kind: u8 = match (is_first, after.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
            digest.update(&[kind]);
            digest.update(part);
            out.extend_from_slice(&masked(digest.finalize() as u32).to_le_bytes());
            out.extend_from_slice(&(part.len() as u16).to_le_bytes());
            out.push(kind);
            out.extend_from_slice(part);
            (rest, is_first) = (after, false);
            if rest.is_empty() {
                break;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut log = Log::new(bytes);
        let mut records = Vec::new();
        while let Some(record) = log.next()? {
            records.push(record);
        }
        Ok(records)
    }

    #[test]
    fn what_is_damaged_or_cut_off_is_told() {
        let good = written(&[vec![1; 10], vec![2; 70_000]]);
        assert_eq!(all(&good).expect("read").len(), 2);
        let mut flipped = good.clone();
        flipped[9] ^= 1;
        assert!(all(&flipped).expect_err("damaged").to_string().contains("damaged"));
        assert!(all(&good[..good.len() - 1]).is_err(), "a record is cut");
        assert!(all(&good[..BLOCK_BYTES]).expect_err("cut").to_string().contains("within a record"));
        assert!(all(b"").expect("nothing").is_empty());
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(sizes in proptest::collection::vec(prop_oneof![0usize..40, 32_700usize..32_800, 60_000usize..100_000], 0..8)) {
            let records: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(at, size)| vec![at as u8; *size]).collect();
            prop_assert_eq!(all(&written(&records)).expect("read"), records);
        }

        #[test]
        fn nonsense_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = all(&bytes);
        }
    }
}

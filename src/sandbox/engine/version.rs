//! A version's memory as a file: the pages in which it differs from the image that it grew from.
//!
//! All of the file is checked before any of it is used; one that is not whole, or is of something else, is as good as none.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::Key;

const PAGE_BYTES: usize = 4_096;
/// The file begins with these, the key, the length of the memory and the number of pages; then come the pages' numbers, the pages, and the
/// checksum of all before it.
const MAGIC: &[u8; 8] = b"emu\0ver\x01";
const HEAD_BYTES: usize = MAGIC.len() + size_of::<Key>() + 16;
const SUM_BYTES: usize = 8;

/// The pages in which a memory differs from another.
pub struct Changes {
    /// The length of the memory.
    bytes: usize,
    /// Where each page is, in pages.
    numbers: Vec<u32>,
    /// The file; the pages are at its end, before the checksum.
    file: Vec<u8>,
}

impl Changes {
    /// What was written to `path` under this key.
    pub fn read(path: &Path, key: &Key) -> Option<Changes> {
        let file = fs::read(path).ok()?;
        let (content, sum) = file.split_at_checked(file.len().checked_sub(SUM_BYTES)?)?;
        let (head, rest) = content.split_at_checked(HEAD_BYTES)?;
        let number = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
        if !head.starts_with(MAGIC) || head[MAGIC.len()..].get(..key.len())? != key || checksum(content).to_le_bytes() != sum {
            return None;
        }
        let (bytes, count) = (usize::try_from(number(HEAD_BYTES - 16)?).ok()?, usize::try_from(number(HEAD_BYTES - 8)?).ok()?);
        if count.checked_mul(4 + PAGE_BYTES)? != rest.len() || bytes % PAGE_BYTES != 0 {
            return None;
        }
        let numbers = rest[..count * 4].chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
        Some(Changes { bytes, numbers, file })
    }

    /// Writes the pages in which `content` differs from `before` (and blank memory behind it) to `path`, for nobody but its owner to read.
    pub fn write(path: &Path, key: &Key, before: &[u8], content: &[u8]) -> std::io::Result<()> {
        const BLANK: [u8; PAGE_BYTES] = [0; PAGE_BYTES];
        let before = before.chunks_exact(PAGE_BYTES).chain(std::iter::repeat(&BLANK[..]));
        let changed = content.chunks_exact(PAGE_BYTES).zip(before).enumerate().filter(|(_, (page, before))| page != before);
        let (numbers, pages): (Vec<u32>, Vec<&[u8]>) = changed.map(|(number, (page, _))| (number as u32, page)).unzip();
        let mut file = Vec::with_capacity(HEAD_BYTES + numbers.len() * (4 + PAGE_BYTES) + SUM_BYTES);
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(key);
        file.extend_from_slice(&(content.len() as u64).to_le_bytes());
        file.extend_from_slice(&(numbers.len() as u64).to_le_bytes());
        numbers.iter().for_each(|number| file.extend_from_slice(&number.to_le_bytes()));
        pages.iter().for_each(|page| file.extend_from_slice(page));
        let sum = checksum(&file);
        file.extend_from_slice(&sum.to_le_bytes());
        // Written beside and renamed, so that a killed process leaves no half of one.
        let beside = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut options = fs::File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&beside)?.write_all(&file)?;
        fs::rename(&beside, path).inspect_err(|_| drop(fs::remove_file(&beside)))
    }

    /// The length of the memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts the pages into a memory like the one before. Fails where that is not as long as it was.
    pub fn apply(&self, memory: &mut [u8]) -> wasmtime::Result<()> {
        let other = || wasmtime::format_err!("a version is kept for another memory");
        if memory.len() != self.bytes {
            return Err(other());
        }
        let begin = HEAD_BYTES + self.numbers.len() * 4;
        for (number, page) in self.numbers.iter().zip(self.file[begin..].chunks_exact(PAGE_BYTES)) {
            let at = *number as usize * PAGE_BYTES;
            memory.get_mut(at..at + PAGE_BYTES).ok_or_else(other)?.copy_from_slice(page);
        }
        Ok(())
    }
}

fn checksum(content: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_is_made_again_of_the_one_before_and_its_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.version");
        let before = [vec![1; PAGE_BYTES], vec![2; PAGE_BYTES]].concat();
        // One page is the same, one another, one blank and one new.
        let content = [vec![1; PAGE_BYTES], vec![3; PAGE_BYTES], vec![0; PAGE_BYTES], vec![4; PAGE_BYTES]].concat();
        Changes::write(&path, &[7; 32], &before, &content).expect("written");
        let changes = Changes::read(&path, &[7; 32]).expect("whole");
        assert_eq!((changes.bytes(), &*changes.numbers), (content.len(), &[1, 3][..]));
        let mut memory = before.clone();
        memory.resize(content.len(), 0);
        changes.apply(&mut memory).expect("it is as long");
        assert_eq!(memory, content);
        assert!(changes.apply(&mut before.clone()).is_err(), "it is of another length");
        assert!(Changes::read(&path, &[8; 32]).is_none(), "it is of another version");
    }

    #[test]
    fn what_is_not_whole_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.version");
        Changes::write(&path, &[7; 32], &[], &[1; PAGE_BYTES]).expect("written");
        let whole = fs::read(&path).expect("it is there");
        for length in [0, 7, HEAD_BYTES, whole.len() - 1] {
            fs::write(&path, &whole[..length]).expect("written");
            assert!(Changes::read(&path, &[7; 32]).is_none(), "{length} bytes of it");
        }
        for at in [0, MAGIC.len(), HEAD_BYTES - 8, HEAD_BYTES, whole.len() / 2, whole.len() - 1] {
            let mut spoilt = whole.clone();
            spoilt[at] ^= 1;
            fs::write(&path, &spoilt).expect("written");
            assert!(Changes::read(&path, &[7; 32]).is_none(), "byte {at} is another");
        }
        fs::write(&path, &whole).expect("written");
        assert!(Changes::read(&path, &[7; 32]).is_some());
    }
}

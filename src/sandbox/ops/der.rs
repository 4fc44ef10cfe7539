//! DER (X.690), as far as keys need it.

use super::OpError;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BITS: u8 = 0x03;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

fn malformed() -> OpError {
    OpError::new("error:1E08010C:DECODER routines::unsupported: the key is malformed")
}

/// Reads values one after the other.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next value: its tag and content.
    pub(super) fn next(&mut self) -> Result<(u8, &'a [u8]), OpError> {
        let (&tag, rest) = self.0.split_first().ok_or_else(malformed)?;
        let (&first, mut rest) = rest.split_first().ok_or_else(malformed)?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return Err(malformed());
            }
            let (bytes, after) = rest.split_at_checked(count).ok_or_else(malformed)?;
            rest = after;
            bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        let (content, rest) = rest.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok((tag, content))
    }

    /// The next value, which must have this tag.
    pub(super) fn take(&mut self, tag: u8) -> Result<&'a [u8], OpError> {
        match self.next()? {
            (found, content) if found == tag => Ok(content),
            _ => Err(malformed()),
        }
    }

    /// The next value if it has this tag.
    pub(super) fn maybe(&mut self, tag: u8) -> Result<Option<&'a [u8]>, OpError> {
        if self.0.first() == Some(&tag) { self.take(tag).map(Some) } else { Ok(None) }
    }

    /// A natural number, without leading zeros.
    pub(super) fn natural(&mut self) -> Result<&'a [u8], OpError> {
        let content = self.take(INTEGER)?;
        let zeros = content.iter().take_while(|byte| **byte == 0).count();
        Ok(&content[zeros..])
    }
}

/// One value: the tag, the length, the contents joined.
pub(super) fn value(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|content| content.len()).sum();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        out.push(0x80 | (bytes.len() - zeros) as u8);
        out.extend(&bytes[zeros..]);
    }
    for content in contents {
        out.extend_from_slice(content);
    }
    out
}

/// A natural number.
pub(super) fn natural(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[zeros..];
    match bytes.first() {
        Some(first) if *first < 0x80 => value(INTEGER, &[bytes]),
        _ => value(INTEGER, &[&[0], bytes]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_survive_both_ways() {
        for (bytes, encoded) in [(&[0x00u8, 0x01][..], "020101"), (&[0x80], "02020080"), (&[], "020100"), (&[0x12, 0x34], "02021234")] {
            let written = natural(bytes);
            assert_eq!(hex::encode(&written), encoded);
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            assert_eq!(Reader(&written).natural().unwrap(), &bytes[zeros..]);
        }
        for length in [0, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            assert_eq!(Reader(&value(OCTETS, &[&content])).take(OCTETS).unwrap(), content);
        }
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        for bytes in [&b""[..], &[0x02], &[0x02, 0x05, 0x01], &[0x02, 0x85, 1, 1, 1, 1, 1], &[0x02, 0x80]] {
            assert!(Reader(bytes).next().is_err(), "{bytes:?}");
        }
    }
}

//! What is worked out of the bytes while they arrive: tags and checksums.

use crc_fast::{CrcAlgorithm, Digest as Crc};
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::Sha256;

use crate::store::blobs::Tap;

/// How a checksum is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    /// Whether the checksum of a whole follows from those of its parts.
    pub fn combines(self) -> bool {
        self.crc().is_some()
    }

    /// Bytes of a checksum.
    pub fn width(self) -> usize {
        match self {
            Algorithm::Crc32 | Algorithm::Crc32c => 4,
            Algorithm::Crc64Nvme => 8,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Algorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Algorithm::Sha1 | Algorithm::Sha256 => None,
        }
    }
}

/// A checksum that is kept with an object and shown to those who ask.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Checksum {
    pub algorithm: Algorithm,
    #[serde(with = "hexadecimal")]
    pub value: Vec<u8>,
    /// The number of parts, where this is the checksum of their checksums; `None` where it is of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_parts: Option<u32>,
}

mod hexadecimal {
    pub(super) fn serialize<S: serde::Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
        hex::decode(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

/// What is known of some bytes: always a size, an MD5, a CRC32C and a CRC64NVME, as one or the other provider shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub size: u64,
    pub md5: [u8; 16],
    pub crc32c: u32,
    pub crc64nvme: u64,
    /// The checksum that was asked for, if another.
    pub asked: Option<(Algorithm, Vec<u8>)>,
    /// SHA-256, if it was asked for apart from the checksum.
    pub payload_sha256: Option<[u8; 32]>,
}

impl Fingerprint {
    /// That of bytes at hand.
    pub fn of(bytes: &[u8], asked: Option<Algorithm>, payload: bool) -> Fingerprint {
        let mut hasher = Hasher::new(asked, payload);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The checksum by `algorithm`, where it was worked out.
    pub fn checksum(&self, algorithm: Algorithm) -> Option<Vec<u8>> {
        match algorithm {
            Algorithm::Crc32c => Some(self.crc32c.to_be_bytes().to_vec()),
            Algorithm::Crc64Nvme => Some(self.crc64nvme.to_be_bytes().to_vec()),
            _ => self.asked.as_ref().filter(|(asked, _)| *asked == algorithm).map(|(_, value)| value.clone()),
        }
    }
}

/// Works out a [`Fingerprint`].
pub(super) struct Hasher {
    size: u64,
    md5: Md5,
    crc32c: Crc,
    crc64nvme: Crc,
    asked: Option<Asked>,
    payload: Option<Sha256>,
}

enum Asked {
    Crc32(Crc),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(super) fn new(asked: Option<Algorithm>, payload: bool) -> Hasher {
        Hasher {
            size: 0,
            md5: Md5::new(),
            crc32c: Crc::new(CrcAlgorithm::Crc32Iscsi),
            crc64nvme: Crc::new(CrcAlgorithm::Crc64Nvme),
            asked: asked.and_then(|algorithm| match algorithm {
                Algorithm::Crc32c | Algorithm::Crc64Nvme => None,
                Algorithm::Crc32 => Some(Asked::Crc32(Crc::new(CrcAlgorithm::Crc32IsoHdlc))),
                Algorithm::Sha1 => Some(Asked::Sha1(Sha1::new())),
                Algorithm::Sha256 => Some(Asked::Sha256(Sha256::new())),
            }),
            payload: payload.then(Sha256::new),
        }
    }

    pub(super) fn finish(self) -> Fingerprint {
        Fingerprint {
            size: self.size,
            md5: self.md5.finalize().into(),
            crc32c: self.crc32c.finalize() as u32,
            crc64nvme: self.crc64nvme.finalize(),
            asked: self.asked.map(|asked| match asked {
                Asked::Crc32(crc) => (Algorithm::Crc32, (crc.finalize() as u32).to_be_bytes().to_vec()),
                Asked::Sha1(sha) => (Algorithm::Sha1, sha.finalize().to_vec()),
                Asked::Sha256(sha) => (Algorithm::Sha256, sha.finalize().to_vec()),
            }),
            payload_sha256: self.payload.map(|sha| sha.finalize().into()),
        }
    }
}

impl Tap for Hasher {
    fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.crc32c.update(bytes);
        self.crc64nvme.update(bytes);
        match &mut self.asked {
            Some(Asked::Crc32(crc)) => crc.update(bytes),
            Some(Asked::Sha1(sha)) => sha.update(bytes),
            Some(Asked::Sha256(sha)) => sha.update(bytes),
            None => {}
        }
        if let Some(payload) = &mut self.payload {
            payload.update(bytes);
        }
    }
}

/// The checksum of a whole out of its parts' checksums and sizes; `None` for algorithms where it does not follow.
pub(super) fn combine<'a>(algorithm: Algorithm, parts: impl Iterator<Item = (&'a [u8], u64)>) -> Option<Vec<u8>> {
    let crc = algorithm.crc()?;
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    // Of no bytes at all the checksum of either kind is zero.
    let whole = parts.fold(0, |whole, (value, size)| crc_fast::checksum_combine(crc, whole, number(value), size));
    Some(whole.to_be_bytes()[8 - algorithm.width()..].to_vec())
}

/// The checksum of the parts' checksums, one after another.
pub(super) fn compose<'a>(algorithm: Algorithm, values: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut hasher = Hasher::new(Some(algorithm), false);
    values.for_each(|value| hasher.update(value));
    hasher.finish().checksum(algorithm).expect("the hasher works out what it is asked for")
}

/// The tag of an object made of parts: the MD5 of their MD5s, and their number ("Checking object integrity").
pub(super) fn tag_of_parts<'a>(md5s: impl Iterator<Item = &'a [u8]>) -> String {
    let (mut md5, mut count) = (Md5::new(), 0);
    for value in md5s {
        md5.update(value);
        count += 1;
    }
    format!("{}-{count}", hex::encode(md5.finalize()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fingerprint(bytes: &[u8], asked: Algorithm) -> Fingerprint {
        let mut hasher = Hasher::new(Some(asked), false);
        hasher.update(bytes);
        hasher.finish()
    }

    #[test]
    fn the_check_values_of_the_algorithms() {
        for (algorithm, wanted) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let found = fingerprint(b"123456789", algorithm).checksum(algorithm).expect("worked out");
            assert_eq!((hex::encode(&found), found.len()), (wanted.to_owned(), algorithm.width()));
        }
        assert_eq!(hex::encode(fingerprint(b"", Algorithm::Crc32).md5), "d41d8cd98f00b204e9800998ecf8427e");
    }

    proptest! {
        #[test]
        fn checksums_of_parts_combine_to_that_of_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..3_000), cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..5)) {
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
            ends.sort_unstable();
            for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
                let parts: Vec<(Vec<u8>, u64)> = ends
                    .windows(2)
                    .map(|pair| (fingerprint(&bytes[pair[0]..pair[1]], algorithm).checksum(algorithm).expect("worked out"), (pair[1] - pair[0]) as u64))
                    .collect();
                let combined = combine(algorithm, parts.iter().map(|(value, size)| (value.as_slice(), *size)));
                prop_assert_eq!(combined, fingerprint(&bytes, algorithm).checksum(algorithm));
            }
        }
    }
}

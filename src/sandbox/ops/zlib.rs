//! Compression in the formats of zlib: gzip, zlib ("deflate") and raw deflate.

use super::{Answer, BYTES_MAX, OpError, read};
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder, GzEncoder, MultiGzDecoder, ZlibDecoder, ZlibEncoder};
use serde::Deserialize;
use std::io::{ErrorKind, Read};

#[derive(Deserialize)]
struct Zlib {
    kind: String,
    level: Option<i32>,
    /// The most bytes that the answer may have.
    max: Option<f64>,
    /// Whether a stream that ends early gives what it has.
    #[serde(default)]
    partial: bool,
}

/// `data` compressed or decompressed. Errors begin with zlib's own code: `Z_DATA_ERROR: incorrect header check`.
pub(super) fn zlib(meta: &str, data: &[u8]) -> Answer {
    let Zlib { kind, level, max, partial } = read(meta)?;
    let level = match level.unwrap_or(-1) {
        -1 => Compression::default(),
        level @ 0..=9 => Compression::new(level.unsigned_abs()),
        _ => return Err(OpError::range("the level must be -1 to 9")),
    };
    let max = max.filter(|max| *max > 0.0).map_or(BYTES_MAX, |max| (max as usize).min(BYTES_MAX));
    let kind = match (kind.as_str(), data) {
        ("unzip", [0x1f, 0x8b, ..]) => "gunzip",
        ("unzip", _) => "inflate",
        (kind, _) => kind,
    };
    let mut reader: Box<dyn Read> = match kind {
        "gzip" => Box::new(GzEncoder::new(data, level)),
        "deflate" => Box::new(ZlibEncoder::new(data, level)),
        "deflateRaw" => Box::new(DeflateEncoder::new(data, level)),
        "gunzip" => {
            if !data.starts_with(&[0x1f, 0x8b]) {
                return Err(damaged(data.is_empty()));
            }
            // What follows the last member and is no member is ignored, as zlib's own tools do.
            Box::new(MultiGzDecoder::new(data))
        }
        "inflate" => {
            if let [first, second, ..] = data
                && (first & 0x0f != 8 || (u16::from(*first) << 8 | u16::from(*second)) % 31 != 0)
            {
                return Err(damaged(false));
            }
            Box::new(ZlibDecoder::new(data))
        }
        "inflateRaw" => Box::new(DeflateDecoder::new(data)),
        _ => return Err(OpError::usage(format!("there is no compression `{kind}`"))),
    };
    let mut out = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) if out.len() + count > max => {
                return Err(OpError::range(format!("Cannot create a Buffer larger than {max} bytes")));
            }
            Ok(count) => out.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                if partial {
                    break;
                }
                return Err(OpError::new("Z_BUF_ERROR: unexpected end of file"));
            }
            // Zeros or other bytes after a complete gzip member.
            Err(error) if kind == "gunzip" && error.kind() == ErrorKind::InvalidInput && !out.is_empty() => break,
            Err(_) => return Err(OpError::new("Z_DATA_ERROR: invalid data")),
        }
    }
    Ok((String::new(), out))
}

fn damaged(empty: bool) -> OpError {
    OpError::new(if empty { "Z_BUF_ERROR: unexpected end of file" } else { "Z_DATA_ERROR: incorrect header check" })
}

#[derive(Deserialize)]
struct Crc {
    #[serde(default)]
    value: u32,
}

/// The CRC-32 of `data`, continued from `value`, as a decimal number.
pub(super) fn crc32(meta: &str, data: &[u8]) -> Answer {
    let Crc { value } = read(meta)?;
    let mut crc = !value;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    Ok(((!crc).to_string(), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(kind: &str, data: &[u8]) -> Vec<u8> {
        zlib(&format!(r#"{{"kind":"{kind}"}}"#), data).unwrap().1
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let text = "lorem ipsum ".repeat(1000).into_bytes();
        for (pack, unpack) in
            [("gzip", "gunzip"), ("deflate", "inflate"), ("deflateRaw", "inflateRaw"), ("gzip", "unzip"), ("deflate", "unzip")]
        {
            let packed = run(pack, &text);
            assert!(packed.len() < text.len() / 10, "{pack}");
            assert_eq!(run(unpack, &packed), text, "{unpack}");
        }
        // Written by `printf hello | gzip -n`.
        let known = hex::decode("1f8b0800000000000003cb48cdc9c907008 6a6103605000000".replace(' ', "")).unwrap();
        assert_eq!(run("gunzip", &known), b"hello");
    }

    #[test]
    fn damage_is_told_as_zlib_tells_it() {
        let packed = run("gzip", b"hello hello hello");
        for (meta, data, expected) in [
            (r#"{"kind":"gunzip"}"#, &b"hello"[..], "Z_DATA_ERROR: incorrect header check"),
            (r#"{"kind":"inflate"}"#, b"hello", "Z_DATA_ERROR: incorrect header check"),
            (r#"{"kind":"gunzip"}"#, &packed[..packed.len() - 10], "Z_BUF_ERROR: unexpected end of file"),
            (r#"{"kind":"gunzip","max":5}"#, &packed, "Cannot create a Buffer larger than 5 bytes"),
            (r#"{"kind":"lzw"}"#, b"", "there is no compression `lzw`"),
        ] {
            assert_eq!(zlib(meta, data).unwrap_err().message, expected, "{meta}");
        }
    }

    #[test]
    fn the_check_value_of_crc32_is_the_published_one() {
        assert_eq!(crc32("{}", b"123456789").unwrap().0, 0xcbf4_3926u32.to_string());
        let (half, _) = crc32("{}", b"1234").unwrap();
        assert_eq!(crc32(&format!(r#"{{"value":{half}}}"#), b"56789").unwrap().0, 0xcbf4_3926u32.to_string());
    }
}

//! Text in other encodings than UTF-8, by the labels of the Encoding Standard.

use super::{Answer, OpError, read};
use encoding_rs::Encoding;
use serde::Deserialize;

/// The name of the encoding that a label means, in lower case; empty where there is none.
pub(super) fn label(label: &str) -> Answer {
    let name = Encoding::for_label_no_replacement(label.as_bytes()).map(|encoding| encoding.name().to_ascii_lowercase());
    Ok((name.unwrap_or_default(), Vec::new()))
}

#[derive(Deserialize)]
struct Decode<'a> {
    label: &'a str,
    #[serde(default)]
    fatal: bool,
}

/// Decodes all of `data`. A byte order mark is kept. Fails on a malformed sequence where `fatal` is set.
pub(super) fn decode(meta: &str, data: &[u8]) -> Answer {
    let Decode { label, fatal } = read(meta)?;
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())
        .ok_or_else(|| OpError::range(format!("the \"{label}\" encoding is not supported")))?;
    let (text, malformed) = encoding.decode_without_bom_handling(data);
    if fatal && malformed {
        return Err(OpError::usage(format!("the encoded data was not valid for encoding {}", encoding.name().to_ascii_lowercase())));
    }
    Ok((text.into_owned(), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(meta: &str, data: &[u8], expected: Result<&str, &str>) {
        match (decode(meta, data), expected) {
            (Ok((text, _)), Ok(wanted)) => assert_eq!(text, wanted, "{meta}"),
            (Err(error), Err(name)) => assert_eq!(error.name, name, "{meta}"),
            (got, wanted) => panic!("{meta}: got {got:?}, wanted {wanted:?}"),
        }
    }

    #[test]
    fn bytes_become_text_in_the_named_encoding() {
        check(r#"{"label":"utf-16le"}"#, &[0x61, 0, 0x3d, 0xd8, 0x00, 0xde], Ok("a😀"));
        check(r#"{"label":"latin1"}"#, &[0xe9, 0x80], Ok("é€"));
        check(r#"{"label":"shift_jis"}"#, &[0x83, 0x65], Ok("テ"));
        check(r#"{"label":"utf-8"}"#, &[0x61, 0xff, 0x62], Ok("a\u{fffd}b"));
        check(r#"{"label":"utf-8","fatal":true}"#, &[0x61, 0xff], Err("TypeError"));
        check(r#"{"label":"utf-8","fatal":true}"#, &[0xef, 0xbb, 0xbf, 0x61], Ok("\u{feff}a"));
        check(r#"{"label":"klingon"}"#, b"", Err("RangeError"));
    }

    #[test]
    fn labels_have_one_name() {
        for (given, name) in [("latin1", "windows-1252"), ("UTF8", "utf-8"), ("utf-16", "utf-16le"), ("nope", "")] {
            assert_eq!(label(given).unwrap().0, name);
        }
    }
}

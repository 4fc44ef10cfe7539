//! What a request says in its query and its headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;

use super::fail::Failure;
use crate::services::objects::{Expected, Numbers, Range, Which};
use crate::wire::http::header;

/// A request without its body.
pub struct Ask<'a> {
    pub parts: &'a Parts,
    query: Vec<(String, String)>,
}

impl<'a> Ask<'a> {
    pub fn new(parts: &'a Parts) -> Ask<'a> {
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        Ask { parts, query }
    }

    /// A parameter of the query.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&'a str> {
        header(&self.parts.headers, name)
    }

    pub fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.get(name).map(|text| number(name, text)).transpose()
    }

    pub fn truth(&self, name: &str) -> bool {
        self.get(name).is_some_and(|text| text == "true" || text == "1")
    }

    /// The conditions that stand in the query; `source` are those on the source of a copy.
    pub fn numbers(&self, source: bool) -> Result<Numbers, Failure> {
        let get = |name: &str| self.number(&if source { format!("ifSource{name}") } else { format!("if{name}") });
        Ok(Numbers {
            generation: get("GenerationMatch")?,
            not_generation: get("GenerationNotMatch")?,
            metageneration: get("MetagenerationMatch")?,
            not_metageneration: get("MetagenerationNotMatch")?,
        })
    }

    /// The conditions that stand in the headers, as the XML API has them.
    pub fn numbers_of_headers(&self) -> Result<Numbers, Failure> {
        let get = |name: &str| self.header(name).map(|text| number(name, text)).transpose();
        Ok(Numbers {
            generation: get("x-goog-if-generation-match")?,
            metageneration: get("x-goog-if-metageneration-match")?,
            ..Numbers::default()
        })
    }

    /// The version that a parameter names.
    pub fn which(&self, name: &str) -> Result<Which, Failure> {
        Ok(self.number(name)?.map_or(Which::Latest, Which::Generation))
    }

    /// The range of bytes that is asked for; what is none asks for all of them (RFC 9110).
    pub fn range(&self) -> Range {
        self.header("range").and_then(range).unwrap_or_default()
    }

    /// What the sender says of the bytes.
    pub fn expected(&self) -> Result<Expected, Failure> {
        let mut expected = Expected::default();
        for value in self.parts.headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok()) {
            for one in value.split(',') {
                match one.trim().split_once('=') {
                    Some(("crc32c", value)) => expected.crc32c = Some(crc32c(value)?),
                    Some(("md5", value)) => expected.md5 = Some(md5(value)?),
                    _ => {}
                }
            }
        }
        if let Some(value) = self.header("content-md5") {
            expected.md5 = Some(md5(value)?);
        }
        Ok(expected)
    }

    /// Bytes that the body is said to have.
    pub fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Where whoever asks has found us.
    pub fn origin(&self) -> String {
        let scheme = self.parts.uri.scheme_str().unwrap_or("http");
        let host = self.header("host").or_else(|| self.parts.uri.authority().map(http::uri::Authority::as_str)).unwrap_or("localhost");
        format!("{scheme}://{host}")
    }

    pub fn accepts_gzip(&self) -> bool {
        let accepted = self.header("accept-encoding").unwrap_or_default();
        accepted.split(',').any(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            matches!(name.trim(), "gzip" | "*") && !matches!(weight.trim(), "q=0" | "q=0.0")
        })
    }
}

/// An MD5 as it is written here.
pub fn md5(text: &str) -> Result<Vec<u8>, Failure> {
    let bytes = STANDARD.decode(text.trim()).ok().filter(|bytes| bytes.len() == 16);
    bytes.ok_or_else(|| Failure::invalid(format!("Invalid MD5 value: {}", clip(text))))
}

/// A CRC32C as it is written here.
pub fn crc32c(text: &str) -> Result<u32, Failure> {
    let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    bytes.map(u32::from_be_bytes).ok_or_else(|| Failure::invalid(format!("Invalid CRC32C value: {}", clip(text))))
}

fn number(name: &str, text: &str) -> Result<i64, Failure> {
    text.parse().map_err(|_| Failure::invalid(format!("Invalid unsigned integer value for {name}: '{}'", clip(text))))
}

/// So much of a stranger's text as is said again.
pub fn clip(text: &str) -> String {
    text.chars().take(200).collect()
}

fn range(text: &str) -> Option<Range> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", last) => Some(Range::Last(last.parse().ok()?)),
        (first, "") => Some(Range::From { first: first.parse().ok()?, last: None }),
        (first, last) => {
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(Range::From { first, last: Some(last) })
        }
    }
}

/// Where the bytes of one request lie in an upload over several (`Content-Range`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// `None`: none are sent; it is asked how far the upload is.
    pub first: Option<u64>,
    pub last: Option<u64>,
    pub total: Option<u64>,
}

/// `bytes 0-99/200`, `bytes 0-*/*`, `bytes */200`.
pub fn span(text: &str) -> Result<Span, Failure> {
    let wrong = || Failure::invalid(format!("Failed to parse Content-Range header: {}", clip(text)));
    let (range, total) = text.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    // The Node client says `undefined` of what it does not know.
    let total = if matches!(total, "*" | "undefined") { None } else { Some(total.parse().map_err(|_| wrong())?) };
    if range == "*" {
        return Ok(Span { first: None, last: None, total });
    }
    let (first, last) = range.split_once('-').ok_or_else(wrong)?;
    let first = Some(first.parse().map_err(|_| wrong())?);
    // Of no bytes at all the last is -1.
    let last = if matches!(last, "*" | "-1" | "") { None } else { Some(last.parse().map_err(|_| wrong())?) };
    Ok(Span { first, last, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_bytes() {
        for (text, wanted) in [
            ("bytes=0-4", Some(Range::From { first: 0, last: Some(4) })),
            ("bytes=5-", Some(Range::From { first: 5, last: None })),
            ("bytes=-3", Some(Range::Last(3))),
            ("bytes=4-2", None),
            ("bytes=0-1,3-4", None),
            ("items=0-1", None),
        ] {
            assert_eq!(range(text), wanted, "{text}");
        }
    }

    #[test]
    fn where_the_bytes_of_a_request_lie() {
        let of = |first, last, total| Span { first, last, total };
        for (text, wanted) in [
            ("bytes 0-99/200", Some(of(Some(0), Some(99), Some(200)))),
            ("bytes 100-199/*", Some(of(Some(100), Some(199), None))),
            ("bytes 0-*/*", Some(of(Some(0), None, None))),
            ("bytes 0-*/undefined", Some(of(Some(0), None, None))),
            ("bytes 0--1/0", Some(of(Some(0), None, Some(0)))),
            ("bytes */*", Some(of(None, None, None))),
            ("bytes */200", Some(of(None, None, Some(200)))),
            ("bytes x-1/2", None),
            ("0-1/2", None),
        ] {
            assert_eq!(span(text).ok(), wanted, "{text}");
        }
    }
}

//! What must hold for a request to be served, and which bytes it asks for.

use s3s::dto::{ETagCondition, Range, Timestamp, TimestampFormat};

use super::fail::Failure;
use crate::base::Time;
use crate::services::objects::{self, Condition, Match, Wanted};

/// When a change may be made. Source: the page "How to prevent object overwrites with conditional writes".
pub fn condition(matches: Option<&ETagCondition>, differs: Option<&ETagCondition>) -> Result<Condition, Failure> {
    match (matches, differs) {
        (None, None) => Ok(Condition::Always),
        (Some(_), Some(_)) => Err(Failure::not_implemented("If-Match,If-None-Match")),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (None, Some(ETagCondition::ETag(_))) => Err(Failure::not_implemented("If-None-Match")),
        (Some(ETagCondition::Any), None) => Ok(Condition::Present),
        (Some(ETagCondition::ETag(tag)), None) => Ok(Condition::Tag(tag.value().to_owned())),
    }
}

/// A time that a request names; `None` where it names none, or none that there is.
pub fn time(timestamp: Option<&Timestamp>) -> Option<Time> {
    let mut text = Vec::new();
    timestamp?.format(TimestampFormat::EpochSeconds, &mut text).ok()?;
    let seconds: f64 = std::str::from_utf8(&text).ok()?.parse().ok()?;
    Some(Time((seconds * 1_000.0) as i64))
}

/// The conditions of a reader.
pub struct Conditions<'a> {
    pub matches: Option<&'a ETagCondition>,
    pub differs: Option<&'a ETagCondition>,
    pub modified_since: Option<&'a Timestamp>,
    pub unmodified_since: Option<&'a Timestamp>,
}

impl Conditions<'_> {
    pub fn wanted(&self) -> Wanted {
        let tag = |condition: &ETagCondition| match condition {
            ETagCondition::Any => Match::Any,
            ETagCondition::ETag(tag) => Match::Tag(tag.value().to_owned()),
        };
        Wanted {
            matches: self.matches.map(tag),
            differs: self.differs.map(tag),
            modified_since: time(self.modified_since),
            unmodified_since: time(self.unmodified_since),
            ..Wanted::default()
        }
    }
}

/// The conditions on what a copy replaces, which `s3s` does not read.
pub fn condition_of_copy(headers: &http::HeaderMap) -> Result<Condition, Failure> {
    let read = |name: &str| {
        let value = crate::wire::http::header(headers, name)?;
        ETagCondition::parse_http_header(value.as_bytes()).ok()
    };
    condition(read("if-match").as_ref(), read("if-none-match").as_ref())
}

/// Which bytes a reader asks for.
pub fn range(range: Option<Range>, part: Option<i32>) -> Result<objects::Range, Failure> {
    match (range, part) {
        (Some(_), Some(_)) => Err(Failure::invalid_request("Cannot specify both Range header and partNumber query parameter")),
        (None, None) => Ok(objects::Range::All),
        (Some(Range::Int { first, last }), None) => Ok(objects::Range::From { first, last }),
        (Some(Range::Suffix { length }), None) => Ok(objects::Range::Last(length)),
        (None, Some(part)) => match u32::try_from(part) {
            Ok(part) if (1..=objects::PARTS_MAX).contains(&part) => Ok(objects::Range::Part(part)),
            _ => Err(objects::Error::BadPartNumber.into()),
        },
    }
}

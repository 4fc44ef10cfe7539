//! How those fields of records are written that may hold secrets: hidden, and without a copy of the record.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::{HIDDEN, is_secret};
use crate::telemetry::{Headers, Outcome, Payload};

/// A target: a path with its query.
pub(in crate::telemetry) fn pairs<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&super::pairs(text))
}

/// A line that was logged.
pub(in crate::telemetry) fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&super::text(text))
}

/// The lines of a stack.
pub(in crate::telemetry) fn lines<S: Serializer>(lines: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lines.iter().map(|line| super::text(line)))
}

pub(in crate::telemetry) fn headers<S: Serializer>(headers: &Headers, serializer: S) -> Result<S::Ok, S::Error> {
    let hidden = |name: &str, value| if is_secret(name) { Cow::Borrowed(HIDDEN) } else { super::pairs(value) };
    serializer.collect_seq(headers.iter().map(|(name, value)| (name, hidden(name, value))))
}

/// A body, an event or an answer.
pub(in crate::telemetry) fn payload<S: Serializer>(payload: &Payload, serializer: S) -> Result<S::Ok, S::Error> {
    super::payload(payload).serialize(serializer)
}

pub(in crate::telemetry) fn outcome<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    let mut hidden = match outcome {
        Outcome::Succeeded => return outcome.serialize(serializer),
        other => other.clone(),
    };
    if let Outcome::Failed { message, .. } | Outcome::Refused { message } = &mut hidden {
        *message = super::text(message).into_owned();
    }
    hidden.serialize(serializer)
}

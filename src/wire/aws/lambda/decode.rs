//! Requests of the Lambda API.

use bytes::Bytes;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::{ASYNC_BYTES_MAX, Error, SYNC_BYTES_MAX};
use crate::wire::http::{Body, BodyError, Description, header};

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Invoke(Invocation),
    InvokeAsync(String),
    List(Page),
    Get(String, Option<String>),
    GetConfiguration(String, Option<String>),
    ListMappings { function: Option<String>, source: Option<String> },
    AccountSettings,
}

impl Operation {
    /// Its name in the API reference, and the function that it is about.
    pub(super) fn describe(&self) -> Description {
        let (action, resource) = match self {
            Operation::Invoke(invocation) => ("Invoke", Some(&invocation.function)),
            Operation::InvokeAsync(name) => ("InvokeAsync", Some(name)),
            Operation::List(_) => ("ListFunctions", None),
            Operation::Get(name, _) => ("GetFunction", Some(name)),
            Operation::GetConfiguration(name, _) => ("GetFunctionConfiguration", Some(name)),
            Operation::ListMappings { function, .. } => ("ListEventSourceMappings", function.as_ref()),
            Operation::AccountSettings => ("GetAccountSettings", None),
        };
        let ran = matches!(self, Operation::Invoke(Invocation { kind: Kind::RequestResponse, .. }));
        // A name, or an ARN that ends in one.
        let resource = resource.map(|given| given.rsplit(":function:").next().unwrap_or(given).to_owned());
        Description { resource, ran, ..Description::new("lambda", action) }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    /// Name, ARN or part of one, as given.
    pub(super) function: String,
    pub(super) qualifier: Option<String>,
    pub(super) kind: Kind,
    pub(super) log_tail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    RequestResponse,
    Event,
    DryRun,
}

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The name after which it begins.
    pub(super) after: Option<String>,
    pub(super) limit: usize,
}

/// Longest name or ARN that is looked at (the API's own limit).
const NAME_BYTES_MAX: usize = 170;

/// Which operation a request asks for.
pub(super) fn operation(head: &Parts) -> Result<Operation, Error> {
    let path = head.uri.path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let query = |name: &str| {
        let query = head.uri.query().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let unknown = || Error::UnknownOperation { method: head.method.to_string(), path: path.chars().take(200).collect() };
    match (head.method.as_str(), &segments[..]) {
        ("POST", ["2015-03-31", "functions", name, "invocations"]) => Ok(Operation::Invoke(Invocation {
            function: text(name)?,
            qualifier: query("Qualifier"),
            kind: match header(&head.headers, "x-amz-invocation-type") {
                None | Some("RequestResponse") => Kind::RequestResponse,
                Some("Event") => Kind::Event,
                Some("DryRun") => Kind::DryRun,
                Some(other) => {
                    return Err(Error::Invalid {
                        value: other.to_owned(),
                        at: "invocationType",
                        constraint: "Member must satisfy enum value set: [Event, RequestResponse, DryRun]".to_owned(),
                    });
                }
            },
            log_tail: match header(&head.headers, "x-amz-log-type") {
                None | Some("None") => false,
                Some("Tail") => true,
                Some(other) => {
                    return Err(Error::Invalid {
                        value: other.to_owned(),
                        at: "logType",
                        constraint: "Member must satisfy enum value set: [None, Tail]".to_owned(),
                    });
                }
            },
        })),
        ("POST", ["2014-11-13", "functions", name, "invoke-async"]) => Ok(Operation::InvokeAsync(text(name)?)),
        ("GET", ["2015-03-31", "functions"]) => {
            let limit = query("MaxItems").and_then(|n| n.parse().ok()).unwrap_or(50_usize).clamp(1, 50);
            Ok(Operation::List(Page { after: query("Marker").filter(|marker| !marker.is_empty()), limit }))
        }
        ("GET", ["2015-03-31", "functions", name]) => Ok(Operation::Get(text(name)?, query("Qualifier"))),
        ("GET", ["2015-03-31", "functions", name, "configuration"]) => Ok(Operation::GetConfiguration(text(name)?, query("Qualifier"))),
        ("GET", ["2015-03-31", "event-source-mappings"]) => {
            Ok(Operation::ListMappings { function: query("FunctionName"), source: query("EventSourceArn") })
        }
        ("GET", ["2016-08-19", "account-settings"]) => Ok(Operation::AccountSettings),
        _ => Err(unknown()),
    }
}

fn text(segment: &str) -> Result<String, Error> {
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| invalid_name(segment))?;
    Ok(decoded.into_owned())
}

/// A function's name, and the version or alias that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) function: String,
    pub(super) qualifier: Option<String>,
}

const NAME_PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";

fn invalid_name(given: &str) -> Error {
    Error::Invalid {
        value: given.chars().take(NAME_BYTES_MAX).collect(),
        at: "functionName",
        constraint: format!("Member must satisfy regular expression pattern: {NAME_PATTERN}"),
    }
}

/// Takes apart `NAME`, `NAME:QUALIFIER`, `ACCOUNT:function:NAME…` or `arn:aws:lambda:REGION:ACCOUNT:function:NAME…`.
pub(super) fn name(given: &str, qualifier: Option<&str>) -> Result<Name, Error> {
    let wrong = || invalid_name(given);
    if given.len() > NAME_BYTES_MAX {
        return Err(wrong());
    }
    let mut parts: Vec<&str> = given.split(':').collect();
    if parts.first() == Some(&"arn") {
        // arn, partition, `lambda`, region, then as in a part of an ARN.
        if parts.len() < 7 || parts[2] != "lambda" {
            return Err(wrong());
        }
        parts.drain(..4);
    }
    if parts.len() >= 3 && parts[1] == "function" && parts[0].len() == 12 && parts[0].bytes().all(|b| b.is_ascii_digit()) {
        parts.drain(..2);
    } else if parts.len() >= 2 && parts[0] == "function" {
        parts.remove(0);
    }
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let (function, inner) = match parts[..] {
        [function] => (function, None),
        [function, inner] => (function, Some(inner)),
        _ => return Err(wrong()),
    };
    if !plain(function) || inner.is_some_and(|inner| inner != "$LATEST" && !plain(inner)) {
        return Err(wrong());
    }
    match (inner, qualifier) {
        (Some(inner), Some(outer)) if inner != outer => Err(Error::Qualifiers),
        (inner, outer) => Ok(Name { function: function.to_owned(), qualifier: inner.or(outer).map(str::to_owned) }),
    }
}

/// The event of an invocation: JSON, `{}` where there is none.
pub(super) async fn event(body: Body, kind: Kind) -> Result<Bytes, Error> {
    let event = match body.collect(SYNC_BYTES_MAX).await {
        Ok(event) => event,
        Err(BodyError::TooLarge { .. }) => return Err(Error::TooLarge),
        Err(error @ BodyError::Broken(_)) => return Err(Error::Content(error.to_string())),
    };
    if kind == Kind::Event && event.len() > ASYNC_BYTES_MAX {
        return Err(Error::EventTooLarge { bytes: event.len() });
    }
    if event.trim_ascii().is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<&serde_json::value::RawValue>(&event) {
        Ok(_) => Ok(event),
        Err(error) => Err(Error::Content(error.to_string())),
    }
}

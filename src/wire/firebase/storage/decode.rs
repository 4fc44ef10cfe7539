//! What senders say of objects: JSON documents, and headers.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::{Map, Value};

use super::ask::{crc32c, md5};
use super::encode::TOKENS;
use super::fail::Failure;
use crate::services::objects::{Expected, Headers, Properties};
use crate::wire::http::header;

/// A document; nothing at all is an empty one.
pub fn document(bytes: &[u8]) -> Result<Map<String, Value>, Failure> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Failure::invalid("Invalid JSON payload received. Root element must be a message.")),
        Err(error) => Err(Failure::invalid(format!("Parse Error: {error}"))),
    }
}

/// The fields of a document that describe an object.
const FIELDS: [&str; 7] =
    ["contentType", "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "storageClass", "customTime"];

fn field<'a>(headers: &'a mut Headers, name: &str) -> Option<&'a mut Option<String>> {
    Some(match name {
        "contentType" => &mut headers.content_type,
        "cacheControl" => &mut headers.cache_control,
        "contentDisposition" => &mut headers.content_disposition,
        "contentEncoding" => &mut headers.content_encoding,
        "contentLanguage" => &mut headers.content_language,
        "storageClass" => &mut headers.storage_class,
        "customTime" => &mut headers.custom_time,
        _ => return None,
    })
}

/// What a document says of a new object.
pub fn properties(document: &Map<String, Value>) -> Result<Properties, Failure> {
    let mut properties = Properties::default();
    change(&mut properties, document)?;
    Ok(properties)
}

/// Changes what is said of an object as a document says: `null` takes away, what it does not name stays.
pub fn change(properties: &mut Properties, document: &Map<String, Value>) -> Result<(), Failure> {
    for name in FIELDS {
        let (Some(value), Some(into)) = (document.get(name), field(&mut properties.headers, name)) else { continue };
        *into = text(name, value)?.filter(|text| !is_usual(name, text));
    }
    match document.get("metadata") {
        None => {}
        Some(Value::Null) => properties.metadata.clear(),
        Some(Value::Object(custom)) => {
            for (name, value) in custom {
                match text(name, value)? {
                    Some(value) => {
                        properties.metadata.insert(name.clone(), value);
                    }
                    None => {
                        properties.metadata.remove(name);
                    }
                }
            }
        }
        Some(_) => return Err(Failure::invalid("Invalid value for: metadata")),
    }
    match document.get("acl") {
        None => {}
        Some(Value::Array(grants)) => {
            properties.grants = grants.iter().filter_map(grant).collect();
        }
        Some(_) => properties.grants.clear(),
    }
    Ok(())
}

/// The values that are as good as none.
fn is_usual(name: &str, value: &str) -> bool {
    matches!((name, value), ("storageClass", "STANDARD") | ("contentEncoding", "identity" | ""))
}

fn text(name: &str, value: &Value) -> Result<Option<String>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(truth) => Ok(Some(truth.to_string())),
        Value::Array(_) | Value::Object(_) => Err(Failure::invalid(format!("Invalid value for: {name}"))),
    }
}

/// Whom a document grants what. The project's owners have all in any case.
pub fn grant(document: &Value) -> Option<(String, String)> {
    let (entity, role) = (document.get("entity")?.as_str()?, document.get("role")?.as_str()?);
    (!entity.starts_with("project-")).then(|| (entity.to_owned(), role.to_owned()))
}

/// What a predefined list grants ("Predefined ACLs"); `None` where there is none of this name.
pub fn predefined(name: &str) -> Option<BTreeMap<String, String>> {
    let one = |entity: &str| BTreeMap::from([(entity.to_owned(), "READER".to_owned())]);
    Some(match name {
        "publicRead" | "public-read" | "publicReadWrite" | "public-read-write" => one("allUsers"),
        "authenticatedRead" | "authenticated-read" => one("allAuthenticatedUsers"),
        "private" | "projectPrivate" | "project-private" | "bucketOwnerFullControl" | "bucketOwnerRead" => BTreeMap::new(),
        _ => return None,
    })
}

/// What a document says that the bytes will be.
pub fn expected(document: &Map<String, Value>, also: Expected) -> Result<Expected, Failure> {
    let said = |name: &str| document.get(name).and_then(Value::as_str);
    Ok(Expected {
        md5: said("md5Hash").map(md5).transpose()?.or(also.md5),
        crc32c: said("crc32c").map(crc32c).transpose()?.or(also.crc32c),
    })
}

/// What headers say of a new object, as the XML API has them.
pub fn of_headers(headers: &HeaderMap) -> Properties {
    let get = |name: &str| header(headers, name).map(str::to_owned);
    let own = |name: &http::HeaderName| name.as_str().strip_prefix("x-goog-meta-").map(str::to_owned);
    Properties {
        headers: Headers {
            content_type: get("content-type"),
            cache_control: get("cache-control"),
            content_disposition: get("content-disposition"),
            content_encoding: get("content-encoding").filter(|encoding| encoding != "identity"),
            content_language: get("content-language"),
            storage_class: get("x-goog-storage-class").filter(|class| class != "STANDARD"),
            custom_time: get("x-goog-custom-time"),
            ..Headers::default()
        },
        metadata: headers.iter().filter_map(|(name, value)| Some((own(name)?, value.to_str().ok()?.to_owned()))).collect(),
        grants: header(headers, "x-goog-acl").and_then(predefined).unwrap_or_default(),
        ..Properties::default()
    }
}

/// The download tokens of a file.
pub fn tokens(properties: &Properties) -> Vec<String> {
    let text = properties.metadata.get(TOKENS).map(String::as_str).unwrap_or_default();
    text.split(',').filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

pub fn set_tokens(properties: &mut Properties, tokens: &[String]) {
    properties.metadata.insert(TOKENS.to_owned(), tokens.join(","));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_document_does_not_name_stays_and_null_takes_away() {
        let map = |value: Value| value.as_object().cloned().expect("a map");
        let first = map(json!({ "contentType": "text/plain", "cacheControl": "no-store", "metadata": { "a": "1", "b": "2" } }));
        let mut properties = properties(&first).expect("understood");
        let second =
            map(json!({ "contentType": null, "contentLanguage": "de", "contentEncoding": "identity", "metadata": { "a": null, "c": 3 } }));
        change(&mut properties, &second).expect("understood");
        assert_eq!(properties.headers.content_type, None);
        assert_eq!(properties.headers.cache_control.as_deref(), Some("no-store"));
        assert_eq!(properties.headers.content_language.as_deref(), Some("de"));
        assert_eq!(properties.headers.content_encoding, None);
        assert_eq!(properties.metadata, BTreeMap::from([("b".to_owned(), "2".to_owned()), ("c".to_owned(), "3".to_owned())]));
        change(&mut properties, &map(json!({ "metadata": null }))).expect("understood");
        assert!(properties.metadata.is_empty());
        assert!(change(&mut properties, &map(json!({ "metadata": { "a": {} } }))).is_err());
        assert!(change(&mut properties, &map(json!({ "contentType": [] }))).is_err());
    }
}

//! Objects as the JSON API and Firebase's endpoint show them, and as headers beside their bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::base::Time;
use crate::services::objects::{Bucket, Object, Snapshot};
use crate::wire::firebase::PROJECT_NUMBER;

/// Custom metadata in which Firebase keeps a file's download tokens.
pub const TOKENS: &str = "firebaseStorageDownloadTokens";

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as a segment of a path.
pub fn escaped(name: &str) -> String {
    utf8_percent_encode(name, UNRESERVED).to_string()
}

/// The tag of a version: its two numbers, as the service writes them.
pub fn etag(generation: i64, metageneration: i64) -> String {
    let mut bytes = Vec::new();
    for (field, number) in [(1u8, generation), (2, metageneration)] {
        bytes.push(field << 3);
        let mut number = number as u64;
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    STANDARD.encode(bytes)
}

/// The MD5 of an object; none where it was made of parts.
pub fn md5(hexadecimal: Option<&String>) -> Option<String> {
    hexadecimal.and_then(|text| hex::decode(text).ok()).map(|bytes| STANDARD.encode(bytes))
}

pub fn crc32c(number: u32) -> String {
    STANDARD.encode(number.to_be_bytes())
}

fn map(fields: Vec<(&str, Option<Value>)>) -> Value {
    Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

fn text(value: &Option<String>) -> Option<Value> {
    value.as_ref().map(|value| json!(value))
}

/// An object of the JSON API; links lead to `origin`.
pub fn object_json(object: &Snapshot, bucket: &str, origin: &str) -> Value {
    let headers = &object.properties.headers;
    let (key, generation) = (escaped(&object.key), object.generation.to_string());
    let bucket_escaped = escaped(bucket);
    let metadata: Map<String, Value> = object.properties.metadata.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    map(vec![
        ("kind", Some(json!("storage#object"))),
        ("id", Some(json!(format!("{bucket}/{}/{generation}", object.key)))),
        ("selfLink", Some(json!(format!("{origin}/storage/v1/b/{bucket_escaped}/o/{key}")))),
        ("mediaLink", Some(json!(format!("{origin}/download/storage/v1/b/{bucket_escaped}/o/{key}?generation={generation}&alt=media")))),
        ("name", Some(json!(object.key))),
        ("bucket", Some(json!(bucket))),
        ("generation", Some(json!(generation))),
        ("metageneration", Some(json!(object.metageneration.to_string()))),
        ("contentType", text(&headers.content_type)),
        ("storageClass", Some(json!(headers.storage_class.as_deref().unwrap_or("STANDARD")))),
        ("size", Some(json!(object.size.to_string()))),
        ("md5Hash", md5(object.md5.as_ref()).map(|md5| json!(md5))),
        ("contentEncoding", text(&headers.content_encoding)),
        ("contentDisposition", text(&headers.content_disposition)),
        ("contentLanguage", text(&headers.content_language)),
        ("cacheControl", text(&headers.cache_control)),
        ("crc32c", Some(json!(crc32c(object.crc32c)))),
        ("componentCount", Some(object.parts).filter(|parts| *parts > 0).map(|parts| json!(parts))),
        ("etag", Some(json!(etag(object.generation, object.metageneration)))),
        ("customTime", text(&headers.custom_time)),
        ("timeCreated", Some(json!(object.created.iso()))),
        ("updated", Some(json!(object.updated.iso()))),
        ("timeStorageClassUpdated", Some(json!(object.created.iso()))),
        ("timeFinalized", Some(json!(object.created.iso()))),
        ("metadata", Some(Value::Object(metadata)).filter(|metadata| metadata.as_object().is_some_and(|map| !map.is_empty()))),
    ])
}

/// Who may do what with an object: the project's owners, and those to whom it was granted.
pub fn object_grants(object: &Object, origin: &str) -> Vec<Value> {
    let owner = format!("project-owners-{PROJECT_NUMBER}");
    let all = std::iter::once((&owner, "OWNER")).chain(object.properties.grants.iter().map(|(entity, role)| (entity, role.as_str())));
    all.map(|(entity, role)| object_grant(object, entity, role, origin)).collect()
}

pub fn object_grant(object: &Object, entity: &str, role: &str, origin: &str) -> Value {
    let (bucket, key, generation) = (&object.bucket, &object.key, object.generation);
    json!({
        "kind": "storage#objectAccessControl",
        "object": key,
        "generation": generation.to_string(),
        "id": format!("{bucket}/{key}/{generation}/{entity}"),
        "selfLink": format!("{origin}/storage/v1/b/{}/o/{}/acl/{}", escaped(bucket), escaped(key), escaped(entity)),
        "bucket": bucket,
        "entity": entity,
        "role": role,
        "etag": etag(generation, object.metageneration),
    })
}

/// A file as Firebase's endpoint shows it.
pub fn firebase_json(object: &Object) -> Value {
    let headers = &object.properties.headers;
    let mut metadata: Map<String, Value> = object.properties.metadata.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let tokens = metadata.remove(TOKENS);
    map(vec![
        ("name", Some(json!(object.key))),
        ("bucket", Some(json!(object.bucket))),
        ("generation", Some(json!(object.generation.to_string()))),
        ("metageneration", Some(json!(object.metageneration.to_string()))),
        ("contentType", Some(json!(headers.content_type.as_deref().unwrap_or("application/octet-stream")))),
        ("timeCreated", Some(json!(object.created.iso()))),
        ("updated", Some(json!(object.updated.iso()))),
        ("storageClass", Some(json!(headers.storage_class.as_deref().unwrap_or("STANDARD")))),
        ("size", Some(json!(object.size.to_string()))),
        ("md5Hash", object.md5.as_ref().map(|md5| json!(STANDARD.encode(md5)))),
        ("crc32c", Some(json!(crc32c(object.crc32c)))),
        ("etag", Some(json!(etag(object.generation, object.metageneration)))),
        ("downloadTokens", tokens),
        ("contentEncoding", Some(json!(headers.content_encoding.as_deref().unwrap_or("identity")))),
        ("contentDisposition", Some(json!(disposition(object)))),
        ("contentLanguage", text(&headers.content_language)),
        ("cacheControl", text(&headers.cache_control)),
        ("metadata", Some(Value::Object(metadata)).filter(|metadata| metadata.as_object().is_some_and(|map| !map.is_empty()))),
    ])
}

/// How a browser is to save a file: as was said when it was stored, else under the last part of its name.
pub fn disposition(object: &Object) -> String {
    let name = object.key.rsplit('/').next().unwrap_or_default();
    object.properties.headers.content_disposition.clone().unwrap_or_else(|| format!("inline; filename*=utf-8''{}", escaped(name)))
}

/// A bucket of the JSON API, with what was set on it.
pub fn bucket_json(bucket: &Bucket, kept: &Map<String, Value>, updated: Time, metageneration: i64, origin: &str) -> Value {
    let name = &bucket.name;
    let mut all = json!({
        "kind": "storage#bucket",
        "id": name,
        "selfLink": format!("{origin}/storage/v1/b/{}", escaped(name)),
        "projectNumber": PROJECT_NUMBER,
        "name": name,
        "timeCreated": bucket.created.iso(),
        "updated": updated.iso(),
        "metageneration": metageneration.to_string(),
        "location": "US",
        "locationType": "multi-region",
        "storageClass": "STANDARD",
        "etag": etag(0, metageneration),
        "iamConfiguration": {
            "bucketPolicyOnly": { "enabled": false },
            "uniformBucketLevelAccess": { "enabled": false },
            "publicAccessPrevention": "inherited",
        },
    });
    if let Some(into) = all.as_object_mut() {
        into.extend(kept.iter().map(|(name, value)| (name.clone(), value.clone())));
        if bucket.versioning != crate::services::objects::Versioning::Off {
            let is_on = bucket.versioning == crate::services::objects::Versioning::On;
            into.insert("versioning".to_owned(), json!({ "enabled": is_on }));
        }
    }
    all
}

/// What the headers beside an object's bytes say of it.
pub fn describe(object: &Object, into: &mut HeaderMap) {
    let headers = &object.properties.headers;
    let mut set = |name: &str, value: Option<&str>| {
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value.and_then(|value| HeaderValue::from_str(value).ok())) {
            into.insert(name, value);
        }
    };
    set("content-type", Some(headers.content_type.as_deref().unwrap_or("application/octet-stream")));
    set("cache-control", headers.cache_control.as_deref());
    set("content-disposition", headers.content_disposition.as_deref());
    set("content-encoding", headers.content_encoding.as_deref());
    set("content-language", headers.content_language.as_deref());
    set("etag", Some(&etag(object.generation, object.metageneration)));
    set("last-modified", Some(&httpdate::fmt_http_date(object.created.utc().into())));
    set("accept-ranges", Some("bytes"));
    set("x-goog-generation", Some(&object.generation.to_string()));
    set("x-goog-metageneration", Some(&object.metageneration.to_string()));
    set("x-goog-stored-content-encoding", Some(headers.content_encoding.as_deref().unwrap_or("identity")));
    set("x-goog-stored-content-length", Some(&object.size.to_string()));
    set("x-goog-storage-class", Some(headers.storage_class.as_deref().unwrap_or("STANDARD")));
    let md5 = object.md5.as_ref().map(|md5| format!(",md5={}", STANDARD.encode(md5))).unwrap_or_default();
    set("x-goog-hash", Some(&format!("crc32c={}{md5}", crc32c(object.crc32c))));
    for (name, value) in &object.properties.metadata {
        set(&format!("x-goog-meta-{}", name.to_ascii_lowercase()), Some(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_both_numbers() {
        assert_eq!(etag(1, 1), "CAEQAQ==");
        assert_eq!(etag(300, 2), "CKwCEAI=");
    }
}

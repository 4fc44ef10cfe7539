//! Operations that list, and the deletion of a list.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as TOKEN;
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::actions::{Actions, Answer, Asked};
use super::decode::Payload;
use super::encode::{self, checksum_type, timestamp};
use super::fail::{Failure, label};
use super::object::which;
use crate::services::objects::{self, Condition, Deletion, List, VersionList, Versioning};

/// Entries of one answer.
const ENTRIES_MAX: i32 = 1_000;

/// How many entries to answer.
pub fn entries(asked: Option<i32>, name: &str) -> Result<usize, Failure> {
    let asked = asked.unwrap_or(ENTRIES_MAX);
    if asked < 0 {
        return Err(Failure::invalid_argument(format!("Argument {name} must be an integer between 0 and 2147483647"), name, asked));
    }
    Ok(asked.min(ENTRIES_MAX) as usize)
}

const URL_KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');

/// How keys are written: as they are, or as in a form where the sender asks for it (XML cannot hold all of them).
pub struct Keys(bool);

impl Keys {
    pub fn new(encoding: Option<&EncodingType>) -> Result<Keys, Failure> {
        match encoding.map(EncodingType::as_str) {
            None | Some("") => Ok(Keys(false)),
            Some("url") => Ok(Keys(true)),
            Some(other) => Err(Failure::invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", other)),
        }
    }

    pub fn write(&self, key: &str) -> String {
        if self.0 { utf8_percent_encode(key, URL_KEPT).to_string().replace(' ', "+") } else { key.to_owned() }
    }

    pub fn prefixes(&self, prefixes: &[String]) -> Option<CommonPrefixList> {
        let list: Vec<CommonPrefix> = prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.write(prefix)) }).collect();
        Some(list).filter(|list| !list.is_empty())
    }
}

pub fn etag(etag: &str) -> ETag {
    ETag::Strong(etag.to_owned())
}

pub async fn list_buckets(actions: &Actions, asked: &Asked, request: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
    let input = request.input;
    let max = match input.max_buckets {
        Some(max) if !(1..=10_000).contains(&max) => {
            return Err(Failure::invalid_argument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", max));
        }
        max => max.unwrap_or(10_000) as usize,
    };
    let after = input.continuation_token.as_deref().map(read_token).transpose()?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let wanted = |bucket: &objects::Bucket| {
        bucket.name.starts_with(&prefix)
            && after.as_ref().is_none_or(|after| bucket.name > *after)
            && input.bucket_region.as_ref().is_none_or(|region| *region == bucket.region)
    };
    let mut buckets: Vec<objects::Bucket> = actions.objects.buckets(&asked.call).await?.into_iter().filter(wanted).collect();
    let more = buckets.len() > max;
    buckets.truncate(max);
    let next = buckets.last().filter(|_| more).map(|bucket| write_token(&bucket.name));
    let list = buckets
        .into_iter()
        .map(|bucket| Bucket { creation_date: Some(timestamp(bucket.created)), name: Some(bucket.name), ..Default::default() })
        .collect();
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(list),
        continuation_token: next,
        owner: Some(actions.owner()),
        prefix: input.prefix,
    }))
}

fn write_token(text: &str) -> String {
    // The first character keeps a token from ever being empty.
    TOKEN.encode(format!("1{text}"))
}

fn read_token(token: &str) -> Result<String, Failure> {
    let text = TOKEN.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.strip_prefix('1').map(str::to_owned))
        .ok_or_else(|| Failure::invalid_argument("The continuation token provided is incorrect", "continuation-token", token))
}

fn entry(object: &objects::Object, keys: &Keys, owner: Option<Owner>) -> Object {
    Object {
        checksum_algorithm: object.checksum.as_ref().map(|checksum| vec![ChecksumAlgorithm::from(label(checksum.algorithm).to_owned())]),
        checksum_type: object.checksum.as_ref().map(|checksum| checksum_type(checksum.of_parts.is_some())),
        e_tag: Some(etag(&object.etag)),
        key: Some(keys.write(&object.key)),
        last_modified: Some(timestamp(object.created)),
        owner,
        size: Some(object.size as i64),
        storage_class: Some(ObjectStorageClass::from(
            object.properties.headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()),
        )),
        ..Default::default()
    }
}

pub async fn list_objects(actions: &Actions, asked: &Asked, request: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
    let input = request.input;
    let keys = Keys::new(input.encoding_type.as_ref())?;
    let max = entries(input.max_keys, "max-keys")?;
    let list = List {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone().filter(|marker| !marker.is_empty()),
        max,
        ..List::default()
    };
    let page = actions.objects.list(&asked.call, &list).await?;
    let delimited = input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty());
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(keys.write(&list.prefix)),
        marker: Some(keys.write(&input.marker.unwrap_or_default())),
        max_keys: Some(max as i32),
        is_truncated: Some(page.next.is_some()),
        contents: Some(page.objects.iter().map(|object| entry(object, &keys, Some(actions.owner()))).collect()),
        common_prefixes: keys.prefixes(&page.prefixes),
        delimiter: input.delimiter.filter(|delimiter| !delimiter.is_empty()).map(|delimiter| keys.write(&delimiter)),
        next_marker: page.next.filter(|_| delimited).map(|next| keys.write(&next)),
        encoding_type: input.encoding_type,
        ..Default::default()
    }))
}

pub async fn list_objects_v2(actions: &Actions, asked: &Asked, request: S3Request<ListObjectsV2Input>) -> Answer<ListObjectsV2Output> {
    let input = request.input;
    let keys = Keys::new(input.encoding_type.as_ref())?;
    let max = entries(input.max_keys, "max-keys")?;
    let after = match &input.continuation_token {
        Some(token) => Some(read_token(token)?),
        None => input.start_after.clone().filter(|after| !after.is_empty()),
    };
    let list = List {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after,
        max,
        ..List::default()
    };
    let page = actions.objects.list(&asked.call, &list).await?;
    let owner = || Some(actions.owner()).filter(|_| input.fetch_owner == Some(true));
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(keys.write(&list.prefix)),
        max_keys: Some(max as i32),
        key_count: Some((page.objects.len() + page.prefixes.len()) as i32),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_deref().map(write_token),
        contents: Some(page.objects.iter().map(|object| entry(object, &keys, owner())).collect::<Vec<_>>()).filter(|list| !list.is_empty()),
        common_prefixes: keys.prefixes(&page.prefixes),
        delimiter: input.delimiter.filter(|delimiter| !delimiter.is_empty()).map(|delimiter| keys.write(&delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(|after| keys.write(&after)),
        ..Default::default()
    }))
}

pub async fn list_object_versions(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<ListObjectVersionsInput>,
) -> Answer<ListObjectVersionsOutput> {
    let input = request.input;
    let keys = Keys::new(input.encoding_type.as_ref())?;
    let max = entries(input.max_keys, "max-keys")?;
    let key_marker = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let version_marker = input.version_id_marker.clone().filter(|marker| !marker.is_empty());
    if version_marker.is_some() && key_marker.is_none() {
        return Err(Failure::invalid_argument("A version-id marker cannot be specified without a key marker.", "version-id-marker", ""));
    }
    let list = List {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: key_marker,
        max,
        ..List::default()
    };
    let list = VersionList { list, after_version: version_marker };
    let page = actions.objects.list_versions(&asked.call, &list).await?;
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for (object, newest) in &page.versions {
        let version = object.version.clone().or_else(|| Some("null".to_owned()));
        if object.marker {
            markers.push(DeleteMarkerEntry {
                is_latest: Some(*newest),
                key: Some(keys.write(&object.key)),
                last_modified: Some(timestamp(object.created)),
                owner: Some(actions.owner()),
                version_id: version,
            });
            continue;
        }
        let entry = entry(object, &keys, Some(actions.owner()));
        versions.push(ObjectVersion {
            checksum_algorithm: entry.checksum_algorithm,
            checksum_type: entry.checksum_type,
            e_tag: entry.e_tag,
            is_latest: Some(*newest),
            key: entry.key,
            last_modified: entry.last_modified,
            owner: entry.owner,
            size: entry.size,
            storage_class: entry.storage_class.map(|class| ObjectVersionStorageClass::from(class.as_str().to_owned())),
            version_id: version,
            ..Default::default()
        });
    }
    let (next_key, next_version) = page.next.map_or((None, None), |(key, version)| (Some(keys.write(&key)), version));
    Ok(S3Response::new(ListObjectVersionsOutput {
        common_prefixes: keys.prefixes(&page.prefixes),
        delete_markers: Some(markers).filter(|list| !list.is_empty()),
        delimiter: input.delimiter.filter(|delimiter| !delimiter.is_empty()).map(|delimiter| keys.write(&delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(next_key.is_some()),
        key_marker: Some(keys.write(&input.key_marker.unwrap_or_default())),
        max_keys: Some(max as i32),
        name: Some(input.bucket),
        next_key_marker: next_key,
        next_version_id_marker: next_version,
        prefix: Some(keys.write(&list.list.prefix)),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        versions: Some(versions).filter(|list| !list.is_empty()),
        ..Default::default()
    }))
}

/// A list of deletions must come with a digest of itself.
pub fn require_digest(headers: &HeaderMap, payload: &Payload) -> Result<(), Failure> {
    let digest = headers.contains_key("content-md5") || payload.trailing.is_some() || super::decode::checksum_in(headers)?.is_some();
    if digest { Ok(()) } else { Err(Failure::invalid_request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")) }
}

pub async fn delete_objects(actions: &Actions, asked: &Asked, request: S3Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
    let input = request.input;
    let named = input.delete.objects;
    if named.is_empty() || named.len() > ENTRIES_MAX as usize {
        return Err(Failure::malformed_xml());
    }
    let versions: Vec<Option<String>> = named.iter().map(|object| object.version_id.clone()).collect();
    let names: Vec<String> = named.iter().map(|object| object.key.clone()).collect();
    let deletions = named
        .into_iter()
        .map(|object| Deletion {
            which: which(object.version_id.as_deref()),
            condition: object.e_tag.map_or(Condition::Always, |etag| Condition::Tag(etag.into_value())),
            key: object.key,
        })
        .collect();
    let results = actions.objects.delete(&asked.call, &input.bucket, deletions).await?;
    let quiet = input.delete.quiet == Some(true);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for ((result, version), name) in results.into_iter().zip(versions).zip(names) {
        match result {
            Ok(_) if quiet => {}
            Ok(removed) => {
                let made = removed.marker && version.is_none();
                let shown = encode::version(removed.version.as_deref(), if removed.marker { removed.versioning } else { Versioning::Off });
                deleted.push(DeletedObject {
                    delete_marker: removed.marker.then_some(true),
                    delete_marker_version_id: if removed.marker { shown } else { None },
                    key: Some(removed.key),
                    version_id: version.filter(|_| !made),
                });
            }
            Err(error) => {
                let failure = super::fail::fail(&error);
                errors.push(Error { code: Some(failure.code), key: Some(name), message: Some(failure.message), version_id: version });
            }
        }
    }
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: Some(deleted).filter(|list| !list.is_empty()),
        errors: Some(errors).filter(|list| !list.is_empty()),
        ..Default::default()
    }))
}

/// An entity tag without its quotes.
pub fn bare(tag: &str) -> String {
    ETag::from_str(tag).map_or_else(|_| tag.trim_matches('"').to_owned(), ETag::into_value)
}

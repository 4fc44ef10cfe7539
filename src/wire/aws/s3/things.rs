//! Operations on one bucket or one object.

use http::{HeaderValue, StatusCode};
use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::S3;
use super::actions::{Actions, Answer, Asked};
use super::decode;
use super::encode::{self, checksums, timestamp};
use super::fail::{Failure, fail};
use super::lists::etag;
use crate::base::{Call, Time};
use crate::services::objects::{
    self, Algorithm, Claim, Claims, Condition, Content, Copy, Deletion, Get, Headers, How, Match, Name, NewBucket, Properties, Put, Tags,
    Versioning, Wanted, Which,
};
use crate::wire::http::Response;

/// The version that a request names.
pub fn which(version: Option<&str>) -> Which {
    match version {
        None => Which::Latest,
        Some("null") => Which::Unversioned,
        Some(version) => Which::Version(version.to_owned()),
    }
}

pub async fn create_bucket(actions: &Actions, asked: &Asked, request: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
    let input = request.input;
    let constraint = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    let region = constraint.map_or_else(|| actions.account.region.to_string(), |constraint| constraint.as_str().to_owned());
    let name = input.bucket;
    let new = NewBucket { name: name.clone(), region };
    match actions.objects.create_bucket(&asked.call, new).await {
        // Where it all began, making one's own bucket again is no failure ("CreateBucket", errors).
        Err(objects::Error::BucketExists(_)) if actions.account.region.as_ref() == "us-east-1" => {}
        result => {
            result?;
        }
    }
    if input.object_lock_enabled_for_bucket == Some(true) {
        actions.objects.set_versioning(&asked.call, &name, true).await?;
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{name}")) }))
}

pub async fn head_bucket(actions: &Actions, asked: &Asked, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
    let bucket = actions.objects.bucket(&asked.call, &request.input.bucket).await?;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(bucket.region), access_point_alias: Some(false), ..Default::default() }))
}

pub async fn delete_bucket(actions: &Actions, asked: &Asked, request: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
    actions.objects.delete_bucket(&asked.call, &request.input.bucket).await?;
    Ok(S3Response::with_status(DeleteBucketOutput::default(), StatusCode::NO_CONTENT))
}

pub async fn get_bucket_location(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<GetBucketLocationInput>,
) -> Answer<GetBucketLocationOutput> {
    let bucket = actions.objects.bucket(&asked.call, &request.input.bucket).await?;
    let location_constraint = Some(bucket.region).filter(|region| region != "us-east-1").map(BucketLocationConstraint::from);
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

pub async fn get_bucket_versioning(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<GetBucketVersioningInput>,
) -> Answer<GetBucketVersioningOutput> {
    let bucket = actions.objects.bucket(&asked.call, &request.input.bucket).await?;
    let status = match bucket.versioning {
        Versioning::Off => None,
        Versioning::On => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED)),
        Versioning::Suspended => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED)),
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
}

pub async fn put_bucket_versioning(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<PutBucketVersioningInput>,
) -> Answer<PutBucketVersioningOutput> {
    let input = request.input;
    let keep = match input.versioning_configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => true,
        Some("Suspended") => false,
        Some(_) => return Err(Failure::malformed_xml()),
        None => {
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                "IllegalVersioningConfigurationException",
                "The Versioning element must be specified",
            ));
        }
    };
    actions.objects.set_versioning(&asked.call, &input.bucket, keep).await?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

/// Whether a bucket's policy lets anyone in: none does here, as none is enforced.
pub async fn policy_status(s3: &S3, call: &Call, bucket: &str) -> Result<Response, Failure> {
    match s3.objects.document(call, bucket, "policy").await.map_err(|error| fail(&error))? {
        Some(_) => Ok(encode::xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PolicyStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsPublic>FALSE</IsPublic></PolicyStatus>".to_owned())),
        None => Err(Failure::new(StatusCode::NOT_FOUND, "NoSuchBucketPolicy", "The bucket policy does not exist").detail("BucketName", bucket)),
    }
}

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

fn time(timestamp: Option<&Timestamp>) -> Option<Time> {
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
        }
    }
}

/// What a sender says of a body, from the request's headers.
pub fn claims(
    asked: &Asked,
    headers: &http::HeaderMap,
    algorithm: Option<&ChecksumAlgorithm>,
    md5: Option<&str>,
) -> Result<Claims, Failure> {
    let payload = &asked.payload;
    let named = algorithm.map(named_algorithm).transpose()?;
    let (algorithm, checksum) = match (payload.trailing, decode::checksum_in(headers)?) {
        (Some(algorithm), _) => {
            let trailers = payload.trailers.clone();
            // What cannot be read matches nothing.
            let ask =
                move || trailers.get(&decode::header_of(algorithm)).map(|text| decode::checksum(algorithm, &text).unwrap_or_default());
            (Some(algorithm), Claim::Later(Box::new(ask)))
        }
        (None, Some((algorithm, value))) => (Some(algorithm), Claim::Given(value)),
        (None, None) => (named, Claim::None),
    };
    Ok(Claims {
        length: payload.length,
        md5: md5.map(decode::content_md5).transpose()?,
        payload_sha256: payload.sha256.clone(),
        algorithm,
        checksum,
    })
}

/// The algorithm that a header or document names.
pub fn named_algorithm(name: &ChecksumAlgorithm) -> Result<Algorithm, Failure> {
    decode::algorithm(name.as_str()).ok_or_else(|| {
        Failure::invalid_request("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    })
}

/// Tags as a header has them: like a query.
pub fn tags_of_header(text: Option<&str>) -> Result<Tags, Failure> {
    let mut tags = Tags::new();
    for (name, value) in url::form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
        if tags.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                "InvalidArgument",
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
            ));
        }
    }
    Ok(tags)
}

/// The parts of inputs that describe an object; they have the same names everywhere.
macro_rules! properties {
    ($input:expr, $asked:expr, $tags:expr) => {
        $crate::services::objects::Properties {
            headers: $crate::services::objects::Headers {
                content_type: $input.content_type.clone(),
                cache_control: $input.cache_control.clone(),
                content_disposition: $input.content_disposition.clone(),
                content_encoding: $input.content_encoding.clone(),
                content_language: $input.content_language.clone(),
                expires: $asked.expires.clone(),
                redirect: $input.website_redirect_location.clone(),
                storage_class: $input.storage_class.as_ref().map(|class| class.as_str().to_owned()).filter(|class| class != "STANDARD"),
                encryption: $input.server_side_encryption.as_ref().map(|kind| kind.as_str().to_owned()),
                encryption_key: $input.ssekms_key_id.clone(),
            },
            metadata: $input.metadata.clone().unwrap_or_default().into_iter().collect(),
            tags: $tags,
        }
    };
}
pub(super) use properties;

/// The encryption to show: every object is said to be encrypted ("Setting default server-side encryption behavior").
pub fn encryption(headers: &Headers) -> Option<ServerSideEncryption> {
    Some(ServerSideEncryption::from(headers.encryption.clone().unwrap_or_else(|| "AES256".to_owned())))
}

pub async fn put_object(actions: &Actions, asked: &Asked, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
    let input = request.input;
    let condition = condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let claims = claims(asked, &request.headers, input.checksum_algorithm.as_ref(), input.content_md5.as_deref())?;
    let properties = properties!(input, asked, tags_of_header(input.tagging.as_deref())?);
    let body = input.body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    let put = Put {
        bucket: input.bucket,
        key: input.key,
        how: How::Put,
        properties,
        condition,
        content: Content { stream: Box::pin(body), claims },
    };
    let stored = actions.objects.put(&asked.call, put).await?;
    let object = stored.object;
    let sums = checksums(object.checksum.as_ref());
    Ok(S3Response::new(PutObjectOutput {
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        checksum_type: sums.kind,
        e_tag: Some(etag(&object.etag)),
        server_side_encryption: encryption(&object.properties.headers),
        ssekms_key_id: object.properties.headers.encryption_key.clone(),
        version_id: encode::version(object.version.as_deref(), stored.versioning),
        ..Default::default()
    }))
}

/// Which bytes a reader asks for.
fn range(range: Option<Range>, part: Option<i32>) -> Result<objects::Range, Failure> {
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

/// The same answer for `GetObject` and `HeadObject`, but for the bytes.
macro_rules! described {
    ($output:ident, $found:expr, $with_checksum:expr) => {{
        let found: &objects::Found = &$found;
        let object = &found.object;
        let headers = &object.properties.headers;
        // The checksum of the whole says nothing of a range.
        let shown = object.checksum.as_ref().filter(|_| $with_checksum && !(found.partial && found.length != object.size));
        let sums = checksums(shown);
        let end = (found.start + found.length).saturating_sub(1);
        $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: headers.cache_control.clone(),
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_crc64nvme: sums.crc64nvme,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            checksum_type: sums.kind,
            content_disposition: headers.content_disposition.clone(),
            content_encoding: headers.content_encoding.clone(),
            content_language: headers.content_language.clone(),
            content_length: Some(found.length as i64),
            content_range: (found.partial && object.size > 0).then(|| format!("bytes {}-{end}/{}", found.start, object.size)),
            content_type: Some(headers.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())),
            e_tag: Some(etag(&object.etag)),
            last_modified: Some(timestamp(object.created)),
            metadata: Some(object.properties.metadata.clone().into_iter().collect::<Metadata>()).filter(|metadata| !metadata.is_empty()),
            server_side_encryption: encryption(headers),
            ssekms_key_id: headers.encryption_key.clone(),
            storage_class: headers.storage_class.clone().map(StorageClass::from),
            version_id: encode::version(object.version.as_deref(), found.versioning),
            website_redirect_location: headers.redirect.clone(),
            ..Default::default()
        }
    }};
}

fn with_expires<T>(mut response: S3Response<T>, expires: Option<&str>) -> S3Response<T> {
    if let Some(expires) = expires.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers.insert("expires", expires);
    }
    response
}

pub async fn get_object(actions: &Actions, asked: &Asked, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
    let input = request.input;
    let wanted = Conditions {
        matches: input.if_match.as_ref(),
        differs: input.if_none_match.as_ref(),
        modified_since: input.if_modified_since.as_ref(),
        unmodified_since: input.if_unmodified_since.as_ref(),
    }
    .wanted();
    let part = input.part_number;
    let get = Get {
        name: Name { which: which(input.version_id.as_deref()), bucket: input.bucket, key: input.key },
        range: range(input.range, part)?,
        wanted,
    };
    let (found, stream) = actions.objects.get(&asked.call, &get).await?;
    let with_checksum = input.checksum_mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    let mut output: GetObjectOutput = described!(GetObjectOutput, found, with_checksum);
    output.tag_count = Some(found.object.properties.tags.len() as i32).filter(|count| *count > 0);
    output.parts_count = part.and_then(|_| Some(found.object.parts.len() as i32).filter(|count| *count > 0));
    let body = crate::wire::http::Body::stream(stream, Some(found.length));
    output.body = Some(StreamingBlob::from(s3s::Body::http_body_unsync(body)));
    let expires = if input.response_expires.is_some() { None } else { found.object.properties.headers.expires.as_deref() };
    Ok(with_expires(S3Response::new(output), expires))
}

pub async fn head_object(actions: &Actions, asked: &Asked, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
    let input = request.input;
    let wanted = Conditions {
        matches: input.if_match.as_ref(),
        differs: input.if_none_match.as_ref(),
        modified_since: input.if_modified_since.as_ref(),
        unmodified_since: input.if_unmodified_since.as_ref(),
    }
    .wanted();
    let part = input.part_number;
    let get = Get {
        name: Name { which: which(input.version_id.as_deref()), bucket: input.bucket, key: input.key },
        range: range(input.range, part)?,
        wanted,
    };
    let found = actions.objects.head(&asked.call, &get).await?;
    let with_checksum = input.checksum_mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    let mut output: HeadObjectOutput = described!(HeadObjectOutput, found, with_checksum);
    output.parts_count = part.and_then(|_| Some(found.object.parts.len() as i32).filter(|count| *count > 0));
    let status = if output.content_range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = S3Response::with_status(output, status);
    let tags = found.object.properties.tags.len();
    if tags > 0 {
        response.headers.insert("x-amz-tagging-count", HeaderValue::from(tags));
    }
    Ok(with_expires(response, found.object.properties.headers.expires.as_deref()))
}

/// The source of a copy.
pub fn source(source: &CopySource) -> Result<Name, Failure> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            Ok(Name { bucket: bucket.to_string(), key: key.to_string(), which: which(version_id.as_deref()) })
        }
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => Err(Failure::not_implemented("x-amz-copy-source")),
    }
}

pub async fn copy_object(actions: &Actions, asked: &Asked, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
    let input = request.input;
    let wanted = Conditions {
        matches: input.copy_source_if_match.as_ref(),
        differs: input.copy_source_if_none_match.as_ref(),
        modified_since: input.copy_source_if_modified_since.as_ref(),
        unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    }
    .wanted();
    let replace = |directive: Option<&str>, name: &str| match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(Failure::invalid_argument("Unknown metadata directive.", name, other)),
    };
    let new_metadata = replace(input.metadata_directive.as_ref().map(MetadataDirective::as_str), "x-amz-metadata-directive")?;
    let new_tags = replace(input.tagging_directive.as_ref().map(TaggingDirective::as_str), "x-amz-tagging-directive")?;
    let properties: Properties = properties!(input, asked, Tags::new());
    let changed = input.storage_class.is_some() || input.server_side_encryption.is_some() || input.website_redirect_location.is_some();
    let from = source(&input.copy_source)?;
    let headers_and_metadata = if new_metadata {
        Some(properties)
    } else if changed {
        // These three are the copy's own, whatever becomes of the rest.
        let get = Get { name: from.clone(), range: objects::Range::All, wanted: Wanted::default() };
        let mut kept = actions.objects.head(&asked.call, &get).await?.object.properties;
        kept.headers.storage_class = properties.headers.storage_class;
        kept.headers.encryption = properties.headers.encryption;
        kept.headers.encryption_key = properties.headers.encryption_key;
        kept.headers.redirect = properties.headers.redirect;
        Some(kept)
    } else {
        None
    };
    let copy = Copy {
        from,
        wanted,
        bucket: input.bucket,
        key: input.key,
        headers_and_metadata,
        tags: if new_tags { Some(tags_of_header(input.tagging.as_deref())?) } else { None },
        algorithm: input.checksum_algorithm.as_ref().map(named_algorithm).transpose()?,
        condition: condition_of_copy(&request.headers)?,
    };
    let (stored, source) = actions.objects.copy(&asked.call, copy).await?;
    let object = stored.object;
    let sums = checksums(object.checksum.as_ref());
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_crc64nvme: sums.crc64nvme,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            checksum_type: sums.kind,
            e_tag: Some(etag(&object.etag)),
            last_modified: Some(timestamp(object.created)),
        }),
        copy_source_version_id: source.version,
        server_side_encryption: encryption(&object.properties.headers),
        ssekms_key_id: object.properties.headers.encryption_key.clone(),
        version_id: encode::version(object.version.as_deref(), stored.versioning),
        ..Default::default()
    }))
}

/// The conditions on what a copy replaces, which `s3s` does not read.
fn condition_of_copy(headers: &http::HeaderMap) -> Result<Condition, Failure> {
    let read = |name: &str| {
        let value = crate::wire::http::header(headers, name)?;
        ETagCondition::parse_http_header(value.as_bytes()).ok()
    };
    condition(read("if-match").as_ref(), read("if-none-match").as_ref())
}

pub async fn delete_object(actions: &Actions, asked: &Asked, request: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
    let input = request.input;
    let condition = condition(input.if_match.as_ref(), None)?;
    let deletion = Deletion { which: which(input.version_id.as_deref()), key: input.key, condition };
    let removed = actions.objects.delete(&asked.call, &input.bucket, vec![deletion]).await?.pop().transpose()?;
    let output = removed.map_or_else(DeleteObjectOutput::default, |removed| DeleteObjectOutput {
        delete_marker: removed.marker.then_some(true),
        version_id: if removed.marker || input.version_id.is_some() {
            encode::version(removed.version.as_deref(), removed.versioning).or(input.version_id)
        } else {
            None
        },
        ..Default::default()
    });
    Ok(S3Response::with_status(output, StatusCode::NO_CONTENT))
}

pub async fn get_object_attributes(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<GetObjectAttributesInput>,
) -> Answer<GetObjectAttributesOutput> {
    let input = request.input;
    let name = Name { which: which(input.version_id.as_deref()), bucket: input.bucket, key: input.key };
    let get = Get { name, range: objects::Range::All, wanted: Wanted::default() };
    let found = actions.objects.head(&asked.call, &get).await?;
    let object = &found.object;
    // Some clients send them as one header with commas.
    let wants = |name: &str| input.object_attributes.iter().any(|attribute| attribute.as_str().split(',').any(|one| one.trim() == name));
    let sums = checksums(object.checksum.as_ref());
    let parts = (wants("ObjectParts") && !object.parts.is_empty()).then(|| {
        let after = input.part_number_marker.unwrap_or(0).max(0);
        let max = input.max_parts.unwrap_or(1_000).clamp(0, 1_000);
        let later: Vec<_> = object.parts.iter().filter(|part| i64::from(part.number) > i64::from(after)).collect();
        let page: Vec<_> = later.iter().take(max as usize).collect();
        let listed = page.iter().map(|part| {
            let sums = checksums(part.checksum.as_ref());
            ObjectPart {
                checksum_crc32: sums.crc32,
                checksum_crc32c: sums.crc32c,
                checksum_crc64nvme: sums.crc64nvme,
                checksum_sha1: sums.sha1,
                checksum_sha256: sums.sha256,
                part_number: Some(part.number as i32),
                size: Some(part.size as i64),
            }
        });
        // Parts are listed only where each has a checksum of its own.
        let own = object.parts.iter().any(|part| part.checksum.is_some());
        GetObjectAttributesParts {
            is_truncated: Some(later.len() > page.len()),
            max_parts: Some(max),
            next_part_number_marker: Some(page.last().map_or(0, |part| part.number as i32)),
            part_number_marker: Some(after),
            total_parts_count: Some(object.parts.len() as i32),
            parts: own.then(|| listed.collect()),
        }
    });
    Ok(S3Response::new(GetObjectAttributesOutput {
        checksum: wants("Checksum").then_some(Checksum {
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_crc64nvme: sums.crc64nvme,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            checksum_type: sums.kind,
        }),
        e_tag: wants("ETag").then(|| etag(&object.etag)),
        last_modified: Some(timestamp(object.created)),
        object_parts: parts,
        object_size: wants("ObjectSize").then_some(object.size as i64),
        storage_class: wants("StorageClass")
            .then(|| StorageClass::from(object.properties.headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()))),
        version_id: encode::version(object.version.as_deref(), found.versioning),
        ..Default::default()
    }))
}

pub async fn get_object_tagging(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<GetObjectTaggingInput>,
) -> Answer<GetObjectTaggingOutput> {
    let input = request.input;
    let name = Name { which: which(input.version_id.as_deref()), bucket: input.bucket, key: input.key };
    let found = actions.objects.head(&asked.call, &Get { name, range: objects::Range::All, wanted: Wanted::default() }).await?;
    let tags = found.object.properties.tags.iter();
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tags.map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect(),
        version_id: encode::version(found.object.version.as_deref(), found.versioning),
    }))
}

pub async fn put_object_tagging(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<PutObjectTaggingInput>,
) -> Answer<PutObjectTaggingOutput> {
    let input = request.input;
    let mut tags = Tags::new();
    for tag in input.tagging.tag_set {
        if tags.insert(tag.key.unwrap_or_default(), tag.value.unwrap_or_default()).is_some() {
            return Err(Failure::new(StatusCode::BAD_REQUEST, "InvalidTag", "Cannot provide multiple Tags with the same key"));
        }
    }
    let name = Name { which: which(input.version_id.as_deref()), bucket: input.bucket, key: input.key };
    let stored = actions.objects.set_tags(&asked.call, name, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: encode::version(stored.object.version.as_deref(), stored.versioning) }))
}

pub async fn delete_object_tagging(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<DeleteObjectTaggingInput>,
) -> Answer<DeleteObjectTaggingOutput> {
    let input = request.input;
    let name = Name { which: which(input.version_id.as_deref()), bucket: input.bucket, key: input.key };
    let stored = actions.objects.set_tags(&asked.call, name, Tags::new()).await?;
    let version_id = encode::version(stored.object.version.as_deref(), stored.versioning);
    Ok(S3Response::with_status(DeleteObjectTaggingOutput { version_id }, StatusCode::NO_CONTENT))
}

async fn must_exist(actions: &Actions, asked: &Asked, bucket: String, key: String, version: Option<&str>) -> Result<(), Failure> {
    let name = Name { bucket, key, which: which(version) };
    actions.objects.head(&asked.call, &Get { name, range: objects::Range::All, wanted: Wanted::default() }).await?;
    Ok(())
}

pub async fn get_object_acl(actions: &Actions, asked: &Asked, request: S3Request<GetObjectAclInput>) -> Answer<GetObjectAclOutput> {
    let input = request.input;
    must_exist(actions, asked, input.bucket, input.key, input.version_id.as_deref()).await?;
    let owner = actions.owner();
    let grantee = Grantee {
        id: owner.id.clone(),
        display_name: None,
        email_address: None,
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    let grant = Grant { grantee: Some(grantee), permission: Some(Permission::from_static(Permission::FULL_CONTROL)) };
    Ok(S3Response::new(GetObjectAclOutput { grants: Some(vec![grant]), owner: Some(owner), ..Default::default() }))
}

/// Accepted and without effect: nobody is kept out.
pub async fn put_object_acl(actions: &Actions, asked: &Asked, request: S3Request<PutObjectAclInput>) -> Answer<PutObjectAclOutput> {
    let input = request.input;
    must_exist(actions, asked, input.bucket, input.key, input.version_id.as_deref()).await?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}

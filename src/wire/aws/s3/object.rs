//! Operations on one object.

use http::{HeaderValue, StatusCode};
use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::actions::{Actions, Answer, Asked};
use super::conditions::{Conditions, condition, condition_of_copy, range};
use super::decode;
use super::encode::{self, Summed, timestamp};
use super::fail::Failure;
use super::lists::etag;
use crate::services::objects::{
    self, Algorithm, Claim, Claims, Content, Copy, Deletion, Get, Headers, How, Name, Properties, Put, Tags, Wanted, Which,
};

/// The version that a request names.
pub fn which(version: Option<&str>) -> Which {
    match version {
        None => Which::Latest,
        Some("null") => Which::Unversioned,
        Some(version) => Which::Version(version.to_owned()),
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

/// Bytes of all names and values of one's own metadata ("Working with object metadata").
pub const METADATA_BYTES_MAX: usize = 2_048;

/// Refuses more metadata than this provider takes.
pub fn bounded(properties: Properties) -> Result<Properties, Failure> {
    let bytes = properties.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX { Err(super::fail::fail(&objects::Error::MetadataTooLarge(bytes))) } else { Ok(properties) }
}

/// The parts of inputs that describe an object; they have the same names everywhere.
macro_rules! properties {
    ($input:expr, $asked:expr, $tags:expr) => {
        $crate::wire::aws::s3::object::bounded($crate::services::objects::Properties {
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
                ..Default::default()
            },
            metadata: $input.metadata.clone().unwrap_or_default().into_iter().collect(),
            tags: $tags,
            ..Default::default()
        })?
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
    Ok(S3Response::new(
        PutObjectOutput {
            e_tag: Some(etag(&object.etag)),
            server_side_encryption: encryption(&object.properties.headers),
            ssekms_key_id: object.properties.headers.encryption_key.clone(),
            version_id: encode::version(object.version.as_deref(), stored.versioning),
            ..Default::default()
        }
        .with_checksum(object.checksum.as_ref()),
    ))
}

/// What `GetObject` and `HeadObject` ask for alike.
macro_rules! get {
    ($input:expr) => {
        Get {
            wanted: Conditions {
                matches: $input.if_match.as_ref(),
                differs: $input.if_none_match.as_ref(),
                modified_since: $input.if_modified_since.as_ref(),
                unmodified_since: $input.if_unmodified_since.as_ref(),
            }
            .wanted(),
            range: range($input.range, $input.part_number)?,
            name: Name { which: which($input.version_id.as_deref()), bucket: $input.bucket, key: $input.key },
        }
    };
}

/// The same answer for `GetObject` and `HeadObject`, but for the bytes.
macro_rules! described {
    ($output:ident, $found:expr, $with_checksum:expr) => {{
        let found: &objects::Found = &$found;
        let object = &found.object;
        let headers = &object.properties.headers;
        // The checksum of the whole says nothing of a range.
        let shown = object.checksum.as_ref().filter(|_| $with_checksum && !(found.partial && found.length != object.size));
        let end = (found.start + found.length).saturating_sub(1);
        $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: headers.cache_control.clone(),
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
        .with_checksum(shown)
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
    let part = input.part_number;
    let get = get!(input);
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
    let part = input.part_number;
    let get = get!(input);
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
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(
            CopyObjectResult { e_tag: Some(etag(&object.etag)), last_modified: Some(timestamp(object.created)), ..Default::default() }
                .with_checksum(object.checksum.as_ref()),
        ),
        copy_source_version_id: source.version,
        server_side_encryption: encryption(&object.properties.headers),
        ssekms_key_id: object.properties.headers.encryption_key.clone(),
        version_id: encode::version(object.version.as_deref(), stored.versioning),
        ..Default::default()
    }))
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
    let parts = (wants("ObjectParts") && !object.parts.is_empty()).then(|| {
        let after = input.part_number_marker.unwrap_or(0).max(0);
        let max = input.max_parts.unwrap_or(1_000).clamp(0, 1_000);
        let later: Vec<_> = object.parts.iter().filter(|part| i64::from(part.number) > i64::from(after)).collect();
        let page: Vec<_> = later.iter().take(max as usize).collect();
        let listed = page.iter().map(|part| {
            ObjectPart { part_number: Some(part.number as i32), size: Some(part.size as i64), ..Default::default() }
                .with_checksum(part.checksum.as_ref())
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
        checksum: wants("Checksum").then_some(Checksum::default().with_checksum(object.checksum.as_ref())),
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

//! Operations on uploads in parts.

use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::actions::{Actions, Answer, Asked};
use super::conditions::{Conditions, condition};
use super::decode;
use super::encode::{self, Summed, checksum_type, timestamp};
use super::fail::{Failure, label};
use super::lists::{Keys, bare, entries, etag};
use super::object::{claims, encryption, named_algorithm, properties, source, tags_of_header};
use crate::services::objects::{
    self, Algorithm, Complete, Content, CopyPart, Listed, NewUpload, PartName, PutPart, UploadList, UploadName,
};

fn algorithm_name(algorithm: Algorithm) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from(label(algorithm).to_owned())
}

fn number(number: i32) -> Result<u32, Failure> {
    u32::try_from(number).map_err(|_| objects::Error::BadPartNumber.into())
}

pub async fn create_multipart_upload(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<CreateMultipartUploadInput>,
) -> Answer<CreateMultipartUploadOutput> {
    let input = request.input;
    let algorithm = input.checksum_algorithm.as_ref().map(named_algorithm).transpose()?;
    let composite = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
        None => None,
        Some("COMPOSITE") => Some(true),
        Some("FULL_OBJECT") => Some(false),
        Some(_) => return Err(Failure::invalid_request("Value for x-amz-checksum-type header is invalid.")),
    };
    if composite.is_some() && algorithm.is_none() {
        return Err(Failure::invalid_request("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."));
    }
    // Only a CRC of the whole follows from the parts', and CRC64NVME is only ever of the whole ("Checking object integrity").
    if let (Some(algorithm), Some(composite)) = (algorithm, composite) {
        let fits = if composite { algorithm != Algorithm::Crc64Nvme } else { algorithm.combines() };
        if !fits {
            let kind = if composite { "COMPOSITE" } else { "FULL_OBJECT" };
            return Err(Failure::invalid_request(format!(
                "The {kind} checksum type cannot be used with the {} checksum algorithm.",
                label(algorithm).to_lowercase()
            )));
        }
    }
    let properties = properties!(input, asked, tags_of_header(input.tagging.as_deref())?);
    let new = NewUpload { bucket: input.bucket, key: input.key, properties, algorithm, composite };
    let upload = actions.objects.start_upload(&asked.call, new).await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(upload.bucket),
        checksum_algorithm: upload.asked.then(|| algorithm_name(upload.algorithm)),
        checksum_type: upload.asked.then(|| checksum_type(upload.composite)),
        key: Some(upload.key),
        server_side_encryption: encryption(&upload.properties.headers),
        upload_id: Some(upload.id),
        ..Default::default()
    }))
}

pub async fn upload_part(actions: &Actions, asked: &Asked, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
    let input = request.input;
    let claims = claims(asked, &request.headers, input.checksum_algorithm.as_ref(), input.content_md5.as_deref())?;
    let upload = UploadName { bucket: input.bucket, key: input.key, id: input.upload_id };
    let body = input.body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    let put =
        PutPart { part: PartName { upload, number: number(input.part_number)? }, content: Content { stream: Box::pin(body), claims } };
    let part = actions.objects.put_part(&asked.call, put).await?;
    Ok(S3Response::new(
        UploadPartOutput {
            e_tag: Some(etag(&part.etag())),
            server_side_encryption: encryption(&objects::Headers::default()),
            ..Default::default()
        }
        .with_checksum(Some(&part.checksum)),
    ))
}

pub async fn upload_part_copy(actions: &Actions, asked: &Asked, request: S3Request<UploadPartCopyInput>) -> Answer<UploadPartCopyOutput> {
    let input = request.input;
    let wanted = Conditions {
        matches: input.copy_source_if_match.as_ref(),
        differs: input.copy_source_if_none_match.as_ref(),
        modified_since: input.copy_source_if_modified_since.as_ref(),
        unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    }
    .wanted();
    let range = match input.copy_source_range.as_deref() {
        None => objects::Range::All,
        Some(text) => match Range::parse(text) {
            Ok(Range::Int { first, last: Some(last) }) if first <= last => objects::Range::From { first, last: Some(last) },
            _ => {
                return Err(Failure::invalid_argument(
                    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
                    "x-amz-copy-source-range",
                    text,
                ));
            }
        },
    };
    let upload = UploadName { bucket: input.bucket, key: input.key, id: input.upload_id };
    let part = PartName { upload, number: number(input.part_number)? };
    let copy = CopyPart { part, from: source(&input.copy_source)?, wanted, range };
    let (part, source) = actions.objects.copy_part(&asked.call, copy).await?;
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(
            CopyPartResult { e_tag: Some(etag(&part.etag())), last_modified: Some(timestamp(part.modified)), ..Default::default() }
                .with_checksum(Some(&part.checksum)),
        ),
        copy_source_version_id: source.version,
        server_side_encryption: encryption(&objects::Headers::default()),
        ..Default::default()
    }))
}

pub async fn list_parts(actions: &Actions, asked: &Asked, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
    let input = request.input;
    let max = entries(input.max_parts, "max-parts")?;
    let after = input.part_number_marker.unwrap_or(0);
    let name = UploadName { bucket: input.bucket, key: input.key, id: input.upload_id };
    let page = actions.objects.parts(&asked.call, &name, number(after)?, max).await?;
    let upload = page.upload;
    let parts = page.parts.iter().map(|part| {
        Part {
            e_tag: Some(etag(&part.etag())),
            last_modified: Some(timestamp(part.modified)),
            part_number: Some(part.number as i32),
            size: Some(part.size as i64),
            ..Default::default()
        }
        .with_checksum(Some(&part.checksum).filter(|_| upload.asked))
    });
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(upload.bucket),
        checksum_algorithm: upload.asked.then(|| algorithm_name(upload.algorithm)),
        checksum_type: upload.asked.then(|| checksum_type(upload.composite)),
        initiator: Some(Initiator { id: actions.owner().id, ..Default::default() }),
        is_truncated: Some(page.more),
        key: Some(upload.key),
        max_parts: Some(max as i32),
        next_part_number_marker: Some(page.parts.last().map_or(0, |part| part.number as i32)),
        owner: Some(actions.owner()),
        part_number_marker: Some(after),
        parts: Some(parts.collect::<Vec<_>>()).filter(|list| !list.is_empty()),
        storage_class: Some(StorageClass::from(upload.properties.headers.storage_class.unwrap_or_else(|| "STANDARD".to_owned()))),
        upload_id: Some(upload.id),
        ..Default::default()
    }))
}

pub async fn list_multipart_uploads(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<ListMultipartUploadsInput>,
) -> Answer<ListMultipartUploadsOutput> {
    let input = request.input;
    let keys = Keys::new(input.encoding_type.as_ref())?;
    let max = entries(input.max_uploads, "max-uploads")?;
    let list = UploadList {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after_key: input.key_marker.clone().filter(|marker| !marker.is_empty()),
        after_id: input.upload_id_marker.clone().filter(|marker| !marker.is_empty()),
        max,
    };
    let page = actions.objects.uploads(&asked.call, &list).await?;
    let uploads = page.uploads.iter().map(|upload| MultipartUpload {
        checksum_algorithm: upload.asked.then(|| algorithm_name(upload.algorithm)),
        checksum_type: upload.asked.then(|| checksum_type(upload.composite)),
        initiated: Some(timestamp(upload.started)),
        initiator: Some(Initiator { id: actions.owner().id, ..Default::default() }),
        key: Some(keys.write(&upload.key)),
        owner: Some(actions.owner()),
        storage_class: Some(StorageClass::from(upload.properties.headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()))),
        upload_id: Some(upload.id.clone()),
    });
    let (next_key, next_id) = page.next.clone().map_or((None, None), |(key, id)| (Some(keys.write(&key)), Some(id)));
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: keys.prefixes(&page.prefixes),
        delimiter: input.delimiter.filter(|delimiter| !delimiter.is_empty()),
        encoding_type: input.encoding_type,
        is_truncated: Some(next_key.is_some()),
        key_marker: Some(keys.write(&input.key_marker.unwrap_or_default())),
        max_uploads: Some(max as i32),
        next_key_marker: next_key,
        next_upload_id_marker: next_id,
        prefix: Some(keys.write(&list.prefix)),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        uploads: Some(uploads.collect::<Vec<_>>()).filter(|list| !list.is_empty()),
        ..Default::default()
    }))
}

fn listed(part: CompletedPart) -> Result<Listed, Failure> {
    let sums = [
        (Algorithm::Crc32, part.checksum_crc32),
        (Algorithm::Crc32c, part.checksum_crc32c),
        (Algorithm::Crc64Nvme, part.checksum_crc64nvme),
        (Algorithm::Sha1, part.checksum_sha1),
        (Algorithm::Sha256, part.checksum_sha256),
    ];
    let (Some(part_number), Some(e_tag)) = (part.part_number, part.e_tag) else { return Err(Failure::malformed_xml()) };
    let sum = sums.into_iter().find_map(|(algorithm, text)| text.map(|text| (algorithm, text)));
    Ok(Listed {
        number: number(part_number)?,
        etag: bare(&e_tag.into_value()),
        checksum: sum.map(|(algorithm, text)| Ok::<_, Failure>((algorithm, decode::checksum(algorithm, &text)?))).transpose()?,
    })
}

pub async fn complete_multipart_upload(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Answer<CompleteMultipartUploadOutput> {
    let input = request.input;
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    if parts.is_empty() {
        return Err(Failure::malformed_xml());
    }
    let sums = [
        (Algorithm::Crc32, input.checksum_crc32),
        (Algorithm::Crc32c, input.checksum_crc32c),
        (Algorithm::Crc64Nvme, input.checksum_crc64nvme),
        (Algorithm::Sha1, input.checksum_sha1),
        (Algorithm::Sha256, input.checksum_sha256),
    ];
    let sum = sums.into_iter().find_map(|(algorithm, text)| text.map(|text| (algorithm, text)));
    let complete = Complete {
        upload: UploadName { bucket: input.bucket, key: input.key, id: input.upload_id },
        parts: parts.into_iter().map(listed).collect::<Result<_, _>>()?,
        condition: condition(input.if_match.as_ref(), input.if_none_match.as_ref())?,
        checksum: sum.map(|(algorithm, text)| Ok::<_, Failure>((algorithm, decode::checksum(algorithm, &text)?))).transpose()?,
        size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
    };
    let stored = actions.objects.complete(&asked.call, complete).await?;
    let object = stored.object;
    Ok(S3Response::new(
        CompleteMultipartUploadOutput {
            location: Some(format!("http://{}.s3.amazonaws.com/{}", object.bucket, object.key)),
            bucket: Some(object.bucket),
            e_tag: Some(etag(&object.etag)),
            key: Some(object.key),
            server_side_encryption: encryption(&object.properties.headers),
            version_id: encode::version(object.version.as_deref(), stored.versioning),
            ..Default::default()
        }
        .with_checksum(object.checksum.as_ref()),
    ))
}

pub async fn abort_multipart_upload(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<AbortMultipartUploadInput>,
) -> Answer<AbortMultipartUploadOutput> {
    let input = request.input;
    actions.objects.abort(&asked.call, UploadName { bucket: input.bucket, key: input.key, id: input.upload_id }).await?;
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), http::StatusCode::NO_CONTENT))
}

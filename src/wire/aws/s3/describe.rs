//! The names of S3's operations, which its requests do not say: they are in the method, the path and the query.
//! Source: the Amazon S3 API reference, the request syntax of each operation.

use http::request::Parts;

use super::decode::{Target, parameter};
use crate::wire::http::Description;

/// Parts of a bucket that have a document of their own, as the query names them and as the operations do.
const BUCKET_DOCUMENTS: [(&str, &str); 14] = [
    ("accelerate", "AccelerateConfiguration"),
    ("acl", "Acl"),
    ("cors", "Cors"),
    ("encryption", "Encryption"),
    ("lifecycle", "LifecycleConfiguration"),
    ("logging", "Logging"),
    ("notification", "NotificationConfiguration"),
    ("ownershipControls", "OwnershipControls"),
    ("policy", "Policy"),
    ("policyStatus", "PolicyStatus"),
    ("replication", "Replication"),
    ("tagging", "Tagging"),
    ("versioning", "Versioning"),
    ("website", "Website"),
];

/// Parts of an object that are asked for by themselves.
const OBJECT_DOCUMENTS: [(&str, &str); 5] =
    [("acl", "Acl"), ("attributes", "Attributes"), ("legal-hold", "LegalHold"), ("retention", "Retention"), ("tagging", "Tagging")];

/// What a request asks for; `None` for a browser's question whether it may ask.
pub(super) fn describe(parts: &Parts, target: &Target) -> Option<Description> {
    let action = match (&target.bucket, &target.key) {
        (None, _) => "ListBuckets".to_owned(),
        (Some(_), None) => of_bucket(parts)?,
        (Some(_), Some(_)) => of_object(parts)?,
    };
    Some(Description { resource: target.bucket.clone(), ..Description::new("s3", action) })
}

fn has(parts: &Parts, name: &str) -> bool {
    parameter(&parts.uri, name).is_some()
}

fn verb(method: &str) -> Option<&'static str> {
    match method {
        "GET" => Some("Get"),
        "PUT" => Some("Put"),
        "DELETE" => Some("Delete"),
        _ => None,
    }
}

fn of_bucket(parts: &Parts) -> Option<String> {
    let method = parts.method.as_str();
    if let Some(verb) = verb(method)
        && let Some((_, document)) = BUCKET_DOCUMENTS.iter().find(|(name, _)| has(parts, name))
    {
        return Some(format!("{verb}Bucket{document}"));
    }
    let action = match method {
        "GET" if has(parts, "location") => "GetBucketLocation",
        "GET" if has(parts, "versions") => "ListObjectVersions",
        "GET" if has(parts, "uploads") => "ListMultipartUploads",
        "GET" if parameter(&parts.uri, "list-type").as_deref() == Some("2") => "ListObjectsV2",
        "GET" => "ListObjects",
        "PUT" => "CreateBucket",
        "DELETE" => "DeleteBucket",
        "HEAD" => "HeadBucket",
        "POST" if has(parts, "delete") => "DeleteObjects",
        "POST" => "PostObject",
        _ => return None,
    };
    Some(action.to_owned())
}

fn of_object(parts: &Parts) -> Option<String> {
    let method = parts.method.as_str();
    if let Some(verb) = verb(method)
        && let Some((_, document)) = OBJECT_DOCUMENTS.iter().find(|(name, _)| has(parts, name))
    {
        return Some(format!("{verb}Object{document}"));
    }
    let copies = parts.headers.contains_key("x-amz-copy-source");
    let action = match method {
        "GET" if has(parts, "uploadId") => "ListParts",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if has(parts, "partNumber") && copies => "UploadPartCopy",
        "PUT" if has(parts, "partNumber") => "UploadPart",
        "PUT" if copies => "CopyObject",
        "PUT" => "PutObject",
        "DELETE" if has(parts, "uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        "POST" if has(parts, "uploads") => "CreateMultipartUpload",
        "POST" if has(parts, "uploadId") => "CompleteMultipartUpload",
        "POST" if has(parts, "restore") => "RestoreObject",
        "POST" => "SelectObjectContent",
        _ => return None,
    };
    Some(action.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::aws::s3::decode;

    #[test]
    fn requests_have_the_names_of_the_api_reference() {
        for (request, copies, wanted) in [
            ("GET /", false, "ListBuckets"),
            ("PUT /b", false, "CreateBucket b"),
            ("GET /b?list-type=2&prefix=acl", false, "ListObjectsV2 b"),
            ("GET /b?prefix=x", false, "ListObjects b"),
            ("GET /b?cors", false, "GetBucketCors b"),
            ("DELETE /b?policy", false, "DeleteBucketPolicy b"),
            ("POST /b?delete", false, "DeleteObjects b"),
            ("PUT /b/k", false, "PutObject b"),
            ("PUT /b/k", true, "CopyObject b"),
            ("PUT /b/k?partNumber=1&uploadId=u", false, "UploadPart b"),
            ("PUT /b/k?partNumber=1&uploadId=u", true, "UploadPartCopy b"),
            ("GET /b/k/l", false, "GetObject b"),
            ("GET /b/k?tagging", false, "GetObjectTagging b"),
            ("HEAD /b/k", false, "HeadObject b"),
            ("DELETE /b/k?uploadId=u", false, "AbortMultipartUpload b"),
            ("POST /b/k?uploads", false, "CreateMultipartUpload b"),
            ("POST /b/k?uploadId=u", false, "CompleteMultipartUpload b"),
            ("OPTIONS /b/k", false, "none"),
        ] {
            let (method, uri) = request.split_once(' ').expect("a method");
            let mut head = http::Request::builder().method(method).uri(uri);
            if copies {
                head = head.header("x-amz-copy-source", "b/other");
            }
            let (mut parts, ()) = head.body(()).expect("a request").into_parts();
            let target = decode::target(&mut parts).expect("a target");
            let told = describe(&parts, &target)
                .map_or("none".to_owned(), |said| [Some(said.action), said.resource].into_iter().flatten().collect::<Vec<_>>().join(" "));
            assert_eq!(told, wanted, "{request}");
        }
    }
}

//! What can be set on a bucket. Most of it is only kept, and given back as it was set; rules of its lifecycle and notifications are acted on.

use http::{HeaderValue, Method, StatusCode, Uri};
use quick_xml::events::Event;

use super::S3;
use super::decode::{Payload, small};
use super::encode;
use super::fail::Failure;
use super::lifecycle;
use crate::base::Call;
use crate::services::objects::lifecycle::DOCUMENT as LIFECYCLE;
use crate::services::objects::notices::DOCUMENT as NOTIFICATION;
use crate::wire::aws::arn::Account;
use crate::wire::http::{Body, Response, header};

/// A sub-resource of buckets.
pub struct Document {
    /// The parameter of the query that names it.
    pub name: &'static str,
    /// The outermost element; empty for a JSON document.
    root: &'static str,
    absent: Absent,
}

/// The answer where nothing was set.
enum Absent {
    Error(&'static str, &'static str),
    /// What is within the outermost element.
    Default(&'static str),
    /// Only the owner may do anything.
    Owner,
}

/// Source: the Get and Put operations of these names in the API reference, and what the service answers for a new bucket.
static DOCUMENTS: &[Document] = &[
    Document { name: "accelerate", root: "AccelerateConfiguration", absent: Absent::Default("") },
    Document { name: "acl", root: "AccessControlPolicy", absent: Absent::Owner },
    Document {
        name: "cors",
        root: "CORSConfiguration",
        absent: Absent::Error("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    },
    Document {
        name: "encryption",
        root: "ServerSideEncryptionConfiguration",
        absent: Absent::Default(
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
        ),
    },
    Document {
        name: LIFECYCLE,
        root: "LifecycleConfiguration",
        absent: Absent::Error("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    },
    Document { name: "logging", root: "BucketLoggingStatus", absent: Absent::Default("") },
    Document { name: NOTIFICATION, root: "NotificationConfiguration", absent: Absent::Default("") },
    Document {
        name: "object-lock",
        root: "ObjectLockConfiguration",
        absent: Absent::Error("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
    },
    Document {
        name: "ownershipControls",
        root: "OwnershipControls",
        absent: Absent::Default("<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"),
    },
    Document { name: "policy", root: "", absent: Absent::Error("NoSuchBucketPolicy", "The bucket policy does not exist") },
    Document {
        name: "publicAccessBlock",
        root: "PublicAccessBlockConfiguration",
        absent: Absent::Default(
            "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>",
        ),
    },
    Document {
        name: "replication",
        root: "ReplicationConfiguration",
        absent: Absent::Error("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    },
    Document { name: "requestPayment", root: "RequestPaymentConfiguration", absent: Absent::Default("<Payer>BucketOwner</Payer>") },
    Document { name: "tagging", root: "Tagging", absent: Absent::Error("NoSuchTagSet", "The TagSet does not exist") },
    Document {
        name: "website",
        root: "WebsiteConfiguration",
        absent: Absent::Error("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    },
];

/// The longest document, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// The document that a request to a bucket is about.
pub fn named(uri: &Uri) -> Option<&'static Document> {
    let query = uri.query()?;
    url::form_urlencoded::parse(query.as_bytes()).find_map(|(name, _)| DOCUMENTS.iter().find(|document| document.name == name))
}

/// Answers a request about a document of a bucket.
pub async fn answer(
    s3: &S3,
    call: &Call,
    bucket: &str,
    document: &Document,
    request: (http::request::Parts, Payload, Body),
) -> Result<Response, Failure> {
    let (parts, payload, body) = request;
    let fail = |error| super::fail::fail(&error);
    match parts.method {
        Method::GET => match s3.objects.document(call, bucket, document.name).await.map_err(fail)? {
            Some(text) => Ok(found(document, text)),
            None => absent(document, &s3.account, bucket),
        },
        Method::PUT => {
            let bytes = small(&parts.headers, &payload, body, BYTES_MAX).await?;
            let text = read(document, &bytes)?;
            if document.name == LIFECYCLE {
                let rules = lifecycle::read(&text)?;
                s3.objects.set_lifecycle(call, bucket, Some((text, rules))).await.map_err(fail)?;
                return Ok(empty(StatusCode::OK));
            }
            if document.name == NOTIFICATION {
                let validate = header(&parts.headers, "x-amz-skip-destination-validation") != Some("true");
                s3.notify(call, bucket, &text, validate).await?;
                return Ok(empty(StatusCode::OK));
            }
            // A canned ACL comes in a header, without a document.
            let text = Some(text).filter(|text| !text.is_empty());
            if text.is_some() || document.name != "acl" {
                s3.objects.set_document(call, bucket, document.name, text).await.map_err(fail)?;
            } else {
                s3.objects.bucket(call, bucket).await.map_err(fail)?;
            }
            Ok(empty(if document.name == "policy" { StatusCode::NO_CONTENT } else { StatusCode::OK }))
        }
        Method::DELETE => {
            match document.name {
                LIFECYCLE => s3.objects.set_lifecycle(call, bucket, None).await.map_err(fail)?,
                NOTIFICATION => s3.objects.subscribe(call, bucket, None).await.map_err(fail)?,
                name => s3.objects.set_document(call, bucket, name, None).await.map_err(fail)?,
            }
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", super::fail::message("MethodNotAllowed"))),
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = http::Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn found(document: &Document, text: String) -> Response {
    if !document.root.is_empty() {
        return encode::xml(text);
    }
    let mut response = http::Response::new(Body::from(text));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn absent(document: &Document, account: &Account, bucket: &str) -> Result<Response, Failure> {
    match document.absent {
        Absent::Error(code, message) => Err(Failure::new(StatusCode::NOT_FOUND, code, message).detail("BucketName", bucket)),
        Absent::Default(inner) => Ok(encode::xml(wrap(document.root, inner))),
        Absent::Owner => Ok(encode::xml(owner_only(account))),
    }
}

fn wrap(root: &str, inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</{root}>")
}

/// The access control list of everything: its owner may do all.
pub fn owner_only(account: &Account) -> String {
    let owner = encode::escape(&super::owner_id(account));
    wrap(
        "AccessControlPolicy",
        &format!(
            "<Owner><ID>{owner}</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>{owner}</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"
        ),
    )
}

/// A document that is what it should be, or nothing.
fn read(document: &Document, bytes: &[u8]) -> Result<String, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::malformed_xml())?;
    if document.root.is_empty() {
        return match serde_json::from_str::<serde_json::Value>(text) {
            Ok(serde_json::Value::Object(_)) => Ok(text.to_owned()),
            _ => {
                Err(Failure::new(StatusCode::BAD_REQUEST, "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'"))
            }
        };
    }
    if text.trim().is_empty() {
        return if document.name == "acl" { Ok(String::new()) } else { Err(Failure::malformed_xml()) };
    }
    let mut reader = quick_xml::Reader::from_str(text);
    let mut root = None;
    let mut depth = 0usize;
    loop {
        match reader.read_event().map_err(|_| Failure::malformed_xml())? {
            Event::Start(element) => {
                depth += 1;
                if root.is_none() {
                    root = Some(element.local_name().as_ref().to_owned());
                }
            }
            Event::Empty(element) if root.is_none() => root = Some(element.local_name().as_ref().to_owned()),
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(_) => return Err(Failure::malformed_xml()),
            Event::Eof => break,
            _ => {}
        }
    }
    if depth == 0 && root.as_deref() == Some(document.root) { Ok(text.to_owned()) } else { Err(Failure::malformed_xml()) }
}

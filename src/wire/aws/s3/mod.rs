//! Amazon S3. The crate `s3s` finds the operation of a request and reads and writes its headers and XML; what it cannot do
//! (chunked bodies of any signer, presigned URLs against a World's clock, browsers' questions, documents that are only
//! kept) is done in front of it, and its answers of failure are written anew with all that production says.

mod actions;
mod buckets;
mod chunked;
mod conditions;
mod cors;
mod decode;
mod describe;
mod documents;
mod encode;
pub mod event;
mod fail;
mod form;
mod lifecycle;
mod lists;
mod notifications;
mod object;
mod template;
mod uploads;

use std::sync::Arc;

pub use template::configure;

use http::{HeaderValue, Method};
use s3s::service::{S3Service, S3ServiceBuilder};

use self::actions::{Actions, Asked};
pub use self::decode::bucket_of_host;
pub use self::event::{Context, event, name as event_name, test as test_event};
use self::fail::Failure;
pub use self::notifications::Destinations;
use super::arn::Account;
use crate::base::{Call, Ids};
use crate::services::objects::Objects;
use crate::wire::http::{Body, Request, Response, header};

/// The S3 face of a World. Cheap to clone.
#[derive(Clone)]
pub struct S3 {
    objects: Objects,
    destinations: Arc<dyn Destinations>,
    account: Account,
    ids: Ids,
    service: Arc<S3Service>,
}

/// The longest body of a request that is not an object's bytes: a list of 10,000 parts with their checksums fits.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

impl S3 {
    /// The objects of one World, answering as `account`; notifications may lead to `destinations`.
    pub fn new(objects: Objects, destinations: Arc<dyn Destinations>, account: Account, ids: Ids) -> S3 {
        let service = S3ServiceBuilder::new(Actions::new(objects.clone(), account.clone())).build();
        S3 { objects, destinations, account, ids, service: Arc::new(service) }
    }

    /// Answers one request; bytes of objects stream through in both directions.
    pub async fn handle(&self, call: &Call, request: Request) -> Response {
        let id = self.ids.upper(16);
        let (mut parts, body) = request.into_parts();
        let (method, origin) = (parts.method.clone(), header(&parts.headers, "origin").map(str::to_owned));
        let expects = parts.headers.contains_key("expect");
        let empty = header(&parts.headers, "content-length") == Some("0");
        let mut said = None;
        let (resource, bucket, result) = match decode::target(&mut parts) {
            Ok(target) => {
                said = describe::describe(&parts, &target);
                let resource = parts.uri.path().to_owned();
                let bucket = target.bucket.clone();
                (resource, bucket, self.answer(call, parts, body, target).await)
            }
            Err(failure) => (parts.uri.path().to_owned(), None, Err(failure)),
        };
        let mut response = match result {
            Ok(response) => response,
            Err(failure) => {
                if let Some(said) = &mut said {
                    said.error = Some(failure.code.clone());
                }
                encode::failure(&failure, &resource, &id, method != Method::HEAD)
            }
        };
        if let (Some(bucket), Some(origin), true) = (bucket, origin, method != Method::OPTIONS) {
            cors::expose(self, call, &bucket, (&method, &origin), &mut response).await;
        }
        // botocore takes a final answer in place of `100 Continue`, and then waits for ever for the next one on the same connection.
        if expects && (empty || response.status().is_client_error()) {
            response.headers_mut().insert("connection", HeaderValue::from_static("close"));
        }
        let id = HeaderValue::from_str(&id).expect("an identifier is of letters and digits");
        for name in ["x-amz-request-id", "x-amz-id-2", "x-amzn-requestid"] {
            response.headers_mut().insert(name, id.clone());
        }
        response.headers_mut().insert("server", HeaderValue::from_static("AmazonS3"));
        match said {
            Some(said) => said.attach(response),
            None => response,
        }
    }

    async fn answer(&self, call: &Call, mut parts: http::request::Parts, body: Body, target: decode::Target) -> Result<Response, Failure> {
        if parts.method == Method::OPTIONS {
            return cors::preflight(self, call, target.bucket.as_deref(), &parts.headers).await;
        }
        decode::authorise(&mut parts, self.objects.now())?;
        decode::tolerate(&mut parts.headers);
        let (payload, body) = decode::payload(&mut parts.headers, body)?;
        if let (Some(bucket), None) = (&target.bucket, &target.key) {
            if let Some(document) = documents::named(&parts.uri) {
                return documents::answer(self, call, bucket, document, (parts, payload, body)).await;
            }
            if parts.method == Method::GET && decode::parameter(&parts.uri, "policyStatus").is_some() {
                return buckets::policy_status(self, call, bucket).await;
            }
        }
        if let (&Method::POST, Some(bucket), None, Some(boundary)) =
            (&parts.method, &target.bucket, &target.key, form::boundary(&parts.headers))
        {
            return form::post(self, call, bucket, &boundary, body).await;
        }
        let body = if takes_bytes(&parts, &target) {
            body
        } else {
            // Where an upload is completed, the headers tell of the object and not of the list of its parts.
            let completes = decode::parameter(&parts.uri, "uploadId").is_some();
            let none = http::HeaderMap::new();
            let headers = if completes { &none } else { &parts.headers };
            let bytes = decode::small(headers, &payload, body, DOCUMENT_BYTES_MAX).await?;
            if parts.method == Method::POST && decode::parameter(&parts.uri, "delete").is_some() {
                lists::require_digest(&parts.headers, &payload)?;
            }
            parts.headers.insert("content-length", HeaderValue::from(bytes.len()));
            Body::from(bytes)
        };
        let asked = Asked::new(call.clone(), payload, parts.headers.remove("expires"));
        let mut request = http::Request::from_parts(
            parts,
            match body {
                Body::Bytes(bytes) => s3s::Body::from(bytes),
                body => s3s::Body::http_body_unsync(body),
            },
        );
        request.extensions_mut().insert(asked.clone());
        let answer = self.service.call(request).await.map_err(|error| {
            tracing::error!(?error, "an S3 request failed inside emu");
            Failure::new(http::StatusCode::INTERNAL_SERVER_ERROR, "InternalError", fail::message("InternalError"))
        })?;
        if let Some(failure) = asked.failure() {
            return Err(failure);
        }
        let response = encode::response(answer);
        if !response.status().is_client_error() && !response.status().is_server_error() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.into_body().collect(DOCUMENT_BYTES_MAX).await.unwrap_or_default();
        Err(encode::failure_of_s3s(status, &body))
    }
}

/// Whether the body is an object's bytes, and not a document.
fn takes_bytes(parts: &http::request::Parts, target: &decode::Target) -> bool {
    let document = ["acl", "tagging", "legal-hold", "retention"].iter().any(|name| decode::parameter(&parts.uri, name).is_some());
    parts.method == Method::PUT && target.key.is_some() && !document
}

/// The canonical identifier of an account, as owners of buckets have: 64 hexadecimal characters.
fn owner_id(account: &Account) -> String {
    format!("{:0>64}", account.id)
}

#[cfg(test)]
mod tests;

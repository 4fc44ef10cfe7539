//! Cloud Storage: Firebase's endpoint for apps (`/v0`), the JSON API of Google's client libraries, and the URLs of objects (XML API), all
//! over the objects that S3 has as well. Facts: the JSON API's reference, the SDKs, and the Firebase CLI's emulator
//! (`src/emulator/storage`).

mod ask;
mod body;
mod buckets;
mod decode;
mod download;
mod encode;
pub mod event;
mod fail;
mod files;
mod grants;
mod objects;
mod plain;
mod route;
mod sessions;
mod signed;
#[cfg(test)]
mod tests;
mod upload;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::json;

use self::ask::Ask;
use self::fail::Failure;
use self::route::{Place, place};
use super::Wire;
use super::access::Access;
use crate::base::{Call, Ids, Meter};
use crate::services::objects::{NewBucket, Objects};
use crate::wire::http::{Body, Description, Request, Response, json as answer};

/// How its operations are recorded.
const SERVICE: &str = "storage";
/// Bytes of a document that describes something.
const DOCUMENT_BYTES_MAX: usize = body::DOCUMENT_BYTES_MAX;
/// Where a bucket is said to be.
const LOCATION: &str = "US";

/// The wire of one project. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    objects: Objects,
    ids: Ids,
    /// Buckets that are there without anybody making them.
    own: Arc<[String]>,
    access: Arc<Access>,
}

/// What was answered, and what it was.
type Answered = (&'static str, Response);

impl Storage {
    /// `buckets` are the project's own, which are there from the beginning.
    pub fn new(objects: Objects, ids: Ids, buckets: impl IntoIterator<Item = String>) -> Storage {
        Storage { objects, ids, own: buckets.into_iter().collect(), access: Arc::new(Access::new("Storage")) }
    }

    /// Whether a bucket is there without anybody making it: the project's own, and all under the names that Firebase gives.
    fn is_own(&self, bucket: &str) -> bool {
        bucket.ends_with(".appspot.com") || bucket.ends_with(".firebasestorage.app") || self.own.iter().any(|own| own == bucket)
    }

    /// Makes a bucket that ought to be there, if it is not; `any`: whatever its name.
    async fn settle(&self, bucket: &str, any: bool) -> Result<(), Failure> {
        if !any && !self.is_own(bucket) {
            return Ok(());
        }
        // Nobody asked for it, so that it is on nobody's bill.
        let call = Call::operator();
        if self.objects.bucket(&call, bucket).await.is_ok() {
            return Ok(());
        }
        let new = NewBucket { name: bucket.to_owned(), region: LOCATION.to_owned() };
        self.objects.ensure_bucket(&call, new).await.map(|_| ()).map_err(|error| Failure::of(&error, bucket))
    }

    async fn document(&self, body: Body) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
        decode::document(&body.collect(DOCUMENT_BYTES_MAX).await.map_err(Failure::of_body)?)
    }

    async fn answer(&self, call: &Call, place: &Place, parts: &Parts, body: Body) -> Answered {
        let ask = Ask::new(parts);
        match place {
            Place::Root => ("", answer(StatusCode::OK, &json!({ "storage": "ready" }))),
            Place::Internal(what) => ("", self.internal(call, &parts.method, what, body).await),
            Place::Firebase { bucket, key } => self.file(call, &ask, bucket, key.as_deref(), body).await,
            Place::Plain { bucket, key } => self.plain(call, &ask, bucket, key, body).await,
            _ => self.json_api(call, place, &ask, body).await,
        }
    }

    async fn json_api(&self, call: &Call, place: &Place, ask: &Ask<'_>, body: Body) -> Answered {
        let said = |name: &'static str, result: Result<Response, Failure>| (name, result.unwrap_or_else(|failure| failure.json()));
        if let Some(bucket) = bucket_of(place)
            && let Err(failure) = self.settle(bucket, false).await
        {
            return ("?", failure.json());
        }
        match (&ask.parts.method, place) {
            (&Method::GET, Place::Buckets) => said("buckets.list", self.list_buckets(call, ask).await),
            (&Method::POST, Place::Buckets) => said("buckets.insert", self.create_bucket(call, ask, body).await),
            (&Method::GET, Place::Bucket(bucket)) => said("buckets.get", self.get_bucket(call, ask, bucket).await),
            (&Method::PATCH, Place::Bucket(bucket)) => said("buckets.patch", self.change_bucket(call, ask, bucket, body, false).await),
            (&Method::PUT, Place::Bucket(bucket)) => said("buckets.update", self.change_bucket(call, ask, bucket, body, true).await),
            (&Method::DELETE, Place::Bucket(bucket)) => said("buckets.delete", self.delete_bucket(call, ask, bucket).await),
            (_, Place::OfBucket(bucket, rest)) => self.of_bucket(call, ask, bucket, rest, body).await,
            (&Method::GET, Place::Objects(bucket)) => said("objects.list", self.list(call, ask, bucket).await),
            (&Method::POST | &Method::PUT, Place::Upload(bucket) | Place::Objects(bucket)) => {
                said("objects.insert", self.upload(call, ask, bucket, body).await)
            }
            (&Method::DELETE, Place::Upload(bucket)) => said("objects.insert", self.cancel(call, ask, bucket).await),
            (&Method::GET | &Method::HEAD, Place::Object(bucket, key)) if ask.get("alt") == Some("media") => {
                let result = self.media(call, ask, bucket, key).await;
                ("objects.get", result.unwrap_or_else(|failure| failure.text()))
            }
            (&Method::GET | &Method::HEAD, Place::Download(bucket, key)) => {
                let result = self.media(call, ask, bucket, key).await;
                ("objects.get", result.unwrap_or_else(|failure| failure.text()))
            }
            (&Method::GET, Place::Object(bucket, key)) => said("objects.get", self.object(call, ask, bucket, key).await),
            (&Method::PATCH, Place::Object(bucket, key)) => said("objects.patch", self.change(call, ask, bucket, key, body, false).await),
            (&Method::PUT, Place::Object(bucket, key)) => said("objects.update", self.change(call, ask, bucket, key, body, true).await),
            (&Method::DELETE, Place::Object(bucket, key)) => said("objects.delete", self.delete(call, ask, bucket, key).await),
            (_, Place::OfObject(bucket, key, rest)) => self.of_object(call, ask, (bucket, key), rest, body).await,
            (&Method::GET, Place::Project(rest)) if rest.get(1).is_some_and(|what| what == "serviceAccount") => {
                let project = rest.first().map(String::as_str).unwrap_or_default();
                let mail = format!("service-{}@gs-project-accounts.iam.gserviceaccount.com", super::PROJECT_NUMBER);
                let account = json!({ "kind": "storage#serviceAccount", "email_address": mail, "projectId": project });
                ("projects.serviceAccount.get", answer(StatusCode::OK, &account))
            }
            (method, _) => ("?", Failure::unsupported(format!("{method} {}", ask::clip(ask.parts.uri.path()))).json()),
        }
    }

    /// What only emulators answer.
    async fn internal(&self, call: &Call, method: &Method, what: &str, body: Body) -> Response {
        match (method, what) {
            // Accepted, so that tools which load rules go on; `access` says that they are not enforced.
            (&Method::PUT, "setRules") => match self.document(body).await {
                Ok(_) => answer(StatusCode::OK, &json!({ "message": "Rules updated successfully" })),
                Err(failure) => failure.json(),
            },
            (&Method::POST, "reset") => match self.reset(call).await {
                Ok(()) => answer(StatusCode::OK, &json!({})),
                Err(failure) => failure.json(),
            },
            _ => Failure::unsupported(format!("{method} /internal/{}", ask::clip(what))).json(),
        }
    }
}

/// The same call, on nobody's bill: for what is only looked at in order to answer.
fn unbilled(call: &Call) -> Call {
    Call { meter: Meter::default(), ..call.clone() }
}

/// The bucket that a request of the JSON API takes to be there.
fn bucket_of(place: &Place) -> Option<&str> {
    match place {
        Place::Bucket(bucket)
        | Place::OfBucket(bucket, _)
        | Place::Objects(bucket)
        | Place::Object(bucket, _)
        | Place::OfObject(bucket, ..)
        | Place::Upload(bucket)
        | Place::Download(bucket, _) => Some(bucket),
        _ => None,
    }
}

/// What a record says that a request was about.
fn resource(place: &Place, ask: &Ask<'_>) -> Option<String> {
    let of = |bucket: &str, key: Option<&str>| key.map_or_else(|| bucket.to_owned(), |key| format!("{bucket}/{key}"));
    Some(match place {
        Place::Firebase { bucket, key } => of(bucket, key.as_deref().or_else(|| ask.get("name"))),
        Place::Upload(bucket) => of(bucket, ask.get("name")),
        Place::Object(bucket, key) | Place::OfObject(bucket, key, _) | Place::Download(bucket, key) => of(bucket, Some(key)),
        Place::Plain { bucket, key } => of(bucket, Some(key)),
        other => bucket_of(other)?.to_owned(),
    })
}

impl Wire for Storage {
    fn handle<'a>(&'a self, call: &'a Call, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Some(place) = place(parts.uri.path()) else { return Failure::not_found("Not Found").json() };
            let (action, response) = self.answer(call, &place, &parts, body::guarded(body)).await;
            if action.is_empty() {
                return response;
            }
            Description { resource: resource(&place, &Ask::new(&parts)), ..Description::new(SERVICE, action) }.attach(response)
        })
    }

    fn exposed(&self) -> &'static str {
        "content-type, content-length, content-range, content-disposition, etag, x-firebase-storage-version, x-goog-hash, \
         x-goog-generation, x-goog-metageneration, x-goog-stored-content-encoding, x-goog-stored-content-length, \
         x-goog-upload-size-received, x-goog-upload-url, x-goog-upload-command, x-gupload-uploadid, \
         x-goog-upload-header-content-length, x-goog-upload-header-content-type, x-goog-upload-protocol, x-goog-upload-status, \
         x-goog-upload-chunk-granularity, x-goog-upload-control-url, location, range"
    }
}

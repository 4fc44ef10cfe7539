//! A request to a function of a codebase, from the port to the answer. Bounds and texts: "Cloud Run functions quotas", and what the two
//! generations answer where a function does not.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use tokio::sync::mpsc;

use super::outlet::{self, Outlet, Part};
use super::request::{self, Address};
use crate::base::Call;
use crate::functions::answer::{Answer, InvokeError};
use crate::functions::catalog::Entry;
use crate::functions::invoke::{Asked, Functions};
use crate::project::firebase::{Endpoint, Generation};

/// Largest body of a request, in bytes, by generation.
const BODY_BYTES_MAX_FIRST: usize = 10 << 20;
const BODY_BYTES_MAX_SECOND: usize = 32 << 20;

/// The body of an answer: at hand, or still being made.
#[derive(Debug)]
pub enum Content {
    Whole(Bytes),
    Pieces(mpsc::Receiver<Part>),
}

impl Content {
    /// All of it.
    pub async fn collect(self) -> Bytes {
        match self {
            Content::Whole(bytes) => bytes,
            Content::Pieces(mut parts) => {
                let mut all = BytesMut::new();
                while let Some(Part::Data(bytes)) = parts.recv().await {
                    all.extend_from_slice(&bytes);
                }
                all.freeze()
            }
        }
    }
}

/// An answer, and who gave it.
#[derive(Debug)]
pub struct Served {
    pub response: Response<Content>,
    pub function: Option<Arc<str>>,
}

impl Functions {
    /// Answers a request to `/PROJECT/REGION/NAME/rest`. Never fails: what goes wrong is answered as the cloud answers it.
    pub async fn serve_path(&self, call: &Call, request: Request<Bytes>, source: IpAddr) -> Served {
        let uri = request.uri().clone();
        let Some(address) = Address::of(uri.path()) else {
            return refused(None, StatusCode::NOT_FOUND, "Not Found");
        };
        let url = match uri.query() {
            Some(query) => format!("{}?{query}", address.rest),
            None => address.rest.to_owned(),
        };
        let catalog = self.catalog();
        let found = catalog.get(address.name).filter(|entry| {
            let endpoint = entry.function.firebase.as_deref();
            endpoint.is_some_and(|endpoint| endpoint.takes_requests() && endpoint.regions.iter().any(|region| region == address.region))
        });
        match found {
            Some(entry) => self.serve_function(call, Arc::clone(entry), request, url, source).await,
            None => {
                let valid = catalog.iter().filter_map(|entry| {
                    let endpoint = entry.function.firebase.as_deref().filter(|endpoint| endpoint.takes_requests())?;
                    Some(endpoint.regions.iter().map(|region| format!("{region}/{}", entry.name)).collect::<Vec<_>>())
                });
                let valid: Vec<String> = valid.flatten().collect();
                let text = format!(
                    "Function {}/{} does not exist, valid functions are: {}",
                    address.region,
                    address.name,
                    if valid.is_empty() { "none".to_owned() } else { valid.join(", ") }
                );
                refused(None, StatusCode::NOT_FOUND, text)
            }
        }
    }

    /// The function that a rewrite of hosting names, in a region or wherever it is.
    pub fn function_in(&self, name: &str, region: Option<&str>) -> Option<Arc<Entry>> {
        let catalog = self.catalog();
        let entry = catalog.get(name)?;
        let endpoint = entry.function.firebase.as_deref()?;
        let fits = endpoint.takes_requests() && region.is_none_or(|wanted| endpoint.regions.iter().any(|region| region == wanted));
        fits.then(|| Arc::clone(entry))
    }

    /// Has a function answer a request; `url` is the path and query that it sees.
    pub async fn serve_function(&self, call: &Call, entry: Arc<Entry>, request: Request<Bytes>, url: String, source: IpAddr) -> Served {
        let name = Arc::clone(&entry.name);
        let Some(endpoint) = entry.function.firebase.clone() else { return refused(Some(name), StatusCode::NOT_FOUND, "Not Found") };
        let (parts, body) = request.into_parts();
        let body_bytes_max = if endpoint.generation == Generation::First { BODY_BYTES_MAX_FIRST } else { BODY_BYTES_MAX_SECOND };
        if body.len() > body_bytes_max {
            return refused(Some(name), StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        let event = request::event(&parts, &url, &body, source);
        let (outlet, mut answer) = Outlet::new();
        let path = url.split('?').next().unwrap_or_default();
        let trigger = format!("{} {path}", parts.method);
        let asked = Asked { trigger: trigger.into(), event, outlet: Some(outlet) };
        let admitted = match self.admit(call, entry, asked).await {
            Ok(admitted) => admitted,
            Err(error) => return self.turned_away(name, &endpoint, &error),
        };
        let (functions, meter) = (self.clone(), call.meter.clone());
        // It runs to its end though the answer may be there before, and though nobody may wait for it any more.
        let mut running = tokio::spawn(async move { functions.run(admitted, &meter).await });
        tokio::select! {
            biased;
            part = answer.recv() => match part {
                Some(Part::Head { status, headers, is_whole }) => {
                    let content = if is_whole { Content::Whole(rest(&mut answer).await) } else { Content::Pieces(answer) };
                    let mut response = Response::new(content);
                    *response.status_mut() = status;
                    *response.headers_mut() = headers;
                    Served { response, function: Some(name) }
                }
                // Its door is gone: it has ended without an answer.
                _ => ended(name, &endpoint, running.await.ok()),
            },
            ended_first = &mut running => ended(name, &endpoint, ended_first.ok()),
        }
    }

    fn turned_away(&self, name: Arc<str>, endpoint: &Endpoint, error: &InvokeError) -> Served {
        match error {
            InvokeError::Throttled { .. } if endpoint.generation == Generation::First => {
                refused(Some(name), StatusCode::TOO_MANY_REQUESTS, "Rate exceeded.")
            }
            InvokeError::Throttled { .. } => {
                let text = "The request was aborted because there was no available instance.";
                refused(Some(name), StatusCode::TOO_MANY_REQUESTS, text)
            }
            error => {
                self.tell(&name, error.to_string(), None);
                refused(Some(name), StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        }
    }
}

/// What is left of an answer whose parts are all on the way.
async fn rest(answer: &mut mpsc::Receiver<Part>) -> Bytes {
    match answer.recv().await {
        Some(Part::Data(bytes)) => bytes,
        _ => Bytes::new(),
    }
}

/// The answer of a function that has ended before any of it came: with its answer, or without one.
fn ended(name: Arc<str>, endpoint: &Endpoint, answer: Option<Answer>) -> Served {
    if let Some(response) = answer.as_ref().filter(|answer| answer.error.is_none()).and_then(|answer| whole(&answer.payload)) {
        return Served { response, function: Some(name) };
    }
    let error = answer.as_ref().and_then(|answer| answer.error.as_ref());
    let is_first = endpoint.generation == Generation::First;
    let (status, text) = match error {
        Some(error) if error.kind == "Sandbox.Timedout" && is_first => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        Some(error) if error.kind == "Sandbox.Timedout" => (StatusCode::GATEWAY_TIMEOUT, "upstream request timeout"),
        // Nothing is left that could answer: in the cloud the request would wait until its time is over.
        None if answer.is_some() => (StatusCode::GATEWAY_TIMEOUT, "the function ended without an answer to the request"),
        _ if is_first => (StatusCode::INTERNAL_SERVER_ERROR, "Error: could not handle the request"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    };
    refused(Some(name), status, text)
}

/// The answer that a function ended with.
fn whole(payload: &[u8]) -> Option<Response<Content>> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Whole {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
        #[serde(default)]
        is_base64_encoded: bool,
    }
    let Whole { status, headers, body, is_base64_encoded } = serde_json::from_slice(payload).ok()?;
    let body = if is_base64_encoded { STANDARD.decode(body).ok()?.into() } else { Bytes::from(body) };
    let mut response = Response::new(Content::Whole(body));
    (*response.status_mut(), *response.headers_mut()) = outlet::head_of(status, headers)?;
    Some(response)
}

fn refused(function: Option<Arc<str>>, status: StatusCode, text: impl Into<Bytes>) -> Served {
    let mut response = Response::new(Content::Whole(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Served { response, function }
}

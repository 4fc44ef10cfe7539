//! The port of a Firebase project's functions: `/PROJECT/REGION/NAME`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream;
use http::StatusCode;

use super::guard::Pages;
use super::listener::Face;
use super::network::Endpoint;
use super::origin::{Answered, Origin};
use crate::base::{Call, Usage};
use crate::functions::firebase::{Content, Part, Served};
use crate::functions::{Entry, Functions};
use crate::wire::firebase::identity;
use crate::wire::http::{Body, BodyError, BoxError, Description, Request, Response, header, json};

/// Bytes of a request, as the second generation takes them ("Cloud Run functions quotas").
const REQUEST_BYTES_MAX: usize = 32 << 20;

/// The functions of a project's codebases, to those outside and to the functions inside.
pub struct FunctionsFace {
    pub functions: Functions,
    pub origin: Origin,
}

/// Listeners are on the loopback, so that is where a request comes from.
const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl FunctionsFace {
    async fn answer(&self, call: &Call, request: Request) -> (Response, Option<Arc<str>>) {
        match whole(request).await {
            Ok(request) => {
                let Served { response, function } = self.functions.serve_path(call, request, SOURCE).await;
                (response.map(body_of), function)
            }
            Err(refused) => (refused, None),
        }
    }
}

/// Has a function answer a request that came to another port; it sees the request's own path.
pub async fn pass_on(functions: &Functions, call: &Call, entry: Arc<Entry>, request: Request) -> Response {
    let url = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    match whole(request).await {
        Ok(request) => functions.serve_function(call, entry, request, url, SOURCE).await.response.map(body_of),
        Err(refused) => refused,
    }
}

async fn whole(request: Request) -> Result<http::Request<Bytes>, Response> {
    let (parts, body) = request.into_parts();
    let bytes = body.collect(REQUEST_BYTES_MAX).await.map_err(|error| unreadable(&error))?;
    Ok(http::Request::from_parts(parts, bytes))
}

fn unreadable(error: &BodyError) -> Response {
    let (status, text) = match error {
        BodyError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        BodyError::Broken(_) => (StatusCode::BAD_REQUEST, "Bad Request"),
    };
    json(status, &serde_json::json!({ "message": text }))
}

/// The body of a function's answer, as it is made.
fn body_of(content: Content) -> Body {
    match content {
        Content::Whole(bytes) => Body::Bytes(bytes),
        Content::Pieces(parts) => {
            let pieces = stream::unfold(Some(parts), |parts| async move {
                let mut parts = parts?;
                match parts.recv().await {
                    Some(Part::Data(bytes)) => Some((Ok(bytes), Some(parts))),
                    Some(Part::Head { .. } | Part::End) => None,
                    // What is cut off must not look like what is whole.
                    None => Some((Err(BoxError::from("the function ended before its answer did")), None)),
                }
            });
            Body::stream(pieces, None)
        }
    }
}

impl Face for FunctionsFace {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let caller = identity::caller(request.headers());
            // Functions say themselves which pages may call them.
            match self.origin.enter("functions", request, caller, Pages::Any) {
                Ok((entered, request)) => {
                    let (response, function) = self.answer(&entered.call, request).await;
                    self.origin.leave(entered, response, Answered { function, own: Usage::default() })
                }
                Err(refused) => refused,
            }
        })
    }
}

impl Endpoint for FunctionsFace {
    fn serve(&self, call: Call, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let operation = self.origin.begin(&call);
            let action = request.method().to_string();
            let host = header(request.headers(), "host").unwrap_or_default().to_owned();
            let (response, _) = self.answer(&operation.call, request).await;
            let described = Description { resource: Some(host), ran: true, ..Description::new("http", action) };
            self.origin.end(operation, &call, described, response.status().as_u16(), Usage::default());
            response
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_in_pieces_ends_with_its_last_one() {
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        for part in [Part::Data(Bytes::from_static(b"a")), Part::Data(Bytes::from_static(b"b")), Part::End] {
            sender.send(part).await.expect("room");
        }
        assert_eq!(body_of(Content::Pieces(receiver)).collect(10).await.expect("a body"), "ab");
        assert_eq!(body_of(Content::Whole(Bytes::from_static(b"c"))).collect(10).await.expect("a body"), "c");
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        sender.send(Part::Data(Bytes::from_static(b"a"))).await.expect("room");
        drop(sender);
        assert!(body_of(Content::Pieces(receiver)).collect(10).await.is_err(), "an answer that was cut off is no answer");
    }
}

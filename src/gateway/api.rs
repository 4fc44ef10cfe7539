//! The project's own HTTP API.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::StatusCode;

use super::guard::Pages;
use super::listener::Face;
use super::network::Endpoint;
use super::origin::{Answered, Origin};
use crate::base::{Call, Caller, Usage};
use crate::functions::{Functions, Reply};
use crate::wire::http::{Body, BodyError, Description, Request, Response, header, json};

/// Bytes of a request, as API Gateway takes them ("Amazon API Gateway quotas": payload size 10 MB).
const REQUEST_BYTES_MAX: usize = 10 << 20;

/// The routes of the project's functions, to those outside and to the functions inside.
pub struct Api {
    pub functions: Functions,
    pub origin: Origin,
}

impl Api {
    async fn answer(&self, call: &Call, request: Request) -> Reply {
        let (parts, body) = request.into_parts();
        match body.collect(REQUEST_BYTES_MAX).await {
            Ok(bytes) => {
                // Listeners are on the loopback, so that is where a request comes from.
                self.functions.http(call, http::Request::from_parts(parts, bytes), IpAddr::V4(Ipv4Addr::LOCALHOST)).await
            }
            Err(error) => {
                let status = match error {
                    BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                    BodyError::Broken(_) => StatusCode::BAD_REQUEST,
                };
                let text = if status == StatusCode::PAYLOAD_TOO_LARGE { "Request Entity Too Large" } else { "Bad Request" };
                let (parts, _) = json(status, &serde_json::json!({ "message": text })).into_parts();
                let body = Bytes::from(format!("{{\"message\":\"{text}\"}}"));
                Reply { response: http::Response::from_parts(parts, body), function: None, own: Usage::default() }
            }
        }
    }
}

impl Face for Api {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            // Pages of any site may call an API; the project's CORS settings say which may read its answers.
            match self.origin.enter("http", request, Caller::Anonymous, Pages::Any) {
                Ok((entered, request)) => {
                    let Reply { response, function, own } = self.answer(&entered.call, request).await;
                    self.origin.leave(entered, response.map(Body::from), Answered { function, own })
                }
                Err(refused) => refused,
            }
        })
    }
}

impl Endpoint for Api {
    fn serve(&self, call: Call, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let operation = self.origin.begin(&call);
            let action = request.method().to_string();
            let host = header(request.headers(), "host").unwrap_or_default().to_owned();
            let reply = self.answer(&operation.call, request).await;
            let described = Description { resource: Some(host), ran: true, ..Description::new("http", action) };
            self.origin.end(operation, &call, described, reply.response.status().as_u16(), reply.own);
            reply.response.map(Body::from)
        })
    }
}

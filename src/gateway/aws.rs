//! The AWS port.

use futures_util::future::BoxFuture;

use super::guard::Pages;
use super::listener::Face;
use super::network::Endpoint;
use super::origin::{Answered, Origin};
use crate::base::{Call, Caller, Usage};
use crate::wire::aws::Aws;
use crate::wire::http::{Description, Request, Response};

/// All AWS services, to those outside and to the functions inside.
pub struct AwsFace {
    pub aws: Aws,
    pub origin: Origin,
}

impl AwsFace {
    /// Answers a request, and keeps a record of the operation that it was.
    async fn operate(&self, call: &Call, request: Request) -> Response {
        let operation = self.origin.begin(call);
        let mut response = self.aws.handle(&operation.call, request).await;
        match response.extensions_mut().remove::<Description>() {
            Some(described) => self.origin.end(operation, call, described, response.status().as_u16(), Usage::default()),
            // emu's own questions, which no provider has.
            None => call.meter.add(&operation.call.meter.total()),
        }
        response
    }
}

impl Face for AwsFace {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            // A browser's question whether its page may ask is answered by S3's CORS settings, which name the pages.
            let asks = request.headers().contains_key("access-control-request-method");
            let pages = if asks { Pages::Any } else { Pages::Local };
            match self.origin.enter("aws", request, Caller::Admin, pages) {
                Ok((entered, request)) => {
                    let response = self.operate(&entered.call, request).await;
                    self.origin.leave(entered, response, Answered::default())
                }
                Err(refused) => refused,
            }
        })
    }
}

impl Endpoint for AwsFace {
    fn serve(&self, call: Call, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move { self.operate(&call, request).await })
    }
}

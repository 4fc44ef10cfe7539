//! The AWS port.

use futures_util::future::BoxFuture;

use super::listener::Face;
use super::network::Endpoint;
use super::origin::Origin;
use crate::base::{Call, Caller};
use crate::wire::aws::Aws;
use crate::wire::http::{Request, Response};

/// All AWS services, to those outside and to the functions inside.
pub struct AwsFace {
    pub aws: Aws,
    pub origin: Origin,
}

impl Face for AwsFace {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            // A browser's question whether its page may ask is answered by S3's CORS settings, which name the pages.
            let pages = request.headers().contains_key("access-control-request-method");
            match self.origin.enter("aws", &request, Caller::Admin, pages) {
                Ok(entered) => {
                    let response = self.aws.handle(&entered.call, request).await;
                    self.origin.leave(entered, response, None)
                }
                Err(refused) => refused,
            }
        })
    }
}

impl Endpoint for AwsFace {
    fn serve(&self, call: Call, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move { self.aws.handle(&call, request).await })
    }
}

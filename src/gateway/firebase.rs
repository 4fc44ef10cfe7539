//! The ports of a Firebase project: one wire each.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::guard::Pages;
use super::listener::Face;
use super::network::Endpoint;
use super::origin::{Answered, Origin};
use crate::base::{Call, Usage};
use crate::wire::firebase::{Wire, cors, identity};
use crate::wire::http::{Description, Request, Response};

/// One of Firebase's services, to those outside and to the functions inside.
pub struct FirebaseFace {
    /// What records call it.
    pub name: &'static str,
    pub wire: Arc<dyn Wire>,
    pub origin: Origin,
}

impl FirebaseFace {
    /// Answers a request, and keeps a record of the operation that it was.
    async fn operate(&self, call: &Call, request: Request) -> Response {
        let operation = self.origin.begin(call);
        let mut response = self.wire.handle(&operation.call, request).await;
        match response.extensions_mut().remove::<Description>() {
            Some(described) => self.origin.end(operation, call, described, response.status().as_u16(), Usage::default()),
            // Pages, and questions that only emulators answer.
            None => call.meter.add(&operation.call.meter.total()),
        }
        response
    }
}

impl Face for FirebaseFace {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let caller = identity::caller(request.headers());
            let asked = cors::Asked::of(request.method(), request.headers());
            match self.origin.enter(self.name, request, caller, Pages::LocalScripts) {
                Ok((entered, request)) => {
                    let mut response = match asked.preflight() {
                        Some(answer) => answer,
                        None => self.operate(&entered.call, request).await,
                    };
                    asked.allow(&mut response, self.wire.exposed());
                    self.origin.leave(entered, response, Answered::default())
                }
                Err(refused) => refused,
            }
        })
    }
}

impl Endpoint for FirebaseFace {
    fn serve(&self, call: Call, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move { self.operate(&call, request).await })
    }
}

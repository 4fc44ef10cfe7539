//! Pub/Sub's protocols: gRPC and REST on one port. Source: `google/pubsub/v1/pubsub.proto`.

mod decode;
mod encode;
mod fail;
mod operation;
mod proto;
pub mod push;
mod rest;
mod stream;
#[cfg(test)]
mod tests;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use self::stream::ANSWERS_MAX;
use crate::base::Call;
use crate::services::pubsub::Pubsub;
use crate::wire::firebase::Wire;
use crate::wire::firebase::rpc::{Failure, coded, grpc};
use crate::wire::http::{Body, Description, Request, Response};

/// How its operations are recorded.
const SERVICE: &str = "pubsub";

/// Answers Pub/Sub's requests. Clones share what they know.
#[derive(Clone)]
pub struct PubsubWire {
    pubsub: Pubsub,
}

impl PubsubWire {
    pub fn new(pubsub: Pubsub) -> PubsubWire {
        PubsubWire { pubsub }
    }

    async fn respond(&self, call: &Call, request: Request) -> Response {
        if !grpc::is_grpc(&request) {
            return self.rest(call, request).await;
        }
        let path = request.uri().path().to_owned();
        let method = path.rsplit('/').next().unwrap_or_default();
        let response = self.grpc(call, &path, request.into_body()).await;
        Description::new(SERVICE, method).attach(response)
    }

    async fn grpc(&self, call: &Call, path: &str, body: Body) -> Response {
        /// Reads the message, makes the call, and says which code it failed with.
        macro_rules! answer {
            ($operation:ident) => {{
                let outcome = match grpc::message(body).await {
                    Ok(message) => self.$operation(call, message).await,
                    Err(failure) => Err(failure),
                };
                let code = outcome.as_ref().err().map(|failure| failure.code.name());
                coded(grpc::unary(outcome), code)
            }};
        }
        let method = ["google.pubsub.v1.Publisher/", "google.pubsub.v1.Subscriber/", "google.iam.v1.IAMPolicy/"];
        let method = method.iter().find_map(|service| path.strip_prefix('/')?.strip_prefix(service));
        match method.unwrap_or_default() {
            "CreateTopic" => answer!(create_topic),
            "UpdateTopic" => answer!(update_topic),
            "Publish" => answer!(publish),
            "GetTopic" => answer!(get_topic),
            "ListTopics" => answer!(list_topics),
            "ListTopicSubscriptions" => answer!(list_topic_subscriptions),
            "ListTopicSnapshots" => answer!(list_topic_snapshots),
            "DeleteTopic" => answer!(delete_topic),
            "DetachSubscription" => answer!(detach_subscription),
            "CreateSubscription" => answer!(create_subscription),
            "GetSubscription" => answer!(get_subscription),
            "UpdateSubscription" => answer!(update_subscription),
            "ListSubscriptions" => answer!(list_subscriptions),
            "DeleteSubscription" => answer!(delete_subscription),
            "ModifyAckDeadline" => answer!(modify_ack_deadline),
            "Acknowledge" => answer!(acknowledge),
            "Pull" => answer!(pull),
            "ModifyPushConfig" => answer!(modify_push_config),
            "ListSnapshots" => answer!(list_snapshots),
            "Seek" => answer!(seek),
            "TestIamPermissions" => answer!(test_iam_permissions),
            "StreamingPull" => {
                let (answers, receiver) = mpsc::channel(ANSWERS_MAX);
                let (wire, call) = (self.clone(), call.clone());
                let requests = grpc::messages(body).boxed();
                tokio::spawn(async move { wire.streaming_pull(call, requests, answers).await });
                grpc::streaming(receiver)
            }
            _ => {
                let failure = Failure::unimplemented(format!("emu does not know the method `{}` of Pub/Sub", path.trim_start_matches('/')));
                coded(grpc::refused(&failure), Some(failure.code.name()))
            }
        }
    }
}

impl Wire for PubsubWire {
    fn handle<'a>(&'a self, call: &'a Call, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(self.respond(call, request))
    }
}

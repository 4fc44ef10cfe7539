//! Firestore's protocols: gRPC, REST and WebChannel on one port. Source: `google/firestore/v1` and the emulator's own endpoints.

mod channel;
mod decode;
mod encode;
mod fail;
mod operation;
pub mod proto;
mod rest;
mod stream;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use self::fail::{Code, Failure};
use self::stream::ANSWERS_MAX;
use crate::base::{Call, Ids};
use crate::services::documents::Documents;
use crate::wire::firebase::Wire;
use crate::wire::firebase::access::Access;
use crate::wire::firebase::rpc::{Requests, coded, grpc};
use crate::wire::http::{Body, Description, Recorder, Request, Response};

/// How its operations are recorded.
const SERVICE: &str = "firestore";
/// What the paths of its gRPC calls begin with.
const GRPC: &str = "/google.firestore.v1.Firestore/";

/// Answers Firestore's requests. Clones share what they know.
#[derive(Clone)]
pub struct Firestore {
    documents: Documents,
    ids: Ids,
    access: Arc<Access>,
    sessions: Arc<channel::Sessions>,
    recorder: Arc<dyn Recorder>,
}

impl Firestore {
    /// `recorder` keeps records of what comes on streams.
    pub fn new(documents: Documents, ids: Ids, recorder: Arc<dyn Recorder>) -> Firestore {
        Firestore { documents, ids, access: Arc::new(Access::new("Firestore")), sessions: Arc::default(), recorder }
    }

    async fn respond(&self, call: &Call, request: Request) -> Response {
        // Who asks by a channel says so in its first form.
        if let Some(kind) = channel::Kind::of(request.uri().path()) {
            return self.channel(call, kind, request).await;
        }
        self.access.check(call);
        if !grpc::is_grpc(&request) {
            return self.rest(call, request).await;
        }
        let method = request.uri().path().strip_prefix(GRPC).unwrap_or_default().to_owned();
        let response = self.grpc(call, &method, request.into_body()).await;
        Description::new(SERVICE, if method.is_empty() { "?".to_owned() } else { method }).attach(response)
    }

    async fn grpc(&self, call: &Call, method: &str, body: Body) -> Response {
        /// Reads the message, makes the call, and says which code it failed with.
        macro_rules! answer {
            ($answer:path, $operation:ident) => {{
                let outcome = match grpc::message(body).await {
                    Ok(message) => self.$operation(call, message).await,
                    Err(failure) => Err(failure),
                };
                let code = outcome.as_ref().err().map(|failure| failure.code.name());
                coded($answer(outcome), code)
            }};
        }
        match method {
            "GetDocument" => answer!(grpc::unary, get_document),
            "ListDocuments" => answer!(grpc::unary, list_documents),
            "CreateDocument" => answer!(grpc::unary, create_document),
            "UpdateDocument" => answer!(grpc::unary, update_document),
            "DeleteDocument" => answer!(grpc::unary, delete_document),
            "BatchGetDocuments" => answer!(grpc::several, batch_get),
            "BeginTransaction" => answer!(grpc::unary, begin_transaction),
            "Commit" => answer!(grpc::unary, commit),
            "Rollback" => {
                let outcome = grpc::message(body).await.and_then(|message| self.rollback(&message));
                grpc::unary(outcome)
            }
            "RunQuery" => answer!(grpc::several, run_query),
            "RunAggregationQuery" => answer!(grpc::several, run_aggregation_query),
            "ExecutePipeline" => answer!(grpc::several, execute_pipeline),
            "PartitionQuery" => answer!(grpc::unary, partition_query),
            "ListCollectionIds" => answer!(grpc::unary, list_collection_ids),
            "BatchWrite" => answer!(grpc::unary, batch_write),
            "Write" => {
                let (answers, receiver) = mpsc::channel(ANSWERS_MAX);
                let (firestore, call) = (self.clone(), call.clone());
                let requests: Requests<proto::WriteRequest> = grpc::messages(body).boxed();
                tokio::spawn(async move { firestore.write_stream(call, requests, answers).await });
                grpc::streaming(receiver)
            }
            "Listen" => {
                let (answers, receiver) = mpsc::channel(ANSWERS_MAX);
                let (firestore, call) = (self.clone(), call.clone());
                let requests: Requests<proto::ListenRequest> = grpc::messages(body).boxed();
                tokio::spawn(async move { firestore.listen_stream(call, requests, answers).await });
                grpc::streaming(receiver)
            }
            other => {
                let text = format!("emu does not know the method `{other}` of google.firestore.v1.Firestore");
                coded(grpc::refused(&Failure::new(Code::Unimplemented, text)), Some(Code::Unimplemented.name()))
            }
        }
    }
}

impl Wire for Firestore {
    fn handle<'a>(&'a self, call: &'a Call, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(self.respond(call, request))
    }

    fn exposed(&self) -> &'static str {
        "x-http-session-id"
    }
}

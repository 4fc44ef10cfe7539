//! The protocols as their clients see them.

use futures_util::StreamExt;
use http::{Method, StatusCode};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::PubsubWire;
use super::proto::{StreamingPullRequest, StreamingPullResponse};
use crate::base::{Call, Caller, Clock, Ids, Time};
use crate::services::pubsub::{Pubsub, SCHEMA};
use crate::store::{Db, Options};
use crate::wire::firebase::Wire;
use crate::wire::firebase::rpc::Failure;
use crate::wire::http::{Body, Description};

struct Server {
    wire: PubsubWire,
    call: Call,
    _folder: tempfile::TempDir,
}

fn server() -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock, ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a database");
    db.set_interest(Box::new(|_, _| false));
    Server { wire: PubsubWire::new(Pubsub::new(db)), call: Call { caller: Caller::Admin, ..Call::operator() }, _folder: folder }
}

impl Server {
    async fn rest(&self, method: Method, path: &str, body: Json) -> (u16, Json, Description) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = http::Request::builder().method(method).uri(format!("/v1/projects/p/{path}")).body(body).expect("a request");
        let mut response = self.wire.handle(&self.call, request).await;
        let said = response.extensions_mut().remove().expect("a description");
        let status = response.status().as_u16();
        let bytes = response.into_body().collect(1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null), said)
    }

    async fn put(&self, path: &str, body: Json) {
        let (status, answer, _) = self.rest(Method::PUT, path, body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    }
}

#[tokio::test]
async fn errors_say_code_status_and_text() {
    let server = server();
    server.put("topics/there", json!({})).await;
    server.put("subscriptions/there", json!({ "topic": "projects/p/topics/there" })).await;
    let push = json!({ "topic": "projects/p/topics/there", "pushConfig": { "pushEndpoint": "http://localhost:1" } });
    server.put("subscriptions/pushed", push).await;
    let check = async |method: Method, path: &str, body: Json, wanted: (u16, &str, &str)| {
        let (status, answer, said) = server.rest(method, path, body).await;
        let error = &answer["error"];
        assert_eq!((status, error["status"].as_str()), (wanted.0, Some(wanted.1)), "{path}: {answer}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(wanted.2)), "{path}: {answer}");
        assert_eq!((said.service, said.error.as_deref()), ("pubsub", Some(wanted.1)), "{path}");
    };
    let topic = json!({ "topic": "projects/p/topics/there" });
    check(Method::GET, "topics/none", Json::Null, (404, "NOT_FOUND", "Resource not found (resource=none).")).await;
    check(Method::PUT, "topics/there", json!({}), (409, "ALREADY_EXISTS", "already exists in the project (resource=there)")).await;
    check(Method::PUT, "topics/1", json!({}), (400, "INVALID_ARGUMENT", "Invalid resource name given")).await;
    check(Method::PUT, "subscriptions/new", json!({ "topic": "projects/p/topics/none" }), (404, "NOT_FOUND", "none")).await;
    check(Method::PUT, "subscriptions/there", topic, (409, "ALREADY_EXISTS", "there")).await;
    check(Method::POST, "topics/there:publish", json!({ "messages": [] }), (400, "INVALID_ARGUMENT", "1 to 1000 messages")).await;
    check(Method::POST, "topics/there:publish", json!({ "messages": 7 }), (400, "INVALID_ARGUMENT", "Invalid JSON payload")).await;
    check(Method::POST, "subscriptions/there:pull", json!({}), (400, "INVALID_ARGUMENT", "max_messages")).await;
    check(Method::POST, "subscriptions/pushed:pull", json!({ "maxMessages": 1 }), (400, "FAILED_PRECONDITION", "subscription type")).await;
    check(Method::POST, "subscriptions/there:acknowledge", json!({ "ackIds": ["x"] }), (400, "INVALID_ARGUMENT", "(ack_id=x)")).await;
    check(Method::PATCH, "subscriptions/there", json!({}), (400, "INVALID_ARGUMENT", "update_mask")).await;
    check(Method::PATCH, "subscriptions/there", json!({ "updateMask": "filter" }), (400, "INVALID_ARGUMENT", "`filter`")).await;
    check(Method::POST, "subscriptions/there:seek", json!({ "snapshot": "x" }), (501, "UNIMPLEMENTED", "seek to a time")).await;
    check(Method::GET, "schemas", Json::Null, (404, "NOT_FOUND", "nothing of Pub/Sub")).await;
}

#[tokio::test]
async fn a_stream_sends_what_comes_and_confirms_where_it_is_to() {
    let server = server();
    server.put("topics/topic", json!({})).await;
    server.put("subscriptions/sub", json!({ "topic": "projects/p/topics/topic", "enableExactlyOnceDelivery": true })).await;
    let (requests, incoming) = mpsc::channel::<Result<StreamingPullRequest, Failure>>(8);
    let (answers, mut told) = mpsc::channel(8);
    let stream = futures_util::stream::unfold(incoming, |mut incoming| async move { Some((incoming.recv().await?, incoming)) });
    tokio::spawn({
        let (wire, call) = (server.wire.clone(), server.call.clone());
        async move { wire.streaming_pull(call, stream.boxed(), answers).await }
    });
    let subscription = "projects/p/subscriptions/sub".to_owned();
    let first = StreamingPullRequest { subscription, stream_ack_deadline_seconds: 10, ..Default::default() };
    requests.send(Ok(first)).await.expect("it listens");
    let message = json!({ "messages": [{ "data": "aGk=", "orderingKey": "k" }] });
    server.rest(Method::POST, "topics/topic:publish", message).await;
    let answer: StreamingPullResponse = told.recv().await.expect("an answer").expect("no failure");
    assert!(
        answer.subscription_properties.as_ref().is_some_and(|said| said.exactly_once_delivery_enabled && !said.message_ordering_enabled)
    );
    let [received] = &answer.received_messages[..] else { panic!("one message: {answer:?}") };
    assert_eq!(received.message.as_ref().map(|message| &message.data[..]), Some(&b"hi"[..]));
    let ack_ids = vec![received.ack_id.clone()];
    let ack = StreamingPullRequest { ack_ids: ack_ids.clone(), ..Default::default() };
    requests.send(Ok(ack)).await.expect("it listens");
    let confirmed = told.recv().await.expect("an answer").expect("no failure");
    assert_eq!(confirmed.acknowledge_confirmation.expect("a confirmation").ack_ids, ack_ids);
    let uneven = StreamingPullRequest { modify_deadline_ack_ids: ack_ids, ..Default::default() };
    requests.send(Ok(uneven)).await.expect("it listens");
    let failure = told.recv().await.expect("an answer").expect_err("refused");
    assert!(failure.message.contains("same length"));
    assert!(told.recv().await.is_none(), "a stream ends with its failure");
}

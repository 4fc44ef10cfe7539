//! The protocols as their clients see them.

use std::sync::{Arc, Mutex};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::StreamExt;
use http::{Method, StatusCode};
use prost::Message;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::Firestore;
use super::fail::Failure;
use super::proto::{self, target_change_type};
use crate::base::{Call, Caller, Clock, Ids, Meter, Time, Unit};
use crate::services::documents::{Documents, SCHEMA};
use crate::store::{Db, Options};
use crate::wire::firebase::Wire;
use crate::wire::http::{Body, Description, Recorder, Recording, Request, Response};

pub(super) const DATABASE: &str = "projects/p/databases/(default)";
const ROOT: &str = "projects/p/databases/(default)/documents";

pub(super) struct Server {
    pub(super) firestore: Firestore,
    pub(super) call: Call,
    /// What came on streams, as it is recorded.
    told: Told,
    _folder: tempfile::TempDir,
}

/// Operations that have ended: their names, errors, and what was read and written.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<String>>>);

impl Recorder for Told {
    fn begin(&self, asked: &Call) -> Recording {
        let call = Call { meter: Meter::default(), ..asked.clone() };
        let (told, meter) = (self.0.clone(), call.meter.clone());
        Recording::new(call, move |said, status| {
            let of = |unit| meter.total().get(unit);
            let usage = format!("read {} put {}", of(Unit::TableItemsRead), of(Unit::TableItemsPut));
            told.lock().expect("no panics").push(format!("{} {status} {usage}", said.action));
        })
    }
}

pub(super) fn server() -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock, ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a database");
    db.set_interest(Box::new(|_, _| false));
    let told = Told::default();
    let firestore = Firestore::new(Documents::new(db), Ids::seeded(2), Arc::new(told.clone()));
    Server { firestore, call: Call { caller: Caller::Admin, ..Call::operator() }, told, _folder: folder }
}

impl Server {
    async fn send(&self, request: Request) -> Response {
        self.firestore.handle(&self.call, request).await
    }

    /// A request over REST: the status, the answer, and what is recorded of it.
    pub(super) async fn rest(&self, method: Method, path: &str, body: Json) -> (StatusCode, Json, Description) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = http::Request::builder().method(method).uri(path).body(body).expect("a request");
        let mut response = self.send(request).await;
        let said = response.extensions_mut().remove().expect("a description");
        let status = response.status();
        let bytes = response.into_body().collect(1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null), said)
    }

    /// A call over gRPC that is answered at once: the messages, and the status.
    async fn grpc<T: Message + Default>(&self, method: &str, message: &impl Message) -> (Vec<T>, String) {
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(format!("/google.firestore.v1.Firestore/{method}"))
            .header("content-type", "application/grpc")
            .body(Body::from(framed(message)))
            .expect("a request");
        let response = self.send(request).await;
        let early = response.headers().get("grpc-status").and_then(|status| status.to_str().ok()).map(str::to_owned);
        let collected = http_body_util::BodyExt::collect(response.into_body()).await.expect("a body");
        let trailer = collected.trailers().and_then(|trailers| trailers.get("grpc-status")).and_then(|status| status.to_str().ok());
        let status = early.or(trailer.map(str::to_owned)).expect("a status");
        let messages = crate::wire::firebase::rpc::grpc::messages::<T>(Body::from(collected.to_bytes()));
        (messages.map(|message| message.expect("a message")).collect().await, status)
    }
}

fn framed(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(message.encoded_len() as u32);
    message.encode(&mut bytes).expect("there is room");
    bytes.freeze()
}

fn text(text: &str) -> proto::Value {
    proto::Value { kind: Some(proto::Kind::String(text.to_owned())) }
}

fn update(id: &str) -> proto::Write {
    let document = proto::Document { name: format!("{ROOT}/c/{id}"), fields: [("a".to_owned(), text("b"))].into(), ..Default::default() };
    proto::Write { update: Some(document), ..Default::default() }
}

#[tokio::test]
async fn documents_go_in_and_out_by_rest() {
    let server = server();
    let fields = json!({
        "null": {"nullValue": null}, "int": {"integerValue": "9007199254740993"}, "double": {"doubleValue": 1.5}, "whole": {"doubleValue": 2},
        "nan": {"doubleValue": "NaN"}, "time": {"timestampValue": "2026-01-02T03:04:05.678901Z"}, "bytes": {"bytesValue": "AP8="},
        "place": {"geoPointValue": {"latitude": 1.5, "longitude": -2.0}}, "list": {"arrayValue": {"values": [{"booleanValue": true}]}},
        "empty": {"arrayValue": {}}, "map": {"mapValue": {"fields": {"a": {"stringValue": "ü"}}}}, "ref": {"referenceValue": format!("{ROOT}/a/b")},
    });
    let path = format!("/v1/{ROOT}/c");
    let (status, made, said) = server.rest(Method::POST, &format!("{path}?documentId=d"), json!({ "fields": fields })).await;
    assert_eq!((status, made["name"].as_str(), &made["fields"]), (StatusCode::OK, Some(format!("{ROOT}/c/d").as_str()), &fields));
    assert_eq!((said.service, said.action.as_str()), ("firestore", "CreateDocument"));
    let (_, got, _) = server.rest(Method::GET, &format!("{path}/d?mask.fieldPaths=int"), Json::Null).await;
    assert_eq!(got["fields"], json!({"int": {"integerValue": "9007199254740993"}}));
    assert_eq!(got["createTime"], "2023-11-14T22:13:20Z");
    let patch = json!({"fields": {"int": {"integerValue": 1}}});
    let (_, patched, _) = server
        .rest(Method::PATCH, &format!("{path}/d?updateMask.fieldPaths=int&updateMask.fieldPaths=map&mask.fieldPaths=int"), patch)
        .await;
    assert_eq!(patched["fields"], json!({"int": {"integerValue": "1"}}));
    let (_, listed, _) = server.rest(Method::GET, &format!("{path}?pageSize=1"), Json::Null).await;
    assert_eq!((listed["documents"].as_array().map(Vec::len), listed.get("nextPageToken")), (Some(1), None));
    let (status, _, _) = server.rest(Method::DELETE, &format!("{path}/d"), Json::Null).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn errors_say_code_status_and_text() {
    let server = server();
    let check = async |method: Method, path: &str, body: Json, wanted: (u16, &str, &str)| {
        let (status, answer, said) = server.rest(method, path, body).await;
        let error = if answer.is_array() { &answer[0]["error"] } else { &answer["error"] };
        assert_eq!(
            (status.as_u16(), error["code"].as_u64(), error["status"].as_str()),
            (wanted.0, Some(u64::from(wanted.0)), Some(wanted.1)),
            "{answer}"
        );
        assert!(error["message"].as_str().is_some_and(|message| message.contains(wanted.2)), "{answer}");
        assert_eq!(said.error.as_deref(), Some(wanted.1));
        answer.is_array()
    };
    let root = format!("/v1/{ROOT}");
    assert!(
        !check(
            Method::GET,
            &format!("{root}/c/d"),
            Json::Null,
            (404, "NOT_FOUND", "Document \"projects/p/databases/(default)/documents/c/d\" not found.")
        )
        .await
    );
    check(Method::PATCH, &format!("{root}/c/d?currentDocument.exists=true"), json!({}), (404, "NOT_FOUND", "No document to update")).await;
    check(Method::POST, &format!("{root}:commit"), json!({"writes": [{}]}), (400, "INVALID_ARGUMENT", "no operation")).await;
    check(Method::POST, &format!("{root}:commit"), json!({"writes": 7}), (400, "INVALID_ARGUMENT", "Invalid JSON payload received.")).await;
    check(Method::POST, &format!("{root}:commit"), json!({"transaction": "AAAA"}), (400, "INVALID_ARGUMENT", "expired")).await;
    assert!(
        check(Method::POST, &format!("{root}:runQuery"), json!({}), (400, "INVALID_ARGUMENT", "query is missing")).await,
        "streams are arrays"
    );
    let expression = json!({"fields": {"a": {"fieldReferenceValue": "b"}}});
    check(Method::POST, &format!("{root}/c"), expression, (400, "INVALID_ARGUMENT", "expressions are for pipelines only")).await;
    assert!(check(Method::POST, &format!("{root}:executePipeline"), json!({}), (400, "INVALID_ARGUMENT", "pipeline is missing")).await);
    let search = json!({"structuredPipeline": {"pipeline": {"stages": [{"name": "search"}]}}});
    check(Method::POST, &format!("{root}:executePipeline"), search, (501, "UNIMPLEMENTED", "no text index")).await;
    let deep = (0..200).fold(json!({"nullValue": null}), |inner, _| json!({"mapValue": {"fields": {"m": inner}}}));
    check(Method::POST, &format!("{root}/c"), json!({"fields": {"a": deep}}), (400, "INVALID_ARGUMENT", "")).await;
}

#[tokio::test]
async fn a_pipeline_in_json_is_answered_in_json() {
    let server = server();
    for id in ["a", "b"] {
        let fields = json!({"fields": {"t": {"stringValue": id}}});
        server.rest(Method::POST, &format!("/v1/{ROOT}/c?documentId={id}"), fields).await;
    }
    let source = json!({"name": "collection", "args": [{"referenceValue": "/c"}]});
    let run = async |stages: Json, options: Json| {
        let asked = json!({"structuredPipeline": {"pipeline": {"stages": stages}, "options": options}, "newTransaction": {"readOnly": {}}});
        let (status, answer, said) = server.rest(Method::POST, &format!("/v1/{ROOT}:executePipeline"), asked).await;
        assert_eq!((status, said.action.as_str()), (StatusCode::OK, "ExecutePipeline"), "{answer}");
        answer
    };
    let upper = json!({"functionValue": {"name": "to_upper", "args": [{"fieldReferenceValue": "t"}]}});
    let select = json!({"name": "select", "args": [{"mapValue": {"fields": {"u": upper}}}]});
    let explain = json!({"explain_options": {"mapValue": {"fields": {"mode": {"stringValue": "analyze"}}}}});
    let answer = run(json!([source, select]), explain).await;
    assert_eq!(answer[0]["results"], json!([{"fields": {"u": {"stringValue": "A"}}}, {"fields": {"u": {"stringValue": "B"}}}]));
    assert_eq!(answer[0]["executionTime"], "2023-11-14T22:13:20.000001Z");
    assert!(answer[0]["transaction"].is_string());
    assert_eq!(answer[0]["explainStats"]["data"]["@type"], "type.googleapis.com/google.protobuf.StringValue");
    let whole = run(json!([source, {"name": "limit", "args": [{"integerValue": "1"}]}]), json!({})).await;
    assert_eq!(whole[0]["results"][0]["name"], format!("{ROOT}/c/a"));
    assert_eq!(whole[0]["results"][0]["createTime"], "2023-11-14T22:13:20Z");
    let none = run(json!([source, {"name": "limit", "args": [{"integerValue": "0"}]}]), json!({})).await;
    assert_eq!((none[0].get("results"), none[0]["executionTime"].is_string()), (None, true));
}

#[tokio::test]
async fn the_first_message_of_a_read_says_which_transaction_began() {
    let server = server();
    let commit = proto::CommitRequest { database: DATABASE.into(), writes: vec![update("a"), update("b")], ..Default::default() };
    let (committed, status) = server.grpc::<proto::CommitResponse>("Commit", &commit).await;
    assert_eq!((committed[0].write_results.len(), status.as_str()), (2, "0"));
    let new_transaction = Some(proto::TransactionOptions::default());
    let documents = ["a", "x", "b", "a"].iter().map(|id| format!("{ROOT}/c/{id}")).collect();
    let get = proto::BatchGetDocumentsRequest {
        database: DATABASE.into(),
        documents,
        new_transaction: new_transaction.clone(),
        ..Default::default()
    };
    let (got, _) = server.grpc::<proto::BatchGetDocumentsResponse>("BatchGetDocuments", &get).await;
    assert_eq!(got.len(), 3, "one for each document, twice named or not");
    assert!(!got[0].transaction.is_empty() && got[1].transaction.is_empty());
    assert_eq!(got.iter().filter(|got| got.missing.is_some() && got.read_time.is_some()).count(), 1);
    let from = vec![proto::CollectionSelector { collection_id: "none".into(), all_descendants: false }];
    let structured_query = Some(proto::StructuredQuery { from, ..Default::default() });
    let query = proto::RunQueryRequest { parent: ROOT.into(), structured_query, new_transaction, ..Default::default() };
    let (found, _) = server.grpc::<proto::RunQueryResponse>("RunQuery", &query).await;
    assert_eq!(found.len(), 1, "nothing found is a message too");
    assert!(found[0].document.is_none() && found[0].read_time.is_some() && !found[0].transaction.is_empty());
    let rollback = proto::RollbackRequest { database: DATABASE.into(), transaction: found[0].transaction.clone() };
    assert_eq!(server.grpc::<proto::Empty>("Rollback", &rollback).await.1, "0");
    let missing = proto::GetDocumentRequest { name: format!("{ROOT}/c/x"), ..Default::default() };
    assert_eq!(server.grpc::<proto::Document>("GetDocument", &missing).await.1, "5");
    assert_eq!(server.grpc::<proto::Empty>("Nothing", &missing).await.1, "12");
}

#[tokio::test]
async fn a_stream_of_writes_answers_one_by_one() {
    let server = server();
    let (requests, incoming) = mpsc::channel::<Result<proto::WriteRequest, Failure>>(8);
    let (answers, mut told) = mpsc::channel(8);
    let stream = futures_util::stream::unfold(incoming, |mut incoming| async move { Some((incoming.recv().await?, incoming)) });
    tokio::spawn({
        let (firestore, call) = (server.firestore.clone(), server.call.clone());
        async move { firestore.write_stream(call, stream.boxed(), answers).await }
    });
    let first = proto::WriteRequest { database: DATABASE.into(), ..Default::default() };
    requests.send(Ok(first)).await.expect("it listens");
    let hello = told.recv().await.expect("an answer").expect("no failure");
    assert!(!hello.stream_id.is_empty() && !hello.stream_token.is_empty() && hello.write_results.is_empty() && hello.commit_time.is_none());
    let transform = |path: &str, elements: bool| proto::FieldTransform {
        field_path: path.into(),
        set_to_server_value: if elements { 0 } else { proto::server_value::REQUEST_TIME },
        append_missing_elements: elements.then(|| proto::ArrayValue { values: vec![text("x")] }),
        ..Default::default()
    };
    let mut write = update("a");
    write.update_transforms = vec![transform("t", false), transform("l", true)];
    let writes = vec![write, update("b")];
    requests.send(Ok(proto::WriteRequest { writes, stream_token: hello.stream_token, ..Default::default() })).await.expect("it listens");
    let done = told.recv().await.expect("an answer").expect("no failure");
    let results: Vec<usize> = done.write_results.iter().map(|result| result.transform_results.len()).collect();
    assert_eq!(results, [2, 0], "a result for each write, and in it for each transform");
    let mut refused = update("a");
    refused.current_document = Some(proto::Precondition { exists: Some(false), update_time: None });
    requests.send(Ok(proto::WriteRequest { writes: vec![refused], ..Default::default() })).await.expect("it listens");
    assert_eq!(told.recv().await.expect("an answer").expect_err("a failure").code.name(), "ALREADY_EXISTS");
    assert!(told.recv().await.is_none(), "a stream ends with its failure");
    let recorded = server.told.0.lock().expect("no panics").join(", ");
    assert_eq!(recorded, "Write 200 OK read 0 put 2, Write 409 Conflict read 0 put 0", "each is an operation with its bill");
}

#[tokio::test]
async fn what_is_listened_to_ends_in_a_snapshot_of_everything() {
    let server = server();
    let (requests, incoming) = mpsc::channel::<Result<proto::ListenRequest, Failure>>(8);
    let (answers, mut told) = mpsc::channel(64);
    let stream = futures_util::stream::unfold(incoming, |mut incoming| async move { Some((incoming.recv().await?, incoming)) });
    tokio::spawn({
        let (firestore, call) = (server.firestore.clone(), server.call.clone());
        async move { firestore.listen_stream(call, stream.boxed(), answers).await }
    });
    let listen = |target: proto::Target| proto::ListenRequest { database: DATABASE.into(), add_target: Some(target), remove_target: None };
    let from = |id: &str| vec![proto::CollectionSelector { collection_id: id.into(), all_descendants: false }];
    let query = |id: &str| proto::QueryTarget {
        parent: ROOT.into(),
        structured_query: Some(proto::StructuredQuery { from: from(id), ..Default::default() }),
    };
    let mut next = async || told.recv().await.expect("an answer").expect("no failure").target_change;
    // A query that cannot be: told with its reason, and the stream goes on.
    requests
        .send(Ok(listen(proto::Target { query: Some(query("__bad__")), target_id: 2, ..Default::default() })))
        .await
        .expect("it listens");
    let refused = next().await.expect("a change of a target");
    assert_eq!((refused.target_change_type, refused.target_ids), (target_change_type::REMOVE, vec![2]));
    assert_eq!(refused.cause.expect("a cause").code, 3);
    requests.send(Ok(listen(proto::Target { query: Some(query("c")), target_id: 4, ..Default::default() }))).await.expect("it listens");
    assert_eq!(next().await.expect("a change").target_change_type, target_change_type::ADD);
    assert_eq!(next().await.expect("a change").target_change_type, target_change_type::CURRENT);
    let global = next().await.expect("a change");
    assert_eq!((global.target_change_type, global.target_ids.len()), (target_change_type::NO_CHANGE, 0));
    assert!(global.read_time.is_some() && !global.resume_token.is_empty());
    let commit = proto::CommitRequest { database: DATABASE.into(), writes: vec![update("a")], ..Default::default() };
    server.grpc::<proto::CommitResponse>("Commit", &commit).await;
    assert!(next().await.is_none(), "a document");
    let after = next().await.expect("a change");
    assert_eq!((after.target_change_type, after.target_ids.len()), (target_change_type::NO_CHANGE, 0));
    assert_ne!(after.resume_token, global.resume_token);
    let recorded = server.told.0.lock().expect("no panics").join(", ");
    assert_eq!(recorded, "Listen 400 Bad Request read 0 put 0, Listen 200 OK read 1 put 0, Listen 200 OK read 1 put 0");
}

//! The protocol as a browser sees it.

use futures_util::StreamExt;
use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::form::{Address, Form};
use super::{Kind, UNKNOWN_SESSION};
use crate::base::{Call, Caller};
use crate::wire::firebase::Wire;
use crate::wire::firebase::firestore::tests::{DATABASE, Server, server};
use crate::wire::http::{Body, Response};

/// What a client knows of its session.
struct Client<'a> {
    server: &'a Server,
    path: &'static str,
    id: String,
    seen: u64,
}

const LISTEN: &str = "/google.firestore.v1.Firestore/Listen/channel";
const WRITE: &str = "/google.firestore.v1.Firestore/Write/channel";

async fn send(server: &Server, method: Method, path: &str, form: &[(&str, &str)]) -> Response {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = http::Request::builder().method(method).uri(path).body(Body::from(body)).expect("a request");
    server.firestore.handle(&server.call, request).await
}

async fn text(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let bytes = response.into_body().collect(1 << 20).await.expect("a body");
    (status, String::from_utf8(bytes.to_vec()).expect("text"))
}

/// The arrays of the frames of an answer.
fn arrays(text: &str) -> Vec<Json> {
    let mut arrays = Vec::new();
    let mut rest = text;
    while let Some((length, after)) = rest.split_once('\n') {
        let units: usize = length.parse().expect("a length");
        // None of the texts of these tests has characters outside of ASCII.
        let (frame, after) = after.split_at(units);
        match serde_json::from_str(frame).expect("JSON") {
            Json::Array(all) => arrays.extend(all),
            other => panic!("no array: {other}"),
        }
        rest = after;
    }
    arrays
}

impl<'a> Client<'a> {
    async fn begin(server: &'a Server, path: &'static str, first: &Json) -> Client<'a> {
        let first = first.to_string();
        let form = [("headers", "Authorization:Bearer owner\r\n"), ("count", "1"), ("ofs", "0"), ("req0___data__", first.as_str())];
        let response = send(server, Method::POST, &format!("{path}?VER=8&RID=7&CVER=22&X-HTTP-Session-Id=gsessionid"), &form).await;
        assert!(response.headers().contains_key("x-http-session-id"));
        let (status, hello) = text(response).await;
        assert_eq!(status, StatusCode::OK, "{hello}");
        let hello = arrays(&hello);
        assert_eq!((&hello[0][0], &hello[0][1][0], &hello[0][1][3]), (&json!(0), &json!("c"), &json!(8)));
        let id = hello[0][1][1].as_str().expect("an identifier").to_owned();
        Client { server, path, id, seen: 0 }
    }

    async fn post(&self, first: u64, message: &Json) -> (StatusCode, String) {
        let (message, first) = (message.to_string(), first.to_string());
        let form = [("count", "1"), ("ofs", first.as_str()), ("req0___data__", message.as_str())];
        text(send(self.server, Method::POST, &format!("{}?VER=8&SID={}&RID=8&AID={}", self.path, self.id, self.seen), &form).await).await
    }

    async fn get(&self, buffered: bool) -> Response {
        let path = format!("{}?VER=8&RID=rpc&SID={}&AID={}&CI={}&TYPE=xmlhttp", self.path, self.id, self.seen, u8::from(buffered));
        send(self.server, Method::GET, &path, &[]).await
    }

    /// Messages until one `is` what is waited for, each asked for by itself.
    async fn until(&mut self, is: impl Fn(&Json) -> bool) -> Json {
        loop {
            let (status, answer) = text(self.get(true).await).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
            for array in arrays(&answer) {
                assert_eq!(array[0], json!(self.seen + 1), "numbers have no gaps");
                self.seen += 1;
                if is(&array[1][0]) {
                    return array[1][0].clone();
                }
            }
        }
    }

    async fn terminate(&self) {
        assert_eq!(
            send(self.server, Method::POST, &format!("{}?SID={}&RID=9&TYPE=terminate", self.path, self.id), &[]).await.status(),
            200
        );
    }
}

#[tokio::test]
async fn writes_are_answered_once_however_often_they_are_sent() {
    let server = server();
    let mut client = Client::begin(&server, WRITE, &json!({ "database": DATABASE })).await;
    let hello = client.until(|message| message.get("streamId").is_some()).await;
    assert!(hello.get("writeResults").is_none());
    let name = format!("{DATABASE}/documents/c/counter");
    let add = json!({ "streamToken": hello["streamToken"], "writes": [{
        "update": { "name": name }, "updateMask": {}, "updateTransforms": [{ "fieldPath": "n", "increment": { "integerValue": "1" } }],
    }] });
    for _ in 0..3 {
        let (status, answer) = client.post(1, &add).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer, "7\n[0,1,0]", "nobody takes what goes out; one array was sent, and has arrived");
    }
    let done = client.until(|message| message.get("writeResults").is_some()).await;
    assert_eq!(done["writeResults"][0]["transformResults"], json!([{ "integerValue": "1" }]));
    // A write that cannot be done ends the stream with the reason, once it is known to have arrived.
    let must = json!({ "writes": [{ "update": { "name": name }, "currentDocument": { "exists": false } }] });
    client.post(2, &must).await;
    let refused = client.until(|message| message.get("error").is_some()).await;
    assert_eq!((&refused["error"]["code"], &refused["error"]["status"]), (&json!(409), &json!("ALREADY_EXISTS")));
    assert_eq!(client.post(3, &add).await, (StatusCode::BAD_REQUEST, UNKNOWN_SESSION.to_owned()));
    assert!(UNKNOWN_SESSION.find("Unknown SID").is_some_and(|at| at > 0), "the client looks for it after the beginning");
}

#[tokio::test]
async fn a_listener_is_told_by_one_long_answer_and_what_did_not_arrive_is_told_again() {
    let server = server();
    let from = json!([{ "collectionId": "c" }]);
    let target = json!({ "targetId": 2, "query": { "parent": format!("{DATABASE}/documents"), "structuredQuery": { "from": from } } });
    let mut client = Client::begin(&server, LISTEN, &json!({ "database": DATABASE, "addTarget": target })).await;
    client.until(|message| message["targetChange"].get("targetIds").is_none() && message["targetChange"].get("readTime").is_some()).await;
    let mut first = client.get(false).await.into_body();
    let Body::Stream { stream, .. } = &mut first else { panic!("the answer goes on") };
    let hello = stream.next().await.expect("a piece").expect("no error");
    assert!(hello.ends_with(b"[\"noop\"]]]"), "something comes at once");
    let write =
        json!({ "writes": [{ "update": { "name": format!("{DATABASE}/documents/c/a"), "fields": { "n": { "integerValue": "1" } } } }] });
    server.rest(Method::POST, &format!("/v1/{DATABASE}/documents:commit"), write).await;
    let said = stream.next().await.expect("a piece").expect("no error");
    assert!(String::from_utf8_lossy(&said).contains("documents/c/a"));
    let (_, answer) = client.post(1, &json!({ "database": DATABASE, "removeTarget": 9 })).await;
    assert!(answer.contains("\n[1,"), "somebody takes what goes out: {answer}");
    // The connection breaks before anything arrived.
    drop(first);
    client.until(|message| message["documentChange"]["document"]["fields"] == json!({ "n": { "integerValue": "1" } })).await;
    client.terminate().await;
    let (status, answer) = text(client.get(false).await).await;
    assert_eq!((status, answer.as_str()), (StatusCode::BAD_REQUEST, UNKNOWN_SESSION));
}

#[tokio::test]
async fn what_a_page_sent_before_it_was_closed_is_written() {
    let server = server();
    let mut client = Client::begin(&server, WRITE, &json!({ "database": DATABASE })).await;
    client.until(|message| message.get("streamId").is_some()).await;
    let name = format!("{DATABASE}/documents/c/last");
    client.post(1, &json!({ "writes": [{ "update": { "name": name } }] })).await;
    client.terminate().await;
    for _ in 0..1_000 {
        if server.rest(Method::GET, &format!("/v1/{name}"), Json::Null).await.0 == StatusCode::OK {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it was not written");
}

#[tokio::test]
async fn what_no_client_sends_is_refused_in_words() {
    let server = server();
    let check = async |method: Method, path: &str, form: &[(&str, &str)], wanted: (u16, &str)| {
        let (status, answer) = text(send(&server, method, path, form).await).await;
        assert_eq!(status.as_u16(), wanted.0, "{path}: {answer}");
        assert!(answer.contains(wanted.1), "{path}: {answer}");
    };
    check(Method::GET, LISTEN, &[], (400, "begins with a POST")).await;
    check(Method::GET, &format!("{LISTEN}?SID=none&RID=rpc"), &[], (400, "Unknown SID")).await;
    check(Method::POST, &format!("{WRITE}?SID=none&RID=1"), &[], (400, "Unknown SID")).await;
    check(Method::POST, &format!("{WRITE}?SID=none&TYPE=terminate"), &[], (200, "")).await;
    check(Method::POST, LISTEN, &[("count", "2"), ("req0___data__", "{}")], (400, "the one at 1 is missing")).await;
    check(Method::POST, LISTEN, &[("count", "many")], (400, "`count=many` is no number")).await;
    assert_eq!((Kind::of(LISTEN), Kind::of(WRITE)), (Some(Kind::Listen), Some(Kind::Write)));
    assert_eq!(Kind::of("/google.firestore.v1.Firestore/Listen"), None);
    // A message that is no JSON ends the stream, with the reason.
    let mut client = Client::begin(&server, LISTEN, &json!({ "database": 7 })).await;
    let refused = client.until(|message| message.get("error").is_some()).await;
    assert_eq!(refused["error"]["status"], "INVALID_ARGUMENT");
}

#[test]
fn who_listens_is_said_in_the_form() {
    let user = "Authorization:Bearer e30.eyJzdWIiOiJhZGEifQ.\r\n";
    let check = |query: &str, form: &[(&str, &str)], wanted: &str| {
        let address = Address::read(query).expect("an address");
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let form = Form::read(form.as_bytes()).expect("a form");
        let outside = Call { caller: Caller::Anonymous, ..Call::operator() };
        let said = match super::asked_by(&outside, &[&address.headers, &form.headers]).caller {
            Caller::User { uid, .. } => uid,
            other => format!("{other:?}"),
        };
        assert_eq!(said, wanted, "{query} {form:?}");
    };
    check("VER=8", &[("count", "0")], "Anonymous");
    check("VER=8", &[("headers", user), ("count", "0")], "ada");
    check("VER=8", &[("headers", "Authorization:Bearer owner\r\nX-A:b\r\n")], "Admin");
    check("VER=8&$httpHeaders=Authorization%3ABearer%20e30.eyJzdWIiOiJhZGEifQ.%0D%0A", &[], "ada");
    check("VER=8&$httpHeaders=Authorization%3ABearer%20owner%0D%0A", &[("headers", user)], "ada");
    check("VER=8", &[("headers", "X-A:b\r\n")], "Anonymous");
}

#[tokio::test]
async fn channels_are_bounded_in_number() {
    let server = server();
    let form = [("count", "0")];
    for _ in 0..super::sessions::SESSIONS_MAX {
        assert_eq!(send(&server, Method::POST, WRITE, &form).await.status(), 200);
    }
    assert_eq!(send(&server, Method::POST, WRITE, &form).await.status(), 503);
}

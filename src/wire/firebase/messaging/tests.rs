//! The wire as SDKs see it.

use serde_json::{Value, json};

use super::*;
use crate::base::{Clock, Ids, Time};
use crate::services::push::{DeviceState, SCHEMA};
use crate::store::{Db, Options};

struct Server {
    wire: Messaging,
    _folder: tempfile::TempDir,
}

fn server() -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a database");
    Server { wire: Messaging::new(Pushes::new(db), "demo", clock), _folder: folder }
}

impl Server {
    async fn ask(&self, call: &Call, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = http::Request::builder().method(method).uri(path).body(Body::from(body)).expect("a request");
        let response = self.wire.handle(call, request).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect(1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))))
    }

    async fn send(&self, message: Value) -> (u16, Value) {
        self.ask(&Call::operator(), "POST", "/v1/projects/demo/messages:send", json!({ "message": message })).await
    }
}

#[tokio::test]
async fn refusals_are_those_that_sdks_know() {
    let server = server();
    for (token, state) in [("gone", DeviceState::Unregistered), ("other", DeviceState::SenderMismatch)] {
        server.wire.pushes.set_device(&Call::operator(), token, state, None).await.expect("set");
    }
    let big = "x".repeat(4_097);
    for (message, status, name, code, text) in [
        (json!({ "notification": { "title": "T" } }), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Recipient of the message is not set."),
        (json!({ "token": "a", "topic": "b" }), 400, "INVALID_ARGUMENT", "", "already set"),
        (json!({ "token": "gone" }), 404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found."),
        (json!({ "token": "other" }), 403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch"),
        (json!({ "token": "a b" }), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "is not a valid FCM registration token"),
        (json!({ "topic": "a b" }), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Invalid topic name"),
        (json!({ "condition": "'a' on topics" }), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Invalid condition expression"),
        (json!({ "token": "a", "data": { "k": big } }), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Android message is too big"),
        (
            json!({ "token": "a", "data": { "k": 1 } }),
            400,
            "INVALID_ARGUMENT",
            "",
            "Invalid value at 'message.data[0].value' (TYPE_STRING), 1",
        ),
        (json!({ "token": "a", "data": { "from": "1" } }), 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Invalid data payload key: from"),
        (json!({ "token": "a", "what": 1 }), 400, "INVALID_ARGUMENT", "", "Unknown name \"what\" at 'message': Cannot find field."),
        (json!({ "token": "a", "android": { "ttl": 5 } }), 400, "INVALID_ARGUMENT", "", "duration must end with 's'"),
        (
            json!({ "token": "a", "notification": { "title": 1 } }),
            400,
            "INVALID_ARGUMENT",
            "",
            "'message.notification.title' (TYPE_STRING), 1",
        ),
    ] {
        let (found, answer) = server.send(message.clone()).await;
        let error = &answer["error"];
        let details = error["details"].as_array().cloned().unwrap_or_default();
        let said = details.iter().find_map(|one| one["errorCode"].as_str()).unwrap_or_default();
        assert_eq!((found, error["status"].as_str().unwrap_or_default(), said), (status, name, code), "{message}: {answer}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(text)), "{message}: {answer}");
    }
    let anonymous = Call { caller: Caller::Anonymous, ..Call::operator() };
    let message = json!({ "message": { "token": "a" } });
    assert_eq!(server.ask(&anonymous, "POST", "/v1/projects/demo/messages:send", message.clone()).await.0, 401);
    assert_eq!(server.ask(&Call::operator(), "POST", "/v1/projects/other/messages:send", message).await.0, 403);
    assert_eq!(server.ask(&Call::operator(), "POST", "/v1/projects/demo/messages:dance", json!({})).await.0, 501);
}

#[tokio::test]
async fn topics_are_joined_left_and_told_of() {
    let (server, call) = (server(), Call::operator());
    server.wire.pushes.set_device(&call, "gone", DeviceState::Unregistered, None).await.expect("set");
    let body = json!({ "to": "/topics/news", "registration_tokens": ["a", "gone", "b"] });
    let (status, answer) = server.ask(&call, "POST", "/iid/v1:batchAdd", body).await;
    assert_eq!((status, answer), (200, json!({ "results": [{}, { "error": "NOT_FOUND" }, {}] })));
    assert_eq!(server.ask(&call, "POST", "/iid/v1/a/rel/topics/sport", Value::Null).await.0, 200);
    let (_, info) = server.ask(&call, "GET", "/iid/info/a?details=true", Value::Null).await;
    assert_eq!(
        info["rel"]["topics"].as_object().map(|topics| topics.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["news".into(), "sport".into()])
    );
    let (_, sent) = server.send(json!({ "condition": "'news' in topics && !('sport' in topics)" })).await;
    assert!(sent["name"].as_str().is_some_and(|name| name.starts_with("projects/demo/messages/0:")), "{sent}");
    assert_eq!(server.wire.pushes.inbox(&call, None, 1).await.expect("read")[0].tokens, ["b"]);
    let body = json!({ "to": "/topics/news", "registration_tokens": ["a"] });
    assert_eq!(server.ask(&call, "POST", "/iid/v1:batchRemove", body).await, (200, json!({ "results": [{}] })));
    for (body, text) in [
        (json!({ "registration_tokens": ["a"] }), "MissingTopicName"),
        (json!({ "to": "/topics/a b", "registration_tokens": ["a"] }), "InvalidTopicName"),
        (json!({ "to": "/topics/a", "registration_tokens": [] }), "InvalidTokenCount"),
    ] {
        assert_eq!(server.ask(&call, "POST", "/iid/v1:batchAdd", body).await, (400, json!({ "error": text })));
    }
    let tried = json!({ "validate_only": true, "message": { "token": "a" } });
    let (_, answer) = server.ask(&call, "POST", "/v1/projects/demo/messages:send", tried).await;
    assert_eq!(answer["name"], "projects/demo/messages/fake_message_id");
}

#[tokio::test]
async fn the_subscriptions_of_a_device_are_made_read_and_ended_one_by_one() {
    let (server, call) = (server(), Call::operator());
    for (token, state) in [("gone", DeviceState::Unregistered), ("other", DeviceState::SenderMismatch)] {
        server.wire.pushes.set_device(&call, token, state, None).await.expect("set");
    }
    let at = "/v1/projects/demo/registrations";
    let resource = |topic: &str| {
        let name = format!("projects/demo/registrations/a:b/topicSubscriptions/{topic}");
        json!({ "name": name, "topicName": topic, "createTime": "2023-11-14T22:13:20.000Z" })
    };
    let failed = |code: u16, status: &str| (code, json!(status));
    for (method, path, wanted) in [
        ("POST", format!("{at}/a%3Ab/topicSubscriptions?topic_name=news"), (200, resource("news"))),
        ("POST", format!("{at}/a%3Ab/topicSubscriptions?topicName=news"), failed(409, "ALREADY_EXISTS")),
        ("POST", format!("{at}/a%3Ab/topicSubscriptions"), failed(400, "INVALID_ARGUMENT")),
        ("PATCH", format!("{at}/a%3Ab/topicSubscriptions/news"), (200, resource("news"))),
        ("PATCH", format!("{at}/a%3Ab/topicSubscriptions/sport"), failed(404, "NOT_FOUND")),
        ("PATCH", format!("{at}/a%3Ab/topicSubscriptions/sport%25?allowMissing=true"), (200, resource("sport%"))),
        ("GET", format!("{at}/a%3Ab/topicSubscriptions/news"), (200, resource("news"))),
        ("GET", format!("{at}/a%3Ab/topicSubscriptions/none"), failed(404, "NOT_FOUND")),
        ("GET", format!("{at}/a%3Ab/topicSubscriptions"), (200, json!({ "topicSubscriptions": [resource("news"), resource("sport%")] }))),
        (
            "GET",
            format!("{at}/a%3Ab/topicSubscriptions?pageSize=1"),
            (200, json!({ "topicSubscriptions": [resource("news")], "nextPageToken": "news" })),
        ),
        (
            "GET",
            format!("{at}/a%3Ab/topicSubscriptions?pageSize=1&pageToken=news"),
            (200, json!({ "topicSubscriptions": [resource("sport%")] })),
        ),
        (
            "GET",
            format!("{at}/a%3Ab/topicSubscriptions?pageSize=00"),
            (200, json!({ "topicSubscriptions": [resource("news"), resource("sport%")] })),
        ),
        ("GET", format!("{at}/a%3Ab/topicSubscriptions?pageSize=-1"), failed(400, "INVALID_ARGUMENT")),
        ("DELETE", format!("{at}/a%3Ab/topicSubscriptions/news"), (200, json!({}))),
        ("DELETE", format!("{at}/a%3Ab/topicSubscriptions/news"), failed(404, "NOT_FOUND")),
        ("DELETE", format!("{at}/a%3Ab/topicSubscriptions/news?allow_missing=true"), (200, json!({}))),
        ("DELETE", format!("{at}/a%3Ab/topicSubscriptions"), failed(501, "UNIMPLEMENTED")),
        ("POST", format!("{at}/gone/topicSubscriptions?topic_name=news"), failed(404, "NOT_FOUND")),
        ("GET", format!("{at}/gone/topicSubscriptions"), failed(404, "NOT_FOUND")),
        ("POST", format!("{at}/other/topicSubscriptions?topic_name=news"), failed(403, "PERMISSION_DENIED")),
        ("POST", format!("{at}/a%20b/topicSubscriptions?topic_name=news"), failed(400, "INVALID_ARGUMENT")),
        ("POST", "/v1/projects/other/registrations/a/topicSubscriptions?topic_name=news".into(), failed(403, "PERMISSION_DENIED")),
    ] {
        let (status, answer) = server.ask(&call, method, &path, json!({})).await;
        let told = if status == 200 { answer.clone() } else { answer["error"]["status"].clone() };
        assert_eq!((status, told), wanted, "{method} {path}: {answer}");
    }
    let anonymous = Call { caller: Caller::Anonymous, ..Call::operator() };
    assert_eq!(server.ask(&anonymous, "GET", &format!("{at}/a/topicSubscriptions"), Value::Null).await.0, 401);
}

#[tokio::test]
async fn an_installation_is_sent_to_by_its_id() {
    let server = server();
    let (status, answer) = server.send(json!({ "fid": "cXf0", "notification": { "title": "T" } })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(server.wire.pushes.inbox(&Call::operator(), None, 1).await.expect("read")[0].tokens, ["cXf0"]);
    assert_eq!(server.send(json!({ "fid": "cXf0", "token": "a" })).await.0, 400);
}

#[tokio::test]
async fn code_in_the_cloud_learns_where_it_runs() {
    let server = server();
    let ask = async |path: &str, flavor: Option<&str>| {
        let mut request = http::Request::get(path);
        if let Some(flavor) = flavor {
            request = request.header("metadata-flavor", flavor);
        }
        let response = server.wire.handle(&Call::operator(), request.body(Body::empty()).expect("a request")).await;
        let (status, flavor) = (response.status().as_u16(), response.headers().get("metadata-flavor").cloned());
        let bytes = response.into_body().collect(1 << 20).await.expect("a body");
        assert_eq!(flavor.expect("by this header libraries know the server"), "Google", "{path}");
        format!("{status} {}", String::from_utf8_lossy(&bytes))
    };
    for (path, wanted) in [
        ("/computeMetadata/v1/instance", "200 id\nregion\nservice-accounts/\nzone\n"),
        ("/computeMetadata/v1/project/project-id", "200 demo"),
        ("/computeMetadata/v1/instance/region", "200 projects/12345/regions/us-central1"),
        ("/computeMetadata/v1/universe/universe-domain", "200 googleapis.com"),
        ("/computeMetadata/v1/instance/service-accounts/", "200 default/\ndemo@appspot.gserviceaccount.com/\n"),
        ("/computeMetadata/v1/instance/service-accounts/default/email", "200 demo@appspot.gserviceaccount.com"),
        ("/computeMetadata/v1/instance/service-accounts/demo@appspot.gserviceaccount.com/aliases", "200 default\n"),
        ("/computeMetadata/v1/instance/service-accounts/other/email", "404 service account other not found"),
        ("/computeMetadata/v1/instance/service-accounts/default/identity", "400 non-empty audience parameter required"),
        ("/computeMetadata/v1/instance/nothing", "404 emu's metadata server has no instance/nothing"),
    ] {
        assert_eq!(ask(path, Some("Google")).await, wanted, "{path}");
    }
    let default = "/computeMetadata/v1/instance/service-accounts/default";
    let token = ask(&format!("{default}/token?scopes=a"), Some("Google")).await;
    assert!(token.contains("\"access_token\":\"owner\"") && token.contains("\"expires_in\":3600"), "{token}");
    assert!(ask(&format!("{default}/?recursive=true"), Some("google")).await.contains("\"email\":\"demo@appspot"));
    let identity = ask(&format!("{default}/identity?audience=https%3A%2F%2Fa.run.app&format=full"), Some("Google")).await;
    let claims = crate::services::auth::token::claims(identity.trim_start_matches("200 ")).expect("a JWT");
    assert_eq!((&claims["aud"], &claims["exp"]), (&json!("https://a.run.app"), &json!(1_700_003_600)));
    assert_eq!(ask(default, None).await, "403 Missing Metadata-Flavor:Google header.");
}

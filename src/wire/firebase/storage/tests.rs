//! The wire as SDKs see it: one request after another, each answer compared in short.

use serde_json::{Value, json};

use super::super::Wire;
use super::Storage;
use crate::base::{Call, Clock, Ids, Time};
use crate::services::objects::{Objects, SCHEMA};
use crate::store::blobs::Blobs;
use crate::store::{Db, Options};
use crate::wire::http::{Body, header};

struct Server {
    wire: Storage,
    clock: Clock,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        header(&self.headers, name).unwrap_or("-")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }
}

const BUCKET: &str = "demo.appspot.com";

fn server() -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let (clock, ids) = (Clock::frozen(Time(1_700_000_000_000)), Ids::seeded(1));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: ids.clone(), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a database");
    let blobs = Blobs::open(folder.path().join("blobs"), ids.clone()).expect("a folder");
    Server { wire: Storage::new(Objects::new(db, blobs), ids, [BUCKET.to_owned()]), clock, _folder: folder }
}

impl Server {
    /// `headers`: `name: value`, separated by ` | `.
    async fn send(&self, method: &str, target: &str, headers: &str, body: impl Into<Vec<u8>>) -> Answer {
        let mut request = http::Request::builder().method(method).uri(target).header("host", "localhost:9199");
        for (name, value) in headers.split(" | ").filter_map(|one| one.split_once(": ")) {
            request = request.header(name, value);
        }
        let response = self.wire.handle(&Call::operator(), request.body(Body::from(body.into())).expect("a request")).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect(4 << 20).await.expect("a body");
        Answer { status: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn start(&self, name: &str) -> String {
        let target = format!("/v0/b/{BUCKET}/o?name={name}");
        let headers = "x-goog-upload-protocol: resumable | x-goog-upload-command: start | x-goog-upload-header-content-length: 8 | x-goog-upload-header-content-type: text/plain";
        let answer = self.send("POST", &target, headers, "{}").await;
        assert_eq!((answer.status, answer.header("x-goog-upload-status")), (200, "active"));
        let url = answer.header("x-goog-upload-url").to_owned();
        url.strip_prefix("http://localhost:9199").expect("here").to_owned()
    }

    async fn begin(&self, name: &str) -> String {
        let target = format!("/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable&name={name}");
        let answer = self.send("POST", &target, "x-upload-content-type: text/plain", "{}").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.header("location").strip_prefix("http://localhost:9199").expect("here").to_owned()
    }
}

#[tokio::test]
async fn firebases_uploads_in_parts_obey_their_commands() {
    // Command, offset, body; status, upload status, bytes received.
    type Step = (&'static str, &'static str, &'static str, u16, &'static str, &'static str);
    let stories: [(&str, &[Step]); 6] = [
        ("at once", &[("upload, finalize", "0", "abcdefgh", 200, "final", "-"), ("upload, finalize", "0", "abcdefgh", 200, "final", "-")]),
        (
            "in parts, with questions",
            &[
                ("query", "-", "", 200, "active", "0"),
                ("upload", "0", "abcd", 200, "active", "4"),
                ("query", "-", "", 200, "active", "4"),
                ("upload", "4", "efgh", 200, "active", "8"),
                ("finalize", "8", "", 200, "final", "-"),
                ("query", "-", "", 200, "final", "8"),
            ],
        ),
        (
            "a part comes twice",
            &[
                ("upload", "0", "abcd", 200, "active", "4"),
                ("upload", "0", "abcd", 200, "active", "4"),
                ("upload, finalize", "2", "cdefgh", 200, "final", "-"),
            ],
        ),
        (
            "a gap",
            &[("upload", "0", "ab", 200, "active", "2"), ("upload", "4", "efgh", 400, "-", "-"), ("query", "-", "", 200, "active", "2")],
        ),
        (
            "too few",
            &[
                ("upload", "0", "abcd", 200, "active", "4"),
                ("finalize", "4", "", 400, "-", "-"),
                ("upload, finalize", "4", "efgh", 200, "final", "-"),
            ],
        ),
        (
            "given up",
            &[
                ("upload", "0", "abcd", 200, "active", "4"),
                ("cancel", "-", "", 200, "cancelled", "-"),
                ("query", "-", "", 200, "cancelled", "4"),
                ("upload", "4", "efgh", 410, "-", "-"),
            ],
        ),
    ];
    let server = server();
    for (index, (story, steps)) in stories.iter().enumerate() {
        let url = server.start(&format!("file{index}")).await;
        for (command, offset, body, status, state, received) in *steps {
            let headers = format!("x-goog-upload-command: {command} | x-goog-upload-offset: {offset}");
            let headers = if *offset == "-" { format!("x-goog-upload-command: {command}") } else { headers };
            let answer = server.send("POST", &url, &headers, *body).await;
            let found = (answer.status, answer.header("x-goog-upload-status"), answer.header("x-goog-upload-size-received"));
            assert_eq!(found, (*status, *state, *received), "{story}: {command} {offset}: {}", answer.text);
            if *state == "final" && *command != "query" {
                assert_eq!(
                    (&answer.json()["size"], &answer.json()["md5Hash"]),
                    (&json!("8"), &json!("6NxAgbE0NLRRiacgt3toGA==")),
                    "{story}"
                );
            }
        }
    }
    let unknown = format!("/v0/b/{BUCKET}/o?name=a&upload_id=00");
    for command in ["query", "upload", "cancel"] {
        assert_eq!(server.send("POST", &unknown, &format!("x-goog-upload-command: {command}"), "").await.status, 404, "{command}");
    }
    assert_eq!(server.send("POST", &unknown, "x-goog-upload-command: dance", "").await.status, 400);
    let done = server.start("done").await;
    server.send("POST", &done, "x-goog-upload-command: upload, finalize", "abcdefgh").await;
    assert_eq!(server.send("POST", &done, "x-goog-upload-command: cancel", "").await.status, 400, "what is done cannot be given up");
}

#[tokio::test]
async fn googles_uploads_in_parts_say_how_far_they_are() {
    // Content-Range, body; status, Range.
    type Step = (&'static str, &'static str, u16, &'static str);
    let stories: [(&str, &[Step]); 6] = [
        ("at once", &[("-", "abcdefgh", 200, "-"), ("bytes */*", "", 200, "-")]),
        ("a stream without an end", &[("bytes 0-*/*", "abcdefgh", 200, "-")]),
        (
            "in parts",
            &[
                ("bytes */*", "", 308, "-"),
                ("bytes 0-3/*", "abcd", 308, "bytes=0-3"),
                ("bytes */8", "", 308, "bytes=0-3"),
                ("bytes 4-7/8", "efgh", 200, "-"),
                ("bytes */8", "", 200, "-"),
            ],
        ),
        ("the whole is known at last", &[("bytes 0-7/*", "abcdefgh", 308, "bytes=0-7"), ("bytes */8", "", 200, "-")]),
        ("a gap", &[("bytes 0-3/8", "abcd", 308, "bytes=0-3"), ("bytes 6-7/8", "gh", 400, "-"), ("bytes 2-7/8", "cdefgh", 200, "-")]),
        ("nonsense", &[("bytes a-b/c", "abcd", 400, "-"), ("items 0-1/2", "ab", 400, "-")]),
    ];
    let server = server();
    for (index, (story, steps)) in stories.iter().enumerate() {
        let url = server.begin(&format!("file{index}")).await;
        for (range, body, status, received) in *steps {
            let headers = if *range == "-" { String::new() } else { format!("content-range: {range}") };
            let answer = server.send("PUT", &url, &headers, *body).await;
            assert_eq!((answer.status, answer.header("range")), (*status, *received), "{story}: {range}: {}", answer.text);
            if answer.status == 200 {
                assert_eq!(answer.json()["md5Hash"], "6NxAgbE0NLRRiacgt3toGA==", "{story}");
            }
        }
    }
    let given_up = server.begin("given-up").await;
    assert_eq!(server.send("DELETE", &given_up, "", "").await.status, 499);
    assert_eq!(server.send("PUT", &given_up, "", "x").await.status, 410);
    let checked = server.begin("checked").await;
    assert_eq!(server.send("PUT", &checked, "x-goog-hash: crc32c=AAAAAA==", "abcdefgh").await.status, 400);
    assert_eq!(server.send("GET", &format!("/b/{BUCKET}/o/checked"), "", "").await.status, 404);
}

#[tokio::test]
async fn uploads_that_nobody_ends_are_forgotten_after_a_week() {
    let server = server();
    let url = server.begin("forgotten").await;
    server.send("PUT", &url, "content-range: bytes 0-99999/200000", vec![7; 100_000]).await;
    let objects = &server.wire.objects;
    let due = objects.next_forgotten(&Call::operator()).await.expect("known").expect("a time");
    server.clock.advance_ms(7 * 24 * 60 * 60 * 1000 - 1);
    assert_eq!((objects.forget_sessions(&Call::operator()).await.expect("done"), due.millis() - server.clock.now().millis()), (0, 1));
    server.clock.advance_ms(1);
    assert_eq!(objects.forget_sessions(&Call::operator()).await.expect("done"), 1);
    assert_eq!(server.send("PUT", &url, "content-range: bytes */*", "").await.status, 404);
    assert_eq!(std::fs::read_dir(server._folder.path().join("blobs")).expect("the folder").count(), 0, "its bytes are gone");
}

#[tokio::test]
async fn refusals_are_told_in_the_dialect_that_was_spoken() {
    let server = server();
    let missing = format!("No such object: {BUCKET}/no");
    for (method, target, status, wanted) in [
        ("GET", format!("/v0/b/{BUCKET}/o/no"), 404, r#""status":"GET_OBJECT""#),
        ("DELETE", format!("/v0/b/{BUCKET}/o/no"), 404, "Not Found.  Could not delete object"),
        ("POST", format!("/v0/b/{BUCKET}/o"), 400, "name"),
        ("GET", format!("/v0/b/{BUCKET}/o?prefix=a"), 400, "ends with a single /"),
        ("GET", format!("/b/{BUCKET}/o/no"), 404, missing.as_str()),
        ("GET", format!("/storage/v1/b/{BUCKET}/o/no"), 404, r#""reason":"notFound""#),
        ("GET", "/b/no-such-bucket/o".to_owned(), 404, "The specified bucket does not exist."),
        ("GET", format!("/download/storage/v1/b/{BUCKET}/o/no?alt=media"), 404, missing.as_str()),
        ("GET", format!("/{BUCKET}/no"), 404, "<Code>NoSuchKey</Code>"),
        ("GET", "/no-such-bucket/no".to_owned(), 404, "<Code>NoSuchBucket</Code>"),
        ("POST", format!("/upload/storage/v1/b/{BUCKET}/o?uploadType=media"), 400, "Required parameter: name"),
        ("POST", format!("/upload/storage/v1/b/{BUCKET}/o?uploadType=multipart&name=a"), 400, "boundary"),
        ("GET", format!("/b/{BUCKET}/o?pageToken=%25"), 400, "pageToken"),
        ("GET", format!("/b/{BUCKET}/o/no?generation=x"), 400, "Invalid unsigned integer"),
        ("POST", format!("/b/{BUCKET}/o/no/compose"), 400, "sourceObjects"),
        ("POST", "/b".to_owned(), 400, "Required parameter: name"),
        ("PATCH", "/storage/v1/projects/p/hmacKeys".to_owned(), 501, "emu does not know"),
    ] {
        let answer = server.send(method, &target, "", "").await;
        assert_eq!(answer.status, status, "{method} {target}: {}", answer.text);
        assert!(answer.text.contains(wanted), "{method} {target}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_file_has_a_token_that_only_administrators_change() {
    let server = server();
    let target = format!("/v0/b/{BUCKET}/o/a%2Fb.txt");
    let made = server.send("POST", &format!("/v0/b/{BUCKET}/o?name=a/b.txt"), "content-type: text/plain", "hello").await.json();
    let token = made["downloadTokens"].as_str().expect("a token").to_owned();
    let more = server.send("POST", &format!("{target}?create_token=true"), "", "").await.json();
    let tokens: Vec<String> = more["downloadTokens"].as_str().expect("tokens").split(',').map(str::to_owned).collect();
    assert_eq!((tokens.len(), &tokens[0]), (2, &token));
    let fewer = server.send("POST", &format!("{target}?delete_token={token}"), "", "").await.json();
    assert_eq!(fewer["downloadTokens"], json!(tokens[1]));
    let last = server.send("POST", &format!("{target}?delete_token={}", tokens[1]), "", "").await.json();
    assert!(last["downloadTokens"].as_str().is_some_and(|token| !token.is_empty() && *token != tokens[1]), "there is always one");
    let call = Call { caller: crate::base::Caller::Anonymous, ..Call::operator() };
    let request = http::Request::post(format!("{target}?create_token=true")).body(Body::empty()).expect("a request");
    assert_eq!(server.wire.handle(&call, request).await.status(), 403);
    // As in production it is metadata of the object.
    let object = server.send("GET", &format!("/b/{BUCKET}/o/a%2Fb.txt"), "", "").await.json();
    assert_eq!(object["metadata"]["firebaseStorageDownloadTokens"], last["downloadTokens"]);
}

#[tokio::test]
async fn a_copy_onto_itself_changes_what_is_said_of_it() {
    let server = server();
    server.send("POST", &format!("/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=a"), "content-type: text/plain", "hello").await;
    let itself = format!("/b/{BUCKET}/o/a/rewriteTo/b/{BUCKET}/o/a");
    let same = server.send("POST", &itself, "", "").await.json();
    assert_eq!((&same["done"], &same["resource"]["contentType"]), (&json!(true), &json!("text/plain")));
    let changed = server.send("POST", &itself, "", r#"{"contentType":"text/html"}"#).await.json();
    assert_eq!(changed["resource"]["contentType"], "text/html");
    assert_eq!(server.send("GET", &format!("/{BUCKET}/a"), "", "").await.text, "hello");
}

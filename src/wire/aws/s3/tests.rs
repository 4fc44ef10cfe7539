use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::base::{Clock, Time};
use crate::services::objects;
use crate::store::blobs::Blobs;
use crate::store::{Db, Options};

struct World {
    s3: S3,
    clock: Clock,
    _folder: tempfile::TempDir,
}

/// 2026-01-02T03:04:05Z.
const NOW: Time = Time(1_767_323_045_000);

fn world_at(clock: Clock) -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&objects::SCHEMA]).expect("a new database opens");
    let blobs = Blobs::open(folder.path().join("blobs"), Ids::seeded(2)).expect("a folder of blobs");
    let s3 = S3::new(Objects::new(db, blobs), Account::local("us-east-1"), Ids::seeded(3));
    World { s3, clock, _folder: folder }
}

fn world() -> World {
    world_at(Clock::frozen(NOW))
}

struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl World {
    /// A request as `METHOD /path`, headers as `name: value`, and a body.
    async fn ask(&self, line: &str, headers: &[&str], body: impl Into<Bytes>) -> Answered {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let mut request = http::Request::builder().method(method).uri(path);
        if !headers.iter().any(|header| header.to_ascii_lowercase().starts_with("host:")) {
            request = request.header("host", "localhost:4566");
        }
        for header in headers {
            let (name, value) = header.split_once(": ").expect("a name and a value");
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body.into())).expect("a request");
        let response = self.s3.handle(&Call::operator(), request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect(64 << 20).await.expect("a body");
        Answered { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Asks and compares: the status, then everything that must be in the headers and the body, after `|`.
    async fn check(&self, line: &str, headers: &[&str], body: &'static str, wanted: &str) -> Answered {
        let answered = self.ask(line, headers, body).await;
        let all = format!("{} {:?} {}", answered.status.as_u16(), answered.headers, answered.body);
        let mut wanted = wanted.split(" | ");
        assert_eq!(answered.status.as_u16().to_string(), wanted.next().expect("a status"), "{line}: {all}");
        for part in wanted {
            let found = match part.split_once(": ") {
                Some((name, value)) if !part.starts_with('<') => answered.headers.get(name).and_then(|found| found.to_str().ok()) == Some(value),
                _ => answered.body.contains(part),
            };
            assert!(found, "{line}: no `{part}` in {all}");
        }
        answered
    }
}

/// Serves a World for SDKs to talk to: `EMU_TEST_S3_PORT=4599 cargo nextest run --run-ignored only serve_s3`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "serves until it is killed"]
async fn serve_s3_for_sdks() {
    let world = world_at(Clock::system());
    let port = std::env::var("EMU_TEST_S3_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(4599u16);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        let s3 = world.s3.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let s3 = s3.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let length = http_body::Body::size_hint(&body).exact();
                    let stream = http_body_util::BodyStream::new(body);
                    let stream = futures_util::StreamExt::filter_map(stream, |frame| async move {
                        match frame {
                            Ok(frame) => frame.into_data().ok().map(Ok),
                            Err(error) => Some(Err(error.into())),
                        }
                    });
                    let request = http::Request::from_parts(parts, Body::stream(stream, length));
                    Ok::<_, std::convert::Infallible>(s3.handle(&Call::operator(), request).await)
                }
            });
            let io = hyper_util::rt::TokioIo::new(socket);
            let builder = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
            let _ = builder.serve_connection(io, service).await;
        });
    }
}

#[tokio::test]
async fn an_object_is_stored_and_read_in_ranges() {
    let world = world();
    world.check("PUT /photos", &[], "", "200 | location: /photos").await;
    world
        .check(
            "PUT /photos/a%20b.txt",
            &["content-type: text/plain", "x-amz-meta-colour: red", "cache-control: no-store"],
            "0123456789",
            "200 | etag: \"781e5e245d69b566979b86e28d23f2c7\" | x-amz-server-side-encryption: AES256 | x-amz-checksum-type: FULL_OBJECT",
        )
        .await;
    for (range, wanted) in [
        ("bytes=0-3", "206 | content-range: bytes 0-3/10 | content-length: 4 | 0123"),
        ("bytes=7-", "206 | content-range: bytes 7-9/10 | 789"),
        ("bytes=-2", "206 | content-range: bytes 8-9/10 | 89"),
        ("bytes=5-99", "206 | content-range: bytes 5-9/10 | 56789"),
        ("bytes=10-", "416 | content-range: bytes */10 | <Code>InvalidRange</Code> | <Message>The requested range is not satisfiable</Message>"),
        ("bytes=-0", "416 | <Code>InvalidRange</Code>"),
        ("bytes=9-1", "200 | 0123456789"),
        ("lines=1-2", "200 | content-length: 10"),
    ] {
        world.check("GET /photos/a%20b.txt", &[&format!("range: {range}")], "", wanted).await;
    }
    let got = world
        .check(
            "GET /photos/a%20b.txt",
            &[],
            "",
            "200 | content-type: text/plain | x-amz-meta-colour: red | cache-control: no-store | accept-ranges: bytes | last-modified: Fri, 02 Jan 2026 03:04:05 GMT",
        )
        .await;
    assert!(got.headers.contains_key("x-amz-request-id") && got.headers.contains_key("x-amzn-requestid"));
    assert!(!got.headers.contains_key("x-amz-version-id"));
    world.check("HEAD /photos/a%20b.txt", &["x-amz-checksum-mode: ENABLED"], "", "200 | content-length: 10 | x-amz-checksum-type: FULL_OBJECT").await;
    world.check("HEAD /photos/none", &[], "", "404").await;
    world.check("GET /photos/none", &[], "", "404 | <Code>NoSuchKey</Code> | <Key>none</Key> | <Resource>/photos/none</Resource>").await;
    world.check("GET /nobody/none", &[], "", "404 | <Code>NoSuchBucket</Code> | <BucketName>nobody</BucketName>").await;
    world.check("DELETE /photos", &[], "", "409 | <Code>BucketNotEmpty</Code>").await;
    world.check("DELETE /photos/a%20b.txt", &[], "", "204").await;
    world.check("DELETE /photos/a%20b.txt", &[], "", "204").await;
    world.check("DELETE /photos", &[], "", "204").await;
    world.check("HEAD /photos", &[], "", "404").await;
}

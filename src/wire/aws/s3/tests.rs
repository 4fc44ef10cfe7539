use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::base::{Clock, Time};
use crate::services::objects;
use crate::services::objects::notices::Recipient;
use crate::store::blobs::Blobs;
use crate::store::{Db, Options};

/// Only what is called `known` is there.
pub(crate) struct Known;

#[async_trait::async_trait]
impl Destinations for Known {
    async fn has(&self, _call: &Call, recipient: &Recipient) -> bool {
        let (Recipient::Function(name) | Recipient::Queue(name) | Recipient::Topic(name)) = recipient;
        name == "known"
    }
}

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
    let s3 = S3::new(Objects::new(db, blobs), Arc::new(Known), Account::local("us-east-1"), Ids::seeded(3));
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
                Some((name, value)) if !part.starts_with('<') => {
                    answered.headers.get(name).and_then(|found| found.to_str().ok()) == Some(value)
                }
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
        (
            "bytes=10-",
            "416 | content-range: bytes */10 | <Code>InvalidRange</Code> | <Message>The requested range is not satisfiable</Message>",
        ),
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
    world
        .check(
            "HEAD /photos/a%20b.txt",
            &["x-amz-checksum-mode: ENABLED"],
            "",
            "200 | content-length: 10 | x-amz-checksum-type: FULL_OBJECT",
        )
        .await;
    world.check("HEAD /photos/none", &[], "", "404").await;
    world.check("GET /photos/none", &[], "", "404 | <Code>NoSuchKey</Code> | <Key>none</Key> | <Resource>/photos/none</Resource>").await;
    world.check("GET /nobody/none", &[], "", "404 | <Code>NoSuchBucket</Code> | <BucketName>nobody</BucketName>").await;
    world.check("DELETE /photos", &[], "", "409 | <Code>BucketNotEmpty</Code>").await;
    world.check("DELETE /photos/a%20b.txt", &[], "", "204").await;
    world.check("DELETE /photos/a%20b.txt", &[], "", "204").await;
    world.check("DELETE /photos", &[], "", "204").await;
    world.check("HEAD /photos", &[], "", "404").await;
}

#[tokio::test]
async fn the_bucket_may_be_in_the_host_or_in_the_path() {
    let world = world();
    world.check("PUT /", &["host: photos.localhost:4566"], "", "200").await;
    world.check("PUT /a/b", &["host: photos.s3.localhost.localstack.cloud:4566"], "x", "200").await;
    world.check("GET /a/b", &["host: photos.s3.us-east-1.amazonaws.com"], "", "200 | x").await;
    world.check("GET /photos/a/b", &["host: s3.us-east-1.amazonaws.com"], "", "200 | x").await;
    world.check("GET /photos/a/b", &["host: 127.0.0.1:4566"], "", "200 | x").await;
    world.check("GET /?list-type=2", &["host: photos.localhost"], "", "200 | <Key>a/b</Key> | <KeyCount>1</KeyCount>").await;
}

#[tokio::test]
async fn signatures_of_any_key_are_taken_and_malformed_ones_are_not() {
    let world = world();
    world.check("PUT /photos", &[], "", "200").await;
    let good = "authorization: AWS4-HMAC-SHA256 Credential=k/20260102/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=ab";
    world.check("GET /photos", &[good], "", "200").await;
    world
        .check("GET /photos", &["authorization: AWS4-HMAC-SHA256 Credential=k"], "", "400 | <Code>AuthorizationHeaderMalformed</Code>")
        .await;
    world.check("GET /photos", &["authorization: Bearer x"], "", "400 | <Message>Unsupported Authorization Type</Message>").await;
}

#[tokio::test]
async fn a_presigned_url_ends_by_the_clock_of_the_world() {
    let world = world();
    world.check("PUT /photos", &[], "", "200").await;
    world.check("PUT /photos/k", &[], "x", "200").await;
    let url = |date: &str, expires: &str| {
        format!(
            "GET /photos/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date={date}&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=ab&x-id=GetObject&response-content-type=text%2Fx"
        )
    };
    world.check(&url("20260102T030405Z", "60"), &[], "", "200 | content-type: text/x | x").await;
    world.clock.advance_ms(60_000);
    world.check(&url("20260102T030405Z", "60"), &[], "", "200").await;
    world.clock.advance_ms(1);
    let wanted = "403 | <Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>60</X-Amz-Expires><Expires>2026-01-02T03:05:05Z</Expires>";
    world.check(&url("20260102T030405Z", "60"), &[], "", wanted).await;
    for (date, expires, message) in [
        ("20260102T030405Z", "604801", "less than a week"),
        ("20260102T030405Z", "soon", "should be a number"),
        ("20260102T030405Z", "-1", "must be non-negative"),
        ("yesterday", "60", "ISO8601 Long Format"),
    ] {
        world.check(&url(date, expires), &[], "", &format!("400 | <Code>AuthorizationQueryParametersError</Code> | {message}")).await;
    }
    world.check("GET /photos/k?X-Amz-Signature=ab", &[], "", "400 | requires the X-Amz-Algorithm").await;
    world.check("GET /photos/k?AWSAccessKeyId=k&Signature=s&Expires=1", &[], "", "403 | Request has expired").await;
}

#[tokio::test]
async fn a_chunked_body_is_stored_without_its_chunks_and_its_trailer_is_checked() {
    let world = world();
    world.check("PUT /photos", &[], "", "200").await;
    let headers = [
        "content-encoding: gzip,aws-chunked",
        "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length: 5",
        "x-amz-trailer: x-amz-checksum-crc32",
    ];
    world
        .check(
            "PUT /photos/k",
            &headers,
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            "200 | x-amz-checksum-crc32: NhCmhg==",
        )
        .await;
    world.check("GET /photos/k", &[], "", "200 | content-encoding: gzip | content-length: 5 | hello").await;
    let wrong = "400 | <Code>BadDigest</Code><Message>The CRC32 you specified did not match the calculated checksum.</Message>";
    world.check("PUT /photos/k", &headers, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", wrong).await;
    world.check("PUT /photos/k", &headers, "5\r\nhel", "400 | <Code>IncompleteBody</Code>").await;
    world.check("PUT /photos/k", &headers, "4\r\nhell\r\n0\r\n\r\n", "400 | <Code>IncompleteBody</Code>").await;
    let signed = ["x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x-amz-decoded-content-length: 2"];
    world.check("PUT /photos/s", &signed, "2;chunk-signature=aa\r\nok\r\n0;chunk-signature=bb\r\n\r\n", "200").await;
    world.check("GET /photos/s", &[], "", "200 | ok").await;
}

#[tokio::test]
async fn preconditions_and_digests_are_answered_as_in_production() {
    let world = world();
    world.check("PUT /photos", &[], "", "200").await;
    world.check("PUT /photos/k", &["if-none-match: *"], "hello", "200").await;
    let tag = "\"5d41402abc4b2a76b9719d911017c592\"";
    for (line, header, wanted) in [
        ("PUT /photos/k", "if-none-match: *".to_owned(), "412 | <Code>PreconditionFailed</Code> | <Condition>If-None-Match</Condition>"),
        ("PUT /photos/k", "if-none-match: abc".to_owned(), "501 | <Code>NotImplemented</Code>"),
        ("PUT /photos/k", "if-match: \"other\"".to_owned(), "412 | <Condition>If-Match</Condition>"),
        ("PUT /photos/none", "if-match: \"other\"".to_owned(), "404 | <Code>NoSuchKey</Code>"),
        ("GET /photos/k", format!("if-none-match: {tag}"), "304"),
        ("GET /photos/k", "if-modified-since: Fri, 02 Jan 2026 03:04:05 GMT".to_owned(), "304"),
        ("GET /photos/k", "if-modified-since: Fri, 02 Jan 2026 03:04:04 GMT".to_owned(), "200"),
        (
            "GET /photos/k",
            "if-unmodified-since: Fri, 02 Jan 2026 03:04:04 GMT".to_owned(),
            "412 | <Condition>If-Unmodified-Since</Condition>",
        ),
        ("GET /photos/k", "if-match: \"other\"".to_owned(), "412"),
        ("PUT /photos/x", "content-md5: AAAAAAAAAAAAAAAAAAAAAA==".to_owned(), "400 | <Code>BadDigest</Code>"),
        ("PUT /photos/x", "content-md5: short".to_owned(), "400 | <Code>InvalidDigest</Code>"),
        (
            "PUT /photos/x",
            "x-amz-checksum-crc64nvme: AAAA".to_owned(),
            "400 | <Message>Value for x-amz-checksum-crc64nvme header is invalid.</Message>",
        ),
        ("PUT /photos/x", format!("x-amz-content-sha256: {}", "0".repeat(64)), "400 | <Code>XAmzContentSHA256Mismatch</Code>"),
        ("PUT /photos/x", "content-length: 7".to_owned(), "400 | <Code>IncompleteBody</Code>"),
        ("GET /photos/x", "x-ignored: 1".to_owned(), "404"),
        ("POST /photos?delete", "x-ignored: 1".to_owned(), "400 | Content-MD5 OR x-amz-checksum-*"),
        (
            "PUT /Bad_Name",
            "x-ignored: 1".to_owned(),
            "400 | <Code>InvalidBucketName</Code><Message>The specified bucket is not valid.</Message>",
        ),
        ("GET /photos?inventory&id=1", "x-ignored: 1".to_owned(), "501 | <Code>NotImplemented</Code>"),
    ] {
        world.check(line, &[&header], "hello", wanted).await;
    }
}

#[tokio::test]
async fn documents_of_a_bucket_are_kept_and_cors_is_honoured() {
    let world = world();
    world.check("PUT /photos", &[], "", "200").await;
    world.check("GET /photos?cors", &[], "", "404 | <Code>NoSuchCORSConfiguration</Code>").await;
    let ask =
        ["origin: http://localhost:5173", "access-control-request-method: PUT", "access-control-request-headers: Content-Type, x-amz-date"];
    world.check("OPTIONS /photos/k", &ask, "", "403 | <Code>AccessForbidden</Code> | CORS is not enabled for this bucket").await;
    let cors = "<CORSConfiguration><CORSRule><AllowedOrigin>http://localhost:*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>";
    world.check("PUT /photos?cors", &[], cors, "200").await;
    world.check("GET /photos?cors", &[], "", "200 | <AllowedOrigin>http://localhost:*</AllowedOrigin>").await;
    world
        .check("OPTIONS /photos/k", &ask, "", "200 | access-control-allow-origin: http://localhost:5173 | access-control-allow-headers: content-type, x-amz-date | access-control-max-age: 60")
        .await;
    world
        .check("OPTIONS /photos/k", &["origin: http://evil.example", "access-control-request-method: PUT"], "", "403 | AccessForbidden")
        .await;
    world.check("PUT /photos/k", &["origin: http://localhost:5173"], "x", "200 | access-control-expose-headers: ETag").await;
    world.check("PUT /photos?website", &[], "<Other/>", "400 | <Code>MalformedXML</Code>").await;
    world.check("PUT /photos?tagging", &[], "<Tagging><TagSet>", "400 | <Code>MalformedXML</Code>").await;
    world.check("PUT /photos?policy", &[], "nonsense", "400 | <Code>MalformedPolicy</Code>").await;
    world.check("PUT /photos?policy", &[], "{\"Version\":\"2012-10-17\"}", "204").await;
    world.check("GET /photos?policy", &[], "", "200 | content-type: application/json | 2012-10-17").await;
    world.check("DELETE /photos?policy", &[], "", "204").await;
    world.check("GET /photos?policy", &[], "", "404 | <Code>NoSuchBucketPolicy</Code>").await;
    world.check("GET /nobody?cors", &[], "", "404 | <Code>NoSuchBucket</Code>").await;
    let told = |name: &str| {
        let queue = format!(
            "<QueueConfiguration><Queue>arn:aws:sqs:us-east-1:000000000000:{name}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
        );
        format!("<NotificationConfiguration>{queue}</NotificationConfiguration>")
    };
    for (name, headers, wanted) in [
        ("known", &[][..], "200"),
        ("other", &[], "400 | <Code>InvalidArgument</Code> | <ArgumentValue>The destination queue does not exist</ArgumentValue>"),
        ("other", &["x-amz-skip-destination-validation: true"], "200"),
    ] {
        let answered = world.ask("PUT /photos?notification", headers, told(name)).await;
        let all = format!("{} {}", answered.status.as_u16(), answered.body);
        assert!(wanted.split(" | ").all(|part| all.contains(part)), "{name} {headers:?}: {all}");
    }
    world.check("GET /photos?notification", &[], "", "200 | </Id> | :other</Queue>").await;
    world.check("PUT /photos?notification", &[], "<NotificationConfiguration/>", "200").await;
    let none = world.check("GET /photos?notification", &[], "", "200").await;
    assert!(!none.body.contains("Queue"), "{}", none.body);
    world.check("GET /photos?location", &[], "", "200 | <LocationConstraint").await;
}

#[tokio::test]
async fn a_botocore_connection_ends_where_no_100_continue_can_be_said() {
    let world = world();
    world.check("PUT /photos", &[], "", "200").await;
    world.check("PUT /photos/k", &["expect: 100-continue", "content-length: 0"], "", "200 | connection: close").await;
    world.check("PUT /none/k", &["expect: 100-continue"], "x", "404 | connection: close").await;
    let kept = world.check("PUT /photos/k", &["expect: 100-continue", "content-length: 1"], "x", "200").await;
    assert!(!kept.headers.contains_key("connection"));
}

#[tokio::test]
async fn a_form_stores_its_file_if_its_policy_allows() {
    use base64::Engine as _;
    let world = world();
    world.check("PUT /photos", &[], "", "200").await;
    let policy = |expiration: &str, most: u64| {
        let text = format!(
            "{{\"expiration\":\"{expiration}\",\"conditions\":[{{\"bucket\":\"photos\"}},[\"starts-with\",\"$key\",\"in/\"],[\"content-length-range\",1,{most}]]}}"
        );
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    let form = |key: &str, policy: &str, status: &str| {
        let field = |name: &str, value: &str| format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        let file = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cat.png\"\r\nContent-Type: image/png\r\n\r\nmeow\r\n-purr\r\n--B--\r\n";
        [
            field("key", key),
            field("Content-Type", "image/png"),
            field("policy", policy),
            field("success_action_status", status),
            file.to_owned(),
        ]
        .concat()
    };
    let late = "2026-01-02T03:04:06Z";
    for (key, policy, wanted) in [
        ("in/${filename}", policy(late, 100), 201),
        ("out/x", policy(late, 100), 403),
        ("in/x", policy("2026-01-02T03:04:04Z", 100), 403),
        ("in/x", policy(late, 3), 400),
        ("", policy(late, 100), 400),
    ] {
        let answered = world.ask("POST /photos", &["content-type: multipart/form-data; boundary=B"], form(key, &policy, "201")).await;
        assert_eq!(answered.status.as_u16(), wanted, "{key}: {}", answered.body);
    }
    world.check("GET /photos/in/cat.png", &[], "", "200 | content-type: image/png | content-length: 11 | meow\r\n-purr").await;
    world.check("GET /photos/in/x", &[], "", "404").await;
}

use std::net::Ipv4Addr;

use http::Request;
use proptest::prelude::*;

use super::*;
use crate::functions::route::{Decision, Routes};
use crate::functions::testing;
use crate::project::{EventSource, Function, Method};

fn routes(event: EventSource) -> Routes {
    let mut project = testing::project();
    project.functions.push(Function { events: vec![event], ..testing::function("f", "a.handler") });
    Routes::new(&project)
}

fn api(path: &str, payload: Payload) -> Routes {
    routes(EventSource::HttpApi { method: Method::Any, path: path.to_string(), payload })
}

fn rest(path: &str) -> Routes {
    routes(EventSource::Http { method: Method::Any, path: path.to_string(), cors: None })
}

/// A request as it is typed: a line, headers, an empty line, a body.
fn request(text: &str) -> Request<Bytes> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut rows = head.lines();
    let (method, target) = rows.next().and_then(|line| line.split_once(' ')).expect("a request line");
    let mut builder = Request::builder().method(method).uri(target);
    for row in rows {
        let (name, value) = row.split_once(": ").expect("a header");
        builder = builder.header(name, value);
    }
    builder.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request")
}

fn shape(routes: &Routes, request: &Request<Bytes>) -> Value {
    let gateway = Gateway { account: "000000000000".into(), api_id: "shop".into(), stage: "dev".into() };
    let Decision::Invoke(found) = routes.decide(request.method().as_str(), request.uri().path(), request.headers()) else {
        panic!("a route fits")
    };
    let event = event(&Arrival {
        found: &found,
        method: request.method().as_str(),
        query: request.uri().query(),
        headers: request.headers(),
        version: request.version(),
        body: request.body(),
        source: Ipv4Addr::LOCALHOST.into(),
        at: Time(1_795_228_860_000),
        request_id: "r1",
        gateway: &gateway,
    });
    serde_json::from_slice(&event).expect("an event is JSON")
}

#[track_caller]
fn check(routes: &Routes, text: &str, expected: Value) {
    assert_eq!(serde_json::to_string_pretty(&shape(routes, &request(text))).unwrap(), serde_json::to_string_pretty(&expected).unwrap());
}

#[test]
fn a_request_in_format_2_has_every_key() {
    check(
        &api("/orders/{id}", Payload::V2),
        "PUT /orders/a%20b?x=1&y=%C3%A9&x=2\nHost: localhost:3000\nUser-Agent: test\nCookie: a=1; b=2\nContent-Type: application/json\nX-Many: 1\nX-Many: 2\n\n{}",
        serde_json::json!({
            "version": "2.0", "routeKey": "ANY /orders/{id}", "rawPath": "/orders/a%20b", "rawQueryString": "x=1&y=%C3%A9&x=2",
            "cookies": ["a=1", "b=2"],
            "headers": {
                "content-type": "application/json", "host": "localhost:3000", "user-agent": "test",
                "x-forwarded-for": "127.0.0.1", "x-forwarded-port": "3000", "x-forwarded-proto": "http", "x-many": "1,2",
            },
            "queryStringParameters": { "x": "1,2", "y": "é" },
            "requestContext": {
                "accountId": "000000000000", "apiId": "shop", "domainName": "localhost:3000", "domainPrefix": "localhost",
                "http": { "method": "PUT", "path": "/orders/a%20b", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test" },
                "requestId": "r1", "routeKey": "ANY /orders/{id}", "stage": "$default", "time": "21/Nov/2026:02:41:00 +0000",
                "timeEpoch": 1_795_228_860_000_i64,
            },
            "pathParameters": { "id": "a b" },
            "body": "{}",
            "isBase64Encoded": false,
        }),
    );
}

#[test]
fn a_bare_request_in_format_2_leaves_out_what_is_empty() {
    let event = shape(&api("$default", Payload::V2), &request("GET /"));
    let keys: Vec<&str> = event.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded"]);
    assert_eq!(event["routeKey"], "$default");
}

#[test]
fn a_request_in_format_1_has_every_key() {
    check(
        &rest("/orders/{id}"),
        "PUT /dev/orders/7?x=1&x=2\nHost: localhost:3000\nUser-Agent: test\nX-Many: 1\nX-Many: 2\n\nhello",
        serde_json::json!({
            "resource": "/orders/{id}", "path": "/orders/7", "httpMethod": "PUT",
            "headers": {
                "Host": "localhost:3000", "User-Agent": "test", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Port": "3000",
                "X-Forwarded-Proto": "http", "X-Many": "2",
            },
            "multiValueHeaders": {
                "Host": ["localhost:3000"], "User-Agent": ["test"], "X-Forwarded-For": ["127.0.0.1"], "X-Forwarded-Port": ["3000"],
                "X-Forwarded-Proto": ["http"], "X-Many": ["1", "2"],
            },
            "queryStringParameters": { "x": "2" }, "multiValueQueryStringParameters": { "x": ["1", "2"] },
            "pathParameters": { "id": "7" }, "stageVariables": null,
            "requestContext": {
                "accountId": "000000000000", "apiId": "shop", "deploymentId": "emu", "domainName": "localhost:3000",
                "domainPrefix": "localhost", "extendedRequestId": "r1", "httpMethod": "PUT",
                "identity": {
                    "accessKey": null, "accountId": null, "apiKey": null, "apiKeyId": null, "caller": null, "cognitoAmr": null,
                    "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null, "cognitoIdentityId": null,
                    "cognitoIdentityPoolId": null, "principalOrgId": null, "sourceIp": "127.0.0.1", "user": null, "userAgent": "test",
                    "userArn": null,
                },
                "path": "/dev/orders/7", "protocol": "HTTP/1.1", "requestId": "r1", "requestTime": "21/Nov/2026:02:41:00 +0000",
                "requestTimeEpoch": 1_795_228_860_000_i64, "resourceId": "ANY /orders/{id}", "resourcePath": "/orders/{id}", "stage": "dev",
            },
            "body": "hello", "isBase64Encoded": false,
        }),
    );
}

#[test]
fn a_bare_request_in_format_1_has_nulls() {
    let event = shape(&rest("/"), &request("GET /"));
    for key in ["queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body"] {
        assert_eq!(event.get(key), Some(&Value::Null), "{key}");
    }
    assert_eq!(event["requestContext"]["path"], "/dev/");
    assert_eq!(shape(&api("/", Payload::V1), &request("GET /"))["version"], "1.0");
}

#[test]
fn bodies_that_are_not_text_come_in_base64() {
    let rows = [
        ("application/json", &b"{}"[..], "{}", false),
        ("application/vnd.api+json; charset=utf-8", b"{}", "{}", false),
        ("TEXT/plain", b"a", "a", false),
        ("application/x-www-form-urlencoded", b"a=1", "YT0x", true),
        ("application/octet-stream", b"a", "YQ==", true),
        ("application/json", b"\xff", "/w==", true),
    ];
    for (media, body, expected, is_base64) in rows {
        let mut request = request(&format!("POST /\nContent-Type: {media}"));
        *request.body_mut() = Bytes::copy_from_slice(body);
        let event = shape(&api("/", Payload::V2), &request);
        assert_eq!((event["body"].as_str(), event["isBase64Encoded"].as_bool()), (Some(expected), Some(is_base64)), "{media}");
    }
}

/// `STATUS | sorted headers | body`.
fn show(kind: Kind, payload: &str) -> String {
    match answer(kind, payload.as_bytes()) {
        Err(Malformed(why)) => format!("malformed: {why}"),
        Ok(response) => {
            let mut headers: Vec<String> = response.headers().iter().map(|(name, value)| format!("{name}: {}", latin1(value))).collect();
            headers.sort();
            format!("{} | {} | {}", response.status().as_u16(), headers.join("; "), String::from_utf8_lossy(response.body()))
        }
    }
}

#[test]
fn answers_in_format_2() {
    let rows = [
        (r#"{"a":1}"#, r#"200 | content-type: application/json | {"a":1}"#),
        (r#""hello""#, "200 | content-type: application/json | hello"),
        ("null", "200 | content-type: application/json | null"),
        (r#"{"statusCode":204}"#, "204 | content-type: text/plain;charset=UTF-8 | "),
        (r#"{"statusCode":"201","body":"x","headers":{"Content-Type":"text/html","X-N":1}}"#, "201 | content-type: text/html; x-n: 1 | x"),
        (
            r#"{"statusCode":200,"cookies":["a=1; Path=/","b=2"],"body":"x"}"#,
            "200 | content-type: text/plain;charset=UTF-8; set-cookie: a=1; Path=/; set-cookie: b=2 | x",
        ),
        (r#"{"statusCode":200,"isBase64Encoded":true,"body":"aGk="}"#, "200 | content-type: text/plain;charset=UTF-8 | hi"),
        (r#"{"statusCode":200,"isBase64Encoded":true,"body":"%"}"#, "malformed: `isBase64Encoded` is true and `body` is not base64"),
        (r#"{"statusCode":200,"headers":{"Content-Length":"999"},"body":"x"}"#, "200 | content-type: text/plain;charset=UTF-8 | x"),
        (r#"{"statusCode":200,"body":{"a":1}}"#, "malformed: `body` is not a string; use JSON.stringify"),
        (r#"{"statusCode":100}"#, "malformed: `statusCode` is 100, which is no HTTP status from 200 to 599"),
        (r#"{"statusCode":"x"}"#, r#"malformed: `statusCode` is "x", which is no HTTP status from 200 to 599"#),
        (r#"{"statusCode":200,"headers":{"a b":"c"}}"#, "malformed: `a b` is no name of a header"),
        (r#"{"statusCode":200,"headers":{"a":"c\nd"}}"#, "malformed: the value of header `a` has characters that a header cannot have"),
        (r#"{"statusCode":200,"headers":"a"}"#, "malformed: `headers` is not an object"),
        (r#"{"statusCode":200,"cookies":"a=1"}"#, "malformed: `cookies` is not an array"),
        (r#"{"statusCode":200,"isBase64Encoded":"yes"}"#, "malformed: `isBase64Encoded` is not a boolean"),
        (
            r#"{"statusCode":200,"headers":null,"cookies":null,"isBase64Encoded":null,"body":null}"#,
            "200 | content-type: text/plain;charset=UTF-8 | ",
        ),
        (r#"{"statusCode":null}"#, "malformed: `statusCode` is null, which is no HTTP status from 200 to 599"),
        (r#"{"statusCode":200,"body":"x","body":"y"}"#, "200 | content-type: text/plain;charset=UTF-8 | y"),
        (r#" {"statusCode":200,"body":7}"#, "200 | content-type: text/plain;charset=UTF-8 | 7"),
        (r#"[200,{"a":"b"},null,null,"x"]"#, r#"200 | content-type: application/json | [200,{"a":"b"},null,null,"x"]"#),
        ("{", "malformed: it is not JSON"),
        (r#"{"statusCode":200,"headers":{"a":["c"]}}"#, r#"malformed: header `a` is ["c"], which is not a string"#),
    ];
    for (payload, expected) in rows {
        assert_eq!(show(Kind::HttpApi(Payload::V2), payload), expected, "{payload}");
    }
}

#[test]
fn answers_in_format_1() {
    let rows = [
        (r#"{"statusCode":200,"body":"{}"}"#, "200 | content-type: application/json | {}"),
        (
            r#"{"statusCode":302,"headers":{"Location":"/x","Set-Cookie":"a"},"multiValueHeaders":{"set-cookie":["a","b"]}}"#,
            "302 | content-type: application/json; location: /x; set-cookie: a; set-cookie: b | ",
        ),
        (r#"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#, "200 | content-type: application/json | hi"),
        (r#"{"hello":1}"#, "malformed: it has a key `hello`; known are statusCode, headers, multiValueHeaders, body, isBase64Encoded"),
        (r#""hello""#, "malformed: it is not an object with `statusCode`, `headers` and `body`"),
        ("null", "malformed: it is not an object with `statusCode`, `headers` and `body`"),
        (r#"{"statusCode":200,"body":{"a":1}}"#, "malformed: `body` is not a string; use JSON.stringify"),
    ];
    for (payload, expected) in rows {
        assert_eq!(show(Kind::Rest, payload), expected, "{payload}");
    }
}

#[test]
fn each_api_refuses_in_its_own_words() {
    let rows = [
        (Refusal::NotFound, r#"404 {"message":"Not Found"}"#, r#"403 {"message":"Missing Authentication Token"}"#),
        (Refusal::Broken, r#"500 {"message":"Internal Server Error"}"#, r#"502 {"message": "Internal server error"}"#),
        (Refusal::TimedOut, r#"503 {"message":"Service Unavailable"}"#, r#"504 {"message": "Endpoint request timed out"}"#),
        (Refusal::Throttled, r#"503 {"message":"Service Unavailable"}"#, r#"502 {"message": "Internal server error"}"#),
        (Refusal::TooLarge, r#"413 {"message":"Request Entity Too Large"}"#, r#"413 {"message":"Request Entity Too Large"}"#),
    ];
    for (refusal, http_api, rest) in rows {
        for (kind, expected) in [(Kind::HttpApi(Payload::V2), http_api), (Kind::Rest, rest)] {
            let response = refuse(kind, refusal);
            assert_eq!(format!("{} {}", response.status().as_u16(), String::from_utf8_lossy(response.body())), expected);
        }
    }
}

proptest! {
    /// Whatever a client encodes in its query, the function reads back.
    #[test]
    fn a_query_reads_back_as_it_was_meant(pairs in proptest::collection::vec(("[a-z]{1,4}", "\\PC{0,12}"), 1..6)) {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let event = shape(&rest("/"), &request(&format!("GET /?{query}")));
        let mut expected: std::collections::BTreeMap<&str, Vec<&str>> = Default::default();
        for (name, value) in &pairs {
            expected.entry(name).or_default().push(value);
        }
        for (name, values) in expected {
            prop_assert_eq!(&event["multiValueQueryStringParameters"][name], &serde_json::json!(values));
            prop_assert_eq!(&event["queryStringParameters"][name], &serde_json::json!(values.last()));
        }
    }

    /// A body survives the way in and out, whatever its bytes.
    #[test]
    fn a_body_that_is_echoed_comes_back_whole(body in proptest::collection::vec(any::<u8>(), 0..64), media in "(text/plain|image/png|application/json)") {
        for (routes, kind) in [(api("/", Payload::V2), Kind::HttpApi(Payload::V2)), (rest("/"), Kind::Rest)] {
            let mut request = request(&format!("POST /\nContent-Type: {media}"));
            *request.body_mut() = Bytes::from(body.clone());
            let event = shape(&routes, &request);
            let echo = serde_json::json!({ "statusCode": 200, "body": event.get("body"), "isBase64Encoded": event["isBase64Encoded"] });
            let response = answer(kind, echo.to_string().as_bytes()).expect("well-formed");
            prop_assert_eq!(response.body().as_ref(), body.as_slice());
        }
    }

    /// No answer of a function, however wrong, does more than be refused.
    #[test]
    fn any_json_is_an_answer_or_malformed(status in any::<i64>(), name in "\\PC{0,8}", value in "\\PC{0,8}", body in "\\PC{0,8}", base64 in any::<bool>()) {
        let payload = serde_json::json!({ "statusCode": status, "headers": { name: value }, "body": body, "isBase64Encoded": base64 }).to_string();
        for kind in [Kind::HttpApi(Payload::V2), Kind::HttpApi(Payload::V1), Kind::Rest] {
            if let Ok(response) = answer(kind, payload.as_bytes()) {
                prop_assert!(response.status().as_u16() >= 200);
            }
        }
    }
}

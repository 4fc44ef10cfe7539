use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::base::{Cause, Time, TraceId, Usage};
use crate::telemetry::{Invocation, Outcome, PAYLOAD_BYTES_MAX, Payload, Request, Span};

#[test]
fn names_of_secrets_are_known_however_they_are_written() {
    for name in [
        "password",
        "Password",
        "userPassword",
        "db_passwd",
        "pwd",
        "SECRET",
        "client-secret",
        "token",
        "id_token",
        "NextToken",
        "Authorization",
        "cookie",
        "Set-Cookie",
        "x-api-key",
        "apiKey",
        "aws_secret_access_key",
        "AccessKeyId",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
        "credentials",
        "privateKey",
    ] {
        assert!(is_secret(name), "{name}");
    }
    for name in ["", "user", "author", "key", "keys", "pass", "pwdAge", "signature-version", "tok", "hash"] {
        assert!(!is_secret(name), "{name}");
    }
}

fn hide_payload(text: &str) -> String {
    let payload = payload(&Payload::new(&Bytes::copy_from_slice(text.as_bytes())));
    assert!(!payload.is_cut());
    String::from_utf8(payload.kept().to_vec()).expect("text")
}

#[test]
fn bodies_lose_their_secrets_and_nothing_else() {
    for (given, wanted) in [
        (r#"{"email":"a@b.c","password":"hunter2"}"#, r#"{"email":"a@b.c","password":"***"}"#),
        (r#"{ "password" : "a\"b" , "n": 1 }"#, r#"{ "password" : "***" , "n": 1 }"#),
        (r#"{"password":{"S":"x"},"a":[{"token":["x",{"y":"]"}]}]}"#, r#"{"password":"***","a":[{"token":"***"}]}"#),
        (
            r#"{"token":null,"hasPassword":true,"maxTokens":512,"password":1234}"#,
            r#"{"token":null,"hasPassword":true,"maxTokens":512,"password":"***"}"#,
        ),
        (r#"{"pass\u0077ord":"x"}"#, r#"{"pass\u0077ord":"***"}"#),
        (r#"["password","x"]"#, r#"["password","x"]"#),
        (r#"{"a":"password: x"}"#, r#"{"a":"password: x"}"#),
        // JSON in JSON, as events have it, and JSON in that.
        (r#"{"body":"{\"password\":\"x\",\"n\":1}"}"#, r#"{"body":"{\"password\":\"***\",\"n\":1}"}"#),
        (
            r#"{"Records":[{"body":"{\"Message\":\"{\\\"secret\\\":\\\"x\\\"}\"}"}]}"#,
            r#"{"Records":[{"body":"{\"Message\":\"{\\\"secret\\\":\\\"***\\\"}\"}"}]}"#,
        ),
        (r#"{"rawQueryString":"a=1&token=x&b=2"}"#, r#"{"rawQueryString":"a=1&token=***&b=2"}"#),
        // "user=a&password=x" in base64.
        (
            r#"{"body":"dXNlcj1hJnBhc3N3b3JkPXg=","isBase64Encoded":true}"#,
            r#"{"body":"dXNlcj1hJnBhc3N3b3JkPSoqKg==","isBase64Encoded":true}"#,
        ),
        ("user=a&pass%77ord=x&b=2", "user=a&pass%77ord=***&b=2"),
        ("a=b", "a=b"),
        ("no pairs at all", "no pairs at all"),
        (
            "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n***\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--",
        ),
        // Not JSON, though it looks like it: taken as it comes.
        (r#"{"password":"x"#, r#"{"password":"***""#),
        (r#"{"password":"#, r#"{"password":"#),
        (r#"{"password":{"a":"x"#, r#"{"password":"***""#),
        (r#"{"body":"{\"password\":\"x\\u00"#, r#"{"body":"{\"password\":\"***\""#),
        (r#"[{"a" : "b" : "c"}, ]]}}"#, r#"[{"a" : "b" : "c"}, ]]}}"#),
    ] {
        assert_eq!(hide_payload(given), wanted, "{given}");
    }
}

#[test]
fn a_body_that_was_cut_is_hidden_as_far_as_it_goes_and_stays_cut() {
    let long = json!({ "body": json!({ "password": "hunter2", "fill": "é".repeat(PAYLOAD_BYTES_MAX) }).to_string() }).to_string();
    let cut = payload(&Payload::new(&Bytes::from(long)));
    let text = String::from_utf8_lossy(cut.kept());
    assert!(cut.is_cut() && !text.contains("hunter2") && text.contains(r#"\"password\":\"***\""#), "{}", &text[..100]);
    let binary = Payload::new(&Bytes::from_static(b"\xff{\"password\":\"x\"}"));
    assert_eq!(payload(&binary), binary);
}

#[test]
fn targets_lose_the_secrets_of_their_queries() {
    for (given, wanted) in [
        ("/a?token=x&b=1", "/a?token=***&b=1"),
        ("/k?X-Amz-Date=1&X-Amz-Signature=abc", "/k?X-Amz-Date=1&X-Amz-Signature=***"),
        ("/a?token=&b", "/a?token=&b"),
        ("/password/x", "/password/x"),
        ("https://a.b/c?x=1#access_token=y", "https://a.b/c?x=1#access_token=***"),
        ("é?secret=é&é=1", "é?secret=***&é=1"),
    ] {
        assert_eq!(pairs(given), wanted);
    }
}

#[test]
fn lines_lose_what_looks_like_a_secret() {
    for (given, wanted) in [
        ("token=abc rest", "token=*** rest"),
        ("{ email: 'a', password: 'hunter2', n: 1 }", "{ email: 'a', password: '***', n: 1 }"),
        (r#"got {"password":"hunter2","a":1}"#, r#"got {"password":"***","a":1}"#),
        (r#"got {\"password\":\"hunter2\",\"a\":1}"#, r#"got {\"password\":\"***\",\"a\":1}"#),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent Bearer abcdefghijkl.def", "sent Bearer ***"),
        ("the bearer of news", "the bearer of news"),
        ("credentials: { user: 'x', pass: 'y' } end", "credentials: *** end"),
        ("used tokens: 512, secret: 77", "used tokens: 512, secret: ***"),
        ("no token was sent", "no token was sent"),
        ("token: undefined", "token: undefined"),
        ("password: 'open", "password: '***"),
        ("password:", "password:"),
        ("é password=é é", "é password=*** é"),
    ] {
        assert_eq!(text(given), wanted);
    }
}

const SECRET: &str = "s3cr3t";

#[test]
fn a_record_has_no_secrets_and_else_what_it_had() {
    let (pair, json) = (format!("a=1&token={SECRET}"), Bytes::from(format!("{{\"a\":1,\"password\":\"{SECRET}\"}}")));
    let request = |target: &str, header: &str, body: &Bytes| {
        Record::Request(Request {
            id: "r".into(),
            trace: TraceId("ab".repeat(16).into()),
            at: Time(1),
            span: Span { began_micros: 2, wall_micros: 3 },
            face: "http".into(),
            method: "GET".into(),
            target: target.to_owned(),
            host: "http://127.0.0.1:3000".into(),
            headers: [("authorization", header), ("accept", "*/*")].into_iter().collect(),
            body: Payload::new(body),
            status: 200,
            bytes_in: 4,
            bytes_out: 5,
            function: Some("f".into()),
            own: Usage::default(),
        })
    };
    let invocation = |message: &str, line: &str, body: &Bytes| {
        Record::Invocation(Invocation {
            id: "i".into(),
            trace: TraceId("ab".repeat(16).into()),
            parent: Cause::Request("r".into()),
            depth: 1,
            function: "f".into(),
            trigger: "GET /".into(),
            at: Time(1),
            span: Span { began_micros: 2, wall_micros: 3 },
            outcome: Outcome::Failed { kind: "Error".into(), message: message.to_owned() },
            stack: vec![line.to_owned()],
            cold: true,
            build: 1,
            bundle_bytes: 2,
            event: Payload::new(body),
            answer: Payload::new(body),
            cpu_micros: 3,
            queued_micros: 4,
            memory_peak_bytes: 5,
            memory_mib: 6,
            own: Usage::default(),
            usage: Usage::default(),
        })
    };
    let hidden = Bytes::from_static(b"{\"a\":1,\"password\":\"***\"}");
    let line = format!("at f (token={SECRET})");
    for (given, wanted) in [
        (request(&format!("/a?{pair}"), SECRET, &json), request("/a?a=1&token=***", HIDDEN, &hidden)),
        (invocation(&pair, &line, &json), invocation("a=1&token=***", "at f (token=***)", &hidden)),
    ] {
        assert_eq!(record(&given), wanted);
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-f\"\\\\:{}]{0,4}", Just("password".to_owned()), Just("x-api-key".to_owned())]
}

/// Any JSON, in which only the values of secret keys hold the secret; some of it as text in texts.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z\"\\\\{}\\[\\]:, é\n]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner.clone()), 0..4).prop_map(|entries| {
                let fill = |(name, value): (String, Value)| {
                    let value = if is_secret(&name) { json!([SECRET, { "x": SECRET }, value]) } else { value };
                    (name, value)
                };
                Value::Object(entries.into_iter().map(fill).collect())
            }),
            inner.prop_map(|value| json!({ "body": value.to_string() })),
        ]
    })
}

/// How deep texts are in texts.
fn texts_in_texts(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(texts_in_texts).max().unwrap_or(0),
        Value::Object(map) => map.values().map(texts_in_texts).max().unwrap_or(0),
        Value::String(text) => serde_json::from_str::<Value>(text).ok().filter(|v| !v.is_number()).map_or(0, |v| 1 + texts_in_texts(&v)),
        _ => 0,
    }
}

#[test]
fn long_texts_of_many_names_take_no_time() {
    // Were each byte looked at as often as there are names before it, this would take minutes.
    for piece in ["a:{", "token:{", "\"a\":{", "{\"token\":[", "token:", "x=\\\"", "bearer ", "\\", "name=\"token\" form-data "] {
        let long = piece.repeat(PAYLOAD_BYTES_MAX * 4 / piece.len());
        let (json, quoted) = (format!("{{{long}"), format!("{{\"a\":\"{long}"));
        for given in [&long, &json, &quoted] {
            let _ = (value(given, json::DEPTH_MAX), text(given).len(), pairs(given).len());
        }
    }
}

proptest! {
    #[test]
    fn json_stays_json_and_has_no_secrets(document in document()) {
        let text = json!({ "": document }).to_string();
        let hidden = hide_payload(&text);
        let read = serde_json::from_str::<Value>(&hidden);
        prop_assert!(read.is_ok(), "{text} became {hidden}");
        if texts_in_texts(&document) < json::DEPTH_MAX - 1 {
            prop_assert!(!hidden.contains(SECRET), "{text} became {hidden}");
        }
        if !text.contains(SECRET) {
            prop_assert!(!hidden.contains(HIDDEN) || text.contains("password") || text.contains("api-key"));
        }
    }

    #[test]
    fn any_text_is_taken(given in "[a-z=:&?\"'\\\\{}\\[\\] é,;\n]{0,40}|(password|token|[=:\"'\\\\{é ]){0,12}") {
        let _ = (hide_payload(&given), pairs(&given).len(), text(&given).len());
    }
}

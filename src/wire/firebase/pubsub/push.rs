//! Messages that are sent to somebody: the request that brings one. Source: "Push subscriptions" of Pub/Sub's documentation.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::base::Time;
use crate::services::pubsub::{Identity, Push, Received, SubscriptionName};

/// Seconds that a token says it is good for.
const TOKEN_S: i64 = 3_600;

/// The request that brings a message. `None` where the endpoint is no URL that can be asked.
pub fn request(name: &SubscriptionName, push: &Push, received: &Received, now: Time) -> Option<http::Request<Bytes>> {
    let message = &received.message;
    let content = &message.content;
    let mut request = http::Request::post(&push.endpoint);
    let headers = request.headers_mut()?;
    headers.insert(header::USER_AGENT, HeaderValue::from_static("CloudPubSub-Google"));
    if let Some(identity) = &push.identity {
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", token(identity, push, now))).ok()?);
    }
    let Some(write_metadata) = push.unwrapped else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Both spellings, as there.
        let mut said = json!({
            "attributes": content.attributes,
            "data": STANDARD.encode(&content.data),
            "messageId": message.id, "message_id": message.id,
            "publishTime": message.at.iso(), "publish_time": message.at.iso(),
        });
        if let Some(key) = &content.ordering {
            said["orderingKey"] = json!(key);
        }
        let mut body = json!({ "message": said, "subscription": name.as_str() });
        if let Some(attempt) = received.attempt {
            body["deliveryAttempt"] = json!(attempt);
        }
        return request.body(Bytes::from(body.to_string())).ok();
    };
    if write_metadata {
        let mut put = |name: &str, value: &str| {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        };
        for (key, value) in &content.attributes {
            put(key, value);
        }
        put("x-goog-pubsub-subscription-name", name.as_str());
        put("x-goog-pubsub-message-id", &message.id);
        put("x-goog-pubsub-publish-time", &message.at.iso());
        if let Some(key) = &content.ordering {
            put("x-goog-pubsub-ordering-key", key);
        }
    }
    request.body(Bytes::from(content.data.clone())).ok()
}

/// Whether an answer says that the message was dealt with. Source: "Push subscriptions", message acknowledgment.
pub fn is_acknowledged(status: StatusCode) -> bool {
    matches!(status.as_u16(), 102 | 200 | 201 | 202 | 204)
}

/// An unsigned token of whom the sender says to be.
fn token(identity: &Identity, push: &Push, now: Time) -> String {
    let audience = if identity.audience.is_empty() { &push.endpoint } else { &identity.audience };
    let (issued, email) = (now.seconds(), &identity.email);
    let claims = json!({
        "iss": "https://accounts.google.com", "aud": audience, "sub": email, "azp": email, "email": email, "email_verified": true,
        "iat": issued, "exp": issued + TOKEN_S,
    });
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.", part(r#"{"alg":"none","typ":"JWT"}"#), part(&claims.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::TraceId;
    use crate::services::pubsub::{AckId, Message, Publish};

    fn sent(push: &Push) -> (http::HeaderMap, Bytes) {
        let name = SubscriptionName::parse("projects/p/subscriptions/sub").expect("a name");
        let attributes = [("a".to_owned(), "b".to_owned())].into();
        let content = Publish { data: b"hi".to_vec(), attributes, ordering: Some("k".to_owned()) };
        let message = Message { id: "7".into(), at: Time(1_700_000_000_000), content, trace: TraceId("0".repeat(32).into()) };
        let received = Received { ack_id: AckId::parse("1-2-3").expect("an identifier"), message, attempt: Some(2) };
        let (parts, body) = request(&name, push, &received, Time(1_700_000_000_000)).expect("a request").into_parts();
        assert_eq!((parts.method.as_str(), parts.uri.to_string().as_str()), ("POST", "http://localhost:1/x?y=z"));
        (parts.headers, body)
    }

    fn push() -> Push {
        Push { endpoint: "http://localhost:1/x?y=z".into(), attributes: BTreeMap::new(), identity: None, unwrapped: None }
    }

    #[test]
    fn a_message_is_wrapped_in_json() {
        let (headers, body) = sent(&push());
        assert_eq!((headers["content-type"].as_bytes(), headers.get("authorization")), (&b"application/json"[..], None));
        let said: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let at = "2023-11-14T22:13:20.000Z";
        let wanted = json!({
            "message": {
                "attributes": {"a": "b"}, "data": "aGk=", "messageId": "7", "message_id": "7", "publishTime": at, "publish_time": at,
                "orderingKey": "k",
            },
            "subscription": "projects/p/subscriptions/sub",
            "deliveryAttempt": 2,
        });
        assert_eq!(said, wanted);
    }

    #[test]
    fn or_it_is_the_body_itself() {
        let (headers, body) = sent(&Push { unwrapped: Some(true), ..push() });
        assert_eq!(
            (&body[..], headers["a"].as_bytes(), headers["x-goog-pubsub-message-id"].as_bytes()),
            (&b"hi"[..], &b"b"[..], &b"7"[..])
        );
        let (headers, _) = sent(&Push { unwrapped: Some(false), ..push() });
        assert!(!headers.contains_key("a"));
    }

    #[test]
    fn the_sender_says_who_it_is() {
        let identity = Some(Identity { email: "me@example.com".into(), audience: String::new() });
        let (headers, _) = sent(&Push { identity, ..push() });
        let token = headers["authorization"].to_str().expect("text").trim_start_matches("Bearer ");
        let claims = crate::services::auth::token::claims(token).expect("claims");
        assert_eq!((&claims["email"], &claims["aud"]), (&json!("me@example.com"), &json!("http://localhost:1/x?y=z")));
    }
}

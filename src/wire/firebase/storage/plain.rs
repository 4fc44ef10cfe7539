//! Objects by their URLs (`/BUCKET/OBJECT`, the XML API): what signed URLs, public links and forms of browsers use.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use http::{Method, StatusCode};

use super::ask::Ask;
use super::body::{Multipart, Pieces, boundary, pieces};
use super::encode::{describe, escaped};
use super::fail::Failure;
use super::upload::{Sent, incomplete, set};
use super::{Answered, Storage, decode, signed};
use crate::base::Call;
use crate::services::objects::{Appended, Condition, Expected, Name, NewSession, Numbers, Object, Properties};
use crate::wire::http::{Body, Response};

/// Bytes of a field of a form, and fields at most.
const FIELD_BYTES_MAX: usize = 64 << 10;
const FIELDS_MAX: usize = 100;

impl Storage {
    pub async fn plain(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str, body: Body) -> Answered {
        let result = async {
            signed::check(ask, self.objects.now())?;
            self.settle(bucket, false).await
        };
        if let Err(failure) = result.await {
            return ("?", failure.xml());
        }
        let (action, result) = match (&ask.parts.method, key) {
            (&Method::GET | &Method::HEAD, key) if !key.is_empty() => ("objects.get", self.plain_bytes(call, ask, bucket, key).await),
            (&Method::PUT, key) if !key.is_empty() => ("objects.insert", self.put_plain(call, ask, bucket, key, body).await),
            (&Method::DELETE, key) if !key.is_empty() => ("objects.delete", self.delete_plain(call, ask, bucket, key).await),
            (&Method::POST, key) if ask.header("x-goog-resumable") == Some("start") && !key.is_empty() => {
                ("objects.insert", self.start_plain(call, ask, bucket, key).await)
            }
            (&Method::POST, "") => ("objects.insert", self.form(call, ask, bucket, body).await),
            (method, _) => ("?", Err(Failure::unsupported(format!("{method} /BUCKET of the XML API")))),
        };
        let response = result.unwrap_or_else(|failure| failure.xml());
        if ask.parts.method == Method::HEAD && response.status().is_client_error() {
            let (parts, _) = response.into_parts();
            return (action, http::Response::from_parts(parts, Body::empty()));
        }
        (action, response)
    }

    async fn plain_bytes(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        let name = Name { bucket: bucket.to_owned(), key: key.to_owned(), which: ask.which("generation")? };
        let mut response = self.bytes(call, ask, name).await?;
        if !response.headers().contains_key("cache-control") {
            set(&mut response, "cache-control", "private, max-age=0");
        }
        Ok(response)
    }

    async fn put_plain(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str, body: Body) -> Result<Response, Failure> {
        if let Some(id) = ask.get("upload_id") {
            return match self.extend(call, ask, bucket, id, body).await? {
                Appended::Done(stored) => Ok(stored_as(&stored.object)),
                Appended::More(session) => Ok(incomplete(&session)),
            };
        }
        let sent = Sent {
            key: key.to_owned(),
            properties: decode::of_headers(&ask.parts.headers),
            expected: ask.expected()?,
            condition: Condition::Numbers(ask.numbers_of_headers()?),
            content: pieces(body),
            length: ask.length(),
        };
        Ok(stored_as(&self.store(call, bucket, sent).await?))
    }

    async fn start_plain(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        let new = NewSession {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            properties: decode::of_headers(&ask.parts.headers),
            condition: Condition::Numbers(ask.numbers_of_headers()?),
            total: None,
            expected: Expected::default(),
        };
        let session = self.objects.start_session(call, new).await.map_err(|error| Failure::of(&error, bucket))?;
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::CREATED;
        let path: Vec<String> = key.split('/').map(escaped).collect();
        set(&mut response, "location", &format!("{}/{}/{}?upload_id={}", ask.origin(), escaped(bucket), path.join("/"), session.id));
        set(&mut response, "x-guploader-uploadid", &session.id);
        Ok(response)
    }

    async fn delete_plain(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        let name = Name { bucket: bucket.to_owned(), key: key.to_owned(), which: ask.which("generation")? };
        self.remove(call, name, Numbers::default()).await?;
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    /// A browser's form: its fields first, the file last ("Form data").
    async fn form(&self, call: &Call, ask: &Ask<'_>, bucket: &str, body: Body) -> Result<Response, Failure> {
        let mut parts = Multipart::new(&boundary(ask.header("content-type"))?, body);
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        let file = loop {
            let head = parts.next().await?.ok_or_else(|| Failure::invalid("The form has no field named 'file'."))?;
            let name = head.parameter("name").unwrap_or_default().to_ascii_lowercase();
            if name == "file" {
                break head;
            }
            let value = parts.collect(FIELD_BYTES_MAX).await?;
            fields.insert(name, String::from_utf8_lossy(&value).into_owned());
            if fields.len() > FIELDS_MAX {
                return Err(Failure::invalid(format!("A form has up to {FIELDS_MAX} fields.")));
            }
        };
        let bounds = policy(fields.get("policy").map(String::as_str), self.objects.now())?;
        let file_name = file.parameter("filename").unwrap_or_default();
        let key = fields.get("key").map(|key| key.replace("${filename}", &file_name)).filter(|key| !key.is_empty());
        let mut headers = http::HeaderMap::new();
        for (name, value) in &fields {
            if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        let mut properties: Properties = decode::of_headers(&headers);
        if let Some(name) = fields.get("acl") {
            properties.grants = decode::predefined(name).unwrap_or_default();
        }
        properties.headers.content_type = properties.headers.content_type.or(file.content_type);
        let content = bounded(parts.rest(), bounds);
        let sent = Sent {
            key: key.ok_or_else(|| Failure::required("key"))?,
            properties,
            expected: Expected::default(),
            condition: Condition::Always,
            content,
            length: None,
        };
        let object = self.store(call, bucket, sent).await?;
        let mut response = stored_as(&object);
        let status = fields.get("success_action_status").and_then(|status| status.parse::<u16>().ok());
        *response.status_mut() = match (fields.get("success_action_redirect"), status) {
            (Some(target), _) => {
                set(&mut response, "location", target);
                StatusCode::SEE_OTHER
            }
            (None, Some(200)) => StatusCode::OK,
            (None, Some(201)) => StatusCode::CREATED,
            (None, _) => StatusCode::NO_CONTENT,
        };
        Ok(response)
    }
}

/// Breaks off where there are more bytes than may be, and at the end where there are fewer.
fn bounded(pieces: Pieces, (least, most): (u64, u64)) -> Pieces {
    Box::pin(stream::try_unfold((pieces, 0u64), move |(mut pieces, seen)| async move {
        let Some(piece) = pieces.next().await.transpose()? else {
            let refused = "the file is smaller than the form's policy allows";
            return if seen < least { Err(refused.into()) } else { Ok(None) };
        };
        let seen = seen + piece.len() as u64;
        if seen > most {
            return Err("the file is larger than the form's policy allows".into());
        }
        Ok(Some((piece, (pieces, seen))))
    }))
}

/// How many bytes a form's policy allows, if it is still good. That its signature fits is nobody's to say here.
fn policy(encoded: Option<&str>, now: crate::base::Time) -> Result<(u64, u64), Failure> {
    use base64::Engine;
    let Some(encoded) = encoded else { return Ok((0, u64::MAX)) };
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).map_err(|_| Failure::invalid("The policy is no base64."))?;
    let document = decode::document(&bytes)?;
    let until = document.get("expiration").and_then(serde_json::Value::as_str).unwrap_or_default();
    let until = chrono::DateTime::parse_from_rfc3339(until).map_err(|_| Failure::invalid("The policy says no expiration."))?;
    if until.timestamp_millis() <= now.millis() {
        return Err(Failure::expired("The provided token has expired. Policy expired."));
    }
    let conditions = document.get("conditions").and_then(serde_json::Value::as_array);
    let range = conditions.into_iter().flatten().find_map(|one| match one.as_array()?.as_slice() {
        [name, least, most] if name == "content-length-range" => Some((least.as_u64()?, most.as_u64()?)),
        _ => None,
    });
    Ok(range.unwrap_or((0, u64::MAX)))
}

/// What is answered where an object was stored: its headers, and nothing else.
fn stored_as(object: &Object) -> Response {
    let mut response = http::Response::new(Body::empty());
    describe(object, response.headers_mut());
    for name in ["content-type", "content-encoding", "content-disposition", "accept-ranges"] {
        response.headers_mut().remove(name);
    }
    response
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use super::*;
    use crate::base::Time;

    #[test]
    fn a_form_is_as_good_as_its_policy() {
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let now = Time(1_700_000_000_000);
        let good = r#"{"expiration":"2030-01-01T00:00:00Z","conditions":[["content-length-range",1,10]]}"#;
        for (given, wanted) in [
            (None, Some((0, u64::MAX))),
            (Some(encode(good)), Some((1, 10))),
            (Some(encode(r#"{"expiration":"2030-01-01T00:00:00Z","conditions":[]}"#)), Some((0, u64::MAX))),
            (Some(encode(r#"{"expiration":"2020-01-01T00:00:00Z","conditions":[]}"#)), None),
            (Some(encode("{}")), None),
            (Some("%".to_owned()), None),
        ] {
            assert_eq!(policy(given.as_deref(), now).ok(), wanted, "{given:?}");
        }
    }
}

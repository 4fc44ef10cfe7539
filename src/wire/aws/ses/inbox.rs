//! `/_aws/ses`: the mails that were sent, for tests to read, in the shape of LocalStack's endpoint of that path.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::Ses;
use super::fail::fail;
use crate::base::Call;
use crate::services::mail::Message;
use crate::wire::aws::query::Parameters;
use crate::wire::http::{self as wire, Body, Request, Response};

/// Mails that one look shows, the latest ones.
const MESSAGES_MAX: usize = 10_000;

impl Ses {
    /// `GET` shows the mails, those of `?id=` or from or to `?email=`; `DELETE` removes them, or the one of `?id=`.
    pub async fn inbox(&self, call: &Call, request: Request) -> Response {
        let parameters = Parameters::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let given = |name: &str| parameters.text(name).filter(|value| !value.is_empty());
        let answer = match *request.method() {
            Method::GET => self.mail.inbox(call, given("id"), given("email"), MESSAGES_MAX).await.map(|found| {
                let messages: Vec<Json> = found.iter().map(|(message, raw)| self.shown(message, raw.as_deref())).collect();
                wire::json(StatusCode::OK, &json!({ "messages": messages }))
            }),
            Method::DELETE => self.mail.clear(call, given("id")).await.map(|()| {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response
            }),
            _ => Ok(wire::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "message": "use GET or DELETE" }))),
        };
        answer.unwrap_or_else(|error| {
            let fault = fail(&error);
            wire::json(fault.status, &json!({ "message": fault.message }))
        })
    }

    fn shown(&self, m: &Message, raw: Option<&[u8]>) -> Json {
        let mut json = json!({
            "Id": m.id,
            "Region": self.account.region.as_ref(),
            "Timestamp": m.at.utc().format("%Y-%m-%dT%H:%M:%S").to_string(),
            "Destination": destination(m),
            "Source": m.source,
            "Subject": m.subject,
            "Body": { "text_part": m.text, "html_part": m.html },
        });
        if let Some(raw) = raw {
            // Mails are text but for rare eight-bit parts, which then need base64.
            match std::str::from_utf8(raw) {
                Ok(text) => json["RawData"] = text.into(),
                Err(_) => json["RawDataBase64"] = STANDARD.encode(raw).into(),
            }
        }
        if let Some((name, data)) = &m.template {
            json["Template"] = name.as_str().into();
            json["TemplateData"] = data.as_str().into();
        }
        if !m.reply_to.is_empty() {
            json["ReplyToAddresses"] = json!(m.reply_to);
        }
        if !m.attachments.is_empty() {
            let one = |a: &crate::services::mail::Attachment| json!({ "FileName": a.name, "ContentType": a.kind, "Bytes": a.bytes });
            json["Attachments"] = m.attachments.iter().map(one).collect::<Vec<_>>().into();
        }
        if !m.tags.is_empty() {
            json["Tags"] = json!(m.tags);
        }
        for (name, value) in [("ConfigurationSetName", &m.configuration), ("Failure", &m.failure), ("Function", &m.sender)] {
            if let Some(value) = value {
                json[name] = value.as_str().into();
            }
        }
        json
    }
}

fn destination(m: &Message) -> Json {
    let mut destination = json!({});
    for (name, list) in [("ToAddresses", &m.to), ("CcAddresses", &m.cc), ("BccAddresses", &m.bcc)] {
        if !list.is_empty() || name == "ToAddresses" {
            destination[name] = json!(list);
        }
    }
    destination
}

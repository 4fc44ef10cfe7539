//! Answers in either protocol.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::fail::Fault;
use super::{Dialect, digest};
use crate::base::message::{Attribute, Value};
use crate::services::queues::{Message, Send, Sent};
use crate::wire::aws::query::{self, Xml};
use crate::wire::http::{Body, Response};

pub(super) const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";

/// What an action answers.
pub(super) enum Output {
    Nothing,
    Url(String),
    Urls(Listed),
    Attributes(Vec<(String, String)>),
    Tags(BTreeMap<String, String>),
    Sent(SentOut),
    Batch {
        element: &'static str,
        succeeded: Vec<Succeeded>,
        failed: Vec<Failed>,
    },
    Messages(Vec<MessageOut>),
    /// Actions with plain members that are rarely used.
    Value(Json),
}

pub(super) struct Listed {
    /// The member's name in JSON.
    pub(super) member: &'static str,
    pub(super) urls: Vec<String>,
    pub(super) next: Option<String>,
}

pub(super) struct Succeeded {
    pub(super) id: String,
    pub(super) sent: Option<SentOut>,
}

pub(super) struct Failed {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) sender: bool,
}

/// A message with the attributes that were asked for.
pub(super) struct MessageOut {
    pub(super) message: Message,
    pub(super) attributes: Vec<(&'static str, String)>,
}

/// What is answered to a send.
#[derive(Clone, Default)]
pub(super) struct SentOut {
    message_id: String,
    sequence: Option<String>,
    body_md5: String,
    attributes_md5: Option<String>,
    system_attributes_md5: Option<String>,
}

impl SentOut {
    /// The digests of a message that is about to be sent.
    pub(super) fn of(send: &Send) -> SentOut {
        let name = "AWSTraceHeader".to_owned();
        SentOut {
            body_md5: digest::body(&send.body),
            attributes_md5: digest::attributes(&send.attributes),
            system_attributes_md5: digest::attributes(send.trace_header.as_ref().map(|header| (&name, header))),
            ..SentOut::default()
        }
    }

    pub(super) fn with(self, sent: Sent) -> SentOut {
        SentOut { message_id: sent.message_id, sequence: sent.sequence.map(|n| n.to_string()), ..self }
    }

    fn members(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let optional = [
            ("MD5OfMessageBody", Some(&self.body_md5)),
            ("MD5OfMessageAttributes", self.attributes_md5.as_ref()),
            ("MD5OfMessageSystemAttributes", self.system_attributes_md5.as_ref()),
            ("MessageId", Some(&self.message_id)),
            ("SequenceNumber", self.sequence.as_ref()),
        ];
        optional.into_iter().filter_map(|(name, value)| Some((name, value?.as_str())))
    }
}

pub(super) fn answer(dialect: Dialect, action: &str, output: &Output, request_id: &str) -> Response {
    match dialect {
        Dialect::Json => respond(StatusCode::OK, &json(output), request_id),
        Dialect::Query => {
            let result = |out: &mut Xml| xml(out, output);
            query::answer(NAMESPACE, action, request_id, if matches!(output, Output::Nothing) { None } else { Some(&result) })
        }
    }
}

pub(super) fn fault(dialect: Dialect, fault: &Fault, request_id: &str) -> Response {
    match dialect {
        Dialect::Json => {
            let mut response = respond(fault.status, &json!({ "__type": fault.kind, "message": fault.message }), request_id);
            let side = if fault.status.is_server_error() { "Receiver" } else { "Sender" };
            if let Ok(value) = format!("{};{side}", fault.code).parse() {
                response.headers_mut().insert("x-amzn-query-error", value);
            }
            response
        }
        Dialect::Query => query::error(NAMESPACE, fault.status, &fault.code, &fault.message, request_id),
    }
}

fn respond(status: StatusCode, body: &Json, request_id: &str) -> Response {
    // An action that answers nothing has an empty object as its body.
    let bytes = serde_json::to_vec(body).expect("answers are plain data");
    let response = http::Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amzn-requestid", request_id);
    response.body(Body::from(bytes)).expect("identifiers are plain text")
}

fn object<'a, 'b>(members: impl IntoIterator<Item = (&'a str, &'b str)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect())
}

fn json(output: &Output) -> Json {
    match output {
        Output::Nothing => json!({}),
        Output::Url(url) => json!({ "QueueUrl": url }),
        Output::Urls(listed) => {
            let mut answer = Map::new();
            // A list of queues that is empty is left out, one of dead-letter sources is not.
            if !listed.urls.is_empty() || listed.member == "queueUrls" {
                answer.insert(listed.member.to_owned(), json!(listed.urls));
            }
            if let Some(next) = &listed.next {
                answer.insert("NextToken".to_owned(), json!(next));
            }
            Json::Object(answer)
        }
        Output::Attributes(attributes) if attributes.is_empty() => json!({}),
        Output::Attributes(attributes) => json!({ "Attributes": object(attributes.iter().map(|(n, v)| (n.as_str(), v.as_str()))) }),
        Output::Tags(tags) if tags.is_empty() => json!({}),
        Output::Tags(tags) => json!({ "Tags": tags }),
        Output::Sent(sent) => object(sent.members()),
        Output::Batch { succeeded, failed, .. } => {
            let succeeded: Vec<Json> = succeeded
                .iter()
                .map(|entry| object([("Id", entry.id.as_str())].into_iter().chain(entry.sent.iter().flat_map(SentOut::members))))
                .collect();
            let failed: Vec<Json> =
                failed.iter().map(|f| json!({ "Id": f.id, "SenderFault": f.sender, "Code": f.code, "Message": f.message })).collect();
            let mut answer = json!({ "Successful": succeeded });
            if !failed.is_empty() {
                answer["Failed"] = failed.into();
            }
            answer
        }
        Output::Messages(messages) if messages.is_empty() => json!({}),
        Output::Messages(messages) => json!({ "Messages": messages.iter().map(message_json).collect::<Vec<_>>() }),
        Output::Value(value) => value.clone(),
    }
}

fn message_json(out: &MessageOut) -> Json {
    let m = &out.message;
    let mut json = json!({ "MessageId": m.message_id, "ReceiptHandle": m.receipt, "MD5OfBody": digest::body(&m.body), "Body": m.body });
    if !out.attributes.is_empty() {
        json["Attributes"] = object(out.attributes.iter().map(|(name, value)| (*name, value.as_str())));
    }
    if let Some(md5) = digest::attributes(&m.attributes) {
        json["MD5OfMessageAttributes"] = md5.into();
        json["MessageAttributes"] = m.attributes.iter().map(|(name, a)| (name.clone(), attribute_json(a))).collect::<Map<_, _>>().into();
    }
    json
}

fn attribute_json(attribute: &Attribute) -> Json {
    match &attribute.value {
        Value::Text(text) => json!({ "StringValue": text, "DataType": attribute.kind }),
        Value::Binary(bytes) => json!({ "BinaryValue": STANDARD.encode(bytes), "DataType": attribute.kind }),
    }
}

fn pairs<'a, 'b>(xml: &mut Xml, element: &str, key: &str, pairs: impl IntoIterator<Item = (&'a str, &'b str)>) {
    for (name, value) in pairs {
        xml.element(element, |xml| {
            xml.text(key, name);
            xml.text("Value", value);
        });
    }
}

fn xml(xml: &mut Xml, output: &Output) {
    match output {
        Output::Nothing => {}
        Output::Url(url) => xml.text("QueueUrl", url),
        Output::Urls(listed) => {
            listed.urls.iter().for_each(|url| xml.text("QueueUrl", url));
            listed.next.iter().for_each(|next| xml.text("NextToken", next));
        }
        Output::Attributes(attributes) => pairs(xml, "Attribute", "Name", attributes.iter().map(|(n, v)| (n.as_str(), v.as_str()))),
        Output::Tags(tags) => pairs(xml, "Tag", "Key", tags.iter().map(|(n, v)| (n.as_str(), v.as_str()))),
        Output::Sent(sent) => sent.members().for_each(|(name, value)| xml.text(name, value)),
        Output::Batch { element, succeeded, failed } => {
            for entry in succeeded {
                xml.element(element, |xml| {
                    xml.text("Id", &entry.id);
                    entry.sent.iter().flat_map(SentOut::members).for_each(|(name, value)| xml.text(name, value));
                });
            }
            for f in failed {
                xml.element("BatchResultErrorEntry", |xml| {
                    xml.text("Id", &f.id);
                    xml.text("SenderFault", if f.sender { "true" } else { "false" });
                    xml.text("Code", &f.code);
                    xml.text("Message", &f.message);
                });
            }
        }
        Output::Messages(messages) => messages.iter().for_each(|message| message_xml(xml, message)),
        Output::Value(value) => value_xml(xml, value),
    }
}

pub(super) fn message_xml(xml: &mut Xml, out: &MessageOut) {
    let m = &out.message;
    xml.element("Message", |xml| {
        xml.text("MessageId", &m.message_id);
        xml.text("ReceiptHandle", &m.receipt);
        xml.text("MD5OfBody", &digest::body(&m.body));
        xml.text("Body", &m.body);
        pairs(xml, "Attribute", "Name", out.attributes.iter().map(|(name, value)| (*name, value.as_str())));
        if let Some(md5) = digest::attributes(&m.attributes) {
            xml.text("MD5OfMessageAttributes", &md5);
        }
        for (name, attribute) in &m.attributes {
            xml.element("MessageAttribute", |xml| {
                xml.text("Name", name);
                xml.element("Value", |xml| {
                    match &attribute.value {
                        Value::Text(text) => xml.text("StringValue", text),
                        Value::Binary(bytes) => xml.text("BinaryValue", &STANDARD.encode(bytes)),
                    }
                    xml.text("DataType", &attribute.kind);
                });
            });
        }
    });
}

/// Plain members; items of a list each get an element named after the list, without its last `s`.
fn value_xml(xml: &mut Xml, value: &Json) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Json::Array(items) => {
                let element = format!("{}Entry", name.trim_end_matches('s'));
                items.iter().for_each(|item| xml.element(&element, |xml| value_xml(xml, item)));
            }
            Json::String(text) => xml.text(name, text),
            other => xml.text(name, &other.to_string()),
        }
    }
}

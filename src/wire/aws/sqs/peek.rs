//! `GET /_aws/sqs/messages`: what is in a queue, without receiving it. In the shape of LocalStack's endpoint of that path,
//! which tests of many projects read: XML, or JSON where `Accept` says so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value as Json, json};

use super::encode::{MessageOut, NAMESPACE, fault, message_xml};
use super::fail::fail;
use super::{Dialect, Sqs, action, decode, digest};
use crate::base::Call;
use crate::base::message::{Attribute, Value};
use crate::wire::aws::query::{self, Parameters, Xml};
use crate::wire::http::{self as wire, Request, Response, header};

/// Messages that one look shows.
const MESSAGES_MAX: usize = 10_000;

impl Sqs {
    /// Shows all messages of the queue of `?QueueUrl=`, or of a path that ends with `/REGION/ACCOUNT/NAME`; hidden ones too.
    pub async fn peek(&self, call: &Call, request: Request) -> Response {
        let request_id = self.ids.uuid();
        let as_json = header(request.headers(), "accept").is_some_and(|accept| accept.contains("json"));
        let dialect = if as_json { Dialect::Json } else { Dialect::Query };
        let parameters = Parameters::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let path = request.uri().path().strip_prefix("/_aws/sqs/messages").unwrap_or_default();
        let url = parameters.text("QueueUrl").map(str::to_owned).or_else(|| (path.len() > 1).then(|| path.to_owned()));
        let found = match decode::queue_of(url) {
            Ok(queue) => self.queues.peek(call, &queue, MESSAGES_MAX).await,
            Err(error) => Err(error),
        };
        let messages = match found {
            Ok(messages) => messages,
            Err(error) => return fault(dialect, &fail(&error).said_in(dialect), &request_id),
        };
        let everything = ["All".to_owned()];
        let messages: Vec<MessageOut> = messages
            .into_iter()
            .map(|message| {
                let mut out = action::message_out(self, message, &everything, &everything);
                out.message.receipt = "SQS/BACKDOOR/ACCESS".to_owned();
                out
            })
            .collect();
        if !as_json {
            let result = |xml: &mut Xml| messages.iter().for_each(|message| message_xml(xml, message));
            return query::answer(NAMESPACE, "ReceiveMessage", &request_id, Some(&result));
        }
        let result = if messages.is_empty() { Json::Null } else { json!({ "Message": messages.iter().map(shown).collect::<Vec<_>>() }) };
        wire::json(
            StatusCode::OK,
            &json!({ "ReceiveMessageResponse": { "ReceiveMessageResult": result, "ResponseMetadata": { "RequestId": request_id } } }),
        )
    }
}

fn shown(out: &MessageOut) -> Json {
    let m = &out.message;
    let attributes: Vec<Json> = out.attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    let mut json = json!({
        "MessageId": m.message_id, "ReceiptHandle": m.receipt, "MD5OfBody": digest::body(&m.body), "Body": m.body, "Attribute": attributes,
    });
    if !m.attributes.is_empty() {
        json["MessageAttribute"] =
            m.attributes.iter().map(|(name, a)| json!({ "Name": name, "Value": value(a) })).collect::<Vec<_>>().into();
    }
    json
}

fn value(attribute: &Attribute) -> Json {
    match &attribute.value {
        Value::Text(text) => json!({ "StringValue": text, "DataType": attribute.kind }),
        Value::Binary(bytes) => json!({ "BinaryValue": STANDARD.encode(bytes), "DataType": attribute.kind }),
    }
}

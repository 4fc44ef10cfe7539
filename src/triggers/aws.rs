//! The program's own services behind the triggers' ports, in the dialects of AWS.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Ports;
use super::ports::{
    Answer, Asked, Dialect, Happening, Invoker, Message, PortError, Queues, Recipient, Record, Refusal, StreamNames, Streams, Topics,
};
use super::queue::EVENT_BYTES_MAX;
use super::rules::TOPIC_SUBJECT;
use super::store::{Envelope, Origin};
use super::table::{Table, TopicRule};
use crate::base::message;
use crate::base::{Call, Ids, Time};
use crate::functions::{Functions, InvokeError};
use crate::services::objects::notices::{self, Notice};
use crate::services::queues::{self, Lease};
use crate::services::tables::{self, StreamRecord};
use crate::services::topics::{self, Delivery, Publish};
use crate::services::{objects, topics::filter};
use crate::store::outbox;
use crate::telemetry::Sink;
use crate::wire::aws::arn::{Account, resource};
use crate::wire::aws::sns::{self, Sns};
use crate::wire::aws::sqs::{self, Sqs};
use crate::wire::aws::{dynamodb, s3};

/// The services that the triggers join.
#[derive(Clone)]
pub struct Services {
    queues: queues::Queues,
    topics: topics::Topics,
    tables: tables::Tables,
    sqs: Sqs,
    sns: Sns,
    account: Account,
}

impl Services {
    /// The services of one World, answering as `account`.
    pub fn new(queues: queues::Queues, topics: topics::Topics, tables: tables::Tables, account: Account, ids: Ids) -> Services {
        let sqs = Sqs::new(queues.clone(), account.clone(), ids.clone());
        let sns = Sns::new(topics.clone(), account.clone(), ids);
        Services { queues, topics, tables, sqs, sns, account }
    }

    /// These services, who runs the functions, and where deliveries are told of.
    pub fn ports(self, invoker: Arc<dyn Invoker>, sink: Sink) -> Ports {
        let services = Arc::new(self);
        Ports { invoker, queues: services.clone(), streams: services.clone(), topics: services.clone(), dialect: services, sink }
    }
}

#[async_trait]
impl Invoker for Functions {
    async fn invoke(&self, call: &Call, name: &str, asked: Asked) -> Result<Answer, Refusal> {
        let Asked { event, trigger, with_log } = asked;
        match self.invoke_for(call, name, event, trigger).await {
            Ok(answer) => Ok(Answer {
                log: if with_log { answer.log_text() } else { String::new() },
                failed: answer.error.map(|error| format!("{}: {}", error.kind, error.message)),
                payload: answer.payload,
                request_id: answer.request_id.to_string(),
            }),
            Err(InvokeError::NotFound { name }) => Err(Refusal::NoFunction(name)),
            Err(InvokeError::Throttled { .. }) => Err(Refusal::Throttled),
            Err(error @ (InvokeError::TooLarge { .. } | InvokeError::NotJson(_) | InvokeError::NotBuilt { .. })) => {
                Err(Refusal::Unavailable(error.to_string()))
            }
        }
    }
}

#[async_trait]
impl Queues for Services {
    fn wake_key(&self, queue: &str) -> String {
        queues::Queues::wake_key(queue)
    }

    async fn receive(&self, call: &Call, queue: &str, limit: usize) -> Result<Vec<Message>, PortError> {
        let lease = Lease { messages_max: limit, bytes_max: EVENT_BYTES_MAX, visibility_ms: None };
        let messages = match self.queues.lease(call, queue, lease).await {
            Ok(messages) => messages,
            Err(queues::Error::NoSuchQueue(_)) => return Ok(Vec::new()),
            Err(error) => return Err(PortError::passing(error)),
        };
        let mut event = sqs::event(&self.sqs, queue, &messages);
        let records = event.get_mut("Records").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        let shaped = messages.into_iter().zip(records).map(|(message, record)| Message {
            id: message.message_id,
            receipt: message.receipt,
            record,
            origin: Origin { trace: message.origin.trace, cause: message.origin.cause, depth: message.origin.depth },
        });
        Ok(shaped.collect())
    }

    async fn delete(&self, call: &Call, queue: &str, receipts: Vec<String>) -> Result<(), PortError> {
        match self.queues.acknowledge(call, queue, receipts).await {
            Ok(()) | Err(queues::Error::NoSuchQueue(_)) => Ok(()),
            Err(error) => Err(PortError::passing(error)),
        }
    }

    async fn next_visible(&self, queue: &str) -> Result<Option<Time>, PortError> {
        let call = Call::operator();
        match self.queues.receivable(&call, queue).await {
            Ok(true) => Ok(Some(self.tables.db().now())),
            Ok(false) => self.queues.next_due(&call, queue).await.map_err(PortError::passing),
            Err(queues::Error::NoSuchQueue(_)) => Ok(None),
            Err(error) => Err(PortError::passing(error)),
        }
    }

    async fn send(&self, call: &Call, queue: &str, body: &str, envelope: &Envelope) -> Result<(), PortError> {
        let attribute = |(kind, text): &(String, String)| message::Attribute {
            kind: kind.clone(),
            value: if kind.starts_with("Binary") {
                message::Value::Binary(STANDARD.decode(text).unwrap_or_default())
            } else {
                message::Value::Text(text.clone())
            },
        };
        let send = queues::Send {
            body: body.to_owned(),
            attributes: envelope.attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
            group: envelope.group.clone(),
            deduplication: envelope.deduplication.clone(),
            ..queues::Send::default()
        };
        match self.queues.send(call, queue, send).await {
            Ok(_) => Ok(()),
            Err(error @ queues::Error::Store(_)) => Err(PortError::passing(error)),
            Err(error) => Err(PortError::lasting(error)),
        }
    }
}

#[async_trait]
impl Topics for Services {
    async fn publish(&self, call: &Call, topic: &str, message: &str, envelope: &Envelope) -> Result<(), PortError> {
        let attribute =
            |(kind, text): &(String, String)| message::Attribute { kind: kind.clone(), value: message::Value::Text(text.clone()) };
        let publish = Publish {
            message: message.to_owned(),
            attributes: envelope.attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
            subject: envelope.subject.clone(),
            group: envelope.group.clone(),
            deduplication: envelope.deduplication.clone(),
            ..Publish::default()
        };
        match self.topics.publish(call, topic, publish).await {
            Ok(_) => Ok(()),
            Err(error @ topics::Error::Store(_)) => Err(PortError::passing(error)),
            Err(error) => Err(PortError::lasting(error)),
        }
    }
}

#[async_trait]
impl Streams for Services {
    fn wake_key(&self, table: &str) -> String {
        tables::Tables::stream_wake_key(table)
    }

    async fn records(&self, table: &str, after: i64, limit: usize) -> Result<Vec<Record>, PortError> {
        match self.tables.stream_records(&Call::operator(), table, after, limit).await {
            Ok(records) => Ok(records.into_iter().map(|record| self.record(record)).collect()),
            // A table, or its stream, that is not there yet has no records.
            Err(tables::Error::NoSuchStream(_) | tables::Error::NoSuchTable(_) | tables::Error::NoSuchTableToManage(_)) => Ok(Vec::new()),
            Err(error) => Err(PortError::passing(error)),
        }
    }

    async fn newest(&self, table: &str) -> Result<i64, PortError> {
        self.tables.stream_end(&Call::operator(), table).await.map_err(PortError::passing)
    }

    async fn names(&self, table: &str) -> StreamNames {
        let streams = self.tables.list_streams(&Call::operator(), Some(table)).await.unwrap_or_default();
        let label = streams.last().map(|info| info.stream.label.clone()).unwrap_or_default();
        StreamNames { arn: dynamodb::stream_arn(&self.account, table, &label), shard: "shardId-00000000000000000000-00000000".into() }
    }
}

impl Services {
    fn record(&self, record: StreamRecord) -> Record {
        let (number, at) = (record.sequence, record.at);
        let origin = Origin { trace: record.trace.clone(), cause: record.cause.clone(), depth: record.depth.saturating_add(1) };
        let mut event = dynamodb::event(&self.account, &[record]);
        let shaped = event.pointer_mut("/Records/0").map(Value::take).unwrap_or_default();
        let id = shaped.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str).unwrap_or_default().to_owned();
        Record { number, id, at, record: shaped, origin }
    }

    fn object(&self, row: &outbox::Row) -> Result<Happening, PortError> {
        let event: objects::Event = serde_json::from_str(&row.body).map_err(PortError::lasting)?;
        if s3::event_name(&event).is_empty() {
            return Ok(Happening::Nothing);
        }
        let request_id = request_id(row);
        Ok(Happening::Object {
            bucket: row.resource.clone(),
            key: event.key().to_owned(),
            name: s3::event_name(&event).to_owned(),
            event: s3::event(&event, self.bucket_context(row, "emu", &request_id)),
        })
    }

    /// What is told to those who subscribed to a bucket.
    fn noticed(&self, row: &outbox::Row) -> Result<Happening, PortError> {
        let notice: Notice = serde_json::from_str(&row.body).map_err(PortError::lasting)?;
        let request_id = request_id(row);
        let recipients = notice.to.into_iter().map(|(subscription, recipient)| {
            let context = self.bucket_context(row, &subscription, &request_id);
            let event = notice.event.as_ref().map_or_else(|| s3::test_event(context), |event| s3::event(event, context));
            match recipient {
                notices::Recipient::Function(name) => Recipient::Function { name, event, dead_letters: None },
                notices::Recipient::Queue(name) => Recipient::Queue { name, body: event.to_string(), envelope: Envelope::default() },
                notices::Recipient::Topic(name) => {
                    let envelope = Envelope { subject: Some(TOPIC_SUBJECT.to_owned()), ..Envelope::default() };
                    Recipient::Topic { name, body: event.to_string(), envelope }
                }
            }
        });
        Ok(Happening::Addressed(recipients.collect()))
    }

    fn bucket_context<'a>(&'a self, row: &'a outbox::Row, configuration_id: &'a str, request_id: &'a str) -> s3::Context<'a> {
        s3::Context { account: &self.account, bucket: &row.resource, at: row.at, configuration_id, request_id }
    }

    fn published(&self, row: &outbox::Row, table: &Table) -> Result<Happening, PortError> {
        let event: topics::Event = serde_json::from_str(&row.body).map_err(PortError::lasting)?;
        let mut recipients: Vec<Recipient> = event.deliveries.iter().filter_map(|delivery| self.recipient(&event, delivery)).collect();
        let subscribed: Vec<_> = recipients
            .iter()
            .filter_map(|recipient| match recipient {
                Recipient::Function { name, .. } => table.function(name).map(|callee| callee.key.clone()),
                Recipient::Queue { .. } | Recipient::Topic { .. } => None,
            })
            .collect();
        let wants = |rule: &&TopicRule| rule.filter.as_ref().is_none_or(|policy| filter::matches_attributes(policy, &event.attributes));
        for rule in table.topic(&event.topic).iter().filter(wants).filter(|rule| !subscribed.contains(&rule.function)) {
            let delivery = Delivery {
                subscription: rule.function.to_string(),
                protocol: "lambda".into(),
                endpoint: rule.function.to_string(),
                raw: false,
                dead_letters: None,
            };
            recipients.extend(self.recipient(&event, &delivery));
        }
        Ok(Happening::Addressed(recipients))
    }

    /// Who gets it; `None` for protocols that lead out of emu.
    fn recipient(&self, event: &topics::Event, delivery: &Delivery) -> Option<Recipient> {
        let dead_letters = delivery.dead_letters.as_deref().map(|arn| resource(arn).to_owned());
        match delivery.protocol.as_str() {
            "lambda" => Some(Recipient::Function {
                name: function_name(&delivery.endpoint).to_owned(),
                event: sns::event(&self.sns, event, delivery),
                dead_letters,
            }),
            "sqs" => {
                let own = if delivery.raw { attributes(&event.attributes) } else { BTreeMap::new() };
                let body = if delivery.raw {
                    event.text(&delivery.protocol).to_owned()
                } else {
                    sns::envelope(&self.sns, event, delivery).to_string()
                };
                let envelope = Envelope {
                    attributes: own,
                    subject: None,
                    group: event.group.clone(),
                    deduplication: event.deduplication.clone(),
                    dead_letters,
                };
                Some(Recipient::Queue { name: resource(&delivery.endpoint).to_owned(), body, envelope })
            }
            other => {
                tracing::debug!(topic = event.topic, protocol = other, "this kind of subscriber is not delivered to");
                None
            }
        }
    }
}

/// Sixteen characters, as the identifiers of S3's requests have.
fn request_id(row: &outbox::Row) -> String {
    row.trace.as_str().chars().take(16).collect::<String>().to_uppercase()
}

fn attributes(attributes: &message::Attributes) -> BTreeMap<String, (String, String)> {
    let text = |value: &message::Value| match value {
        message::Value::Text(text) => text.clone(),
        message::Value::Binary(bytes) => STANDARD.encode(bytes),
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), (attribute.kind.clone(), text(&attribute.value)))).collect()
}

/// The name in a function's ARN, without a version.
fn function_name(endpoint: &str) -> &str {
    let name = resource(endpoint);
    let name = name.strip_prefix("function:").unwrap_or(name);
    name.split(':').next().unwrap_or(name)
}

impl Dialect for Services {
    fn read(&self, row: &outbox::Row, table: &Table) -> Result<Happening, PortError> {
        match row.source.as_str() {
            objects::SOURCE => self.object(row),
            notices::NOTICES => self.noticed(row),
            topics::SOURCE => self.published(row, table),
            _ => Ok(Happening::Nothing),
        }
    }
}

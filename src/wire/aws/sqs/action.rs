//! The table of actions: members in, one call of the service, members out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Sqs;
use super::decode::{self, Decoded, Input, queue_of};
use super::encode::{Failed, Listed, MessageOut, Output, SentOut, Succeeded};
use super::fail::{Fault, fail};
use crate::base::Call;
use crate::services::queues::{Description, Entry, Error, Message, Outcomes, Receive};
use crate::wire::aws::arn;

pub(super) async fn run(sqs: &Sqs, call: &Call, name: &str, input: Input, base: &str) -> Result<Output, Fault> {
    let queues = &sqs.queues;
    Ok(match name {
        "CreateQueue" => {
            let name = input.queue_name.ok_or(Error::Missing("QueueName"))?;
            let queue = queues.create(call, &name, &input.attributes.unwrap_or_default(), &input.tags.unwrap_or_default()).await?;
            Output::Url(sqs.url(base, &queue.name))
        }
        "GetQueueUrl" => {
            let name = input.queue_name.ok_or(Error::Missing("QueueName"))?;
            Output::Url(sqs.url(base, &queues.find(call, &name).await?.name))
        }
        "ListQueues" => {
            let (after, limit) = page(&input)?;
            let page = queues.list(call, &input.queue_name_prefix.unwrap_or_default(), &after, limit).await?;
            let next = next(input.max_results, page.more, &page.names);
            let urls = page.names.iter().map(|name| sqs.url(base, name)).collect();
            Output::Urls(Listed { member: "QueueUrls", urls, next })
        }
        "ListDeadLetterSourceQueues" => {
            let (after, limit) = page(&input)?;
            let page = queues.sources(call, &queue_of(input.queue_url)?, &after, limit).await?;
            let next = next(input.max_results, page.more, &page.names);
            let urls = page.names.iter().map(|name| sqs.url(base, name)).collect();
            Output::Urls(Listed { member: "queueUrls", urls, next })
        }
        "DeleteQueue" => {
            queues.delete(call, &queue_of(input.queue_url)?).await?;
            Output::Nothing
        }
        "PurgeQueue" => {
            queues.purge(call, &queue_of(input.queue_url)?).await?;
            Output::Nothing
        }
        "GetQueueAttributes" => {
            let description = queues.describe(call, &queue_of(input.queue_url)?).await?;
            Output::Attributes(attributes(sqs, &description, &input.attribute_names.unwrap_or_default())?)
        }
        "SetQueueAttributes" => {
            let attributes = input.attributes.ok_or(Error::Missing("Attributes"))?;
            queues.set(call, &queue_of(input.queue_url)?, &attributes).await?;
            Output::Nothing
        }
        "ListQueueTags" => Output::Tags(queues.find(call, &queue_of(input.queue_url)?).await?.tags),
        "TagQueue" => {
            let tags = input.tags.ok_or(Error::Missing("Tags"))?;
            queues.tag(call, &queue_of(input.queue_url)?, &tags).await?;
            Output::Nothing
        }
        "UntagQueue" => {
            let keys = input.tag_keys.ok_or(Error::Missing("TagKeys"))?;
            queues.untag(call, &queue_of(input.queue_url)?, &keys).await?;
            Output::Nothing
        }
        "AddPermission" | "RemovePermission" => permission(sqs, call, name, input).await?,
        "SendMessage" => {
            let queue = queue_of(input.queue_url)?;
            let send = input.message.send()?;
            let digests = SentOut::of(&send);
            Output::Sent(digests.with(queues.send(call, &queue, send).await?))
        }
        "SendMessageBatch" => {
            let (queue, entries) = (queue_of(input.queue_url)?, decode::sends(input.entries));
            let digests: Vec<_> = entries.iter().map(|entry| entry.value.as_ref().ok().map(SentOut::of)).collect();
            let outcomes = each(entries, |good| queues.send_batch(call, &queue, good)).await?;
            batch(outcomes, "SendMessageBatchResultEntry", |at, sent| digests.get(at).cloned().flatten().map(|out| out.with(sent)))
        }
        "ReceiveMessage" => receive(sqs, call, input).await?,
        "DeleteMessage" => {
            let handle = input.receipt_handle.ok_or(Error::Missing("ReceiptHandle"))?;
            queues.delete_message(call, &queue_of(input.queue_url)?, &handle).await?;
            Output::Nothing
        }
        "DeleteMessageBatch" => {
            let queue = queue_of(input.queue_url)?;
            let outcomes = each(decode::deletions(input.entries), |good| queues.delete_batch(call, &queue, good)).await?;
            batch(outcomes, "DeleteMessageBatchResultEntry", |_, ()| None)
        }
        "ChangeMessageVisibility" => {
            let handle = input.receipt_handle.ok_or(Error::Missing("ReceiptHandle"))?;
            let visibility_s = input.visibility_timeout.ok_or(Error::Missing("VisibilityTimeout"))?;
            queues.change_visibility(call, &queue_of(input.queue_url)?, &handle, visibility_s).await?;
            Output::Nothing
        }
        "ChangeMessageVisibilityBatch" => {
            let queue = queue_of(input.queue_url)?;
            let outcomes = each(decode::visibilities(input.entries), |good| queues.change_visibility_batch(call, &queue, good)).await?;
            batch(outcomes, "ChangeMessageVisibilityBatchResultEntry", |_, ()| None)
        }
        "StartMessageMoveTask" => {
            let source = input.source_arn.ok_or(Error::Missing("SourceArn"))?;
            let destination = input.destination_arn.as_deref().map(arn::resource);
            let moved = queues.move_messages(call, arn::resource(&source), destination, input.max_number_of_messages_per_second).await?;
            Output::Value(json!({ "TaskHandle": handle(moved.id, &source) }))
        }
        "ListMessageMoveTasks" => {
            let source = input.source_arn.ok_or(Error::Missing("SourceArn"))?;
            let moves = queues.moves(call, arn::resource(&source), input.max_results.unwrap_or(1)).await?;
            let results: Vec<_> = moves
                .into_iter()
                .map(|m| {
                    let mut result = json!({
                        "Status": "COMPLETED", "SourceArn": sqs.arn(&m.source),
                        "ApproximateNumberOfMessagesMoved": m.moved, "ApproximateNumberOfMessagesToMove": m.moved,
                        "StartedTimestamp": m.at.millis(),
                    });
                    if let Some(destination) = m.destination {
                        result["DestinationArn"] = sqs.arn(&destination).into();
                    }
                    if let Some(rate) = m.rate_max {
                        result["MaxNumberOfMessagesPerSecond"] = rate.into();
                    }
                    result
                })
                .collect();
            Output::Value(json!({ "Results": results }))
        }
        // A move is over when it is answered, so there is never one to cancel.
        "CancelMessageMoveTask" => {
            input.task_handle.ok_or(Error::Missing("TaskHandle"))?;
            return Err(Error::NoSuchMove.into());
        }
        other => return Err(Fault::unknown_action(other)),
    })
}

fn handle(id: i64, source_arn: &str) -> String {
    STANDARD.encode(json!({ "taskId": id.to_string(), "sourceArn": source_arn }).to_string())
}

/// The name after which a page begins, and how many it may hold.
fn page(input: &Input) -> Result<(String, i64), Fault> {
    let after = match &input.next_token {
        None => String::new(),
        Some(token) => STANDARD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| fail(&Error::Identifier { parameter: "NextToken", value: token.clone() }))?,
    };
    Ok((after, input.max_results.unwrap_or(1_000)))
}

/// Pages go on only for those who asked for pages.
fn next(asked: Option<i64>, more: bool, names: &[String]) -> Option<String> {
    asked.filter(|_| more).and_then(|_| names.last()).map(|name| STANDARD.encode(name))
}

/// Gives the entries that could be read to `run`, and puts its outcomes and the others' errors in the order of the entries.
async fn each<T, U, F>(entries: Decoded<T>, run: impl FnOnce(Vec<Entry<T>>) -> F) -> Result<Outcomes<U>, Error>
where
    F: Future<Output = Result<Outcomes<U>, Error>>,
{
    let mut outcomes: Outcomes<U> = Vec::with_capacity(entries.len());
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let count = entries.len();
    for (at, Entry { id, value }) in entries.into_iter().enumerate() {
        match value {
            Ok(value) => good.push(Entry { id, value }),
            Err(error) => bad.push((at, id, error)),
        }
    }
    if count > 10 {
        return Err(Error::BatchTooLong(count));
    }
    if !good.is_empty() || bad.is_empty() {
        outcomes = run(good).await?;
    }
    for (at, id, error) in bad {
        outcomes.insert(at.min(outcomes.len()), (id, Err(error)));
    }
    Ok(outcomes)
}

fn batch<T>(outcomes: Outcomes<T>, element: &'static str, of: impl Fn(usize, T) -> Option<SentOut>) -> Output {
    let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
    for (at, (id, outcome)) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(value) => succeeded.push(Succeeded { id, sent: of(at, value) }),
            Err(error) => {
                let fault = fail(&error);
                failed.push(Failed { id, code: fault.code, message: fault.message, sender: !fault.status.is_server_error() });
            }
        }
    }
    Output::Batch { element, succeeded, failed }
}

async fn receive(sqs: &Sqs, call: &Call, input: Input) -> Result<Output, Fault> {
    let queue = queue_of(input.queue_url)?;
    let receive = Receive {
        messages_max: input.max_number_of_messages,
        visibility_s: input.visibility_timeout,
        wait_s: input.wait_time_seconds,
        attempt: input.receive_request_attempt_id,
    };
    let messages = sqs.queues.receive(call, &queue, receive).await?;
    let mut system = input.attribute_names.unwrap_or_default();
    system.extend(input.message_system_attribute_names.unwrap_or_default());
    let own = input.message_attribute_names.unwrap_or_default();
    Ok(Output::Messages(messages.into_iter().map(|message| message_out(sqs, message, &system, &own)).collect()))
}

/// A message with those of its attributes that were asked for.
pub(super) fn message_out(sqs: &Sqs, mut message: Message, system: &[String], own: &[String]) -> MessageOut {
    let attributes = system_attributes(sqs, &message);
    let all = system.iter().any(|name| name == "All");
    let attributes = attributes.into_iter().filter(|(name, _)| all || system.iter().any(|wanted| wanted == name)).collect();
    message.attributes.retain(|name, _| own.iter().any(|wanted| matches(wanted, name)));
    MessageOut { message, attributes }
}

/// Source: "ReceiveMessage", MessageAttributeNames: `All`, `.*`, a name, or the beginning of names with `.*` after it.
fn matches(wanted: &str, name: &str) -> bool {
    match wanted {
        "All" | ".*" => true,
        _ => wanted == name || wanted.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix)),
    }
}

/// Source: "ReceiveMessage", MessageSystemAttributeNames.
pub(super) fn system_attributes(sqs: &Sqs, message: &Message) -> Vec<(&'static str, String)> {
    use crate::base::message::Value;
    let sender = message.sender.as_ref().map_or_else(|| sqs.account.id.to_string(), |name| format!("AROAEMULATEDLAMBDAROLE:{name}"));
    let mut attributes = vec![
        ("SenderId", sender),
        ("SentTimestamp", message.sent.millis().to_string()),
        ("ApproximateReceiveCount", message.receives.to_string()),
        ("ApproximateFirstReceiveTimestamp", message.first_received.millis().to_string()),
    ];
    let optional = [
        ("SequenceNumber", message.sequence.map(|n| n.to_string())),
        ("MessageDeduplicationId", message.deduplication.clone()),
        ("MessageGroupId", message.group.clone()),
        ("DeadLetterQueueSourceArn", message.dead_letter_source.as_ref().map(|name| sqs.arn(name))),
    ];
    attributes.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    if let Some(Value::Text(text)) = message.trace_header.as_ref().map(|header| &header.value) {
        attributes.push(("AWSTraceHeader", text.clone()));
    }
    attributes
}

/// The attributes of a queue that were asked for. Source: "GetQueueAttributes".
fn attributes(sqs: &Sqs, description: &Description, wanted: &[String]) -> Result<Vec<(String, String)>, Fault> {
    let (queue, s) = (&description.queue, &description.queue.settings);
    let redrive = s
        .redrive
        .as_ref()
        .map(|redrive| json!({ "deadLetterTargetArn": sqs.arn(&redrive.target), "maxReceiveCount": redrive.receives_max }).to_string());
    let fifo = |text: &str| s.fifo.then(|| text.to_owned());
    let all = [
        ("QueueArn", Some(sqs.arn(&queue.name))),
        ("ApproximateNumberOfMessages", Some(description.visible.to_string())),
        ("ApproximateNumberOfMessagesNotVisible", Some(description.in_flight.to_string())),
        ("ApproximateNumberOfMessagesDelayed", Some(description.delayed.to_string())),
        ("CreatedTimestamp", Some(queue.created.seconds().to_string())),
        ("LastModifiedTimestamp", Some(queue.changed.seconds().to_string())),
        ("VisibilityTimeout", Some(s.visibility_s.to_string())),
        ("MaximumMessageSize", Some(s.bytes_max.to_string())),
        ("MessageRetentionPeriod", Some(s.retention_s.to_string())),
        ("DelaySeconds", Some(s.delay_s.to_string())),
        ("ReceiveMessageWaitTimeSeconds", Some(s.wait_s.to_string())),
        ("SqsManagedSseEnabled", Some(s.managed_encryption.to_string())),
        ("RedrivePolicy", redrive),
        ("RedriveAllowPolicy", s.redrive_allow.clone()),
        ("Policy", s.policy.clone()),
        ("KmsMasterKeyId", s.kms_key.clone()),
        ("KmsDataKeyReusePeriodSeconds", s.kms_reuse_s.map(|n| n.to_string())),
        ("FifoQueue", fifo("true")),
        ("ContentBasedDeduplication", fifo(if s.content_deduplication { "true" } else { "false" })),
        ("DeduplicationScope", fifo(if s.deduplication_by_group { "messageGroup" } else { "queue" })),
        ("FifoThroughputLimit", fifo(if s.throughput_by_group { "perMessageGroupId" } else { "perQueue" })),
    ];
    if let Some(unknown) = wanted.iter().find(|wanted| *wanted != "All" && !all.iter().any(|(name, _)| name == wanted)) {
        return Err(fail(&Error::UnknownAttribute(unknown.clone())));
    }
    let every = wanted.iter().any(|name| name == "All");
    let asked = |name: &str| every || wanted.iter().any(|wanted| wanted == name);
    Ok(all.into_iter().filter(|(name, _)| asked(name)).filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// Permissions are statements of the queue's policy, which is kept and shown, not enforced.
async fn permission(sqs: &Sqs, call: &Call, action: &str, input: Input) -> Result<Output, Fault> {
    let (queue, label) = (queue_of(input.queue_url)?, input.label.ok_or(Error::Missing("Label"))?);
    let found = sqs.queues.find(call, &queue).await?;
    let policy = found.settings.policy.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut policy: serde_json::Value = policy
        .unwrap_or_else(|| json!({ "Version": "2008-10-17", "Id": format!("{}/SQSDefaultPolicy", sqs.arn(&queue)), "Statement": [] }));
    let Some(statements) = policy.get_mut("Statement").and_then(|list| list.as_array_mut()) else {
        return Err(fail(&Error::AttributeValue("Policy")));
    };
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != label.as_str());
    if action == "AddPermission" {
        let principals: Vec<_> = input.account_ids.unwrap_or_default().iter().map(|id| format!("arn:aws:iam::{id}:root")).collect();
        let actions: Vec<_> = input.actions.unwrap_or_default().iter().map(|name| format!("SQS:{name}")).collect();
        statements.push(json!({
            "Sid": label, "Effect": "Allow", "Principal": { "AWS": principals }, "Action": actions, "Resource": sqs.arn(&queue),
        }));
    } else if statements.len() == before {
        let text = "can't find label on existing policy.".to_owned();
        return Err(fail(&Error::MessageAttribute(format!("Value {label} for parameter Label is invalid. Reason: {text}"))));
    }
    sqs.queues.set(call, &queue, &[("Policy".to_owned(), policy.to_string())].into()).await?;
    Ok(Output::Nothing)
}

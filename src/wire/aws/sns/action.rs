//! The table of actions.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::fail::{Fault, fail};
use super::{NAMESPACE, Sns};
use crate::base::Call;
use crate::base::message::{Attribute, Attributes, Value};
use crate::services::topics::{Entry, Publish, Published, Subscription};
use crate::wire::aws::arn;
use crate::wire::aws::query::{self, Parameters, Xml};
use crate::wire::http::Response;

pub(super) async fn run(sns: &Sns, call: &Call, action: &str, p: &Parameters, request_id: &str) -> Result<Response, Fault> {
    let topics = &sns.topics;
    let answer = |result: &dyn Fn(&mut Xml)| Ok(query::answer(NAMESPACE, action, request_id, Some(result)));
    let nothing = || Ok(query::answer(NAMESPACE, action, request_id, None));
    match action {
        "CreateTopic" => {
            let topic = topics.create(call, need(p, "Name", "name")?, &map(p, "Attributes"), &tags(p)).await?;
            answer(&|xml| xml.text("TopicArn", &sns.arn(&topic.name)))
        }
        "ListTopics" => {
            let page = topics.list(call, &after(p)?).await?;
            answer(&|xml| {
                xml.members("Topics", &page.items, |xml, name| xml.text("TopicArn", &sns.arn(name)));
                next(xml, page.more, page.items.last().map(String::as_str));
            })
        }
        "DeleteTopic" => {
            topics.delete(call, topic(p)?).await?;
            nothing()
        }
        "GetTopicAttributes" => {
            let found = topics.describe(call, topic(p)?).await?;
            let mut attributes = found.topic.attributes.clone();
            let arn = sns.arn(&found.topic.name);
            let policy = serde_json::json!({
                "Version": "2008-10-17", "Id": "__default_policy_ID",
                "Statement": [{ "Effect": "Allow", "Sid": "__default_statement_ID", "Principal": { "AWS": "*" },
                    "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                        "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"],
                    "Resource": arn, "Condition": { "StringEquals": { "AWS:SourceOwner": sns.account.id.as_ref() } } }],
            });
            let computed = [
                ("TopicArn", arn.clone()),
                ("Owner", sns.account.id.to_string()),
                ("DisplayName", String::new()),
                ("Policy", policy.to_string()),
                ("SubscriptionsConfirmed", found.confirmed.to_string()),
                ("SubscriptionsPending", found.pending.to_string()),
                ("SubscriptionsDeleted", "0".to_owned()),
                ("EffectiveDeliveryPolicy", DELIVERY_POLICY.to_owned()),
            ];
            for (name, value) in computed {
                attributes.entry(name.to_owned()).or_insert(value);
            }
            answer(&|xml| xml.map("Attributes", &attributes))
        }
        "SetTopicAttributes" => {
            let name = need(p, "AttributeName", "attributeName")?;
            topics.set(call, topic(p)?, name, p.text("AttributeValue").unwrap_or_default()).await?;
            nothing()
        }
        "Subscribe" => {
            let (protocol, endpoint) = (need(p, "Protocol", "protocol")?, p.text("Endpoint").unwrap_or_default());
            let subscription = topics.subscribe(call, topic(p)?, protocol, endpoint, &map(p, "Attributes")).await?;
            let whole = p.text("ReturnSubscriptionArn").is_some_and(|value| value == "true");
            let arn = if subscription.token.is_some() && !whole { "pending confirmation".to_owned() } else { arn_of(sns, &subscription) };
            answer(&|xml| xml.text("SubscriptionArn", &arn))
        }
        "ConfirmSubscription" => {
            let subscription = topics.confirm(call, topic(p)?, need(p, "Token", "token")?).await?;
            answer(&|xml| xml.text("SubscriptionArn", &arn_of(sns, &subscription)))
        }
        "Unsubscribe" => {
            topics.unsubscribe(call, subscription(p)?).await?;
            nothing()
        }
        "ListSubscriptions" | "ListSubscriptionsByTopic" => {
            let of = if action == "ListSubscriptions" { None } else { Some(topic(p)?) };
            let page = topics.subscriptions(call, of, &after(p)?).await?;
            answer(&|xml| {
                xml.members("Subscriptions", &page.items, |xml, s| {
                    xml.text("SubscriptionArn", &if s.token.is_some() { "PendingConfirmation".to_owned() } else { arn_of(sns, s) });
                    xml.text("Owner", &sns.account.id);
                    xml.text("Protocol", &s.protocol);
                    xml.text("Endpoint", &s.endpoint);
                    xml.text("TopicArn", &sns.arn(&s.topic));
                });
                next(xml, page.more, page.items.last().map(|s| s.id.as_str()));
            })
        }
        "GetSubscriptionAttributes" => {
            let s = topics.subscription(call, subscription(p)?).await?;
            let mut attributes = s.attributes.clone();
            let flag = |value: bool| if value { "true" } else { "false" }.to_owned();
            let computed = [
                ("SubscriptionArn", arn_of(sns, &s)),
                ("TopicArn", sns.arn(&s.topic)),
                ("Owner", sns.account.id.to_string()),
                ("Protocol", s.protocol.clone()),
                ("Endpoint", s.endpoint.clone()),
                ("PendingConfirmation", flag(s.token.is_some())),
                ("ConfirmationWasAuthenticated", flag(s.token.is_none())),
                ("SubscriptionPrincipal", format!("arn:aws:iam::{}:root", sns.account.id)),
            ];
            attributes.extend(computed.map(|(name, value)| (name.to_owned(), value)));
            attributes.entry("RawMessageDelivery".to_owned()).or_insert_with(|| flag(false));
            if attributes.contains_key("FilterPolicy") {
                attributes.entry("FilterPolicyScope".to_owned()).or_insert_with(|| "MessageAttributes".to_owned());
            }
            answer(&|xml| xml.map("Attributes", &attributes))
        }
        "SetSubscriptionAttributes" => {
            let name = need(p, "AttributeName", "attributeName")?;
            topics.set_subscription(call, subscription(p)?, name, p.text("AttributeValue").unwrap_or_default()).await?;
            nothing()
        }
        // A text message to a telephone goes to nobody; there is no topic to emit it from.
        "Publish" if p.text("PhoneNumber").is_some() && p.text("TopicArn").or(p.text("TargetArn")).is_none() => {
            answer(&|xml| xml.text("MessageId", &sns.ids.uuid()))
        }
        "Publish" => {
            let published = topics.publish(call, target(p)?, publish(p)?).await?;
            answer(&|xml| published_xml(xml, &published))
        }
        "PublishBatch" => {
            let entries = p
                .list("PublishBatchRequestEntries")
                .into_iter()
                .map(|entry| Ok(Entry { id: entry.text("Id").unwrap_or_default().to_owned(), publish: publish(entry)? }))
                .collect::<Result<Vec<_>, Fault>>()?;
            let outcomes = topics.publish_batch(call, topic(p)?, entries).await?;
            answer(&|xml| {
                let good = outcomes.iter().filter_map(|(id, outcome)| Some((id, outcome.as_ref().ok()?)));
                xml.members("Successful", good, |xml, (id, published)| {
                    xml.text("Id", id);
                    published_xml(xml, published);
                });
                let bad = outcomes.iter().filter_map(|(id, outcome)| Some((id, fail(outcome.as_ref().err()?))));
                xml.members("Failed", bad, |xml, (id, fault)| {
                    xml.text("Id", id);
                    xml.text("Code", &fault.code);
                    xml.text("Message", &fault.message);
                    xml.text("SenderFault", if fault.status.is_server_error() { "false" } else { "true" });
                });
            })
        }
        "TagResource" => {
            topics.tag(call, resource(p)?, &tags(p)).await?;
            answer(&|_| {})
        }
        "UntagResource" => {
            topics.untag(call, resource(p)?, &p.list_of_texts("TagKeys")).await?;
            answer(&|_| {})
        }
        "ListTagsForResource" => {
            let found = topics.describe(call, resource(p)?).await?;
            answer(&|xml| {
                xml.members("Tags", &found.topic.tags, |xml, (key, value)| {
                    xml.text("Key", key);
                    xml.text("Value", value);
                });
            })
        }
        other => Err(Fault::unknown_action(other)),
    }
}

const DELIVERY_POLICY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#;

fn need<'a>(p: &'a Parameters, name: &str, said: &str) -> Result<&'a str, Fault> {
    p.text(name).ok_or_else(|| Fault::missing(said))
}

/// The topic's name out of an ARN.
fn named<'a>(arn: &'a str, parameter: &str) -> Result<&'a str, Fault> {
    if !arn.starts_with("arn:") || arn.split(':').count() < 6 {
        let count = arn.split(':').count();
        return Err(Fault::parameter(format!("Invalid parameter: {parameter} Reason: An ARN must have at least 6 elements, not {count}")));
    }
    Ok(arn::resource(arn).split(':').next().unwrap_or_default())
}

fn topic(p: &Parameters) -> Result<&str, Fault> {
    named(need(p, "TopicArn", "topicArn")?, "TopicArn")
}

fn resource(p: &Parameters) -> Result<&str, Fault> {
    named(need(p, "ResourceArn", "resourceArn")?, "ResourceArn")
}

fn target(p: &Parameters) -> Result<&str, Fault> {
    match p.text("TopicArn").or(p.text("TargetArn")) {
        Some(arn) => named(arn, "TopicArn"),
        None => Err(Fault::parameter("Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter")),
    }
}

/// The identifier at the end of a subscription's ARN.
fn subscription(p: &Parameters) -> Result<&str, Fault> {
    let arn = need(p, "SubscriptionArn", "subscriptionArn")?;
    let count = arn.split(':').count();
    if count < 6 {
        let text = format!("Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not {count}");
        return Err(Fault::parameter(text));
    }
    Ok(arn.rsplit(':').next().unwrap_or_default())
}

fn arn_of(sns: &Sns, subscription: &Subscription) -> String {
    sns.subscription_arn(&subscription.topic, &subscription.id)
}

fn map(p: &Parameters, name: &str) -> BTreeMap<String, String> {
    p.map_of_texts(name, "key", "value")
}

fn tags(p: &Parameters) -> BTreeMap<String, String> {
    p.map_of_texts("Tags", "Key", "Value")
}

fn after(p: &Parameters) -> Result<String, Fault> {
    let Some(token) = p.text("NextToken") else { return Ok(String::new()) };
    let bytes = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| Fault::parameter("Invalid parameter: NextToken"))
}

fn next(xml: &mut Xml, more: bool, last: Option<&str>) {
    if let Some(last) = last.filter(|_| more) {
        xml.text("NextToken", &STANDARD.encode(last));
    }
}

fn published_xml(xml: &mut Xml, published: &Published) {
    xml.text("MessageId", &published.message_id);
    if let Some(sequence) = published.sequence {
        xml.text("SequenceNumber", &sequence.to_string());
    }
}

fn publish(p: &Parameters) -> Result<Publish, Fault> {
    let mut attributes = Attributes::new();
    for (name, value) in p.map("MessageAttributes", "Name", "Value") {
        let kind = value.text("DataType").unwrap_or_default().to_owned();
        let value = match (value.text("StringValue"), value.text("BinaryValue")) {
            (None, Some(text)) => {
                let bytes = STANDARD
                    .decode(text)
                    .map_err(|_| Fault::parameter("Invalid parameter: MessageAttributes: BinaryValue is not base64"))?;
                Value::Binary(bytes)
            }
            (text, _) => Value::Text(text.unwrap_or_default().to_owned()),
        };
        attributes.insert(name, Attribute { kind, value });
    }
    let per_protocol = match p.text("MessageStructure") {
        None => false,
        Some("json") => true,
        Some(_) => return Err(Fault::parameter("Invalid parameter: MessageStructure")),
    };
    Ok(Publish {
        message: p.text("Message").unwrap_or_default().to_owned(),
        subject: p.text("Subject").map(str::to_owned),
        per_protocol,
        attributes,
        group: p.text("MessageGroupId").map(str::to_owned),
        deduplication: p.text("MessageDeduplicationId").map(str::to_owned),
    })
}

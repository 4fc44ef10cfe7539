//! Who is told of what happens in a bucket: the document of `PutBucketNotificationConfiguration`.
//! Source: that operation of the API reference, and "Supported event types for SQS, SNS, and Lambda" of the user guide.

use async_trait::async_trait;
use http::StatusCode;
use s3s::dto::{NotificationConfiguration, NotificationConfigurationFilter, NotificationId};
use s3s::xml::{Deserialize, Deserializer, Serializer};

use super::S3;
use super::event::NAMES;
use super::fail::Failure;
use crate::base::Call;
use crate::services::objects::notices::{Occasion, Recipient, Subscription};
use crate::wire::aws::arn::resource;

/// Where notifications may lead.
#[async_trait]
pub trait Destinations: Send + Sync + 'static {
    /// Whether a function, queue or topic of this name is there.
    async fn has(&self, call: &Call, recipient: &Recipient) -> bool;
}

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Events of S3 of which nothing is ever told here: nothing of the kind happens to these objects, or nobody notes it.
const SILENT: [&str; 16] = [
    "ObjectRestore:*",
    "ObjectRestore:Post",
    "ObjectRestore:Completed",
    "ObjectRestore:Delete",
    "ObjectTagging:*",
    "ObjectTagging:Put",
    "ObjectTagging:Delete",
    "ObjectAcl:Put",
    "ReducedRedundancyLostObject",
    "Replication:*",
    "Replication:OperationFailedReplication",
    "Replication:OperationMissedThreshold",
    "Replication:OperationReplicatedAfterThreshold",
    "Replication:OperationNotTracked",
    "LifecycleTransition",
    "IntelligentTiering",
];

/// A kind of destination: the service of its ARN, how it is called in messages, and what its name is within the ARN.
struct Kind {
    service: &'static str,
    noun: &'static str,
    recipient: fn(&str) -> Recipient,
}

const FUNCTION: Kind = Kind { service: "lambda", noun: "Lambda", recipient: |name| Recipient::Function(function(name).to_owned()) };
const QUEUE: Kind = Kind { service: "sqs", noun: "queue", recipient: |name| Recipient::Queue(name.to_owned()) };
const TOPIC: Kind = Kind { service: "sns", noun: "topic", recipient: |name| Recipient::Topic(name.to_owned()) };

/// The name within `function:NAME` or `function:NAME:ALIAS`.
fn function(resource: &str) -> &str {
    let name = resource.strip_prefix("function:").unwrap_or(resource);
    name.split(':').next().unwrap_or(name)
}

impl S3 {
    /// Sets a bucket's notifications. Who is not named gets a name, as in production.
    pub(super) async fn notify(&self, call: &Call, bucket: &str, document: &str, validate: bool) -> Result<(), Failure> {
        let mut configuration =
            NotificationConfiguration::deserialize(&mut Deserializer::new(document.as_bytes())).map_err(|_| Failure::malformed_xml())?;
        name(&mut configuration, || self.ids.uuid());
        let read = read(&configuration)?;
        for (arn, kind, subscription) in &read {
            if validate && !self.destinations.has(call, &subscription.recipient).await {
                let message = "Unable to validate the following destination configurations";
                return Err(Failure::invalid_argument(message, arn, format!("The destination {} does not exist", kind.noun)));
            }
        }
        let subscriptions: Vec<Subscription> = read.into_iter().map(|(_, _, subscription)| subscription).collect();
        // Setting none is how notifications are removed.
        let set = (!subscriptions.is_empty() || configuration.event_bridge_configuration.is_some())
            .then(|| (write(&configuration), subscriptions));
        self.objects.subscribe(call, bucket, set).await.map_err(|error| super::fail::fail(&error))
    }
}

fn name(configuration: &mut NotificationConfiguration, mut new: impl FnMut() -> String) {
    let mut all: Vec<&mut Option<NotificationId>> = Vec::new();
    all.extend(configuration.lambda_function_configurations.iter_mut().flatten().map(|one| &mut one.id));
    all.extend(configuration.queue_configurations.iter_mut().flatten().map(|one| &mut one.id));
    all.extend(configuration.topic_configurations.iter_mut().flatten().map(|one| &mut one.id));
    for id in all {
        id.get_or_insert_with(&mut new);
    }
}

fn write(configuration: &NotificationConfiguration) -> String {
    let mut text = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec();
    let written = Serializer::new(&mut text).content_with_ns("NotificationConfiguration", NAMESPACE, configuration);
    written.expect("memory can be written to");
    String::from_utf8(text).expect("XML is text")
}

type Read<'a> = Vec<(&'a str, &'static Kind, Subscription)>;

/// The subscriptions of a document whose parts all have identifiers, each with its destination's ARN and kind.
fn read(configuration: &NotificationConfiguration) -> Result<Read<'_>, Failure> {
    let mut all: Read<'_> = Vec::new();
    let mut add = |arn, kind: &'static Kind, id: &Option<NotificationId>, events: Vec<&str>, filter: &Option<_>| {
        all.push((arn, kind, subscription(arn, kind, id, &events, filter.as_ref())?));
        Ok::<_, Failure>(())
    };
    for one in configuration.lambda_function_configurations.iter().flatten() {
        let events = one.events.iter().map(AsRef::as_ref).collect();
        add(&one.lambda_function_arn, &FUNCTION, &one.id, events, &one.filter)?;
    }
    for one in configuration.queue_configurations.iter().flatten() {
        let events = one.events.iter().map(AsRef::as_ref).collect();
        add(&one.queue_arn, &QUEUE, &one.id, events, &one.filter)?;
    }
    for one in configuration.topic_configurations.iter().flatten() {
        let events = one.events.iter().map(AsRef::as_ref).collect();
        add(&one.topic_arn, &TOPIC, &one.id, events, &one.filter)?;
    }
    for (number, (_, _, one)) in all.iter().enumerate() {
        for (_, _, other) in &all[..number] {
            if one.id == other.id {
                return Err(wrong("Same ID used for multiple configurations. IDs must be unique"));
            }
            if overlap(one, other) {
                return Err(wrong(
                    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping \
                     for the same event type.",
                ));
            }
        }
    }
    Ok(all)
}

fn wrong(message: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
}

fn subscription(
    arn: &str,
    kind: &Kind,
    id: &Option<NotificationId>,
    events: &[&str],
    filter: Option<&NotificationConfigurationFilter>,
) -> Result<Subscription, Failure> {
    let mut parts = arn.splitn(6, ':');
    let is_arn = parts.next() == Some("arn") && parts.nth(1) == Some(kind.service) && parts.nth(2).is_some_and(|name| !name.is_empty());
    if !is_arn {
        return Err(Failure::invalid_argument("The ARN is not well formed", kind.noun, arn));
    }
    if events.is_empty() {
        return Err(Failure::malformed_xml());
    }
    let mut occasions = Vec::new();
    for event in events {
        for occasion in of_event(event)? {
            if !occasions.contains(&occasion) {
                occasions.push(occasion);
            }
        }
    }
    let [prefix, suffix] = keys(filter)?;
    Ok(Subscription { id: id.clone().unwrap_or_default(), occasions, prefix, suffix, recipient: (kind.recipient)(resource(arn)) })
}

/// What an event of a document stands for.
fn of_event(event: &str) -> Result<Vec<Occasion>, Failure> {
    let plain = event.strip_prefix("s3:").unwrap_or_default();
    let fits = |name: &str| match plain.strip_suffix('*') {
        // `s3:Object*` is none of S3's.
        Some(start) => start.ends_with(':') && name.starts_with(start),
        None => name == plain,
    };
    let found: Vec<Occasion> = NAMES.iter().filter(|(_, name)| fits(name)).map(|(occasion, _)| *occasion).collect();
    if found.is_empty() && !SILENT.contains(&plain) {
        return Err(Failure::invalid_argument("A specified event is not supported for notifications.", "Event", event));
    }
    Ok(found)
}

/// What the key must begin and end with.
fn keys(filter: Option<&NotificationConfigurationFilter>) -> Result<[String; 2], Failure> {
    let rules = filter.and_then(|filter| filter.key.as_ref()).and_then(|key| key.filter_rules.as_ref());
    let mut found: [Option<String>; 2] = [None, None];
    for rule in rules.into_iter().flatten() {
        let name = rule.name.as_ref().map(|name| name.as_str().to_ascii_lowercase()).unwrap_or_default();
        let Some(place) = ["prefix", "suffix"].iter().position(|known| *known == name) else {
            return Err(Failure::invalid_argument("filter rule name must be either prefix or suffix", "FilterRule.Name", name));
        };
        if found[place].replace(rule.value.clone().unwrap_or_default()).is_some() {
            let message = format!("Cannot specify more than one {name} rule in a filter.");
            return Err(Failure::invalid_argument(message, "FilterRule.Name", name));
        }
    }
    Ok(found.map(Option::unwrap_or_default))
}

/// Whether an object could be told of by both for the same reason.
fn overlap(one: &Subscription, other: &Subscription) -> bool {
    one.occasions.iter().any(|occasion| other.occasions.contains(occasion))
        && (one.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&one.prefix))
        && (one.suffix.ends_with(&other.suffix) || other.suffix.ends_with(&one.suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &str, wanted: &str) {
        let xml = format!("<NotificationConfiguration>{parts}</NotificationConfiguration>");
        let mut configuration =
            NotificationConfiguration::deserialize(&mut Deserializer::new(xml.as_bytes())).expect("a document of notifications");
        let mut number = 0;
        name(&mut configuration, || {
            number += 1;
            format!("new {number}")
        });
        let told = match read(&configuration) {
            Ok(read) => {
                let one = |(_, _, one): (&str, &Kind, Subscription)| {
                    format!("{} {:?} {:?} {}…{}", one.id, one.recipient, one.occasions, one.prefix, one.suffix)
                };
                read.into_iter().map(one).collect::<Vec<_>>().join("; ")
            }
            Err(failure) => format!("{}: {}", failure.code, failure.message),
        };
        assert_eq!(told, wanted, "{parts}");
        let again = NotificationConfiguration::deserialize(&mut Deserializer::new(write(&configuration).as_bytes()));
        assert!(again.is_ok_and(|again| format!("{again:?}") == format!("{configuration:?}")), "what is given back is what was read");
    }

    #[test]
    fn a_document_says_who_is_told_of_what() {
        let queue = |id: &str, events: &str, rules: &str| {
            format!(
                "<QueueConfiguration>{id}<Queue>arn:aws:sqs:us-east-1:000000000000:q</Queue>{events}<Filter><S3Key>{rules}</S3Key></Filter></QueueConfiguration>"
            )
        };
        let event = |name: &str| format!("<Event>{name}</Event>");
        let rule = |name: &str, value: &str| format!("<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>");
        check("", "");
        check("<EventBridgeConfiguration/>", "");
        check(
            &queue("", &event("s3:ObjectCreated:*"), &(rule("Prefix", "images/") + &rule("suffix", ".png"))),
            "new 1 Queue(\"q\") [Put, Copied, Posted, Completed] images/….png",
        );
        check(
            "<CloudFunctionConfiguration><Id>a</Id><CloudFunction>arn:aws:lambda:us-east-1:000000000000:function:f:live</CloudFunction><Event>s3:ObjectRemoved:Delete</Event></CloudFunctionConfiguration><TopicConfiguration><Topic>arn:aws:sns:us-east-1:000000000000:t</Topic><Event>s3:ObjectTagging:*</Event></TopicConfiguration>",
            "a Function(\"f\") [Deleted] …; new 1 Topic(\"t\") [] …",
        );
        check(
            &(queue("", &event("s3:ObjectCreated:Put"), &rule("prefix", "a"))
                + &queue("", &event("s3:ObjectCreated:*"), &rule("prefix", "b"))),
            "new 1 Queue(\"q\") [Put] a…; new 2 Queue(\"q\") [Put, Copied, Posted, Completed] b…",
        );
    }

    #[test]
    fn what_s3_would_not_take_is_refused() {
        let queue = |id: &str, arn: &str, event: &str, rules: &str| {
            format!(
                "<QueueConfiguration>{id}<Queue>{arn}</Queue><Event>{event}</Event><Filter><S3Key>{rules}</S3Key></Filter></QueueConfiguration>"
            )
        };
        let (arn, put) = ("arn:aws:sqs:us-east-1:000000000000:q", "s3:ObjectCreated:Put");
        let rule = |name: &str, value: &str| format!("<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>");
        let ambiguous = "InvalidArgument: Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.";
        check(&queue("", "q", put, ""), "InvalidArgument: The ARN is not well formed");
        check(&queue("", "arn:aws:sns:us-east-1:000000000000:q", put, ""), "InvalidArgument: The ARN is not well formed");
        check(&queue("", arn, "s3:ObjectMade:*", ""), "InvalidArgument: A specified event is not supported for notifications.");
        check(&queue("", arn, "s3:Object*", ""), "InvalidArgument: A specified event is not supported for notifications.");
        check(&queue("", arn, put, &rule("middle", "x")), "InvalidArgument: filter rule name must be either prefix or suffix");
        check(
            &queue("", arn, put, &(rule("prefix", "x") + &rule("prefix", "y"))),
            "InvalidArgument: Cannot specify more than one prefix rule in a filter.",
        );
        check(&(queue("", arn, put, &rule("prefix", "a")) + &queue("", arn, "s3:ObjectCreated:*", &rule("prefix", "ab"))), ambiguous);
        check(&(queue("", arn, put, &rule("suffix", ".jpg")) + &queue("", arn, put, "")), ambiguous);
        let named = queue("<Id>x</Id>", arn, put, "") + &queue("<Id>x</Id>", arn, "s3:ObjectRemoved:*", "");
        check(&named, "InvalidArgument: Same ID used for multiple configurations. IDs must be unique");
    }
}

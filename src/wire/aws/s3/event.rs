//! The event that a bucket notification sends. Source: the page "Event message structure" of the user guide.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::base::Time;
use crate::services::objects::Event;
use crate::services::objects::notices::Occasion;
use crate::wire::aws::arn::Account;

/// What goes into the event besides what happened.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub account: &'a Account,
    pub bucket: &'a str,
    pub at: Time,
    /// Names the notification that asked for the event.
    pub configuration_id: &'a str,
    /// Of the request that caused it.
    pub request_id: &'a str,
}

/// What S3 calls what happens to objects, without the leading `s3:`.
pub(super) const NAMES: [(Occasion, &str); 8] = [
    (Occasion::Put, "ObjectCreated:Put"),
    (Occasion::Copied, "ObjectCreated:Copy"),
    (Occasion::Posted, "ObjectCreated:Post"),
    (Occasion::Completed, "ObjectCreated:CompleteMultipartUpload"),
    (Occasion::Deleted, "ObjectRemoved:Delete"),
    (Occasion::Marked, "ObjectRemoved:DeleteMarkerCreated"),
    (Occasion::Expired, "LifecycleExpiration:Delete"),
    (Occasion::Outdated, "LifecycleExpiration:DeleteMarkerCreated"),
];

/// The name of the event without the leading `s3:`, as a notification's `Events` are compared with; empty where S3 tells of none.
pub fn name(event: &Event) -> &'static str {
    let occasion = event.occasion();
    NAMES.iter().find(|(known, _)| Some(*known) == occasion).map_or("", |(_, name)| name)
}

/// What a queue or topic gets when a bucket's notifications are set. Source: "Event message structure", test messages.
pub fn test(context: Context<'_>) -> Value {
    json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": context.at.iso(),
        "Bucket": context.bucket,
        "RequestId": context.request_id,
        "HostId": context.request_id,
    })
}

/// The event as a function gets it.
pub fn event(event: &Event, context: Context<'_>) -> Value {
    let mut object = json!({ "key": encode_key(event.key()) });
    let generation = match event {
        Event::Created(created) => {
            object["size"] = created.size.into();
            object["eTag"] = created.etag.as_str().into();
            if let Some(version) = &created.version {
                object["versionId"] = version.as_str().into();
            }
            created.generation
        }
        Event::Deleted(deleted) => {
            if let Some(version) = &deleted.version {
                object["versionId"] = version.as_str().into();
            }
            deleted.generation
        }
        Event::Updated(object) | Event::Replaced { object, .. } => object.generation,
    };
    object["sequencer"] = format!("{generation:018X}").into();
    let principal = format!("AWS:{}", context.account.id);
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": context.account.region.as_ref(),
        "eventTime": context.at.iso(),
        "eventName": name(event),
        "userIdentity": { "principalId": principal },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": context.request_id, "x-amz-id-2": context.request_id },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": context.configuration_id,
            "bucket": {
                "name": context.bucket,
                "ownerIdentity": { "principalId": context.account.id.as_ref() },
                "arn": format!("arn:aws:s3:::{}", context.bucket),
            },
            "object": object,
        },
    }] })
}

/// What stays as it is in an event's key.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');

/// The key as in a form: a space is `+`, and most signs are `%` and two digits.
fn encode_key(key: &str) -> String {
    utf8_percent_encode(key, KEPT).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::objects::{Created, Deleted, How};

    #[test]
    fn the_key_of_an_event_is_encoded_as_in_a_form() {
        for (key, wanted) in [
            ("images/a b.png", "images/a+b.png"),
            ("a+b", "a%2Bb"),
            ("ü/ß", "%C3%BC/%C3%9F"),
            ("x=1&y", "x%3D1%26y"),
            ("a-b_c.d*", "a-b_c.d*"),
        ] {
            assert_eq!(encode_key(key), wanted);
        }
    }

    #[test]
    fn the_shape_of_an_event() {
        let account = Account::local("eu-west-1");
        let context = Context { account: &account, bucket: "photos", at: Time(1_000), configuration_id: "thumbs", request_id: "R" };
        let created = Event::Created(Created {
            how: How::Multipart,
            key: "a b".into(),
            size: 3,
            etag: "900150983cd24fb0d6963f7d28e17f72".into(),
            version: None,
            generation: 0x1F,
            content_type: None,
            object: None,
        });
        let value = event(&created, context);
        let record = &value["Records"][0];
        assert_eq!(record["eventName"], "ObjectCreated:CompleteMultipartUpload");
        assert_eq!(record["eventTime"], "1970-01-01T00:00:01.000Z");
        assert_eq!(record["s3"]["bucket"]["arn"], "arn:aws:s3:::photos");
        assert_eq!(record["s3"]["configurationId"], "thumbs");
        assert_eq!(
            record["s3"]["object"],
            json!({"key": "a+b", "size": 3, "eTag": "900150983cd24fb0d6963f7d28e17f72", "sequencer": "00000000000000001F"})
        );
        let deleted = Event::Deleted(Deleted {
            key: "k".into(),
            version: Some("v1".into()),
            marker: true,
            expired: false,
            generation: 1,
            object: None,
        });
        let value = event(&deleted, context);
        assert_eq!(value["Records"][0]["eventName"], "ObjectRemoved:DeleteMarkerCreated");
        assert_eq!(value["Records"][0]["s3"]["object"]["versionId"], "v1");
        assert!(value["Records"][0]["s3"]["object"].get("size").is_none());
        let expired =
            |marker| name(&Event::Deleted(Deleted { key: "k".into(), version: None, marker, expired: true, generation: 1, object: None }));
        assert_eq!([expired(false), expired(true)], ["LifecycleExpiration:Delete", "LifecycleExpiration:DeleteMarkerCreated"]);
    }
}

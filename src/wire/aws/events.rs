//! EventBridge, as far as functions see it: the event of a schedule.
//! Source: the page "Using EventBridge Scheduler / scheduled rules with Lambda" and recorded events.

use serde_json::{Value, json};

use super::arn::Account;
use crate::base::Time;

/// What a function gets when a schedule calls it. `id` is a UUID, `at` the time it was due.
pub fn scheduled(account: &Account, rule: &str, id: &str, at: Time) -> Value {
    json!({
        "version": "0",
        "id": id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": &*account.id,
        "time": at.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": &*account.region,
        "resources": [account.arn("events", &format!("rule/{rule}"))],
        "detail": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduled_event_has_the_fields_that_handlers_read() {
        let event = scheduled(&Account::local("eu-west-1"), "expire", "an-id", Time(1_795_000_000_999));
        assert_eq!(
            event.to_string(),
            r#"{"version":"0","id":"an-id","detail-type":"Scheduled Event","source":"aws.events","account":"000000000000","time":"2026-11-18T11:06:40Z","region":"eu-west-1","resources":["arn:aws:events:eu-west-1:000000000000:rule/expire"],"detail":{}}"#
        );
    }
}

//! Events as functions of Firebase get them: CloudEvents for the second generation, data and context for the first. Sources: the schemas
//! of `google.events.cloud`, and what the providers of firebase-functions read.

pub mod blocking;
pub mod documents;
pub mod messages;
pub mod objects;
pub mod users;

use serde_json::{Value, json};

use crate::base::Time;

/// What an event has whatever it tells of.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// The same in every attempt to deliver it.
    pub id: &'a str,
    pub at: Time,
    /// The project's name.
    pub project: &'a str,
}

/// An event as it is handed to a codebase's runtime.
#[derive(Clone, Debug, PartialEq)]
pub enum Shaped {
    /// Of the second generation.
    Cloud(Value),
    /// Of the first: two arguments.
    Legacy { data: Value, context: Value },
}

impl Shaped {
    /// What the runtime of a codebase takes.
    pub fn input(self) -> Value {
        match self {
            Shaped::Cloud(event) => json!({ "$emu": "event", "event": event }),
            Shaped::Legacy { data, context } => json!({ "$emu": "event", "data": data, "context": context }),
        }
    }
}

/// The attributes of a CloudEvent that all have.
fn cloud_event(about: &About<'_>, kind: &str, source: String, data: Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": about.id,
        "source": source,
        "type": kind,
        "time": about.at.iso(),
        "data": data,
    })
}

/// The context of a legacy event.
fn context(about: &About<'_>, kind: &str, service: &str, resource: String) -> Value {
    json!({
        "eventId": about.id,
        "timestamp": about.at.iso(),
        "eventType": kind,
        "resource": { "service": service, "name": resource },
    })
}

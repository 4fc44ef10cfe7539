//! Who asks, because of what, on whose bill. First argument of every service method.

use std::sync::Arc;

use super::era::Era;
use super::usage::Meter;

/// Events that may lie between the request from outside and a call: where there are more, functions call each other in a circle.
pub const DEPTH_MAX: u16 = 16;

/// Identifies everything that one outside request (or schedule) led to: 32 lower-case hexadecimal characters, as in W3C Trace Context.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct TraceId(pub Arc<str>);

impl TraceId {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// On whose behalf a call is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody said who they are.
    Anonymous,
    /// A signed-in end user, with all that their token claims (`email`, `firebase`, own claims, …): what security rules decide by.
    User { uid: String, token: Arc<serde_json::Map<String, serde_json::Value>> },
    /// A developer, a test or an administrator's SDK.
    Admin,
    /// A function of the project, by name.
    Function(Arc<str>),
    /// emu itself: seeding, expiry, delivery.
    Operator,
}

/// What led to a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A request from outside, by its identifier.
    Request(Arc<str>),
    /// An invocation, by its identifier.
    Invocation(Arc<str>),
    /// An operation on one of the services, by its identifier.
    Operation(Arc<str>),
    /// A delivery of an event, by its number: of its row where it is stored, below zero for batches of queues and streams.
    Event(i64),
    /// emu itself.
    Operator,
}

/// Who asks, because of what, on whose bill. Cheap to clone; clones share the bill.
#[derive(Clone, Debug)]
pub struct Call {
    /// On whose behalf.
    pub caller: Caller,
    /// What led to it.
    pub cause: Cause,
    /// How many events lie between the outside request and this call; bounded, so that trigger loops end.
    pub depth: u16,
    /// Everything that one outside request led to shares this.
    pub trace: TraceId,
    /// The bill.
    pub meter: Meter,
    /// The state that it belongs to: where another has taken its place, the call can do nothing any more. `None`: whichever there is.
    pub era: Option<Era>,
}

impl Call {
    /// emu's own work (seeding, expiry), on nobody's bill.
    pub fn operator() -> Call {
        Call {
            caller: Caller::Operator,
            cause: Cause::Operator,
            depth: 0,
            trace: TraceId("0".repeat(32).into()),
            meter: Meter::default(),
            era: None,
        }
    }
}

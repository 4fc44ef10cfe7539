//! Units of work, in the providers' own measures, and the meter that adds them up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// What is counted. The unit is part of the name; prices live in `cost/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Unit { $($(#[$doc])* $name,)* }

        impl Unit {
            /// Every unit, in order of declaration.
            pub const ALL: &'static [Unit] = &[$(Unit::$name),*];

            /// A stable name for records and files.
            pub fn label(self) -> &'static str {
                match self { $(Unit::$name => $label),* }
            }
        }
    };
}

units! {
    /// Half a DynamoDB read request unit: 4 KB read eventually consistently.
    TableReadHalves = "table-read-halves",
    /// A DynamoDB write request unit: 1 KB written.
    TableWrites = "table-writes",
    /// An item that a read looked at, whatever its size; one at least for each read, as document databases bill it.
    TableItemsRead = "table-items-read",
    /// An item stored or changed, whatever its size.
    TableItemsPut = "table-items-put",
    /// An item deleted, or asked to be.
    TableItemsDeleted = "table-items-deleted",
    /// A `GetRecords` of a table's stream by a reader of one's own; what triggers read is free.
    StreamReads = "stream-reads",
    /// Bytes of items and of entries of indexes kept for a month, each with 100 for itself: a stock, summed up as it changes.
    TableBytesStored = "table-bytes-stored",
    /// An S3 request of the PUT, COPY, POST, LIST kind.
    ObjectWrites = "object-writes",
    /// An S3 request of the GET, SELECT and all other kinds.
    ObjectReads = "object-reads",
    /// An S3 request that deletes objects; free where we know.
    ObjectDeletes = "object-deletes",
    /// Bytes of objects sent out.
    ObjectBytesOut = "object-bytes-out",
    /// Bytes of objects, of all their versions and of parts of uploads kept for a month: a stock, summed up as it changes.
    ObjectBytesStored = "object-bytes-stored",
    /// An SQS request to a standard queue; every 64 KB of payload is one.
    QueueRequests = "queue-requests",
    /// An SQS request to a FIFO queue; every 64 KB of payload is one.
    QueueFifoRequests = "queue-fifo-requests",
    /// A request to publish to an SNS topic, a batch is one; every 64 KB of payload is one.
    TopicPublishes = "topic-publishes",
    /// Bytes published to topics and sent on to each subscriber; 1,000 at least for each message, as Pub/Sub bills it.
    TopicBytes = "topic-bytes",
    /// A message that a topic sends to an HTTP endpoint; every 64 KB of payload is one.
    TopicHttpDeliveries = "topic-http-deliveries",
    /// A message that a topic sends to a mail address.
    TopicMailDeliveries = "topic-mail-deliveries",
    /// A mail sent to one recipient.
    Mails = "mails",
    /// Bytes of attachments, times recipients.
    MailAttachmentBytes = "mail-attachment-bytes",
    /// A function invocation.
    Invocations = "invocations",
    /// Wall-clock microseconds of function invocations.
    InvocationMicros = "invocation-micros",
    /// Wall-clock microseconds of invocations times configured MiB.
    InvocationMibMicros = "invocation-mib-micros",
    /// Microseconds of processor time of function invocations.
    InvocationCpuMicros = "invocation-cpu-micros",
    /// A request to the HTTP API; every 512 KB of payload is one.
    RouteRequests = "route-requests",
    /// A request to the REST API, whatever its size.
    RestRequests = "rest-requests",
    /// Bytes of answers to requests from outside, with their heads.
    RouteBytesOut = "route-bytes-out",
    /// A run of a schedule.
    ScheduleRuns = "schedule-runs",
    /// Schedules kept for a month, those that are off too: a stock, summed up as it changes.
    Schedules = "schedules",
}

impl Unit {
    /// Whether it is something kept for a month, which more calls do not multiply.
    pub fn is_stock(self) -> bool {
        matches!(self, Unit::TableBytesStored | Unit::ObjectBytesStored | Unit::Schedules)
    }

    /// The unit that a label stands for.
    pub fn of(label: &str) -> Option<Unit> {
        Unit::ALL.iter().copied().find(|unit| unit.label() == label)
    }
}

const UNITS: usize = Unit::ALL.len();

/// Amounts by unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage([u64; UNITS]);

impl Default for Usage {
    fn default() -> Usage {
        Usage([0; UNITS])
    }
}

impl Usage {
    /// The amount of one unit.
    pub fn get(&self, unit: Unit) -> u64 {
        self.0[unit as usize]
    }

    /// Adds to one unit; saturates.
    pub fn add(&mut self, unit: Unit, amount: u64) {
        let slot = &mut self.0[unit as usize];
        *slot = slot.saturating_add(amount);
    }

    /// The units that are not zero.
    pub fn iter(&self) -> impl Iterator<Item = (Unit, u64)> + '_ {
        Unit::ALL.iter().map(|u| (*u, self.get(*u))).filter(|(_, n)| *n > 0)
    }

    /// Adds another usage to this one; saturates.
    pub fn add_all(&mut self, other: &Usage) {
        for (unit, amount) in other.iter() {
            self.add(unit, amount);
        }
    }

    /// Whether nothing was used.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|n| *n == 0)
    }
}

/// As an object of the units that are not zero, by label. Labels of a newer version are left out.
impl serde::Serialize for Usage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(unit, amount)| (unit.label(), amount)))
    }
}

impl<'de> serde::Deserialize<'de> for Usage {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Usage, D::Error> {
        let amounts = std::collections::BTreeMap::<String, u64>::deserialize(deserializer)?;
        let mut usage = Usage::default();
        for (label, amount) in amounts {
            if let Some(unit) = Unit::of(&label) {
                usage.add(unit, amount);
            }
        }
        Ok(usage)
    }
}

/// Adds up what is done on one bill. Clones share the bill.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<[AtomicU64; UNITS]>);

impl Meter {
    /// Adds what was used. Called by the store after a commit, and by the invoker.
    pub fn add(&self, usage: &Usage) {
        for (unit, amount) in usage.iter() {
            self.0[unit as usize].fetch_add(amount, Ordering::Relaxed);
        }
    }

    /// What has been used so far.
    pub fn total(&self) -> Usage {
        let mut usage = Usage::default();
        for unit in Unit::ALL {
            usage.add(*unit, self.0[*unit as usize].load(Ordering::Relaxed));
        }
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_meter_share_the_bill() {
        let meter = Meter::default();
        let mut usage = Usage::default();
        usage.add(Unit::TableWrites, 2);
        meter.add(&usage);
        meter.clone().add(&usage);
        assert_eq!(meter.total().get(Unit::TableWrites), 4);
        assert_eq!(meter.total().iter().count(), 1);
    }

    #[test]
    fn a_usage_is_stored_by_label() {
        let mut usage = Usage::default();
        usage.add(Unit::TableWrites, 2);
        assert_eq!(serde_json::to_string(&usage).expect("JSON"), r#"{"table-writes":2}"#);
        let read: Usage = serde_json::from_str(r#"{"table-writes":2,"unit-of-tomorrow":7}"#).expect("a usage");
        assert_eq!(read, usage);
    }
}

//! What is put into a queue and what comes out of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Error;
use crate::base::message::{Attribute, Attributes, Value, attributes_bytes};
use crate::base::{Call, Caller, Cause, Meter, Time, TraceId};

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Send {
    pub body: String,
    pub attributes: Attributes,
    /// The X-Ray header that travels with the message.
    pub trace_header: Option<Attribute>,
    /// Seconds until it may be received, instead of the queue's own delay.
    pub delay_s: Option<i64>,
    /// Messages of one group are received in order (needed by FIFO queues).
    pub group: Option<String>,
    /// Sends with the same identifier within five minutes are one (FIFO queues only).
    pub deduplication: Option<String>,
}

impl Send {
    /// A message of nothing but a body.
    pub fn body(body: impl Into<String>) -> Send {
        Send { body: body.into(), ..Send::default() }
    }

    /// What counts against a queue's `MaximumMessageSize`: the body, and name, type and value of every attribute.
    pub fn bytes(&self) -> usize {
        self.body.len() + attributes_bytes(&self.attributes)
    }

    /// Whether body and attributes are well formed, whatever the queue. Source: "Amazon SQS message metadata", "SendMessage".
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.body.is_empty() {
            return Err(Error::Missing("MessageBody"));
        }
        if let Some(bad) = self.body.chars().find(|c| !allowed(*c)) {
            return Err(Error::Characters(bad));
        }
        if self.attributes.len() > ATTRIBUTES_MAX {
            let text = format!("Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].", self.attributes.len());
            return Err(Error::MessageAttribute(text));
        }
        self.attributes.iter().try_for_each(|(name, attribute)| attribute.check(name))?;
        if let Some(header) = &self.trace_header
            && (header.kind != "String" || !matches!(&header.value, Value::Text(text) if !text.is_empty()))
        {
            return Err(Error::MessageAttribute(
                "The value of the message system attribute 'AWSTraceHeader' must be a non-empty String.".into(),
            ));
        }
        for (name, text) in [("MessageGroupId", &self.group), ("MessageDeduplicationId", &self.deduplication)] {
            if text.as_ref().is_some_and(|text| text.is_empty() || text.len() > 128 || !text.bytes().all(|b| b.is_ascii_graphic())) {
                return Err(Error::Identifier { parameter: name, value: text.clone().unwrap_or_default() });
            }
        }
        Ok(())
    }
}

/// Attributes that a message may have.
const ATTRIBUTES_MAX: usize = 10;

impl Attribute {
    fn check(&self, name: &str) -> Result<(), Error> {
        let fail = |text: String| Err(Error::MessageAttribute(text));
        let lower = name.to_ascii_lowercase();
        if name.is_empty() {
            return fail("The message attribute name must not be empty.".into());
        }
        if name.len() > 256 {
            return fail(format!("Message (user) attribute name '{name}' must be 256 characters long or less."));
        }
        if lower.starts_with("aws.") || lower.starts_with("amazon.") {
            return fail(format!(
                "Message (user) attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon: '{name}'."
            ));
        }
        let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
        if dots || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
            return fail(format!(
                "Message (user) attribute name '{name}' can contain only alphanumeric characters, hyphens, underscores and single periods inside."
            ));
        }
        if self.kind.is_empty() || self.kind.len() > 256 {
            return fail(format!("The message (user) attribute '{name}' must contain a non-empty message attribute type."));
        }
        let base = self.kind.split('.').next().unwrap_or_default();
        if !["String", "Number", "Binary"].contains(&base) {
            return fail(format!(
                "The type of message (user) attribute '{name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String."
            ));
        }
        let empty = || format!("The message (user) attribute '{name}' must contain a non-empty value of type '{base}'.");
        match &self.value {
            Value::Text(text) if base == "Binary" || text.is_empty() => fail(empty()),
            Value::Binary(bytes) if base != "Binary" || bytes.is_empty() => fail(empty()),
            Value::Text(text) if base == "Number" && text.trim().parse::<f64>().is_err() => {
                fail(format!("Can't cast the value of message (user) attribute '{name}' to a number."))
            }
            Value::Text(text) => match text.chars().find(|c| !allowed(*c)) {
                Some(bad) => Err(Error::Characters(bad)),
                None => Ok(()),
            },
            Value::Binary(_) => Ok(()),
        }
    }
}

/// The characters of XML 1.0, which are all that a message may hold.
fn allowed(c: char) -> bool {
    matches!(c, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// What became of a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub message_id: String,
    /// FIFO queues only: rises within a group.
    pub sequence: Option<u64>,
}

/// A message that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub message_id: String,
    /// Deletes the message, or changes how long it stays hidden.
    pub receipt: String,
    pub body: String,
    pub attributes: Attributes,
    pub trace_header: Option<Attribute>,
    /// The name of the function that sent it, if one did.
    pub sender: Option<String>,
    pub sent: Time,
    pub first_received: Time,
    /// How often it was handed out, this time included.
    pub receives: u32,
    pub group: Option<String>,
    pub deduplication: Option<String>,
    /// FIFO queues only.
    pub sequence: Option<u64>,
    /// The queue that it was moved away from after too many receives.
    pub dead_letter_source: Option<String>,
    /// When it comes to light, where it was hidden when it was looked at: somebody has it, or its delay is not over.
    pub hidden_until: Option<Time>,
    pub origin: Origin,
}

impl Message {
    /// Length in bytes of body and attributes.
    pub fn bytes(&self) -> usize {
        self.body.len() + attributes_bytes(&self.attributes)
    }
}

/// What led to a message, so that a consumer can go on with its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub trace: TraceId,
    pub cause: Cause,
    /// The depth of a call that this message leads to: one more than of the call that sent it.
    pub depth: u16,
}

impl Origin {
    /// The call of a consumer that goes on with this message's trace, on a bill of its own.
    pub fn call(&self, caller: Caller) -> Call {
        Call { caller, cause: self.cause.clone(), depth: self.depth, trace: self.trace.clone(), meter: Meter::default(), era: None }
    }
}

/// What a receipt handle says: which row of which queue, and the token of the lease.
pub(super) struct Receipt {
    pub(super) queue: i64,
    pub(super) id: i64,
    pub(super) token: String,
}

impl Receipt {
    pub(super) fn encode(&self) -> String {
        STANDARD.encode(format!("{}:{}:{}", self.queue, self.id, self.token))
    }

    pub(super) fn decode(handle: &str) -> Result<Receipt, Error> {
        let bad = || Error::Receipt(handle.chars().take(1024).collect());
        if handle.len() > 1024 {
            return Err(bad());
        }
        let text = STANDARD.decode(handle).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(bad)?;
        let mut parts = text.splitn(3, ':');
        let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
        let (Some(queue), Some(id)) = (number(), number()) else { return Err(bad()) };
        let token = parts.next().filter(|token| token.len() == 32).ok_or_else(bad)?;
        Ok(Receipt { queue, id, token: token.to_owned() })
    }
}

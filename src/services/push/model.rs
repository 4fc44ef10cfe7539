//! Pushes and the devices that get them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::render::Rendered;
use crate::base::Time;

/// Who is to get a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    Token(String),
    Topic(String),
    Condition(String),
}

impl Target {
    /// As a person reads it.
    pub fn text(&self) -> &str {
        match self {
            Target::Token(text) | Target::Topic(text) | Target::Condition(text) => text,
        }
    }

    /// `token`, `topic`, `condition`.
    pub fn kind(&self) -> &'static str {
        match self {
            Target::Token(_) => "token",
            Target::Topic(_) => "topic",
            Target::Condition(_) => "condition",
        }
    }
}

/// A push to send.
#[derive(Clone, Debug)]
pub struct Draft {
    pub target: Target,
    /// As it was written: `notification`, `data`, `android`, `apns`, `webpush`, …
    pub message: Map<String, Value>,
    /// Nothing is sent; it is only told whether it could be.
    pub dry_run: bool,
}

/// A push in the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// Unique among all.
    pub id: String,
    pub at: Time,
    pub target: Target,
    pub message: Map<String, Value>,
    /// The tokens of those who got it; of a large topic, only the first.
    pub tokens: Vec<String>,
    /// How many got it.
    pub count: usize,
    /// What a device of each kind shows.
    pub rendered: Vec<Rendered>,
    /// The function that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
}

impl Push {
    /// The title and the text that it shows first, if any.
    pub fn shown(&self) -> (Option<&str>, Option<&str>) {
        let first = self.rendered.first();
        (first.and_then(|one| one.title.as_deref()), first.and_then(|one| one.body.as_deref()))
    }
}

/// What is known of a device's token. Of one that nobody has told of it is believed that it is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub token: String,
    pub state: DeviceState,
    pub platform: Option<Platform>,
    pub at: Time,
    pub topics: Vec<String>,
}

/// That a device has subscribed to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub topic: String,
    pub since: Time,
}

/// Whether a token is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceState {
    #[default]
    Registered,
    Unregistered,
    /// It is another project's.
    SenderMismatch,
}

/// What a device runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    Android,
    /// Apple's.
    Apns,
    /// A browser.
    Webpush,
}

macro_rules! named {
    ($type:ident, $($name:literal => $value:ident),*) => {
        impl $type {
            pub fn name(self) -> &'static str {
                match self { $($type::$value => $name),* }
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<$type, String> {
                match text {
                    $($name => Ok($type::$value),)*
                    _ => Err(format!("`{text}` is none of {}", [$($name),*].join(", "))),
                }
            }
        }
    };
}

named!(DeviceState, "registered" => Registered, "unregistered" => Unregistered, "sender-mismatch" => SenderMismatch);
named!(Platform, "android" => Android, "apns" => Apns, "webpush" => Webpush);

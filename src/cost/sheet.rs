//! A price book as it is written: YAML (or JSON, which is YAML too). Everything in it may be left out, so that one sheet can be laid over
//! another: a user's over emu's own, one provider's over a near relation's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::measure::Measure;
use super::money::Money;
use super::provider::Provider;
use crate::base::Unit;

/// Largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Most items of a book.
pub const ITEMS_MAX: usize = 500;
/// Longest text of a field, in bytes.
const TEXT_BYTES_MAX: usize = 400;

/// A sheet of prices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Whose prices they are.
    pub provider: Option<Provider>,
    /// What people call it.
    pub name: Option<Text>,
    /// Where the prices hold.
    pub region: Option<Text>,
    /// When they were read.
    pub date: Option<Date>,
    /// By key.
    #[serde(default)]
    pub items: BTreeMap<Text, Row>,
    /// What is billed by way of something else that is counted.
    #[serde(default)]
    pub covered: BTreeSet<Measure>,
    /// What this provider has no counterpart for, and why.
    #[serde(default)]
    pub none: BTreeMap<Measure, Text>,
}

/// An item of a sheet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub name: Option<Text>,
    pub group: Option<Group>,
    /// What is counted, and how many of the parts that `size` speaks of each one makes.
    pub counts: Option<BTreeMap<Measure, u64>>,
    /// How many parts make one of the provider's unit.
    pub size: Option<u64>,
    /// The provider's unit.
    pub unit: Option<Text>,
    /// The price is for so many of them.
    pub per: Option<u64>,
    /// Where there is one price.
    pub price: Option<Money>,
    /// Where there are several.
    pub tiers: Option<Vec<Step>>,
    pub free: Option<Free>,
    /// Begun lots of `per` are billed whole.
    pub whole: Option<bool>,
    /// A fee for the month, whatever is used.
    pub fee: Option<bool>,
    pub source: Option<Text>,
    pub date: Option<Date>,
    /// The source is second-hand or old.
    pub uncertain: Option<bool>,
    /// What was assumed to find this counterpart.
    pub note: Option<Text>,
}

/// A price for what is above an amount of the provider's unit in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub above: u64,
    pub price: Money,
}

/// What is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Free {
    /// Of the provider's unit.
    pub amount: u64,
    pub every: Every,
}

/// How often an allowance is given anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    Month,
    /// Thirty times a month, on the assumption that the days are alike.
    Day,
}

/// What a price belongs to, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    Plan,
    Functions,
    Api,
    Tables,
    Objects,
    Queues,
    Topics,
    Mail,
    Schedules,
    Traffic,
}

impl Group {
    /// All of them.
    pub const ALL: &'static [Group] = &[
        Group::Plan,
        Group::Functions,
        Group::Api,
        Group::Tables,
        Group::Objects,
        Group::Queues,
        Group::Topics,
        Group::Mail,
        Group::Schedules,
        Group::Traffic,
    ];

    /// What a measure belongs to, whoever prices it.
    pub fn of(measure: Measure) -> Group {
        let Measure::Unit(unit) = measure else { return Group::Functions };
        match unit {
            Unit::TableReadHalves
            | Unit::TableWrites
            | Unit::TableItemsRead
            | Unit::TableItemsPut
            | Unit::TableItemsDeleted
            | Unit::StreamReads
            | Unit::TableBytesStored => Group::Tables,
            Unit::ObjectWrites | Unit::ObjectReads | Unit::ObjectDeletes | Unit::ObjectBytesStored => Group::Objects,
            Unit::ObjectBytesOut | Unit::RouteBytesOut => Group::Traffic,
            Unit::QueueRequests | Unit::QueueFifoRequests => Group::Queues,
            Unit::TopicPublishes | Unit::TopicBytes | Unit::TopicHttpDeliveries | Unit::TopicMailDeliveries => Group::Topics,
            Unit::Mails | Unit::MailAttachmentBytes => Group::Mail,
            Unit::Invocations | Unit::InvocationMicros | Unit::InvocationMibMicros | Unit::InvocationCpuMicros => Group::Functions,
            Unit::RouteRequests | Unit::RestRequests => Group::Api,
            Unit::ScheduleRuns | Unit::Schedules => Group::Schedules,
        }
    }

    /// For people and files.
    pub fn label(self) -> &'static str {
        match self {
            Group::Plan => "plan",
            Group::Functions => "functions",
            Group::Api => "api",
            Group::Tables => "tables",
            Group::Objects => "objects",
            Group::Queues => "queues",
            Group::Topics => "topics",
            Group::Mail => "mail",
            Group::Schedules => "schedules",
            Group::Traffic => "traffic",
        }
    }
}

/// A line of text of bounded length.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() {
            return Err(de::Error::custom("an empty text"));
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(de::Error::custom(format!("a text of {} bytes; {TEXT_BYTES_MAX} are allowed", text.len())));
        }
        if text.chars().any(char::is_control) {
            return Err(de::Error::custom("a text with a line break or another control character"));
        }
        Ok(Text(text))
    }
}

/// A day: `2026-08-21`. Sorts by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Date(pub String);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts: Vec<&str> = text.split('-').collect();
        let within = |at: usize, length: usize, most: u32| {
            parts.get(at).is_some_and(|part| {
                part.len() == length
                    && part.bytes().all(|b| b.is_ascii_digit())
                    && part.parse().is_ok_and(|number: u32| (1..=most).contains(&number))
            })
        };
        if parts.len() == 3 && within(0, 4, 9999) && within(1, 2, 12) && within(2, 2, 31) {
            return Ok(Date(text));
        }
        Err(de::Error::custom(format!("`{}` is not a day; write it as 2026-08-21", text.chars().take(40).collect::<String>())))
    }
}

/// A sheet that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("{file} has {bytes} bytes; a price book has {FILE_BYTES_MAX} at most")]
    TooLarge { file: String, bytes: usize },
    #[error("{file}:{line}:{column}: {message}")]
    At { file: String, line: usize, column: usize, message: String },
    #[error("{file}: {message}")]
    Somewhere { file: String, message: String },
}

impl Sheet {
    /// Reads a sheet; `file` is named in errors.
    pub fn read(text: &str, file: &str) -> Result<Sheet, Unreadable> {
        let file = file.to_owned();
        if text.len() > FILE_BYTES_MAX {
            return Err(Unreadable::TooLarge { file, bytes: text.len() });
        }
        let sheet: Sheet = serde_yaml::from_str(text).map_err(|error| {
            let message = error.to_string();
            match error.location() {
                None => Unreadable::Somewhere { file: file.clone(), message },
                Some(at) => {
                    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
                    Unreadable::At { file: file.clone(), line: at.line(), column: at.column(), message }
                }
            }
        })?;
        if sheet.items.len() > ITEMS_MAX {
            let message = format!("{} items; a price book has {ITEMS_MAX} at most", sheet.items.len());
            return Err(Unreadable::Somewhere { file, message });
        }
        Ok(sheet)
    }

    /// Lays another sheet over this one: what that says, holds; what it leaves out, stays.
    pub fn lay(&mut self, over: Sheet) {
        fn put<T>(slot: &mut Option<T>, over: Option<T>) {
            if over.is_some() {
                *slot = over;
            }
        }
        put(&mut self.provider, over.provider);
        put(&mut self.name, over.name);
        put(&mut self.region, over.region);
        put(&mut self.date, over.date);
        for (key, row) in over.items {
            for measure in row.counts.iter().flat_map(BTreeMap::keys) {
                self.covered.remove(measure);
                self.none.remove(measure);
            }
            let slot = self.items.entry(key).or_default();
            if row.price.is_some() || row.tiers.is_some() {
                (slot.price, slot.tiers) = (None, None);
            }
            put(&mut slot.name, row.name);
            put(&mut slot.group, row.group);
            put(&mut slot.counts, row.counts);
            put(&mut slot.size, row.size);
            put(&mut slot.unit, row.unit);
            put(&mut slot.per, row.per);
            put(&mut slot.price, row.price);
            put(&mut slot.tiers, row.tiers);
            put(&mut slot.free, row.free);
            put(&mut slot.whole, row.whole);
            put(&mut slot.fee, row.fee);
            put(&mut slot.source, row.source);
            put(&mut slot.date, row.date);
            put(&mut slot.uncertain, row.uncertain);
            put(&mut slot.note, row.note);
        }
        self.covered.extend(over.covered);
        self.none.extend(over.none);
    }
}

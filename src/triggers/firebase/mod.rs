//! The triggers of Firebase's functions: which of them an event leads to, and in which form; how often a failure is repeated.

mod blocking;
mod path;
mod retry;
mod rule;
mod schedule;
mod tasks;

use std::collections::HashMap;

use bytes::Bytes;

use super::ports::PortError;
use super::store::{Draft, Origin, Target};
use super::table::Table;
use crate::base::Ids;
use crate::project::firebase::Generation;
use crate::services::{auth, documents, objects};
use crate::store::outbox;
use crate::wire::firebase::event::documents::{Change, Kind, place};
use crate::wire::firebase::event::messages::Message;
use crate::wire::firebase::event::{self, About, Shaped, users};
use crate::wire::firebase::storage::event as storage;
pub use blocking::Asker;
pub use retry::Repetition;
pub use rule::{Changes, ObjectChanges, Rule, Wants};
pub use schedule::Scheduled;
pub use tasks::{attempt, refused};

/// The source of published messages in the outbox; the resource is the topic's full name.
pub const MESSAGES: &str = "pubsub";

/// What functions of codebases ask for, ready to be looked up.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    documents: Vec<Rule>,
    objects: HashMap<String, Vec<Rule>>,
    users: Vec<Rule>,
    messages: HashMap<String, Vec<Rule>>,
}

impl Rules {
    pub fn add(&mut self, rule: Rule) {
        match &rule.wants {
            Wants::Documents { .. } => self.documents.push(rule),
            Wants::Objects { bucket, .. } => self.objects.entry(bucket.clone()).or_default().push(rule),
            Wants::Users { .. } => self.users.push(rule),
            Wants::Messages { topic } => self.messages.entry(topic.clone()).or_default().push(rule),
        }
    }

    /// Whether anybody asks for events of a resource. `None` where that is not for these rules to say.
    pub fn listens(&self, source: &str, resource: &str) -> Option<bool> {
        match source {
            documents::SOURCE => {
                let (database, path) = place(resource)?;
                Some(self.documents.iter().any(|rule| rule.takes_document(database, path)))
            }
            objects::SOURCE => Some(self.objects.contains_key(resource)),
            auth::event::SOURCE => Some(!self.users.is_empty()),
            MESSAGES => Some(self.messages.contains_key(topic_id(resource))),
            _ => None,
        }
    }

    /// The deliveries that an event leads to. Fails where the event cannot be read.
    pub fn drafts(&self, table: &Table, row: &outbox::Row, ids: &Ids, origin: &Origin) -> Result<Vec<Draft>, PortError> {
        if self.listens(&row.source, &row.resource) != Some(true) {
            return Ok(Vec::new());
        }
        let id = ids.uuid();
        let about = About { id: &id, at: row.at, project: project_of(row) };
        let shaped: Vec<(&Rule, Shaped, String)> = match row.source.as_str() {
            documents::SOURCE => {
                let change = Change::read(&row.body).map_err(PortError::lasting)?;
                let Some((database, path)) = change.place().filter(|_| !change.is_nothing()) else { return Ok(Vec::new()) };
                let found = self.documents.iter().filter(|rule| rule.takes_document(database, path) && rule.takes_change(change.kind));
                let source = format!("documents/{path}");
                found.map(|rule| (rule, document(&change, &about, rule), source.clone())).collect()
            }
            auth::event::SOURCE => {
                let event: auth::event::Event = serde_json::from_str(&row.body).map_err(PortError::lasting)?;
                let found = self.users.iter().filter(|rule| rule.takes_user(&event));
                found.map(|rule| (rule, user(&event, &about, rule), format!("users/{}", event.user.uid))).collect()
            }
            MESSAGES => {
                let message = Message::read(&row.body).map_err(PortError::lasting)?;
                let topic = topic_id(&row.resource);
                let found = self.messages.get(topic).into_iter().flatten();
                let shape = |rule: &Rule| match rule.generation {
                    Generation::First => message.legacy(&about, &row.resource),
                    Generation::Second => message.cloud(&about, &row.resource, &rule.function),
                };
                found.map(|rule| (rule, shape(rule), format!("topics/{topic}"))).collect()
            }
            objects::SOURCE => {
                let event: objects::Event = serde_json::from_str(&row.body).map_err(PortError::lasting)?;
                let Some((kind, object)) = storage::of(&event) else { return Ok(Vec::new()) };
                let found = self.objects.get(&row.resource).into_iter().flatten().filter(|rule| rule.takes_object(kind));
                let shape = |rule: &Rule| match rule.generation {
                    Generation::First => event::objects::legacy(kind, object, &about, &row.resource),
                    Generation::Second => event::objects::cloud(kind, object, &about, &row.resource),
                };
                found.map(|rule| (rule, shape(rule), format!("objects/{}", row.resource))).collect()
            }
            _ => Vec::new(),
        };
        let draft = |(rule, shaped, source): (&Rule, Shaped, String)| {
            let callee = table.functions.get(&rule.function)?;
            Some(Draft {
                target: Target::Function(rule.function.clone()),
                payload: Bytes::from(shaped.input().to_string()),
                envelope: None,
                source,
                age_max_ms: callee.event_age_max_ms,
                origin: origin.clone(),
            })
        };
        Ok(shaped.into_iter().filter_map(draft).collect())
    }
}

fn document(change: &Change, about: &About<'_>, rule: &Rule) -> Shaped {
    match rule.generation {
        Generation::First => change.legacy(about, &rule.kind),
        Generation::Second => change.cloud(about, &rule.kind),
    }
}

fn user(event: &auth::event::Event, about: &About<'_>, rule: &Rule) -> Shaped {
    match rule.generation {
        Generation::First => users::legacy(event, about),
        Generation::Second => users::cloud(event, about, &rule.kind),
    }
}

/// The project that an event is of, by its resource.
fn project_of(row: &outbox::Row) -> &str {
    match row.resource.strip_prefix("projects/") {
        Some(rest) => rest.split('/').next().unwrap_or(rest),
        None => &row.resource,
    }
}

fn topic_id(resource: &str) -> &str {
    resource.rsplit('/').next().unwrap_or(resource)
}

impl Rule {
    fn takes_document(&self, at: &str, document: &str) -> bool {
        matches!(&self.wants, Wants::Documents { database, path, .. } if database == at && path.fits(document))
    }

    fn takes_change(&self, kind: Kind) -> bool {
        let Wants::Documents { changes, .. } = &self.wants else { return false };
        matches!(
            (changes, kind),
            (Changes::Written, _)
                | (Changes::Created, Kind::Created)
                | (Changes::Updated, Kind::Updated)
                | (Changes::Deleted, Kind::Deleted)
        )
    }

    fn takes_object(&self, kind: storage::Kind) -> bool {
        let Wants::Objects { changes, .. } = &self.wants else { return false };
        matches!(
            (changes, kind),
            (ObjectChanges::Finalized, storage::Kind::Finalized)
                | (ObjectChanges::Deleted, storage::Kind::Deleted)
                | (ObjectChanges::Archived, storage::Kind::Archived)
                | (ObjectChanges::MetadataUpdated, storage::Kind::MetadataUpdated)
        )
    }

    fn takes_user(&self, event: &auth::event::Event) -> bool {
        let Wants::Users { is_deleted, tenant } = &self.wants else { return false };
        *is_deleted == (event.kind == auth::event::Kind::Deleted)
            && tenant.as_ref().is_none_or(|tenant| event.user.tenant.as_ref() == Some(tenant))
    }
}

#[cfg(test)]
mod tests;

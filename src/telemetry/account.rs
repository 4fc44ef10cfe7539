//! To what the work of a record is put down: its function, its service, and what began its trace. All who add up costs ask here, so that
//! their sums agree: each record's own work has one place in each of them.

use std::sync::Arc;

use super::Record;
use crate::base::Cause;

impl Record {
    /// The function on whose behalf its own work was done: for a request the one that answered it, for an operation the one that asked,
    /// for a delivery the one that it calls. `None` where no function is behind it.
    pub fn payer(&self) -> Option<&str> {
        match self {
            Record::Request(_) | Record::Invocation(_) | Record::Delivery(_) => self.function(),
            Record::Operation(r) => r.function.as_deref(),
            Record::Log(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) | Record::Problem(_) => None,
        }
    }

    /// The service that did it: as the provider calls it, or the part of emu that stands for one. `None` for what is no work.
    pub fn service(&self) -> Option<&str> {
        match self {
            Record::Request(_) => Some("gateway"),
            Record::Invocation(_) => Some("functions"),
            Record::Operation(r) => Some(&r.service),
            Record::Delivery(_) => Some("triggers"),
            Record::Log(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) | Record::Problem(_) => None,
        }
    }

    /// What began with it, for people: `POST /orders`, `schedule nightly`, `s3 PutObject`. `None` where something else led to it, or tells
    /// more: a request that a function answered is told by the function's invocation, one to a service by its operation.
    pub fn beginning(&self) -> Option<Arc<str>> {
        match self {
            Record::Request(r) if &*r.face == "http" && r.function.is_none() => Some("no route".into()),
            Record::Invocation(r) if matches!(r.parent, Cause::Request(_) | Cause::Operator) => Some(match &*r.trigger {
                "" => Arc::clone(&r.function),
                "invoke" => format!("invoke {}", r.function).into(),
                _ => Arc::clone(&r.trigger),
            }),
            Record::Operation(r) if matches!(r.parent, Cause::Request(_)) => Some(format!("{} {}", r.service, r.action).into()),
            Record::Delivery(r) if r.parent == Cause::Operator && r.attempt <= 1 => Some(trigger(&r.source)),
            _ => None,
        }
    }
}

/// What an invocation is for, by where its event comes from: `objects/uploads` is `bucket uploads`.
pub fn trigger(source: &str) -> Arc<str> {
    let Some((kind, name)) = source.split_once('/') else { return source.into() };
    let kind = match kind {
        "objects" | "object-notices" => "bucket",
        "topics" => "topic",
        "tables" => "table",
        "queues" => "queue",
        "documents" => "document",
        "users" => "user",
        "tasks" => "task",
        other => other,
    };
    format!("{kind} {name}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocations_are_labelled_by_what_set_them_off() {
        for (source, wanted) in [
            ("objects/uploads", "bucket uploads"),
            ("object-notices/uploads", "bucket uploads"),
            ("topics/sold", "topic sold"),
            ("queues/orders", "queue orders"),
            ("tables/orders", "table orders"),
            ("schedule/nightly", "schedule nightly"),
            ("documents/users/ada", "document users/ada"),
            ("tasks/work/1", "task work/1"),
            ("invoke", "invoke"),
        ] {
            assert_eq!(&*trigger(source), wanted);
        }
    }
}

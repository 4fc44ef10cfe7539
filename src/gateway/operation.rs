//! Records of operations: what was asked of a service, by whom, how long it took and what it used itself.

use std::sync::Arc;
use std::time::Instant;

use super::origin::Origin;
use crate::base::{Call, Caller, Cause, Meter, Time, Usage};
use crate::telemetry::{self, Record};
use crate::wire::http::{Description, Recorder, Recording, Search};

/// Bytes of an action's, a resource's name that a record keeps: requests may say anything.
const ACTION_BYTES_MAX: usize = 128;
const RESOURCE_BYTES_MAX: usize = 1_024;
/// Attributes of a filter that a record names.
const FILTER_NAMES_MAX: usize = 8;

/// An operation under way.
pub struct Operation {
    /// The call to make it with: on a bill of its own, and the cause of what follows.
    pub call: Call,
    id: Arc<str>,
    at: Time,
    began: Instant,
}

impl Origin {
    /// Begins an operation that `asked` asks for.
    pub fn begin(&self, asked: &Call) -> Operation {
        let id: Arc<str> = self.ids.uuid().into();
        let call = Call { cause: Cause::Operation(id.clone()), meter: Meter::default(), ..asked.clone() };
        Operation { call, id, at: self.clock.now(), began: Instant::now() }
    }

    /// Puts an operation that has ended on the bill of who asked, and tells of it. Where a function was run for it, only `counted` is
    /// its own; else everything on its bill is.
    pub fn end(&self, operation: Operation, asked: &Call, said: Description, status: u16, counted: Usage) {
        let total = operation.call.meter.total();
        asked.meter.add(&total);
        self.sink.put(|| {
            Record::Operation(telemetry::Operation {
                id: operation.id,
                trace: asked.trace.clone(),
                parent: asked.cause.clone(),
                function: match &asked.caller {
                    Caller::Function(name) => Some(Arc::clone(name)),
                    Caller::Anonymous | Caller::User { .. } | Caller::Admin | Caller::Operator => None,
                },
                at: operation.at,
                span: self.sink.span(operation.began),
                service: said.service.into(),
                action: cut(&said.action, ACTION_BYTES_MAX).into(),
                resource: said.resource.map(|resource| cut(&resource, RESOURCE_BYTES_MAX).into()),
                status,
                error: said.error,
                own: if said.ran { counted } else { total },
                search: said.search.map(search),
            })
        });
    }
}

impl Recorder for Origin {
    fn begin(&self, asked: &Call) -> Recording {
        let operation = Origin::begin(self, asked);
        let (origin, asked) = (self.clone(), asked.clone());
        Recording::new(operation.call.clone(), move |said, status| origin.end(operation, &asked, said, status.as_u16(), Usage::default()))
    }
}

fn search(said: Search) -> telemetry::Search {
    let Search { looked_at, gave, limited, filtered_by } = said;
    let filtered_by = filtered_by.iter().take(FILTER_NAMES_MAX).map(|name| cut(name, RESOURCE_BYTES_MAX).to_owned()).collect();
    telemetry::Search { looked_at, gave, limited, filtered_by }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

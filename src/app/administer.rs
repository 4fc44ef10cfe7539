//! What the admin API asks of a running emu.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value, json};

use super::{Shared, url};
use crate::base::{Call, Clock};
use crate::functions::{InvokeError, LogLine};
use crate::gateway::Hub;
use crate::gateway::admin::{ClockChange, World};
use crate::gateway::asked::{AskError, DEFAULT_WORLD, InvocationsAsk, MailsAsk, PushesAsk, TokenAsk};
use crate::gateway::state::StateAsk;
use crate::project::Port;
use crate::services::documents::Index;
use crate::telemetry::journal::{Journaled, Query, Reader, TraceError};
use crate::telemetry::trace;
use crate::triggers::DeadLetter;

/// Dead letters that are shown at once.
const DEAD_LETTERS_MAX: usize = 1_000;

impl World for Shared {
    fn clock(&self) -> &Clock {
        self.world.db.clock()
    }

    fn health(&self) -> BoxFuture<'_, Value> {
        Box::pin(async move {
            let stats = self.triggers.stats().await.unwrap_or_default();
            let catalog = self.functions.catalog();
            let functions: Vec<Value> = catalog
                .iter()
                .map(|entry| json!({ "name": entry.name, "ready": entry.version.is_some(), "problems": entry.problems.len() }))
                .collect();
            let addresses: Map<String, Value> =
                self.addresses.iter().map(|(port, address)| (port.name().to_owned(), json!(url(address)))).collect();
            json!({
                "version": env!("CARGO_PKG_VERSION"),
                "project": self.project().file,
                "addresses": addresses,
                "functions": functions,
                "pending": stats.pending,
                "inFlight": stats.in_flight,
                "deadLetters": stats.dead_letters,
                "recordsDropped": self.sink.dropped(),
                "worlds": [DEFAULT_WORLD],
            })
        })
    }

    fn idle(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.quiet())
    }

    fn busy(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Value>, String>> {
        Box::pin(async move {
            let busy = self.triggers.busy(limit).await.map_err(|error| error.to_string())?;
            let mut shown: Vec<Value> = busy.iter().map(|busy| json!({ "kind": busy.kind(), "text": busy.to_string() })).collect();
            shown.extend(self.overdue().await?.map(|text| json!({ "kind": "expiry", "text": text })));
            Ok(shown)
        })
    }

    fn mails(&self, ask: MailsAsk) -> BoxFuture<'_, Result<Vec<Value>, String>> {
        Box::pin(async move { self.inbox(&ask).await.map_err(|error| error.to_string()) })
    }

    fn clear_mails(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move { self.world.services.mail.clear(&Call::operator(), None).await.map_err(|error| error.to_string()) })
    }

    fn pushes(&self, ask: PushesAsk) -> BoxFuture<'_, Result<Vec<Value>, String>> {
        Box::pin(async move { self.pushes_asked(&ask).await.map_err(|error| error.to_string()) })
    }

    fn clear_pushes(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move { self.world.services.pushes.clear(&Call::operator(), None).await.map_err(|error| error.to_string()) })
    }

    fn push_tokens(&self) -> BoxFuture<'_, Result<Vec<Value>, String>> {
        Box::pin(async move { self.tokens().await.map_err(|error| error.to_string()) })
    }

    fn set_push_token(&self, token: String, ask: TokenAsk) -> BoxFuture<'_, Result<Value, AskError>> {
        Box::pin(self.set_token(token, ask))
    }

    fn invocations(&self, ask: InvocationsAsk) -> BoxFuture<'_, Result<Value, AskError>> {
        Box::pin(self.ended_invocations(ask))
    }

    fn change_clock(self: Arc<Self>, change: ClockChange) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(self.change_clock_whole(change))
    }

    fn state(self: Arc<Self>, ask: StateAsk) -> BoxFuture<'static, Result<Value, AskError>> {
        let doing = tokio::spawn(async move {
            let project = self.project();
            let answer = self.states.answer(&project, ask).await;
            // What a reload has made meanwhile may have been made in the state before.
            let now = self.project();
            if !Arc::ptr_eq(&project, &now) {
                self.states.ensure(&now).await.map_err(|error| AskError::Failed(format!("{error:#}")))?;
            }
            answer
        });
        Box::pin(async move { doing.await.unwrap_or_else(|error| Err(AskError::Failed(error.to_string()))) })
    }

    fn invoke(&self, call: Call, name: String, event: Bytes) -> BoxFuture<'_, Result<Value, AskError>> {
        Box::pin(async move {
            let answer = self.functions.invoke(&call, &name, event).await.map_err(|error| match error {
                InvokeError::NotFound { ref name } => AskError::NotFound(self.known(name).err().unwrap_or_else(|| error.to_string())),
                InvokeError::TooLarge { .. } | InvokeError::NotJson(_) => AskError::Wrong(error.to_string()),
                InvokeError::Throttled { .. } | InvokeError::NotBuilt { .. } => AskError::Failed(error.to_string()),
            })?;
            let payload = serde_json::from_slice::<Value>(&answer.payload).unwrap_or(Value::Null);
            let error = answer.error.as_ref().map(|error| json!({ "kind": error.kind, "message": error.message }));
            let line = |line: &LogLine| json!({ "at": line.at.iso(), "level": line.label(), "text": line.text });
            let logs: Vec<Value> = answer.logs.iter().map(line).collect();
            Ok(json!({ "payload": payload, "error": error, "log": answer.log_text(), "logs": logs, "requestId": answer.request_id }))
        })
    }

    fn missing_indexes(&self) -> Value {
        let missing = self.world.services.documents.missing_indexes();
        let (overrides, indexes): (Vec<_>, Vec<_>) = missing.iter().partition(|index| index.fields.len() == 1);
        let shown = |indexes: Vec<&Index>| -> Vec<Value> {
            indexes.iter().map(|index| serde_json::from_str(&index.to_string()).expect("an index is shown as JSON")).collect()
        };
        json!({ "indexes": shown(indexes), "fieldOverrides": shown(overrides) })
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(async move {
            let letters = self.triggers.dead_letters(&Call::operator(), DEAD_LETTERS_MAX).await.map_err(|error| error.to_string())?;
            let letters: Vec<Value> = letters.iter().map(shown).collect();
            Ok(json!({ "deadLetters": letters }))
        })
    }

    fn records(&self, query: Query, follow: bool) -> BoxStream<'static, Result<Vec<Journaled>, String>> {
        let records = self.journal.records(query, follow).map(|page| page.map_err(|error| error.to_string()));
        // A reader who never ends would hold up the stop.
        Box::pin(records.take_until(self.shutdown.clone().cancelled_owned()))
    }

    fn trace(&self, wanted: String) -> BoxFuture<'_, Result<Value, String>> {
        let journal = self.journal.clone();
        let look = move |reader: Reader| {
            let trace = reader.find_trace(&wanted)?;
            let records = reader.trace(&trace)?.into_iter().map(Arc::new);
            Ok::<_, TraceError>(trace::json(&trace::rows(records)))
        };
        Box::pin(async move {
            let reader = journal.reader().await.map_err(|error| error.to_string())?;
            let looked = tokio::task::spawn_blocking(move || look(reader)).await.map_err(|error| error.to_string())?;
            looked.map_err(|error| error.to_string())
        })
    }
}

impl Hub for Shared {
    fn services(&self) -> Option<Vec<(&'static str, SocketAddr)>> {
        self.project().firebase.as_ref()?;
        let name = |port: Port| match port {
            // Firebase's own hub knows none of these.
            Port::Http | Port::Aws | Port::Messaging => None,
            Port::Admin => Some("hub"),
            port => Some(port.name()),
        };
        Some(self.addresses.iter().filter_map(|(port, address)| Some((name(port)?, address))).collect())
    }

    fn set_background_triggers(&self, enabled: bool) {
        self.triggers.listen(enabled);
    }
}

/// A dead letter as the admin API shows it; an event that is not JSON is shown as text.
fn shown(letter: &DeadLetter) -> Value {
    let text = || Value::String(String::from_utf8_lossy(&letter.payload).into_owned());
    let event = serde_json::from_slice::<Value>(&letter.payload).unwrap_or_else(|_| text());
    json!({
        "id": letter.id,
        "time": letter.at.iso(),
        "reason": letter.reason,
        "detail": letter.detail,
        "source": letter.source,
        "target": letter.target,
        "attempts": letter.attempts,
        "requestId": letter.request_id,
        "trace": letter.trace,
        "event": event,
    })
}

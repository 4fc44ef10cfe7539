//! What a developer should know of what happens, told while the project runs, each thing once: what is paid for and not needed, with its
//! price; hosts that are not allowed; functions that hardly end in their time.

mod trouble;
mod waste;
#[cfg(test)]
mod waste_tests;

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use self::trouble::{Tell, Trouble};
use self::waste::{Seen, Waste};
use super::places::Places;
use crate::app::App;
use crate::project::Project;
use crate::telemetry::{Level, Problem, Record, Sink, Subscriber};

/// Between two looks; what happens meanwhile waits in the channel, so that not each record wakes a thread.
const REST: Duration = Duration::from_millis(25);
/// Records of one look, before others have their turn.
const AT_ONCE: usize = 4_096;

/// Looks at what happens until it is told to end.
pub struct Watcher {
    end: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Watcher {
    /// Begins with what happens from now on.
    pub fn start(app: &App) -> Watcher {
        let end = CancellationToken::new();
        let (places, projects, again) = (Places::new(app), app.projects(), app.projects());
        let index = move |table: &str, attribute: &str| index(&projects(), table, attribute);
        let timeout_ms = move |function: &str| Some(again().functions.iter().find(|known| known.name == function)?.timeout_ms);
        let (waste, trouble) = (Waste::new(Box::new(index)), Trouble::new(Box::new(timeout_ms)));
        let look = Look { waste, trouble, places, sink: app.sink() };
        Watcher { task: tokio::spawn(watch(app.subscribe(), end.clone(), look)), end }
    }

    /// Looks at what has happened until now, and ends.
    pub async fn finish(self) {
        self.end.cancel();
        // It does not panic; if it did, there would only be fewer problems.
        let _ = self.task.await;
    }
}

struct Look {
    waste: Waste,
    trouble: Trouble,
    places: Places,
    sink: Sink,
}

async fn watch(mut records: Subscriber, end: CancellationToken, mut look: Look) {
    while let Some(Some(record)) = end.run_until_cancelled(records.next()).await {
        look.at(&record);
        look.at_waiting(&mut records);
        end.run_until_cancelled(tokio::time::sleep(REST)).await;
    }
    while look.at_waiting(&mut records) == AT_ONCE {}
}

impl Look {
    /// Looks at what waits; answers how much that was.
    fn at_waiting(&mut self, records: &mut Subscriber) -> usize {
        let mut count = 0;
        while count < AT_ONCE
            && let Some(Some(record)) = tokio::task::unconstrained(records.next()).now_or_never()
        {
            self.at(&record);
            count += 1;
        }
        count
    }

    fn at(&mut self, record: &Record) {
        for Seen { finding, level, asked } in self.waste.see(record) {
            let place = asked.and_then(|(function, action)| self.places.of(&function, &action));
            self.sink.put(|| {
                Record::Problem(Problem { at: record.at(), level, message: finding.line(), help: Some(finding.help), place, frame: None })
            });
        }
        if let Some(Tell { message, help }) = self.trouble.see(record) {
            let at = record.at();
            self.sink.put(|| Record::Problem(Problem { at, level: Level::Warn, message, help: Some(help), place: None, frame: None }));
        }
    }
}

/// The index of a table that has the attribute as the first of its keys.
fn index(project: &Project, table: &str, attribute: &str) -> Option<String> {
    let table = project.resources.tables.iter().find(|known| known.name == table)?;
    let indexes = table.properties.get("GlobalSecondaryIndexes").and_then(Value::as_array)?;
    let first = |index: &&Value| {
        let keys = index.get("KeySchema").and_then(Value::as_array);
        let hash = keys.and_then(|keys| keys.iter().find(|key| key.get("KeyType").and_then(Value::as_str) == Some("HASH")));
        hash.and_then(|key| key.get("AttributeName")).and_then(Value::as_str) == Some(attribute)
    };
    indexes.iter().find(first)?.get("IndexName")?.as_str().map(str::to_owned)
}

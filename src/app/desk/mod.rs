//! What the dashboard asks for, done with the services. Reads are nobody's bill; changes are an operator's, each with a trace of its own,
//! and set off triggers as any other change does.

mod html;
mod messages;
mod objects;
mod tables;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{App, Shared, reload, url};
use crate::base::{Call, Caller, TraceId};
use crate::project::{self, Port};
use crate::telemetry::{Level, Problem, Record};
use crate::tui::{About, Command, Counts, Document, Message, Row, Rows, Shelf, ShelfId, Uses};

/// Rows that are shown of a shelf at once; the search finds the others.
const ROWS_MAX: usize = 500;
/// Things that a search looks at before it gives up.
const LOOKED_AT_MAX: usize = 50_000;
/// Bytes of a source file that is shown around an error.
const SOURCE_BYTES_MAX: u64 = 4 << 20;
/// Characters of a cell.
const CELL_MAX: usize = 400;

/// Records of a bundle's journal that are shown.
const EARLIER_MAX: usize = 20_000;

const TABLE: &str = "table";
const BUCKET: &str = "bucket";
const QUEUE: &str = "queue";
const TOPIC: &str = "topic";
const SCHEDULES: &str = "schedules";
const MAIL: &str = "mail";
const PUSHES: &str = "pushes";
const DEAD_LETTERS: &str = "dead letters";

/// Does what the dashboard asks for.
pub struct Desk {
    shared: Arc<Shared>,
}

/// What a search found.
#[derive(Default)]
struct Found {
    rows: Vec<Row>,
    note: Option<String>,
}

impl App {
    /// What answers the dashboard.
    pub fn desk(&self) -> Desk {
        Desk { shared: self.shared.clone() }
    }

    /// What was to be said at the start, as records: notes, and what is wrong with the project although it runs.
    pub fn told(&self) -> Vec<Record> {
        let now = self.shared.world.db.now();
        let note = |note: &String| Problem { at: now, level: Level::Info, message: note.clone(), help: None, place: None, frame: None };
        let mut renderer = project::Renderer::new(self.project().root.clone(), false);
        let problems = self.warnings.iter().map(|problem| reload::record(problem, renderer.render(problem), now));
        self.notes.iter().map(note).chain(problems).map(Record::Problem).collect()
    }

    /// What happened before this start and belongs to what is looked at, oldest first: the newest records of a bundle's journal. Empty
    /// where none was opened.
    pub async fn earlier(&self) -> anyhow::Result<Vec<Record>> {
        if !self.earlier {
            return Ok(Vec::new());
        }
        let newest = self.shared.journal.reader().await?.newest(EARLIER_MAX)?;
        Ok(newest.iter().filter_map(|journaled| journaled.record()).collect())
    }

    /// Counts the records that readers were too slow to see; outlives the program's stop.
    pub fn dropped_counter(&self) -> impl Fn() -> u64 + Send + use<> {
        let sink = self.shared.sink.clone();
        move || sink.dropped()
    }

    /// What the dashboard knows before anything happens.
    pub fn about(&self) -> About {
        let (project, http) = (self.project(), self.addresses.url(Port::Http));
        let catalog = self.functions().catalog();
        // A route without parameters that a browser could open, or else any.
        let simple = |key: &str| key.split_once(' ').is_some_and(|(method, path)| matches!(method, "GET" | "ANY") && !path.contains('{'));
        let keys: Vec<String> = catalog.routes.iter().map(|route| route.key().to_string()).collect();
        let key = keys.iter().find(|key| simple(key)).or(keys.first());
        let example = match key.and_then(|key| key.split_once(' ')) {
            Some(("GET" | "ANY", path)) => format!("curl {http}{path}"),
            Some((method, path)) => format!("curl -X {method} {http}{path}"),
            None => project.functions.first().map_or_else(String::new, |function| format!("emu invoke {} --data '{{}}'", function.name)),
        };
        let others = self.addresses.iter().filter(|(port, _)| !matches!(port, Port::Http | Port::Aws | Port::Admin));
        let others = others.map(|(port, address)| (port.name().to_owned(), url(address)));
        About {
            project: project.service.clone(),
            stage: project.stage.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            addresses: [
                ("HTTP API".into(), http),
                ("AWS".into(), self.addresses.url(Port::Aws)),
                ("mail".into(), format!("{}/_aws/ses", self.addresses.url(Port::Aws))),
                ("admin".into(), self.addresses.url(Port::Admin)),
            ]
            .into_iter()
            .chain(others)
            .collect(),
            functions: project.functions.iter().map(|function| function.name.as_str().into()).collect(),
            example,
            providers: 0,
        }
    }
}

impl Desk {
    /// Answers commands one after the other until nobody sends any more. Invocations do not hold up what comes after them.
    pub async fn run(self, mut commands: mpsc::Receiver<Command>, messages: mpsc::Sender<Message>) {
        while let Some(command) = commands.recv().await {
            if let Command::Invoke { function, event } = command {
                let (shared, messages) = (self.shared.clone(), messages.clone());
                tokio::spawn(async move {
                    let message = invoke(&shared, &function, event).await;
                    // Where the dashboard has ended there is nobody to tell.
                    let _ = messages.send(message).await;
                });
                continue;
            }
            let message = self.answer(command).await.unwrap_or_else(|error| Message::Failed(format!("{error:#}")));
            if messages.send(message).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, command: Command) -> anyhow::Result<Message> {
        let call = operator(&self.shared);
        match command {
            Command::Invoke { function, event } => Ok(invoke(&self.shared, &function, event).await),
            Command::Fire { schedule } => Ok(match self.shared.triggers.fire(&call, &schedule).await? {
                true => Message::Done(format!("fired {schedule}")),
                false => Message::Failed(format!("there is no schedule {schedule} any more")),
            }),
            Command::Count => {
                let stats = self.shared.triggers.stats().await?;
                let kept = self.shared.world.db.stocks(&Call::operator()).await?;
                Ok(Message::Counts(Counts { pending: stats.pending, in_flight: stats.in_flight, dead_letters: stats.dead_letters, kept }))
            }
            Command::Source { place } => {
                let frame = source(&self.shared.project().root, &place).unwrap_or_default();
                Ok(Message::Source { place, frame })
            }
            Command::Shelves => Ok(Message::Shelves(self.shelves().await?)),
            Command::Rows { shelf, search } => Ok(Message::Rows(self.rows(shelf, search).await?)),
            Command::View { shelf, key } => Ok(Message::Document(self.view(shelf, key).await?)),
            Command::Put { shelf, key, text } => {
                match &*shelf.kind {
                    TABLE => self.put_item(&call, &shelf.name, &key, &text).await?,
                    BUCKET => self.put_object(&call, &shelf.name, &key, text).await?,
                    kind => anyhow::bail!("{kind} cannot be edited"),
                }
                Ok(Message::Done("stored".into()))
            }
            Command::Delete { shelf, key } => {
                match &*shelf.kind {
                    QUEUE => {
                        if !self.shared.world.services.queues.forget(&call, &shelf.name, &key).await? {
                            anyhow::bail!("this message is gone already");
                        }
                    }
                    TABLE => self.delete_item(&call, &shelf.name, &key).await?,
                    BUCKET => self.delete_object(&call, &shelf.name, key).await?,
                    MAIL => self.shared.world.services.mail.clear(&call, Some(&key)).await?,
                    PUSHES => self.shared.world.services.pushes.clear(&call, Some(&key)).await?,
                    kind => anyhow::bail!("{kind} cannot be deleted one by one"),
                }
                Ok(Message::Done("deleted".into()))
            }
            Command::Purge { shelf } => {
                let removed = match &*shelf.kind {
                    TABLE => self.empty_table(&call, &shelf.name).await?,
                    QUEUE => {
                        self.shared.world.services.queues.purge(&call, &shelf.name).await?;
                        None
                    }
                    MAIL => {
                        self.shared.world.services.mail.clear(&call, None).await?;
                        None
                    }
                    PUSHES => {
                        self.shared.world.services.pushes.clear(&call, None).await?;
                        None
                    }
                    DEAD_LETTERS => Some(self.shared.triggers.clear_dead_letters(&call).await?),
                    kind => anyhow::bail!("{kind} cannot be emptied here"),
                };
                Ok(Message::Done(removed.map_or_else(|| "emptied".into(), |n| format!("{n} removed"))))
            }
            Command::Redrive { shelf, key } => self.redrive(&call, &shelf, key).await,
        }
    }

    async fn redrive(&self, call: &Call, shelf: &ShelfId, key: Option<String>) -> anyhow::Result<Message> {
        if &*shelf.kind == QUEUE {
            let moved = self.shared.world.services.queues.move_messages(call, &shelf.name, None, None).await?;
            return Ok(Message::Done(format!("{} moved back", moved.moved)));
        }
        let ids: Vec<i64> = match key {
            Some(key) => vec![key.parse()?],
            None => self.shared.triggers.dead_letters(call, ROWS_MAX).await?.iter().map(|letter| letter.id).collect(),
        };
        let mut again = 0;
        for id in ids {
            again += usize::from(self.shared.triggers.redrive(call, id).await?);
        }
        Ok(Message::Done(format!("{again} delivered again")))
    }

    async fn shelves(&self) -> anyhow::Result<Vec<Shelf>> {
        let mut shelves = self.table_shelves().await?;
        shelves.extend(self.bucket_shelves().await?);
        shelves.extend(self.message_shelves().await?);
        Ok(shelves)
    }

    async fn rows(&self, shelf: ShelfId, search: String) -> anyhow::Result<Rows> {
        let (columns, found): (Vec<String>, Found) = match &*shelf.kind {
            TABLE => self.item_rows(&shelf.name, &search).await?,
            BUCKET => (columns(&["key", "size", "type", "changed"]), self.object_rows(&shelf.name, &search).await?),
            _ => self.message_rows(&shelf, &search).await?,
        };
        let mut found = found;
        if found.rows.len() > ROWS_MAX {
            found.rows.truncate(ROWS_MAX);
            found.note = Some(format!("the first {ROWS_MAX}; `/` searches all"));
        }
        for row in &mut found.rows {
            row.cells.iter_mut().for_each(shorten);
        }
        Ok(Rows { shelf, search, columns, rows: found.rows, note: found.note })
    }

    async fn view(&self, shelf: ShelfId, key: String) -> anyhow::Result<Document> {
        let (title, text, edit) = match &*shelf.kind {
            TABLE => self.view_item(&shelf.name, &key).await?,
            BUCKET => self.view_object(&shelf.name, &key).await?,
            _ => {
                let (title, text) = self.view_message(&shelf, &key).await?;
                (title, text, None)
            }
        };
        Ok(Document { shelf, key, title, text, edit, at: self.shared.world.db.now() })
    }
}

async fn invoke(shared: &Shared, function: &str, event: Bytes) -> Message {
    match shared.functions.invoke(&operator(shared), function, event).await {
        Ok(answer) => match answer.error {
            None => Message::Done(format!("{function} ran again")),
            Some(error) => Message::Failed(format!("{function} ran again and failed: {}", error.message)),
        },
        Err(error) => Message::Failed(format!("{function} was not run: {error}")),
    }
}

/// The lines around `file:line:column`, where that is a file of the project.
fn source(root: &Path, place: &str) -> Option<String> {
    const LINES_AROUND: usize = 3;
    let mut parts = place.rsplitn(3, ':');
    let (column, line) = (parts.next()?.parse::<usize>().ok()?, parts.next()?.parse::<usize>().ok()?);
    let root = root.canonicalize().ok()?;
    // A stack may name any file; only the project's own are read.
    let file = root.join(parts.next()?).canonicalize().ok().filter(|file| file.starts_with(&root))?;
    if file.metadata().ok()?.len() > SOURCE_BYTES_MAX {
        return None;
    }
    let text = std::fs::read_to_string(&file).ok()?;
    let from = line.saturating_sub(LINES_AROUND).max(1);
    let mut frame = format!("{}\n", file.strip_prefix(&root).ok()?.display());
    for (number, row) in text.lines().enumerate().map(|(at, row)| (at + 1, row)).skip(from - 1).take(line + LINES_AROUND + 1 - from) {
        frame.push_str(&format!("{number:>5} │ {row}\n"));
        if number == line {
            frame.push_str(&format!("      │ {}^\n", " ".repeat(column.clamp(1, CELL_MAX) - 1)));
        }
    }
    Some(frame)
}

/// A call of the person at the dashboard, in a trace of its own.
fn operator(shared: &Shared) -> Call {
    Call { caller: Caller::Admin, trace: TraceId(shared.world.db.ids().hex(16).into()), ..Call::operator() }
}

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn shelf(kind: &str, name: &str, holds: String, uses: Uses) -> Shelf {
    Shelf { id: ShelfId::new(kind, name), holds, uses }
}

/// Whether any of these holds what is searched for, which is in lower case.
fn fits(search: &str, texts: &[&str]) -> bool {
    search.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(search))
}

fn shorten(cell: &mut String) {
    if let Some((end, _)) = cell.char_indices().nth(CELL_MAX) {
        cell.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_around_an_error_are_shown_of_the_projects_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a.ts"), "one\ntwo\n  three\nfour\n").unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        let frame = "a.ts\n    1 │ one\n    2 │ two\n    3 │   three\n      │   ^\n    4 │ four\n";
        assert_eq!(source(&root, "a.ts:3:3").as_deref(), Some(frame));
        for place in ["../secret:1:1", "none.ts:1:1", "a.ts", "", "/etc/hostname:1:1", "a.ts:x:1"] {
            assert_eq!(source(&root, place), None, "{place}");
        }
    }
}

//! The journal: the newest records, in a SQLite file of its own beside the state.
//!
//! A thread of its own writes it, many records in one transaction. It never holds up those who make records: what it cannot keep up
//! with is missed, counted, and the count is kept in the journal. Secrets are hidden before anything is written.

mod file;
mod follow;
mod read;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use self::file::File;
use super::{Record, Subscriber};
pub use follow::Feed;
pub use read::{Journaled, Query, Reader, TraceError, ago};

/// The file's name in the state folder.
pub const FILE_NAME: &str = "journal.db";

/// How much is kept; the oldest records go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub records_max: u64,
    /// Of the records as text; the file is a little larger.
    pub bytes_max: u64,
}

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the journal {}: {source}", .path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("the journal {}: {source}", .path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// It was written by another version of emu.
    #[error("the journal {} is of another version of emu; `emu start` begins a new one", .path.display())]
    Other { path: PathBuf },
}

/// Records that are written in one transaction.
const BATCH_MAX: usize = 1_024;
/// How long the first record of a batch waits for others, unless somebody wants to read.
const GATHER: Duration = Duration::from_millis(20);
/// Readers who may wait for the writer at once; more wait for their turn.
const READERS_MAX: usize = 16;
/// Where there is always more to write, so many times as long as it took is left to others.
const REST: u32 = 3;

/// A journal that is being written, until this is dropped.
pub struct Journal {
    feed: Feed,
    end: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Journal {
    /// Opens the journal at `path`, a new one where it is missing or cannot be read, and writes down what `records` sees from now on.
    /// Must be called in a tokio runtime.
    pub fn start(path: &Path, bounds: Bounds, records: Subscriber) -> Result<Journal, Error> {
        let file = File::open(path, bounds)?;
        let (end, runtime) = (CancellationToken::new(), tokio::runtime::Handle::current());
        let (sender, written) = watch::channel(file.last());
        let (ask, asked) = mpsc::channel(READERS_MAX);
        let told = end.clone();
        let work = move || Writer { file, records, end: told, runtime, written: sender, asked, lost: 0, failing: false }.run();
        let thread = std::thread::Builder::new().name("emu-journal".into()).spawn(work);
        let thread = thread.map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Ok(Journal { feed: Feed::new(path, written, ask), end, thread: Some(thread) })
    }

    /// For those who read it.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }
}

/// Writes what has happened until now, and ends.
impl Drop for Journal {
    fn drop(&mut self) {
        self.end.cancel();
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, there would only be fewer records.
            let _ = thread.join();
        }
    }
}

struct Writer {
    file: File,
    records: Subscriber,
    end: CancellationToken,
    runtime: tokio::runtime::Handle,
    written: watch::Sender<i64>,
    /// Readers who want to see what has happened until now; they are told when it is written.
    asked: mpsc::Receiver<oneshot::Sender<()>>,
    /// Records that could not be written.
    lost: u64,
    /// The last write failed, and that was said.
    failing: bool,
}

impl Writer {
    fn run(mut self) {
        let runtime = self.runtime.clone();
        loop {
            let mut batch = Vec::new();
            let mut readers = Vec::new();
            let mut ending = runtime.block_on(async {
                tokio::select! {
                    record = self.records.next() => {
                        let ended = record.is_none();
                        batch.extend(record);
                        ended
                    }
                    Some(reader) = self.asked.recv() => {
                        readers.push(reader);
                        false
                    }
                    () = self.end.cancelled() => true,
                }
            });
            self.take(&mut batch);
            if batch.len() < BATCH_MAX && readers.is_empty() && !ending {
                let woken = async {
                    tokio::select! {
                        Some(reader) = self.asked.recv() => (Some(reader), false),
                        () = self.end.cancelled() => (None, true),
                    }
                };
                if let Ok((reader, ended)) = runtime.block_on(async { tokio::time::timeout(GATHER, woken).await }) {
                    readers.extend(reader);
                    ending |= ended;
                }
                self.take(&mut batch);
            }
            if batch.is_empty() && ending {
                return;
            }
            let began = Instant::now();
            if !batch.is_empty() {
                self.write(&batch);
            }
            for reader in readers {
                // One who went away meanwhile need not be told.
                let _ = reader.send(());
            }
            if batch.len() == BATCH_MAX && !ending {
                self.rest(began.elapsed() * REST);
            }
        }
    }

    /// Takes the records that are there.
    fn take(&mut self, batch: &mut Vec<Arc<Record>>) {
        while batch.len() < BATCH_MAX
            && let Some(record) = self.records.next().now_or_never().flatten()
        {
            batch.push(record);
        }
    }

    fn write(&mut self, batch: &[Arc<Record>]) {
        let Err(error) = self.file.write(batch, self.records.missed().saturating_add(self.lost)) else {
            self.failing = false;
            self.written.send_replace(self.file.last());
            return;
        };
        self.lost = self.lost.saturating_add(batch.len() as u64);
        // Said once, not for every batch while the disk is full.
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(%error, "records could not be written to the journal");
        }
    }

    fn rest(&self, time: Duration) {
        // Either it is time or it is over: both are fine.
        let _ = self.runtime.block_on(async { tokio::time::timeout(time, self.end.cancelled()).await });
    }
}

//! The journal as a stream: what is there, and what comes.

use std::path::Path;
use std::sync::Arc;

use futures_util::Stream;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Error, Journaled, Query, Reader};

/// Records that are read at once.
const PAGE: usize = 500;

/// A journal that is being written, for those who read it. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    path: Arc<Path>,
    /// The number of the last record that can be read; changes with every transaction.
    written: watch::Receiver<i64>,
    ask: mpsc::Sender<oneshot::Sender<()>>,
}

impl Feed {
    pub(super) fn new(path: &Path, written: watch::Receiver<i64>, ask: mpsc::Sender<oneshot::Sender<()>>) -> Feed {
        Feed { path: path.into(), written, ask }
    }

    /// Looks into the journal, in which what has happened until now is, as far as the journal keeps up.
    pub async fn reader(&self) -> Result<Reader, Error> {
        self.catch_up().await;
        let path = self.path.clone();
        let opened = tokio::task::spawn_blocking(move || Reader::open(&path)).await;
        opened.unwrap_or_else(|error| Err(Error::Io { path: self.path.to_path_buf(), source: std::io::Error::other(error) }))
    }

    /// Waits until what has happened until now is written. At once where the journal has ended.
    async fn catch_up(&self) {
        let (told, tell) = oneshot::channel();
        if self.ask.send(told).await.is_ok() {
            let _ = tell.await;
        }
    }

    /// The records that `query` asks for, page by page; those to come too where it is `live`, as soon as they are written, until the
    /// journal ends.
    pub fn records(&self, query: Query, live: bool) -> impl Stream<Item = Result<Vec<Journaled>, Error>> + Send + use<> {
        let first = Some(self.clone());
        let state = State { first, path: self.path.clone(), query, written: live.then(|| self.written.clone()), ended: false };
        futures_util::stream::unfold(state, |mut state| async move {
            if let Some(feed) = state.first.take() {
                feed.catch_up().await;
            }
            let page = state.next().await?;
            state.ended = page.is_err();
            Some((page, state))
        })
    }
}

struct State {
    /// Until the first look.
    first: Option<Feed>,
    path: Arc<Path>,
    query: Query,
    written: Option<watch::Receiver<i64>>,
    ended: bool,
}

impl State {
    /// `None` at the end.
    async fn next(&mut self) -> Option<Result<Vec<Journaled>, Error>> {
        while !self.ended {
            // Noted before looking, so that nothing is missed in between.
            if let Some(written) = &mut self.written {
                written.borrow_and_update();
            }
            let page = match self.page().await {
                Ok(page) => page,
                Err(error) => return Some(Err(error)),
            };
            if let Some(last) = page.last() {
                self.query.after = last.id;
                return Some(Ok(page));
            }
            match &mut self.written {
                Some(written) => self.ended = written.changed().await.is_err(),
                None => self.ended = true,
            }
        }
        None
    }

    async fn page(&self) -> Result<Vec<Journaled>, Error> {
        let (path, query) = (self.path.clone(), self.query.clone());
        let read = tokio::task::spawn_blocking(move || Reader::open(&path)?.records(&query, PAGE));
        read.await.unwrap_or_else(|error| Err(Error::Io { path: self.path.to_path_buf(), source: std::io::Error::other(error) }))
    }
}

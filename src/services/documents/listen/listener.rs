//! One who listens to several targets, all of which it sees as they were at one time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot};

use super::super::document::Document;
use super::super::name::Name;
use super::super::run::bill;
use super::super::value::Timestamp;
use super::super::{Documents, Error};
use super::hub::{Batch, Request, Watched};
use super::{Bloom, Target};
use crate::base::Call;

/// Targets of one listener at most.
const TARGETS_MAX: usize = 1_000;

/// What a listener is told, in the order in which it is to take it up.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The target is listened to from now on.
    Added(i32),
    /// It is no longer.
    Removed(i32),
    /// What was told of it is void.
    Reset(i32),
    /// A document is in these targets, as it is now, and no longer in those.
    Changed { document: Arc<Document>, targets: Vec<i32>, removed: Vec<i32> },
    /// A document is no longer in these targets; whether it is gone altogether.
    Gone { name: Name, targets: Vec<i32>, deleted: bool, at: Timestamp },
    /// So many documents are in the target; those which have not changed are in the set.
    Filter { target: i32, count: usize, unchanged: Bloom },
    /// All of the target has been told.
    Current { target: i32, at: Timestamp },
    /// Everything that was so at this time has been told.
    Snapshot(Timestamp),
}

/// A target to listen to.
pub struct Add {
    /// What the listener calls it.
    pub id: i32,
    pub target: Target,
    /// What was so until then is known already.
    pub since: Option<Timestamp>,
    /// It is no longer listened to once all of it has been told.
    pub once: bool,
}

struct Watching {
    view: u64,
    /// What was so until then is told.
    told_micros: i64,
}

/// Listens until dropped.
pub struct Listener {
    documents: Documents,
    call: Call,
    requests: mpsc::Sender<Request>,
    batches: broadcast::Receiver<Arc<Batch>>,
    /// Batches that came before their time.
    early: VecDeque<Arc<Batch>>,
    /// Batches have been lost.
    behind: bool,
    targets: BTreeMap<i32, Watching>,
}

impl Documents {
    /// One who listens, to nothing yet.
    pub fn listen(&self, call: &Call) -> Listener {
        let (requests, batches) = self.hub.join();
        Listener {
            documents: self.clone(),
            call: call.clone(),
            requests,
            batches,
            early: VecDeque::new(),
            behind: false,
            targets: BTreeMap::new(),
        }
    }
}

impl Listener {
    /// Has what is told from now on be on the bill of a call.
    pub fn charge(&mut self, call: &Call) {
        self.call = call.clone();
    }

    /// Listens to one more target: what is in it. Fails with [`Error::Invalid`], where the target is not listened to.
    pub async fn add(&mut self, add: Add) -> Result<Vec<Event>, Error> {
        let Add { id, target, since, once } = add;
        if self.targets.contains_key(&id) {
            return Err(Error::Invalid(format!("The target {id} is listened to already.")));
        }
        if self.targets.len() >= TARGETS_MAX {
            return Err(Error::Invalid(format!("A listener may have {TARGETS_MAX} targets at most.")));
        }
        if let Target::Query(query) = &target {
            self.documents.adviser.see(query)?;
        }
        let is_window = target.is_window();
        let watched = self.ask(|reply| Request::Watch(Arc::new(target), reply)).await?;
        let mut events = self.until(watched.at_micros).await?;
        let at = Timestamp::of_micros(watched.at_micros);
        events.push(Event::Added(id));
        let told = since.map(Timestamp::micros).filter(|told| *told <= watched.at_micros);
        if since.is_some() && told.is_none() {
            events.push(Event::Reset(id));
        }
        let known = |document: &Arc<Document>| told.is_some_and(|told| document.updated.micros() <= told);
        let (old, new): (Vec<&Arc<Document>>, Vec<_>) = watched.documents.iter().partition(|document| known(document));
        // A document may come into a window although it has not changed.
        let sent: Vec<&Arc<Document>> = if is_window { watched.documents.iter().collect() } else { new };
        self.bill(sent.len()).await?;
        events.extend(sent.into_iter().map(|document| changed(document, id)));
        if told.is_some() {
            let unchanged = Bloom::of(old.iter().map(|document| document.name.full()).collect::<Vec<_>>().into_iter());
            events.push(Event::Filter { target: id, count: watched.documents.len(), unchanged });
        }
        events.push(Event::Current { target: id, at });
        events.push(Event::Snapshot(at));
        if once {
            self.leave(watched.view).await;
            events.push(Event::Removed(id));
        } else {
            self.targets.insert(id, Watching { view: watched.view, told_micros: watched.at_micros });
        }
        Ok(events)
    }

    /// Listens no longer to a target.
    pub async fn remove(&mut self, id: i32) -> Vec<Event> {
        if let Some(watching) = self.targets.remove(&id) {
            self.leave(watching.view).await;
        }
        vec![Event::Removed(id)]
    }

    /// Waits until something may have happened in one of the targets. May be given up at any time. Fails with [`Error::Superseded`] where
    /// there is nothing to wait for any more.
    pub async fn woken(&mut self) -> Result<(), Error> {
        if self.early.is_empty() && !self.behind {
            match self.batches.recv().await {
                Ok(batch) => self.early.push_back(batch),
                Err(broadcast::error::RecvError::Lagged(_)) => self.behind = true,
                Err(broadcast::error::RecvError::Closed) => return Err(Error::Superseded),
            }
        }
        Ok(())
    }

    /// What has happened since it was asked last.
    pub async fn events(&mut self) -> Result<Vec<Event>, Error> {
        self.until(i64::MAX).await
    }

    /// The time until which everything is told, where there are targets.
    pub fn told(&self) -> Option<Timestamp> {
        self.targets.values().map(|watching| watching.told_micros).max().map(Timestamp::of_micros)
    }

    async fn ask(&mut self, request: impl FnOnce(oneshot::Sender<Result<Watched, Error>>) -> Request) -> Result<Watched, Error> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| Error::Superseded)?;
        answer.await.map_err(|_| Error::Superseded)?
    }

    async fn leave(&mut self, view: u64) {
        // Without a hub there is nothing to leave.
        let _ = self.requests.send(Request::Unwatch(view)).await;
    }

    async fn bill(&mut self, documents: usize) -> Result<(), Error> {
        self.documents
            .db()
            .read(&self.call, |tx| {
                bill(tx, documents as u64);
                Ok(())
            })
            .await
    }

    /// What has come of batches until a time; later ones wait.
    async fn until(&mut self, at_micros: i64) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        loop {
            if self.behind {
                events.extend(self.begin_again().await?);
                self.behind = false;
            }
            let batch = match self.early.pop_front() {
                Some(batch) => batch,
                None => match self.batches.try_recv() {
                    Ok(batch) => batch,
                    Err(broadcast::error::TryRecvError::Lagged(_)) => {
                        self.behind = true;
                        continue;
                    }
                    Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed) => return Ok(events),
                },
            };
            if batch.at_micros > at_micros {
                self.early.push_front(batch);
                return Ok(events);
            }
            events.extend(self.pick(&batch).await?);
        }
    }

    /// What a batch says of one's own targets.
    async fn pick(&mut self, batch: &Batch) -> Result<Vec<Event>, Error> {
        #[derive(Default)]
        struct Seen {
            document: Option<Arc<Document>>,
            targets: Vec<i32>,
            removed: Vec<i32>,
            deleted: bool,
        }
        let mut seen: BTreeMap<&Name, Seen> = BTreeMap::new();
        for (id, watching) in &mut self.targets {
            if batch.at_micros <= watching.told_micros {
                continue;
            }
            watching.told_micros = batch.at_micros;
            let Some(delta) = batch.deltas.get(&watching.view) else { continue };
            for document in &delta.changed {
                let entry = seen.entry(&document.name).or_default();
                entry.document = Some(document.clone());
                entry.targets.push(*id);
            }
            for (name, deleted) in &delta.removed {
                let entry = seen.entry(name).or_default();
                entry.removed.push(*id);
                entry.deleted |= deleted;
            }
        }
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        let at = Timestamp::of_micros(batch.at_micros);
        let mut events: Vec<Event> = seen
            .into_iter()
            .map(|(name, Seen { document, targets, removed, deleted })| match document {
                Some(document) => Event::Changed { document, targets, removed },
                None => Event::Gone { name: name.clone(), targets: removed, deleted, at },
            })
            .collect();
        let billed = events.iter().filter(|event| matches!(event, Event::Changed { .. })).count();
        self.bill(billed).await?;
        events.push(Event::Snapshot(at));
        Ok(events)
    }

    /// Too much has happened to tell it one by one: tells all that there is.
    async fn begin_again(&mut self) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let targets: Vec<(i32, u64)> = self.targets.iter().map(|(id, watching)| (*id, watching.view)).collect();
        let mut latest = None;
        for (id, view) in targets {
            let watched = self.ask(|reply| Request::Look(view, reply)).await?;
            self.bill(watched.documents.len()).await?;
            events.push(Event::Reset(id));
            events.extend(watched.documents.iter().map(|document| changed(document, id)));
            events.push(Event::Current { target: id, at: Timestamp::of_micros(watched.at_micros) });
            if let Some(watching) = self.targets.get_mut(&id) {
                watching.told_micros = watched.at_micros;
            }
            latest = latest.max(Some(watched.at_micros));
        }
        events.extend(latest.map(|at| Event::Snapshot(Timestamp::of_micros(at))));
        Ok(events)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let views: Vec<u64> = self.targets.values().map(|watching| watching.view).collect();
        if views.is_empty() {
            return;
        }
        let requests = self.requests.clone();
        // The hub is told as soon as it has room to be.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                for view in views {
                    let _ = requests.send(Request::Unwatch(view)).await;
                }
            });
        }
    }
}

fn changed(document: &Arc<Document>, target: i32) -> Event {
    Event::Changed { document: document.clone(), targets: vec![target], removed: Vec::new() }
}

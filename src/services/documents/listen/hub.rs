//! Works out once for each distinct target what a commit means for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use tokio::sync::{broadcast, mpsc, oneshot};

use super::super::document::Document;
use super::super::name::Name;
use super::super::{Error, Shared, run, store};
use super::{Delta, Target, WAKE};
use crate::base::{Call, Era};
use crate::store::{Db, Tx};

/// Distinct targets at once.
const VIEWS_MAX: usize = 10_000;
/// Requests that wait for the hub.
const REQUESTS_MAX: usize = 1_024;
/// Batches that a listener may be behind before it begins anew.
const BATCHES_MAX: usize = 1_024;

/// How to ask the task that works for listeners, and to hear from it, as long as it lives.
type Running = (mpsc::WeakSender<Request>, broadcast::WeakSender<Arc<Batch>>);

/// Where listeners begin. Runs a task while there are any.
pub struct Hub {
    db: Db,
    shared: Arc<Shared>,
    /// Those who listen keep the task going, not this.
    running: Mutex<Option<Running>>,
}

/// What a commit, or several, mean for those targets for which they mean something.
#[derive(Debug)]
pub(super) struct Batch {
    pub at_micros: i64,
    pub deltas: HashMap<u64, Delta>,
}

/// What is in a target.
#[derive(Debug)]
pub(super) struct Watched {
    pub view: u64,
    /// When this was so; what comes later is told in batches.
    pub at_micros: i64,
    pub documents: Vec<Arc<Document>>,
}

/// What a listener asks of the hub.
pub(super) enum Request {
    Watch(Arc<Target>, oneshot::Sender<Result<Watched, Error>>),
    /// Once more what is in a target that it watches.
    Look(u64, oneshot::Sender<Result<Watched, Error>>),
    Unwatch(u64),
}

impl Hub {
    pub(in super::super) fn new(db: Db, shared: Arc<Shared>) -> Hub {
        Hub { db, shared, running: Mutex::default() }
    }

    /// A listener's ways to the hub and from it.
    pub(super) fn join(&self) -> (mpsc::Sender<Request>, broadcast::Receiver<Arc<Batch>>) {
        let mut running = self.running.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((requests, batches)) = running.as_ref()
            && let (Some(requests), Some(batches)) = (requests.upgrade().filter(|requests| !requests.is_closed()), batches.upgrade())
        {
            return (requests, batches.subscribe());
        }
        let (requests, incoming) = mpsc::channel(REQUESTS_MAX);
        let (batches, receiver) = broadcast::channel(BATCHES_MAX);
        *running = Some((requests.downgrade(), batches.downgrade()));
        let views = Views {
            db: self.db.clone(),
            shared: self.shared.clone(),
            views: BTreeMap::new(),
            by_target: HashMap::new(),
            next: 1,
            at_micros: 0,
            anew: false,
            era: self.db.era(),
        };
        tokio::spawn(views.run(incoming, batches));
        (requests, receiver)
    }
}

struct View {
    target: Arc<Target>,
    key: String,
    documents: BTreeMap<Name, Arc<Document>>,
    watchers: usize,
}

/// What there is to listen to, all as it was at one time.
struct Views {
    db: Db,
    shared: Arc<Shared>,
    views: BTreeMap<u64, View>,
    by_target: HashMap<String, u64>,
    next: u64,
    at_micros: i64,
    /// Nothing is known of what has changed.
    anew: bool,
    era: Era,
}

impl Views {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>, batches: broadcast::Sender<Arc<Batch>>) {
        // Listeners go by the time of the last change, which may be long ago, or never.
        self.begin().await;
        loop {
            let woken = self.db.woken(WAKE);
            let mut notified = std::pin::pin!(woken.notified());
            notified.as_mut().enable();
            if !self.advance(&batches).await {
                // Listeners see that there is no hub any more, and begin anew with another.
                return;
            }
            tokio::select! {
                biased;
                request = requests.recv() => match request {
                    Some(request) => {
                        // Whoever comes to a target that others watch sees it as it is now.
                        if !self.advance(&batches).await {
                            return;
                        }
                        self.answer(request, &batches).await;
                    }
                    None => return,
                },
                () = notified => {}
            }
        }
    }

    /// Moves the state's own time on to now, and beyond what was told of the state before.
    async fn begin(&mut self) {
        let told = self.at_micros;
        let moved = self.db.write::<_, Error, _>(&Call::operator(), move |tx| Ok(store::tick_after(tx, told)?.micros())).await;
        if let Err(error) = moved {
            tracing::warn!(%error, "the documents' clock could not be moved on");
        }
    }

    /// Tells what has changed; whether that could be seen.
    async fn advance(&mut self, batches: &broadcast::Sender<Arc<Batch>>) -> bool {
        if !self.db.eras().is_current(&self.era) {
            self.era = self.db.era();
            self.begin().await;
            self.anew = true;
        }
        let db = self.db.clone();
        let looked = db.read(&Call::operator(), |tx| self.look(tx)).await;
        match looked {
            Ok(batch) => {
                tell(batches, batch);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "what is listened to could not be looked at");
                false
            }
        }
    }

    /// What has changed since the last look.
    fn look(&mut self, tx: &mut Tx<'_>) -> Result<Option<Batch>, Error> {
        let at_micros = store::changed_at(tx)?;
        if at_micros == self.at_micros {
            return Ok(None);
        }
        let anew = std::mem::take(&mut self.anew);
        let names = if anew { None } else { self.shared.recent.between(self.at_micros, at_micros) };
        let mut current: BTreeMap<Name, Option<Arc<Document>>> = BTreeMap::new();
        for name in names.iter().flatten() {
            if self.views.values().any(|view| view.concerns(name)) {
                current.insert(name.clone(), store::document(tx, name)?.map(Arc::new));
            }
        }
        let mut deltas = HashMap::new();
        for (id, view) in &mut self.views {
            let delta = match &names {
                Some(_) if !view.is_touched(&current) => continue,
                Some(_) if !view.target.is_window() => view.follow(&current),
                _ => view.begin_again(tx)?,
            };
            if !(delta.changed.is_empty() && delta.removed.is_empty()) {
                deltas.insert(*id, delta);
            }
        }
        self.at_micros = at_micros;
        Ok(Some(Batch { at_micros, deltas }))
    }

    async fn answer(&mut self, request: Request, batches: &broadcast::Sender<Arc<Batch>>) {
        match request {
            Request::Watch(target, reply) => {
                let watched = self.watch(target, batches).await;
                let view = watched.as_ref().ok().map(|watched| watched.view);
                if reply.send(watched).is_err() {
                    view.into_iter().for_each(|view| self.unwatch(view));
                }
            }
            Request::Look(view, reply) => {
                // Who asked may have gone away.
                let _ = reply.send(self.watched(view));
            }
            Request::Unwatch(view) => self.unwatch(view),
        }
    }

    async fn watch(&mut self, target: Arc<Target>, batches: &broadcast::Sender<Arc<Batch>>) -> Result<Watched, Error> {
        let key = format!("{target:?}");
        if let Some(id) = self.by_target.get(&key).copied() {
            if let Some(view) = self.views.get_mut(&id) {
                view.watchers += 1;
            }
            return self.watched(id);
        }
        if self.views.len() >= VIEWS_MAX {
            return Err(Error::Invalid(format!("More than {VIEWS_MAX} different queries and documents are being listened to.")));
        }
        let mut view = View { target, key: key.clone(), documents: BTreeMap::new(), watchers: 1 };
        // At one time with all others, who are told first what has changed until then.
        let db = self.db.clone();
        let read = |tx: &mut Tx<'_>| {
            let batch = self.look(tx)?;
            view.begin_again(tx)?;
            Ok::<_, Error>(batch)
        };
        tell(batches, db.read(&Call::operator(), read).await?);
        let id = self.next;
        self.next += 1;
        self.by_target.insert(key, id);
        self.views.insert(id, view);
        self.watched(id)
    }

    fn watched(&self, id: u64) -> Result<Watched, Error> {
        let view = self.views.get(&id).ok_or_else(|| Error::Invalid("There is no such target.".into()))?;
        Ok(Watched { view: id, at_micros: self.at_micros, documents: view.documents.values().cloned().collect() })
    }

    fn unwatch(&mut self, id: u64) {
        let Some(view) = self.views.get_mut(&id) else { return };
        view.watchers -= 1;
        if view.watchers == 0 {
            self.by_target.remove(&view.key);
            self.views.remove(&id);
        }
    }
}

fn tell(batches: &broadcast::Sender<Arc<Batch>>, batch: Option<Batch>) {
    if let Some(batch) = batch {
        // Nobody may be listening any more.
        let _ = batches.send(Arc::new(batch));
    }
}

impl View {
    /// Whether a change of this document can mean anything here.
    fn concerns(&self, name: &Name) -> bool {
        match &*self.target {
            Target::Query(query) => query.scope.has(name),
            Target::Documents(names) => names.contains(name),
        }
    }

    fn is_touched(&self, current: &BTreeMap<Name, Option<Arc<Document>>>) -> bool {
        current.iter().any(|(name, document)| {
            self.documents.contains_key(name) || document.as_ref().is_some_and(|document| self.target.matches(document))
        })
    }

    /// Takes up the changes of these documents.
    fn follow(&mut self, current: &BTreeMap<Name, Option<Arc<Document>>>) -> Delta {
        let mut delta = Delta::default();
        for (name, document) in current {
            match document.as_ref().filter(|document| self.target.matches(document)) {
                Some(document) => {
                    if self.documents.get(name).is_some_and(|before| before.updated == document.updated) {
                        continue;
                    }
                    let document = self.shown(document);
                    self.documents.insert(name.clone(), document.clone());
                    delta.changed.push(document);
                }
                None => {
                    if self.documents.remove(name).is_some() {
                        delta.removed.push((name.clone(), document.is_none()));
                    }
                }
            }
        }
        delta
    }

    /// Only the fields that are asked for.
    fn shown(&self, document: &Arc<Document>) -> Arc<Document> {
        match &*self.target {
            Target::Query(query) if query.select.is_some() => {
                let mut document = Document::clone(document);
                document.project(query.select.as_deref());
                Arc::new(document)
            }
            _ => document.clone(),
        }
    }

    /// Looks at everything, and tells how that differs from what was there.
    fn begin_again(&mut self, tx: &mut Tx<'_>) -> Result<Delta, Error> {
        let found: Vec<Document> = match &*self.target {
            Target::Query(query) => run::run_in(tx, query)?.documents,
            Target::Documents(names) => {
                let mut found = Vec::new();
                for name in names {
                    found.extend(store::document(tx, name)?);
                }
                found
            }
        };
        let mut delta = Delta::default();
        let names: BTreeSet<&Name> = found.iter().map(|document| &document.name).collect();
        for name in self.documents.keys().filter(|name| !names.contains(*name)) {
            delta.removed.push((name.clone(), store::updated(tx, name)?.is_none()));
        }
        for (name, _) in &delta.removed {
            self.documents.remove(name);
        }
        for document in found {
            let is_same = self.documents.get(&document.name).is_some_and(|before| **before == document);
            if !is_same {
                let document = Arc::new(document);
                self.documents.insert(document.name.clone(), document.clone());
                delta.changed.push(document);
            }
        }
        Ok(delta)
    }
}

//! Pipelines: documents go through stages, each of which takes what the one before it gives. Sources: "Firestore Pipeline operations" with
//! its pages of stages and functions, and what Google's own tests of the client libraries expect of the service.
//!
//! A pipeline is [prepared](prepare) once: names are looked up, arguments counted, variables bound. Then documents are pushed through its
//! [stages](flow), one by one: only what must see all of them (sorting, groups) keeps them, and all that is kept has a bound.

mod args;
mod change;
mod eval;
mod explain;
mod flow;
mod functions;
mod group;
mod plan;
mod prepare;
mod run;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use explain::{Explain, Format};

use self::explain::Stats;
use self::plan::Plan;
use self::run::{Given, Run, TIME_MAX};
use super::name::{Database, FieldPath};
use super::transaction::View;
use super::value::{Fields, Timestamp, Value};
use super::{Documents, Error, store};
use crate::base::{Call, Unit};
use crate::store::{self as base_store, Tx};

/// Bytes of documents and values that a pipeline keeps at once at most. Source: the limits of pipeline operations, 128 MiB.
const HELD_BYTES_MAX: usize = 128 << 20;
/// Bytes of a value that an expression makes at most: a document is a sixteenth of it.
const VALUE_BYTES_MAX: usize = 16 << 20;
/// How long a pipeline of a transaction may take when it is committed: nobody else writes meanwhile.
const SEEN_AGAIN_MAX: Duration = Duration::from_secs(5);
/// Pipelines within each other at most. Source: "Perform joins with sub-pipelines".
const NESTING_MAX: usize = 20;
/// Stages of a pipeline, those of pipelines within it too.
const STAGES_MAX: usize = 1_000;

/// Stages, the first of which gives documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pipeline {
    pub stages: Vec<Stage>,
}

/// What becomes of documents, by the name that the API gives to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    pub name: String,
    pub args: Vec<Expr>,
    pub options: BTreeMap<String, Expr>,
}

/// What is worked out for each document.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A value that has no expressions in it.
    Constant(Value),
    Field(FieldPath),
    Variable(String),
    Call {
        name: String,
        args: Vec<Expr>,
    },
    Pipeline(Pipeline),
    Array(Vec<Expr>),
    Map(BTreeMap<String, Expr>),
}

/// A document, or what the stages made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its full name, where it still has one.
    pub name: Option<String>,
    pub fields: Fields,
    pub created: Option<Timestamp>,
    pub updated: Option<Timestamp>,
}

/// What a pipeline gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    pub outputs: Vec<Output>,
    /// When this was so.
    pub at: Timestamp,
    /// How it was done, where that was asked for.
    pub explained: Option<String>,
}

/// How a pipeline is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub explain: Explain,
    pub format: Format,
    /// Bytes that are kept at once at most, where that is less than what is allowed.
    pub memory: Option<u64>,
}

/// Why there is no value.
#[derive(Debug)]
enum Fault {
    /// The expression cannot be worked out for this document: `is_error` and `if_error` see that, and `where` takes it for a no.
    Value(String),
    /// The whole pipeline ends.
    Pipeline(Error),
}

impl Fault {
    fn value(text: impl Into<String>) -> Fault {
        Fault::Value(text.into())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Pipeline(error)
    }
}

impl From<base_store::Error> for Fault {
    fn from(error: base_store::Error) -> Fault {
        Fault::Pipeline(error.into())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        match fault {
            Fault::Value(text) => Error::Invalid(text),
            Fault::Pipeline(error) => error,
        }
    }
}

/// Whoever waits for a pipeline has gone away.
struct Left(Arc<AtomicBool>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a pipeline of a transaction has read, so that the commit can see whether it is still so.
pub(super) struct Seen {
    plan: Arc<Plan>,
    given: Given,
    digest: blake3::Hash,
}

impl Seen {
    /// Whether the documents that the pipeline reads are the ones it has read.
    pub(super) fn still_is(&self, tx: &Tx<'_>, database: &Database) -> Result<bool, Error> {
        let run = Run::new(tx, database, self.given.clone(), SEEN_AGAIN_MAX, Arc::default());
        flow::run(&run, &self.plan)?;
        Ok(run.digest() == self.digest)
    }
}

impl Documents {
    /// Runs a pipeline. One that ends in `update` or `delete` changes documents, all at once or none.
    ///
    /// Fails with [`Error::Invalid`], [`Error::Exhausted`], [`Error::TooSlow`], [`Error::TransactionOver`]; one that changes documents
    /// also with [`Error::Contention`], where others change them faster.
    pub async fn pipeline(
        &self,
        call: &Call,
        database: &Database,
        pipeline: &Pipeline,
        options: Options,
        view: &View,
    ) -> Result<Ran, Error> {
        let plan = Arc::new(prepare::prepare(database, pipeline)?);
        if options.explain == Explain::Plan {
            let at = self.read(call, view, |tx| Ok(Timestamp::of_micros(store::read_at(tx)?))).await?;
            return Ok(Ran { outputs: Vec::new(), at, explained: Some(explain::plan(&plan, options.format)) });
        }
        if plan.changes() {
            return self.change(call, database, plan, options, view).await;
        }
        self.run_plan(call, database, plan, options, view).await
    }

    /// Runs what was prepared.
    async fn run_plan(&self, call: &Call, database: &Database, plan: Arc<Plan>, options: Options, view: &View) -> Result<Ran, Error> {
        let left = Left(Arc::default());
        let (documents, call, database, view, gone) = (self.clone(), call.clone(), database.clone(), view.clone(), left.0.clone());
        let runtime = tokio::runtime::Handle::current();
        // It may take as long as a pipeline may: not on the threads that answer everybody.
        let running = tokio::task::spawn_blocking(move || {
            let look = documents.read(&call, &view, |tx| {
                let mut seed = [0; 32];
                documents.db().ids().fill(&mut seed);
                let at = Timestamp::of_micros(store::read_at(tx)?);
                let memory = options.memory.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX).min(HELD_BYTES_MAX);
                let given = Given { at, seed, memory };
                let run = Run::new(tx, &database, given.clone(), TIME_MAX, gone);
                let began = std::time::Instant::now();
                let outputs = flow::run(&run, &plan)?;
                let (digest, scanned) = (run.digest(), run.scanned());
                let stats = Stats { took: began.elapsed(), scanned, results: outputs.len(), peak: run.peak() };
                let explained = (options.explain == Explain::Run).then(|| explain::ran(&plan, options.format, &stats));
                tx.count(Unit::TableItemsRead, scanned.max(1));
                let seen = Seen { plan: plan.clone(), given, digest };
                Ok((Ran { outputs, at, explained }, seen))
            });
            let (ran, seen) = runtime.block_on(look)?;
            if let View::Transaction(id) = &view {
                documents.transactions.saw_pipeline(id, seen)?;
            }
            Ok(ran)
        });
        let ended = running.await;
        drop(left);
        ended.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
    }
}

//! Pipelines that change documents: what comes to their last stage is written, all at once or nothing. Nobody is held up while a pipeline
//! reads; where a document was changed meanwhile, the pipeline runs again.

use std::sync::Arc;

use super::plan::{Plan, Step};
use super::{Documents, Error, Options, Output, Ran};
use crate::base::Call;
use crate::services::documents::name::{Database, Name};
use crate::services::documents::transaction::View;
use crate::services::documents::value::{Fields, Value};
use crate::services::documents::write::{Change, Precondition, Write};

/// How often a pipeline is run before others are said to be faster.
const ATTEMPTS: u32 = 10;
/// What the answer names the number of changed documents. Source: "Modify data with pipelines".
const MODIFIED: &str = "documents_modified";

impl Documents {
    /// Runs a pipeline that changes documents.
    pub(super) async fn change(
        &self,
        call: &Call,
        database: &Database,
        plan: Arc<Plan>,
        options: Options,
        view: &View,
    ) -> Result<Ran, Error> {
        if *view != View::Latest {
            return Err(Error::Invalid("A pipeline that changes documents cannot run in a transaction, nor at a time in the past.".into()));
        }
        for _ in 0..ATTEMPTS {
            let ran = self.run_plan(call, database, plan.clone(), options, view).await?;
            let deletes = matches!(plan.steps.last(), Some(Step::Delete));
            let writes = ran.outputs.into_iter().map(|output| write(output, deletes)).collect::<Result<Vec<_>, _>>()?;
            let modified = writes.len();
            let outcome = if writes.is_empty() { Ok(()) } else { self.commit(call, database, writes, None).await.map(|_| ()) };
            match outcome {
                Ok(()) => {
                    let fields = Fields::from([(MODIFIED.to_owned(), Value::Int(i64::try_from(modified).unwrap_or(i64::MAX)))]);
                    let output = Output { name: None, fields, created: None, updated: None };
                    return Ok(Ran { outputs: vec![output], ..ran });
                }
                // Somebody was faster.
                Err(Error::Changed { .. } | Error::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contention)
    }
}

/// What becomes of a document, if it is still the one that was read.
fn write(output: Output, deletes: bool) -> Result<Write, Error> {
    let (Some(name), Some(updated)) = (output.name, output.updated) else {
        return Err(Error::Invalid(
            "A document that is to be changed has no `__name__` and `__update_time__` any more: select them too, or change it with add_fields and remove_fields."
                .into(),
        ));
    };
    let change = if deletes { Change::Delete } else { Change::Put { fields: output.fields, mask: None } };
    Ok(Write { name: Name::parse(&name)?, change, precondition: Some(Precondition::Updated(updated)), transforms: Vec::new() })
}

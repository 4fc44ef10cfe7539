//! The functions behind the Lambda API: called at once through the invoker, or later through a delivery.

use async_trait::async_trait;
use bytes::Bytes;

use super::Triggers;
use super::ports::{Asked, Refusal};
use super::rules::too_deep;
use super::store::{self, Draft, Origin, Target};
use super::table::Callee;
use crate::base::Call;
use crate::store::Error as StoreError;
use crate::wire::aws::lambda::{Error, Function, Functions, Invoked, Mapping};

#[async_trait]
impl Functions for Triggers {
    fn list(&self) -> Vec<Function> {
        let table = self.0.world.table.load();
        let mut functions: Vec<Function> = table.functions.values().map(|callee| described(callee)).collect();
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        functions
    }

    fn find(&self, name: &str) -> Option<Function> {
        self.0.world.table.load().function(name).map(|callee| described(callee))
    }

    fn mappings(&self) -> Vec<Mapping> {
        let table = self.0.world.table.load();
        let name = |key: &str| table.functions.get(key).map_or_else(|| key.to_owned(), |callee| callee.deployed_name.clone());
        let queues = table.queues.iter().map(|rule| Mapping {
            function: name(&rule.function),
            source_arn: table.account.arn("sqs", &rule.queue),
            batch_size: rule.batch_size,
            window_s: rule.window_ms / 1_000,
            partial_failures: rule.partial_failures,
            starting_position: None,
            retries_max: None,
            bisect: None,
        });
        let streams = table.streams.iter().map(|rule| Mapping {
            function: name(&rule.function),
            source_arn: table.account.arn("dynamodb", &format!("table/{}/stream", rule.table)),
            batch_size: rule.batch_size,
            window_s: rule.window_ms / 1_000,
            partial_failures: rule.partial_failures,
            starting_position: Some(if rule.from_latest { "LATEST" } else { "TRIM_HORIZON" }),
            retries_max: rule.retries_max,
            bisect: Some(rule.bisect),
        });
        queues.chain(streams).collect()
    }

    async fn invoke(&self, call: &Call, name: &str, event: Bytes, with_log: bool) -> Result<Invoked, Error> {
        match self.0.world.ports.invoker.invoke(call, name, Asked { event, trigger: "invoke".into(), with_log }).await {
            Ok(answer) => {
                Ok(Invoked { payload: answer.payload, failed: answer.failed.is_some(), log: answer.log, request_id: answer.request_id })
            }
            Err(Refusal::NoFunction(name)) => Err(Error::NoFunction(self.0.account.arn("lambda", &format!("function:{name}")))),
            Err(Refusal::Throttled) => Err(Error::Throttled),
            Err(Refusal::Unavailable(why)) => Err(Error::Unavailable(why)),
        }
    }

    async fn enqueue(&self, call: &Call, name: &str, event: Bytes) -> Result<String, Error> {
        let Some(callee) = self.0.world.table.load().function(name).cloned() else {
            return Err(Error::NoFunction(self.0.account.arn("lambda", &format!("function:{name}"))));
        };
        let draft = Draft {
            target: Target::Function(callee.key.clone()),
            payload: event,
            envelope: None,
            source: "invoke".into(),
            age_max_ms: callee.event_age_max_ms,
            origin: Origin::after(call),
        };
        let stored = self.0.world.db.write(call, move |tx| match too_deep(draft.origin.depth) {
            Some(reason) => {
                let request_id = tx.ids().uuid();
                store::bury_in(tx, &store::Letter { request_id: request_id.clone(), ..draft.letter(reason) }).map(|()| request_id)
            }
            None => store::insert_in(tx, &draft),
        });
        stored.await.map_err(|error: StoreError| Error::Internal(error.to_string()))
    }
}

fn described(callee: &Callee) -> Function {
    let about = &callee.about;
    Function {
        key: callee.key.to_string(),
        name: callee.deployed_name.clone(),
        handler: about.handler.clone(),
        runtime: about.runtime.to_owned(),
        memory_mib: about.memory_mib,
        timeout_ms: about.timeout_ms,
        environment: about.environment.clone(),
        concurrency_max: callee.concurrency_max,
    }
}

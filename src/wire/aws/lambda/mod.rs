//! Lambda's REST API, as far as a running project needs it: to invoke functions, and to look at them.
//! Source: the API reference pages "Invoke", "InvokeAsync", "ListFunctions", "GetFunction", "ListEventSourceMappings", "GetAccountSettings".

mod decode;
mod encode;
pub mod event;
mod fail;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::arn::Account;
use crate::base::{Call, Ids};
use crate::wire::http::{Body, Description, Request, Response};
use decode::{Invocation, Kind, Operation};
pub use fail::Error;

/// Bytes of an event at most, for a call that waits for the answer, and for one that does not.
pub const SYNC_BYTES_MAX: usize = 6_291_456;
pub const ASYNC_BYTES_MAX: usize = 1_048_576;

/// The functions that this API shows: implemented where they are run.
#[async_trait]
pub trait Functions: Send + Sync + 'static {
    /// All functions, by name.
    fn list(&self) -> Vec<Function>;
    /// One function, by any of its names.
    fn find(&self, name: &str) -> Option<Function>;
    /// What the functions consume.
    fn mappings(&self) -> Vec<Mapping>;
    /// Runs a function and waits for its answer. `name` is [`Function::key`].
    /// The answer has the log where it was asked for.
    async fn invoke(&self, call: &Call, name: &str, event: Bytes, with_log: bool) -> Result<Invoked, Error>;
    /// Has a function run on its own time: stored, with its retries, when this answers. Answers the request's identifier.
    async fn enqueue(&self, call: &Call, name: &str, event: Bytes) -> Result<String, Error>;
}

/// A function, as this API describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// What the project calls it.
    pub key: String,
    /// What it is deployed as.
    pub name: String,
    pub handler: String,
    /// E.g. `nodejs22.x`.
    pub runtime: String,
    pub memory_mib: u32,
    pub timeout_ms: u64,
    pub environment: BTreeMap<String, String>,
    pub concurrency_max: Option<u32>,
}

/// What a function answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked {
    pub payload: Bytes,
    /// It threw, ran out of time or memory.
    pub failed: bool,
    /// What it logged; empty where nobody asked.
    pub log: String,
    pub request_id: String,
}

/// A queue or stream that a function consumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The function's deployed name.
    pub function: String,
    pub source_arn: String,
    pub batch_size: usize,
    pub window_s: i64,
    pub partial_failures: bool,
    /// `TRIM_HORIZON` or `LATEST`; streams only.
    pub starting_position: Option<&'static str>,
    pub retries_max: Option<u32>,
    pub bisect: Option<bool>,
}

/// The Lambda API over a World's functions. Cheap to clone.
#[derive(Clone)]
pub struct Lambda {
    functions: Arc<dyn Functions>,
    account: Account,
    ids: Ids,
}

impl Lambda {
    /// The API over `functions`, answering as `account`.
    pub fn new(functions: Arc<dyn Functions>, account: Account, ids: Ids) -> Lambda {
        Lambda { functions, account, ids }
    }

    /// Answers a request; errors too become answers.
    pub async fn handle(&self, call: &Call, request: Request) -> Response {
        let mut said = Description::new("lambda", "");
        let answer = self.answer(call, request, &mut said).await.unwrap_or_else(|error| fail::fail(&error));
        said.attach(encode::with_request_id(answer, || self.ids.uuid()))
    }

    async fn answer(&self, call: &Call, request: Request, said: &mut Description) -> Result<Response, Error> {
        let (head, body) = request.into_parts();
        let operation = decode::operation(&head)?;
        *said = operation.describe();
        match operation {
            Operation::Invoke(invocation) => self.invoke(call, invocation, body).await,
            Operation::InvokeAsync(name) => {
                let function = self.function(&name, None)?;
                let event = decode::event(body, Kind::Event).await?;
                let request_id = self.functions.enqueue(call, &function.key, event).await?;
                Ok(encode::accepted_legacy(&request_id))
            }
            Operation::List(page) => Ok(encode::functions(&self.account, self.functions.list(), &page)),
            Operation::Get(name, qualifier) => Ok(encode::function(&self.account, &self.function(&name, qualifier.as_deref())?)),
            Operation::GetConfiguration(name, qualifier) => {
                Ok(encode::function_configuration(&self.account, &self.function(&name, qualifier.as_deref())?))
            }
            Operation::ListMappings { function, source } => {
                let function = function.map(|name| self.function(&name, None)).transpose()?;
                let wanted = |mapping: &Mapping| {
                    function.as_ref().is_none_or(|function| function.name == mapping.function)
                        && source.as_ref().is_none_or(|arn| *arn == mapping.source_arn)
                };
                let mappings = self.functions.mappings().into_iter().filter(wanted).collect::<Vec<_>>();
                Ok(encode::mappings(&self.account, &mappings))
            }
            Operation::AccountSettings => Ok(encode::account_settings(self.functions.list().len())),
        }
    }

    async fn invoke(&self, call: &Call, invocation: Invocation, body: Body) -> Result<Response, Error> {
        let function = self.function(&invocation.function, invocation.qualifier.as_deref())?;
        let event = decode::event(body, invocation.kind).await?;
        match invocation.kind {
            Kind::DryRun => Ok(encode::dry_run()),
            Kind::Event => {
                let request_id = self.functions.enqueue(call, &function.key, event).await?;
                Ok(encode::accepted(&request_id))
            }
            Kind::RequestResponse => {
                let invoked = self.functions.invoke(call, &function.key, event, invocation.log_tail).await?;
                Ok(encode::invoked(invoked, invocation.log_tail))
            }
        }
    }

    fn function(&self, given: &str, qualifier: Option<&str>) -> Result<Function, Error> {
        let name = decode::name(given, qualifier)?;
        let missing = || {
            let resource = match name.qualifier.as_deref() {
                Some(qualifier) => format!("function:{}:{qualifier}", name.function),
                None => format!("function:{}", name.function),
            };
            Error::NoFunction(self.account.arn("lambda", &resource))
        };
        // There is one version of a function: what its source says now.
        match name.qualifier.as_deref() {
            None | Some("$LATEST") => self.functions.find(&name.function).ok_or_else(missing),
            Some(_) => Err(missing()),
        }
    }
}

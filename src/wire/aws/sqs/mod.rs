//! SQS, over both of its protocols: AWS JSON 1.0 (`X-Amz-Target: AmazonSQS.…`) and the older query protocol with XML.
//! One table of actions between two decoders and two encoders. Source: the Amazon SQS API reference.

mod action;
mod decode;
pub mod digest;
mod encode;
mod event;
mod fail;
mod peek;
#[cfg(test)]
mod tests;

use http::header::HOST;

use crate::base::{Call, Ids};
use crate::services::queues::Queues;
use crate::wire::aws::arn::Account;
use crate::wire::aws::query;
use crate::wire::http::{Description, Request, Response, header};

pub use event::event;
use fail::Fault;

/// Bytes of a request: a whole batch, with room for escapes.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// The SQS wire. Cheap to clone.
#[derive(Clone)]
pub struct Sqs {
    queues: Queues,
    account: Account,
    ids: Ids,
}

/// Which protocol a request speaks, so that the answer speaks it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Json,
    Query,
}

impl Sqs {
    /// A wire to `queues`, which are `account`'s.
    pub fn new(queues: Queues, account: Account, ids: Ids) -> Sqs {
        Sqs { queues, account, ids }
    }

    /// The ARN of a queue.
    pub fn arn(&self, queue: &str) -> String {
        self.account.arn("sqs", queue)
    }

    /// Answers one request in the protocol that it speaks.
    pub async fn handle(&self, call: &Call, request: Request) -> Response {
        let request_id = self.ids.uuid();
        let dialect = match header(request.headers(), "x-amz-target") {
            Some(_) => Dialect::Json,
            None => Dialect::Query,
        };
        let mut said = Description::new("sqs", "");
        let response = match self.answer(call, request, dialect, &mut said).await {
            Ok(output) => encode::answer(dialect, &said.action, &output, &request_id),
            Err(fault) => {
                said.error = Some(fault.code.clone());
                encode::fault(dialect, &fault, &request_id)
            }
        };
        said.attach(response)
    }

    async fn answer(&self, call: &Call, request: Request, dialect: Dialect, said: &mut Description) -> Result<encode::Output, Fault> {
        let base = base_url(&request);
        let input = match dialect {
            Dialect::Json => {
                let target = header(request.headers(), "x-amz-target").unwrap_or_default();
                said.action = target.rsplit('.').next().unwrap_or_default().to_owned();
                let body = request.into_body().collect(REQUEST_BYTES_MAX).await.map_err(|error| Fault::unreadable(&error.to_string()))?;
                decode::json(&body)?
            }
            Dialect::Query => {
                let path = request.uri().path().to_owned();
                let parameters =
                    query::parameters(request, REQUEST_BYTES_MAX).await.map_err(|error| Fault::unreadable(&error.to_string()))?;
                said.action = parameters.text("Action").ok_or_else(Fault::no_action)?.to_owned();
                decode::query(&parameters, &path)
            }
        };
        let named = input.queue_url.as_deref().map(|url| url.rsplit('/').next().unwrap_or_default()).or(input.queue_name.as_deref());
        said.resource = named.map(str::to_owned);
        action::run(self, call, &said.action, input, &base).await.map_err(|fault| fault.said_in(dialect))
    }

    fn url(&self, base: &str, queue: &str) -> String {
        format!("{base}/{}/{queue}", self.account.id)
    }
}

/// Where the client found us: what the URLs of queues begin with.
fn base_url(request: &Request) -> String {
    let uri = request.uri();
    let host = header(request.headers(), HOST.as_str()).or_else(|| uri.authority().map(|a| a.as_str())).unwrap_or("localhost");
    format!("{}://{host}", uri.scheme_str().unwrap_or("http"))
}

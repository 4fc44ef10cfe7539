//! SNS, over the query protocol. Source: the Amazon SNS API reference.

mod action;
mod event;
mod fail;
#[cfg(test)]
mod tests;

use crate::base::{Call, Ids};
use crate::services::topics::Topics;
use crate::wire::aws::arn::{self, Account};
use crate::wire::aws::query::{self, Parameters};
use crate::wire::http::{Description, Request, Response};

pub use event::{envelope, event};
use fail::Fault;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
/// Bytes of a request: a whole batch, with room for escapes.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// The SNS wire. Cheap to clone.
#[derive(Clone)]
pub struct Sns {
    topics: Topics,
    account: Account,
    ids: Ids,
}

impl Sns {
    /// A wire to `topics`, which are `account`'s.
    pub fn new(topics: Topics, account: Account, ids: Ids) -> Sns {
        Sns { topics, account, ids }
    }

    /// The ARN of a topic.
    pub fn arn(&self, topic: &str) -> String {
        self.account.arn("sns", topic)
    }

    /// The ARN of a subscription.
    pub fn subscription_arn(&self, topic: &str, id: &str) -> String {
        format!("{}:{id}", self.arn(topic))
    }

    /// Answers one request.
    pub async fn handle(&self, call: &Call, request: Request) -> Response {
        let request_id = self.ids.uuid();
        let mut said = Description::new("sns", "");
        let answer = match query::parameters(request, REQUEST_BYTES_MAX).await {
            Ok(parameters) => {
                said.action = parameters.text("Action").unwrap_or_default().to_owned();
                let named = ["TopicArn", "TargetArn", "ResourceArn", "Name"].into_iter().find_map(|name| parameters.text(name));
                said.resource = named.map(|named| arn::resource(named).to_owned());
                self.answer(call, &parameters, &request_id).await
            }
            Err(error) => Err(Fault::malformed(&error.to_string())),
        };
        said.attach(answer.unwrap_or_else(|fault| query::error(NAMESPACE, fault.status, &fault.code, &fault.message, &request_id)))
    }

    async fn answer(&self, call: &Call, parameters: &Parameters, request_id: &str) -> Result<Response, Fault> {
        let action = parameters.text("Action").ok_or_else(|| Fault::malformed("Missing Action"))?;
        action::run(self, call, action, parameters, request_id).await
    }
}

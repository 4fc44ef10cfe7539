//! The stream by which messages are sent as they come.

use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::proto::{Confirmation, StreamingPullRequest, StreamingPullResponse, SubscriptionProperties};
use super::{PubsubWire, decode, encode};
use crate::base::Call;
use crate::services::pubsub::{AckId, Flow, Subscriber, SubscriptionName};
use crate::wire::firebase::rpc::{Failure, Requests};

/// Answers that wait for a client that reads slowly.
pub const ANSWERS_MAX: usize = 4;

type Answers = mpsc::Sender<Result<StreamingPullResponse, Failure>>;

impl PubsubWire {
    /// Sends messages until the client ends, or something cannot be.
    pub(super) async fn streaming_pull(&self, call: Call, mut requests: Requests<StreamingPullRequest>, answers: Answers) {
        if let Err(failure) = self.stream(&call, &mut requests, &answers).await {
            // Nobody may be there to hear it.
            let _ = answers.send(Err(failure)).await;
        }
    }

    async fn stream(&self, call: &Call, requests: &mut Requests<StreamingPullRequest>, answers: &Answers) -> Result<(), Failure> {
        let Some(first) = requests.next().await else { return Ok(()) };
        let first = first?;
        let name = SubscriptionName::parse(&first.subscription)?;
        let settings = self.pubsub.subscription(call, &name).await?.settings;
        let confirms = settings.exactly_once;
        let subscriber = self.pubsub.subscriber(call, &name, flow(&first)?).await?;
        if !self.apply(call, &name, first, confirms, answers).await? {
            return Ok(());
        }
        let properties = SubscriptionProperties { exactly_once_delivery_enabled: confirms, message_ordering_enabled: settings.ordering };
        let inward = async {
            while let Some(request) = requests.next().await {
                if !self.apply(call, &name, request?, confirms, answers).await? {
                    break;
                }
            }
            Ok(())
        };
        tokio::select! {
            () = answers.closed() => Ok(()),
            ended = inward => ended,
            ended = send(&subscriber, properties, answers) => ended,
        }
    }

    /// Does what a message of the client says; false where nobody hears the answer.
    async fn apply(
        &self,
        call: &Call,
        name: &SubscriptionName,
        request: StreamingPullRequest,
        confirms: bool,
        answers: &Answers,
    ) -> Result<bool, Failure> {
        let mut answer = StreamingPullResponse::default();
        if !request.ack_ids.is_empty() {
            self.pubsub.acknowledge(call, name, decode::ack_ids(&request.ack_ids)?).await?;
            answer.acknowledge_confirmation = confirms.then_some(Confirmation { ack_ids: request.ack_ids });
        }
        if request.modify_deadline_ack_ids.len() != request.modify_deadline_seconds.len() {
            return Err(Failure::invalid("modify_deadline_seconds and modify_deadline_ack_ids must be of the same length."));
        }
        if !request.modify_deadline_ack_ids.is_empty() {
            let ids = decode::ack_ids(&request.modify_deadline_ack_ids)?;
            let deadlines: Vec<(AckId, i64)> = ids.into_iter().zip(request.modify_deadline_seconds.into_iter().map(i64::from)).collect();
            self.pubsub.modify(call, name, deadlines).await?;
            answer.modify_ack_deadline_confirmation = confirms.then_some(Confirmation { ack_ids: request.modify_deadline_ack_ids });
        }
        if answer == StreamingPullResponse::default() {
            return Ok(true);
        }
        Ok(answers.send(Ok(answer)).await.is_ok())
    }
}

/// Sends messages as they come.
async fn send(subscriber: &Subscriber, properties: SubscriptionProperties, answers: &Answers) -> Result<(), Failure> {
    loop {
        // Room first: what is handed out can be sent then.
        let Ok(place) = answers.reserve().await else { return Ok(()) };
        let received_messages = encode::received(subscriber.next().await?);
        let subscription_properties = Some(properties.clone());
        place.send(Ok(StreamingPullResponse { received_messages, subscription_properties, ..Default::default() }));
    }
}

fn flow(request: &StreamingPullRequest) -> Result<Flow, Failure> {
    let deadline_s = i64::from(request.stream_ack_deadline_seconds);
    if !(10..=600).contains(&deadline_s) {
        return Err(Failure::invalid(format!("Invalid stream_ack_deadline_seconds given ({deadline_s}): it must be between 10 and 600.")));
    }
    // None, or one that is not above zero: as much as there is.
    let limit = |number: i64| usize::try_from(number).ok().filter(|number| *number > 0).unwrap_or(usize::MAX);
    Ok(Flow { messages_max: limit(request.max_outstanding_messages), bytes_max: limit(request.max_outstanding_bytes), deadline_s })
}

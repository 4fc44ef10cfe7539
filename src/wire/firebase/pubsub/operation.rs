//! The calls of the API, whichever way they came.

use super::proto::*;
use super::{PubsubWire, decode, encode};
use crate::base::Call;
use crate::services::pubsub::{SubscriptionName, TopicName};
use crate::wire::firebase::rpc::Failure;

impl PubsubWire {
    pub(super) async fn create_topic(&self, call: &Call, request: Topic) -> Result<Topic, Failure> {
        Ok(encode::topic(self.pubsub.create_topic(call, decode::topic(request)?).await?))
    }

    pub(super) async fn update_topic(&self, call: &Call, request: UpdateTopicRequest) -> Result<Topic, Failure> {
        let wanted = decode::topic(request.topic.unwrap_or_default())?;
        Ok(encode::topic(self.pubsub.update_topic(call, wanted, decode::topic_fields(request.update_mask)?).await?))
    }

    pub(super) async fn publish(&self, call: &Call, request: PublishRequest) -> Result<PublishResponse, Failure> {
        let topic = TopicName::parse(&request.topic)?;
        let messages = request.messages.into_iter().map(decode::publish).collect();
        Ok(PublishResponse { message_ids: self.pubsub.publish(call, &topic, messages).await? })
    }

    pub(super) async fn get_topic(&self, call: &Call, request: Named) -> Result<Topic, Failure> {
        Ok(encode::topic(self.pubsub.topic(call, &TopicName::parse(&request.name)?).await?))
    }

    pub(super) async fn list_topics(&self, call: &Call, request: Listed) -> Result<ListTopicsResponse, Failure> {
        let page = self.pubsub.topics(call, project(&request.of)?, request.page_size, &request.page_token).await?;
        Ok(encode::topics(page))
    }

    pub(super) async fn list_topic_subscriptions(&self, call: &Call, request: Listed) -> Result<ListTopicSubscriptionsResponse, Failure> {
        let topic = TopicName::parse(&request.of)?;
        let page = self.pubsub.subscribers(call, &topic, request.page_size, &request.page_token).await?;
        Ok(ListTopicSubscriptionsResponse { subscriptions: page.items, next_page_token: page.next.unwrap_or_default() })
    }

    pub(super) async fn list_topic_snapshots(&self, call: &Call, request: Listed) -> Result<ListTopicSnapshotsResponse, Failure> {
        self.pubsub.topic(call, &TopicName::parse(&request.of)?).await?;
        Ok(ListTopicSnapshotsResponse::default())
    }

    pub(super) async fn list_snapshots(&self, _: &Call, request: Listed) -> Result<ListSnapshotsResponse, Failure> {
        project(&request.of)?;
        Ok(ListSnapshotsResponse {})
    }

    pub(super) async fn delete_topic(&self, call: &Call, request: Named) -> Result<Empty, Failure> {
        self.pubsub.delete_topic(call, &TopicName::parse(&request.name)?).await?;
        Ok(Empty {})
    }

    pub(super) async fn detach_subscription(&self, call: &Call, request: Named) -> Result<Empty, Failure> {
        self.pubsub.detach(call, &SubscriptionName::parse(&request.name)?).await?;
        Ok(Empty {})
    }

    pub(super) async fn create_subscription(&self, call: &Call, request: Subscription) -> Result<Subscription, Failure> {
        let (name, topic) = (SubscriptionName::parse(&request.name)?, TopicName::parse(&request.topic)?);
        Ok(encode::subscription(self.pubsub.subscribe(call, name, topic, decode::settings(request)).await?))
    }

    pub(super) async fn get_subscription(&self, call: &Call, request: Named) -> Result<Subscription, Failure> {
        Ok(encode::subscription(self.pubsub.subscription(call, &SubscriptionName::parse(&request.name)?).await?))
    }

    pub(super) async fn update_subscription(&self, call: &Call, request: UpdateSubscriptionRequest) -> Result<Subscription, Failure> {
        let wanted = request.subscription.unwrap_or_default();
        let (name, fields) = (SubscriptionName::parse(&wanted.name)?, decode::fields(request.update_mask)?);
        Ok(encode::subscription(self.pubsub.update(call, &name, decode::settings(wanted), fields).await?))
    }

    pub(super) async fn list_subscriptions(&self, call: &Call, request: Listed) -> Result<ListSubscriptionsResponse, Failure> {
        let page = self.pubsub.subscriptions(call, project(&request.of)?, request.page_size, &request.page_token).await?;
        Ok(encode::subscriptions(page))
    }

    pub(super) async fn delete_subscription(&self, call: &Call, request: Named) -> Result<Empty, Failure> {
        self.pubsub.unsubscribe(call, &SubscriptionName::parse(&request.name)?).await?;
        Ok(Empty {})
    }

    pub(super) async fn modify_push_config(&self, call: &Call, request: ModifyPushConfigRequest) -> Result<Empty, Failure> {
        let wanted = Subscription { push_config: request.push_config, ..Subscription::default() };
        let name = SubscriptionName::parse(&request.subscription)?;
        let fields = vec![crate::services::pubsub::Field::Push];
        self.pubsub.update(call, &name, decode::settings(wanted), fields).await?;
        Ok(Empty {})
    }

    pub(super) async fn pull(&self, call: &Call, request: PullRequest) -> Result<PullResponse, Failure> {
        let name = SubscriptionName::parse(&request.subscription)?;
        let received = self.pubsub.pull(call, &name, request.max_messages, request.return_immediately).await?;
        Ok(PullResponse { received_messages: encode::received(received) })
    }

    pub(super) async fn acknowledge(&self, call: &Call, request: AcknowledgeRequest) -> Result<Empty, Failure> {
        let name = SubscriptionName::parse(&request.subscription)?;
        self.pubsub.acknowledge(call, &name, decode::ack_ids(&request.ack_ids)?).await?;
        Ok(Empty {})
    }

    pub(super) async fn modify_ack_deadline(&self, call: &Call, request: ModifyAckDeadlineRequest) -> Result<Empty, Failure> {
        let name = SubscriptionName::parse(&request.subscription)?;
        let seconds = i64::from(request.ack_deadline_seconds);
        let deadlines = decode::ack_ids(&request.ack_ids)?.into_iter().map(|id| (id, seconds)).collect();
        self.pubsub.modify(call, &name, deadlines).await?;
        Ok(Empty {})
    }

    pub(super) async fn seek(&self, call: &Call, request: SeekRequest) -> Result<Empty, Failure> {
        let name = SubscriptionName::parse(&request.subscription)?;
        let time = request.time.ok_or_else(|| Failure::unimplemented("emu has no snapshots of subscriptions; seek to a time."))?;
        self.pubsub.seek(call, &name, decode::time(time)).await?;
        Ok(Empty {})
    }

    /// Whoever can reach the port may do everything.
    pub(super) async fn test_iam_permissions(
        &self,
        _: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Failure> {
        Ok(TestIamPermissionsResponse { permissions: request.permissions })
    }
}

fn project(name: &str) -> Result<&str, Failure> {
    let project = name.strip_prefix("projects/").filter(|project| !project.is_empty() && !project.contains('/'));
    project.ok_or_else(|| Failure::invalid("Invalid project given: it must be projects/PROJECT."))
}

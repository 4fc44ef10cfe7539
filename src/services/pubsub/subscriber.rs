//! One who is sent messages as they come, as many at a time as it can take.

use super::{Error, Lease, Pubsub, Received, SubscriptionName};
use crate::base::Call;

/// How much a subscriber takes before it has acknowledged some of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    pub messages_max: usize,
    pub bytes_max: usize,
    /// Seconds to acknowledge a message in.
    pub deadline_s: i64,
}

/// One who is sent messages. What it holds when it goes comes back at its deadline.
pub struct Subscriber {
    pubsub: Pubsub,
    call: Call,
    name: SubscriptionName,
    lease: Lease,
}

impl Pubsub {
    /// Begins to be sent messages. Fails with `NoSuchSubscription`, `Pushed`.
    pub async fn subscriber(&self, call: &Call, name: &SubscriptionName, flow: Flow) -> Result<Subscriber, Error> {
        if self.subscription(call, name).await?.settings.push.is_some() {
            return Err(Error::Pushed);
        }
        let Flow { messages_max, bytes_max, deadline_s } = flow;
        let holder = Some(self.db.ids().hex(8));
        let lease = Lease { messages_max, bytes_max, deadline_s: Some(deadline_s), holder };
        Ok(Subscriber { pubsub: self.clone(), call: call.clone(), name: name.clone(), lease })
    }
}

impl Subscriber {
    /// The next messages, once there are some and there is room for them.
    pub async fn next(&self) -> Result<Vec<Received>, Error> {
        self.pubsub.wait(&self.call, &self.name, &self.lease).await
    }
}

//! Sends messages to those who have them sent, until they say that they have dealt with them.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::base::Call;
use crate::gateway::Network;
use crate::services::pubsub::{Error, Lease, PUSHED, Pubsub, Received, Subscription, SubscriptionName};
use crate::store::Db;
use crate::wire::firebase::pubsub::push;

/// Messages that are under way to an endpoint at once.
const AT_ONCE: usize = 16;

/// Who sends.
#[derive(Clone)]
pub(in crate::app) struct Pusher {
    pub(in crate::app) db: Db,
    pub(in crate::app) pubsub: Pubsub,
    pub(in crate::app) network: Network,
}

impl Pusher {
    /// Sends to all subscriptions that there are, and those that come, until `shutdown`.
    pub(in crate::app) async fn run(self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.follow()).await;
    }

    async fn follow(self) {
        // What is dropped with this ends.
        let mut tasks = JoinSet::new();
        let mut running: HashMap<SubscriptionName, (Subscription, AbortHandle)> = HashMap::new();
        loop {
            let woken = self.db.woken(PUSHED);
            let mut woken = std::pin::pin!(woken.notified());
            woken.as_mut().enable();
            let era = self.db.era();
            let wanted = match self.pubsub.pushed(&Call::operator()).await {
                Ok(wanted) => wanted,
                Err(error) => {
                    tracing::warn!(%error, "Pub/Sub: it is not known where messages are to be sent");
                    Vec::new()
                }
            };
            running.retain(|_, (subscription, task)| {
                let stays = wanted.contains(subscription) && !task.is_finished();
                if !stays {
                    task.abort();
                }
                stays
            });
            for subscription in wanted.into_iter().filter(|subscription| !subscription.settings.detached) {
                if !running.contains_key(&subscription.name) {
                    let task = tasks.spawn(self.clone().send_all(subscription.clone()));
                    running.insert(subscription.name.clone(), (subscription, task));
                }
            }
            while tasks.try_join_next().is_some() {}
            tokio::select! {
                () = woken => {}
                () = era.over() => {}
            }
        }
    }

    async fn send_all(self, subscription: Subscription) {
        // One after another where order matters.
        let lease = Lease::of(if subscription.settings.ordering { 1 } else { AT_ONCE });
        let mut fails = false;
        loop {
            let call = Call { era: Some(self.db.era()), ..Call::operator() };
            match self.pubsub.wait(&call, &subscription.name, &lease).await {
                Ok(received) => {
                    let sent = join_all(received.into_iter().map(|one| self.send(&call, &subscription, one))).await;
                    let failed = sent.into_iter().find_map(Result::err);
                    // Said once, until it works again.
                    if let Some(why) = failed.as_ref().filter(|_| !fails) {
                        let id = subscription.name.id();
                        tracing::warn!("Pub/Sub: the endpoint of {id} takes no messages: {why}; they are sent again until it does");
                    }
                    fails = failed.is_some();
                }
                // The state is another; what is to be sent in it is looked up anew.
                Err(Error::NoSuchSubscription(_) | Error::Superseded | Error::Detached(_)) => return,
                Err(error) => {
                    tracing::warn!(%error, "Pub/Sub: messages of {} are not sent any more", subscription.name);
                    return;
                }
            }
        }
    }

    /// Sends one message; why it was not taken.
    async fn send(&self, call: &Call, subscription: &Subscription, received: Received) -> Result<(), String> {
        let (name, settings) = (&subscription.name, &subscription.settings);
        let Some(to) = &settings.push else { return Ok(()) };
        let call = Call { trace: received.message.trace.clone(), ..call.clone() };
        let patience = Duration::from_secs(settings.ack_deadline_s.unsigned_abs());
        let request = push::request(name, to, &received, self.db.now());
        let sent = match request {
            None => Err(format!("{} cannot be asked", to.endpoint)),
            Some(request) => match tokio::time::timeout(patience, self.network.push(call.clone(), request)).await {
                Ok(Ok(answer)) if push::is_acknowledged(answer.status()) => Ok(()),
                Ok(Ok(answer)) => Err(format!("{} answered {}", to.endpoint, answer.status())),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("{} did not answer within {} s", to.endpoint, patience.as_secs())),
            },
        };
        let kept = match &sent {
            Ok(()) => self.pubsub.acknowledge(&call, name, vec![received.ack_id]).await,
            Err(_) => self.pubsub.modify(&call, name, vec![(received.ack_id, 0)]).await,
        };
        if let Err(error) = kept {
            // It is another state, or the message comes back at its deadline.
            tracing::debug!(%error, "Pub/Sub: what became of a message of {name} could not be kept");
        }
        sent
    }
}

//! What happens to stored data by itself when its time comes.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::base::{Call, Time};
use crate::services::objects::{self, lifecycle};
use crate::services::{Services, tables};
use crate::store::Db;

/// Expired items that are removed in one transaction.
const EXPIRED_AT_ONCE: usize = 100;

/// What is answered sooner or later; an error is for people.
type Later<'a, T> = BoxFuture<'a, Result<T, String>>;

/// Something that is to be done to what is stored when its time comes.
struct Chore {
    /// Woken where that time may have changed.
    key: &'static str,
    next: fn(&Services) -> Later<'_, Option<Time>>,
    act: fn(&Services, Call) -> Later<'_, usize>,
}

/// Removes items whose time has come.
const EXPIRE: Chore = Chore {
    key: tables::EXPIRY_WAKE,
    next: |services| Box::pin(async { services.tables.next_expiry(&Call::operator()).await.map_err(|error| error.to_string()) }),
    act: |services, call| {
        Box::pin(async move { services.tables.expire_due(&call, EXPIRED_AT_ONCE).await.map_err(|error| error.to_string()) })
    },
};

/// Forgets the records of streams that are a day old.
const TRIM: Chore = Chore {
    key: tables::TRIM_WAKE,
    next: |services| Box::pin(async { services.tables.next_trim(&Call::operator()).await.map_err(|error| error.to_string()) }),
    act: |services, call| Box::pin(async move { services.tables.trim_streams(&call).await.map_err(|error| error.to_string()) }),
};

/// Carries out the rules of buckets.
const AGE: Chore = Chore {
    key: lifecycle::LIFECYCLE_WAKE,
    next: |services| Box::pin(async { services.objects.next_lifecycle(&Call::operator()).await.map_err(|error| error.to_string()) }),
    act: |services, call| Box::pin(async move { services.objects.carry_out_lifecycle(&call).await.map_err(|error| error.to_string()) }),
};

/// Forgets uploads over several requests that are a week old.
const FORGET: Chore = Chore {
    key: objects::SESSIONS_WAKE,
    next: |services| Box::pin(async { services.objects.next_forgotten(&Call::operator()).await.map_err(|error| error.to_string()) }),
    act: |services, call| Box::pin(async move { services.objects.forget_sessions(&call).await.map_err(|error| error.to_string()) }),
};

/// Does what is due, when it is due.
pub(super) async fn keep(shared: Arc<Shared>, shutdown: CancellationToken) {
    let (services, db) = (&shared.world.services, &shared.world.db);
    let due = |chore| do_when_due(services, db, chore);
    let all = async { tokio::join!(due(&EXPIRE), due(&TRIM), due(&AGE), due(&FORGET)) };
    shutdown.run_until_cancelled(all).await;
}

async fn do_when_due(services: &Services, db: &Db, chore: &Chore) {
    loop {
        let notify = db.woken(chore.key);
        let mut woken = std::pin::pin!(notify.notified());
        woken.as_mut().enable();
        let time = (chore.next)(services).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what is due could not be looked for");
            None
        });
        match time {
            Some(time) if time <= db.now() => {
                // What is found in one state is not done to the next.
                let era = db.era();
                let call = Call { era: Some(era.clone()), ..Call::operator() };
                match (chore.act)(services, call).await {
                    Ok(_) => {}
                    Err(_) if era.is_over() => {}
                    Err(error) => {
                        tracing::warn!(%error, "what was due could not be removed");
                        woken.await;
                    }
                }
            }
            Some(time) => {
                tokio::select! {
                    () = db.clock().sleep_until(time) => {}
                    () = woken => {}
                }
            }
            None => woken.await,
        }
    }
}

impl Shared {
    /// When the next of what is stored is due by itself.
    pub(super) async fn next_deadline(&self) -> Result<Option<Time>, String> {
        let services = &self.world.services;
        Ok([(EXPIRE.next)(services).await?, (AGE.next)(services).await?].into_iter().flatten().min())
    }

    /// What is due just now and not done yet, for people; `None` where nothing is.
    pub(super) async fn overdue(&self) -> Result<Option<&'static str>, String> {
        let (services, now) = (&self.world.services, self.world.db.now());
        if (EXPIRE.next)(services).await?.is_some_and(|next| next <= now) {
            return Ok(Some("items whose time to live is over not yet removed"));
        }
        if (AGE.next)(services).await?.is_some_and(|next| next <= now) {
            return Ok(Some("lifecycle rules of buckets not yet carried out"));
        }
        Ok(None)
    }
}

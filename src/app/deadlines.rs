//! What happens to stored data by itself when its time comes.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::base::{Call, Time};
use crate::services::tables::{self, Error, Tables};

/// Expired items that are removed in one transaction.
const EXPIRED_AT_ONCE: usize = 100;

type Doing<T> = for<'a> fn(&'a Tables) -> BoxFuture<'a, Result<T, Error>>;

/// Something that is to be done to tables when its time comes.
struct Chore {
    /// Woken where that time may have changed.
    key: &'static str,
    next: Doing<Option<Time>>,
    act: Doing<usize>,
}

/// Removes items whose time has come.
const EXPIRE: Chore = Chore {
    key: tables::EXPIRY_WAKE,
    next: |tables| Box::pin(async { tables.next_expiry(&Call::operator()).await }),
    act: |tables| Box::pin(async { tables.expire_due(&Call::operator(), EXPIRED_AT_ONCE).await }),
};

/// Forgets the records of streams that are a day old.
const TRIM: Chore = Chore {
    key: tables::TRIM_WAKE,
    next: |tables| Box::pin(async { tables.next_trim(&Call::operator()).await }),
    act: |tables| Box::pin(async { tables.trim_streams(&Call::operator()).await }),
};

/// Does what is due in tables, when it is due.
pub(super) async fn keep(shared: Arc<Shared>, shutdown: CancellationToken) {
    let tables = &shared.world.services.tables;
    shutdown.run_until_cancelled(async { tokio::join!(do_when_due(tables, &EXPIRE), do_when_due(tables, &TRIM)) }).await;
}

async fn do_when_due(tables: &Tables, chore: &Chore) {
    let db = tables.db();
    loop {
        let notify = db.woken(chore.key);
        let mut woken = std::pin::pin!(notify.notified());
        woken.as_mut().enable();
        let time = (chore.next)(tables).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what is due in tables could not be looked for");
            None
        });
        match time {
            Some(time) if time <= db.now() => {
                if let Err(error) = (chore.act)(tables).await {
                    tracing::warn!(%error, "what was due in tables could not be removed");
                    woken.await;
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

//! Items that expire. Source: "Using time to live (TTL) in DynamoDB".

use super::capacity::Consumed;
use super::item::replace;
use super::stream::Change;
use super::value::{Item, Value};
use super::{EXPIRED_WAKE, Error, Tables, store};
use crate::base::{Call, Time};

/// Moments longer ago than this never expire: five years, in seconds.
const PAST_MAX_S: i64 = 5 * 365 * 24 * 3600;

/// When an item expires, in seconds; `None` where its attribute says nothing of the kind.
pub(super) fn moment(item: &Item, attribute: &str) -> Option<i64> {
    match item.get(attribute) {
        Some(Value::N(number)) => number.to_i64().filter(|at| *at > 0),
        _ => None,
    }
}

impl Tables {
    /// Deletes up to `limit` items whose time has come; answers how many. Their stream records tell that nobody asked for it.
    /// Costs nothing, as in production.
    pub async fn expire_due(&self, call: &Call, limit: usize) -> Result<usize, Error> {
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let now = tx.now().seconds();
                let due = store::expired(tx, now.saturating_sub(PAST_MAX_S), now, limit)?;
                let catalog = store::catalog(&cache, tx)?;
                let mut count = 0;
                for (number, key) in due {
                    let Some(table) = catalog.tables.values().find(|table| table.number == number) else { continue };
                    let Some(item) = store::item(tx, table, &key)? else { continue };
                    let change = Change { old: Some(&item), new: None, expired: true };
                    replace(tx, table, &key, change, &mut Consumed::default())?;
                    count += 1;
                }
                tx.wake(EXPIRED_WAKE);
                Ok(count)
            })
            .await
    }

    /// When the next item expires: when to call [`Tables::expire_due`] again.
    pub async fn next_expiry(&self, call: &Call) -> Result<Option<Time>, Error> {
        self.db
            .read(call, |tx| {
                let from = tx.now().seconds().saturating_sub(PAST_MAX_S);
                Ok(store::next_expiry(tx, from)?.map(|at| Time(at.saturating_mul(1000))))
            })
            .await
    }
}

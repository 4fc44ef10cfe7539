//! Waiting until what somebody asks for has come.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Shared;

impl Shared {
    /// What `look` finds; waits for more where that is nothing, up to `wait`. Who brings something says so by waking `key`.
    pub(super) async fn found<'a, T, E>(
        &'a self,
        key: &str,
        wait: Duration,
        look: impl Fn() -> BoxFuture<'a, Result<Vec<T>, E>>,
    ) -> Result<Vec<T>, E> {
        if wait.is_zero() {
            return look().await;
        }
        let looking = async {
            loop {
                // Listening begins before looking, so that nothing is missed in between.
                let arrivals = self.world.db.woken(key);
                let mut arrivals = std::pin::pin!(arrivals.notified());
                arrivals.as_mut().enable();
                let found = look().await?;
                if !found.is_empty() {
                    return Ok(found);
                }
                tokio::select! {
                    () = arrivals => {}
                    // Whoever waits must not hold up the stop.
                    () = self.shutdown.cancelled() => return Ok(found),
                }
            }
        };
        tokio::time::timeout(wait, looking).await.unwrap_or_else(|_| Ok(Vec::new()))
    }
}

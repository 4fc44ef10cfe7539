//! Which state a call belongs to. A World has one state after another: a reset, a restored snapshot and an import each begin a new
//! one at once. What is under way then belongs to the state before, and must not change the new one.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

/// The time of one state. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Era(Arc<One>);

#[derive(Debug)]
struct One {
    number: u64,
    began: Instant,
    over: CancellationToken,
}

impl Era {
    fn new(number: u64) -> Era {
        Era(Arc::new(One { number, began: Instant::now(), over: CancellationToken::new() }))
    }

    /// When it began.
    pub fn began(&self) -> Instant {
        self.0.began
    }

    /// Whether another state has taken the place of this one.
    pub fn is_over(&self) -> bool {
        self.0.over.is_cancelled()
    }

    /// Waits until another state takes the place of this one.
    pub async fn over(&self) {
        self.0.over.cancelled().await;
    }
}

impl PartialEq for Era {
    fn eq(&self, other: &Era) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Era {}

/// The eras of one World. Clones share them.
#[derive(Clone)]
pub struct Eras(Arc<ArcSwap<One>>);

impl Default for Eras {
    fn default() -> Eras {
        Eras(Arc::new(ArcSwap::new(Era::new(0).0)))
    }
}

impl Eras {
    /// The era of the state that there is now.
    pub fn current(&self) -> Era {
        Era(self.0.load_full())
    }

    /// Whether it is the era of the state that there is now.
    pub fn is_current(&self, era: &Era) -> bool {
        self.0.load().number == era.0.number
    }

    /// Ends the era and begins the next. Only for whoever has just put another state in place.
    pub fn begin_next(&self) {
        let before = self.current();
        self.0.store(Era::new(before.0.number.wrapping_add(1)).0);
        before.0.over.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_era_ends_the_one_before_and_wakes_those_who_wait_for_that() {
        let eras = Eras::default();
        let first = eras.current();
        let waiting = tokio::spawn({
            let first = first.clone();
            async move { first.over().await }
        });
        assert!(!first.is_over() && eras.is_current(&first));
        eras.begin_next();
        waiting.await.expect("it wakes");
        assert!(first.is_over() && !eras.is_current(&first) && !eras.current().is_over());
    }
}

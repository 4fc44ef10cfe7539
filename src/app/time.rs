//! Moves the World's clock.
//!
//! Forward it goes through every time that somebody waits for, and waits at each until all that was due then is done. So a month of
//! schedules, expiries, retries and hidden messages happens in its order, and whoever asks for the time sees the one at which it was due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shared;
use crate::base::{Call, Clock, Standing, Time};
use crate::gateway::admin::ClockChange;
use crate::services::{objects::lifecycle, tables};

/// Times that are stopped at; beyond them the clock jumps to where it was to go.
const STOPS_MAX: usize = 200_000;
/// How long the clock waits at one time before it looks whether what is under way waits for it itself, by the machine's clock.
const GLANCE: Duration = Duration::from_millis(25);
/// How long those have to wake whose time has come.
const AWAKE_MAX: Duration = Duration::from_secs(1);
/// How long it waits for functions between two looks.
const PAUSE: Duration = Duration::from_millis(1);
/// How long it waits at one time for anything else: for what takes longer, the clock goes on, as a real one would.
const PATIENCE: Duration = Duration::from_secs(5);

/// What should be said of a clock that is not the machine's.
pub(super) fn note(clock: &Clock) -> Option<String> {
    match clock.standing() {
        Standing::Ahead(0) => None,
        Standing::Ahead(ms) => {
            let (ms, side) = (ms.unsigned_abs(), if ms > 0 { "ahead of" } else { "behind" });
            Some(format!("the clock is {} {side} the machine's; `emu clock set now` brings it back", words(ms)))
        }
        Standing::Frozen(at) => Some(format!("the clock stands still at {}; `emu clock resume` lets it run", at.iso())),
    }
}

/// `1d 2h`, `90s`: the two largest units.
fn words(ms: u64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];
    let (mut left, mut text) = (ms, Vec::new());
    for (name, size) in units {
        if left >= size && text.len() < 2 {
            text.push(format!("{} {name}", left / size));
            left %= size;
        }
    }
    text.join(" ")
}

impl Shared {
    /// Changes the clock, and keeps how it stands.
    pub(super) async fn change_clock(&self, change: ClockChange) -> Result<(), String> {
        let _moving = self.moving.lock().await;
        let clock = self.world.db.clock();
        match change {
            ClockChange::Advance { ms } if ms > 0 => {
                let standing = clock.standing();
                if self.walk(clock.now().plus_ms(ms)).await {
                    // A clock that runs is ahead by so much more, however long the way took.
                    clock.stand(match standing {
                        Standing::Ahead(before) => Standing::Ahead(before.saturating_add(ms)),
                        Standing::Frozen(at) => Standing::Frozen(at.plus_ms(ms)),
                    });
                }
            }
            ClockChange::Advance { ms } => clock.advance_ms(ms),
            ClockChange::Set { time: None } => clock.stand(Standing::default()),
            ClockChange::Set { time: Some(time) } if time > clock.now() => {
                let frozen = clock.is_frozen();
                if self.walk(time).await {
                    clock.set(time);
                    if !frozen {
                        clock.resume();
                    }
                }
            }
            ClockChange::Set { time: Some(time) } => clock.set(time),
            ClockChange::Freeze => clock.freeze(),
            ClockChange::Resume => clock.resume(),
        }
        self.world.db.keep_clock(&Call::operator()).await.map_err(|error| error.to_string())
    }

    /// Goes forward to `end`, by every time that somebody waits for, and leaves the clock standing still on the way. False where
    /// another state took this one's place meanwhile, and brought its own clock.
    async fn walk(&self, end: Time) -> bool {
        let (clock, era) = (self.world.db.clock(), self.world.db.era());
        clock.freeze();
        for _ in 0..STOPS_MAX {
            self.settle().await;
            if era.is_over() {
                // Perhaps the clock that it brought was moved here since.
                let stored = self.world.db.read(&Call::operator(), |tx| tx.standing()).await;
                clock.stand(stored.unwrap_or_default());
                return false;
            }
            match self.next_due().await {
                Some(time) if time <= end && !self.shutdown.is_cancelled() => {
                    clock.set(time);
                }
                _ => break,
            }
        }
        true
    }

    /// The earliest time to come at which something is due: that somebody waits for, or that is stored. Who has just stored it may not
    /// wait for it yet.
    async fn next_due(&self) -> Option<Time> {
        let clock = self.world.db.clock();
        let stored = [self.triggers.next_due().await.unwrap_or(None), self.next_deadline().await.unwrap_or(None)];
        let now = clock.now();
        stored.into_iter().chain([clock.next_wake()]).flatten().filter(|time| *time > now).min()
    }

    /// Waits until all that is due now is done, but for what waits for the clock itself.
    async fn settle(&self) {
        let (began, clock) = (Instant::now(), self.world.db.clock());
        while began.elapsed() < PATIENCE && !self.shutdown.is_cancelled() {
            let quiet = tokio::time::timeout(GLANCE, self.quiet()).await.is_ok();
            let napping = clock.napping();
            if self.functions.under_way() <= napping {
                let pressing = if quiet { 0 } else { self.triggers.pressing().await.unwrap_or(0) };
                if pressing <= napping as u64 {
                    return;
                }
            }
            if quiet {
                // Functions that somebody else waits for tell nobody when they end.
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Waits until nothing is due or under way: what the triggers have to do, items that expire, and objects that grow old.
    pub(super) async fn quiet(&self) -> Result<(), String> {
        let db = &self.world.db;
        loop {
            // Those who have been told of the time but not run yet will have something to do. Not waited for without end: a sandbox that
            // is kept for later may hold one.
            let _ = tokio::time::timeout(AWAKE_MAX, db.clock().all_awake()).await;
            let (expired, aged) = (db.woken(tables::EXPIRED_WAKE), db.woken(lifecycle::LIFECYCLE_DONE_WAKE));
            let (mut expired, mut aged) = (std::pin::pin!(expired.notified()), std::pin::pin!(aged.notified()));
            expired.as_mut().enable();
            aged.as_mut().enable();
            if self.overdue().await?.is_some() {
                tokio::select! {
                    () = expired => {}
                    () = aged => {}
                }
                continue;
            }
            self.triggers.idle().await.map_err(|error| error.to_string())?;
            if self.overdue().await?.is_none() {
                return Ok(());
            }
        }
    }
}

impl Shared {
    /// As [`Shared::change_clock`], to its end even where nobody waits for that any more.
    pub(super) fn change_clock_whole(self: Arc<Self>, change: ClockChange) -> impl Future<Output = Result<(), String>> {
        let changing = tokio::spawn(async move { self.change_clock(change).await });
        async move { changing.await.unwrap_or_else(|error| Err(error.to_string())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_not_the_machines_is_told_of() {
        let clock = Clock::system();
        assert_eq!(note(&clock), None);
        clock.advance_ms(25 * 3_600_000);
        assert_eq!(note(&clock).expect("a note"), "the clock is 1 d 1 h ahead of the machine's; `emu clock set now` brings it back");
        clock.advance_ms(-26 * 3_600_000 - 1_500);
        assert!(note(&clock).expect("a note").contains("1 h 1 s behind"));
        clock.freeze();
        assert!(note(&clock).expect("a note").contains("stands still"));
    }
}

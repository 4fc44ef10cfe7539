//! One virtual clock per World. Everything that asks for the time, or waits for it, asks here.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{Datelike, Timelike};
use tokio::sync::watch;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// This time as milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This time as whole seconds since the Unix epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `ms` milliseconds later (earlier where negative); saturates.
    pub fn plus_ms(self, ms: i64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    /// This time in UTC for formatting; times that the calendar cannot hold become the epoch.
    pub fn utc(self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// ISO 8601 with milliseconds, e.g. `2026-11-21T02:01:00.000Z`.
    pub fn iso(self) -> String {
        let utc = self.utc();
        let mut text = String::with_capacity(24);
        let mut digits = |number: u32, width: u32, end: char| {
            for place in (0..width).rev() {
                text.push(char::from_digit(number / 10u32.pow(place) % 10, 10).unwrap_or('0'));
            }
            text.push(end);
        };
        let Some(year) = u32::try_from(utc.year()).ok().filter(|year| *year <= 9_999) else {
            return utc.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        };
        digits(year, 4, '-');
        digits(utc.month(), 2, '-');
        digits(utc.day(), 2, 'T');
        digits(utc.hour(), 2, ':');
        digits(utc.minute(), 2, ':');
        digits(utc.second(), 2, '.');
        digits(utc.timestamp_subsec_millis(), 3, 'Z');
        text
    }
}

#[derive(Clone, Copy)]
enum Pace {
    /// Runs with the machine: this time at that instant.
    Running {
        at: i64,
        since: Instant,
    },
    Frozen {
        at: i64,
    },
}

impl Pace {
    fn now(self) -> i64 {
        match self {
            Pace::Running { at, since } => at.saturating_add(since.elapsed().as_millis() as i64),
            Pace::Frozen { at } => at,
        }
    }
}

/// A World's clock. Clones share the same time.
#[derive(Clone)]
pub struct Clock {
    pace: Arc<Mutex<Pace>>,
    changed: Arc<watch::Sender<()>>,
}

impl Clock {
    /// The machine's own time, running.
    pub fn system() -> Clock {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        Clock::new(Pace::Running { at, since: Instant::now() })
    }

    /// Stands at `time` until told otherwise: for tests.
    pub fn frozen(time: Time) -> Clock {
        Clock::new(Pace::Frozen { at: time.0 })
    }

    fn new(pace: Pace) -> Clock {
        Clock { pace: Arc::new(Mutex::new(pace)), changed: Arc::new(watch::Sender::new(())) }
    }

    /// The time now.
    pub fn now(&self) -> Time {
        Time(self.lock().now())
    }

    /// Moves the time forward by `ms` (backward where negative) and wakes all that wait.
    pub fn advance_ms(&self, ms: i64) {
        self.change(|now| now.saturating_add(ms), None);
    }

    /// Sets the time, keeping the clock running or frozen as it is.
    pub fn set(&self, time: Time) {
        self.change(|_| time.0, None);
    }

    /// Stops the clock at the time it shows.
    pub fn freeze(&self) {
        self.change(|now| now, Some(false));
    }

    /// Lets a frozen clock run on.
    pub fn resume(&self) {
        self.change(|now| now, Some(true));
    }

    /// Whether the clock stands still.
    pub fn is_frozen(&self) -> bool {
        matches!(*self.lock(), Pace::Frozen { .. })
    }

    /// Waits until this clock shows `time` or later: by the machine's time while it runs, by `advance_ms` or `set` when moved.
    pub async fn sleep_until(&self, time: Time) {
        let mut changed = self.changed.subscribe();
        loop {
            let (left, frozen) = {
                let pace = *self.lock();
                (time.0.saturating_sub(pace.now()), matches!(pace, Pace::Frozen { .. }))
            };
            if left <= 0 {
                return;
            }
            let moved = changed.changed();
            if frozen {
                // The sender lives in `self`, so this cannot fail; a failure would only mean to look again.
                let _ = moved.await;
            } else {
                let _ = tokio::time::timeout(Duration::from_millis(left as u64), moved).await;
            }
        }
    }

    fn change(&self, to: impl FnOnce(i64) -> i64, running: Option<bool>) {
        {
            let mut pace = self.lock();
            let at = to(pace.now());
            let run = running.unwrap_or(matches!(*pace, Pace::Running { .. }));
            *pace = if run { Pace::Running { at, since: Instant::now() } } else { Pace::Frozen { at } };
        }
        self.changed.send_replace(());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().expect("no code panics while it holds the clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frozen_clock_wakes_sleepers_only_when_moved() {
        let clock = Clock::frozen(Time(1_000));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(Time(5_000)).await;
                clock.now()
            }
        });
        clock.advance_ms(3_999);
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance_ms(1);
        assert_eq!(sleeper.await.expect("the sleeper ends"), Time(5_000));
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(Time(-1).seconds(), -1);
        assert_eq!(Time(1_999).seconds(), 1);
        assert_eq!(Time(0).iso(), "1970-01-01T00:00:00.000Z");
    }
}

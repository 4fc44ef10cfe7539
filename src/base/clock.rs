//! One virtual clock per World. Everything that asks for the time, or waits for it, asks here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{Datelike, Timelike};
use tokio::sync::{Notify, watch};

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

/// How a clock stands to the machine's: what is kept of it between runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It runs with the machine's clock, so many milliseconds ahead of it (behind where negative).
    Ahead(i64),
    /// It stands still at this time.
    Frozen(Time),
}

impl Default for Standing {
    fn default() -> Standing {
        Standing::Ahead(0)
    }
}

#[derive(Clone, Copy)]
enum Pace {
    /// Runs with the machine: this time at that instant.
    Running {
        at: i64,
        since: Instant,
        ahead_ms: i64,
    },
    Frozen {
        at: i64,
    },
}

impl Pace {
    fn now(self) -> i64 {
        match self {
            Pace::Running { at, since, .. } => at.saturating_add(since.elapsed().as_millis() as i64),
            Pace::Frozen { at } => at,
        }
    }
}

/// A World's clock. Clones share the same time.
#[derive(Clone)]
pub struct Clock {
    pace: Arc<Mutex<Pace>>,
    changed: Arc<watch::Sender<()>>,
    sleepers: Arc<Sleepers>,
}

/// One who does work that counts as under way, a function for example: while it waits for the clock, whoever moves that need not wait
/// for the work.
pub struct Napper {
    clock: Clock,
    number: u64,
}

impl Napper {
    /// As [`Clock::sleep_until`].
    pub fn until(&self, time: Time) -> impl Future<Output = ()> + Send + use<> {
        let (clock, number) = (self.clock.clone(), self.number);
        async move { clock.wait(time, Some(number)).await }
    }
}

/// Who waits until when.
#[derive(Default)]
struct Sleepers {
    waiting: Mutex<Waiting>,
    left: Notify,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    /// The number of a [`Napper`], where it is one, by time and number.
    by_time: BTreeMap<(Time, u64), Option<u64>>,
}

impl Clock {
    /// The machine's own time, running.
    pub fn system() -> Clock {
        Clock::new(Pace::running(0))
    }

    /// Stands at `time` until told otherwise: for tests.
    pub fn frozen(time: Time) -> Clock {
        Clock::new(Pace::Frozen { at: time.0 })
    }

    fn new(pace: Pace) -> Clock {
        Clock { pace: Arc::new(Mutex::new(pace)), changed: Arc::new(watch::Sender::new(())), sleepers: Arc::default() }
    }

    /// The time now.
    pub fn now(&self) -> Time {
        Time(self.lock().now())
    }

    /// Moves the time forward by `ms` (backward where negative) and wakes all that wait.
    pub fn advance_ms(&self, ms: i64) {
        self.change(|pace| match pace {
            Pace::Running { ahead_ms, .. } => {
                Pace::Running { at: pace.now().saturating_add(ms), since: Instant::now(), ahead_ms: ahead_ms.saturating_add(ms) }
            }
            Pace::Frozen { at } => Pace::Frozen { at: at.saturating_add(ms) },
        });
    }

    /// Sets the time, keeping the clock running or frozen as it is.
    pub fn set(&self, time: Time) {
        self.change(|pace| match pace {
            Pace::Running { .. } => Pace::running(time.0.saturating_sub(machine_ms())),
            Pace::Frozen { .. } => Pace::Frozen { at: time.0 },
        });
    }

    /// Stops the clock at the time it shows.
    pub fn freeze(&self) {
        self.change(|pace| Pace::Frozen { at: pace.now() });
    }

    /// Lets a frozen clock run on.
    pub fn resume(&self) {
        self.change(|pace| match pace {
            Pace::Frozen { at } => Pace::running(at.saturating_sub(machine_ms())),
            running @ Pace::Running { .. } => running,
        });
    }

    /// Whether the clock stands still.
    pub fn is_frozen(&self) -> bool {
        matches!(*self.lock(), Pace::Frozen { .. })
    }

    /// How the clock stands to the machine's.
    pub fn standing(&self) -> Standing {
        match *self.lock() {
            Pace::Running { ahead_ms, .. } => Standing::Ahead(ahead_ms),
            Pace::Frozen { at } => Standing::Frozen(Time(at)),
        }
    }

    /// Makes the clock stand so, and wakes all that wait.
    pub fn stand(&self, standing: Standing) {
        self.change(|_| match standing {
            Standing::Ahead(ms) => Pace::running(ms),
            Standing::Frozen(at) => Pace::Frozen { at: at.0 },
        });
    }

    /// Waits until this clock shows `time` or later: by the machine's time while it runs, by `advance_ms` or `set` when moved.
    pub async fn sleep_until(&self, time: Time) {
        self.wait(time, None).await;
    }

    /// One more who does work that counts as under way, and may wait for the clock in the middle of it.
    pub fn napper(&self) -> Napper {
        let mut waiting = self.sleepers.lock();
        waiting.next += 1;
        Napper { clock: self.clone(), number: waiting.next }
    }

    async fn wait(&self, time: Time, nap: Option<u64>) {
        let mut changed = self.changed.subscribe();
        let mut sleeper = None;
        loop {
            let (left, frozen) = {
                let pace = *self.lock();
                (time.0.saturating_sub(pace.now()), matches!(pace, Pace::Frozen { .. }))
            };
            if left <= 0 {
                return;
            }
            sleeper.get_or_insert_with(|| Sleeper::new(self.sleepers.clone(), time, nap));
            let moved = changed.changed();
            if frozen {
                // The sender lives in `self`, so this cannot fail; a failure would only mean to look again.
                let _ = moved.await;
            } else {
                let _ = tokio::time::timeout(Duration::from_millis(left as u64), moved).await;
            }
        }
    }

    /// The earliest time to come that somebody waits for.
    pub fn next_wake(&self) -> Option<Time> {
        let now = self.now();
        self.sleepers.lock().by_time.keys().map(|(time, _)| *time).find(|time| *time > now)
    }

    /// How many nappers wait for a time to come.
    pub fn napping(&self) -> usize {
        let now = self.now();
        let waiting = self.sleepers.lock();
        waiting.by_time.iter().filter(|((time, _), _)| *time > now).filter_map(|(_, nap)| *nap).collect::<BTreeSet<_>>().len()
    }

    /// Whether everybody whose time has come is awake; nappers, who may be put aside asleep, are not asked.
    pub fn is_awake(&self) -> bool {
        let now = self.now();
        !self.sleepers.lock().by_time.iter().any(|((time, _), nap)| *time <= now && nap.is_none())
    }

    /// Waits until [`Clock::is_awake`].
    pub async fn all_awake(&self) {
        loop {
            let mut left = std::pin::pin!(self.sleepers.left.notified());
            left.as_mut().enable();
            if self.is_awake() {
                return;
            }
            left.await;
        }
    }

    fn change(&self, to: impl FnOnce(Pace) -> Pace) {
        {
            let mut pace = self.lock();
            *pace = to(*pace);
        }
        self.changed.send_replace(());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().expect("no code panics while it holds the clock")
    }
}

impl Pace {
    fn running(ahead_ms: i64) -> Pace {
        Pace::Running { at: machine_ms().saturating_add(ahead_ms), since: Instant::now(), ahead_ms }
    }
}

/// The machine's calendar, in milliseconds since the Unix epoch.
fn machine_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

impl Sleepers {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no code panics while it holds the sleepers")
    }
}

/// One that waits, until it is dropped.
struct Sleeper {
    all: Arc<Sleepers>,
    key: (Time, u64),
}

impl Sleeper {
    fn new(all: Arc<Sleepers>, time: Time, nap: Option<u64>) -> Sleeper {
        let key = {
            let mut waiting = all.lock();
            waiting.next += 1;
            let key = (time, waiting.next);
            waiting.by_time.insert(key, nap);
            key
        };
        Sleeper { all, key }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.all.lock().by_time.remove(&self.key);
        self.all.left.notify_waiters();
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

    #[tokio::test]
    async fn the_clock_knows_who_waits_until_when_and_whether_all_are_awake() {
        let clock = Clock::frozen(Time(1_000));
        assert_eq!(clock.next_wake(), None);
        let napper = clock.napper();
        let (mut early, mut late) = (Box::pin(clock.sleep_until(Time(2_000))), Box::pin(napper.until(Time(3_000))));
        let mut later = Box::pin(napper.until(Time(4_000)));
        assert!(futures_util::poll!(&mut early).is_pending() && futures_util::poll!(&mut late).is_pending());
        assert!(futures_util::poll!(&mut later).is_pending());
        assert_eq!((clock.next_wake(), clock.napping()), (Some(Time(2_000)), 1), "one that waits twice is one");
        clock.set(Time(2_500));
        let mut awake = Box::pin(clock.all_awake());
        assert!(futures_util::poll!(&mut awake).is_pending(), "the first has not noticed yet");
        early.await;
        awake.await;
        assert_eq!(clock.next_wake(), Some(Time(3_000)));
        drop((late, later));
        assert_eq!((clock.next_wake(), clock.napping()), (None, 0));
    }

    #[test]
    fn how_a_clock_stands_survives_being_kept() {
        let clock = Clock::system();
        assert_eq!(clock.standing(), Standing::Ahead(0));
        clock.advance_ms(90_000_000);
        assert_eq!(clock.standing(), Standing::Ahead(90_000_000));
        let later = Clock::system();
        later.stand(clock.standing());
        assert!((later.now().0 - clock.now().0).abs() < 1_000);
        clock.freeze();
        assert_eq!(clock.standing(), Standing::Frozen(clock.now()));
        clock.stand(Standing::default());
        assert!(!clock.is_frozen());
        let text = serde_json::to_string(&[Standing::Ahead(5), Standing::Frozen(Time(7))]).expect("plain data");
        assert_eq!(text, r#"[{"ahead":5},{"frozen":7}]"#);
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(Time(-1).seconds(), -1);
        assert_eq!(Time(1_999).seconds(), 1);
        assert_eq!(Time(0).iso(), "1970-01-01T00:00:00.000Z");
    }
}

//! How failures of Firebase's functions are repeated. Pure. Sources: "Retry asynchronous functions" (events: off unless asked for, 10 to 600
//! seconds, for a day or a week), "Retry jobs" (Cloud Scheduler), "Queue routing and rate limits" (Cloud Tasks), and the defaults that
//! Firebase gives to task queues.

use crate::project::firebase::{Endpoint, Generation, Retry, Trigger};

/// When something that failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repetition {
    /// Attempts in all; `None`: until it is too old.
    attempts_max: Option<u32>,
    backoff_min_ms: i64,
    backoff_max_ms: i64,
    /// After so many doublings the wait grows by the last step alone.
    doublings_max: u32,
    /// How long after it came something is given up whatever else, in milliseconds.
    pub age_max_ms: i64,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Something that waits for a place waits at most so long.
const WAIT_MAX_MS: i64 = DAY_MS;
/// Tasks are kept for a month ("Cloud Tasks quotas").
const TASK_AGE_MAX_MS: i64 = 31 * DAY_MS;

impl Repetition {
    /// How failures of a function are repeated.
    pub fn of(endpoint: &Endpoint) -> Repetition {
        match &endpoint.trigger {
            Trigger::Event(event) => {
                let window_ms = if endpoint.generation == Generation::First { 7 * DAY_MS } else { DAY_MS };
                Repetition {
                    attempts_max: (!event.retry).then_some(1),
                    backoff_min_ms: 10_000,
                    backoff_max_ms: 600_000,
                    doublings_max: 16,
                    age_max_ms: if event.retry { window_ms } else { WAIT_MAX_MS },
                }
            }
            Trigger::Schedule(schedule) => {
                let retries = schedule.retry.attempts_max.unwrap_or(0);
                let all = Retry { attempts_max: Some(retries.saturating_add(1)), ..schedule.retry.clone() };
                given(&all, 5_000, HOUR_MS, 5, WAIT_MAX_MS)
            }
            Trigger::TaskQueue(queue) => {
                let attempts = queue.retry.attempts_max.or(Some(3));
                given(&Retry { attempts_max: attempts, ..queue.retry.clone() }, 100, HOUR_MS, 16, TASK_AGE_MAX_MS)
            }
            Trigger::Https | Trigger::Callable | Trigger::Blocking(_) => {
                Repetition { attempts_max: Some(1), backoff_min_ms: 0, backoff_max_ms: 0, doublings_max: 0, age_max_ms: WAIT_MAX_MS }
            }
        }
    }

    /// Milliseconds before the next attempt after so many failures (from 1); `None` where there is none.
    pub fn delay_ms(&self, failures: u32) -> Option<i64> {
        if self.attempts_max.is_some_and(|max| max > 0 && failures >= max) {
            return None;
        }
        let failures = failures.max(1);
        let doublings = (failures - 1).min(self.doublings_max).min(30);
        let doubled = self.backoff_min_ms.saturating_mul(1 << doublings);
        // From then on it grows in equal steps.
        let steps = i64::from((failures - 1).saturating_sub(self.doublings_max));
        Some(doubled.saturating_add(doubled.saturating_mul(steps)).min(self.backoff_max_ms))
    }
}

fn given(retry: &Retry, min_ms: i64, max_ms: i64, doublings: u32, age_ms: i64) -> Repetition {
    let backoff_min_ms = retry.backoff_min_ms.unwrap_or(min_ms);
    Repetition {
        attempts_max: retry.attempts_max,
        backoff_min_ms,
        backoff_max_ms: retry.backoff_max_ms.unwrap_or(max_ms).max(backoff_min_ms),
        doublings_max: retry.doublings_max.unwrap_or(doublings),
        age_max_ms: retry.time_max_ms.filter(|ms| *ms > 0).unwrap_or(age_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::firebase::{EventTrigger, ScheduleTrigger, TaskQueue};

    fn endpoint(trigger: Trigger, generation: Generation) -> Endpoint {
        Endpoint {
            codebase: "default".into(),
            entry_point: "f".into(),
            generation,
            regions: vec!["us-central1".into()],
            trigger,
            secrets: vec![],
        }
    }

    fn delays(trigger: Trigger) -> Vec<Option<i64>> {
        let repetition = Repetition::of(&endpoint(trigger, Generation::Second));
        (1..=5).map(|failures| repetition.delay_ms(failures).map(|ms| ms / 100)).collect()
    }

    #[test]
    fn waits_are_those_of_production() {
        let event =
            |retry| Trigger::Event(EventTrigger { kind: "k".into(), filters: Default::default(), patterns: Default::default(), retry });
        let schedule = |retry| Trigger::Schedule(ScheduleTrigger { expression: "every 5 minutes".into(), time_zone: None, retry });
        let tasks = |retry| Trigger::TaskQueue(TaskQueue { retry, dispatches_at_once_max: None, dispatches_per_second_max: None });
        assert_eq!(delays(event(false)), [None; 5]);
        assert_eq!(delays(event(true)), [Some(100), Some(200), Some(400), Some(800), Some(1_600)]);
        assert_eq!(delays(schedule(Retry::default())), [None; 5]);
        assert_eq!(delays(schedule(Retry { attempts_max: Some(2), ..Retry::default() })), [Some(50), Some(100), None, None, None]);
        assert_eq!(delays(tasks(Retry::default())), [Some(1), Some(2), None, None, None]);
        let slow = Retry {
            attempts_max: Some(10),
            backoff_min_ms: Some(1_000),
            backoff_max_ms: Some(8_000),
            doublings_max: Some(2),
            time_max_ms: Some(60_000),
        };
        // 1, 2, 4, then steps of 4 up to the most.
        assert_eq!(delays(tasks(slow.clone())), [Some(10), Some(20), Some(40), Some(80), Some(80)]);
        assert_eq!(Repetition::of(&endpoint(tasks(slow), Generation::Second)).age_max_ms, 60_000);
    }

    #[test]
    fn events_are_kept_for_a_day_or_a_week() {
        let event =
            Trigger::Event(EventTrigger { kind: "k".into(), filters: Default::default(), patterns: Default::default(), retry: true });
        for (generation, days) in [(Generation::First, 7), (Generation::Second, 1)] {
            assert_eq!(Repetition::of(&endpoint(event.clone(), generation)).age_max_ms, days * DAY_MS);
        }
    }
}

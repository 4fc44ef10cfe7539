//! What follows from the outcome of an attempt: again, or over. Pure.
//! Source: the pages "How Lambda handles errors and retries with asynchronous invocation" and "Using Lambda to process records from
//! Amazon DynamoDB Streams".

use super::store::{Cursor, Delivery};
use super::table::{Callee, StreamRule, Table};
use crate::base::Time;

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    /// The function failed.
    Failed,
    /// The function did not get to run and may do so later.
    NotRun,
}

/// What is to be done with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    Again { failures: u32, due: Time },
    Over(Condition),
}

/// Why an asynchronous invocation ended, in the words of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
}

/// Milliseconds before a call that found no place is tried again: doubled each time, up to the most.
const BACKOFF_MS: i64 = 1_000;
const BACKOFF_MAX_MS: i64 = 300_000;

/// Milliseconds before a stream's batch is tried again: doubled each time, up to the most.
const STREAM_BACKOFF_MS: i64 = 500;
const STREAM_BACKOFF_MAX_MS: i64 = 60_000;

/// Milliseconds that a stream keeps a record.
pub const STREAM_AGE_MAX_MS: i64 = 86_400_000;

fn doubled(first: i64, times: u32, most: i64) -> i64 {
    first.saturating_mul(1_i64.checked_shl(times.min(30)).unwrap_or(i64::MAX)).min(most)
}

/// Judges an attempt at a delivery.
pub fn judge(table: &Table, callee: &Callee, delivery: &Delivery, outcome: Outcome, now: Time) -> Verdict {
    let (failures, delay_ms) = match outcome {
        Outcome::Succeeded => return Verdict::Done,
        Outcome::Failed => {
            let failures = delivery.failures.saturating_add(1);
            let delay_ms = match &callee.repetition {
                Some(repetition) => repetition.delay_ms(failures),
                None => (failures <= callee.retries_max).then(|| table.retry_delay_ms(failures)),
            };
            match delay_ms {
                Some(delay_ms) => (failures, delay_ms),
                None => return Verdict::Over(Condition::RetriesExhausted),
            }
        }
        Outcome::NotRun => {
            let times = delivery.attempts.saturating_sub(delivery.failures + 1);
            (delivery.failures, doubled(BACKOFF_MS, times, BACKOFF_MAX_MS))
        }
    };
    let due = now.plus_ms(delay_ms);
    if due > delivery.expires {
        return Verdict::Over(Condition::EventAgeExceeded);
    }
    Verdict::Again { failures, due }
}

/// When a delivery to a queue or topic that did not work is tried again; `None` where that would be too late.
pub fn resend_at(delivery: &Delivery, now: Time) -> Option<Time> {
    let due = now.plus_ms(doubled(BACKOFF_MS, delivery.attempts.saturating_sub(1), BACKOFF_MAX_MS));
    (due <= delivery.expires).then_some(due)
}

/// How a batch of a stream's records went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamOutcome {
    Succeeded,
    /// All of it failed.
    Failed,
    /// All before this one (index into the batch) were done.
    FailedFrom(usize),
}

/// What follows for a stream: where the cursor stands then, and whether records were given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub cursor: Cursor,
    /// The records (their indices in the batch) that are given up, and why.
    pub given_up: Option<(std::ops::Range<usize>, &'static str)>,
}

/// Judges an attempt at a batch: `numbers` are those of its records, `end` where the batch ends (the last number, or further on
/// where the records after it were filtered out), `oldest` the time of its first record.
pub fn judge_batch(
    rule: &StreamRule,
    cursor: &Cursor,
    numbers: &[i64],
    end: i64,
    oldest: Time,
    outcome: &StreamOutcome,
    now: Time,
) -> Step {
    let past = |position: i64, ends: &[i64]| Cursor {
        position,
        failures: 0,
        ends: ends.iter().copied().filter(|e| *e > position).collect(),
        due: Time(0),
    };
    let first_failed = match outcome {
        StreamOutcome::Succeeded => return Step { cursor: past(end, &cursor.ends), given_up: None },
        StreamOutcome::Failed => 0,
        StreamOutcome::FailedFrom(index) => (*index).min(numbers.len().saturating_sub(1)),
    };
    let left = numbers.len() - first_failed;
    let (position, failures) = match first_failed.checked_sub(1).and_then(|index| numbers.get(index)) {
        // Whatever was done is not done again, and what is left is a batch that failed once.
        Some(done) => (*done, 1),
        None => (cursor.position, cursor.failures.saturating_add(1)),
    };
    let too_old = now.0.saturating_sub(oldest.0) > STREAM_AGE_MAX_MS;
    let halved = rule.bisect && left > 1;
    // Cutting a batch in two does not count as a retry.
    if too_old || (!halved && rule.retries_max.is_some_and(|max| failures > max)) {
        let why = if too_old { "RecordAgeExceeded" } else { "RetryAttemptsExhausted" };
        return Step { cursor: past(end, &cursor.ends), given_up: Some((first_failed..numbers.len(), why)) };
    }
    let mut ends: Vec<i64> = cursor.ends.iter().copied().filter(|e| *e > end).collect();
    ends.insert(0, end);
    if halved {
        ends.insert(0, numbers[first_failed + left.div_ceil(2) - 1]);
    }
    let delay_ms = doubled(STREAM_BACKOFF_MS, failures.saturating_sub(1), STREAM_BACKOFF_MAX_MS);
    let failures = if halved { 0 } else { failures };
    Step { cursor: Cursor { position, failures, ends, due: now.plus_ms(delay_ms) }, given_up: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Cause, TraceId};
    use crate::triggers::store::{Origin, Target};
    use crate::wire::aws::arn::Account;

    fn delivery(attempts: u32, failures: u32) -> Delivery {
        Delivery {
            id: 1,
            receipt: "r".into(),
            attempts,
            failures,
            target: Target::Function("f".into()),
            payload: bytes::Bytes::new(),
            envelope: None,
            source: "test".into(),
            request_id: "id".into(),
            created: Time(0),
            expires: Time(400_000),
            origin: Origin { trace: TraceId("t".into()), cause: Cause::Operator, depth: 0 },
            era: None,
        }
    }

    fn callee(retries_max: u32) -> Callee {
        Callee {
            key: "f".into(),
            deployed_name: "s-dev-f".into(),
            retries_max,
            event_age_max_ms: 0,
            concurrency_max: None,
            on_failure: None,
            dead_letters: None,
            on_success: None,
            repetition: None,
            is_task_queue: false,
            gap_ms: 0,
            about: Default::default(),
        }
    }

    #[test]
    fn an_asynchronous_event_is_tried_again_after_the_configured_delays() {
        let mut table = Table::empty(Account::local("us-east-1"));
        let again = |failures, due| Verdict::Again { failures, due: Time(due) };
        let rows = [
            (2, delivery(1, 0), Outcome::Succeeded, 0, Verdict::Done),
            (2, delivery(1, 0), Outcome::Failed, 0, again(1, 60_000)),
            (2, delivery(2, 1), Outcome::Failed, 60_000, again(2, 180_000)),
            (2, delivery(3, 2), Outcome::Failed, 180_000, Verdict::Over(Condition::RetriesExhausted)),
            (0, delivery(1, 0), Outcome::Failed, 0, Verdict::Over(Condition::RetriesExhausted)),
            (2, delivery(2, 1), Outcome::Failed, 300_000, Verdict::Over(Condition::EventAgeExceeded)),
            (2, delivery(1, 0), Outcome::NotRun, 0, again(0, 1_000)),
            (2, delivery(4, 1), Outcome::NotRun, 0, again(1, 4_000)),
            (2, delivery(40, 1), Outcome::NotRun, 0, again(1, 300_000)),
        ];
        for (retries_max, delivery, outcome, now, wanted) in rows {
            let got = judge(&table, &callee(retries_max), &delivery, outcome, Time(now));
            assert_eq!(got, wanted, "{outcome:?} after {} failures at {now}", delivery.failures);
        }
        table.retry_delays_ms = vec![10];
        assert_eq!(judge(&table, &callee(2), &delivery(2, 1), Outcome::Failed, Time(0)), again(2, 10));
    }

    fn stream(retries_max: Option<u32>, bisect: bool) -> StreamRule {
        StreamRule {
            function: "f".into(),
            table: "t".into(),
            batch_size: 10,
            window_ms: 0,
            from_latest: false,
            retries_max,
            bisect,
            partial_failures: true,
            on_failure: None,
            filters: Vec::new(),
        }
    }

    /// position/failures/ends/due, then what was given up.
    fn told(step: &Step) -> String {
        let Cursor { position, failures, ends, due } = &step.cursor;
        let given_up = step.given_up.as_ref().map_or(String::new(), |(range, why)| format!(" {range:?} {why}"));
        format!("{position} {failures} {ends:?} {}{given_up}", due.0)
    }

    #[test]
    fn a_failed_batch_of_a_stream_blocks_is_halved_or_is_given_up() {
        let at = |position, failures, ends: &[i64]| Cursor { position, failures, ends: ends.to_vec(), due: Time(0) };
        let four = [11, 12, 13, 14];
        type Attempt<'a> = (StreamRule, Cursor, &'a [i64], i64, StreamOutcome, i64, &'a str);
        let rows: Vec<Attempt<'_>> = vec![
            (stream(None, false), at(10, 0, &[]), &four, 14, StreamOutcome::Succeeded, 0, "14 0 [] 0"),
            (stream(None, false), at(10, 0, &[]), &four, 20, StreamOutcome::Succeeded, 0, "20 0 [] 0"),
            (stream(None, false), at(10, 0, &[]), &four, 14, StreamOutcome::Failed, 0, "10 1 [14] 500"),
            (stream(None, false), at(10, 3, &[14]), &four, 14, StreamOutcome::Failed, 1_000, "10 4 [14] 5000"),
            (stream(Some(1), false), at(10, 0, &[]), &four, 14, StreamOutcome::Failed, 0, "10 1 [14] 500"),
            (stream(Some(1), false), at(10, 1, &[14]), &four, 14, StreamOutcome::Failed, 0, "14 0 [] 0 0..4 RetryAttemptsExhausted"),
            (stream(Some(0), true), at(10, 0, &[]), &four, 14, StreamOutcome::Failed, 0, "10 0 [12, 14] 500"),
            (stream(Some(0), true), at(10, 0, &[12, 14]), &[11, 12], 12, StreamOutcome::Failed, 0, "10 0 [11, 12, 14] 500"),
            (
                stream(Some(0), true),
                at(10, 0, &[11, 12, 14]),
                &[11],
                11,
                StreamOutcome::Failed,
                0,
                "11 0 [12, 14] 0 0..1 RetryAttemptsExhausted",
            ),
            (stream(Some(0), true), at(11, 0, &[12, 14]), &[12], 12, StreamOutcome::Succeeded, 0, "12 0 [14] 0"),
            (stream(Some(5), false), at(10, 3, &[14]), &four, 14, StreamOutcome::FailedFrom(2), 0, "12 1 [14] 500"),
            (stream(Some(5), true), at(10, 0, &[]), &four, 14, StreamOutcome::FailedFrom(1), 0, "11 0 [13, 14] 500"),
            (stream(None, false), at(10, 9, &[14]), &four, 14, StreamOutcome::Failed, 86_400_001, "14 0 [] 0 0..4 RecordAgeExceeded"),
        ];
        for (rule, cursor, numbers, end, outcome, now, wanted) in rows {
            let step = judge_batch(&rule, &cursor, numbers, end, Time(0), &outcome, Time(now));
            assert_eq!(told(&step), wanted, "{outcome:?} at {cursor:?}");
        }
    }
}

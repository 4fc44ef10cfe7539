//! The records that are kept, by number and by trace; the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::base::TraceId;
use crate::telemetry::Record;

/// Records that are kept at most.
pub const RECORDS_MAX: usize = 50_000;
/// Bytes of what they carry that are kept at most.
pub const BYTES_MAX: usize = 64 << 20;
/// Around what a record takes beside its texts.
const RECORD_BYTES: usize = 400;

/// The newest records. Numbers go up by one with each.
pub struct Book {
    records: VecDeque<(Arc<Record>, usize)>,
    /// The number of the oldest.
    first: u64,
    bytes: usize,
    traces: HashMap<TraceId, VecDeque<u64>>,
    records_max: usize,
    bytes_max: usize,
}

impl Default for Book {
    fn default() -> Book {
        Book::new(RECORDS_MAX, BYTES_MAX)
    }
}

impl Book {
    /// One that keeps so much.
    pub fn new(records_max: usize, bytes_max: usize) -> Book {
        Book { records: VecDeque::new(), first: 0, bytes: 0, traces: HashMap::new(), records_max, bytes_max }
    }

    /// Takes a record in and answers its number.
    pub fn push(&mut self, record: Arc<Record>) -> u64 {
        let number = self.first + self.records.len() as u64;
        if let Some(trace) = record.trace() {
            self.traces.entry(trace.clone()).or_default().push_back(number);
        }
        let weight = weight(&record);
        self.bytes += weight;
        self.records.push_back((record, weight));
        while self.records.len() > self.records_max || (self.bytes > self.bytes_max && self.records.len() > 1) {
            self.forget();
        }
        number
    }

    fn forget(&mut self) {
        let Some((record, weight)) = self.records.pop_front() else { return };
        self.first += 1;
        self.bytes -= weight;
        if let Some(trace) = record.trace()
            && let Some(numbers) = self.traces.get_mut(trace)
        {
            numbers.pop_front();
            if numbers.is_empty() {
                self.traces.remove(trace);
            }
        }
    }

    /// The number of the oldest record that is kept.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The record of a number, if it is kept.
    pub fn get(&self, number: u64) -> Option<&Arc<Record>> {
        let at = number.checked_sub(self.first)?;
        self.records.get(usize::try_from(at).ok()?).map(|(record, _)| record)
    }

    /// Every record that is kept, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Arc<Record>)> {
        self.records.iter().enumerate().map(|(at, (record, _))| (self.first + at as u64, record))
    }

    /// The records of a trace, oldest first.
    pub fn trace(&self, trace: &TraceId) -> impl Iterator<Item = (u64, &Arc<Record>)> {
        self.traces.get(trace).into_iter().flatten().filter_map(|number| Some((*number, self.get(*number)?)))
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.records.len()
    }
}

/// Around how many bytes a record takes.
fn weight(record: &Record) -> usize {
    RECORD_BYTES
        + match record {
            Record::Request(r) => {
                r.target.len() + r.body.kept().len() + r.headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum::<usize>()
            }
            Record::Invocation(i) => {
                i.event.kept().len() + i.answer.kept().len() + i.stack.iter().map(|line| line.len() + 24).sum::<usize>()
            }
            Record::Log(l) => l.text.len(),
            Record::Delivery(d) => d.source.len() + d.target.len(),
            Record::Mail(m) => m.subject.len() + m.to.iter().map(|to| to.len() + 24).sum::<usize>(),
            Record::Push(p) => p.to.len() + p.title.len(),
            Record::Problem(p) => p.message.len() + [&p.help, &p.frame].into_iter().flatten().map(String::len).sum::<usize>(),
            Record::Operation(_) | Record::Reload(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    #[test]
    fn the_oldest_go_first_and_their_traces_with_them() {
        let mut book = Book::new(3, usize::MAX);
        let traces = ["a", "a", "b", "b", "b"];
        for (at, trace) in traces.into_iter().enumerate() {
            assert_eq!(book.push(Arc::new(sample::log(trace, &format!("line {at}")))), at as u64);
        }
        assert_eq!((book.len(), book.first()), (3, 2));
        assert_eq!(book.trace(&sample::trace("a")).count(), 0);
        assert_eq!(book.trace(&sample::trace("b")).map(|(number, _)| number).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(book.get(1).is_none() && book.get(2).is_some() && book.get(5).is_none());
        assert_eq!(book.traces.len(), 1);
    }

    #[test]
    fn heavy_records_are_fewer() {
        let mut book = Book::new(1_000, 100_000);
        for _ in 0..50 {
            book.push(Arc::new(sample::log("a", &"x".repeat(10_000))));
        }
        assert!(book.len() < 10 && book.bytes <= 100_000, "{} records of {} bytes", book.len(), book.bytes);
        // One that is heavier than all that may be kept is kept alone.
        book.push(Arc::new(sample::log("a", &"x".repeat(200_000))));
        assert_eq!(book.len(), 1);
    }
}

//! What has come in: in the order of its numbers, each once, however often and in whichever order it was sent.

use std::collections::{BTreeMap, VecDeque};

/// Messages, and bytes of them, that came before one that is still to come.
const EARLY_MAX: usize = 1_000;
const EARLY_BYTES_MAX: usize = 16 << 20;

/// The messages of a client that are to be taken up.
#[derive(Default)]
pub struct Inbox {
    /// The number of the message that comes next.
    next: u64,
    ready: VecDeque<String>,
    ready_bytes: usize,
    early: BTreeMap<u64, String>,
    early_bytes: usize,
}

/// Too many messages came before the one that is awaited.
#[derive(Debug, PartialEq, Eq)]
pub struct TooEarly;

impl Inbox {
    /// Takes a message, unless it was there before.
    pub fn take(&mut self, number: u64, message: String) -> Result<(), TooEarly> {
        if number < self.next || self.early.contains_key(&number) {
            return Ok(());
        }
        if number > self.next {
            if self.early.len() >= EARLY_MAX || self.early_bytes + message.len() > EARLY_BYTES_MAX {
                return Err(TooEarly);
            }
            self.early_bytes += message.len();
            self.early.insert(number, message);
            return Ok(());
        }
        self.put(message);
        while let Some(message) = self.early.remove(&self.next) {
            self.early_bytes -= message.len();
            self.put(message);
        }
        Ok(())
    }

    fn put(&mut self, message: String) {
        self.next += 1;
        self.ready_bytes += message.len();
        self.ready.push_back(message);
    }

    /// The next message, if it is there.
    pub fn next(&mut self) -> Option<String> {
        let message = self.ready.pop_front()?;
        self.ready_bytes -= message.len();
        Some(message)
    }

    /// Bytes that wait to be taken up.
    pub fn bytes(&self) -> usize {
        self.ready_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_up_once_and_in_order() {
        let check = |sent: &[u64], wanted: &[&str]| {
            let mut inbox = Inbox::default();
            for number in sent {
                inbox.take(*number, number.to_string()).expect("room");
            }
            let taken: Vec<String> = std::iter::from_fn(|| inbox.next()).collect();
            assert_eq!(taken, wanted, "{sent:?}");
            assert_eq!(inbox.bytes(), 0);
        };
        check(&[], &[]);
        check(&[0, 1, 2], &["0", "1", "2"]);
        check(&[0, 0, 1, 0, 1], &["0", "1"]);
        check(&[2, 1], &[]);
        check(&[2, 1, 2, 0, 3], &["0", "1", "2", "3"]);
        check(&[0, 2, 3], &["0"]);
    }

    #[test]
    fn a_gap_holds_back_a_bounded_number() {
        let mut inbox = Inbox::default();
        assert_eq!((1..).find(|number| inbox.take(*number, "x".to_owned()) == Err(TooEarly)), Some(EARLY_MAX as u64 + 1));
        assert_eq!(inbox.take(0, "x".to_owned()), Ok(()));
        assert_eq!(std::iter::from_fn(|| inbox.next()).count(), EARLY_MAX + 1);
    }
}

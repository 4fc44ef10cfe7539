//! What goes out: numbered arrays, kept until the client says that it has them.

use std::collections::VecDeque;

use super::frame::framed;

/// Says nothing but that we are there.
const NOOP: &str = "[\"noop\"]";

/// The arrays of a session that a client may still ask for.
pub struct Outbox {
    /// The number of the array that comes next. The handshake was number 0.
    next: u64,
    waiting: VecDeque<(u64, String)>,
    bytes: usize,
    /// How far what there is has been sent on the present answer.
    sent: u64,
}

impl Default for Outbox {
    fn default() -> Outbox {
        Outbox { next: 1, waiting: VecDeque::new(), bytes: 0, sent: 0 }
    }
}

impl Outbox {
    /// Puts out a payload, which is JSON.
    pub fn put(&mut self, payload: &str) {
        let array = format!("[{},{payload}]", self.next);
        self.bytes += array.len();
        self.waiting.push_back((self.next, array));
        self.next += 1;
    }

    pub fn put_noop(&mut self) {
        self.put(NOOP);
    }

    /// The client has everything up to this number.
    pub fn acknowledge(&mut self, number: u64) {
        while let Some((_, array)) = self.waiting.pop_front_if(|(at, _)| *at <= number) {
            self.bytes -= array.len();
        }
    }

    /// Another answer begins: what was not acknowledged is sent again.
    pub fn rewind(&mut self) {
        self.sent = self.waiting.front().map_or(self.next, |(at, _)| *at) - 1;
    }

    /// Everything that has not been sent on this answer, in one frame.
    pub fn take(&mut self) -> Option<String> {
        let fresh: Vec<&str> = self.waiting.iter().filter(|(at, _)| *at > self.sent).map(|(_, array)| array.as_str()).collect();
        if fresh.is_empty() {
            return None;
        }
        self.sent = self.next - 1;
        Some(framed(&format!("[{}]", fresh.join(","))))
    }

    /// Whether there is nothing that was not sent on this answer.
    pub fn is_sent(&self) -> bool {
        self.sent == self.next - 1
    }

    /// Whether the client has everything.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The number of the array that was sent last, and the bytes that are not known to have arrived.
    pub fn state(&self) -> (u64, usize) {
        (self.sent, self.bytes)
    }

    /// Bytes that are not known to have arrived.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_kept_until_they_have_arrived() {
        enum Step {
            Put(&'static str),
            Noop,
            Acknowledge(u64),
            Rewind,
            Take(Option<&'static str>),
            State(u64, usize),
        }
        use Step::*;
        let check = |name: &str, steps: &[Step]| {
            let mut outbox = Outbox::default();
            for (at, step) in steps.iter().enumerate() {
                match step {
                    Put(payload) => outbox.put(payload),
                    Noop => outbox.put_noop(),
                    Acknowledge(number) => outbox.acknowledge(*number),
                    Rewind => outbox.rewind(),
                    Take(wanted) => assert_eq!(outbox.take().as_deref(), *wanted, "{name}, step {at}"),
                    State(sent, bytes) => assert_eq!(outbox.state(), (*sent, *bytes), "{name}, step {at}"),
                }
            }
        };
        check("nothing is sent twice", &[Take(None), Put("[1]"), Take(Some("9\n[[1,[1]]]")), Take(None), State(1, 7)]);
        check("several go together", &[Put("a"), Put("b"), Take(Some("13\n[[1,a],[2,b]]")), Put("c"), Take(Some("7\n[[3,c]]"))]);
        check(
            "what was not acknowledged is sent again",
            &[Put("a"), Put("b"), Take(Some("13\n[[1,a],[2,b]]")), Acknowledge(1), Rewind, State(1, 5), Take(Some("7\n[[2,b]]"))],
        );
        check("the handshake is acknowledged too", &[Acknowledge(0), Rewind, State(0, 0), Put("a"), Take(Some("7\n[[1,a]]"))]);
        check(
            "numbers from the future mean all",
            &[Put("a"), Acknowledge(99), Rewind, Take(None), State(1, 0), Put("b"), Take(Some("7\n[[2,b]]"))],
        );
        check("silence is numbered as well", &[Noop, Take(Some("14\n[[1,[\"noop\"]]]")), Put("a"), Take(Some("7\n[[2,a]]"))]);
    }
}

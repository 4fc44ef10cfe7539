//! A session: what its client sends and what it is sent, over however many requests.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::inbox::Inbox;
use super::outbox::Outbox;

/// Bytes that wait to be taken up; a request that brings more waits for its answer.
const IN_BYTES_MAX: usize = 8 << 20;
/// Bytes that wait for the client; more hold up what they are about.
const OUT_BYTES_MAX: usize = 4 << 20;
/// Bytes after which an answer ends. The client asks for another at once, and says what has arrived.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long nothing may be said.
const SILENCE_MAX: Duration = Duration::from_secs(25);
/// What a client may ask to be answered in at the soonest.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// The session is no more.
#[derive(Debug, PartialEq, Eq)]
pub struct Over;

/// How long a client may be away: it may have closed its page without a word.
pub const AWAY_MAX: Duration = Duration::from_secs(60);

/// One client's stream. Everybody who has a part in it holds it.
pub struct Session {
    away_max: Duration,
    state: Mutex<State>,
    /// Woken whenever anything of the state changes that somebody may wait for.
    changed: Notify,
}

#[derive(Default)]
struct State {
    inbox: Inbox,
    outbox: Outbox,
    /// Who takes what goes out: the latest request that asked for it; whether it is still there.
    turn: u64,
    taken: bool,
    /// Requests that were answered, to see that somebody is there.
    heard: u64,
    /// The client wants no more.
    closed: bool,
    /// There will be no more for the client.
    finished: bool,
}

impl State {
    /// Whether the client has nothing more to expect.
    fn is_over(&self) -> bool {
        self.closed || (self.finished && self.outbox.is_empty())
    }
}

impl Session {
    /// A session whose client has left once it has been away for so long.
    pub fn new(away_max: Duration) -> Session {
        Session { away_max, state: Mutex::default(), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits until `look` finds something, looking again after each change.
    async fn until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed: Notified<'_> = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.lock()) {
                return found;
            }
            changed.await;
        }
    }

    /// Messages of the client, once there is room for them.
    pub async fn take(&self, messages: Vec<(u64, String)>) -> Result<(), Over> {
        let mut messages = Some(messages);
        let taken = self.until(|state| {
            if state.is_over() {
                return Some(Err(Over));
            }
            // What ended the stream is still on its way to the client.
            if state.finished {
                return Some(Ok(()));
            }
            if state.inbox.bytes() > IN_BYTES_MAX {
                return None;
            }
            state.heard += 1;
            let mut each = messages.take().into_iter().flatten();
            Some(each.try_for_each(|(number, message)| state.inbox.take(number, message)).map_err(|_| Over))
        });
        let taken = taken.await;
        self.changed.notify_waiters();
        taken
    }

    /// The client's next message, once it is there; `None` where there will be none.
    pub async fn next(&self) -> Option<String> {
        let message = self.until(|state| match state.inbox.next() {
            Some(message) => Some(Some(message)),
            None => state.closed.then_some(None),
        });
        let message = message.await;
        self.changed.notify_waiters();
        message
    }

    /// Puts out a payload, which is JSON, once there is room for it. A client that wants no more is told no more.
    pub async fn put(&self, payload: &str) {
        self.until(|state| {
            if !state.closed && state.outbox.bytes() >= OUT_BYTES_MAX {
                return None;
            }
            if !state.closed {
                state.outbox.put(payload);
            }
            Some(())
        })
        .await;
        self.changed.notify_waiters();
    }

    /// The client has everything up to this number. Fails where there is nothing more to come.
    pub fn acknowledge(&self, number: u64) -> Result<(), Over> {
        let mut state = self.lock();
        state.outbox.acknowledge(number);
        let over = state.is_over();
        drop(state);
        self.changed.notify_waiters();
        if over { Err(Over) } else { Ok(()) }
    }

    /// Whether somebody takes what goes out, the number of what was sent last, and the bytes that are not known to have arrived.
    pub fn state(&self) -> (bool, u64, usize) {
        let state = self.lock();
        let (sent, bytes) = state.outbox.state();
        (state.taken, sent, bytes)
    }

    /// The client wants no more. What it sent before is still taken up.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// There will be no more for the client.
    pub fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_waiters();
    }

    /// Waits until the client wants no more, or has been away for too long.
    pub async fn left(&self) {
        loop {
            let heard = self.lock().heard;
            let here = self.until(|state| (state.closed || state.taken || state.heard != heard).then_some(()));
            if tokio::time::timeout(self.away_max, here).await.is_err() {
                return;
            }
            if self.until(|state| (state.closed || !state.taken).then_some(state.closed)).await {
                return;
            }
        }
    }

    /// Begins to take what goes out, in the place of whoever did before. What was not acknowledged is sent again.
    pub fn attach(self: &Arc<Session>, pace: Pace) -> Turn {
        let mut state = self.lock();
        state.turn += 1;
        state.taken = true;
        state.heard += 1;
        state.outbox.rewind();
        let number = state.turn;
        drop(state);
        self.changed.notify_waiters();
        Turn { session: self.clone(), number, pace, bytes: 0 }
    }
}

/// How an answer takes what goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As it comes.
    Streaming,
    /// What there is, as soon as there is something, and after this time at the latest.
    Once(Duration),
}

impl Pace {
    /// One answer at a time, within the time that the client gave.
    pub fn once(wait: Option<Duration>) -> Pace {
        Pace::Once(wait.map_or(SILENCE_MAX, |wait| wait.clamp(WAIT_MIN, SILENCE_MAX)))
    }
}

/// One who takes what goes out, until dropped.
pub struct Turn {
    session: Arc<Session>,
    number: u64,
    pace: Pace,
    /// That have been taken.
    bytes: usize,
}

impl Turn {
    /// What is to be sent next, framed; `None` at the end of this answer.
    pub async fn next(&mut self) -> Option<String> {
        let (limit, first) = match self.pace {
            Pace::Streaming if self.bytes > ANSWER_BYTES_MAX => return None,
            Pace::Streaming => (SILENCE_MAX, self.bytes == 0),
            Pace::Once(_) if self.bytes > 0 => return None,
            Pace::Once(wait) => (wait, false),
        };
        let number = self.number;
        let look = |state: &mut State| {
            if state.turn != number || state.closed {
                return Some(None);
            }
            // The first bytes come at once: a client that sees none takes the way for one that holds answers back.
            if first && state.outbox.is_sent() && !state.finished {
                state.outbox.put_noop();
            }
            match state.outbox.take() {
                Some(text) => Some(Some(text)),
                None => state.finished.then_some(None),
            }
        };
        let text = match tokio::time::timeout(limit, self.session.until(look)).await {
            Ok(text) => text?,
            Err(_) => {
                let mut state = self.session.lock();
                state.outbox.put_noop();
                look(&mut state)??
            }
        };
        self.bytes += text.len();
        Some(text)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.session.lock();
        if state.turn == self.number {
            state.taken = false;
            drop(state);
            self.session.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Arc<Session> {
        Arc::new(Session::new(AWAY_MAX))
    }

    fn messages(numbers: std::ops::Range<u64>) -> Vec<(u64, String)> {
        numbers.map(|number| (number, number.to_string())).collect()
    }

    #[tokio::test]
    async fn a_stream_begins_with_a_byte_and_one_answer_at_a_time_waits_for_something() {
        let session = session();
        let mut streaming = session.attach(Pace::Streaming);
        assert_eq!(streaming.next().await.as_deref(), Some("14\n[[1,[\"noop\"]]]"));
        assert_eq!(session.state(), (true, 1, 12));
        drop(streaming);
        assert!(!session.state().0, "nobody takes anything");
        session.acknowledge(1).expect("it goes on");
        let mut once = session.attach(Pace::once(None));
        let (text, ()) = tokio::join!(once.next(), session.put("[5]"));
        assert_eq!(text.as_deref(), Some("9\n[[2,[5]]]"));
        assert_eq!(once.next().await, None, "one answer is all");
    }

    #[tokio::test]
    async fn silence_is_broken() {
        let (session, soon) = (session(), Duration::from_millis(5));
        let mut turn = session.attach(Pace::Once(soon));
        assert_eq!(turn.next().await.as_deref(), Some("14\n[[1,[\"noop\"]]]"));
        assert_eq!(turn.next().await, None);
        for (asked, wanted) in [(None, 25), (Some(7), 7), (Some(0), 1), (Some(900), 25)] {
            assert_eq!(Pace::once(asked.map(Duration::from_secs)), Pace::Once(Duration::from_secs(wanted)), "{asked:?}");
        }
    }

    #[tokio::test]
    async fn who_asks_anew_gets_what_did_not_arrive_and_the_one_before_gets_no_more() {
        let session = session();
        session.put("1").await;
        session.put("2").await;
        let mut first = session.attach(Pace::Streaming);
        assert_eq!(first.next().await.as_deref(), Some("13\n[[1,1],[2,2]]"));
        session.acknowledge(1).expect("it goes on");
        let mut second = session.attach(Pace::Streaming);
        assert_eq!(first.next().await, None);
        drop(first);
        assert!(session.state().0, "the second is there");
        assert_eq!(second.next().await.as_deref(), Some("7\n[[2,2]]"));
    }

    #[tokio::test]
    async fn a_long_answer_ends_so_that_the_client_says_what_arrived() {
        let session = session();
        let mut turn = session.attach(Pace::Streaming);
        let large = format!("\"{}\"", "x".repeat(ANSWER_BYTES_MAX));
        for _ in 0..4 {
            session.put(&large).await;
        }
        let waits = session.put("5");
        tokio::pin!(waits);
        assert!(futures_util::poll!(waits.as_mut()).is_pending(), "there is no room");
        assert!(turn.next().await.is_some_and(|text| text.len() > 4 * ANSWER_BYTES_MAX));
        assert_eq!(turn.next().await, None);
        session.acknowledge(4).expect("it goes on");
        waits.await;
        assert_eq!(session.attach(Pace::Streaming).next().await.as_deref(), Some("7\n[[5,5]]"));
    }

    #[tokio::test]
    async fn a_client_that_sends_more_than_is_taken_up_waits() {
        let session = session();
        session.take(vec![(0, "x".repeat(IN_BYTES_MAX + 1))]).await.expect("room");
        let waits = session.take(messages(1..3));
        tokio::pin!(waits);
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        assert!(session.next().await.is_some());
        waits.await.expect("room");
        assert_eq!((session.next().await.as_deref(), session.next().await.as_deref()), (Some("1"), Some("2")));
    }

    #[tokio::test]
    async fn what_was_sent_before_the_end_is_taken_up_and_nothing_after() {
        let session = session();
        session.take(messages(0..2)).await.expect("room");
        let mut turn = session.attach(Pace::once(None));
        session.close();
        assert_eq!(turn.next().await, None);
        session.put("nobody hears it").await;
        assert_eq!((session.next().await.as_deref(), session.next().await.as_deref()), (Some("0"), Some("1")));
        assert_eq!(session.next().await, None);
        assert_eq!(session.take(messages(2..3)).await, Err(Over));
        session.left().await;
    }

    #[tokio::test]
    async fn what_was_said_last_can_be_fetched() {
        let session = session();
        session.put("1").await;
        session.finish();
        let mut turn = session.attach(Pace::Streaming);
        assert_eq!(turn.next().await.as_deref(), Some("7\n[[1,1]]"));
        assert_eq!(turn.next().await, None);
        assert_eq!(session.acknowledge(0), Ok(()), "it may not have arrived");
        assert_eq!(session.take(messages(0..1)).await, Ok(()), "what ended it is yet to be seen");
        assert_eq!(session.acknowledge(1), Err(Over));
        assert_eq!(session.take(messages(0..1)).await, Err(Over));
    }

    #[tokio::test]
    async fn a_client_that_is_away_for_long_has_left() {
        let away_max = Duration::from_millis(20);
        let session = Arc::new(Session::new(away_max));
        let turn = session.attach(Pace::Streaming);
        let left = session.left();
        tokio::pin!(left);
        assert!(tokio::time::timeout(3 * away_max, left.as_mut()).await.is_err(), "it is there");
        drop(turn);
        left.await;
    }
}

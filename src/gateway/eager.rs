//! A task that wakes itself while it runs goes on at once.
//!
//! A connection and the handler of its requests are one task. What one of them hands to the other (a piece of a body) wakes it, while it
//! runs. Left to itself, the runtime would then put it behind all others and wake a second thread to help: two calls of the system and a
//! change of threads for nearly every request with a body.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// How often it may go on before others have their turn.
const ROUNDS_MAX: usize = 8;

/// Nobody is at it.
const RESTING: u8 = 0;
/// It runs, and nobody has woken it since.
const RUNNING: u8 = 1;
/// It was woken: it runs and goes on, or it is about to be run.
const WOKEN: u8 = 2;

/// A future that is polled again at once where it was woken while it was polled.
pub struct Eager<F> {
    future: Pin<Box<F>>,
    signal: Arc<Signal>,
    waker: Waker,
}

struct Signal {
    state: AtomicU8,
    task: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::AcqRel) == RESTING {
            self.task.wake();
        }
    }
}

impl<F: Future> Eager<F> {
    pub fn new(future: F) -> Eager<F> {
        let signal = Arc::new(Signal { state: AtomicU8::new(RESTING), task: AtomicWaker::new() });
        Eager { future: Box::pin(future), waker: Waker::from(Arc::clone(&signal)), signal }
    }
}

impl<F: Future> Future for Eager<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.signal.task.register(context.waker());
        for _ in 0..ROUNDS_MAX {
            // Whatever woke it before is seen by this round.
            this.signal.state.swap(RUNNING, Ordering::AcqRel);
            if let Poll::Ready(output) = this.future.as_mut().poll(&mut Context::from_waker(&this.waker)) {
                return Poll::Ready(output);
            }
            if this.signal.state.compare_exchange(RUNNING, RESTING, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return Poll::Pending;
            }
        }
        // It stays woken, and is run again.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Polls once; answers whether it ended, how often it ran, and how often the runtime was woken.
    fn poll(eager: &mut Pin<Box<Eager<impl Future<Output = ()>>>>, runs: &AtomicUsize) -> (bool, usize, usize) {
        let counter = Arc::new(Counter::default());
        let ended = eager.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&counter)))).is_ready();
        (ended, runs.swap(0, Ordering::SeqCst), counter.0.load(Ordering::SeqCst))
    }

    #[test]
    fn what_wakes_itself_goes_on_at_once_until_others_have_their_turn() {
        for (wakes, wanted) in [(0, vec![(true, 1, 0)]), (3, vec![(true, 4, 0)]), (9, vec![(false, 8, 1), (true, 2, 0)])] {
            let runs = AtomicUsize::new(0);
            let mut left = wakes;
            let mut eager = Box::pin(Eager::new(std::future::poll_fn(|context| {
                runs.fetch_add(1, Ordering::SeqCst);
                if left == 0 {
                    return Poll::Ready(());
                }
                left -= 1;
                context.waker().wake_by_ref();
                Poll::Pending
            })));
            for row in wanted {
                assert_eq!(poll(&mut eager, &runs), row, "{wakes} wakes");
            }
        }
    }

    #[tokio::test]
    async fn what_another_wakes_is_run_again() {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let eager = tokio::spawn(Eager::new(async move {
            let mut sum = 0;
            while let Some(number) = receiver.recv().await {
                sum += number;
            }
            sum
        }));
        for number in 0..1_000u32 {
            sender.send(number).await.expect("it listens");
            tokio::task::yield_now().await;
        }
        drop(sender);
        assert_eq!(eager.await.expect("it ends"), 499_500);
    }
}

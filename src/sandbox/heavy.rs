//! Where guests go that compute for long: threads of their own, so that those who only wait are answered meanwhile.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// A guest that has used its thread this long without a pause moves. A beat of the ticker ends the first stretch.
const BUSY: Duration = Duration::from_millis(1);

/// The threads for busy guests, started when the first is seen.
#[derive(Default)]
pub struct Heavy(OnceLock<Option<Runtime>>);

impl Heavy {
    /// Runs a future here as long as it is quick, and elsewhere once it was busy. Ends it when dropped.
    pub async fn relay<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let mut work = Some(Box::pin(future));
        let here = poll_fn(|cx| {
            let Some(polled) = work.as_mut() else { return Poll::Ready(None) };
            let began = Instant::now();
            match polled.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if began.elapsed() >= BUSY => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        if let Some(output) = here {
            return output;
        }
        let work = work.expect("it is taken here only");
        let Some(runtime) = self.runtime() else { return work.await };
        let moved = Inside { home: Handle::current(), work };
        let mut task = Aborting(runtime.spawn(moved));
        match (&mut task.0).await {
            Ok(output) => output,
            Err(lost) if lost.is_panic() => std::panic::resume_unwind(lost.into_panic()),
            // Only the end of the process stops these threads.
            Err(_) => std::future::pending().await,
        }
    }

    fn runtime(&self) -> Option<&Runtime> {
        self.0.get_or_init(|| Builder::new_multi_thread().thread_name("emu-busy").build().ok()).as_ref()
    }
}

impl Drop for Heavy {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take().flatten() {
            runtime.shutdown_background();
        }
    }
}

/// Work that runs elsewhere, with the timers and sockets of the runtime it came from.
struct Inside<F> {
    home: Handle,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _home = this.home.enter();
        this.work.as_mut().poll(cx)
    }
}

struct Aborting<T>(JoinHandle<T>);

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

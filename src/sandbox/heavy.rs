//! Where guests go that compute for long: threads of their own, so that those who only wait are answered meanwhile.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
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
    /// Runs a future here as long as it is quick, and elsewhere once it was busy. Where this is dropped, the future has ended when the drop
    /// has: it would be polled with the timers of a runtime that may be gone by then.
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
        let work = Arc::new(Mutex::new(Some(work)));
        let moved = Inside { home: Handle::current(), work: Arc::clone(&work) };
        let mut going = Going { task: runtime.spawn(moved), work };
        match (&mut going.task).await {
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

/// Work that two may hold: who runs it, and who ends it.
type Shared<F> = Arc<Mutex<Option<Pin<Box<F>>>>>;

/// Work that runs elsewhere, with the timers and sockets of the runtime it came from.
struct Inside<F> {
    home: Handle,
    work: Shared<F>,
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        // Who took it has aborted this task too.
        let Some(work) = work.as_mut() else { return Poll::Pending };
        let _home = self.home.enter();
        work.as_mut().poll(cx)
    }
}

/// Whoever waits for work that runs elsewhere.
struct Going<F: Future> {
    task: JoinHandle<F::Output>,
    work: Shared<F>,
}

impl<F: Future> Drop for Going<F> {
    fn drop(&mut self) {
        self.task.abort();
        // Waits for a guest's present stretch of work to end, if it is at one: a beat of the ticker.
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(work);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Told(Arc<AtomicBool>);

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn work_elsewhere_has_ended_when_its_runtime_ends() {
        for _ in 0..20 {
            let (heavy, ended) = (Arc::new(Heavy::default()), Arc::new(AtomicBool::new(false)));
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
            let (moved, begun) = std::sync::mpsc::channel();
            let (relay, told) = (Arc::clone(&heavy), Told(Arc::clone(&ended)));
            runtime.spawn(async move {
                let work = async move {
                    let _told = told;
                    loop {
                        // Busy, and with the timers of its runtime.
                        std::thread::sleep(BUSY);
                        tokio::time::sleep(Duration::from_micros(100)).await;
                        let _ = moved.send(());
                    }
                };
                relay.relay(work).await
            });
            for _ in 0..3 {
                begun.recv().expect("it works");
            }
            drop(runtime);
            assert!(ended.load(Ordering::SeqCst));
        }
    }
}

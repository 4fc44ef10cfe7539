//! The one door: everything that a function can reach or learn of passes this trait.

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// What a sandbox may ask of the world. One value an invocation.
pub trait Host: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch, with fractions.
    fn now(&self) -> f64;
    /// Fills `into` with random bytes.
    fn random(&self, into: &mut [u8]);
    /// A line (or more) that the function logged.
    fn log(&self, level: Level, text: &str);
    /// Waits for so many milliseconds.
    fn sleep(&self, ms: f64) -> BoxFuture<'static, ()>;
    /// Sends a request to the outside, or to one of the project's own endpoints.
    fn fetch(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>>;
}

/// How grave a logged line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    Trace = 0,
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// Why a request had no answer. The text is shown to the function's author and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("host `{host}` is not allowed; to allow it, add `- {host}` under `emu.sandbox.allow` in serverless.yaml or firebase.json")]
    Denied { host: String },
    #[error("{0}")]
    Failed(String),
}

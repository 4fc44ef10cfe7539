//! What an invocation gives, in Lambda's words (developer guide, "Lambda function handler in Node.js", and the `Invoke` API page).

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::base::Time;
use crate::project::Problem;
use crate::sandbox::{Failure, Level};

/// Largest event of a synchronous invocation, in bytes.
pub const EVENT_BYTES_MAX: usize = 6_291_456;
/// Largest answer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 6_291_556;

/// How an invocation ended. A function that failed gives an answer, too: its payload is the error.
#[derive(Clone, Debug)]
pub struct Answer {
    /// JSON.
    pub payload: Bytes,
    /// Set if the payload is an error (`X-Amz-Function-Error: Unhandled`).
    pub error: Option<FunctionError>,
    /// What the function logged, oldest first.
    pub logs: Vec<LogLine>,
    /// How many lines were not kept.
    pub logs_dropped: u64,
    pub request_id: Arc<str>,
    pub function: Arc<str>,
    /// Whether it ran in a new sandbox.
    pub cold: bool,
    pub cpu_micros: u64,
    pub wall_micros: u64,
    pub memory_peak_bytes: u64,
    /// The function's limit.
    pub memory_mib: u32,
    /// When it ended.
    pub at: Time,
}

/// Why a function failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// `errorType`: the error's name, or one of the runtime's.
    pub kind: String,
    pub message: String,
}

/// A line of a function's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Time,
    pub level: Level,
    pub text: Arc<str>,
}

impl LogLine {
    /// Its level as logs show it: `INFO`.
    pub fn label(&self) -> &'static str {
        label(self.level)
    }
}

/// Why a function was not run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvokeError {
    #[error("Function not found: {name}")]
    NotFound { name: String },
    #[error("Rate Exceeded.")]
    Throttled { reason: Throttle },
    #[error("Request must be smaller than {bytes_max} bytes for the InvokeFunction operation")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("Could not parse request body into json: {0}")]
    NotJson(String),
    /// There is no version that works; the problems of the last build.
    #[error("function `{name}` has no version that works: {}", .problems.first().map_or("it was not built", |problem| problem.message.as_str()))]
    NotBuilt { name: String, problems: Vec<Problem> },
}

/// Which bound an invocation would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// `reservedConcurrency` of the function.
    Function,
    /// More invocations wait for a sandbox than may.
    Queue,
    /// Functions that call functions that call functions: the innermost would wait for the outermost.
    Nesting,
}

/// The payload and the error of a failed invocation.
pub fn failure(failure: &Failure, request_id: &str) -> (Bytes, FunctionError) {
    let (kind, message, stack) = match failure {
        Failure::Thrown { kind, message, stack } => (kind.clone(), message.clone(), Some(stack)),
        Failure::TimedOut { after_ms } => ("Sandbox.Timedout".to_string(), timed_out(request_id, *after_ms), None),
        Failure::OutOfMemory { .. } => {
            ("Runtime.OutOfMemory".to_string(), format!("RequestId: {request_id} Error: Runtime exited with error: signal: killed"), None)
        }
        Failure::Exited { message } => (
            "Runtime.ExitError".to_string(),
            format!("RequestId: {request_id} Error: Runtime exited without providing a reason: {message}"),
            None,
        ),
    };
    let payload = match stack {
        Some(stack) => json!({ "errorType": kind, "errorMessage": message, "trace": stack }),
        None => json!({ "errorType": kind, "errorMessage": message }),
    };
    (Bytes::from(payload.to_string()), FunctionError { kind, message })
}

fn timed_out(request_id: &str, after_ms: u64) -> String {
    format!("RequestId: {request_id} Error: Task timed out after {}", seconds(after_ms))
}

fn seconds(ms: u64) -> String {
    format!("{:.2} seconds", ms as f64 / 1000.0)
}

/// The error in place of an answer that is too large.
pub fn too_large() -> (Bytes, FunctionError) {
    let error = FunctionError {
        kind: "Function.ResponseSizeTooLarge".to_string(),
        message: format!("Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES_MAX} bytes)."),
    };
    (Bytes::from(json!({ "errorType": error.kind, "errorMessage": error.message }).to_string()), error)
}

/// The line that Lambda adds to the log of a failed invocation.
pub fn failure_line(failure: &Failure, payload: &Bytes) -> String {
    match failure {
        Failure::Thrown { .. } => format!("Invoke Error \t{}", String::from_utf8_lossy(payload)),
        Failure::TimedOut { after_ms } => format!("Task timed out after {}", seconds(*after_ms)),
        Failure::OutOfMemory { .. } => "Runtime exited with error: signal: killed Runtime.OutOfMemory".to_string(),
        Failure::Exited { message } => format!("Runtime exited without providing a reason Runtime.ExitError: {message}"),
    }
}

impl Answer {
    /// The bill's milliseconds: begun ones count.
    pub fn billed_ms(&self) -> u64 {
        self.wall_micros.div_ceil(1000).max(1)
    }

    /// The log of the call as CloudWatch shows it, with its START, END and REPORT lines.
    pub fn log_text(&self) -> String {
        let id = &self.request_id;
        let mut text = format!("START RequestId: {id} Version: $LATEST\n");
        for line in &self.logs {
            let _ = writeln!(text, "{}\t{id}\t{}\t{}", line.at.iso(), line.label(), line.text);
        }
        if self.logs_dropped > 0 {
            let _ = writeln!(text, "{}\t{id}\tWARN\t{} more lines were not kept", self.at.iso(), self.logs_dropped);
        }
        let _ = write!(
            text,
            "END RequestId: {id}\nREPORT RequestId: {id}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t\n",
            self.wall_micros as f64 / 1000.0,
            self.billed_ms(),
            self.memory_mib,
            self.memory_peak_bytes.div_ceil(1 << 20),
        );
        text
    }

    /// The last bytes of the log (`X-Amz-Log-Type: Tail` asks for 4,096).
    pub fn log_tail(&self, bytes_max: usize) -> Bytes {
        let text = Bytes::from(self.log_text());
        text.slice(text.len().saturating_sub(bytes_max)..)
    }
}

fn label(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_the_texts_of_production() {
        let rows = [
            (
                Failure::Thrown {
                    kind: "TypeError".into(),
                    message: "x".into(),
                    stack: vec!["TypeError: x".into(), "    at a.ts:1:2".into()],
                },
                r#"{"errorType":"TypeError","errorMessage":"x","trace":["TypeError: x","    at a.ts:1:2"]}"#,
            ),
            (
                Failure::TimedOut { after_ms: 3_000 },
                r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: r Error: Task timed out after 3.00 seconds"}"#,
            ),
            (
                Failure::OutOfMemory { memory_mib: 128 },
                r#"{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: r Error: Runtime exited with error: signal: killed"}"#,
            ),
        ];
        for (given, expected) in rows {
            assert_eq!(String::from_utf8_lossy(&failure(&given, "r").0), expected);
        }
    }

    #[test]
    fn the_log_reads_as_in_production() {
        let mut answer = Answer {
            payload: Bytes::new(),
            error: None,
            logs: vec![LogLine { at: Time(0), level: Level::Info, text: "hello".into() }],
            logs_dropped: 0,
            request_id: "r".into(),
            function: "f".into(),
            cold: true,
            cpu_micros: 0,
            wall_micros: 1_234,
            memory_peak_bytes: 40 << 20,
            memory_mib: 128,
            at: Time(0),
        };
        assert_eq!(
            answer.log_text(),
            "START RequestId: r Version: $LATEST\n1970-01-01T00:00:00.000Z\tr\tINFO\thello\nEND RequestId: r\n\
             REPORT RequestId: r\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t\n"
        );
        assert_eq!(answer.log_tail(5), "0 MB\t\n"[1..]);
        answer.logs_dropped = 2;
        assert!(answer.log_text().contains("2 more lines were not kept"));
    }
}

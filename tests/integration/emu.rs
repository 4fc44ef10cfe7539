//! The program under test: started as a user starts it, on free ports.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// The program.
pub const EMU: &str = env!("CARGO_BIN_EXE_emu");

/// A running `emu start`; killed when dropped.
pub struct Emu {
    child: Child,
    id: u32,
    pub http: String,
    pub aws: String,
    pub admin: String,
    /// Where every face answers, by name.
    addresses: Value,
    lines: Arc<Mutex<Vec<String>>>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

impl Emu {
    /// Starts a project, with more arguments, and waits until it says that it is ready.
    pub fn start(project: &Path, arguments: &[&str]) -> Emu {
        let mut child = Command::new(EMU)
            .args(["start", "--no-tui", "--log-format", "json", "--ports", "http=0,aws=0,admin=0", "--project"])
            .arg(project)
            .args(arguments)
            .env("HOST_SECRET", "not for functions")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("emu starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut early = Vec::new();
        let ready = loop {
            let mut line = String::new();
            assert!(out.read_line(&mut line).expect("its output is text") > 0, "emu ended before it was ready:\n{}", early.join(""));
            match serde_json::from_str::<Value>(&line) {
                Ok(value) if value["type"] == "ready" => break value,
                _ => early.push(line),
            }
        };
        let lines = Arc::new(Mutex::new(early));
        let kept = lines.clone();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                kept.lock().expect("no reader panics").push(line);
            }
        });
        let url = |name: &str| ready["addresses"][name].as_str().expect("an address").to_owned();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (http, aws, admin) = (url("http"), url("aws"), url("admin"));
        Emu { id: child.id(), http, aws, admin, addresses: ready["addresses"].clone(), child, lines, client }
    }

    /// Where a face answers.
    pub fn url(&self, face: &str) -> String {
        self.addresses[face].as_str().unwrap_or_else(|| panic!("`{face}` is not open: {}", self.addresses)).to_owned()
    }

    /// Kills it as the system does when memory runs out: no chance to tidy up.
    pub fn kill_now(&self) {
        let id = i32::try_from(self.id).expect("process numbers are small");
        // SAFETY: `kill` has no preconditions; the child has not been waited for, so the number is still its.
        unsafe { libc::kill(id, libc::SIGKILL) };
    }

    /// Sends a request; `Err` where the connection breaks.
    pub async fn try_send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<Answer, String> {
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    pub async fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        self.try_send(method, url, headers, body).await.unwrap_or_else(|error| panic!("{method} {url}: {error}"))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", &format!("{}{path}", self.http), &[], "").await
    }

    /// An operation of a protocol that names it in `X-Amz-Target`.
    pub async fn try_aws(&self, target: &str, body: Value) -> Result<Answer, String> {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.0")];
        self.try_send("POST", &format!("{}/", self.aws), &headers, body.to_string()).await
    }

    pub async fn aws(&self, target: &str, body: Value) -> Value {
        let answer = self.try_aws(target, body).await.expect("an answer");
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.json()
    }

    pub async fn dynamodb(&self, operation: &str, body: Value) -> Value {
        self.aws(&format!("DynamoDB_20120810.{operation}"), body).await
    }

    /// Waits until everything that was committed has been delivered.
    pub async fn idle(&self) {
        let answer = self.send("POST", &format!("{}/emu/v1/idle", self.admin), &[], "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub async fn advance_ms(&self, ms: u64) {
        let answer = self.send("POST", &format!("{}/emu/v1/clock/advance", self.admin), &[], json!({ "ms": ms }).to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        self.lines.lock().expect("no writer panics").join("\n")
    }

    /// Repeats `look` until it answers something; panics with the log after a minute.
    pub async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, look: impl Fn() -> F) -> T {
        let started = std::time::Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(started.elapsed().as_secs() < 60, "{what} did not happen; emu printed:\n{}", self.log());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Emu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A copy of a fixture in a folder of its own, to edit and to keep state in.
pub fn copy(fixture: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut pending = vec![(Path::new("fixtures").join(fixture), folder.path().to_owned())];
    while let Some((from, to)) = pending.pop() {
        std::fs::create_dir_all(&to).expect("a folder");
        for entry in std::fs::read_dir(&from).expect("the fixture is there").flatten() {
            let name = entry.file_name();
            if name == ".emu" {
                continue;
            }
            let target = to.join(&name);
            if name == "node_modules" {
                let source = std::fs::canonicalize(entry.path()).expect("a folder");
                std::os::unix::fs::symlink(source, target).expect("a link");
            } else if entry.file_type().expect("a type").is_dir() {
                pending.push((entry.path(), target));
            } else {
                std::fs::copy(entry.path(), target).expect("a copy");
            }
        }
    }
    folder
}

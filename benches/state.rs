//! What it costs to begin again: reset, snapshot and export of the shop with its seed, of a gigabyte, and `emu exec -- true`.
//! Drives the program as a test run does. Repeat with `cargo bench --bench state`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

const EMU: &str = env!("CARGO_BIN_EXE_emu");
const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/shop");
const TIME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/time");

/// A running emu.
struct Emu {
    child: Child,
    admin: String,
    aws: String,
}

impl Emu {
    fn start(project: &str, state: &[&str]) -> Emu {
        let mut child = Command::new(EMU)
            .args(["start", "--no-tui", "--log-format", "json", "--ports", "http=0,aws=0,admin=0", "--project", project])
            .args(state)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("emu starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output is piped"));
        let ready = loop {
            let mut line = String::new();
            assert!(out.read_line(&mut line).expect("text") > 0, "emu ended before it was ready");
            match serde_json::from_str::<Value>(&line) {
                Ok(value) if value["type"] == "ready" => break value,
                _ => {}
            }
        };
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let host = |name: &str| ready["addresses"][name].as_str().expect("an address").trim_start_matches("http://").to_owned();
        Emu { admin: host("admin"), aws: host("aws"), child }
    }

    /// One request on a connection of its own, as a test runner's first one is.
    fn send(&self, host: &str, method: &str, path: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(host).expect("it listens");
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        answer
    }

    fn state(&self, what: &str, body: &Value) {
        self.send(&self.admin, "POST", &format!("/emu/v1/state/{what}"), body.to_string().as_bytes());
    }
}

impl Drop for Emu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shop(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let emu = Emu::start(SHOP, &["--ephemeral"]);
    criterion.bench_function("state/reset the shop", |bencher| bencher.iter(|| emu.state("reset", &json!({}))));
    criterion
        .bench_function("state/reset the shop's tables", |bencher| bencher.iter(|| emu.state("reset", &json!({ "service": "tables" }))));
    criterion.bench_function("state/snapshot the shop", |bencher| {
        bencher.iter(|| emu.state("snapshot", &json!({ "name": "s", "force": true })));
    });
    criterion.bench_function("state/restore the shop", |bencher| bencher.iter(|| emu.state("restore", &json!({ "name": "s" }))));
    let dir = folder.path().join("export");
    criterion.bench_function("state/export the shop", |bencher| {
        bencher.iter(|| emu.state("export", &json!({ "dir": dir, "force": true })));
    });
    criterion.bench_function("state/import the shop", |bencher| bencher.iter(|| emu.state("import", &json!({ "dir": dir }))));
}

/// A gigabyte: objects of 16 MiB.
fn gigabyte(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let emu = Emu::start(TIME, &["--state", folder.path().to_str().expect("text")]);
    for n in 0..64u8 {
        emu.send(&emu.aws, "PUT", &format!("/time-files/{n}"), &vec![n; 16 << 20]);
    }
    let mut group = criterion.benchmark_group("state");
    group.sample_size(10);
    group.bench_function("snapshot 1 GiB of objects", |bencher| {
        bencher.iter(|| emu.state("snapshot", &json!({ "name": "s", "force": true })));
    });
    group.bench_function("restore 1 GiB of objects", |bencher| bencher.iter(|| emu.state("restore", &json!({ "name": "s" }))));
    group.finish();
}

fn exec(criterion: &mut Criterion) {
    let run = |project: &Path| {
        let status = Command::new(EMU).args(["exec", "--project"]).arg(project).args(["--", "true"]).stderr(Stdio::null()).status();
        assert!(status.expect("emu runs").success());
    };
    let mut group = criterion.benchmark_group("exec");
    group.sample_size(20).measurement_time(Duration::from_secs(10));
    group.bench_function("the shop, true", |bencher| bencher.iter(|| run(Path::new(SHOP))));
    group.finish();
}

criterion_group!(benches, shop, gigabyte, exec);
criterion_main!(benches);

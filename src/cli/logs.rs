//! `emu logs`: what happened, line by line.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use url::form_urlencoded;

use super::{LogsArgs, output, records, start};
use crate::app::{Holder, StateFolder};
use crate::telemetry::journal::Query;
use crate::telemetry::{self, Format, Record};

/// Records that are read at once.
const PAGE: usize = 1_000;
/// Bytes of one line of a running emu's answer: a record has two payloads at most, each of which JSON may make six times as long.
const LINE_BYTES_MAX: usize = 16 << 20;

pub fn run(args: &LogsArgs) -> anyhow::Result<ExitCode> {
    let Some(folder) = records::folder(&args.journal) else { return Ok(ExitCode::FAILURE) };
    let mut query = Query { function: args.function.clone(), ..Query::default() };
    if let Some(wanted) = &args.trace {
        query.trace = Some(records::open(&folder)?.find_trace(wanted)?.as_str().to_owned());
    }
    if let Some(ago) = args.since {
        query = query.since(ago);
    }
    let shown = Shown { json: args.json, all: args.json || args.trace.is_some() };
    match StateFolder::holder(&folder) {
        Some(Holder { admin: Some(admin), .. }) if args.follow => {
            start::runtime(start::Lines::Err)?.block_on(follow(&admin, args, &query, &shown))
        }
        _ => {
            stored(&folder, query, &shown)?;
            if args.follow {
                eprintln!("emu does not run; these are the records so far");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// How records are shown, and which.
struct Shown {
    json: bool,
    all: bool,
}

impl Shown {
    /// Prints a record; false where nobody reads any more.
    fn print(&self, record: &Record) -> anyhow::Result<bool> {
        if !self.all && !telemetry::reads_along(record) {
            return Ok(true);
        }
        let line = if self.json {
            telemetry::line(record, Format::Json)
        } else {
            let colour = output::colours_out();
            let time = record.at().utc().with_timezone(&chrono::Local).format("%H:%M:%S%.3f");
            let (dim, plain) = if colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            format!("{dim}{time}{plain} {}", telemetry::line(record, Format::Pretty { colour }))
        };
        match writeln!(std::io::stdout().lock(), "{line}") {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error).context("standard output cannot be written to"),
        }
    }
}

/// What the journal has.
fn stored(folder: &Path, mut query: Query, shown: &Shown) -> anyhow::Result<()> {
    let reader = records::open(folder)?;
    loop {
        let page = reader.records(&query, PAGE)?;
        let Some(last) = page.last() else { break };
        query.after = last.id;
        for record in page.iter().filter_map(|journaled| journaled.record()) {
            if !shown.print(&record)? {
                return Ok(());
            }
        }
    }
    let missed = reader.missed()?;
    if missed > 0 {
        eprintln!("{missed} records are missing: they came faster than the journal could be written");
    }
    Ok(())
}

/// What the journal of a running emu has, and what comes.
async fn follow(admin: &str, args: &LogsArgs, query: &Query, shown: &Shown) -> anyhow::Result<ExitCode> {
    let mut asked = form_urlencoded::Serializer::new(String::new());
    asked.append_pair("follow", "true");
    for (name, value) in [("function", &query.function), ("trace", &query.trace)] {
        if let Some(value) = value {
            asked.append_pair(name, value);
        }
    }
    if let Some(ago) = args.since {
        asked.append_pair("since", &format!("{}s", ago.as_secs()));
    }
    let request = http::Request::get(format!("{admin}/emu/v1/records?{}", asked.finish())).body(Empty::<Bytes>::new())?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let response = client.request(request).await.with_context(|| format!("the emu at {admin} does not answer"))?;
    if !response.status().is_success() {
        bail!("the emu at {admin} refused: {}", response.status());
    }
    let (mut body, mut pending) = (response.into_body(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        // The connection breaks where emu is killed: that is the end, too.
        let Ok(frame) = frame else { break };
        let Ok(data) = frame.into_data() else { continue };
        pending.extend_from_slice(&data);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line = pending.split_to(end + 1);
            let Ok(record) = serde_json::from_slice::<Record>(&line) else { continue };
            if !shown.print(&record)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        if pending.len() > LINE_BYTES_MAX {
            bail!("the emu at {admin} sent a line of more than {LINE_BYTES_MAX} bytes");
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! `emu invoke NAME`: one call of one function.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::pricing::ListPrices;
use super::{InvokeArgs, output, start};
use crate::app::{App, Holder, Options, StateFolder, state_folder};
use crate::base::Call;
use crate::project::{self, Project, problem};

/// What a function answered, wherever it ran.
struct Answered {
    payload: Value,
    failed: bool,
    log: String,
}

pub fn run(args: &InvokeArgs) -> anyhow::Result<ExitCode> {
    let event = event(args)?;
    let load = start::load(&args.project);
    let project = match project::load(&load) {
        Ok(loaded) => loaded.project,
        Err(problems) => {
            output::problems(&problems);
            return Ok(ExitCode::FAILURE);
        }
    };
    known(&project, &args.name)?;
    let answered = start::runtime(start::Lines::Err)?.block_on(async {
        let folder = state_folder(None, &project);
        match StateFolder::holder(&folder) {
            Some(Holder { admin: Some(admin), .. }) => there(&admin, &args.name, event).await.map(Ok),
            _ => here(load, &args.name, event).await,
        }
    })?;
    let answered = match answered {
        Ok(answered) => answered,
        Err(code) => return Ok(code),
    };
    eprint!("{}", answered.log);
    output::print(&format!("{}\n", answered.payload));
    Ok(if answered.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn event(args: &InvokeArgs) -> anyhow::Result<Bytes> {
    let text = match (&args.data, &args.event) {
        (Some(data), _) => data.clone(),
        (None, Some(file)) if file.as_os_str() == "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
            text
        }
        (None, Some(file)) => std::fs::read_to_string(file).with_context(|| format!("the event {} cannot be read", file.display()))?,
        (None, None) => "{}".to_owned(),
    };
    serde_json::from_str::<serde::de::IgnoredAny>(&text).context("the event is not JSON")?;
    Ok(Bytes::from(text))
}

fn known(project: &Project, name: &str) -> anyhow::Result<()> {
    // What a codebase exports is known once it runs.
    let has_codebases = project.firebase.as_ref().is_some_and(|firebase| !firebase.codebases.is_empty());
    if has_codebases || project.functions.iter().any(|function| function.name == name || function.deployed_name == name) {
        return Ok(());
    }
    let names: Vec<&str> = project.functions.iter().map(|function| function.name.as_str()).collect();
    match problem::did_you_mean(name, names.iter().copied()) {
        Some(near) => bail!("there is no function `{name}`; did you mean `{near}`?"),
        None => bail!("there is no function `{name}`; there are: {}", names.join(", ")),
    }
}

/// Asks the emu that runs the project.
async fn there(admin: &str, name: &str, event: Bytes) -> anyhow::Result<Answered> {
    let uri = format!("{admin}/emu/v1/functions/{}/invocations", utf8_percent_encode(name, NON_ALPHANUMERIC));
    let request = http::Request::post(uri).body(Full::new(event))?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request).await.with_context(|| format!("the emu at {admin} does not answer"))?;
    let status = response.status();
    let answer: Value = serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?;
    if !status.is_success() {
        bail!("{}", answer["message"].as_str().unwrap_or("the running emu refused"));
    }
    Ok(Answered {
        payload: answer["payload"].clone(),
        failed: !answer["error"].is_null(),
        log: answer["log"].as_str().unwrap_or_default().to_owned(),
    })
}

/// Starts the project for this one call, on its own state.
async fn here(load: project::Load, name: &str, event: Bytes) -> anyhow::Result<Result<Answered, ExitCode>> {
    let options = Options {
        load,
        state: None,
        ephemeral: false,
        import: None,
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        ports: project::Ports::new(),
        any_ports: true,
        strict_ports: false,
        strict: false,
        watch: false,
        prices: Arc::new(ListPrices),
    };
    let app = match App::start(options).await {
        Ok(app) => app,
        Err(error) => return start::not_started(error).map(Err),
    };
    let result = app.functions().invoke(&Call::operator(), name, event).await;
    app.stop().await;
    let answer = result?;
    let payload = serde_json::from_slice(&answer.payload).unwrap_or(Value::Null);
    Ok(Ok(Answered { payload, failed: answer.error.is_some(), log: answer.log_text() }))
}

//! Asks a running emu by its admin API.

use anyhow::{Context, bail};
use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Sends a request to the admin API at `admin`; fails with the text that it refuses with.
pub async fn ask(admin: &str, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = http::Request::builder().method(method).uri(format!("{admin}/emu/v1/{path}")).body(Full::new(body))?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request).await.with_context(|| format!("the emu at {admin} does not answer"))?;
    let status = response.status();
    let Ok(bytes) = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await else {
        bail!("the emu at {admin} broke off in the middle of its answer");
    };
    let answer: Value =
        serde_json::from_slice(&bytes.to_bytes()).with_context(|| format!("the answer of the emu at {admin} is no JSON"))?;
    if !status.is_success() {
        bail!("{}", answer["message"].as_str().unwrap_or("the running emu refused"));
    }
    Ok(answer)
}

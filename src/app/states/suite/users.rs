//! Users: `accounts.json` and `config.json`, which the Firebase CLI hands to the API of Authentication; so it is asked here, too.

use std::path::Path;

use anyhow::{Context, bail};
use http::Method;
use serde_json::{Value, json};

use super::World;
use crate::base::Call;
use crate::wire::firebase::Wire;
use crate::wire::firebase::auth::Auth;
use crate::wire::http::Body;

/// Users of one request.
const AT_ONCE: usize = 1_000;
/// Users that are named where some are not taken.
const NAMED_MAX: usize = 3;

pub async fn read(world: &World, folder: &Path, project_id: &str) -> anyhow::Result<()> {
    let auth = Auth::new(world.services.auth.clone(), world.db.ids().clone(), project_id);
    let config = folder.join("config.json");
    if config.is_file() {
        let path = format!("/emulator/v1/projects/{project_id}/config");
        ask(&auth, Method::PATCH, &path, super::json(&config)?).await.context("config.json")?;
    }
    let accounts = folder.join("accounts.json");
    if !accounts.is_file() {
        return Ok(());
    }
    let users = match super::json(&accounts)?.get_mut("users").map(Value::take) {
        Some(Value::Array(users)) => users,
        None => Vec::new(),
        Some(_) => bail!("accounts.json: `users` is no list"),
    };
    let path = format!("/identitytoolkit.googleapis.com/v1/projects/{project_id}/accounts:batchCreate");
    for some in users.chunks(AT_ONCE) {
        let answer = ask(&auth, Method::POST, &path, json!({ "users": some, "allowOverwrite": true })).await.context("accounts.json")?;
        let wrong = answer["error"].as_array().filter(|wrong| !wrong.is_empty());
        if let Some(wrong) = wrong {
            let name = |one: &Value| {
                let index = one["index"].as_u64().unwrap_or_default() as usize;
                let uid = some.get(index).and_then(|user| user["localId"].as_str()).unwrap_or("?");
                format!("{uid}: {}", one["message"].as_str().unwrap_or_default())
            };
            let named: Vec<String> = wrong.iter().take(NAMED_MAX).map(name).collect();
            bail!("accounts.json: {} users cannot be imported: {}", wrong.len(), named.join("; "));
        }
    }
    Ok(())
}

async fn ask(auth: &Auth, method: Method, path: &str, body: Value) -> anyhow::Result<Value> {
    let request = http::Request::builder().method(method).uri(path).header("authorization", "Bearer owner");
    let response = auth.handle(&Call::operator(), request.body(Body::from(body.to_string()))?).await;
    let status = response.status();
    let bytes = response.into_body().collect(16 << 20).await?;
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if !status.is_success() {
        bail!("{}", answer["error"]["message"].as_str().unwrap_or("it is refused"));
    }
    Ok(answer)
}

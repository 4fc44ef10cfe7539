//! What the admin API is asked to do with the state as a whole.

use std::path::PathBuf;

use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asked::AskError;

/// Something to do with the state of a World.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateAsk {
    /// The snapshots there are.
    List,
    Snapshot(Snapshot),
    Restore(Restore),
    Reset(Reset),
    Export(Export),
    Import(Import),
    Diff(Diff),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub name: String,
    /// Whether the name may be taken.
    #[serde(default)]
    pub force: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Only this part.
    #[serde(default)]
    pub service: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// An absolute path; made where missing.
    pub dir: PathBuf,
    /// Whether an export that is there may be replaced.
    #[serde(default)]
    pub force: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// An absolute path.
    pub dir: PathBuf,
    /// Whether events that were not delivered when it was exported are delivered now.
    #[serde(default = "yes")]
    pub triggers: bool,
}

/// Two states: the name of a snapshot, the absolute path of an export, or `now`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    pub a: String,
    pub b: String,
}

fn yes() -> bool {
    true
}

impl StateAsk {
    /// The request that [`StateAsk::read`] reads this from: method, what follows `/emu/v1/state`, body.
    pub fn request(&self) -> (Method, &'static str, Value) {
        let body = |ask: Result<Value, _>| ask.unwrap_or_default();
        match self {
            StateAsk::List => (Method::GET, "", Value::Null),
            StateAsk::Snapshot(ask) => (Method::POST, "/snapshot", body(serde_json::to_value(ask))),
            StateAsk::Restore(ask) => (Method::POST, "/restore", body(serde_json::to_value(ask))),
            StateAsk::Reset(ask) => (Method::POST, "/reset", body(serde_json::to_value(ask))),
            StateAsk::Export(ask) => (Method::POST, "/export", body(serde_json::to_value(ask))),
            StateAsk::Import(ask) => (Method::POST, "/import", body(serde_json::to_value(ask))),
            StateAsk::Diff(ask) => (Method::POST, "/diff", body(serde_json::to_value(ask))),
        }
    }

    /// Reads a request under `/emu/v1/state`. Fails with `NotFound` and `Wrong`.
    pub fn read(method: &Method, path: &[&str], body: &[u8]) -> Result<StateAsk, AskError> {
        match (method, path) {
            (&Method::GET, []) => Ok(StateAsk::List),
            (&Method::POST, ["reset"]) if body.is_empty() => Ok(StateAsk::Reset(Reset::default())),
            (&Method::POST, ["reset"]) => of(body, r#"{} or {"service": "tables"}"#).map(StateAsk::Reset),
            (&Method::POST, ["snapshot"]) => of(body, r#"{"name": "before"}"#).map(StateAsk::Snapshot),
            (&Method::POST, ["restore"]) => of(body, r#"{"name": "before"}"#).map(StateAsk::Restore),
            (&Method::POST, ["export"]) => absolute(of(body, r#"{"dir": "/path"}"#)?, |export: &Export| &export.dir).map(StateAsk::Export),
            (&Method::POST, ["import"]) => absolute(of(body, r#"{"dir": "/path"}"#)?, |import: &Import| &import.dir).map(StateAsk::Import),
            (&Method::POST, ["diff"]) => of(body, r#"{"a": "before", "b": "now"}"#).map(StateAsk::Diff),
            _ => Err(AskError::NotFound(format!(
                "the admin API has no {method} /emu/v1/state/{}; it has GET /emu/v1/state and POST /emu/v1/state/{{reset,snapshot,restore,export,import,diff}}",
                path.join("/")
            ))),
        }
    }
}

fn of<T: DeserializeOwned>(body: &[u8], example: &str) -> Result<T, AskError> {
    serde_json::from_slice(body).map_err(|error| AskError::Wrong(format!("send {example}: {error}")))
}

/// emu's own folder says nothing to the one who asks.
fn absolute<T>(ask: T, dir: impl Fn(&T) -> &PathBuf) -> Result<T, AskError> {
    if dir(&ask).is_absolute() {
        return Ok(ask);
    }
    Err(AskError::Wrong(format!("`{}` is no absolute path; give one, for emu has a working folder of its own", dir(&ask).display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_answered_with_what_can() {
        let read = |path: &str, body: &str| StateAsk::read(&Method::POST, &path.split('/').collect::<Vec<_>>(), body.as_bytes());
        assert_eq!(read("reset", "").expect("read"), StateAsk::Reset(Reset { service: None }));
        for ask in [
            StateAsk::List,
            StateAsk::Snapshot(Snapshot { name: "a".into(), force: true }),
            StateAsk::Diff(Diff { a: "a".into(), b: "now".into() }),
            StateAsk::Export(Export { dir: "/a".into(), force: false }),
        ] {
            let (method, path, body) = ask.request();
            let path: Vec<&str> = path.split('/').skip(1).collect();
            assert_eq!(StateAsk::read(&method, &path, body.to_string().as_bytes()).expect("read"), ask);
        }
        assert_eq!(read("reset", r#"{"service":"s3"}"#).expect("read"), StateAsk::Reset(Reset { service: Some("s3".into()) }));
        let import = StateAsk::Import(Import { dir: "/x".into(), triggers: true });
        assert_eq!(read("import", r#"{"dir":"/x"}"#).expect("read"), import);
        for (path, body, wanted) in [
            ("snapshot", "", r#"send {"name": "before"}"#),
            ("reset", r#"{"servise":"s3"}"#, "unknown field `servise`"),
            ("export", r#"{"dir":"x"}"#, "no absolute path"),
            ("explode", "", "POST /emu/v1/state/{reset,"),
        ] {
            let error = read(path, body).expect_err(path).to_string();
            assert!(error.contains(wanted), "{path}: {error}");
        }
    }
}

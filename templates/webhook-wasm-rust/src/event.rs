//! Events: what somebody else's system tells.

use serde::Deserialize;

/// What happened. Other kinds are taken and left alone, so that the sender does not try them again.
pub enum Event {
    Ping,
    Push(Push),
    Other,
}

#[derive(Deserialize)]
pub struct Push {
    #[serde(rename = "ref")]
    reference: String,
    repository: Repository,
    commits: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

impl Event {
    /// Reads the body of an event.
    pub fn parse(kind: &str, body: &[u8]) -> Result<Event, serde_json::Error> {
        match kind {
            "ping" => Ok(Event::Ping),
            "push" => serde_json::from_slice(body).map(Event::Push),
            _ => Ok(Event::Other),
        }
    }
}

impl Push {
    pub fn summary(&self) -> String {
        format!(
            "{} commits to {} of {}",
            self.commits.len(),
            self.reference,
            self.repository.full_name
        )
    }
}

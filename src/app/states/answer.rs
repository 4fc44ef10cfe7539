//! Answers what is asked about the state as a whole, whether emu runs or only its state is open.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Part, States};
use crate::gateway::asked::AskError;
use crate::gateway::state::StateAsk;
use crate::project::Project;

impl States {
    /// Does what is asked, for a project. Fails with what a person can read.
    pub async fn answer(&self, project: &Arc<Project>, ask: StateAsk) -> Result<Value, AskError> {
        match ask {
            StateAsk::List => Ok(json!({ "snapshots": self.snapshots().await.map_err(failed)? })),
            StateAsk::Snapshot(ask) => Ok(json!(self.snapshot(&ask.name, ask.force).await.map_err(wrong)?)),
            StateAsk::Restore(ask) => Ok(json!(self.restore(project, &ask.name).await.map_err(wrong)?)),
            StateAsk::Reset(ask) => {
                let part = ask.service.as_deref().map(str::parse::<Part>).transpose().map_err(AskError::Wrong)?;
                self.reset(project, part).await.map_err(failed)?;
                Ok(json!({ "reset": ask.service.as_deref().unwrap_or("everything") }))
            }
            StateAsk::Export(ask) => {
                let files = self.export(&ask.dir, ask.force).await.map_err(wrong)?;
                Ok(json!({ "dir": ask.dir, "files": files }))
            }
            StateAsk::Import(ask) => {
                self.import(project, &ask.dir, ask.triggers).await.map_err(wrong)?;
                Ok(json!({ "dir": ask.dir }))
            }
            StateAsk::Diff(ask) => self.diff(&ask.a, &ask.b).await.map_err(wrong),
        }
    }
}

fn failed(error: anyhow::Error) -> AskError {
    AskError::Failed(format!("{error:#}"))
}

fn wrong(error: anyhow::Error) -> AskError {
    AskError::Wrong(format!("{error:#}"))
}

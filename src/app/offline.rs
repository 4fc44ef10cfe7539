//! A project's state while emu does not run it: open under its lock, with nobody else at it.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::states::Makings;
use super::world::World;
use super::{NotStarted, StateFolder, States, state_folder};
use crate::base::{Call, Clock, Ids, Standing};
use crate::gateway::admin::{self, ClockChange};
use crate::gateway::asked::AskError;
use crate::gateway::state::StateAsk;
use crate::project::{self, Load, Project};
use crate::wire::aws::arn::Account;

/// An open state.
pub struct Offline {
    states: States,
    world: World,
    project: Arc<Project>,
    _folder: StateFolder,
}

impl Offline {
    /// Opens the state of a project: in the folder that was chosen, else where the project keeps it. Fails where another emu has it.
    pub async fn open(load: &Load, chosen: Option<&Path>) -> Result<Offline, NotStarted> {
        let project = project::load(load).map_err(NotStarted::Project)?.project;
        let folder = StateFolder::keep(&state_folder(chosen, &project))?;
        let new = !folder.path().join("state.db").exists();
        let (ids, account) = (Ids::random(), Account::local(&project.region));
        let world = World::open(folder.path(), Clock::system(), ids.clone(), false).await?;
        let makings = Makings { folder: folder.path().to_owned(), world: world.clone(), ids, account, ephemeral: false, running: None };
        let (states, project) = (States::open(makings)?, Arc::new(project));
        if new {
            // As a start would begin it; the next start finds a state that is there.
            states.reset(&project, None).await?;
        }
        Ok(Offline { states, world, project, _folder: folder })
    }

    /// Does what is asked with the state as a whole.
    pub async fn answer(&self, ask: StateAsk) -> Result<Value, AskError> {
        self.states.answer(&self.project, ask).await
    }

    /// The clock as it will stand at the next start, changed first where that is asked for. What is due by then happens at the start, but
    /// for runs of schedules: times that pass while emu does not run are not made up for.
    pub async fn clock(&self, change: Option<ClockChange>) -> anyhow::Result<Value> {
        let clock = self.world.db.clock();
        match change {
            None => return Ok(admin::shown(clock)),
            Some(ClockChange::Advance { ms }) => clock.advance_ms(ms),
            Some(ClockChange::Set { time: None }) => clock.stand(Standing::default()),
            Some(ClockChange::Set { time: Some(time) }) => clock.set(time),
            Some(ClockChange::Freeze) => clock.freeze(),
            Some(ClockChange::Resume) => clock.resume(),
        }
        self.world.db.keep_clock(&Call::operator()).await?;
        Ok(admin::shown(clock))
    }
}

//! The folder that keeps a World's state: one emu at a time, thrown away at the end where that was asked for.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::base::Usage;
use crate::store;

/// What a state folder keeps for a month, whether a World has it open or not: the units that are stocks.
pub fn kept(folder: &Path) -> anyhow::Result<Usage> {
    let path = folder.join(super::DATABASE);
    store::kept_in(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// How the database of a state folder stands to the tables that this emu knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Age {
    /// There is none.
    None,
    Current,
    /// The next start brings it up to date.
    Older,
    /// A newer emu wrote this part of it; it is not opened.
    Newer(String),
    /// Why it cannot be read.
    Unreadable(String),
}

/// Looks at the database of a state folder that nobody has open.
pub fn age(folder: &Path) -> Age {
    let path = folder.join(super::DATABASE);
    if !path.is_file() {
        return Age::None;
    }
    match store::is_older(&path, &super::world::World::schemas()) {
        Ok(false) => Age::Current,
        Ok(true) => Age::Older,
        Err(store::Error::Newer { part, .. }) => Age::Newer(part),
        Err(error) => Age::Unreadable(error.to_string()),
    }
}

/// A state folder that is ours until this is dropped.
pub struct StateFolder {
    path: PathBuf,
    /// Holds the lock for as long as it is open; the system lets go of it however this process ends.
    _lock: File,
    throw_away: bool,
}

/// What stands in the lock file: who has the state, and where its admin face answers.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub admin: Option<String>,
}

impl StateFolder {
    /// Takes a folder that is kept. Fails where another emu has it, saying which.
    pub fn keep(path: &Path) -> anyhow::Result<StateFolder> {
        std::fs::create_dir_all(path).with_context(|| format!("the state folder {} cannot be made", path.display()))?;
        // The folder ignores itself, so that no project commits it.
        let ignore = path.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(&ignore, "*\n").with_context(|| format!("{} cannot be written", ignore.display()))?;
        }
        StateFolder::take(path.to_owned(), false)
    }

    /// A new folder that is removed at the end.
    pub fn ephemeral(name: &str) -> anyhow::Result<StateFolder> {
        let path = std::env::temp_dir().join(format!("emu-{name}"));
        std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        StateFolder::take(path, true)
    }

    fn take(path: PathBuf, throw_away: bool) -> anyhow::Result<StateFolder> {
        let file = path.join("lock");
        let mut lock = File::options().read(true).write(true).create(true).truncate(false).open(&file)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = lock.read_to_string(&mut text);
                let who = serde_json::from_str::<Holder>(&text).map_or_else(
                    |_| "another emu".to_owned(),
                    |holder| {
                        format!("the emu with process number {}{}", holder.pid, holder.admin.map(|a| format!(" ({a})")).unwrap_or_default())
                    },
                );
                bail!(
                    "the state in {} is in use by {who}; stop it, or give this one its own with `--state DIR` or `--ephemeral`",
                    path.display()
                );
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("{} cannot be locked", file.display())),
        }
        let mut folder = StateFolder { path, _lock: lock, throw_away };
        folder.announce(None)?;
        Ok(folder)
    }

    /// Says in the lock file where the admin face answers, for `emu invoke` and for those who find the state taken.
    pub fn announce(&mut self, admin: Option<String>) -> anyhow::Result<()> {
        let text = serde_json::to_string(&Holder { pid: std::process::id(), admin })?;
        self._lock.set_len(0)?;
        self._lock.rewind()?;
        self._lock.write_all(text.as_bytes())?;
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The emu that has the state of `folder` now, if one has.
    pub fn holder(folder: &Path) -> Option<Holder> {
        let mut file = File::open(folder.join("lock")).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        if self.throw_away
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, folder = %self.path.display(), "the thrown-away state could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_emu_is_told_who_has_the_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = StateFolder::keep(folder.path()).expect("the state is free");
        first.announce(Some("http://127.0.0.1:4400".into())).expect("written");
        let error = StateFolder::keep(folder.path()).err().expect("taken").to_string();
        assert!(error.contains(&format!("process number {} (http://127.0.0.1:4400)", std::process::id())), "{error}");
        assert_eq!(StateFolder::holder(folder.path()).and_then(|h| h.admin), Some("http://127.0.0.1:4400".into()));
        drop(first);
        assert_eq!(StateFolder::holder(folder.path()), None);
        StateFolder::keep(folder.path()).expect("free again");
    }

    #[tokio::test]
    async fn the_age_of_a_state_is_seen_without_opening_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(age(folder.path()), Age::None);
        let (clock, ids) = (crate::base::Clock::system(), crate::base::Ids::seeded(1));
        drop(super::super::world::World::open(folder.path(), clock, ids, false).await.expect("a world"));
        assert_eq!(age(folder.path()), Age::Current);
        let database = folder.path().join("state.db");
        let change = |sql: &str| rusqlite::Connection::open(&database).and_then(|open| open.execute(sql, [])).expect("changed");
        change("UPDATE schema_versions SET version = 0 WHERE part = 'mail'");
        assert_eq!(age(folder.path()), Age::Older);
        change("UPDATE schema_versions SET version = 99 WHERE part = 'mail'");
        assert_eq!(age(folder.path()), Age::Newer("mail".into()));
        let other = tempfile::tempdir().expect("a folder");
        std::fs::write(other.path().join("state.db"), "no database ".repeat(1_000)).expect("written");
        assert!(matches!(age(other.path()), Age::Unreadable(_)));
    }

    #[test]
    fn a_thrown_away_state_leaves_nothing() {
        let state = StateFolder::ephemeral("test-of-leaving-nothing").expect("a state");
        let path = state.path().to_owned();
        std::fs::write(path.join("x"), "1").expect("a file");
        drop(state);
        assert!(!path.exists());
    }
}

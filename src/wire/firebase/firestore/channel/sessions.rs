//! The sessions that there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::session::{AWAY_MAX, Session};

/// Sessions at once. A page that listens and writes has two.
pub const SESSIONS_MAX: usize = 1_000;

/// The sessions of a World's Firestore, by identifier.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().get(id).cloned()
    }

    /// Another session; `None` where there are too many.
    pub fn begin(&self, id: &str) -> Option<Arc<Session>> {
        let mut sessions = self.lock();
        if sessions.len() >= SESSIONS_MAX {
            return None;
        }
        let session = Arc::new(Session::new(AWAY_MAX));
        sessions.insert(id.to_owned(), session.clone());
        Some(session)
    }

    pub fn end(&self, id: &str) {
        self.lock().remove(id);
    }
}

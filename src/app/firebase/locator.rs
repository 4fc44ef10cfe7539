//! The file by which tools find a project's hub: `hub-PROJECT.json` in the folder for temporary files, as the Firebase CLI writes it.

use std::path::PathBuf;

use serde_json::json;

/// The file, for as long as the hub answers.
pub(in crate::app) struct Locator(PathBuf);

impl Locator {
    /// Writes the file. Without it everything works but for tools that look for it, so that a failure is only told.
    pub(in crate::app) fn write(project_id: &str, url: &str) -> Option<Locator> {
        // A name with a slash would lead elsewhere.
        let name: String = project_id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':')).collect();
        let path = std::env::temp_dir().join(format!("hub-{name}.json"));
        let text = json!({ "version": crate::gateway::hub::VERSION, "origins": [url], "pid": std::process::id() });
        match std::fs::write(&path, text.to_string()) {
            Ok(()) => Some(Locator(path)),
            Err(error) => {
                tracing::warn!(%error, file = %path.display(), "tools that look for the Firebase hub will not find it");
                None
            }
        }
    }

    /// Whether the file is still ours: the latest emu of a project has it.
    fn is_ours(&self) -> bool {
        let text = std::fs::read(&self.0).unwrap_or_default();
        let found = serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_default();
        found["pid"] == json!(std::process::id())
    }
}

impl Drop for Locator {
    fn drop(&mut self) {
        if self.is_ours() {
            // Where it is gone already, so much the better.
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

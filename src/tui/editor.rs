//! A text in the person's own editor.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::process::{Child, Command};

/// Bytes of an edited text at most.
const BYTES_MAX: u64 = 8 << 20;

/// A file that only its owner reads, gone when this is dropped.
pub struct Draft {
    path: PathBuf,
    before: String,
}

impl Draft {
    /// Writes the text where an editor finds it; `name` tells drafts of this process apart.
    pub fn new(folder: &Path, name: &str, text: &str) -> io::Result<Draft> {
        let path = folder.join(format!("emu-{name}.json"));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let draft = Draft { path, before: text.to_owned() };
        file.write_all(text.as_bytes())?;
        Ok(draft)
    }

    /// Starts the editor: `$VISUAL`, else `$EDITOR`, else `vi`. The value may have arguments.
    pub fn open(&self) -> io::Result<Child> {
        let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".into());
        self.open_with(&editor)
    }

    fn open_with(&self, editor: &str) -> io::Result<Child> {
        Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("emu").arg(&self.path).kill_on_drop(true).spawn()
    }

    /// What the file holds now; `None` where it is as it was.
    pub fn read(&self) -> io::Result<Option<String>> {
        if std::fs::metadata(&self.path)?.len() > BYTES_MAX {
            return Err(io::Error::other(format!("it is larger than {} MB", BYTES_MAX >> 20)));
        }
        let text = std::fs::read_to_string(&self.path)?;
        // Editors end the last line.
        Ok(Some(text).filter(|text| text.trim_end() != self.before.trim_end()))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // A file that is left in the folder of temporary files does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_editor_wrote_comes_back_and_the_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::new(folder.path(), "1", "{}").unwrap();
        assert_eq!(draft.read().unwrap(), None);
        let status = draft.open_with("sed -i s/{}/[7]/").unwrap().wait().await.unwrap();
        assert!(status.success());
        assert_eq!(draft.read().unwrap().as_deref(), Some("[7]"));
        assert!(Draft::new(folder.path(), "1", "never over another's file").is_err());
        drop(draft);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

//! The folder that a project is written into: what stands in it, and writing. Nothing outside it is read or written.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::plan::Standing;

/// The longest file that is compared with a template's, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Other names of a project file; emu and Serverless would be of two minds about which holds.
const PROJECT_FILES: &[&str] = &["serverless.yml", "serverless.json", "serverless.ts", "serverless.js"];

/// A folder, which may not exist yet.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    pub fn new(root: &Path) -> Folder {
        Folder { root: root.to_owned() }
    }

    /// Its own name.
    pub fn name(&self) -> String {
        let absolute = fs::canonicalize(&self.root).or_else(|_| std::path::absolute(&self.root));
        let name = absolute.ok().and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
        name.unwrap_or_default()
    }

    /// What stands at a path in it.
    pub fn standing(&self, path: &str) -> anyhow::Result<Standing> {
        let mut place = self.root.clone();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            let last = parts.peek().is_none();
            let meta = match fs::symlink_metadata(&place) {
                Ok(meta) => meta,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Standing::Nothing),
                Err(error) => return Err(error).with_context(|| format!("cannot look at {}", place.display())),
            };
            let kind = meta.file_type();
            match (last, kind.is_dir(), kind.is_file()) {
                _ if kind.is_symlink() => return Ok(Standing::Other("a symbolic link")),
                (false, true, _) => {}
                (false, ..) => return Ok(Standing::Other("a file where a folder must be")),
                (true, true, _) => return Ok(Standing::Other("a folder")),
                (true, _, true) if meta.len() > FILE_BYTES_MAX => return Ok(Standing::File(None)),
                (true, _, true) => {
                    let bytes = fs::read(&place).with_context(|| format!("cannot read {}", place.display()))?;
                    return Ok(Standing::File(String::from_utf8(bytes).ok()));
                }
                (true, ..) => return Ok(Standing::Other("not a file")),
            }
        }
        Ok(Standing::Other("the folder itself"))
    }

    /// A project file of another name.
    pub fn other_project_file(&self) -> Option<&'static str> {
        PROJECT_FILES.iter().find(|name| fs::symlink_metadata(self.root.join(name)).is_ok()).copied()
    }

    /// Makes the folder.
    pub fn make(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.root).with_context(|| format!("cannot make the folder {}", self.root.display()))
    }

    /// Writes a file that is not there yet; fails where it is by now.
    pub fn create(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let file = self.root.join(path);
        let parent = file.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
        let written = OpenOptions::new().write(true).create_new(true).open(&file).and_then(|mut open| open.write_all(text.as_bytes()));
        written.with_context(|| format!("cannot write {}", file.display()))
    }

    /// Puts a file in the place of another: at every moment there is the old one or the new one.
    pub fn replace(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let file = self.root.join(path);
        let fresh = format!("{path}.emu-{}", std::process::id());
        self.create(&fresh, text)?;
        let fresh = self.root.join(fresh);
        let permissions = fs::metadata(&file).map(|meta| meta.permissions());
        let moved = permissions.and_then(|permissions| fs::set_permissions(&fresh, permissions)).and_then(|()| fs::rename(&fresh, &file));
        if moved.is_err() {
            let _ = fs::remove_file(&fresh);
        }
        moved.with_context(|| format!("cannot replace {}", file.display()))
    }

    /// The Git work tree that it is in, if any: the folder with `.git`.
    pub fn work_tree(&self) -> Option<PathBuf> {
        let absolute = std::path::absolute(&self.root).ok()?;
        // Of a folder that is not there yet, what there is above it.
        let existing = absolute.ancestors().find(|path| path.exists())?;
        let existing = fs::canonicalize(existing).ok()?;
        existing.ancestors().find(|path| path.join(".git").exists()).map(Path::to_owned)
    }

    /// Its path within a work tree; empty where it is the work tree.
    pub fn within(&self, work_tree: &Path) -> String {
        let absolute = fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone());
        absolute.strip_prefix(work_tree).map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// Makes it a Git repository; false where that did not work.
    pub fn git_init(&self) -> bool {
        git(&["init", "--quiet"]).arg(&self.root).status().is_ok_and(|status| status.success())
    }
}

/// Whether there is a Git to make repositories with.
pub fn has_git() -> bool {
    git(&["--version"]).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Git, with nothing of another repository in whose hook this may run.
fn git(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE").stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(dir.path());
        (dir, folder)
    }

    #[test]
    fn what_stands_there_is_told() {
        let (dir, folder) = folder();
        fs::create_dir(dir.path().join("src")).expect("made");
        fs::write(dir.path().join("text"), "hello").expect("written");
        fs::write(dir.path().join("bytes"), [0xff]).expect("written");
        std::os::unix::fs::symlink("/etc", dir.path().join("link")).expect("linked");
        for (path, expected) in [
            ("none", Standing::Nothing),
            ("none/deeper", Standing::Nothing),
            ("src/none", Standing::Nothing),
            ("src", Standing::Other("a folder")),
            ("text", Standing::File(Some("hello".into()))),
            ("text/deeper", Standing::Other("a file where a folder must be")),
            ("bytes", Standing::File(None)),
            ("link", Standing::Other("a symbolic link")),
            ("link/passwd", Standing::Other("a symbolic link")),
        ] {
            assert_eq!(folder.standing(path).expect("it can be seen"), expected, "{path}");
        }
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_overwritten_and_a_replaced_one_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let (dir, folder) = folder();
        folder.create("a/b", "one").expect("created");
        assert!(folder.create("a/b", "two").is_err());
        fs::set_permissions(dir.path().join("a/b"), fs::Permissions::from_mode(0o755)).expect("set");
        folder.replace("a/b", "three").expect("replaced");
        assert_eq!(fs::read_to_string(dir.path().join("a/b")).expect("read"), "three");
        assert_eq!(fs::metadata(dir.path().join("a/b")).expect("there").permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(dir.path().join("a")).expect("a folder").count(), 1, "nothing else is left");
    }

    #[test]
    fn a_folder_in_a_work_tree_is_seen_before_it_exists() {
        let (dir, _) = folder();
        let root = fs::canonicalize(dir.path()).expect("it is there");
        let inside = Folder::new(&root.join("apps/new"));
        assert_eq!(inside.work_tree(), None);
        fs::create_dir(root.join(".git")).expect("made");
        assert_eq!(inside.work_tree(), Some(root.clone()));
        inside.make().expect("made");
        assert_eq!(inside.within(&root), "apps/new");
        assert_eq!(Folder::new(&root).within(&root), "");
    }
}

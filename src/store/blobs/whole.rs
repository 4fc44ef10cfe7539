//! All files at once: held, shared with other folders, taken in from them.

use std::fs::File;
use std::path::Path;

use super::Blobs;
use crate::store::db::lock;
use crate::store::{Error, copy};

/// Files that would have gone but for those who hold all of them.
#[derive(Default)]
pub(super) struct Held {
    pub(super) holders: usize,
    pub(super) doomed: Vec<String>,
}

impl Blobs {
    /// Keeps every file that there is until what this answers is dropped: to share those that a copy of the database names.
    pub fn hold(&self) -> Hold {
        lock(&self.0.held).holders += 1;
        Hold(self.clone())
    }

    /// Gives the files of these names to the new folder `to` as well: as the same files where the file system can, else as copies.
    pub fn share(&self, names: &[String], to: &Path) -> Result<(), Error> {
        std::fs::create_dir_all(to)?;
        names.iter().try_for_each(|name| link(&self.0.folder.join(name), &to.join(name)))
    }

    /// Takes in the files of these names of the folder `from`, each under a new name, so that whoever removes or reads one of the same
    /// name here has nothing to do with it. Dropping what this answers removes them again.
    pub fn adopt(&self, from: &Path, names: Vec<String>) -> Result<Adopted, Error> {
        let mut adopted = Adopted { blobs: self.clone(), names: Vec::with_capacity(names.len()), kept: false };
        for name in names {
            let new = self.0.ids.hex(16);
            link(&from.join(&name), &self.0.folder.join(&new))?;
            adopted.names.push((name, new));
        }
        Ok(adopted)
    }

    /// Opens a file to read all of it.
    pub fn open_file(&self, id: &str) -> Result<File, Error> {
        Ok(File::open(self.0.folder.join(id))?)
    }

    /// How many bytes a file has.
    pub fn length(&self, id: &str) -> Result<u64, Error> {
        Ok(std::fs::metadata(self.0.folder.join(id))?.len())
    }

    /// Copies a file into an empty one that is somebody else's to change.
    pub fn copy_into(&self, id: &str, to: &File) -> Result<(), Error> {
        Ok(copy::share_into(&self.open_file(id)?, to)?)
    }

    /// Takes in a copy of a file that is somebody else's to change; answers its name.
    pub fn take_file(&self, from: &File) -> Result<String, Error> {
        let id = self.0.ids.hex(16);
        copy::share(from, &self.0.folder.join(&id))?;
        Ok(id)
    }
}

/// Keeps every file until dropped.
pub struct Hold(Blobs);

impl Drop for Hold {
    fn drop(&mut self) {
        let doomed = {
            let mut held = lock(&self.0.0.held);
            held.holders -= 1;
            if held.holders == 0 { std::mem::take(&mut held.doomed) } else { Vec::new() }
        };
        doomed.iter().for_each(|id| self.0.unlink(id));
    }
}

/// Files of another folder that were taken in, and that no row names yet.
pub struct Adopted {
    blobs: Blobs,
    /// Name there and name here.
    names: Vec<(String, String)>,
    kept: bool,
}

impl Adopted {
    /// Name there and name here of each.
    pub fn names(&self) -> &[(String, String)] {
        &self.names
    }

    /// Rows name the files now.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Adopted {
    fn drop(&mut self) {
        if !self.kept {
            self.names.iter().for_each(|(_, name)| self.blobs.unlink(name));
        }
    }
}

/// Files are written once, so two names of one file are as good as two files.
fn link(from: &Path, to: &Path) -> Result<(), Error> {
    match std::fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(error.into()),
        // Another file system, or one without such names, or too many of them.
        Err(_) => Ok(copy::share(&File::open(from)?, to)?),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Written;
    use super::super::tests::{BOUNDS, Count, files, pieces};
    use super::*;
    use crate::base::Ids;

    #[tokio::test]
    async fn held_files_can_be_shared_though_they_are_removed_and_adopted_ones_have_new_names() {
        let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let blobs = Blobs::open(folder.path().into(), Ids::seeded(1)).expect("opens");
        let (Written::File(draft), _) = blobs.write(pieces(&[5]), BOUNDS, Count(0)).await.expect("written") else { panic!("a file") };
        let id = draft.keep();
        let hold = blobs.hold();
        blobs.remove(std::slice::from_ref(&id));
        blobs.share(std::slice::from_ref(&id), other.path()).expect("still there");
        assert_eq!((files(&folder), files(&other)), (1, 1));
        drop(hold);
        assert_eq!((files(&folder), files(&other)), (0, 1));
        let adopted = blobs.adopt(other.path(), vec![id.clone()]).expect("adopted");
        assert_ne!(adopted.names()[0].1, id);
        assert_eq!(files(&folder), 1);
        drop(adopted);
        assert_eq!((files(&folder), files(&other)), (0, 1));
        blobs.adopt(other.path(), vec![id]).expect("adopted").keep();
        assert_eq!(files(&folder), 1);
        assert!(blobs.adopt(other.path(), vec!["missing".into()]).is_err());
    }
}

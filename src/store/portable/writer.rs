//! Writes a state as files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Error, canonical};

/// A folder that a state is written into. Files are made when they get their first line.
pub struct Writer {
    folder: PathBuf,
    open: Option<(PathBuf, BufWriter<File>)>,
    files: u64,
}

/// A line as it stands in a file.
pub fn line_of(value: Value) -> String {
    canonical(value).to_string()
}

impl Writer {
    /// Into an empty folder.
    pub fn new(folder: PathBuf) -> Writer {
        Writer { folder, open: None, files: 0 }
    }

    /// Adds a line to a file. The lines of a file come one after another, with none of other files in between.
    pub fn line(&mut self, file: &str, value: Value) -> Result<(), Error> {
        let path = self.folder.join(file);
        let failed = |source| Error::Io { file: path.clone(), source };
        if self.open.as_ref().is_none_or(|(open, _)| *open != path) {
            self.close()?;
            let made = self.make(&path)?;
            self.open = Some((path.clone(), BufWriter::new(made)));
        }
        let (_, to) = self.open.as_mut().expect("it was opened above");
        writeln!(to, "{}", line_of(value)).map_err(failed)
    }

    /// Writes a file that is one JSON value, over several lines.
    pub fn whole(&mut self, file: &str, value: Value) -> Result<(), Error> {
        let path = self.folder.join(file);
        let text = serde_json::to_string_pretty(&canonical(value)).expect("a value is plain data");
        let mut made = self.make(&path)?;
        writeln!(made, "{text}").map_err(|source| Error::Io { file: path, source })
    }

    /// A new file, for bytes. `None` where it is there already.
    pub fn bytes(&mut self, file: &str) -> Result<Option<File>, Error> {
        let path = self.folder.join(file);
        if path.exists() { Ok(None) } else { self.make(&path).map(Some) }
    }

    /// Ends with what was written; answers how many files there are.
    pub fn finish(mut self) -> Result<u64, Error> {
        self.close()?;
        Ok(self.files)
    }

    fn close(&mut self) -> Result<(), Error> {
        match self.open.take() {
            Some((file, mut to)) => to.flush().map_err(|source| Error::Io { file, source }),
            None => Ok(()),
        }
    }

    fn make(&mut self, path: &Path) -> Result<File, Error> {
        let failed = |source| Error::Io { file: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        self.files += 1;
        File::options().write(true).create_new(true).open(path).map_err(failed)
    }
}

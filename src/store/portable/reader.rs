//! Reads a state from files, which may hold anything.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Error, LINE_BYTES_MAX};

/// Names in one folder at most.
const NAMES_MAX: usize = 1_000_000;

/// A folder that a state is read from.
pub struct Reader {
    folder: PathBuf,
    /// The files that were asked for, to find those that nobody reads.
    asked: RefCell<BTreeSet<String>>,
}

/// A line, and where it stands.
pub struct Line {
    pub file: PathBuf,
    pub number: usize,
    pub value: Value,
}

impl Line {
    /// What is wrong with it.
    pub fn wrong(&self, why: impl Into<String>) -> Error {
        Error::Line { file: self.file.clone(), line: self.number, why: why.into() }
    }

    /// Its fields.
    pub fn object(&self) -> Result<&Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.wrong("it is no JSON object"))
    }
}

impl Reader {
    pub fn new(folder: PathBuf) -> Reader {
        Reader { folder, asked: RefCell::default() }
    }

    /// Where a file is.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Gives every line of a file to `take`; a file that is missing has none.
    pub fn lines(&self, file: &str, mut take: impl FnMut(Line) -> Result<(), Error>) -> Result<(), Error> {
        let path = self.path(file);
        let Some(open) = self.open(file)? else { return Ok(()) };
        let mut from = BufReader::new(open);
        let mut text = Vec::new();
        for number in 1.. {
            text.clear();
            let wrong = |why: String| Error::Line { file: path.clone(), line: number, why };
            let read = (&mut from).take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut text);
            if read.map_err(|source| Error::Io { file: path.clone(), source })? == 0 {
                break;
            }
            if text.len() > LINE_BYTES_MAX {
                return Err(wrong(format!("the line is longer than {} MiB", LINE_BYTES_MAX >> 20)));
            }
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let value = serde_json::from_slice(&text).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
            take(Line { file: path.clone(), number, value })?;
        }
        Ok(())
    }

    /// A file that is one JSON value; `None` where it is missing.
    pub fn whole(&self, file: &str) -> Result<Option<Value>, Error> {
        let path = self.path(file);
        let Some(open) = self.open(file)? else { return Ok(None) };
        let mut text = Vec::new();
        open.take(LINE_BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(|source| Error::Io { file: path.clone(), source })?;
        let wrong = |why: String| Error::File { file: path.clone(), why };
        if text.len() > LINE_BYTES_MAX {
            return Err(wrong(format!("it is larger than {} MiB", LINE_BYTES_MAX >> 20)));
        }
        serde_json::from_slice(&text).map(Some).map_err(|error| wrong(format!("it is no JSON: {error}")))
    }

    /// A plain file to read; `None` where it is missing.
    pub fn open(&self, file: &str) -> Result<Option<File>, Error> {
        self.asked.borrow_mut().insert(file.to_owned());
        let path = self.path(file);
        let failed = |source| Error::Io { file: path.clone(), source };
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_file() => File::open(&path).map(Some).map_err(failed),
            Ok(_) => Err(Error::File { file: path, why: "it is no plain file".to_owned() }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The names in a folder, in order; none where it is missing.
    pub fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        let path = self.path(folder);
        let failed = |source| Error::Io { file: path.clone(), source };
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let name = name.into_string().map_err(|_| Error::File { file: path.clone(), why: "a name in it is no text".to_owned() })?;
            // What an editor or a version control keeps there is nobody's business.
            if !name.starts_with('.') {
                names.push(name);
            }
            if names.len() > NAMES_MAX {
                return Err(Error::File { file: path.clone(), why: format!("it has more than {NAMES_MAX} files") });
            }
        }
        names.sort();
        Ok(names)
    }

    /// Fails where there is a file that nobody has read, but for notes in Markdown.
    pub fn check_all_read(&self) -> Result<(), Error> {
        let mut pending = vec![String::new()];
        while let Some(folder) = pending.pop() {
            for name in self.names(&folder)? {
                let file = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                let path = self.path(&file);
                if is_folder(&path) {
                    pending.push(file);
                } else if !self.asked.borrow().contains(&file) && path.extension().is_none_or(|extension| extension != "md") {
                    return Err(Error::File { file: path, why: "no part of a state is called that; a mistake in its name?".to_owned() });
                }
            }
        }
        Ok(())
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_dir())
}

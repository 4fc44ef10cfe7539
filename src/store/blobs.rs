//! Bytes too large for a row: files in a folder, named by random identifiers, written once.
//!
//! A file is nobody's until a committed row names it, so it is written under its final name: there is nothing to rename,
//! and what a killed process leaves behind is swept at the next start. No file is synced to the disk: what `write` has
//! taken survives a killed process, and only a power cut could lose it, which the database (`synchronous = NORMAL`) does
//! not rule out for its last commits either.

mod whole;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

use super::Error;
use super::db::lock;
use crate::base::Ids;
use whole::Held;
pub use whole::{Adopted, Hold};

/// What goes wrong with bytes that arrive or leave.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Bytes handed to a file or out of it at once.
const CHUNK_BYTES: usize = 256 << 10;

/// A folder of files. Clones share it.
#[derive(Clone)]
pub struct Blobs(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    ids: Ids,
    /// Files being read, with the number of readers; removed files among them go when the last reader does.
    pins: Mutex<HashMap<String, Pin>>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Pin {
    readers: usize,
    doomed: bool,
}

/// Sees all bytes on their way into a file, in order: a checksum, for example.
pub trait Tap: Send + 'static {
    fn update(&mut self, bytes: &[u8]);
}

/// Bytes that were taken in.
pub enum Written {
    /// Few enough to be kept in a row.
    Small(Bytes),
    File(Draft),
}

/// A file that no row names yet. Dropping it removes the file.
pub struct Draft {
    blobs: Blobs,
    id: String,
    kept: bool,
}

/// Why bytes could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the bytes broke off: {0}")]
    Source(BoxError),
    #[error("more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    #[error(transparent)]
    Store(#[from] Error),
}

/// A run of bytes to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slice {
    Bytes(Bytes),
    Blob { id: String, skip: u64, length: u64 },
}

/// Bounds of a write, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Up to so many are answered as [`Written::Small`].
    pub small_max: usize,
    /// More are refused.
    pub bytes_max: u64,
}

impl Draft {
    /// The name to store.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A row names the file now. Call it last in the transaction: should the commit then fail, the next start sweeps the file.
    pub fn keep(mut self) -> String {
        self.kept = true;
        std::mem::take(&mut self.id)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            self.blobs.remove(std::slice::from_ref(&self.id));
        }
    }
}

impl Blobs {
    /// Opens the folder, making it where missing.
    pub fn open(folder: PathBuf, ids: Ids) -> Result<Blobs, Error> {
        std::fs::create_dir_all(&folder)?;
        Ok(Blobs(Arc::new(Inner { folder, ids, pins: Mutex::default(), held: Mutex::default() })))
    }

    /// Takes in all bytes of `source` in memory that does not grow with their number; `tap` sees each once.
    pub async fn write<T: Tap>(
        &self,
        source: impl Stream<Item = Result<Bytes, BoxError>>,
        bounds: Bounds,
        mut tap: T,
    ) -> Result<(Written, T), WriteError> {
        let mut source = std::pin::pin!(source);
        let mut waiting = BytesMut::new();
        let mut draft: Option<(Draft, File)> = None;
        let mut total = 0u64;
        while let Some(piece) = source.next().await {
            let piece = piece.map_err(WriteError::Source)?;
            total = total.saturating_add(piece.len() as u64);
            if total > bounds.bytes_max {
                return Err(WriteError::TooLarge { bytes_max: bounds.bytes_max });
            }
            waiting.extend_from_slice(&piece);
            if waiting.len() >= CHUNK_BYTES.max(bounds.small_max.saturating_add(1)) {
                let chunk = waiting.split().freeze();
                (draft, tap) = self.append(draft, chunk, tap).await?;
            }
        }
        if draft.is_none() && waiting.len() <= bounds.small_max {
            tap.update(&waiting);
            return Ok((Written::Small(waiting.freeze()), tap));
        }
        (draft, tap) = self.append(draft, waiting.freeze(), tap).await?;
        let (draft, _) = draft.expect("appending opens the file");
        Ok((Written::File(draft), tap))
    }

    /// Adds to a file off the async threads, making the file first where there is none yet.
    async fn append<T: Tap>(&self, draft: Option<(Draft, File)>, chunk: Bytes, mut tap: T) -> Result<(Option<(Draft, File)>, T), Error> {
        let blobs = self.clone();
        blocking(move || {
            let (draft, file) = match draft {
                Some(open) => open,
                None => blobs.create()?,
            };
            std::io::Write::write_all(&mut &file, &chunk)?;
            tap.update(&chunk);
            Ok((Some((draft, file)), tap))
        })
        .await
    }

    fn create(&self) -> Result<(Draft, File), Error> {
        let id = self.0.ids.hex(16);
        let file = File::options().write(true).create_new(true).open(self.0.folder.join(&id))?;
        Ok((Draft { blobs: self.clone(), id, kept: false }, file))
    }

    /// Streams `slices` one after another. `None` where a file has been removed in the meantime: look up the slices again.
    /// Files that are removed after this answered stay readable until the stream is dropped.
    pub fn read(&self, slices: Vec<Slice>) -> Result<Option<impl Stream<Item = Result<Bytes, BoxError>> + Send + use<>>, Error> {
        let ids: Vec<String> =
            slices.iter().filter_map(|slice| if let Slice::Blob { id, .. } = slice { Some(id.clone()) } else { None }).collect();
        let first = ids.first().cloned();
        let pinned = self.pin(ids);
        if let Some(first) = first
            && !self.0.folder.join(first).try_exists()?
        {
            return Ok(None);
        }
        let state = Reading { pinned, slices: slices.into_iter(), open: None };
        Ok(Some(stream::try_unfold(state, |mut state| async move { Ok(state.next().await?.map(|chunk| (chunk, state))) })))
    }

    fn pin(&self, ids: Vec<String>) -> Pinned {
        let mut pins = lock(&self.0.pins);
        for id in &ids {
            pins.entry(id.clone()).or_default().readers += 1;
        }
        drop(pins);
        Pinned { blobs: self.clone(), ids }
    }

    /// Removes files that no committed row names any more, once nobody reads them. Files that are not there are none.
    pub fn remove(&self, ids: &[String]) {
        // The lock is held while files go, so that a reader that finds the first of its files has them all.
        let mut pins = lock(&self.0.pins);
        for id in ids {
            match pins.get_mut(id) {
                Some(pin) => pin.doomed = true,
                None => self.unlink(id),
            }
        }
    }

    fn unlink(&self, id: &str) {
        {
            let mut held = lock(&self.0.held);
            if held.holders > 0 {
                held.doomed.push(id.to_owned());
                return;
            }
        }
        match std::fs::remove_file(self.0.folder.join(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, id, "a blob could not be removed; the next start tries again");
            }
            _ => {}
        }
    }

    /// Removes every file whose name is not in `live`; answers how many. Only for the start, when nobody writes.
    pub fn sweep(&self, live: &HashSet<String>) -> Result<usize, Error> {
        let mut swept = 0;
        for entry in std::fs::read_dir(&self.0.folder)? {
            let entry = entry?;
            let known = entry.file_name().to_str().is_some_and(|name| live.contains(name));
            if !known && entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// Keeps files readable until dropped.
struct Pinned {
    blobs: Blobs,
    ids: Vec<String>,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut pins = lock(&self.blobs.0.pins);
        for id in &self.ids {
            let Some(pin) = pins.get_mut(id) else { continue };
            pin.readers -= 1;
            if pin.readers == 0 && pins.remove(id).is_some_and(|pin| pin.doomed) {
                self.blobs.unlink(id);
            }
        }
    }
}

struct Reading {
    pinned: Pinned,
    slices: std::vec::IntoIter<Slice>,
    open: Option<Open>,
}

struct Open {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            match &mut self.open {
                Some(open) if open.left > 0 => {
                    let (file, at, length) = (open.file.clone(), open.at, open.left.min(CHUNK_BYTES as u64));
                    open.at += length;
                    open.left -= length;
                    let chunk = blocking(move || {
                        let mut chunk = vec![0; length as usize];
                        file.read_exact_at(&mut chunk, at)?;
                        Ok(Bytes::from(chunk))
                    });
                    return Ok(Some(chunk.await?));
                }
                _ => self.open = None,
            }
            match self.slices.next() {
                None => return Ok(None),
                Some(Slice::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Slice::Bytes(bytes)) => return Ok(Some(bytes)),
                Some(Slice::Blob { id, skip, length }) => {
                    let path = self.pinned.blobs.0.folder.join(id);
                    let file = blocking(move || Ok(File::open(path)?)).await?;
                    self.open = Some(Open { file: Arc::new(file), at: skip, left: length });
                }
            }
        }
    }
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(Error::Panicked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) struct Count(pub(super) u64);

    impl Tap for Count {
        fn update(&mut self, bytes: &[u8]) {
            self.0 += bytes.len() as u64;
        }
    }

    pub(super) const BOUNDS: Bounds = Bounds { small_max: 4, bytes_max: 1 << 20 };

    pub(super) fn pieces(sizes: &[usize]) -> impl Stream<Item = Result<Bytes, BoxError>> + use<> {
        stream::iter(sizes.iter().map(|size| Ok(Bytes::from(vec![7; *size]))).collect::<Vec<_>>())
    }

    pub(super) fn files(folder: &tempfile::TempDir) -> usize {
        std::fs::read_dir(folder.path()).expect("the folder").count()
    }

    #[tokio::test]
    async fn few_bytes_stay_in_memory_and_many_go_to_a_file_that_vanishes_unless_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(folder.path().into(), Ids::seeded(1)).expect("opens");
        let (small, seen) = blobs.write(pieces(&[2, 2]), BOUNDS, Count(0)).await.expect("written");
        assert!(matches!(small, Written::Small(bytes) if bytes.len() == 4));
        assert_eq!((seen.0, files(&folder)), (4, 0));
        let (large, seen) = blobs.write(pieces(&[300_000, 300_000]), BOUNDS, Count(0)).await.expect("written");
        assert_eq!((seen.0, files(&folder)), (600_000, 1));
        drop(large);
        assert_eq!(files(&folder), 0);
        let (Written::File(draft), _) = blobs.write(pieces(&[5]), BOUNDS, Count(0)).await.expect("written") else { panic!("a file") };
        let id = draft.keep();
        assert_eq!(files(&folder), 1);
        assert_eq!(blobs.sweep(&HashSet::from([id])).expect("swept"), 0);
        assert_eq!(blobs.sweep(&HashSet::new()).expect("swept"), 1);
    }

    #[tokio::test]
    async fn too_many_bytes_and_a_broken_source_leave_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(folder.path().into(), Ids::seeded(1)).expect("opens");
        let result = blobs.write(pieces(&[600_000, 600_000]), BOUNDS, Count(0)).await;
        assert!(matches!(result, Err(WriteError::TooLarge { .. })));
        let broken = pieces(&[600_000]).chain(stream::iter([Err("gone".into())]));
        assert!(matches!(blobs.write(broken, BOUNDS, Count(0)).await, Err(WriteError::Source(_))));
        assert_eq!(files(&folder), 0);
    }

    #[tokio::test]
    async fn a_file_removed_while_it_is_read_stays_readable_and_then_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(folder.path().into(), Ids::seeded(1)).expect("opens");
        let (Written::File(draft), _) = blobs.write(pieces(&[600_000]), BOUNDS, Count(0)).await.expect("written") else { panic!("a file") };
        let id = draft.keep();
        let slices = vec![Slice::Bytes(Bytes::from_static(b"ab")), Slice::Blob { id: id.clone(), skip: 10, length: 599_990 }];
        let stream = blobs.read(slices.clone()).expect("no error").expect("still there");
        blobs.remove(std::slice::from_ref(&id));
        let mut stream = Box::pin(stream);
        let mut total = 0;
        while let Some(chunk) = stream.next().await {
            assert_eq!(files(&folder), 1);
            total += chunk.expect("readable").len();
        }
        assert_eq!((total, files(&folder)), (599_992, 0));
        assert!(blobs.read(slices).expect("no error").is_none());
    }
}

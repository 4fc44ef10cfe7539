//! A copy of the database while it is in use.
//!
//! In WAL mode only a checkpoint writes to the database file. While none may run, that file stands still, and it together with the log
//! as it is at one moment is the database at that moment. So the log, which is short, is copied while nobody commits, and the file after
//! that while everybody does.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::Error;
use super::db::lock;
use super::writer::Writer;

/// The log of a database file.
fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Copies the log of the database at `from` to where that of `to` is looked for, after making it short.
pub(super) fn log(from: &Path, to: &Path, checkpoints: &Connection, writer: &Writer) -> Result<(), Error> {
    let checkpoint = |mode: &str| checkpoints.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
    checkpoint("PASSIVE")?;
    let _nobody_commits = lock(writer.connection());
    // What came since then is little. Where readers are in the way something stays in the log: no harm, it is copied.
    checkpoint("PASSIVE")?;
    match File::open(log_of(from)) {
        Ok(log) => share(&log, &log_of(to)).map_err(Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Copies the database file itself, which stands still.
pub(super) fn database(from: &Path, to: &Path) -> Result<(), Error> {
    Ok(share(&File::open(from)?, to)?)
}

/// Makes one file of the copies of database and log.
pub(super) fn settle(copy: &Path, durable: bool) -> Result<(), Error> {
    let connection = Connection::open(copy)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    drop(connection);
    if durable {
        File::open(copy)?.sync_all()?;
    }
    Ok(())
}

/// Copies an open file to the new file `to`: the two share their bytes where the file system can do that (btrfs, XFS, APFS and others),
/// else the system copies them.
pub(super) fn share(from: &File, to: &Path) -> io::Result<()> {
    share_into(from, &File::options().write(true).create_new(true).open(to)?)
}

/// As [`share`], into an open file that is empty.
pub(super) fn share_into(from: &File, target: &File) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        /// `FICLONE` of `linux/fs.h`.
        const FICLONE: libc::Ioctl = 0x4004_9409;
        // SAFETY: both descriptors are open for as long as the call takes, and it takes nothing else.
        if unsafe { libc::ioctl(target.as_raw_fd(), FICLONE, from.as_raw_fd()) } == 0 {
            return Ok(());
        }
    }
    // `io::copy` has the system copy between files, without a way through this process.
    io::copy(&mut &*from, &mut &*target).map(|_| ())
}

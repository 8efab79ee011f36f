//! The write-ahead log is written once more before anybody believes it.
//!
//! Pages that a sync could not write stay in memory and count as written: they are read, no later sync tries them again, and
//! a power cut takes them, with all that stands behind them in the log. A commit whose sync failed is such a page, and whoever
//! reads the log anew takes it for one that is there. So each byte of a log that is found is written again in its place, and
//! synced.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use sqlx::SqliteConnection;

use super::lock::beside;

/// So much at once.
const PORTION: usize = 1024 * 1024;

/// Called before anything is read; nobody writes meanwhile.
pub(super) async fn write_log_again(
    connection: &mut SqliteConnection,
    database: &Path,
) -> Result<(), sqlx::Error> {
    let log = beside(database, "-wal");
    if fs::metadata(&log).map_or(0, |found| found.len()) == 0 {
        return Ok(());
    }
    let log = OpenOptions::new().read(true).write(true).open(log)?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    write_again(&log)?;
    sqlx::query("COMMIT").execute(connection).await.map(drop)
}

fn write_again(file: &File) -> io::Result<()> {
    let (mut portion, mut at) = (vec![0; PORTION], 0);
    loop {
        match file.read_at(&mut portion, at)? {
            0 => return file.sync_all(),
            length => {
                file.write_all_at(&portion[..length], at)?;
                at += length as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn every_byte_is_written_again_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..PORTION + 4120).map(|at| u8::try_from(at % 251).unwrap()).collect();
        fs::write(file.path(), &bytes).unwrap();
        file.as_file().set_modified(SystemTime::UNIX_EPOCH).unwrap();

        write_again(file.as_file()).unwrap();

        assert_eq!(fs::read(file.path()).unwrap(), bytes);
        assert_ne!(file.as_file().metadata().unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
    }
}

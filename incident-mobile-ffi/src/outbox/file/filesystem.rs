//! Files beside the outbox's own, and who may read them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::super::error::OutboxError;

/// Files that only their owner may read.
pub(crate) fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes an empty file that only its owner may read, if there is none.
pub(crate) fn make_if_missing(path: &Path) -> Result<(), OutboxError> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

/// Takes others' rights to read the file and its log away.
pub(crate) fn make_private(path: &Path) {
    #[cfg(unix)]
    for suffix in ["", "-wal", "-shm"] {
        use std::os::unix::fs::PermissionsExt;
        // Some file systems know no rights, and some files are others': that is no reason to refuse a report.
        let _ = fs::set_permissions(beside(path, suffix), fs::Permissions::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// `path` with something after its name, as SQLite itself names `-wal` and `-shm`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(crate) fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Device and inode.
pub(crate) type Identity = Option<(u64, u64)>;

/// Which file the path leads to.
pub(crate) fn identity(path: &Path) -> Identity {
    numbers(&fs::metadata(path).ok()?)
}

/// That of an open file, wherever its path leads by now.
pub(crate) fn identity_of(file: &fs::File) -> Identity {
    numbers(&file.metadata().ok()?)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there are none")]
fn numbers(file: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn numbers(_file: &fs::Metadata) -> Identity {
    None
}

/// Makes durable what was made, renamed and removed beside a file. A power cut may undo one of two changes and leave the
/// other, whichever came first; where the order matters, this stands between them.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> Result<(), OutboxError> {
    Ok(fs::File::open(folder(path))?.sync_all()?)
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_path: &Path) -> Result<(), OutboxError> {
    Ok(())
}

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;

/// Where the file itself stands, from whichever folder and by whichever link it is asked for: SQLite names its log by
/// that, and a process that goes to another folder keeps its outbox. The file need not be there.
///
/// # Errors
/// [`OutboxError::Unavailable`] where no report would outlive the app, or there is something else than a file.
pub(crate) fn real_path(path: &Path) -> Result<PathBuf, OutboxError> {
    if path.as_os_str().is_empty() || path == Path::new(":memory:") {
        return Err(OutboxError::Unavailable(
            "the outbox needs the path of a file, to outlive the app".into(),
        ));
    }
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&place) else { break };
        place = folder(&place).join(target);
    }
    let name = place.file_name().unwrap_or_default();
    let place = fs::canonicalize(folder(&place))?.join(name);
    match fs::symlink_metadata(&place) {
        Ok(found) if !found.is_file() => {
            Err(OutboxError::Unavailable("the outbox's path leads to something that is no file".into()))
        }
        _ => Ok(place),
    }
}

/// Copies a file; where that fails, there is no part of a copy.
pub(crate) fn copy_whole(from: &Path, to: &Path) -> Result<(), OutboxError> {
    if let Err(error) = fs::copy(from, to) {
        remove(to)?;
        return Err(error.into());
    }
    Ok(())
}

/// Where a file stands.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes a file, if there is one.
pub(crate) fn remove(path: &Path) -> Result<(), OutboxError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

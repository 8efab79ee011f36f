//! The disk, which is memory: what was synced is known, and after a power cut nothing else is there.

use std::{
    collections::HashMap,
    ffi::c_int,
    fs, io,
    os::{
        fd::{AsRawFd, BorrowedFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// What a file held when it was synced last, by its inode.
type Synced = HashMap<u64, Vec<u8>>;

/// The files of each folder.
static SYNCED: Mutex<Option<HashMap<PathBuf, Synced>>> = Mutex::new(None);

/// In place of the C library's: nothing is written anywhere, but what would be is known.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    // SAFETY: the caller of fsync(2) holds the file open until it returns.
    let file = unsafe { BorrowedFd::borrow_raw(file) };
    if remember(file).is_ok() { 0 } else { -1 }
}

/// As [`fsync`].
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    fsync(file)
}

fn remember(file: BorrowedFd<'_>) -> io::Result<()> {
    let open = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let found = fs::metadata(&open)?;
    if found.is_file() {
        let (path, bytes) = (fs::read_link(&open)?, fs::read(&open)?);
        synced(path.parent().unwrap_or(&path), |files| files.insert(found.ino(), bytes));
    }
    Ok(())
}

fn synced<T>(folder: &Path, look: impl FnOnce(&mut Synced) -> T) -> T {
    let mut all = SYNCED.lock().unwrap_or_else(PoisonError::into_inner);
    look(all.get_or_insert_default().entry(folder.to_owned()).or_default())
}

/// How a process ends that does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is killed: what it wrote is there.
    Killed,
    /// The power is cut: what it synced is there.
    PowerCut,
}

/// What the end leaves of a database and its side files, under another name.
///
/// # Errors
/// The memory is full.
pub(crate) fn image(of: &Path, to: &Path, end: End) -> io::Result<()> {
    let (folder, name) = (of.parent().unwrap_or(of), file_name(of));
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        let own = file_name(&file);
        let Some(suffix) = own.strip_prefix(&name).filter(|rest| rest.is_empty() || rest.starts_with('-'))
        else {
            continue;
        };
        let copy = beside(to, suffix);
        if end == End::Killed || suffix == "-users" || suffix == "-repair" || suffix == "-lock" {
            fs::copy(&file, &copy)?;
        } else if suffix != "-shm" {
            // Its pages are in memory alone.
            let inode = fs::metadata(&file)?.ino();
            fs::write(&copy, synced(folder, |files| files.get(&inode).cloned()).unwrap_or_default())?;
        } else {
            continue;
        }
        // What a power cut left is on the disk; what a killed process left may never come there.
        let inode = fs::metadata(&file)?.ino();
        let bytes = synced(folder, |files| files.get(&inode).cloned()).unwrap_or_default();
        let inode = fs::metadata(&copy)?.ino();
        synced(folder, |files| files.insert(inode, bytes));
    }
    Ok(())
}

/// Forgets what was synced in a folder that is no more.
pub(crate) fn forget(folder: &Path) {
    SYNCED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().remove(folder);
}

/// Takes a file that was there from the beginning for one that was synced.
///
/// # Errors
/// It cannot be read.
pub(crate) fn is_old(file: &Path) -> io::Result<()> {
    let (inode, bytes) = (fs::metadata(file)?.ino(), fs::read(file)?);
    synced(file.parent().unwrap_or(file), |files| files.insert(inode, bytes));
    Ok(())
}

/// A file with something behind its name, as SQLite names its own.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

//! The disk, which is memory: what was not synced is known, and after a power cut it is not there.
//!
//! Of what is overwritten or cut off the bytes before are kept until the next sync (`unsynced.rs`). So a sync costs nothing, and
//! a power cut takes back what was written since. What fails is in `failing.rs`.

use std::{
    collections::HashMap,
    ffi::{c_int, c_void},
    fs, io,
    mem::ManuallyDrop,
    os::{
        fd::{AsRawFd, FromRawFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{
    failing::{self, Call, Kind},
    unsynced::Unsynced,
};

#[expect(clippy::cast_possible_truncation, reason = "the kernel has this number in another type")]
const F_UNLCK: i16 = libc::F_UNLCK as i16;

/// Each file by its inode, with its path. Of a file that is not here nothing was ever synced.
type Files = HashMap<u64, (PathBuf, Unsynced)>;

static FILES: Mutex<Option<Files>> = Mutex::new(None);

fn files<T>(look: impl FnOnce(&mut Files) -> T) -> T {
    look(FILES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// A file that is open elsewhere, and its length, if it is one.
#[expect(unsafe_code, reason = "the C library knows files by their numbers")]
fn borrowed(file: c_int) -> Option<(ManuallyDrop<fs::File>, fs::Metadata)> {
    // SAFETY: who calls the C library holds the file open until that returns, and it is not closed here.
    let file = ManuallyDrop::new(unsafe { fs::File::from_raw_fd(file) });
    let found = file.metadata().ok().filter(fs::Metadata::is_file)?;
    Some((file, found))
}

/// Looks at what is known of an open file.
fn of_open<T>(file: &fs::File, found: &fs::Metadata, look: impl FnOnce(&Path, &mut Unsynced) -> T) -> T {
    files(|files| {
        let (path, unsynced) = files.entry(found.ino()).or_insert_with(|| {
            let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default();
            (path, Unsynced::default())
        });
        look(path, unsynced)
    })
}

/// All that is behind a place.
const ALL: u64 = u64::MAX;

/// Keeps what was synced of what is about to change; says how much of it changes, or how the call fails.
fn keep(file: c_int, at: u64, length: u64) -> Result<u64, Kind> {
    let Some((file, found)) = borrowed(file) else { return Ok(length) };
    of_open(&file, &found, |path, unsynced| {
        let grows = length != ALL && at + length > found.len();
        let length = match failing::next(path, Call::Write, grows) {
            None => length,
            Some(Kind::Short) if length != ALL => length / 2,
            Some(kind) => return Err(kind),
        };
        unsynced.touch(&file, found.len(), at, at.saturating_add(length));
        Ok(length)
    })
}

/// As the C library says that a call failed.
#[expect(unsafe_code, reason = "the C library has a number for it")]
fn fail(kind: Kind) -> c_int {
    // SAFETY: it leads to this thread's own.
    unsafe { *libc::__errno_location() = failing::number(kind) };
    -1
}

/// In place of the C library's: a disk may fail.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn pread64(file: c_int, bytes: *mut c_void, length: usize, at: i64) -> isize {
    if failing::is_any_in_reading()
        && let Some(kind) = fails_to_read(file)
    {
        return fail(kind) as isize;
    }
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = unsafe { libc::syscall(libc::SYS_pread64, file, bytes, length, at) };
    isize::try_from(done).unwrap_or(-1)
}

fn fails_to_read(file: c_int) -> Option<Kind> {
    let (_, found) = borrowed(file)?;
    let path = files(|files| files.get(&found.ino()).map(|(path, _)| path.clone()))?;
    failing::next(&path, Call::Read, false)
}

/// In place of the C library's: what is overwritten is kept, and a disk may fail.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn pwrite64(file: c_int, bytes: *const c_void, length: usize, at: i64) -> isize {
    let length = match keep(file, at.unsigned_abs(), length as u64) {
        Ok(length) => length,
        Err(kind) => return fail(kind) as isize,
    };
    // SAFETY: the call as it came, or a part of it; the kernel judges its arguments.
    let done = unsafe { libc::syscall(libc::SYS_pwrite64, file, bytes, length, at) };
    isize::try_from(done).unwrap_or(-1)
}

/// In place of the C library's: what is cut off is kept, and a disk may fail.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn ftruncate64(file: c_int, length: i64) -> c_int {
    if let Err(kind) = keep(file, length.unsigned_abs(), ALL) {
        return fail(kind);
    }
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = unsafe { libc::syscall(libc::SYS_ftruncate, file, length) };
    c_int::try_from(done).unwrap_or(-1)
}

/// In place of the C library's: nothing is written anywhere, but what would be is known, and a disk may fail.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
extern "C" fn fsync(file: c_int) -> c_int {
    let Some((file, found)) = borrowed(file) else { return 0 };
    of_open(&file, &found, |path, unsynced| match failing::next(path, Call::Sync, false) {
        None => {
            unsynced.sync(found.len());
            0
        }
        Some(kind) => {
            unsynced.fail_to_sync(found.len());
            fail(kind)
        }
    })
}

/// As [`fsync`].
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    fsync(file)
}

/// In place of the C library's: such locks are between processes, and here is one.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn fcntl64(file: c_int, command: c_int, argument: *mut libc::flock) -> c_int {
    match command {
        libc::F_SETLK | libc::F_SETLKW => return 0,
        // SAFETY: who asks for a lock hands over room for the answer.
        libc::F_GETLK => unsafe { (*argument).l_type = F_UNLCK },
        // SAFETY: the call as it came; the kernel judges its arguments.
        _ => {
            return c_int::try_from(unsafe { libc::syscall(libc::SYS_fcntl, file, command, argument) })
                .unwrap_or(-1);
        }
    }
    0
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
        copy(&file, &beside(to, suffix), suffix, end)?;
    }
    Ok(())
}

fn copy(file: &Path, copy: &Path, suffix: &str, end: End) -> io::Result<()> {
    let inode = fs::metadata(file)?.ino();
    let mut unsynced = files(|files| files.get(&inode).map(|(_, known)| known.clone())).unwrap_or_default();
    if end == End::Killed || matches!(suffix, "-opening" | "-users" | "-repair" | "-lock") {
        // What a killed process left may never come to the disk.
        fs::copy(file, copy)?;
    } else if suffix != "-shm" {
        fs::write(copy, unsynced.cut(fs::read(file)?))?;
    } else {
        return Ok(()); // its pages are in memory alone
    }
    remember(copy, unsynced)
}

fn remember(file: &Path, unsynced: Unsynced) -> io::Result<()> {
    let inode = fs::metadata(file)?.ino();
    files(|files| files.insert(inode, (file.to_owned(), unsynced)));
    Ok(())
}

/// Forgets the files of a folder that is no more.
pub(crate) fn forget(folder: &Path) {
    files(|files| files.retain(|_, (file, _)| !file.starts_with(folder)));
    failing::forget(folder);
}

/// Takes a file that was there from the beginning for one that was synced.
///
/// # Errors
/// It cannot be read.
pub(crate) fn is_old(file: &Path) -> io::Result<()> {
    remember(file, Unsynced::none(fs::metadata(file)?.len()))
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

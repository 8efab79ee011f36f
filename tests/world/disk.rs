//! The disk, which is memory: what was not synced is known, and after a power cut it is not there.
//!
//! Of what is overwritten or cut off the bytes before are kept until the next sync. So a sync costs nothing, and a power
//! cut takes back what was written since.

use std::{
    collections::HashMap,
    ffi::{c_int, c_void},
    fs, io,
    mem::ManuallyDrop,
    os::{
        fd::{AsRawFd, FromRawFd},
        unix::fs::{FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

#[expect(clippy::cast_possible_truncation, reason = "the kernel has this number in another type")]
const F_UNLCK: i16 = libc::F_UNLCK as i16;

/// What became of a file since it was synced last.
#[derive(Debug, Clone, Default)]
struct Unsynced {
    /// How long it was then.
    length: u64,
    /// What was overwritten or cut off since, in order.
    before: Vec<(u64, Vec<u8>)>,
}

impl Unsynced {
    /// What the file held when it was synced last.
    fn undo(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let size = |length: u64| usize::try_from(length).unwrap_or(usize::MAX);
        for (at, before) in self.before.iter().rev() {
            let (at, end) = (size(*at), size(*at) + before.len());
            bytes.resize(bytes.len().max(end), 0);
            bytes[at..end].copy_from_slice(before);
        }
        bytes.resize(size(self.length), 0);
        bytes
    }
}

/// Each file by its inode, with its path. Of a file that is not here nothing was ever synced.
type Files = HashMap<u64, (PathBuf, Unsynced)>;

static FILES: Mutex<Option<Files>> = Mutex::new(None);
/// Databases that have no room to grow.
static FULL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

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

/// Whether the file must not grow. The index of a log is memory and no disk.
fn is_full(file: &Path) -> bool {
    let full = FULL.lock().unwrap_or_else(PoisonError::into_inner);
    full.iter().any(|full| ["", "-wal"].iter().any(|suffix| beside(full, suffix) == file))
}

/// From now on a database has no room to grow, or has it again.
pub(crate) fn set_full(file: &Path, is_full: bool) {
    let mut full = FULL.lock().unwrap_or_else(PoisonError::into_inner);
    full.retain(|other| other != file);
    full.extend(is_full.then(|| file.to_owned()));
}

/// Keeps what is in a part of the file that was synced; says whether there is room for what comes there.
fn keep(file: c_int, at: u64, end: u64) -> bool {
    let Some((file, found)) = borrowed(file) else { return true };
    of_open(&file, &found, |path, unsynced| {
        if end != u64::MAX && end > found.len() && is_full(path) {
            return false;
        }
        let end = end.min(unsynced.length).min(found.len());
        if at < end {
            let mut before = vec![0; usize::try_from(end - at).unwrap_or(0)];
            file.read_exact_at(&mut before, at).expect("what is in memory can be read");
            unsynced.before.push((at, before));
        }
        true
    })
}

/// In place of the C library's: what is overwritten is kept, and a full disk takes nothing more.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn pwrite64(file: c_int, bytes: *const c_void, length: usize, at: i64) -> isize {
    if !keep(file, at.unsigned_abs(), at.unsigned_abs() + length as u64) {
        // SAFETY: it leads to this thread's own.
        unsafe { *libc::__errno_location() = libc::ENOSPC };
        return -1;
    }
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = unsafe { libc::syscall(libc::SYS_pwrite64, file, bytes, length, at) };
    isize::try_from(done).unwrap_or(-1)
}

/// In place of the C library's: what is cut off is kept.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn ftruncate64(file: c_int, length: i64) -> c_int {
    keep(file, length.unsigned_abs(), u64::MAX);
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = unsafe { libc::syscall(libc::SYS_ftruncate, file, length) };
    c_int::try_from(done).unwrap_or(-1)
}

/// In place of the C library's: nothing is written anywhere, but what would be is known.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
extern "C" fn fsync(file: c_int) -> c_int {
    if let Some((file, found)) = borrowed(file) {
        let length = found.len();
        of_open(&file, &found, |_, unsynced| *unsynced = Unsynced { length, before: Vec::new() });
    }
    0
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
    if end == End::Killed || matches!(suffix, "-users" | "-repair" | "-lock") {
        // What a killed process left may never come to the disk.
        fs::copy(file, copy)?;
    } else if suffix != "-shm" {
        fs::write(copy, unsynced.undo(fs::read(file)?))?;
        unsynced.before.clear();
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
    FULL.lock().unwrap_or_else(PoisonError::into_inner).retain(|file| !file.starts_with(folder));
}

/// Takes a file that was there from the beginning for one that was synced.
///
/// # Errors
/// It cannot be read.
pub(crate) fn is_old(file: &Path) -> io::Result<()> {
    remember(file, Unsynced { length: fs::metadata(file)?.len(), before: Vec::new() })
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

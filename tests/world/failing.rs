//! Disks that fail: they have no room, or calls end in errors.

use std::{
    ffi::c_int,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fastrand::Rng;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There is no room.
    NoRoom,
    /// The disk is broken.
    Broken,
    /// Half of it is written; of what follows, nothing for want of room.
    Short,
    /// The disk does not answer in time.
    Late,
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
    Sync,
}

/// Which calls fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    kind: Kind,
    /// So many calls are well before.
    after: u32,
    /// So many fail.
    times: u32,
    /// These are counted, and fail.
    calls: &'static [Call],
}

impl Failure {
    pub(crate) fn choose(rng: &mut Rng) -> Self {
        let kinds = [Kind::NoRoom, Kind::Broken, Kind::Short];
        let only_syncs = rng.bool();
        let times = times(rng);
        Self {
            kind: kinds[rng.usize(..kinds.len())],
            after: rng.u32(..if only_syncs { 4 } else { 40 }),
            times: times[rng.usize(..times.len())],
            calls: if only_syncs { &[Call::Sync] } else { &[Call::Write, Call::Sync] },
        }
    }

    /// In reading.
    pub(crate) fn choose_in_reading(rng: &mut Rng) -> Self {
        let times = times(rng);
        Self {
            kind: if rng.bool() { Kind::Broken } else { Kind::Late },
            after: rng.u32(..6), // most pages are in memory
            times: times[rng.usize(..times.len())],
            calls: &[Call::Read],
        }
    }
}

fn times(rng: &mut Rng) -> [u32; 5] {
    [1, 2, 3, rng.u32(2..60), u32::MAX]
}

/// That of one database.
struct Disk {
    file: PathBuf,
    is_full: bool,
    failure: Option<Failure>,
    /// So many calls have failed.
    failed: u32,
    /// Whether SQLite was told that a page cannot be read.
    is_given_up: bool,
}

static DISKS: Mutex<Vec<Disk>> = Mutex::new(Vec::new());
/// Whether any of them fails in reading, which is done often.
static IN_READING: AtomicBool = AtomicBool::new(false);

fn disks<T>(look: impl FnOnce(&mut Vec<Disk>) -> T) -> T {
    let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = look(&mut disks);
    let fails = |disk: &Disk| disk.failure.is_some_and(|failure| failure.calls.contains(&Call::Read));
    IN_READING.store(disks.iter().any(fails), Ordering::Relaxed);
    seen
}

/// Whether reading may fail at all.
pub(crate) fn is_any_in_reading() -> bool {
    IN_READING.load(Ordering::Relaxed)
}

/// Looks at the disk of a database.
fn disk_of<T>(file: &Path, look: impl FnOnce(&mut Disk) -> T) -> T {
    disks(|disks| {
        let at = disks.iter().position(|disk| disk.file == file).unwrap_or_else(|| {
            disks.push(Disk {
                file: file.to_owned(),
                is_full: false,
                failure: None,
                failed: 0,
                is_given_up: false,
            });
            disks.len() - 1
        });
        look(&mut disks[at])
    })
}

impl Disk {
    /// Whether this file is the database or its log. The index of the log is memory and no disk.
    fn has(&self, file: &Path) -> bool {
        let rest = file.as_os_str().as_bytes().strip_prefix(self.file.as_os_str().as_bytes());
        matches!(rest, Some(b"" | b"-wal"))
    }

    fn next(&mut self, call: Call) -> Option<Kind> {
        let failure = self.failure.as_mut().filter(|failure| failure.calls.contains(&call))?;
        if failure.after > 0 {
            failure.after -= 1;
            return None;
        }
        let kind = failure.kind;
        failure.times -= 1;
        if kind == Kind::Short {
            failure.kind = Kind::NoRoom;
        }
        if failure.times == 0 {
            self.failure = None;
        }
        self.failed += 1;
        self.is_given_up |= call == Call::Read && kind == Kind::Broken;
        Some(kind)
    }
}

/// What becomes of the next call on a file, if it fails.
pub(crate) fn next(file: &Path, call: Call, grows: bool) -> Option<Kind> {
    disks(|disks| {
        let disk = disks.iter_mut().find(|disk| disk.has(file))?;
        if grows && disk.is_full { Some(Kind::NoRoom) } else { disk.next(call) }
    })
}

/// What a call that failed leaves in `errno`.
pub(crate) fn number(kind: Kind) -> c_int {
    match kind {
        Kind::NoRoom => libc::ENOSPC,
        Kind::Late => libc::ETIMEDOUT,
        Kind::Broken | Kind::Short => libc::EIO,
    }
}

/// From now on a database has no room to grow, or has it again.
pub(crate) fn set_full(file: &Path, is_full: bool) {
    disk_of(file, |disk| disk.is_full = is_full);
}

/// From now on calls on a database fail, or are well again.
pub(crate) fn set(file: &Path, failure: Option<Failure>) {
    disk_of(file, |disk| disk.failure = failure);
}

/// What ails a database's disk, and no more from here on.
pub(crate) fn take(file: &Path) -> Option<Failure> {
    disk_of(file, |disk| disk.failure.take())
}

/// Whether calls on a database fail, or soon will.
pub(crate) fn fails(file: &Path) -> bool {
    disks(|disks| disks.iter().any(|disk| disk.file == file && disk.failure.is_some()))
}

/// How many calls on a database have failed so far.
pub(crate) fn failed(file: &Path) -> u32 {
    disks(|disks| disks.iter().find(|disk| disk.file == file).map_or(0, |disk| disk.failed))
}

/// Whether SQLite was told that a page cannot be read, which it takes for damage: a server takes nothing more then until it starts
/// again.
pub(crate) fn is_given_up(file: &Path) -> bool {
    disks(|disks| disks.iter().any(|disk| disk.file == file && disk.is_given_up))
}

/// A server starts again.
pub(crate) fn begin_anew(file: &Path) {
    disk_of(file, |disk| disk.is_given_up = false);
}

/// What is left of a database is under another name; the disk is the same.
pub(crate) fn moved(from: &Path, to: &Path) {
    let before = disk_of(from, |disk| (disk.failure.take(), disk.failed, disk.is_given_up));
    disk_of(to, |disk| (disk.failure, disk.failed, disk.is_given_up) = before);
}

/// Forgets the disks of a folder that is no more.
pub(crate) fn forget(folder: &Path) {
    disks(|disks| disks.retain(|disk| !disk.file.starts_with(folder)));
}

//! Disks that fail: they have no room, or calls end in errors.

use std::{
    ffi::c_int,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
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
}

/// Which calls fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    kind: Kind,
    /// So many calls are well before.
    after: u32,
    /// So many fail.
    times: u32,
    /// Whether only syncs are counted, and fail.
    only_syncs: bool,
}

impl Failure {
    pub(crate) fn choose(rng: &mut Rng) -> Self {
        let kinds = [Kind::NoRoom, Kind::Broken, Kind::Short];
        let only_syncs = rng.bool();
        let times = [1, 2, 3, rng.u32(2..60), u32::MAX];
        Self {
            kind: kinds[rng.usize(..kinds.len())],
            after: rng.u32(..if only_syncs { 4 } else { 40 }),
            times: times[rng.usize(..times.len())],
            only_syncs,
        }
    }
}

/// That of one database.
struct Disk {
    file: PathBuf,
    is_full: bool,
    failure: Option<Failure>,
    /// So many calls have failed.
    failed: u32,
}

static DISKS: Mutex<Vec<Disk>> = Mutex::new(Vec::new());

fn disks<T>(look: impl FnOnce(&mut Vec<Disk>) -> T) -> T {
    look(&mut DISKS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Looks at the disk of a database.
fn disk_of<T>(file: &Path, look: impl FnOnce(&mut Disk) -> T) -> T {
    disks(|disks| {
        let at = disks.iter().position(|disk| disk.file == file).unwrap_or_else(|| {
            disks.push(Disk { file: file.to_owned(), is_full: false, failure: None, failed: 0 });
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

    fn next(&mut self, is_sync: bool) -> Option<Kind> {
        let failure = self.failure.as_mut().filter(|failure| is_sync || !failure.only_syncs)?;
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
        Some(kind)
    }
}

/// What becomes of the next call on a file, if it fails.
pub(crate) fn next(file: &Path, is_sync: bool, grows: bool) -> Option<Kind> {
    disks(|disks| {
        let disk = disks.iter_mut().find(|disk| disk.has(file))?;
        if grows && disk.is_full { Some(Kind::NoRoom) } else { disk.next(is_sync) }
    })
}

/// What a call that failed leaves in `errno`.
pub(crate) fn number(kind: Kind) -> c_int {
    if kind == Kind::NoRoom { libc::ENOSPC } else { libc::EIO }
}

/// From now on a database has no room to grow, or has it again.
pub(crate) fn set_full(file: &Path, is_full: bool) {
    disk_of(file, |disk| disk.is_full = is_full);
}

/// From now on calls on a database fail, or are well again.
pub(crate) fn set(file: &Path, failure: Option<Failure>) {
    disk_of(file, |disk| disk.failure = failure);
}

/// Whether calls on a database fail, or soon will.
pub(crate) fn fails(file: &Path) -> bool {
    disks(|disks| disks.iter().any(|disk| disk.file == file && disk.failure.is_some()))
}

/// How many calls on a database have failed so far.
pub(crate) fn failed(file: &Path) -> u32 {
    disks(|disks| disks.iter().find(|disk| disk.file == file).map_or(0, |disk| disk.failed))
}

/// What is left of a database is under another name; the disk is the same.
pub(crate) fn moved(from: &Path, to: &Path) {
    let (failure, failed) = disk_of(from, |disk| (disk.failure.take(), disk.failed));
    disk_of(to, |disk| (disk.failure, disk.failed) = (failure, failed));
}

/// Forgets the disks of a folder that is no more.
pub(crate) fn forget(folder: &Path) {
    disks(|disks| disks.retain(|disk| !disk.file.starts_with(folder)));
}

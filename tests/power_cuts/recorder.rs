//! Watches one folder of the process.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap, HashSet},
    ffi::{CStr, OsStr},
    fs, io,
    os::{
        fd::{AsRawFd, BorrowedFd},
        unix::{ffi::OsStrExt, fs::MetadataExt},
    },
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicBool, atomic::Ordering},
};

use crate::{
    disk::Disk,
    record::{Event, Files},
};

/// SQLite's index of its log: it is mapped into memory and never synced.
const INDEX: &str = "-shm";
/// What of it is looked at: both copies of its head.
const INDEX_HEAD: usize = 136;

static IS_WATCHING: AtomicBool = AtomicBool::new(false);
static RECORDER: Mutex<Option<Recorder>> = Mutex::new(None);

thread_local! {
    /// The recorder itself opens files, too.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

struct Recorder {
    folder: PathBuf,
    inode: u64,
    /// Numbers of files by their inodes.
    files: HashMap<u64, usize>,
    names: BTreeMap<String, usize>,
    base: Files,
    events: Vec<Event>,
    indexes: BTreeMap<String, Vec<u8>>,
    /// Whether what is written is kept, or only that it was.
    keeps_bytes: bool,
    /// Files that were written since they were synced. That a file is shorter acknowledges nothing.
    unsynced: HashSet<usize>,
    /// Files whose name is not synced yet, and whether something was written into them.
    unnamed: HashMap<usize, bool>,
    syncs: u64,
}

/// The recorder, while one call is made; others wait.
pub(crate) struct Watched(MutexGuard<'static, Option<Recorder>>);

impl Drop for Watched {
    fn drop(&mut self) {
        IS_INSIDE.set(false);
    }
}

/// The recorder, if a folder is watched.
pub(crate) fn watched() -> Option<Watched> {
    if !IS_WATCHING.load(Ordering::Acquire) || IS_INSIDE.replace(true) {
        return None;
    }
    let recorder = Watched(RECORDER.lock().unwrap_or_else(PoisonError::into_inner));
    recorder.0.is_some().then_some(recorder)
}

/// Watches a folder from now on. Without `keeps_bytes` only what was synced is known.
///
/// # Errors
/// It cannot be read.
pub(crate) fn start(folder: &Path, keeps_bytes: bool) -> io::Result<()> {
    let base = read(folder)?;
    let (mut files, mut names) = (HashMap::new(), BTreeMap::new());
    for (number, name) in base.keys().enumerate() {
        files.insert(fs::metadata(folder.join(name))?.ino(), number);
        names.insert(name.clone(), number);
    }
    let inode = fs::metadata(folder)?.ino();
    let recorder = Recorder {
        folder: folder.to_owned(),
        inode,
        files,
        names,
        base,
        events: Vec::new(),
        indexes: BTreeMap::new(),
        keeps_bytes,
        unsynced: HashSet::new(),
        unnamed: HashMap::new(),
        syncs: 0,
    };
    *RECORDER.lock().unwrap_or_else(PoisonError::into_inner) = Some(recorder);
    IS_WATCHING.store(true, Ordering::Release);
    Ok(())
}

/// Watches no more, and hands over what was there before and what was done.
///
/// # Errors
/// Something was done to the files that was not recorded.
pub(crate) fn stop() -> Result<(Files, Vec<Event>), String> {
    IS_WATCHING.store(false, Ordering::Release);
    let recorder =
        RECORDER.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or("nothing was watched")?;
    let Recorder { folder, base, events, keeps_bytes, .. } = recorder;
    let there = read(&folder).map_err(|error| error.to_string())?;
    let mut disk = Disk::new(&base);
    for event in &events {
        disk.pass(event);
    }
    if keeps_bytes && disk.all() != there {
        return Err("something was written that was not recorded".into());
    }
    Ok((base, events))
}

/// Notes something that is no call.
pub(crate) fn note(event: Event) {
    if let Some(mut watched) = watched() {
        watched.note(event);
    }
}

/// How many syncs there were, and which of these files, or the folder, has something that is not synced.
pub(crate) fn unsynced(names: &[&str]) -> (u64, Option<String>) {
    let Some(watched) = watched() else { return (0, None) };
    let recorder = watched.0.as_ref().expect("it is watched");
    let is_dirty =
        |name: &&&str| recorder.names.get(**name).is_some_and(|file| recorder.unsynced.contains(file));
    let dirty = names.iter().find(is_dirty).map(|name| (*name).to_owned());
    let is_unnamed = recorder.unnamed.values().any(|is_written| *is_written);
    let dirty = dirty.or_else(|| is_unnamed.then(|| "the folder".to_owned()));
    (recorder.syncs, dirty)
}

/// All files of a folder but the indexes of logs.
fn read(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.ends_with(INDEX) {
            files.insert(name, fs::read(file.path())?);
        }
    }
    Ok(files)
}

impl Watched {
    fn recorder(&mut self) -> &mut Recorder {
        self.0.as_mut().expect("it is watched")
    }

    fn name(&self, path: &CStr) -> Option<String> {
        let path = Path::new(OsStr::from_bytes(path.to_bytes()));
        let is_here = path.parent() == self.0.as_ref().map(|recorder| recorder.folder.as_path());
        let name = path.file_name().filter(|_| is_here)?.to_string_lossy().into_owned();
        (!name.ends_with(INDEX)).then_some(name)
    }

    fn file(&self, file: BorrowedFd<'_>) -> Option<usize> {
        let found = fs::metadata(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
        self.0.as_ref()?.files.get(&found.ino()).copied()
    }

    fn note(&mut self, mut event: Event) {
        let recorder = self.recorder();
        match &mut event {
            Event::Write { file, bytes, .. } => {
                recorder.unsynced.insert(*file);
                recorder.unnamed.entry(*file).and_modify(|is_written| *is_written = true);
                if !recorder.keeps_bytes {
                    bytes.clear();
                }
            }
            Event::Sync { file } => _ = recorder.unsynced.remove(file),
            Event::Link { name, file } if is_database(name) => _ = recorder.unnamed.insert(*file, false),
            Event::SyncFolder => recorder.unnamed.clear(),
            _ => {}
        }
        recorder.syncs += u64::from(event.is_sync());
        if recorder.keeps_bytes {
            recorder.events.push(event);
        }
    }

    pub(crate) fn is_there(&self, path: &CStr) -> bool {
        self.name(path)
            .is_some_and(|name| self.0.as_ref().is_some_and(|recorder| recorder.names.contains_key(&name)))
    }

    pub(crate) fn opened(&mut self, path: &CStr, file: BorrowedFd<'_>, was_there: bool, is_emptied: bool) {
        let Some(name) = self.name(path) else { return };
        if was_there && is_emptied {
            self.resized(file, 0);
        }
        let found = fs::metadata(format!("/proc/self/fd/{}", file.as_raw_fd()));
        if let (Ok(found), false) = (found, was_there) {
            let recorder = self.recorder();
            let number = recorder.files.len();
            recorder.files.insert(found.ino(), number);
            recorder.names.insert(name.clone(), number);
            self.note(Event::Link { name, file: number });
        }
    }

    pub(crate) fn wrote(&mut self, file: BorrowedFd<'_>, at: u64, bytes: &[u8]) {
        if let Some(file) = self.file(file) {
            self.note(Event::Write { file, at, bytes: bytes.to_owned() });
        }
    }

    pub(crate) fn resized(&mut self, file: BorrowedFd<'_>, size: u64) {
        if let Some(file) = self.file(file) {
            self.note(Event::Resize { file, size });
        }
    }

    /// Whether it is one of ours, which need not be synced in earnest.
    pub(crate) fn synced(&mut self, file: BorrowedFd<'_>) -> bool {
        let is_folder = fs::metadata(format!("/proc/self/fd/{}", file.as_raw_fd()))
            .is_ok_and(|found| found.is_dir() && Some(found.ino()) == self.0.as_ref().map(|r| r.inode));
        let event = if is_folder {
            Some(Event::SyncFolder)
        } else {
            self.file(file).map(|file| Event::Sync { file })
        };
        let Some(event) = event else { return false };
        self.note_indexes();
        self.note(event);
        true
    }

    /// What stands in the indexes of logs now.
    fn note_indexes(&mut self) {
        let recorder = self.recorder();
        let logs: Vec<_> = recorder.names.keys().filter_map(|name| name.strip_suffix("-wal")).collect();
        let indexes: Vec<_> = logs.into_iter().map(|name| format!("{name}{INDEX}")).collect();
        for name in indexes {
            let Ok(mut bytes) = fs::read(self.recorder().folder.join(&name)) else { continue };
            bytes.truncate(INDEX_HEAD);
            let known = self.recorder().indexes.insert(name.clone(), bytes.clone());
            if known.as_ref() != Some(&bytes) {
                self.note(Event::Index { name, bytes });
            }
        }
    }

    pub(crate) fn renamed(&mut self, from: &CStr, to: &CStr) {
        if let (Some(from), Some(to)) = (self.name(from), self.name(to)) {
            let recorder = self.recorder();
            let Some(file) = recorder.names.remove(&from) else { return };
            recorder.names.insert(to.clone(), file);
            self.note(Event::Rename { from, to, file });
        }
    }

    pub(crate) fn unlinked(&mut self, path: &CStr) {
        if let Some(name) = self.name(path) {
            self.recorder().names.remove(&name);
            self.note(Event::Unlink { name });
        }
    }
}

/// Whether what is acknowledged may stand in it: the other files are locks and copies.
fn is_database(name: &str) -> bool {
    !name.contains('-') || name.ends_with("-wal")
}

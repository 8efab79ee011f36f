//! Every image of a recording is built and opened again.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use fastrand::Rng;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    Failure,
    disk::Disk,
    plan::{Plan, plans},
    record::{Event, Expected, Files, Life, State},
};

/// After so many faults there is enough to look at.
const ENOUGH: usize = 3;

/// What is opened again: the real code on real files.
pub(crate) trait Subject: Sync {
    /// How it is called on the command line, and in what is written down.
    fn names(&self) -> (&'static str, &'static str);

    /// Lives through the lives of this seed, recorded.
    ///
    /// # Errors
    /// Something failed that has nothing to do with power cuts.
    fn live(&self, seed: u64) -> Result<Vec<Life>, Failure>;

    /// Gives so many answers or more, each of which must be covered by a sync before it. Says how many it were.
    ///
    /// # Errors
    /// One was given too early.
    fn answers(&self, wanted: u64) -> Result<u64, Failure>;

    /// Opens what a power cut left, reads it, and goes on with it.
    ///
    /// # Errors
    /// It does not open, or cannot be gone on with.
    fn open(&self, folder: &Path, now_ms: i64) -> Result<Opened, String>;
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opened {
    pub(crate) state: State,
    /// Whether the files were taken for damaged, and saved from.
    pub(crate) is_repaired: bool,
}

/// Which images of a recording.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    /// One of so many.
    Each(u64),
    This(u64),
}

/// What came of them.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Those that are different from each other.
    pub(crate) images: u64,
    pub(crate) repaired: u64,
    /// In which an anonymous entry waits again that was settled and erased.
    pub(crate) came_back: u64,
    pub(crate) not_opened: u64,
    pub(crate) lost: u64,
    /// Which image, and what is wrong.
    pub(crate) faults: Vec<(u64, String)>,
}

/// A place in a recording where a power cut is tried.
pub(crate) struct Cut<'life> {
    /// Which image it is, of the recording.
    pub(crate) number: u64,
    pub(crate) life_number: usize,
    /// This one and those before it.
    pub(crate) lives: &'life [Life],
    pub(crate) life: &'life Life,
    pub(crate) disk: &'life Disk<'life>,
    pub(crate) expected: &'life Expected<'life>,
    pub(crate) plan: &'life Plan,
}

impl Cut<'_> {
    /// Whether it is an anonymous entry that stood there like this once. Of such a one no mark is kept by which a repair
    /// would know that it was erased: until the queue rests and the file is written anew, one that finds it in an old page
    /// of the log takes it for an entry that waits. It is sent once more then, and changes nothing at the server.
    fn was_erased(&self, name: &str, text: &str) -> bool {
        let stood_there = |state: &State| state.get(name).is_some_and(|stood| stood == text);
        text.contains(r#""isAnonymous":true"#)
            && self.lives.iter().flat_map(|life| &life.states).any(stood_there)
    }
}

/// All images of a recording, in an order that is always the same.
pub(crate) fn each_cut(lives: &[Life], mut see: impl FnMut(&Cut<'_>)) {
    let mut number = 0;
    for (life_number, life) in lives.iter().enumerate() {
        let mut rng = Rng::with_seed(life_number as u64);
        let (mut disk, mut expected) = (Disk::new(&life.base), Expected::new(life));
        for event in life.events.iter().map(Some).chain([None]) {
            if event.is_none_or(Event::is_sync) && expected.calls() >= life.first_call {
                for plan in plans(&disk.pending, &mut rng) {
                    see(&Cut {
                        number,
                        life_number,
                        lives: &lives[..=life_number],
                        life,
                        disk: &disk,
                        expected: &expected,
                        plan: &plan,
                    });
                    number += 1;
                }
            }
            if let Some(event) = event {
                disk.pass(event);
                expected.pass(life, event);
            }
        }
    }
}

/// Opens them, several at once.
///
/// # Errors
/// There is no room for them.
pub(crate) fn open_all(
    subject: &dyn Subject,
    lives: &[Life],
    which: Which,
    jobs: usize,
) -> Result<Counts, Failure> {
    let (counts, seen) = (Mutex::new(Counts::default()), Mutex::new(HashSet::new()));
    let folders: Vec<_> = (0..jobs).map(|_| memory()).collect::<io::Result<_>>()?;
    thread::scope(|scope| {
        for (job, folder) in folders.iter().enumerate() {
            let (counts, seen) = (&counts, &seen);
            scope.spawn(move || {
                each_cut(lives, |cut| {
                    if which.is_of(cut.number, job, jobs) && locked(counts).faults.len() < ENOUGH {
                        let files = cut.disk.image(cut.plan);
                        if locked(seen).insert(fingerprint(&files, cut.expected.calls())) {
                            let opened = open_in(folder.path(), subject, &files, cut.life.now_ms);
                            locked(counts).add(cut, opened);
                        }
                    }
                });
            });
        }
    });
    Ok(counts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn open_in(folder: &Path, subject: &dyn Subject, files: &Files, now_ms: i64) -> Result<Opened, String> {
    put(files, folder).map_err(|error| format!("no room: {error}"))?;
    subject.open(folder, now_ms)
}

impl Which {
    /// Whether this image is to be opened by this job of so many.
    fn is_of(self, image: u64, job: usize, jobs: usize) -> bool {
        match self {
            Self::Each(step) => image.is_multiple_of(step) && image / step % jobs as u64 == job as u64,
            Self::This(number) => image == number && job == 0,
        }
    }
}

impl Counts {
    fn add(&mut self, cut: &Cut<'_>, opened: Result<Opened, String>) {
        self.images += 1;
        let opened = match opened {
            Ok(opened) => opened,
            Err(why) => {
                self.not_opened += 1;
                return self.faults.push((cut.number, why));
            }
        };
        self.repaired += u64::from(opened.is_repaired);
        match cut.expected.judge(&opened.state, |name, text| opened.is_repaired && cut.was_erased(name, text))
        {
            Ok(came_back) => self.came_back += u64::from(came_back > 0),
            Err(why) => {
                self.lost += 1;
                self.faults.push((cut.number, why));
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same image after another call is another one: more must be there.
fn fingerprint(files: &Files, calls: usize) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(calls.to_le_bytes());
    for (name, bytes) in files {
        digest.update([name.len(), bytes.len()].map(usize::to_le_bytes).concat());
        digest.update(name);
        digest.update(bytes);
    }
    digest.finalize().into()
}

/// A folder of memory where there is any.
///
/// # Errors
/// There is no room.
pub(crate) fn memory() -> io::Result<TempDir> {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }
}

/// Puts files into a folder, in place of whatever stands there.
///
/// # Errors
/// There is no room.
pub(crate) fn put(files: &Files, folder: &Path) -> io::Result<()> {
    for old in fs::read_dir(folder)? {
        fs::remove_file(old?.path())?;
    }
    files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
}

/// What is found in an image.
///
/// # Errors
/// It does not open.
pub(crate) fn look(subject: &dyn Subject, files: &Files, now_ms: i64) -> Result<Opened, String> {
    let folder = memory().map_err(|error| error.to_string())?;
    open_in(folder.path(), subject, files, now_ms)
}

/// One of all that the power may leave.
pub(crate) fn any_image(life: &Life, rng: &mut Rng) -> Files {
    let mut count = 0;
    each_cut(std::slice::from_ref(life), |_| count += 1);
    let (wanted, mut files) = (rng.u64(..count), Files::new());
    each_cut(std::slice::from_ref(life), |cut| {
        if cut.number == wanted {
            files = cut.disk.image(cut.plan);
        }
    });
    files
}

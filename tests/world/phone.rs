//! Phones: real outboxes, several on one file, that are killed when chance wants it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{Limits, Options, Outbox, OutboxError, Reached, Spacing};

use crate::{
    Broken,
    disk::{End, image},
    failing,
};

/// A file with outboxes of one or two people in it.
pub(crate) struct Device {
    pub(crate) file: PathBuf,
    lives: u32,
    pub(crate) settings: Settings,
    /// How far its clock is wrong.
    pub(crate) error_ms: i64,
    /// Whether its disk is full for now.
    is_full: bool,
}

/// What an app on the device has set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) entries: i64,
    pub(crate) settled_for_ms: i64,
    pub(crate) spacing: Spacing,
    pub(crate) max_pages: Option<i64>,
}

/// One process with an outbox.
pub(crate) struct Process {
    pub(crate) device: usize,
    pub(crate) person: usize,
    outbox: Option<Outbox>,
    fuse: Arc<Fuse>,
    /// Where its outbox is.
    file: PathBuf,
    /// Whether its disk failed in the last call.
    saw_failure: bool,
    /// Which opening of the outbox this is, of all.
    pub(crate) opening: u64,
}

/// A process was killed in the midst of a call, here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Killed(pub(crate) Reached);

/// Decides at which commit a process ends.
#[derive(Default)]
struct Fuse(Mutex<Burning>);

#[derive(Default)]
struct Burning {
    /// After so many moments.
    left: Option<(u32, End)>,
    is_dead: bool,
    files: Option<(PathBuf, PathBuf)>,
}

impl Fuse {
    fn state(&self) -> MutexGuard<'_, Burning> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called by the outbox around each of its commits.
    fn reached(&self, moment: Reached) {
        let mut state = self.state();
        let burnt = match &mut state.left {
            Some((0, end)) => Some(*end),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        let is_dead = state.is_dead;
        if let (Some(end), Some((file, copy))) = (burnt, &state.files) {
            image(file, copy, end).expect("the disk is memory");
            state.is_dead = true;
        }
        drop(state);
        if is_dead || burnt.is_some() {
            resume_unwind(Box::new(Killed(moment)));
        }
    }
}

impl Device {
    pub(crate) fn new(folder: &Path, number: usize, settings: Settings) -> Self {
        Self { file: folder.join(format!("phone{number}")), lives: 0, settings, error_ms: 0, is_full: false }
    }

    /// Where the file is after the next end.
    pub(crate) fn next_file(&self) -> PathBuf {
        self.file.with_file_name(format!("{}_{}", self.base(), self.lives + 1))
    }

    fn base(&self) -> String {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('_').next().unwrap_or_default().to_owned()
    }

    /// Whether it may refuse what is new for want of room.
    pub(crate) fn may_be_full(&self) -> bool {
        self.is_full || self.settings.max_pages.is_some()
    }

    /// Others fill its disk, or make room.
    pub(crate) fn set_full(&mut self, is_full: bool) {
        self.is_full = is_full;
        failing::set_full(&self.file, is_full);
    }

    /// The file is what was left of it, and there is room again. What else ails its disk stays.
    pub(crate) fn begin_next_life(&mut self) {
        self.set_full(false);
        let next = self.next_file();
        failing::moved(&self.file, &next);
        self.file = next;
        self.lives += 1;
    }
}

impl Process {
    pub(crate) fn new(device: usize, person: usize) -> Self {
        Self {
            device,
            person,
            outbox: None,
            fuse: Arc::default(),
            file: PathBuf::new(),
            saw_failure: false,
            opening: 0,
        }
    }

    /// Opens the outbox; a device that is full or fails may refuse.
    pub(crate) fn open(
        &mut self,
        device: &Device,
        name: &str,
        now_ms: i64,
        opening: u64,
    ) -> Result<(), Broken> {
        let reporter = Reporter::parse(name).map_err(|error| error.to_string())?;
        let fuse = Arc::new(Fuse::default());
        fuse.state().files = Some((device.file.clone(), device.next_file()));
        let probe = Arc::clone(&fuse);
        let Settings { entries, settled_for_ms, spacing, max_pages } = device.settings;
        let options = Options {
            limits: Limits { entries, settled_for_ms, ..Limits::default() },
            max_pages,
            spacing,
            seed: Some(fastrand::u64(..)),
            probe: Some(Box::new(move |moment| probe.reached(moment))),
            ..Options::default()
        };
        (self.fuse, self.opening, self.file) = (fuse, opening, device.file.clone());
        let before = failing::failed(&self.file);
        let opened = Outbox::open(&device.file, reporter, options, now_ms);
        self.saw_failure = failing::failed(&self.file) > before;
        match opened {
            Ok(outbox) => {
                // Where one commit after the other fails, what one has left in the log may look like damage behind the next one,
                // and like entries that are lost, though they were refused.
                let may_look_damaged = failing::failed(&self.file) > 1 || failing::is_given_up(&self.file);
                if let Some(recovery) = outbox.recovery()
                    && !may_look_damaged
                {
                    return Err(format!("a file was taken for corrupt: {recovery:?}"));
                }
                self.outbox = Some(outbox);
                Ok(())
            }
            Err(error) if self.may_fail(device, &error) => Ok(()),
            Err(error) => Err(format!("an outbox does not open: {error:?}")),
        }
    }

    /// Whether it was ever there.
    pub(crate) fn has_begun(&self) -> bool {
        self.opening > 0
    }

    pub(crate) fn is_open(&self) -> bool {
        self.outbox.is_some()
    }

    /// Does something with the outbox.
    pub(crate) fn call<T>(&mut self, verb: impl FnOnce(&mut Outbox) -> T) -> Result<T, Killed> {
        let outbox = self.outbox.as_mut().expect("the outbox is open");
        let before = failing::failed(&self.file);
        let done = catch_unwind(AssertUnwindSafe(|| verb(outbox))).map_err(|cause| match cause.downcast() {
            Ok(killed) => *killed,
            Err(bug) => resume_unwind(bug),
        });
        self.saw_failure = failing::failed(&self.file) > before;
        done
    }

    /// Whether the last call may have ended like this.
    pub(crate) fn may_fail(&self, device: &Device, error: &OutboxError) -> bool {
        match error {
            OutboxError::NoSpace(_) if device.may_be_full() => true,
            error => self.is_in_doubt(error),
        }
    }

    /// Whether the last call ended like this because its disk failed; what it was to do may be done.
    pub(crate) fn is_in_doubt(&self, error: &OutboxError) -> bool {
        match error {
            OutboxError::NoSpace(_) | OutboxError::Unavailable(_) => self.saw_failure,
            // A page could not be read, and the file was repaired as soon as that was possible.
            OutboxError::Corrupt => failing::is_given_up(&self.file),
            _ => false,
        }
    }

    /// At the so-manieth moment from now on the process ends.
    pub(crate) fn arm(&self, moments: u32, end: End) {
        self.fuse.state().left = Some((moments, end));
    }

    /// It is not killed any more, and has a good token.
    pub(crate) fn calm(&mut self) {
        self.fuse.state().left = None;
        if let Some(outbox) = &mut self.outbox {
            outbox.token_changed();
        }
    }

    /// Ends as it is told to.
    pub(crate) fn close(&mut self) {
        self.fuse.state().left = None;
        self.outbox = None;
    }

    /// Ends without a word; whatever it still tries to write is not written.
    pub(crate) fn die(&mut self) {
        self.fuse.state().is_dead = true;
        self.fuse.state().left = None;
        let outbox = self.outbox.take();
        let died = catch_unwind(AssertUnwindSafe(|| drop(outbox)));
        if let Err(cause) = died
            && !cause.is::<Killed>()
        {
            resume_unwind(cause);
        }
    }
}

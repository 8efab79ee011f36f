//! A world: a server, phones, people, and all that is between them.

use std::{
    fmt::{self, Write as _},
    fs,
    hash::{DefaultHasher, Hasher},
    path::{Path, PathBuf},
};

use fastrand::Rng;
use incident_mobile_ffi::outbox::{OutboxError, Spacing, Upload};
use tokio::runtime::Handle;

use crate::{
    Broken, chance,
    database::Database,
    disk::{End, image, is_old},
    failing,
    gate::Fate,
    people::{NAMES, Promise, Token},
    phone::{Device, Killed, Process, Settings},
    reader::Reader,
    server::{Answer, Pending, Server, Setup},
    spare,
    time::Time,
    wire::Flight,
};

/// An answer takes no longer than so many turns of half a second.
const LONGEST_ANSWER: usize = 100;

/// Everything there is.
pub(crate) struct World {
    /// The number of the step that is taken.
    pub(crate) step: usize,
    pub(crate) folder: PathBuf,
    pub(crate) time: Time,
    pub(crate) database: Database,
    pub(crate) server: Option<Server>,
    pub(crate) server_file: PathBuf,
    /// How often it ended without being told to; what was left of its file then has a name of its own.
    server_ends: u32,
    pub(crate) setup: Setup,
    pub(crate) devices: Vec<Device>,
    pub(crate) processes: Vec<Process>,
    pub(crate) tokens: [Token; NAMES.len()],
    pub(crate) promises: Vec<Promise>,
    pub(crate) flights: Vec<Flight>,
    /// Requests that arrive later, each with its token.
    pub(crate) late: Vec<(Upload, Option<String>)>,
    /// What the server answered of late.
    pub(crate) answers: Vec<Answer>,
    pub(crate) readers: [Reader; 2],
    openings: u64,
    pub(crate) trace: Trace,
}

/// What happened, and its fingerprint.
#[derive(Default)]
pub(crate) struct Trace {
    /// Whether it is printed, too.
    is_told: bool,
    hasher: DefaultHasher,
}

impl Trace {
    pub(crate) fn note(&mut self, line: fmt::Arguments<'_>) {
        struct Into<'t>(&'t mut Trace);
        impl fmt::Write for Into<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.hasher.write(text.as_bytes());
                if self.0.is_told {
                    print!("{text}");
                }
                Ok(())
            }
        }
        let _ = writeln!(Into(self), "{line}");
    }

    /// The same for the same history, to the byte.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.hasher.finish()
    }
}

/// Writes down what happened.
macro_rules! note {
    ($world:expr, $($arguments:tt)*) => { $world.trace.note(format_args!($($arguments)*)) };
}
pub(crate) use note;

impl World {
    /// A world in an empty folder.
    pub(crate) fn new(
        seed: u64,
        folder: &Path,
        files: &Path,
        runtime: Handle,
        is_told: bool,
    ) -> Result<Self, Broken> {
        let mut rng = chance::of_step(seed, usize::MAX);
        let database = Database::new(runtime);
        let retention = if rng.u8(..8) == 0 { "2h" } else { "off" };
        let rate_limit = if rng.u8(..8) == 0 { "1/m,6" } else { "off" };
        let setup = Setup { secret: rng.u8(..3), rate_limit, retention };
        let server_file = folder.join("server0");
        adopt(&files.join("server"), &server_file)?;
        let trace = Trace { is_told, ..Trace::default() };
        let mut world = Self {
            step: 0,
            folder: folder.to_owned(),
            time: Time::new(),
            database,
            server: None,
            server_file,
            server_ends: 0,
            setup,
            devices: Vec::new(),
            processes: Vec::new(),
            tokens: [Token::Good; NAMES.len()],
            promises: Vec::new(),
            flights: Vec::new(),
            late: Vec::new(),
            answers: Vec::new(),
            readers: Default::default(),
            openings: 0,
            trace,
        };
        world.settle_in(files, &mut rng)?;
        Ok(world)
    }

    /// One device or two, each with one or two processes, of one person or two.
    fn settle_in(&mut self, files: &Path, rng: &mut Rng) -> Result<(), Broken> {
        for number in 0..rng.usize(1..=2) {
            let device = Device::new(&self.folder, number, settings(rng));
            adopt(&files.join(format!("phone{number}")), &device.file)?;
            self.devices.push(device);
            let person = rng.usize(..2);
            self.processes.push(Process::new(number, person));
            if rng.u8(..3) == 0 {
                let other = if rng.bool() { person } else { 2 };
                self.processes.push(Process::new(number, other));
            }
        }
        self.start_server()
    }

    /// Those that are there.
    pub(crate) fn open_processes(&self) -> Vec<usize> {
        (0..self.processes.len()).filter(|at| self.processes[*at].is_open()).collect()
    }

    pub(crate) fn start_server(&mut self) -> Result<(), Broken> {
        note!(self, "the server starts");
        failing::begin_anew(&self.server_file);
        let before = failing::failed(&self.server_file);
        let started = Server::start(&self.server_file, &self.setup, &self.database, &self.time);
        if started.is_err() && failing::failed(&self.server_file) > before {
            note!(self, "its disk fails, and it ends");
            spare::all_closed(&self.server_file);
            return Ok(());
        }
        self.server = Some(started?);
        Ok(())
    }

    /// The server ends in the midst of whatever it does.
    pub(crate) fn end_server(&mut self, turns: usize, end: End) -> Result<(), Broken> {
        let Some(server) = self.server.take() else { return Ok(()) };
        note!(self, "the server ends: {end:?}");
        server.turn(turns);
        self.server_ends += 1;
        let left = self.folder.join(format!("server{}", self.server_ends));
        failing::moved(&self.server_file, &left);
        self.server_file = left;
        let ended = server.end(&self.server_file, end);
        self.database.gate.abandon();
        self.flights.iter_mut().for_each(|flight| flight.pending = None);
        ended.map_err(|error| error.to_string())
    }

    /// The server ends as it is told to.
    pub(crate) fn stop_server(&mut self) {
        if let Some(server) = self.server.take() {
            note!(self, "the server is stopped");
            server.stop();
            self.database.gate.abandon();
            self.flights.iter_mut().for_each(|flight| flight.pending = None);
        }
    }

    /// Time passes, for all.
    pub(crate) fn pass(&mut self, ms: i64) {
        self.time.pass(ms);
        if let Some(server) = &self.server {
            server.pass(ms);
        }
    }

    /// As a process sees it.
    pub(crate) fn now_of(&self, process: usize) -> i64 {
        (self.time.now_ms() + self.devices[self.processes[process].device].error_ms).max(1)
    }

    pub(crate) fn open(&mut self, process: usize) -> Result<(), Broken> {
        let now_ms = self.now_of(process);
        self.openings += 1;
        let name = NAMES[self.processes[process].person];
        let device = &self.devices[self.processes[process].device];
        self.processes[process].open(device, name, now_ms, self.openings)
    }

    /// All processes of a device end at once.
    pub(crate) fn end_device(&mut self, device: usize, end: End) -> Result<(), Broken> {
        let (from, to) = (self.devices[device].file.clone(), self.devices[device].next_file());
        image(&from, &to, end).map_err(|error| error.to_string())?;
        self.device_died(device)
    }

    /// All processes of a device end, and begin again on what is left of its file.
    pub(crate) fn device_died(&mut self, device: usize) -> Result<(), Broken> {
        note!(self, "device {device} died");
        let is_its = |at: &usize| self.processes[*at].device == device && self.processes[*at].has_begun();
        let own: Vec<_> = (0..self.processes.len()).filter(is_its).collect();
        spare::is_over(&self.devices[device].file);
        for process in &own {
            self.processes[*process].die();
        }
        self.devices[device].begin_next_life();
        for process in own {
            self.open(process)?;
            if self.processes[process].is_open() {
                self.learn_names(process)?;
            }
        }
        Ok(())
    }

    /// What a process did, unless it was killed or its device is full or fails.
    pub(crate) fn survived<T>(
        &mut self,
        process: usize,
        done: Result<Result<T, OutboxError>, Killed>,
    ) -> Result<Option<T>, Broken> {
        let device = self.processes[process].device;
        match done {
            Ok(Ok(done)) => Ok(Some(done)),
            Ok(Err(error)) if self.processes[process].may_fail(&self.devices[device], &error) => Ok(None),
            Ok(Err(error)) => Err(format!("an outbox fails: {error:?}")),
            Err(Killed(moment)) => {
                note!(self, "process {process} is killed at {moment}");
                self.device_died(device).map(|()| None)
            }
        }
    }

    /// The answer to a request, once chance has let it through; `None` where the server is gone.
    pub(crate) fn answer_to(&mut self, pending: Pending, rng: &mut Rng) -> Result<Option<Answer>, Broken> {
        for _ in 0..LONGEST_ANSWER {
            let Some(server) = &self.server else { return Ok(None) };
            server.settle();
            if pending.is_finished() {
                return Ok(server.answer(pending));
            }
            let fate = match rng.u8(..16) {
                0 => Some(Fate::Failed),
                1 => Some(Fate::DoneUntold),
                2 => None,
                _ => Some(Fate::Done),
            };
            let is_released = fate.is_some_and(|fate| self.database.gate.release(fate, rng));
            if !is_released {
                self.pass(500);
            }
        }
        Err("a request has no answer after 50 s".to_owned())
    }
}

/// A file as it was before the history began.
fn adopt(from: &Path, to: &Path) -> Result<(), Broken> {
    fs::copy(from, to).and_then(|_| is_old(to)).map_err(|error| error.to_string())
}

fn settings(rng: &mut Rng) -> Settings {
    Settings {
        entries: if rng.u8(..10) == 0 { 4 } else { 10_000 },
        settled_for_ms: if rng.u8(..6) == 0 { 0 } else { 30 * 86_400_000 },
        spacing: if rng.bool() { Spacing::NONE } else { Spacing::default() },
        max_pages: (rng.u8(..12) == 0).then(|| rng.i64(14..24)),
    }
}

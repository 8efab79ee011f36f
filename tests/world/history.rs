//! One history: from a seed to a verdict, in a thread of its own, so that nothing of another one is in it.

use std::{
    any::Any,
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{Options, Outbox};
use incident_server::store::{SqliteStore, Store};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::{
    Broken, Failure, chance,
    database::Database,
    disk,
    people::NAMES,
    server::{Server, Setup},
    spare, steps,
    time::{Time, stop_timers},
    world::{World, note},
};

/// The most steps of a history.
const LONGEST: usize = 12;
/// The number of the step that makes the end of a history.
const CALM: usize = usize::MAX - 1;
/// From this number on it is decided what becomes of a disk before a step: chance of its own, so that a seed tells the same
/// history but for that.
const DISKS: usize = usize::MAX / 2;

/// What all histories stand on.
pub(crate) struct Ground {
    folder: TempDir,
    /// Folders that a history has left, each with connections to the files in it.
    places: Mutex<Vec<PathBuf>>,
    runtime: Runtime,
}

/// Which history, and what of it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// The steps that are taken; all of them if absent.
    pub(crate) steps: Option<BTreeSet<usize>>,
    /// Whether it is printed as it goes.
    pub(crate) is_told: bool,
}

impl Plan {
    pub(crate) fn whole(seed: u64) -> Self {
        Self { seed, steps: None, is_told: false }
    }
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// The same for the same history.
    pub(crate) fingerprint: u64,
    /// The steps that were taken.
    pub(crate) steps: Vec<usize>,
    /// Which promise was broken.
    pub(crate) verdict: Result<(), Broken>,
}

impl Ground {
    /// In memory where there is a file system of memory.
    ///
    /// # Errors
    /// There is no room.
    pub(crate) fn new() -> Result<Self, Failure> {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory)? } else { TempDir::new()? };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
        let files = folder.path().join("files");
        fs::create_dir(&files)?;
        runtime.block_on(make_database(&files.join("server")))?;
        chance::begin(0);
        for device in 0..2 {
            make_outbox(&files.join(format!("phone{device}")))?;
        }
        // The clock of its rates is held against the machine's once, which takes for ever where time stands still.
        let setup = Setup { secret: 0, rate_limit: "1/s,1", retention: "off" };
        let database = Database::new(runtime.handle().clone());
        drop(Server::start(&files.join("other"), &setup, &database, &Time::new())?);
        let ground = Self { folder, places: Mutex::default(), runtime };
        // What a program makes once and for all takes of the chance of the first one who asks.
        ground.run(&Plan::whole(u64::MAX));
        Ok(ground)
    }

    /// Lives through a history.
    pub(crate) fn run(&self, plan: &Plan) -> History {
        let lived = thread::scope(|scope| {
            let thread = thread::Builder::new().name(format!("seed {}", plan.seed));
            thread.spawn_scoped(scope, || self.live(plan)).map(thread::ScopedJoinHandle::join)
        });
        match lived {
            Ok(Ok(history)) => history,
            Ok(Err(bug)) => History::broken(format!("panicked: {}", words(&*bug))),
            Err(error) => History::broken(error.to_string()),
        }
    }

    fn live(&self, plan: &Plan) -> History {
        // How often a file is read depends on what its connections know, so that they are new ones where that fails.
        let is_apart = (0..length(plan.seed))
            .any(|step| steps::fails_in_reading(&mut chance::of_step(plan.seed, DISKS + step)));
        let place = match self.place(is_apart) {
            Ok(place) => place,
            Err(error) => return History::broken(error.to_string()),
        };
        spare::set_apart(&place, is_apart);
        chance::begin(plan.seed);
        stop_timers();
        let files = self.folder.path().join("files");
        let world = World::new(plan.seed, &place, &files, self.runtime.handle().clone(), plan.is_told);
        let history = match world {
            Ok(mut world) => {
                let mut steps = Vec::new();
                let verdict = take_steps(&mut world, plan, &mut steps);
                spare::is_over(&place);
                world.stop_server();
                History { fingerprint: world.trace.fingerprint(), steps, verdict }
            }
            Err(broken) => History::broken(broken),
        };
        let is_left = spare::all_closed(&place);
        disk::forget(&place);
        spare::set_apart(&place, false);
        if is_apart {
            let _ = fs::remove_dir_all(place); // the whole of it goes with the last history
        } else if is_left && history.verdict.is_ok() {
            self.places().push(place);
        }
        history
    }

    fn places(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next history begins in a new folder.
    pub(crate) fn leave_places(&self) {
        self.places().clear();
    }

    /// A folder with nothing in it, which nobody has had where it is to be a new one.
    fn place(&self, is_new: bool) -> io::Result<PathBuf> {
        let left = if is_new { None } else { self.places().pop() };
        let place = match left {
            Some(left) => left,
            None => TempDir::new_in(self.folder.path())?.keep(),
        };
        spare::empty(&place)?;
        Ok(place)
    }
}

impl History {
    fn broken(why: Broken) -> Self {
        Self { fingerprint: 0, steps: Vec::new(), verdict: Err(why) }
    }
}

/// A database with no incidents in it. The series of its changes is by chance, which is not ours: here it has a number.
async fn make_database(file: &Path) -> Result<(), Failure> {
    SqliteStore::open_file(file).await?.close().await;
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await?;
    sqlx::query("UPDATE installation SET series = 20261122").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// An outbox with nothing in it, and secrets of its own.
fn make_outbox(file: &Path) -> Result<(), Failure> {
    let reporter = Reporter::parse(NAMES[0])?;
    drop(Outbox::open(file, reporter, Options::default(), 0)?);
    Ok(())
}

/// How many steps a history has.
fn length(seed: u64) -> usize {
    chance::of_step(seed, usize::MAX - 2).usize(3..=LONGEST)
}

fn take_steps(world: &mut World, plan: &Plan, taken: &mut Vec<usize>) -> Result<(), Broken> {
    for step in
        (0..length(plan.seed)).filter(|step| plan.steps.as_ref().is_none_or(|steps| steps.contains(step)))
    {
        world.step = step;
        taken.push(step);
        note!(world, "-- {step} at {}", world.time.now_ms());
        steps::spoil_a_disk(world, &mut chance::of_step(plan.seed, DISKS + step));
        steps::take(world, &mut chance::of_step(plan.seed, step))?;
        world.database.oracle().fault()?;
    }
    let rng = &mut chance::of_step(plan.seed, CALM);
    world.calm(rng)?;
    world.judge()?;
    if world.try_all_again(rng)? {
        world.judge()?;
    }
    world.read_to_the_end(rng)?;
    world.database.oracle().fault()
}

fn words(bug: &(dyn Any + Send)) -> String {
    let text = bug.downcast_ref::<String>().cloned();
    text.or_else(|| bug.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

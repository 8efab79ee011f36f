//! Whether the machine belongs to the benchmark: figures of a shared one say nothing.

use std::{collections::HashMap, fs, time::Duration};

use crate::Failure;

/// The greatest load average of the last minute to begin with, for each core.
const LOAD_A_CORE: f64 = 0.25;
/// What compiled before has gone out of the load average by then.
const PATIENCE: Duration = Duration::from_secs(240);
/// The greatest share of the processors that others may take meanwhile: a shell and a clock take less.
const FOREIGN: f64 = 0.05;
/// The same for the host of a virtual machine, which gives the rest to its other guests.
const STEAL: f64 = 0.03;
/// What the kernel's own threads do is done for whoever writes, which is the benchmark.
const KERNEL_THREADS: u32 = 2;

/// Waits until nothing else runs here.
///
/// # Errors
/// It does not happen, in words.
pub(crate) async fn wait_until_quiet() -> Result<(), Failure> {
    #[expect(clippy::cast_precision_loss, reason = "of ticks and processors")]
    let most = LOAD_A_CORE * std::thread::available_parallelism()?.get() as f64;
    for waited in 0..=PATIENCE.as_secs() / 5 {
        let load = load_average()?;
        if load <= most {
            return Ok(());
        }
        if waited == 0 {
            println!("the load average is {load}; waiting for {most}, at most {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    Err(format!("the machine is busy: its load average is {} and must be below {most}", load_average()?)
        .into())
}

/// Of the last minute.
pub(crate) fn load_average() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

/// Looks at who uses the processors, from its making until [`Watch::disturbance`].
pub(crate) struct Watch {
    roots: Vec<u32>,
    before: Ticks,
}

/// Processor time of all cores since the machine started, in hundredths of a second.
struct Ticks {
    all: u64,
    /// At work for programs.
    working: u64,
    stolen: u64,
    ours: u64,
}

impl Watch {
    /// Takes this process, what it started, and these processes with what they started for the benchmark's own.
    pub(crate) fn new(others: &[u32]) -> Result<Self, Failure> {
        let mut roots = vec![std::process::id(), KERNEL_THREADS];
        roots.extend(others);
        let before = Ticks::now(&roots)?;
        Ok(Self { roots, before })
    }

    /// Says in words who else used the processors, if more than a little.
    #[expect(clippy::cast_precision_loss, reason = "of ticks and processors")]
    pub(crate) fn disturbance(&self) -> Result<Option<String>, Failure> {
        let (before, now) = (&self.before, Ticks::now(&self.roots)?);
        let all = (now.all - before.all).max(1) as f64;
        let ours = now.ours.saturating_sub(before.ours);
        let foreign = (now.working - before.working).saturating_sub(ours) as f64 / all;
        let stolen = (now.stolen - before.stolen) as f64 / all;
        let disturbed = foreign > FOREIGN || stolen > STEAL;
        Ok(disturbed.then(|| {
            format!(
                "other processes took {:.0} % of the processors and the host {:.0} %",
                foreign * 100.0,
                stolen * 100.0
            )
        }))
    }
}

impl Ticks {
    /// `proc_stat(5)`: user, nice, system, idle, iowait, irq, softirq, steal.
    fn now(roots: &[u32]) -> Result<Self, Failure> {
        let text = fs::read_to_string("/proc/stat")?;
        let line = text.lines().next().unwrap_or_default();
        let numbers: Vec<u64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
        let [user, nice, system, idle, wait, irq, softirq, stolen, ..] = numbers[..] else {
            return Err("/proc/stat has no line of all processors".into());
        };
        let all = user + nice + system + idle + wait + irq + softirq + stolen;
        Ok(Self { all, working: user + nice + system, stolen, ours: ticks_of(roots) })
    }
}

/// Of these processes, all that they started and all of those that have ended.
fn ticks_of(roots: &[u32]) -> u64 {
    let processes: HashMap<u32, Process> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, Process::read(pid)?)))
        .collect();
    let is_ours = |pid: &u32| {
        let mut at = *pid;
        while !roots.contains(&at) {
            match processes.get(&at) {
                Some(process) => at = process.parent,
                None => return false,
            }
        }
        true
    };
    processes.iter().filter(|(pid, _)| is_ours(pid)).map(|(_, process)| process.own + process.ended).sum()
}

struct Process {
    parent: u32,
    own: u64,
    /// Of children that have ended and were waited for.
    ended: u64,
}

impl Process {
    /// `proc_pid_stat(5)`; the name in brackets may hold anything.
    fn read(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own: ticks(11)? + ticks(12)?,
            ended: ticks(13)? + ticks(14)?,
        })
    }
}

/// Of this process's children that have ended, in hundredths of a second.
pub(crate) fn ticks_of_ended_children() -> u64 {
    Process::read(std::process::id()).map_or(0, |process| process.ended)
}

/// Who started a process.
pub(crate) fn parent_of(pid: u32) -> Option<u32> {
    Process::read(pid).map(|process| process.parent)
}

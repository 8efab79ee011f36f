//! Many histories, one seed after the other.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use incident_tests::proof::processor_time;

use crate::{
    Broken, Failure,
    history::{Ground, History, Plan},
    processors::{processors, stay_on},
    shrink::shrink,
};

/// After so many broken ones there is enough to look at.
pub(crate) const ENOUGH: usize = 5;

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Moment(Instant),
    /// This seed is the first that is left out.
    Seed(u64),
}

/// What was lived through.
pub(crate) struct Lived {
    pub(crate) first: u64,
    pub(crate) histories: u64,
    pub(crate) broken: Vec<(u64, Vec<usize>, Broken)>,
    /// Of all processors together.
    pub(crate) processor_time: Duration,
}

/// Lives through histories from this seed on, several at once, until so many are broken.
pub(crate) fn live(ground: &Ground, first: u64, until: Until, jobs: usize, enough: usize) -> Lived {
    let (before, next) = (processor_time(), AtomicU64::new(first));
    let broken = Mutex::new(Vec::new());
    let is_over = |seed: u64| match until {
        Until::Moment(end) => Instant::now() >= end,
        Until::Seed(end) => seed >= end,
    };
    let work = &|| loop {
        let seed = next.load(Ordering::Relaxed);
        let has_enough = broken.lock().unwrap_or_else(PoisonError::into_inner).len() >= enough;
        if is_over(seed) || has_enough {
            return;
        }
        if next.compare_exchange(seed, seed + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            && let History { steps, verdict: Err(why), .. } = ground.run(&Plan::whole(seed))
        {
            broken.lock().unwrap_or_else(PoisonError::into_inner).push((seed, steps, why));
        }
    };
    let processors = processors();
    thread::scope(|scope| {
        for job in 0..jobs {
            let own = processors.get(job % processors.len().max(1));
            scope.spawn(move || {
                if let Some(own) = own {
                    stay_on(*own);
                }
                work();
            });
        }
    });
    let histories = next.into_inner() - first;
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    Lived { first, histories, broken, processor_time: processor_time().saturating_sub(before) }
}

impl Lived {
    /// Says how each broken one is told again.
    ///
    /// # Errors
    /// There is one.
    pub(crate) fn verdict(&self, ground: &Ground) -> Result<(), Failure> {
        for (seed, steps, why) in &self.broken {
            let steps: Vec<_> = shrink(ground, *seed, steps).iter().map(ToString::to_string).collect();
            println!(
                "\nseed {seed}: {why}\n  target/release/world --seed {seed} --steps {}",
                steps.join(",")
            );
        }
        if self.broken.is_empty() { Ok(()) } else { Err("a promise was broken".into()) }
    }
}

impl fmt::Display for Lived {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, histories, broken, processor_time } = self;
        let rate = *histories as f64 / processor_time.as_secs_f64().max(0.01);
        let last = (first + histories).saturating_sub(1);
        write!(
            f,
            "{histories} histories, seeds {first} to {last}, {rate:.0} a second of processor time: {} broken",
            broken.len()
        )
    }
}

//! What was acknowledged, and the longest time in which nothing was.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::timeout};

use crate::Failure;

/// Longer than any recovery takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The reports by their location, each at one of its own, and whether they were called off.
pub(crate) type Acknowledged = BTreeMap<String, bool>;

/// Written while what keeps the promises is killed.
#[derive(Default)]
pub(crate) struct Ledger {
    state: Mutex<State>,
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    acknowledged: Acknowledged,
    last: Option<Instant>,
    longest: Duration,
    faults: Vec<String>,
}

impl Ledger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn acknowledge(&self, location: &str, is_cancelled: bool) {
        let mut state = self.state();
        *state.acknowledged.entry(location.to_owned()).or_default() |= is_cancelled;
        let silence = state.last.map_or(Duration::ZERO, |last| last.elapsed());
        (state.last, state.longest) = (Some(Instant::now()), state.longest.max(silence));
        drop(state);
        self.count.send_modify(|count| *count += 1);
    }

    /// What no server may answer.
    pub(crate) fn fault(&self, what: String) {
        self.state().faults.push(what);
    }

    /// Waits for so many more acknowledgements.
    pub(crate) async fn more(&self, many: usize) -> Result<(), Failure> {
        let mut count = self.count.subscribe();
        let wanted = *count.borrow() + many;
        match timeout(PATIENCE, count.wait_for(|count| *count >= wanted)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("nothing was acknowledged for {PATIENCE:?}").into()),
        }
    }

    /// What was acknowledged, and the longest silence.
    ///
    /// # Errors
    /// A server answered what it may not.
    pub(crate) fn close(&self) -> Result<(Acknowledged, Duration), Failure> {
        let state = self.state();
        match state.faults.first() {
            None => Ok((state.acknowledged.clone(), state.longest)),
            Some(first) => Err(format!("{} faults, such as: {first}", state.faults.len()).into()),
        }
    }
}

//! The door between the server and its database, which chance opens and shuts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// What becomes of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It commits and says so.
    Done,
    /// It fails, and nothing happened.
    Failed,
    /// It commits, and the server is told that it failed.
    DoneUntold,
}

/// How the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It answers at once.
    Well,
    /// Each transaction waits until chance lets it through.
    Slow,
    /// It takes nothing, as when the disk is full.
    Full,
}

/// The door.
pub(crate) struct Gate(Mutex<State>);

struct State {
    condition: Condition,
    waiting: Vec<oneshot::Sender<Fate>>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { condition: Condition::Well, waiting: Vec::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn condition(&self) -> Condition {
        self.state().condition
    }

    /// From now on it is like this; whoever waits is let through where nobody has to wait any more.
    pub(crate) fn set(&self, condition: Condition) {
        let mut state = self.state();
        state.condition = condition;
        let fate = match condition {
            Condition::Well => Fate::Done,
            Condition::Full => Fate::Failed,
            Condition::Slow => return,
        };
        for waiting in state.waiting.drain(..) {
            let _ = waiting.send(fate);
        }
    }

    /// Forgets those who wait: their server is no more.
    pub(crate) fn abandon(&self) {
        self.state().waiting.clear();
    }

    /// Asks for a transaction to be let through.
    pub(crate) async fn pass(&self) -> Fate {
        let waiting = {
            let mut state = self.state();
            match state.condition {
                Condition::Well => return Fate::Done,
                Condition::Full => return Fate::Failed,
                Condition::Slow => {
                    let (sender, receiver) = oneshot::channel();
                    state.waiting.push(sender);
                    receiver
                }
            }
        };
        waiting.await.unwrap_or(Fate::Failed)
    }

    /// Lets one through that waits; says whether there was one.
    pub(crate) fn release(&self, fate: Fate, rng: &mut fastrand::Rng) -> bool {
        let mut state = self.state();
        state.waiting.retain(|waiting| !waiting.is_closed());
        if state.waiting.is_empty() {
            return false;
        }
        let at = rng.usize(..state.waiting.len());
        state.waiting.remove(at).send(fate).is_ok()
    }
}

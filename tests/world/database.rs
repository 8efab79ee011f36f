//! What is left of the server's database between two lives of a server.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use tokio::{runtime::Handle, task::coop::unconstrained};

use crate::{gate::Gate, oracle::Oracle, time::MachineTime};

/// What a world keeps while servers come and go.
#[derive(Clone)]
pub(crate) struct Database {
    /// Where the store's own tasks run.
    pub(crate) runtime: Handle,
    pub(crate) gate: Arc<Gate>,
    pub(crate) oracle: Arc<Mutex<Oracle>>,
}

impl Database {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, gate: Arc::new(Gate::new()), oracle: Arc::default() }
    }

    pub(crate) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with a store, and nothing else meanwhile: it is waited for here, whoever asks.
    pub(crate) fn wait_for<T>(&self, work: impl Future<Output = T>) -> T {
        let _machine = MachineTime::begin();
        let _there = self.runtime.enter();
        let waker = Waker::from(Arc::new(Waiting(thread::current())));
        let mut work = pin!(unconstrained(work));
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                return done;
            }
            thread::park();
        }
    }
}

/// A thread that waits.
struct Waiting(Thread);

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

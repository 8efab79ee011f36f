//! One virtual clock. Server and phones see it, each with its own error.

use std::{
    cell::Cell,
    ffi::c_int,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use incident_core::Timestamp;
use incident_server::Clock;

/// 2026-11-22T10:15:30.120Z.
const BEGINNING_MS: i64 = 1_795_342_530_120;

thread_local! {
    /// What timers go by, in ns; negative in a thread that has the machine's.
    static TIMERS_NS: Cell<i64> = const { Cell::new(-1) };
}

/// From here on the timers of this thread go only when they are turned.
pub(crate) fn stop_timers() {
    TIMERS_NS.set(1_000_000_000_000);
}

/// Turns the timers of this thread.
pub(crate) fn turn_timers(ms: i64) {
    TIMERS_NS.set(TIMERS_NS.get() + ms * 1_000_000);
}

/// As long as it lives, the timers of this thread go by the machine's clock.
pub(crate) struct MachineTime(i64);

impl MachineTime {
    pub(crate) fn begin() -> Self {
        Self(TIMERS_NS.replace(-1))
    }
}

impl Drop for MachineTime {
    fn drop(&mut self) {
        TIMERS_NS.set(self.0);
    }
}

/// In place of the C library's: a program's own symbol goes first.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let now_ns = TIMERS_NS.get();
    if clock != libc::CLOCK_MONOTONIC || now_ns < 0 {
        // SAFETY: the call as it came; the kernel judges its arguments.
        let answer = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
        return c_int::try_from(answer).unwrap_or(-1);
    }
    let time_of = libc::timespec { tv_sec: now_ns / 1_000_000_000, tv_nsec: now_ns % 1_000_000_000 };
    // SAFETY: the caller of clock_gettime(2) hands over room for a time.
    unsafe { time.write(time_of) };
    0
}

/// The clock of the world, and how far that of the server is wrong.
#[derive(Clone)]
pub(crate) struct Time {
    now_ms: Arc<AtomicI64>,
    server_error_ms: Arc<AtomicI64>,
}

impl Time {
    pub(crate) fn new() -> Self {
        Self { now_ms: Arc::new(BEGINNING_MS.into()), server_error_ms: Arc::default() }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) fn set_server_error(&self, ms: i64) {
        self.server_error_ms.store(ms, Ordering::Relaxed);
    }

    /// As the server sees it.
    pub(crate) fn at_the_server(&self) -> Timestamp {
        let server_ms = self.now_ms() + self.server_error_ms.load(Ordering::Relaxed);
        Timestamp::from_unix_ms(server_ms.max(0)).unwrap_or(Timestamp::MAX)
    }

    /// The server's clock.
    pub(crate) fn of_server(&self) -> Clock {
        let time = self.clone();
        Clock::new(move || time.at_the_server())
    }
}

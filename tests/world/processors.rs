//! Which processor a history runs on.

use std::mem;

/// Those that this process may use.
#[expect(unsafe_code, reason = "the C library's sets of processors are not for Rust")]
pub(crate) fn processors() -> Vec<usize> {
    // SAFETY: a set is plain bits, and the call is told how many.
    let (allowed, done) = unsafe {
        let mut allowed = mem::zeroed::<libc::cpu_set_t>();
        let done = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut allowed);
        (allowed, done)
    };
    let all = 0..usize::try_from(libc::CPU_SETSIZE).unwrap_or(0) * usize::from(done == 0);
    // SAFETY: the number is below the size of the set.
    all.filter(|processor| unsafe { libc::CPU_ISSET(*processor, &allowed) }).collect()
}

/// Keeps this thread and all that it starts on one processor. They take turns, of which each is short: on another processor
/// it would be slept through.
#[expect(unsafe_code, reason = "the C library's sets of processors are not for Rust")]
pub(crate) fn stay_on(processor: usize) {
    // SAFETY: a set is plain bits, and the call is told how many. Where it fails all is as it was.
    unsafe {
        let mut own = mem::zeroed::<libc::cpu_set_t>();
        libc::CPU_SET(processor, &mut own);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const own);
    }
}

/// Lets no thread of this process take the processor from another that wakes it: who wakes another mostly waits right
/// afterwards.
#[expect(unsafe_code, reason = "how a process is scheduled is not for Rust")]
pub(crate) fn wake_without_haste() {
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: the kernel judges the call. Where it fails all is as it was.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const priority) };
}

//! Random bytes that follow from a seed, so that a recording can be made again.

use std::{cell::RefCell, ffi::c_void, hash::RandomState};

use fastrand::Rng;

thread_local! {
    static BYTES: RefCell<Rng> = const { RefCell::new(Rng::with_seed(0)) };
}

/// From here on the random bytes of this thread follow from the seed.
pub(crate) fn begin(seed: u64) {
    // The first map of a thread takes some for all others.
    drop(RandomState::new());
    BYTES.with_borrow_mut(|bytes| *bytes = Rng::with_seed(seed));
}

/// In place of the C library's: a program's own symbol goes first.
#[expect(unsafe_code, reason = "the seam of the operating system is a C function")]
#[unsafe(no_mangle)]
extern "C" fn getrandom(buffer: *mut c_void, length: usize, _flags: u32) -> isize {
    if length > 0 {
        // SAFETY: the caller of getrandom(2) hands over a buffer of that length.
        let buffer = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
        BYTES.with_borrow_mut(|bytes| bytes.fill(buffer));
    }
    length.cast_signed()
}

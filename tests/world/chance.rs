//! One source of chance. The product asks the system for random bytes and `fastrand` for numbers; here both are a seed.

use std::{cell::RefCell, ffi::c_void};

use fastrand::Rng;

thread_local! {
    static BYTES: RefCell<Rng> = const { RefCell::new(Rng::with_seed(0)) };
}

/// From here on all chance of this thread follows from the seed.
pub(crate) fn begin(seed: u64) {
    fastrand::seed(seed);
    BYTES.with_borrow_mut(|bytes| *bytes = Rng::with_seed(!seed));
}

/// The chance of one step: a step that is left out changes nothing for the others.
pub(crate) fn of_step(seed: u64, step: usize) -> Rng {
    Rng::with_seed(
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (step as u64).wrapping_mul(0xd1b5_4a32_d192_ed03),
    )
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

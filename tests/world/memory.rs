//! Memory as the server's program has it, for SQLite as well.

use std::{
    alloc::{GlobalAlloc, Layout},
    ffi::{c_int, c_void},
    ptr,
};

use libsqlite3_sys::{
    SQLITE_CONFIG_MALLOC, SQLITE_CONFIG_MEMSTATUS, SQLITE_OK, sqlite3_config, sqlite3_mem_methods,
};
use mimalloc::MiMalloc;

#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

/// Before each piece of SQLite's memory its size is kept.
const HEAD: usize = 8;

/// Gives SQLite this memory, uncounted: it would count under a lock of all connections, and nobody asks here.
#[expect(unsafe_code, reason = "SQLite is set up by a C function")]
pub(crate) fn give_to_sqlite() {
    let methods = sqlite3_mem_methods {
        xMalloc: Some(allocate),
        xFree: Some(free),
        xRealloc: Some(reallocate),
        xSize: Some(size),
        xRoundup: Some(round_up),
        xInit: Some(begin),
        xShutdown: Some(end),
        pAppData: ptr::null_mut(),
    };
    // SAFETY: nothing of SQLite is in use yet, and it copies the methods. Where it is refused SQLite has its own.
    unsafe {
        sqlite3_config(SQLITE_CONFIG_MALLOC, &raw const methods);
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    }
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(HEAD + size, HEAD).expect("SQLite asks for less than 2 GiB")
}

/// What SQLite is given of it.
#[expect(unsafe_code, reason = "memory without a type")]
unsafe fn keep_size(piece: *mut u8, size: usize) -> *mut c_void {
    if piece.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the piece has room for its head, and begins where any number may be.
    unsafe {
        piece.cast::<[u8; HEAD]>().write((size as u64).to_ne_bytes());
        piece.add(HEAD).cast()
    }
}

/// The whole of a piece, and how much of it is SQLite's.
#[expect(unsafe_code, reason = "memory without a type")]
unsafe fn whole(given: *mut c_void) -> (*mut u8, usize) {
    // SAFETY: SQLite hands back what it was given.
    unsafe {
        let piece = given.cast::<u8>().sub(HEAD);
        let size = u64::from_ne_bytes(piece.cast::<[u8; HEAD]>().read());
        (piece, usize::try_from(size).unwrap_or(0))
    }
}

#[expect(unsafe_code, reason = "the seam of SQLite is a C function")]
unsafe extern "C" fn allocate(size: c_int) -> *mut c_void {
    let size = usize::try_from(size).unwrap_or(0);
    // SAFETY: the size is not 0.
    unsafe { keep_size(MEMORY.alloc(layout(size)), size) }
}

#[expect(unsafe_code, reason = "the seam of SQLite is a C function")]
unsafe extern "C" fn free(given: *mut c_void) {
    // SAFETY: SQLite frees what it was given, once.
    unsafe {
        let (piece, size) = whole(given);
        MEMORY.dealloc(piece, layout(size));
    }
}

#[expect(unsafe_code, reason = "the seam of SQLite is a C function")]
unsafe extern "C" fn reallocate(given: *mut c_void, size: c_int) -> *mut c_void {
    let size = usize::try_from(size).unwrap_or(0);
    // SAFETY: SQLite hands back what it was given, and uses it no more.
    unsafe {
        let (piece, before) = whole(given);
        keep_size(MEMORY.realloc(piece, layout(before), HEAD + size), size)
    }
}

#[expect(unsafe_code, reason = "the seam of SQLite is a C function")]
unsafe extern "C" fn size(given: *mut c_void) -> c_int {
    // SAFETY: SQLite asks for what it was given.
    c_int::try_from(unsafe { whole(given) }.1).unwrap_or(c_int::MAX)
}

extern "C" fn round_up(size: c_int) -> c_int {
    size.saturating_add(7) & !7
}

extern "C" fn begin(_: *mut c_void) -> c_int {
    SQLITE_OK
}

extern "C" fn end(_: *mut c_void) {}

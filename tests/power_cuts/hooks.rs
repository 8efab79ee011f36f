//! The calls that change files, in place of the C library's: a program's own symbol goes first. Each goes on to the kernel,
//! and is recorded where it concerns the folder that is watched.

#![expect(unsafe_code, reason = "the seam of the operating system are C functions")]

use std::{
    ffi::{CStr, c_char, c_int, c_long, c_void},
    os::fd::BorrowedFd,
};

use crate::recorder::{self, Watched};

/// `open(2)`; the mode stands in a register whether it is given or not.
#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: u32) -> c_int {
    // SAFETY: the caller of open(2) hands over a path that ends.
    let name = unsafe { CStr::from_ptr(path) };
    let watched = recorder::watched();
    let was_there = watched.as_ref().is_some_and(|watched| watched.is_there(name));
    // SAFETY: the call as it came; the kernel judges its arguments.
    let file = number(unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, mode) });
    if let (Some(mut watched), 0..) = (watched, file) {
        watched.opened(name, borrowed(file), was_there, flags & libc::O_TRUNC != 0);
    }
    file
}

/// As [`open64`].
#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: u32) -> c_int {
    // SAFETY: as it came.
    unsafe { open64(path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, bytes: *const c_void, length: usize) -> isize {
    let watched = recorder::watched();
    let at = watched.as_ref().map(|_| {
        // SAFETY: asks where the file stands.
        unsafe { libc::syscall(libc::SYS_lseek, file, 0, libc::SEEK_CUR) }
    });
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = unsafe { libc::syscall(libc::SYS_write, file, bytes, length) };
    note_write(watched, file, at.unwrap_or(-1), bytes, done);
    size(done)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(file: c_int, bytes: *const c_void, length: usize, at: i64) -> isize {
    let watched = recorder::watched();
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = unsafe { libc::syscall(libc::SYS_pwrite64, file, bytes, length, at) };
    note_write(watched, file, at, bytes, done);
    size(done)
}

/// As [`pwrite64`].
#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(file: c_int, bytes: *const c_void, length: usize, at: i64) -> isize {
    // SAFETY: as it came.
    unsafe { pwrite64(file, bytes, length, at) }
}

fn note_write(watched: Option<Watched>, file: c_int, at: i64, bytes: *const c_void, done: c_long) {
    let (Some(mut watched), Ok(at), Ok(length @ 1..)) = (watched, u64::try_from(at), usize::try_from(done))
    else {
        return;
    };
    // SAFETY: the kernel has read so many bytes from there.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
    watched.wrote(borrowed(file), at, bytes);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(file: c_int, size: i64) -> c_int {
    let watched = recorder::watched();
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = number(unsafe { libc::syscall(libc::SYS_ftruncate, file, size) });
    if let (Some(mut watched), 0, Ok(size)) = (watched, done, u64::try_from(size)) {
        watched.resized(borrowed(file), size);
    }
    done
}

/// As [`ftruncate64`].
#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate(file: c_int, size: i64) -> c_int {
    // SAFETY: as it came.
    unsafe { ftruncate64(file, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(file: c_int) -> c_int {
    if let Some(mut watched) = recorder::watched()
        && watched.synced(borrowed(file))
    {
        return 0;
    }
    // SAFETY: the call as it came; the kernel judges its arguments.
    number(unsafe { libc::syscall(libc::SYS_fsync, file) })
}

/// As [`fsync`]: it syncs the size, too.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(file: c_int) -> c_int {
    // SAFETY: as it came.
    unsafe { fsync(file) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let watched = recorder::watched();
    let (here, flags) = (libc::AT_FDCWD, 0);
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = number(unsafe { libc::syscall(libc::SYS_renameat2, here, from, here, to, flags) });
    if let (Some(mut watched), 0) = (watched, done) {
        // SAFETY: the caller of rename(2) hands over paths that end.
        let (from, to) = unsafe { (CStr::from_ptr(from), CStr::from_ptr(to)) };
        watched.renamed(from, to);
    }
    done
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    let watched = recorder::watched();
    // SAFETY: the call as it came; the kernel judges its arguments.
    let done = number(unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0) });
    if let (Some(mut watched), 0) = (watched, done) {
        // SAFETY: the caller of unlink(2) hands over a path that ends.
        watched.unlinked(unsafe { CStr::from_ptr(path) });
    }
    done
}

/// Copies within the kernel are not recorded: while a folder is watched there are none, and they are made by `write`.
#[unsafe(no_mangle)]
unsafe extern "C" fn copy_file_range(
    from: c_int,
    from_at: *mut i64,
    to: c_int,
    to_at: *mut i64,
    length: usize,
    flags: u32,
) -> isize {
    if recorder::watched().is_some() {
        return not_here();
    }
    // SAFETY: the call as it came; the kernel judges its arguments.
    size(unsafe { libc::syscall(libc::SYS_copy_file_range, from, from_at, to, to_at, length, flags) })
}

/// As [`copy_file_range`].
#[unsafe(no_mangle)]
unsafe extern "C" fn sendfile64(to: c_int, from: c_int, at: *mut i64, length: usize) -> isize {
    if recorder::watched().is_some() {
        return not_here();
    }
    // SAFETY: the call as it came; the kernel judges its arguments.
    size(unsafe { libc::syscall(libc::SYS_sendfile, to, from, at, length) })
}

fn not_here() -> isize {
    // SAFETY: the thread's own.
    unsafe { *libc::__errno_location() = libc::ENOSYS };
    -1
}

fn number(answer: c_long) -> c_int {
    c_int::try_from(answer).unwrap_or(-1)
}

fn size(answer: c_long) -> isize {
    isize::try_from(answer).unwrap_or(-1)
}

fn borrowed<'file>(file: c_int) -> BorrowedFd<'file> {
    // SAFETY: who calls with a file holds it open until the call returns.
    unsafe { BorrowedFd::borrow_raw(file) }
}

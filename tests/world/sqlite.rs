//! Four functions of SQLite's as everybody here calls them: each asks first what `spare.rs` has put aside. The linker gives
//! them the names, see `build.rs`.

use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_uint},
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr, slice,
    sync::Arc,
};

use libsqlite3_sys as sqlite;
use sqlite::{SQLITE_OK, sqlite3, sqlite3_stmt};

use crate::spare::{CLOSED, Known, can_rest, connections, forget_index};

#[expect(unsafe_code, reason = "the linker knows SQLite's own functions by these names")]
unsafe extern "C" {
    fn __real_sqlite3_open_v2(
        name: *const c_char,
        db: *mut *mut sqlite3,
        flags: c_int,
        vfs: *const c_char,
    ) -> c_int;
    fn __real_sqlite3_close(db: *mut sqlite3) -> c_int;
    fn __real_sqlite3_prepare_v3(
        db: *mut sqlite3,
        sql: *const c_char,
        length: c_int,
        flags: c_uint,
        statement: *mut *mut sqlite3_stmt,
        tail: *mut *const c_char,
    ) -> c_int;
    fn __real_sqlite3_finalize(statement: *mut sqlite3_stmt) -> c_int;
}

#[expect(unsafe_code, reason = "the seam of SQLite is a C function")]
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_sqlite3_open_v2(
    name: *const c_char,
    db: *mut *mut sqlite3,
    flags: c_int,
    vfs: *const c_char,
) -> c_int {
    // SAFETY: who opens a database hands over a name and room for a connection.
    unsafe {
        let file = OsStr::from_bytes(CStr::from_ptr(name).to_bytes());
        if connections(|all| all.all_aside(file)) {
            forget_index(Path::new(file));
        }
        if let Some(spare) = connections(|all| all.take(file, flags)) {
            db.write(ptr::with_exposed_provenance_mut(spare));
            let none = ptr::null_mut();
            return sqlite::sqlite3_file_control(*db, ptr::null(), sqlite::SQLITE_FCNTL_RESET_CACHE, none);
        }
        let done = __real_sqlite3_open_v2(name, db, flags, vfs);
        if done == SQLITE_OK {
            connections(|all| {
                all.known.insert((*db).expose_provenance(), Known::new(file.to_owned(), flags))
            });
        }
        done
    }
}

#[expect(unsafe_code, reason = "the seam of SQLite is a C function")]
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_sqlite3_close(db: *mut sqlite3) -> c_int {
    // SAFETY: who closes a connection has it open, and uses it no more.
    unsafe {
        let is_at_rest = !db.is_null() && sqlite::sqlite3_get_autocommit(db) != 0;
        if is_at_rest {
            sqlite::sqlite3_progress_handler(db, 0, None, ptr::null_mut());
        }
        let mut done = SQLITE_OK;
        if let Some(closing) = connections(|all| all.close(db.expose_provenance(), is_at_rest)) {
            let mut file = None;
            for (other, known) in closing {
                for (statement, _) in known.at_rest.into_values().flatten() {
                    __real_sqlite3_finalize(ptr::with_exposed_provenance_mut(statement));
                }
                if other == db.expose_provenance() {
                    file = Some(known.file);
                } else {
                    __real_sqlite3_close(ptr::with_exposed_provenance_mut(other));
                }
            }
            done = __real_sqlite3_close(db);
            connections(|all| file.map(|file| all.has_closed(&file)));
        }
        CLOSED.notify_all();
        done
    }
}

#[expect(unsafe_code, reason = "the seam of SQLite is a C function")]
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_sqlite3_prepare_v3(
    db: *mut sqlite3,
    sql: *const c_char,
    length: c_int,
    flags: c_uint,
    statement: *mut *mut sqlite3_stmt,
    tail: *mut *const c_char,
) -> c_int {
    // SAFETY: who prepares a statement hands over its text, its length and room for what comes of it.
    unsafe {
        let text = slice::from_raw_parts(sql.cast::<u8>(), usize::try_from(length).unwrap_or(0));
        let (text, end) = connections(|all| all.instead(db.expose_provenance(), text));
        let rests = can_rest(text);
        let found =
            connections(|all| all.known.get_mut(&db.expose_provenance())?.wake(text)).filter(|_| rests);
        if let Some((found, found_end)) = found {
            statement.write(ptr::with_exposed_provenance_mut(found));
            tail.write(sql.add(end.unwrap_or(found_end)));
            return SQLITE_OK;
        }
        let length = c_int::try_from(text.len()).unwrap_or(c_int::MAX);
        let done = __real_sqlite3_prepare_v3(db, text.as_ptr().cast(), length, flags, statement, tail);
        if done == SQLITE_OK && rests && !(*statement).is_null() {
            let prepared = (Arc::from(text), (*tail).cast::<u8>().offset_from_unsigned(text.as_ptr()));
            connections(|all| {
                let known = all.known.get_mut(&db.expose_provenance())?;
                known.in_use.insert((*statement).expose_provenance(), prepared)
            });
        }
        if let Some(end) = end {
            tail.write(sql.add(end));
        }
        done
    }
}

#[expect(unsafe_code, reason = "the seam of SQLite is a C function")]
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_sqlite3_finalize(statement: *mut sqlite3_stmt) -> c_int {
    // SAFETY: who ends a statement has it, and uses it no more.
    unsafe {
        if statement.is_null() {
            return SQLITE_OK;
        }
        let (db, at) =
            (sqlite::sqlite3_db_handle(statement).expose_provenance(), statement.expose_provenance());
        let is_known =
            connections(|all| all.known.get(&db).is_some_and(|known| known.in_use.contains_key(&at)));
        if !is_known {
            return __real_sqlite3_finalize(statement);
        }
        let done = sqlite::sqlite3_reset(statement);
        sqlite::sqlite3_clear_bindings(statement);
        connections(|all| {
            let known = all.known.get_mut(&db)?;
            let (text, end) = known.in_use.remove(&at)?;
            known.at_rest.entry(text).or_default().push((at, end));
            Some(())
        });
        done
    }
}

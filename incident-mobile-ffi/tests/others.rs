//! What others have done to the file or its log, while it is open or before.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{collections::BTreeMap, fs, path::Path};

use incident_mobile_ffi::outbox::{EntryState, OutboxError};
use rusqlite::Connection;
use support::{NOW_MS, Phone, draft, open, options};
use tempfile::TempDir;

/// All files there, with who may read them.
fn state(folder: &Path) -> BTreeMap<std::ffi::OsString, (Vec<u8>, fs::Permissions)> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    files
        .map(|file| {
            (file.file_name(), (fs::read(file.path()).unwrap(), file.metadata().unwrap().permissions()))
        })
        .collect()
}

/// A database of another program, with all that it holds in its log.
fn notes(file: &Path, page_bytes: i32) -> Connection {
    let program = Connection::open(file).unwrap();
    program.pragma_update(None, "page_size", page_bytes).unwrap();
    program.pragma_update(None, "journal_mode", "wal").unwrap();
    program.execute_batch("CREATE TABLE notes (note)").unwrap();
    for note in 0..50 {
        program.execute("INSERT INTO notes VALUES (?)", [note]).unwrap();
    }
    program
}

/// As a program that was killed leaves it, or that runs on.
#[test]
fn another_programs_database_is_left_as_it_is_with_its_log() {
    for page_bytes in [1024, 4096, 8192] {
        let (running, left) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let program = notes(&running.path().join("notes.db"), page_bytes);
        for name in ["notes.db", "notes.db-wal"] {
            fs::copy(running.path().join(name), left.path().join(name)).unwrap();
        }
        let before = state(left.path());

        let refused = open(&left.path().join("notes.db"), "alice", options(), NOW_MS);

        assert!(matches!(refused, Err(OutboxError::Unavailable(_))), "{page_bytes}: {refused:?}");
        assert!(state(left.path()) == before, "{page_bytes}: it is as it was");
        drop(program);
    }
}

/// One whose log was damaged by others, or is just being written, would look like a damaged outbox.
#[test]
fn another_programs_database_is_not_moved_aside_for_a_damaged_log() {
    let (running, left) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let program = notes(&running.path().join("notes.db"), 4096);
    fs::copy(running.path().join("notes.db"), left.path().join("notes.db")).unwrap();
    let mut log = fs::read(running.path().join("notes.db-wal")).unwrap();
    let middle = log.len() / 2;
    log[middle] ^= 1;
    fs::write(left.path().join("notes.db-wal"), log).unwrap();
    let before = state(left.path());

    let refused = open(&left.path().join("notes.db"), "alice", options(), NOW_MS);

    assert!(matches!(refused, Err(OutboxError::Unavailable(_))), "{refused:?}");
    assert!(state(left.path()) == before, "it is as it was");
    drop(program);
}

#[test]
fn nothing_is_written_into_a_log_that_others_have_removed() {
    let mut phone = Phone::new();
    let first = phone.report("a").key;
    fs::remove_file(phone.folder.path().join("outbox.db-wal")).unwrap();

    let refused = phone.outbox().report(&draft("b"), NOW_MS + 5);
    assert!(matches!(refused, Err(OutboxError::Corrupt)), "{refused:?}");
    let second = phone.report("b").key;

    phone.restart();
    assert_eq!([first, second].map(|key| phone.state(key)), [EntryState::Pending; 2]);
}

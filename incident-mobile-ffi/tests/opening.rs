//! Who opens the outbox: by which path, and among others who open it.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Barrier, mpsc},
    thread,
    time::Duration,
};

use incident_core::IdempotencyKey;
use incident_mobile_ffi::outbox::{EntryState, Options, OutboxError, Reached, RepairStep};
use rustix::fs::{FlockOperation, flock};
use support::{
    NOW_MS, Phone,
    damage::{beside, flip, killed, until_another_opens},
    draft, example, open, options,
};

/// Where the twelfth frame of a log begins, and somewhat behind.
const IN_FRAME_12: usize = 32 + 12 * (24 + 4096) + 500;

/// A process that was killed after 12 reports, whose log has a flipped bit since.
fn damaged() -> (Phone, Vec<IdempotencyKey>) {
    let (phone, keys) = killed(12);
    flip(&phone, |_| IN_FRAME_12);
    (phone, keys)
}

#[track_caller]
fn all_are_saved(phone: &mut Phone, keys: &[IdempotencyKey]) {
    assert_eq!(phone.outbox().recovery().expect("it is not passed over").saved, 12);
    assert!(keys.iter().all(|key| phone.state(*key) == EntryState::Pending));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn who_waited_for_one_that_died_while_it_opened_looks_at_the_log_itself() {
    let (mut phone, keys) = damaged();
    let path = phone.path();
    let begun = Arc::new(Barrier::new(2));
    let (saved, file) = (begun.clone(), path.clone());
    let probe = move |reached| {
        if reached == Reached::Repair(RepairStep::Saved) {
            saved.wait();
            until_another_opens(&file);
            std::panic::resume_unwind(Box::new("killed"));
        }
    };
    let dying = Options { probe: Some(Box::new(probe)), ..options() };
    let file = path.clone();
    let dying = thread::spawn(move || open(&file, "alice", dying, NOW_MS).map(drop));
    begun.wait();

    let opened = open(&path, "alice", options(), NOW_MS);

    assert!(dying.join().is_err());
    phone.outbox = Some(opened.unwrap());
    all_are_saved(&mut phone, &keys);
}

#[test]
fn damage_of_the_log_is_found_where_the_path_is_a_link() {
    let (mut phone, keys) = damaged();
    for suffix in ["", "-wal", "-shm"] {
        fs::rename(beside(&phone.path(), suffix), beside(&phone.folder.path().join("real.db"), suffix))
            .unwrap();
    }
    symlink("real.db", phone.path()).unwrap();

    phone.restart();

    all_are_saved(&mut phone, &keys);
}

#[test]
fn a_repair_behind_a_link_that_was_killed_at_the_end_is_ended_at_the_next_opening() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    drop(phone.outbox.take());
    fs::rename(phone.path(), phone.folder.path().join("real.db-saved")).unwrap();
    symlink("real.db", phone.path()).unwrap();

    phone.restart();

    assert_eq!(phone.state(key), EntryState::Pending);
}

#[test]
fn a_process_that_goes_to_another_folder_keeps_its_outbox() {
    let folder = tempfile::TempDir::new().unwrap();
    std::env::set_current_dir(&folder).unwrap();
    let mut outbox = open(Path::new("outbox.db"), "alice", options(), NOW_MS).unwrap();
    std::env::set_current_dir("/").unwrap();

    let reported = outbox.report(&draft("w"), NOW_MS);

    assert!(reported.is_ok(), "{reported:?}");
    assert!(folder.path().join("outbox.db").exists());
}

#[test]
fn a_process_that_stands_still_while_it_opens_or_repairs_does_not_stop_the_others() {
    for lock in ["-users", "-repair", "-opening"] {
        let mut phone = Phone::new();
        drop(phone.outbox.take());
        let (path, patience) = (phone.path(), Duration::from_millis(50));
        let held = fs::OpenOptions::new().write(true).create(true).truncate(true).open(beside(&path, lock));
        let held = held.unwrap();
        flock(&held, FlockOperation::LockExclusive).unwrap();

        let (sender, opened) = mpsc::channel();
        thread::spawn(move || {
            sender.send(open(&path, "alice", Options { patience, ..options() }, NOW_MS).map(drop)).unwrap();
        });
        let opened = opened.recv_timeout(Duration::from_secs(20)).expect("it does not wait for ever");

        assert!(matches!(opened, Err(OutboxError::Unavailable(_))), "{lock}: {opened:?}");
        drop(held);
        phone.restart();
    }
}

#[test]
fn what_is_no_file_is_refused_and_nothing_of_it_touched() {
    let folder = tempfile::TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg("-m644").arg(&pipe).status().unwrap().success());

    for path in [&pipe, Path::new(""), Path::new(":memory:")] {
        let refused = open(path, "alice", options(), NOW_MS);
        assert!(matches!(refused, Err(OutboxError::Unavailable(_))), "{refused:?}");
    }

    assert_eq!(fs::metadata(&pipe).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(files(folder.path()), [pipe]);
}

#[test]
fn an_opening_that_is_refused_leaves_no_file_of_its_own() {
    let folder = tempfile::TempDir::new().unwrap();
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE contacts (name TEXT)").unwrap();

    let refused = open(&other, "alice", options(), NOW_MS);

    assert!(matches!(refused, Err(OutboxError::Unavailable(_))), "{refused:?}");
    assert_eq!(files(folder.path()), [other]);
}

#[test]
fn a_log_that_there_is_no_room_to_copy_leaves_no_part_of_a_copy() {
    let (phone, _) = killed(50);
    let reporter = example("steady_reporter", &phone.path());
    // As on a full disk a write fails, here beyond 128 KiB of a file.
    let limited = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""])
        .arg(reporter.get_program())
        .args(reporter.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();

    assert!(!limited.unwrap().success());
    assert!(!beside(&phone.path(), "-log").exists());
    assert!(beside(&phone.path(), "-wal").exists());
}

//! A repair among others: while it runs other processes report, open the file, or die in it.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::FileExt,
    panic::resume_unwind,
    process::Stdio,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use incident_mobile_ffi::outbox::{Change, EntryState, Options, OutboxError, Reached, RepairStep};
use rusqlite::Connection;
use support::{
    NOW_MS, Phone,
    damage::{beside, spoil_head, until_another_opens},
    example, open, options,
};

#[test]
fn no_report_that_another_process_made_during_repairs_is_lost_and_no_key_is_given_twice() {
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    let mut child = example("steady_reporter", &phone.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut told = String::new();
    let (mut repairs, mut lost) = (0, 0);
    for _ in 0..12 {
        for _ in 0..40 {
            assert_ne!(lines.read_line(&mut told).unwrap(), 0, "it reports on");
        }
        spoil_head(&phone.path());
        phone.restart();
        // Either of the two may have been the one that repaired.
        if let Some(recovery) = phone.outbox().recovery() {
            (repairs, lost) = (repairs + 1, lost + recovery.lost);
        }
        drop(phone.outbox.take());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.read_to_string(&mut told).unwrap();
    phone.restart();
    let keys: Vec<_> = told.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "a key was given twice");
    assert!(keys.iter().all(|key| phone.state(*key) == EntryState::Pending));
    assert!(repairs > 3 && lost == 0, "{repairs} repairs, {lost} lost");
}

#[test]
fn who_opens_the_file_in_the_midst_of_a_repair_that_is_killed_gets_what_was_saved() {
    let mut phone = Phone::new();
    let keys: Vec<_> = (0..20).map(|n| phone.report(&format!("ward-{n}")).key).collect();
    drop(phone.outbox.take());
    let path = phone.path();
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&[42; 100], 0).unwrap();
    let opened = thread::scope(|scope| {
        let (sender, other) = std::sync::mpsc::channel();
        let (sender, path) = (Mutex::new(sender), path.as_path());
        let repair = scope.spawn(move || {
            let file = path.to_owned();
            let probe = move |reached| {
                if reached == Reached::Repair(RepairStep::Moved) {
                    sender.lock().unwrap().send(()).unwrap();
                    until_another_opens(&file);
                    resume_unwind(Box::new("killed"));
                }
            };
            open(path, "alice", Options { probe: Some(Box::new(probe)), ..options() }, NOW_MS).map(drop)
        });
        other.recv().unwrap();
        let opened = open(path, "alice", options(), NOW_MS);
        assert!(repair.join().is_err());
        opened
    });
    phone.outbox = Some(opened.unwrap());
    assert!(keys.into_iter().all(|key| phone.state(key) == EntryState::Pending));
}

#[test]
fn a_repair_that_fails_is_tried_again() {
    let mut phone = Phone::new();
    let keys: Vec<_> = (0..300).map(|n| phone.report(&format!("ward-{n}")).key).collect();
    phone.restart();
    // The inner page of the table, which leads to the leaves.
    let mut bytes = fs::read(phone.path()).unwrap();
    bytes.chunks_mut(4096).filter(|page| page[0] == 0x05).for_each(|page| page[0] = 0x77);
    fs::write(phone.path(), bytes).unwrap();
    // Nothing can be written where a folder stands in the way.
    let obstacle = beside(&phone.path(), "-building");
    fs::create_dir(&obstacle).unwrap();
    for _ in 0..2 {
        let failed = phone.outbox().entries(None, 10, None);
        assert!(matches!(failed, Err(OutboxError::Unavailable(_))), "{failed:?}");
    }
    fs::remove_dir(&obstacle).unwrap();
    assert!(matches!(phone.outbox().entry(keys[0]), Err(OutboxError::Corrupt)), "repaired: ask again");
    assert!(keys.iter().all(|key| phone.state(*key) == EntryState::Pending));
    assert_eq!(phone.outbox().recovery().unwrap().saved, 300);
}

#[test]
fn a_new_file_whose_log_cannot_be_emptied_does_not_take_the_place_of_the_corrupt_one() {
    let mut phone = Phone::new();
    let keys: Vec<_> = (0..20).map(|n| phone.report(&format!("ward-{n}")).key).collect();
    drop(phone.outbox.take());
    let path = phone.path();
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&[42; 100], 0).unwrap();
    // A reader, as a full disk would, keeps what is in the log from going into the file.
    let reader = Arc::new(Mutex::new(None));
    let (held, new) = (reader.clone(), beside(&path, "-building"));
    let probe = move |reached| {
        if reached == Reached::BeforeCommit(Change::Salvage) {
            let connection = Connection::open(&new).unwrap();
            connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").unwrap();
            *held.lock().unwrap() = Some(connection);
        }
    };
    let patience = Duration::from_millis(50);
    let opened =
        open(&path, "alice", Options { probe: Some(Box::new(probe)), patience, ..options() }, NOW_MS);
    assert!(matches!(opened, Err(OutboxError::Unavailable(_))), "{opened:?}");
    drop(reader.lock().unwrap().take());
    phone.restart();
    assert!(keys.into_iter().all(|key| phone.state(key) == EntryState::Pending));
}

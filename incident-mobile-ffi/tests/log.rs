//! The write-ahead log after an unclean end: one flipped bit anywhere is found, and nothing is lost by it.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::fs;

use incident_core::IdempotencyKey;
use incident_mobile_ffi::outbox::EntryState;
use support::{
    Phone,
    damage::{cut_off, flip, killed},
};

const HEADER: usize = 32;
const FRAME: usize = 24 + 4096;

fn all_are_saved_and_counted(phone: &mut Phone, keys: &[IdempotencyKey]) {
    phone.restart();
    let recovery = phone.outbox().recovery().expect("it is never passed over").clone();
    assert_eq!((recovery.saved, recovery.lost), (i64::try_from(keys.len()).unwrap(), 0));
    assert!(keys.iter().all(|key| phone.state(*key) == EntryState::Pending));
}

#[test]
fn a_flipped_bit_in_the_first_frames_loses_nothing() {
    let (mut phone, keys) = cut_off(200);
    flip(&phone, |_| HEADER + 24 + 4000);
    all_are_saved_and_counted(&mut phone, &keys);
}

#[test]
fn a_flipped_bit_in_any_part_of_a_frame_or_of_the_header_loses_nothing() {
    // The series and its checksum in the header; of the third frame the page's number, the series, the checksum.
    for at in [16, 24, HEADER + 2 * FRAME, HEADER + 2 * FRAME + 8, HEADER + 2 * FRAME + 16] {
        let (mut phone, keys) = cut_off(30);
        flip(&phone, |_| at);
        all_are_saved_and_counted(&mut phone, &keys);
    }
}

#[test]
fn a_flipped_bit_in_the_very_last_frame_is_found_where_a_process_was_killed() {
    // In the page, where it holds nothing, and in the frame's series.
    for back in [4096 - 100, FRAME - 8] {
        let (mut phone, keys) = killed(20);
        flip(&phone, |length| length - back);
        all_are_saved_and_counted(&mut phone, &keys);
    }
}

#[test]
fn a_flipped_bit_in_the_last_report_itself_is_told() {
    let (mut phone, keys) = killed(20);
    let log = phone.folder.path().join("outbox.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    // Every version of the page that the last report is on: the first has it too, but not as the last.
    let place = bytes.windows(7).rposition(|text| text == b"ward-19").unwrap();
    bytes[place] ^= 4;
    fs::write(&log, bytes).unwrap();
    phone.restart();
    let recovery = phone.outbox().recovery().unwrap().clone();
    assert_eq!((recovery.saved, recovery.lost), (20, 0), "a ward of another name is still a report");
    assert!(keys.iter().all(|key| phone.state(*key) == EntryState::Pending));
}

#[test]
fn a_text_that_a_flipped_bit_made_another_does_not_count_where_a_whole_frame_has_it() {
    let log = |phone: &Phone| phone.folder.path().join("outbox.db-wal");
    for last in [false, true] {
        let (mut phone, keys) = killed(12);
        let mut bytes = fs::read(log(&phone)).unwrap();
        let mut texts = bytes.windows(8).enumerate().filter(|(_, text)| *text == b"\"ward-3\"");
        let place = if last { texts.next_back() } else { texts.next() }.unwrap().0;
        bytes[place + 6] ^= 1;
        fs::write(log(&phone), bytes).unwrap();

        all_are_saved_and_counted(&mut phone, &keys);

        assert_eq!(phone.entry(keys[3]).payload.facts.location_id.as_str(), "ward-3", "last: {last}");
    }
}

#[test]
fn neither_a_killed_process_nor_a_power_cut_is_damage() {
    for (mut phone, keys) in [killed(50), cut_off(50)] {
        phone.restart();
        assert!(phone.outbox().recovery().is_none());
        assert!(keys.into_iter().all(|key| phone.state(key) == EntryState::Pending));
    }
}

#[test]
fn a_torn_last_frame_is_no_damage() {
    let (mut phone, keys) = cut_off(50);
    let log = phone.folder.path().join("outbox.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    // The next write has begun: the head of a frame, and nothing of its page.
    let series = bytes[16..24].to_vec();
    bytes.extend([&[0, 0, 0, 2, 0, 0, 0, 9][..], &series, &[0; 8 + 4096]].concat());
    fs::write(&log, bytes).unwrap();
    phone.restart();
    assert!(phone.outbox().recovery().is_none());
    assert!(keys.into_iter().all(|key| phone.state(key) == EntryState::Pending));
}

#[test]
fn the_log_of_a_file_that_is_no_database_any_more_is_saved_from() {
    let mut living = Phone::new();
    for _ in 0..50 {
        living.report("checkpointed");
    }
    living.restart();
    let keys = [living.report("in the log only").key, living.report("in the log only").key];
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    fs::copy(living.folder.path().join("outbox.db-wal"), phone.folder.path().join("outbox.db-wal")).unwrap();
    fs::write(phone.path(), [b'x'; 9000]).unwrap();
    phone.now_ms = living.now_ms;
    phone.restart();
    assert!(phone.outbox().recovery().unwrap().saved >= 2);
    assert!(keys.into_iter().all(|key| phone.state(key) == EntryState::Pending));
}

#[test]
fn the_log_of_a_file_that_is_gone_or_empty_is_saved_from() {
    for is_gone in [false, true] {
        let (mut phone, keys) = killed(20);
        fs::remove_file(phone.path()).unwrap();
        if !is_gone {
            fs::write(phone.path(), "").unwrap();
        }
        all_are_saved_and_counted(&mut phone, &keys);
    }
}

#[test]
fn a_log_that_a_power_cut_left_with_no_whole_frame_is_no_damage() {
    for length in [1, HEADER, HEADER + FRAME - 1] {
        let (mut phone, _) = cut_off(1);
        let log = phone.folder.path().join("outbox.db-wal");
        fs::OpenOptions::new().write(true).open(log).unwrap().set_len(length as u64).unwrap();
        phone.restart();
        assert!(phone.outbox().recovery().is_none(), "{length}");
        phone.report("life goes on");
    }
}

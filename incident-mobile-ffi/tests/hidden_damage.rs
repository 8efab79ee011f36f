//! Damage that no check of the pages finds: the queue comes across it, says so once, and goes on with what is left.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{collections::BTreeSet, fs};

use incident_mobile_ffi::outbox::{NextUpload, OutboxError, Recovery};
use rusqlite::Connection;
use support::{
    Phone,
    damage::{corrupt, corrupt_files},
    payloads, settle_all,
};

/// How a row of `entry` begins: no number, `alice`, a key, a moment, revision 1, pending, named.
const ROW: [u8; 7] = [0x00, 0x17, 0x55, 0x05, 0x09, 0x08, 0x08];

/// Reports 300 entries, closes, and lets `damage` loose on the file, of which nobody knows when it is opened.
#[track_caller]
fn hidden(damage: impl FnOnce(&mut Vec<u8>)) -> Phone {
    let mut phone = corrupt(damage);
    fs::remove_file(phone.folder.path().join("outbox.db-suspect")).unwrap();
    phone.restart();
    phone
}

/// An outbox that nobody has open.
fn closed() -> Phone {
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    phone
}

/// Where these bytes stand in the file for the first time.
#[track_caller]
fn place(bytes: &[u8], of: &[u8]) -> usize {
    bytes.windows(of.len()).position(|window| window == of).unwrap()
}

/// The place of the first page of an index.
fn root(bytes: &[u8], index: &str) -> usize {
    let folder = tempfile::TempDir::new().unwrap();
    let copy = folder.path().join("copy.db");
    fs::write(&copy, bytes).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: u32 = Connection::open(copy).unwrap().query_row(sql, [index], |row| row.get(0)).unwrap();
    (page as usize - 1) * 4096
}

/// Asks, and asks again if that repaired the file.
#[track_caller]
fn ask<T>(phone: &mut Phone, question: impl Fn(&mut Phone) -> Result<T, OutboxError>) -> T {
    match question(phone) {
        Err(OutboxError::Corrupt) => question(phone).unwrap(),
        answer => answer.unwrap(),
    }
}

/// Looks at all and sends all; what arrived.
#[track_caller]
fn deliver(phone: &mut Phone) -> BTreeSet<String> {
    let mut arrived = BTreeSet::new();
    ask(phone, |phone| phone.outbox().entries(None, 1000, None));
    for _ in 0..100 {
        let now_ms = phone.now_ms;
        match ask(phone, |phone| phone.outbox().next_upload(now_ms)) {
            NextUpload::Send { upload } => {
                let sent = payloads(&upload);
                arrived.extend(sent.iter().map(|payload| payload["locationId"].as_str().unwrap().to_owned()));
                let result = settle_all(&upload);
                ask(phone, |phone| phone.outbox().complete_upload(upload.id, &result, now_ms));
            }
            NextUpload::Idle => return arrived,
            other => panic!("{other:?}"),
        }
    }
    panic!("it sends for ever")
}

/// How many were saved and how many lost.
#[track_caller]
fn repaired(phone: &mut Phone) -> (i64, i64) {
    let Recovery { saved, lost, .. } = phone.outbox().recovery().unwrap();
    (*saved, *lost)
}

#[test]
fn a_report_whose_state_is_unreadable_or_another_is_sent_and_not_for_ever() {
    // 0 becomes NULL, or 1.
    for bit in [0x08, 0x01] {
        let mut phone = hidden(|bytes| {
            let row = place(bytes, &ROW);
            bytes[row + 5] ^= bit;
        });
        let arrived = deliver(&mut phone).len();
        assert_eq!((arrived, repaired(&mut phone)), (300, (300, 0)));
    }
}

#[test]
fn one_unreadable_row_is_lost_and_stops_none_of_the_others() {
    let damages: [fn(&mut Vec<u8>); 5] = [
        // A letter of the key is none of a key, or a capital.
        |bytes| {
            let row = place(bytes, &ROW);
            let key = row + place(&bytes[row..], b"alice01a2") + 5;
            bytes[key + 1] ^= 0x40;
        },
        |bytes| {
            let row = place(bytes, &ROW);
            let key = row + place(&bytes[row..], b"alice01a2") + 5;
            bytes[key + 3] ^= 0x40;
        },
        // The text of the report is none, or no JSON.
        |bytes| {
            let text = place(bytes, b"\"ward-7\"");
            bytes[text + 1] ^= 0x80;
        },
        |bytes| {
            let text = place(bytes, b"\"ward-7\"");
            bytes[text] ^= 0x01;
        },
        // The key is a BLOB.
        |bytes| {
            let row = place(bytes, &ROW);
            bytes[row + 2] ^= 0x01;
        },
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut phone = hidden(damage);
        let arrived = deliver(&mut phone).len();
        assert_eq!((arrived, repaired(&mut phone)), (299, (299, 1)), "damage {number}");
        assert_eq!(corrupt_files(&phone), 1, "damage {number}");
    }
}

#[test]
fn a_column_that_is_null_or_has_another_name_costs_no_report() {
    let damages: [fn(&mut Vec<u8>); 4] = [
        // The attempts, behind two moments.
        |bytes| {
            let row = place(bytes, &ROW);
            let times = row + place(&bytes[row..], &[0x05, 0x05, 0x08]);
            bytes[times + 2] = 0;
        },
        |bytes| {
            let name = place(bytes, b"    payload ");
            bytes[name + 4] ^= 0x01;
        },
        |bytes| {
            let name = place(bytes, b"anonymous_after_ms");
            bytes[name] ^= 0x02;
        },
        |bytes| {
            let name = place(bytes, b"longest_ms");
            bytes[name] ^= 0x02;
        },
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut phone = hidden(damage);
        assert_eq!(deliver(&mut phone).len(), 300, "damage {number}");
        assert_eq!(repaired(&mut phone), (300, 0), "damage {number}");
    }
}

#[test]
fn whatever_bit_of_an_index_flips_every_report_is_sent() {
    let mut rng = fastrand::Rng::with_seed(5);
    let whole = fs::read(hidden(|_| ()).path()).unwrap();
    for index in ["entry_turn", "entry_list", "entry_age"] {
        let root = root(&whole, index);
        let places: Vec<_> = (root..root + 4096).filter(|at| whole[*at] != 0).collect();
        for _ in 0..10 {
            let (place, bit) = (places[rng.usize(..places.len())], rng.u8(0..8));
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << bit;
            let mut phone = closed();
            fs::write(phone.path(), bytes).unwrap();
            phone.restart();

            let arrived = deliver(&mut phone).len();

            assert_eq!(arrived, 300, "bit {bit} of byte {} of {index}", place - root);
        }
    }
}

#[test]
fn the_queue_is_not_idle_while_a_report_waits_that_its_index_does_not_name() {
    let mut phone = hidden(|bytes| {
        // One cell less.
        let root = root(bytes, "entry_turn");
        let leaf = bytes[root + 8..root + 12].try_into().map(u32::from_be_bytes).unwrap() as usize;
        let last = if bytes[root] == 0x0a { root } else { (leaf - 1) * 4096 };
        let cells = u16::from_be_bytes([bytes[last + 3], bytes[last + 4]]) - 1;
        bytes[last + 3..last + 5].copy_from_slice(&cells.to_be_bytes());
    });
    assert_eq!(deliver(&mut phone).len(), 300);
    assert_eq!(repaired(&mut phone), (300, 0));
}

#[test]
fn a_flipped_bit_in_the_number_of_the_program_costs_no_report() {
    let whole = fs::read(hidden(|_| ()).path()).unwrap();
    for (place, bit) in (68..72).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << bit;
        let mut phone = closed();
        fs::write(phone.path(), bytes).unwrap();
        phone.restart();

        assert_eq!(deliver(&mut phone).len(), 300, "bit {bit} of byte {place}");
    }
}

//! Files of earlier versions open, keep everything and go on. `data/outbox-0.1.db` was written by version 0.1 (commit
//! f1af654): entries of every state, and one that was discarded.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::fs;

use incident_core::IdempotencyKey;
use incident_mobile_ffi::outbox::{EntryState, NextUpload};
use support::{NOW_MS, Phone, draft, payloads, settle_all, stands_in};

const KEPT: [(&str, &str, EntryState); 8] = [
    ("settled", "01a202c0-f648-81b8-95f2-469ecf9e3f4e", EntryState::Settled),
    ("settled, then called off", "01a202c0-f64a-83e6-9d32-e7443993774f", EntryState::Settled),
    ("refused", "01a202c0-f64c-8d6e-a104-3c21df336169", EntryState::Quarantined),
    ("in conflict", "01a202c0-f64d-82ab-97f6-a5634c811d5a", EntryState::Quarantined),
    ("refused anonymously", "01a202c0-f64e-82a2-a30c-93fd170c7872", EntryState::Quarantined),
    ("waits", "01a202c0-f64f-899e-85c0-a8ee4d87e902", EntryState::Pending),
    ("waits anonymously", "01a202c0-f650-804b-820b-57877bb521bf", EntryState::Pending),
    ("called off while it waits", "01a202c0-f651-8471-a947-e86a8aa89c15", EntryState::Pending),
];
const DISCARDED_MS: i64 = 1_795_342_530_123;

/// A phone with the file of version 0.1.
fn phone() -> Phone {
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/outbox-0.1.db");
    fs::copy(file, phone.path()).unwrap();
    phone.now_ms = NOW_MS + 1000;
    phone.restart();
    phone
}

#[test]
fn an_outbox_of_version_0_1_opens_and_keeps_every_entry_under_its_key() {
    let mut phone = phone();
    assert!(phone.outbox().recovery().is_none());
    for (location, key, state) in KEPT {
        let key: IdempotencyKey = key.parse().unwrap();
        let entry = phone.entry(key);
        assert_eq!((entry.payload.facts.location_id.as_str(), entry.state), (location, state));
    }
    assert_eq!(phone.outbox().entries(None, 100, None).unwrap().len(), KEPT.len());
    assert_eq!(phone.outbox().summary().unwrap().of_others, 1);
}

#[test]
fn it_goes_on_and_delivers_what_waited() {
    let mut phone = phone();
    let mut sent = Vec::new();
    while phone.outbox().summary().unwrap().pending > 0 {
        let upload = phone.upload_at_last();
        sent.extend(payloads(&upload).iter().map(|payload| payload["locationId"].clone()));
        phone.complete(&upload, &settle_all(&upload));
    }
    assert_eq!(sent, ["waits", "called off while it waits", "waits anonymously"]);
    let new = phone.report_anonymously("new").key;
    assert_eq!(phone.state(new), EntryState::Pending);
    phone.restart();
    assert!(matches!(phone.next(), NextUpload::Wait { .. } | NextUpload::Send { .. }));
}

#[test]
fn what_it_had_erased_stays_a_name_that_is_not_given_again_but_cannot_be_read() {
    let mut phone = phone();
    drop(phone.outbox.take());
    assert!(!stands_in(phone.folder.path(), &DISCARDED_MS.to_be_bytes()[2..]));
    phone.restart();
    let again = phone.outbox().report(&draft("w"), DISCARDED_MS).unwrap();
    assert_ne!(again.payload.facts.created_at.unix_ms(), DISCARDED_MS);
}

#[test]
fn a_settled_anonymous_report_of_it_is_erased() {
    let mut phone = phone();
    drop(phone.outbox.take());
    assert!(!stands_in(phone.folder.path(), b"settled anonymously"));
    assert!(stands_in(phone.folder.path(), b"refused anonymously"));
}

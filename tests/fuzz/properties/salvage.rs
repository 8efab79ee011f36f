//! Damaged files of the outbox.

use std::{collections::BTreeSet, sync::LazyLock};

use incident_core::{IncidentKey, decode};
use incident_mobile_ffi::outbox::fuzzing::{self, SavedRow};

use super::{input::Input, payloads::is_canonical};

const PAGE: usize = 4096;
/// A file of version 0.1, with entries of every state.
static WHOLE: &[u8] = include_bytes!("../../../incident-mobile-ffi/tests/data/outbox-0.1.db");
/// What is saved of it by each of its pages alone.
static ROWS: LazyLock<Vec<Vec<SavedRow>>> = LazyLock::new(|| {
    let alone = |page: usize| {
        let mut file = vec![0; WHOLE.len()];
        file[page * PAGE..][..PAGE].copy_from_slice(&WHOLE[page * PAGE..][..PAGE]);
        saved(&file, None)
    };
    (0..WHOLE.len() / PAGE).map(alone).collect()
});

/// No chance pattern becomes a report, and what no damage touches is saved, whatever stands beside it.
///
/// # Panics
/// It does not hold.
pub fn salvage(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.byte();
    if kind % 4 == 0 {
        return fit(&saved(input.0, None));
    }
    if kind % 4 == 1 {
        let (log, file) = input.0.split_at(input.0.len() / 2);
        return fit(&saved(file, Some(log)));
    }
    let (file, damaged) = damage(&mut input);
    let rows = saved(&file, (kind % 4 == 2).then_some(input.0));
    fit(&rows);
    for (page, whole) in ROWS.iter().enumerate().filter(|(page, _)| !damaged.contains(page)) {
        assert!(whole.iter().all(|row| rows.contains(row)), "page {page} is whole, and a row of it is lost");
    }
}

fn saved(file: &[u8], log: Option<&[u8]>) -> Vec<SavedRow> {
    fuzzing::salvage(file, log).expect("memory can be read")
}

/// The file with up to eight places overwritten, and the pages of these.
fn damage(input: &mut Input<'_>) -> (Vec<u8>, BTreeSet<usize>) {
    let (mut file, mut pages) = (WHOLE.to_vec(), BTreeSet::new());
    for _ in 0..=input.byte() % 8 {
        let at = usize::from(u16::from_le_bytes(input.number())) % file.len();
        let length = usize::from(input.byte()).min(file.len() - at);
        let bytes = input.bytes(length);
        file[at..at + bytes.len()].copy_from_slice(bytes);
        pages.extend([at / PAGE, (at + bytes.len()).saturating_sub(1).max(at) / PAGE]);
    }
    (file, pages)
}

/// Each row has a payload in its canonical form and a key that such a report may have.
fn fit(rows: &[SavedRow]) {
    for SavedRow { reporter, key, payload, is_sure } in rows {
        let resolved = IncidentKey::resolve(payload, reporter, Some(*key)).expect("the key fits the row");
        assert_eq!(key.created_at_ms(), payload.facts.created_at.unix_ms());
        assert!(*is_sure || matches!(resolved, IncidentKey::Sealed(_)), "a derived key is sure");
        assert!(decode(payload.to_canonical_json().as_bytes()).is_ok());
        is_canonical(payload);
    }
}

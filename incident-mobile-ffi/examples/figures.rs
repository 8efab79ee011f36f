//! Measures what the outbox must cost: the median report, opening with 10,000 entries, and delivering them to
//! a server that answers at once. Argument: a folder on the disk to measure, the current one if absent.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{Entry, EntryState, NewReport, NextUpload, Options, Outbox, UploadResult};
use serde_json::{Value, json};

const NOW_MS: i64 = 1_795_342_530_120;
const ENTRIES: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let folder = tempfile::tempdir_in(folder)?;
    let file = folder.path().join("outbox.db");
    let mut outbox = open(&file)?;
    let mut times = Vec::new();
    for at_ms in (NOW_MS..).take(ENTRIES) {
        let begun = Instant::now();
        outbox.report(&report(), at_ms)?;
        times.push(begun.elapsed());
    }
    times.sort();
    println!("report, median: {:?}; 99 %: {:?}", times[ENTRIES / 2], times[ENTRIES * 99 / 100]);
    drop(outbox);
    println!("open with {ENTRIES} entries after a clean end: {:?}", median_opening(&file)?);
    let mut outbox = open(&file)?;
    let begun = Instant::now();
    deliver(&mut outbox)?;
    println!("deliver {ENTRIES} entries to a server that answers at once: {:?}", begun.elapsed());
    Ok(())
}

fn open(file: &Path) -> Result<Outbox, Box<dyn std::error::Error>> {
    Ok(Outbox::open(file, Reporter::parse("alice")?, Options::default(), NOW_MS)?)
}

fn median_opening(file: &Path) -> Result<Duration, Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    for _ in 0..21 {
        let begun = Instant::now();
        let mut outbox = open(file)?;
        outbox.summary()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

fn deliver(outbox: &mut Outbox) -> Result<(), Box<dyn std::error::Error>> {
    while let NextUpload::Send(upload) = outbox.next_upload(NOW_MS)? {
        let sending = outbox.entries(Some(EntryState::Sending), usize::MAX)?;
        outbox.complete_upload(upload.id, &settle(&sending), NOW_MS)?;
    }
    Ok(())
}

fn settle(sending: &[Entry]) -> UploadResult {
    // Newest first is how entries are listed; oldest first is how they were sent.
    let answer =
        |entry: &Entry| json!({"disposition": "settled", "idempotencyKey": entry.key, "httpStatus": 201});
    let results: Vec<Value> = sending.iter().rev().map(answer).collect();
    let body = json!({ "results": results }).to_string().into_bytes();
    UploadResult::Response { status: 200, headers: Vec::new(), body }
}

fn report() -> NewReport {
    NewReport {
        location_id: "ward-7".into(),
        room_number: Some("12B".into()),
        longitude: 12.4924,
        latitude: 41.8902,
        is_anonymous: false,
        created_at_ms: None,
        cancellation_reason: None,
    }
}

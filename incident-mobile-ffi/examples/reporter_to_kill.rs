//! A phone for the tests to kill: reports and sends to a server that is only answers, and says on its standard
//! output what was acknowledged.
//!
//! Arguments: the file, and before or after which commit (counted from 1, two moments each) to abort; 0 never.

use std::{
    io::Write,
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{EntryState, NewReport, NextUpload, Options, Outbox, UploadResult};
use serde_json::{Value, json};

const NOW_MS: i64 = 1_795_342_530_120;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let moments_left = AtomicI64::new(arguments[2].parse()?);
    let probe = move |_: &'static str, _: &'static str| {
        if moments_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    };
    let options = Options { probe: Some(Box::new(probe)), ..Options::default() };
    let mut outbox = Outbox::open(Path::new(&arguments[1]), Reporter::parse("alice")?, options, NOW_MS)?;
    for round in 0.. {
        let entry = outbox.report(&report(), NOW_MS)?;
        acknowledge("reported", &entry.key.to_string());
        if round % 3 == 0 {
            outbox.cancel(entry.key, "false alarm", NOW_MS)?;
            acknowledge("cancelled", &entry.key.to_string());
        }
        if round % 4 == 3
            && let NextUpload::Send(upload) = outbox.next_upload(NOW_MS)?
        {
            let answer = settle(&outbox.entries(Some(EntryState::Sending), 1000)?);
            outbox.complete_upload(upload.id, &answer, NOW_MS)?;
        }
    }
    Ok(())
}

fn acknowledge(what: &str, key: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever listens may be gone already.
    let _ = writeln!(out, "{what} {key}").and_then(|()| out.flush());
}

fn report() -> NewReport {
    NewReport {
        location_id: "ward-7".into(),
        room_number: None,
        longitude: 12.5,
        latitude: 41.9,
        is_anonymous: false,
        created_at_ms: None,
        cancellation_reason: None,
    }
}

fn settle(sending: &[incident_mobile_ffi::outbox::Entry]) -> UploadResult {
    let answer = |entry: &incident_mobile_ffi::outbox::Entry| json!({"disposition": "settled", "idempotencyKey": entry.key, "httpStatus": 201});
    // Newest first is how entries are listed; oldest first is how they were sent.
    let answers: Vec<Value> = sending.iter().rev().map(answer).collect();
    let body = if let [only] = &answers[..] { only.clone() } else { json!({ "results": answers }) };
    UploadResult::Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
}

//! A phone for the tests to kill: does everything that an app may do, over and over, against a server that is only
//! answers, and says on its standard output what it was told.
//!
//! Arguments: the file, and where to abort: at the n-th moment of all (from 1), or at a moment of a change, such as
//! `prune,before commit`; 0 is nowhere.

use std::{
    error::Error,
    io::Write,
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
};

use incident_core::Reporter;
use incident_mobile_ffi::outbox::{
    Draft, Entry, EntryState, NetworkFailureKind, NextUpload, Options, Outbox, Probe, UploadResult,
};
use serde_json::{Value, json};

const NOW_MS: i64 = 1_795_342_530_120;
/// When what was settled at first is forgotten.
const MUCH_LATER_MS: i64 = NOW_MS + 31 * 24 * 3_600_000;

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().collect();
    loop {
        let mut outbox = open(&arguments, NOW_MS)?;
        for round in 0..12 {
            report(&mut outbox, round)?;
        }
        refusals_and_a_wait(&mut outbox)?;
        drop(outbox);
        open(&arguments, MUCH_LATER_MS)?;
    }
}

fn open(arguments: &[String], now_ms: i64) -> Result<Outbox, Box<dyn Error>> {
    let options = Options { probe: Some(probe(arguments[2].clone())), ..Options::default() };
    Ok(Outbox::open(Path::new(&arguments[1]), Reporter::parse("alice")?, options, now_ms)?)
}

fn probe(stop: String) -> Probe {
    static MOMENTS: AtomicI64 = AtomicI64::new(0);
    Box::new(move |moment| {
        let count = MOMENTS.fetch_add(1, Ordering::Relaxed) + 1;
        if stop == count.to_string() || stop == moment.to_string() {
            std::process::abort();
        }
    })
}

fn report(outbox: &mut Outbox, round: i64) -> Done {
    let entry = outbox.report(&draft(), NOW_MS)?;
    tell("reported", &entry);
    if round % 3 == 0 {
        let entry = outbox.cancel(entry.key, "false alarm", NOW_MS)?;
        tell("cancelled", &entry);
    }
    if round % 4 == 3 { answer(outbox, NOW_MS, settle) } else { Ok(()) }
}

/// Quarantine and what a user may do about it, and a wait from which the clock steps back.
fn refusals_and_a_wait(outbox: &mut Outbox) -> Done {
    for _ in 0..2 {
        let entry = outbox.report(&draft(), NOW_MS)?;
        tell("reported", &entry);
        answer(outbox, NOW_MS, |_| response(422, &refused()))?;
        outbox.retry(entry.key, NOW_MS)?;
        answer(outbox, NOW_MS, |_| response(422, &refused()))?;
        tell("discarding", &entry);
        outbox.discard(entry.key)?;
    }
    tell("reported", &outbox.report(&draft(), NOW_MS)?);
    answer(outbox, NOW_MS, |_| no_network())?;
    outbox.next_upload(NOW_MS - 3_600_000)?;
    Ok(())
}

fn answer(outbox: &mut Outbox, now_ms: i64, what: impl Fn(&[Entry]) -> UploadResult) -> Done {
    if let NextUpload::Send { upload } = outbox.next_upload(now_ms)? {
        let sending = outbox.entries(Some(EntryState::Sending), 1000, None)?;
        for entry in &sending {
            tell("sent", entry);
        }
        outbox.complete_upload(upload.id, &what(&sending), now_ms)?;
    }
    Ok(())
}

fn tell(what: &str, entry: &Entry) {
    let mut out = std::io::stdout().lock();
    // Whoever listens may be gone already.
    let _ = writeln!(out, "{what} {}", entry.key).and_then(|()| out.flush());
}

fn draft() -> Draft {
    Draft::new("ward-7", 12.5, 41.9)
}

fn settle(sending: &[Entry]) -> UploadResult {
    let settled =
        |entry: &Entry| json!({"disposition": "settled", "idempotencyKey": entry.key, "httpStatus": 201});
    // Newest first is how entries are listed; oldest first is how they were sent.
    let answers: Vec<Value> = sending.iter().rev().map(settled).collect();
    response(200, &if let [only] = &answers[..] { only.clone() } else { json!({ "results": answers }) })
}

fn response(status: i64, body: &Value) -> UploadResult {
    UploadResult::Response { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

fn no_network() -> UploadResult {
    UploadResult::NetworkFailure { kind: NetworkFailureKind::Offline, detail: String::new(), sent: false }
}

fn refused() -> Value {
    json!({"type": "/problems/validation-failed", "disposition": "quarantine"})
}
